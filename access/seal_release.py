"""What an ended order had sealed is released to each person it is about, by itself and once.

What is sealed under an order, and what of it has been released, follows from the ledger alone:
whoever is killed in between leaves a part, and the next turn adds the rest. An order is done with
only after a while in which a use that was decided just before its end could still be recorded.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from access.seals import ENDED, SealStanding, seal_standings
from hub.calendar import day_of
from hub.events import AuditEvent, EventTag
from hub.ledger.writer import Entry
from hub.store.access_steps import STEPS, About, AccessStep, add_step, steps
from hub.store.outbox import Log
from hub.store.policies import looking, writing
from hub.store.records import Records
from hub.store.seals import ledger_size_before, orders

#: Longer than anything waits for its receipt (`access.recording`, `access.roads.reconciliation`).
GRACE = timedelta(minutes=10)
_HUB = "hub"
_PAGE = 1000
_RELEASED = EventTag.ACCESS_SEAL_RELEASED.value


@dataclass(frozen=True, slots=True)
class SealedUse:
    """A use that stands sealed in the ledger.

    Args:
        body: its record.
        order: number of the order that seals it.
    """

    index: int
    order: int
    body: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Under:
    """What the ledger has of orders, from a position on.

    Args:
        uses: every sealed use that was not erased, in log order.
        released: position of a sealed use -> position of its release.
        size: where the reading ended.
    """

    uses: tuple[SealedUse, ...]
    released: Mapping[int, int]
    size: int

    def waiting(self, order: int) -> list[SealedUse]:
        """Return what is sealed under an order and not released."""
        return [u for u in self.uses if u.order == order and u.index not in self.released]


def sealed_uses(log: Log, start: int = 0) -> Under:
    """Return the sealed uses and releases at a position of the ledger and after."""
    uses, released, size = [], {}, log.size
    for index, body in _bodies(log, start, size):
        if body["event"] == _RELEASED:
            released[int(body["entry"])] = index
        elif is_sealed(body):
            uses.append(SealedUse(index, int(body["seal"]), body))
    return Under(tuple(uses), released, size)


def is_sealed(body: Mapping[str, Any]) -> bool:
    """Say whether a record is that of a sealed use."""
    return "seal" in body and "subject" in body


def release_due(records: Records, log: Log, now: datetime) -> int:
    """Release what orders sealed that have ended; return how many uses were released now.

    Safe to be called by several processes and as often as one likes: the write lock of the records
    is held while the last part of the ledger is read and the releases are appended.

    Raises:
        PolicyUnavailable: when the records cannot be read or written.
        LedgerError: when the ledger cannot record; the rest is released by a later call.
    """
    with looking(records) as session:
        due = [
            (one, ledger_size_before(session, one.order))
            for one in seal_standings(orders(session), steps(session, About.SEAL), now)
            if one.ends is not None and now >= one.ends and not one.released
        ]
    if not due:
        return 0
    known = sealed_uses(log, min(start for _, start in due))
    count = sum(_release(records, log, one, known, now) for one, _ in due)
    STEPS.tell(records, log)
    return count


def _release(records: Records, log: Log, ended: SealStanding, known: Under, now: datetime) -> int:
    """Append what is not there yet, and note that an order is done with once nothing can follow."""
    with writing(records) as session:
        if any(step.key == ENDED for step in steps(session, About.SEAL, ended.order.name)):
            return 0
        fresh = sealed_uses(log, known.size)
        there = Under((*known.uses, *fresh.uses), {**known.released, **fresh.released}, fresh.size)
        waiting = there.waiting(ended.order.id)
        for first in range(0, len(waiting), _PAGE):
            part = waiting[first : first + _PAGE]
            log.append([_entry(use, ended, now) for use in part])
        if ended.ends is not None and now >= ended.ends + GRACE:
            uses = [use for use in there.uses if use.order == ended.order.id]
            _note_ended(session, ended, by_year(uses), log.size, now)
    return len(waiting)


def _entry(use: SealedUse, ended: SealStanding, now: datetime) -> Entry:
    """Return the release of a use: an entry of its subject's own."""
    details = {
        "entry": use.index,
        "record": dict(use.body),
        "order": use.order,
        "ground": ended.order.ground,
    }
    body = AuditEvent(EventTag.ACCESS_SEAL_RELEASED, now, details).body()
    return Entry(bytes.fromhex(use.body["subject"]), body)


def _note_ended(
    session: Any, ended: SealStanding, uses: Mapping[str, int], size: int, now: datetime
) -> None:
    event = AuditEvent(EventTag.ACCESS_SEAL_ENDED, now, {"uses": dict(uses)})
    step = AccessStep(About.SEAL, ended.order.name, ENDED, _HUB, now, "released")
    add_step(session, step, event, size)


def by_year(uses: list[SealedUse]) -> dict[str, int]:
    """Return how many uses were sealed in each calendar year, by when they were made."""
    counts: dict[str, int] = {}
    for use in uses:
        year = str(day_of(datetime.fromisoformat(use.body["time"])).year)
        counts[year] = counts.get(year, 0) + 1
    return counts


def _bodies(log: Log, start: int, stop: int) -> Iterator[tuple[int, Mapping[str, Any]]]:
    for first in range(start, stop, _PAGE):
        for entry in log.entries(first, min(first + _PAGE, stop)):
            if entry.body is not None:
                yield entry.index, entry.body
