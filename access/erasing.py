"""What of the ledger may be forgotten, when, and what goes with it; pure.

Only uses of data can be: what the ledger tells of the hub itself (orders, grants, publications,
erasures, index entries, bulk disclosures and the commitments to who is in them) stays for good. A sealed use stays until
it was released to its subject; then it and its release are forgotten together.

Source: 个人信息保护法 19, 47, 56 (`access.erasure_grounds`).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from access.erasure_grounds import ERASURE_GROUNDS, LEAST_DAYS, RETENTION_ENDED
from access.usage_record import USES
from hub.events import EventTag
from hub.ledger.entry import SEALED
from hub.ledger.log import LoggedEntry
from hub.store.access_steps import AccessStep
from hub.store.erasures import Erasure

#: So many entries at most in one request.
MOST_ENTRIES = 10_000
RELEASED = EventTag.ACCESS_SEAL_RELEASED
#: The particulars of a bulk disclosure are those of everybody in it: nobody's alone to forget.
ERASABLE = (USES - {EventTag.OFFICER_BULK_DISCLOSED}) | {RELEASED}

WITHHELD = "暂缓告知尚未向本人公开 / it is sealed, and not released to its subject"


class ErasureStep(StrEnum):
    """What can be done about a request, once each, alphabetical."""

    APPROVED = "approved"
    DECLINED = "declined"
    DONE = "done"
    REQUESTED = "requested"


class ErasureState(StrEnum):
    """Where a request stands, alphabetical; `approved` has been begun and not finished."""

    APPROVED = "approved"
    DECLINED = "declined"
    DONE = "done"
    REQUESTED = "requested"


ERASURE_TITLES: Mapping[ErasureState, str] = {
    ErasureState.APPROVED: "已批准，尚未删完 / approved, not finished",
    ErasureState.DECLINED: "未批准 / declined",
    ErasureState.DONE: "已删除 / done",
    ErasureState.REQUESTED: "待批准 / waits for its approval",
}


@dataclass(frozen=True, slots=True)
class ErasureStanding:
    """A request and where it stands."""

    erasure: Erasure
    state: ErasureState
    steps: Mapping[str, AccessStep]


def erasure_standings(
    found: Sequence[Erasure], steps: Iterable[AccessStep]
) -> tuple[ErasureStanding, ...]:
    """Return where every request stands.

    Args:
        steps: all about requests, in the order in which they were done.
    """
    done: dict[str, dict[str, AccessStep]] = defaultdict(dict)
    for step in steps:
        done[step.name][step.key] = step
    return tuple(ErasureStanding(one, _state(done[one.name]), done[one.name]) for one in found)


def _state(done: Mapping[str, AccessStep]) -> ErasureState:
    for step in (ErasureStep.DONE, ErasureStep.DECLINED, ErasureStep.APPROVED):
        if step in done:
            return ErasureState(step.value)
    return ErasureState.REQUESTED


@dataclass(frozen=True, slots=True)
class Bounds:
    """What bounds an erasure.

    Args:
        retention_days: so long this hub keeps uses.
        withheld: orders whose uses were not all released.
    """

    ground: str
    retention_days: int
    withheld: frozenset[int]
    now: datetime

    @property
    def kept_until(self) -> datetime:
        """The instant up to which, on this ground, uses may be forgotten."""
        if ERASURE_GROUNDS[self.ground].at_any_age:
            return self.now
        days = self.retention_days if self.ground == RETENTION_ENDED else LEAST_DAYS
        return self.now - timedelta(days=max(days, LEAST_DAYS))


def unerasable(entry: LoggedEntry, bounds: Bounds) -> str | None:
    """Return why an entry may not be forgotten, None when it may."""
    body = entry.body
    if body is None:
        return "已删除 / it is erased already"
    if entry.event not in ERASABLE:
        return f"{entry.event} 不可删除 / an entry of this kind is never erased"
    if entry.chain == SEALED and body["seal"] in bounds.withheld:
        return WITHHELD
    if kept_to(entry, bounds) is not None:
        return (
            f"须保存至少 {(bounds.now - bounds.kept_until).days} 天 / it is kept for that many days"
        )
    return None


def kept_to(entry: LoggedEntry, bounds: Bounds) -> datetime | None:
    """Return when a use or a release may be forgotten by its age, None when it may be now.

    One that is erased already is kept for no time.
    """
    body = entry.body
    if body is None:
        return None
    used = datetime.fromisoformat(body["record"]["time"] if entry.event == RELEASED else entry.time)
    return used + (bounds.now - bounds.kept_until) if used > bounds.kept_until else None
