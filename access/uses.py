"""Usage records as the person they are about reads them: plain words, nothing about others.

Source: 网络数据安全管理条例 21 (a list of purpose, method, category, recipient); PIPL 18, 35, 45.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from access.answers import Erased, Use, Withheld
from access.seal_grounds import SEAL_GROUNDS
from access.titles import Titles
from access.usage_record import SubjectRole, UsageRecord, is_use, usage_of
from hub.clock import stamp_of
from hub.events import EventTag
from hub.ledger.log import LoggedEntry


@dataclass(frozen=True, slots=True)
class Told:
    """An entry of a person's own that tells of a use.

    Args:
        use: the record of the use; None once it was erased.
        withheld: until when and why it was kept from the person, None where it was not.
        erased: when, by whom and why it was erased, None where it was not.
    """

    logged: LoggedEntry
    use: UsageRecord | None
    withheld: Withheld | None = None
    erased: Erased | None = None


def told(entries: Iterable[LoggedEntry]) -> Iterator[Told]:
    """Yield the entries of a person's own that tell of a use.

    Args:
        entries: newest first, so that an erasure is read before what it erased.
    Raises:
        LedgerError: when an entry about a use does not say what a use says.
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
            withheld = Withheld(body["time"], title, basis)
            yield Told(logged, UsageRecord.parse(body["record"]), withheld=withheld)
        elif is_use(logged):
            yield Told(logged, usage_of(logged))


def use_of(found: Told, titles: Titles, standings: Mapping[int, str]) -> Use:
    """Return a use in the words of its subject.

    Args:
        standings: number of a lifted mask or emergency -> where it stands by now.
    """
    use = found.use
    if use is None:
        return Use(found.logged.index, found.logged.time, "erased", erased=found.erased)
    actor = use.actor
    return Use(
        index=found.logged.index,
        time=stamp_of(use.time),
        outcome=use.decision,
        agency=actor.agency,
        agency_title=titles.agency(actor.agency),
        post=actor.post,
        purpose=use.purpose,
        purpose_title=titles.purpose(use.purpose),
        legal_basis=use.legal_basis,
        action=use.action.value,
        road=use.road.value,
        role=use.role.value if use.role else SubjectRole.ASKED_ABOUT.value,
        datasets=tuple([titles.dataset(name) for name in use.datasets]),
        fields=tuple(_fields(use.fields, titles)),
        with_case=use.case is not None,
        reason=use.reason,
        snapshot=use.snapshot,
        lake_snapshot=use.lake_snapshot,
        request=use.request,
        under=standings.get(use.emergency or 0, ""),
        withheld=found.withheld,
        persons=None if use.bulk is None else use.bulk.persons,
    )


def _fields(fields: Mapping[str, str], titles: Titles) -> Iterator[dict[str, str]]:
    for key, how in fields.items():
        dataset, _, column = key.rpartition(".")
        title = titles.column(dataset, column)
        yield {"dataset": dataset, "column": column, "title": title, "how": how}
