"""Ledger entries as the person they are about reads them: plain words, nothing about others.

Source: 网络数据安全管理条例 21 (a list of purpose, method, category, recipient); PIPL 18, 35, 45.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from access.answers import Erased, Use, Withheld
from access.policy import Policy
from access.seal_grounds import SEAL_GROUNDS
from hub.catalog import Catalog
from hub.events import EventTag
from hub.ledger.log import LoggedEntry


@dataclass(frozen=True, slots=True)
class Told:
    """An entry of a person's own that tells of a use.

    Args:
        body: the record of the use; None once it was erased.
        withheld: until when and why it was kept from the person, None where it was not.
        erased: when, by whom and why it was erased, None where it was not.
    """

    logged: LoggedEntry
    body: Mapping[str, Any] | None
    withheld: Withheld | None = None
    erased: Erased | None = None


def told(entries: Iterable[LoggedEntry]) -> Iterator[Told]:
    """Yield the entries of a person's own that tell of a use.

    Args:
        entries: newest first, so that an erasure is read before what it erased.
    """
    erased: dict[int, Erased] = {}
    for logged in entries:
        body = logged.body
        if body is None:
            yield Told(logged, None, erased=erased.get(logged.index, Erased("", "", "")))
        elif logged.event == EventTag.HUB_ENTRY_ERASED:
            erased[body["entry"]] = Erased(body["time"], body["by"], body["ground"])
        elif logged.event == EventTag.ACCESS_SEAL_RELEASED:
            ground = SEAL_GROUNDS.get(body["ground"])
            title, basis = (ground.title, ground.legal_basis) if ground else (body["ground"], "")
            yield Told(logged, body["record"], withheld=Withheld(body["time"], title, basis))
        elif "purpose" in body and "action" in body:
            yield Told(logged, body)


def use_of(found: Told, policy: Policy, catalog: Catalog, standings: Mapping[int, str]) -> Use:
    """Return a use in the words of its subject.

    Args:
        standings: number of a lifted mask or emergency -> where it stands by now.
    """
    logged, body = found.logged, found.body
    if body is None:
        return Use(logged.index, logged.time, "erased", erased=found.erased)
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
        withheld=found.withheld,
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
