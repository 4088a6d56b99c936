"""Usage records as the person they are about reads them: plain words, nothing about others.

Source: 网络数据安全管理条例 21 (a list of purpose, method, category, recipient); PIPL 18, 35, 45.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta

from access.answers import Use
from access.policy import Policy
from access.purposes import PurposeRegister
from access.usage_record import SubjectRole, UsageRecord
from hub.catalog import Catalog
from hub.clock import stamp_of

_UNUSUAL_DELAY = timedelta(days=36_500)  # a purpose that is no longer known stays unshown


def is_due(use: UsageRecord, purposes: PurposeRegister, now: datetime) -> bool:
    """Say whether a use may be shown to its subject by now.

    One whose purpose is no longer in the register waits until the register says how long.
    """
    purpose = purposes.get(use.purpose)
    delay = timedelta(days=purpose.notice_days) if purpose else _UNUSUAL_DELAY
    if purpose is None and use.decision == "refused":
        delay = timedelta(0)
    return use.time + delay <= now


def use_of(
    index: int, use: UsageRecord, policy: Policy, catalog: Catalog, standings: Mapping[int, str]
) -> Use:
    """Return a record in the words of its subject.

    Args:
        index: its position in the ledger.
        standings: number of a lifted mask or emergency -> where it stands by now.
    """
    actor = use.actor
    purpose = policy.purposes.get(use.purpose)
    return Use(
        index=index,
        time=stamp_of(use.time),
        outcome=use.decision,
        agency=actor.agency,
        agency_title=policy.roles.agencies.get(actor.agency, actor.agency),
        post=actor.post,
        purpose=use.purpose,
        purpose_title=purpose.title if purpose else use.purpose,
        legal_basis=use.legal_basis,
        action=use.action.value,
        road=use.road.value,
        role=use.role.value if use.role else SubjectRole.ASKED_ABOUT.value,
        datasets=tuple(_title(catalog, name) for name in use.datasets),
        fields=tuple(_fields(use.fields, catalog)),
        with_case=use.case is not None,
        reason=use.reason,
        snapshot=use.snapshot,
        lake_snapshot=use.lake_snapshot,
        request=use.request,
        under=standings.get(use.emergency or 0, ""),
    )


def _fields(fields: Mapping[str, str], catalog: Catalog) -> Iterator[dict[str, str]]:
    for key, how in fields.items():
        dataset, _, column = key.rpartition(".")
        yield {
            "dataset": dataset,
            "column": column,
            "title": _column_title(catalog, dataset, column),
            "how": how,
        }


def _title(catalog: Catalog, name: str) -> str:
    return catalog[name].title if name in catalog else name


def _column_title(catalog: Catalog, dataset: str, column: str) -> str:
    if dataset in catalog:
        for found in catalog[dataset].columns:
            if found.name == column:
                return found.title
    return column
