"""What an ended order had sealed is released to each person it is about, by itself and once.

What is sealed under an order, and what of it has been released, follows from the ledger alone:
whoever is killed in between leaves a part, and the next turn adds the rest. An order is done with
only after a while in which a use that was decided just before its end could still be recorded.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Protocol

from access.history import first_since
from access.seals import ENDED, SealStanding, seal_standings
from access.usage_record import UsageRecord, usage_of
from hub.calendar import day_of
from hub.events import AuditEvent, EventTag
from hub.ledger.entry import SEALED, Chain, ChainKind
from hub.ledger.log import LoggedEntry
from hub.ledger.writer import Entry
from hub.store.access_steps import STEPS, About, AccessStep, add_step, steps
from hub.store.outbox import Log
from hub.store.policies import looking, writing
from hub.store.records import Records
from hub.store.seals import ledger_size_before, orders

#: Longer than anything waits for its receipt (`access.recording`, `access.roads.reconciliation`).
GRACE = timedelta(minutes=10)
_LATELY = timedelta(days=1)
_HUB = "hub"
_PAGE = 1000


class SealedLog(Log, Protocol):
    """What reading sealed uses needs of a ledger besides."""

    def entries(self, start: int, stop: int) -> list[LoggedEntry]:
        """Return the entries at positions [start, stop)."""
        ...

    def chain(
        self, chain: Chain, *, before: int | None = None, limit: int = 1000
    ) -> list[LoggedEntry]:
        """Return a chain's entries, newest first."""
        ...


@dataclass(frozen=True, slots=True)
class SealedUse:
    """A use that stands sealed in the ledger.

    Args:
        label: the ledger's label of whom it is about.
        order: number of the order that seals it.
    """

    index: int
    label: bytes
    order: int
    use: UsageRecord


def sealed_uses(log: SealedLog, start: int = 0) -> tuple[SealedUse, ...]:
    """Return the sealed uses at a position of the ledger and after, in log order.

    Those that were erased, which are all released before, are none of them.

    Raises:
        LedgerError: when an entry about a use does not say what a use says.
    """
    read = map(sealed_use_of, since(log, SEALED, start))
    return tuple(reversed([use for use in read if use is not None]))


def sealed_use_of(entry: LoggedEntry) -> SealedUse | None:
    """Return the sealed use that an entry of the sealed chain holds, None once it was erased.

    Raises:
        LedgerError: when it does not say what a use says.
    """
    use = usage_of(entry)
    if use is None or use.subject is None or use.seal is None:
        return None
    return SealedUse(entry.index, use.subject, use.seal, use)


def releases(log: SealedLog, uses: Iterable[SealedUse]) -> dict[int, int]:
    """Return the position of each sealed use that was released -> position of its release."""
    found: dict[int, int] = {}
    by_label: dict[bytes, list[int]] = defaultdict(list)
    for use in uses:
        by_label[use.label].append(use.index)
    for label, indexes in by_label.items():
        for entry in since(log, Chain(ChainKind.SUBJECT, label), min(indexes)):
            if entry.event == EventTag.ACCESS_SEAL_RELEASED and entry.body is not None:
                found[int(entry.body["entry"])] = entry.index
    return found


def release_due(records: Records, log: SealedLog, now: datetime) -> int:
    """Release what orders sealed that have ended; return how many uses were released now.

    Safe to be called by several processes and as often as one likes: the write lock of the records
    is held from the reading of what is released to the appending of the rest.

    Raises:
        PolicyUnavailable: when the records cannot be read or written.
        LedgerError: when the ledger cannot record; the rest is released by a later call.
    """
    with looking(records) as session:
        found = seal_standings(orders(session), steps(session, About.SEAL), now)
        due = [
            (one, ledger_size_before(session, one.order))
            for one in found
            if one.ends is not None and now >= one.ends and not one.released
        ]
    count = sum(_release(records, log, one, start, now) for one, start in due)
    if due:
        STEPS.tell(records, log)
    return count + _release_late(records, log, [one for one in found if one.released], now)


def _release(
    records: Records, log: SealedLog, ended: SealStanding, start: int, now: datetime
) -> int:
    """Append what is not there yet, and note that an order is done with once nothing can follow."""
    final = ended.ends is not None and now >= ended.ends + GRACE
    if not final and not _waiting(log, ended, start)[1]:
        return 0
    with writing(records) as session:
        if any(step.key == ENDED for step in steps(session, About.SEAL, ended.order.name)):
            return 0
        uses, waiting = _waiting(log, ended, start)
        for first in range(0, len(waiting), _PAGE):
            part = waiting[first : first + _PAGE]
            log.append([_entry(use, ended, now) for use in part])
        if final:
            _note_ended(session, ended, by_year(uses), log.size, now)
    return len(waiting)


def _release_late(
    records: Records, log: SealedLog, done: Sequence[SealStanding], now: datetime
) -> int:
    """Release what was recorded under an order that was done with; return how many.

    Whoever decided while it held may have been stopped, as by a machine put to sleep, and record
    only now. What the ledger was given in the last day is looked through.
    """
    standings = {one.order.id: one for one in done}
    if not standings:
        return 0
    start = first_since(log, now - _LATELY)

    def missing() -> list[SealedUse]:
        uses = [use for use in sealed_uses(log, start) if use.order in standings]
        released = releases(log, uses)
        return [use for use in uses if use.index not in released]

    if not missing():
        return 0
    with writing(records):
        late = missing()
        if late:
            log.append([_entry(use, standings[use.order], now) for use in late])
    return len(late)


def _waiting(
    log: SealedLog, ended: SealStanding, start: int
) -> tuple[list[SealedUse], list[SealedUse]]:
    """Return what an order sealed, and what of it is not released."""
    uses = [use for use in sealed_uses(log, start) if use.order == ended.order.id]
    released = releases(log, uses)
    return uses, [use for use in uses if use.index not in released]


def _entry(use: SealedUse, ended: SealStanding, now: datetime) -> Entry:
    """Return the release of a use: an entry of its subject's own."""
    details = {
        "entry": use.index,
        "record": use.use.body(),
        "order": use.order,
        "ground": ended.order.ground,
    }
    body = AuditEvent(EventTag.ACCESS_SEAL_RELEASED, now, details).body()
    return Entry(use.label, body)


def _note_ended(
    session: Any, ended: SealStanding, uses: Mapping[str, int], size: int, now: datetime
) -> None:
    event = AuditEvent(EventTag.ACCESS_SEAL_ENDED, now, {"uses": dict(uses)})
    step = AccessStep(About.SEAL, ended.order.name, ENDED, _HUB, now, "released")
    add_step(session, step, event, size)


def by_year(uses: Sequence[SealedUse]) -> dict[str, int]:
    """Return how many uses were sealed in each calendar year, by when they were made."""
    counts: dict[str, int] = {}
    for use in uses:
        year = str(day_of(use.use.time).year)
        counts[year] = counts.get(year, 0) + 1
    return counts


def since(log: SealedLog, chain: Chain, start: int) -> Iterator[LoggedEntry]:
    """Yield a chain's entries at a position of the ledger and after, newest first."""
    before: int | None = None
    while page := log.chain(chain, before=before, limit=_PAGE):
        for entry in page:
            if entry.index < start:
                return
            yield entry
        before = page[-1].index
