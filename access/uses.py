"""Ledger entries as the person they are about reads them: plain words, nothing about others.

Source: 网络数据安全管理条例 21 (a list of purpose, method, category, recipient); PIPL 18, 35, 45.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any

from access.answers import Use
from access.history import instant
from access.policy import Policy
from access.purposes import PurposeRegister
from hub.catalog import Catalog
from hub.ledger.log import LoggedEntry

_UNUSUAL_DELAY = timedelta(days=36_500)  # a purpose that is no longer known stays unshown


def is_due(logged: LoggedEntry, purposes: PurposeRegister, now: datetime) -> bool:
    """Say whether a use may be shown to its subject by now.

    An erased entry, or one that is no use of data, is never shown; one whose purpose is no longer
    in the register waits until the register says how long.
    """
    body = logged.body
    if body is None or "purpose" not in body or "action" not in body:
        return False
    purpose = purposes.get(str(body["purpose"]))
    delay = timedelta(days=purpose.notice_days) if purpose else _UNUSUAL_DELAY
    if purpose is None and body["decision"] == "refused":
        delay = timedelta(0)
    return instant(str(body["time"])) + delay <= now


def use_of(
    logged: LoggedEntry, policy: Policy, catalog: Catalog, standings: Mapping[int, str]
) -> Use:
    """Return an entry in the words of its subject.

    Args:
        standings: number of a lifted mask or emergency -> where it stands by now.
    """
    body: Mapping[str, Any] = logged.body or {}
    actor = body["actor"]
    purpose = policy.purposes.get(body["purpose"])
    return Use(
        index=logged.index,
        time=body["time"],
        outcome="refused" if body["decision"] == "refused" else "allowed",
        agency=actor["agency"],
        agency_title=policy.roles.agencies.get(actor["agency"], actor["agency"]),
        post=actor["post"],
        purpose=body["purpose"],
        purpose_title=purpose.title if purpose else body["purpose"],
        legal_basis=body["legal_basis"],
        action=body["action"],
        datasets=tuple(_title(catalog, name) for name in body["dataset"]),
        fields=tuple(_fields(body["fields"], catalog)),
        with_case=body["case"] is not None,
        reason=body["reason"],
        under=standings.get(body.get("emergency", 0), ""),
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
