"""Orders to seal uses: where each stands, and which of them covers a use; pure.

An order is asked for by one person and holds once another has approved it, until its term is over;
a renewal is asked for and approved in the same way while the order still holds. It may be lifted
early. It ends by itself, and what was sealed under it is then released (`access.seal_release`).
Nothing voids it.

Source: 个人信息保护法 18(1), 35, 45(1); NIST SP 800-53 AC-5 (separation of duties).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from types import MappingProxyType

from access.purposes import PurposeRegister
from access.seal_grounds import SEAL_GROUNDS
from hub.store.access_steps import AccessStep
from hub.store.seals import SealOrder, Term

LIFTED, ENDED = "lifted", "ended"


class SealState(StrEnum):
    """Where an order stands, alphabetical."""

    DECLINED = "declined"
    EXPIRED = "expired"
    IN_FORCE = "in_force"
    LIFTED = "lifted"
    REQUESTED = "requested"
    WAITING = "waiting"


#: What each state is called.
SEAL_TITLES: Mapping[SealState, str] = {
    SealState.DECLINED: "未批准 / declined",
    SealState.EXPIRED: "已到期 / has ended",
    SealState.IN_FORCE: "有效 / in force",
    SealState.LIFTED: "已提前解除 / lifted early",
    SealState.REQUESTED: "待批准 / waits for its approval",
    SealState.WAITING: "已批准，尚未开始 / approved, has not begun",
}
#: States in which no other order may be about the same.
LIVE = (SealState.REQUESTED, SealState.WAITING, SealState.IN_FORCE)


def asked_key(term: int) -> str:
    """Return the key of the step that a term was asked for."""
    return f"asked-{term}"


def approved_key(term: int) -> str:
    """Return the key of the step that a term was approved."""
    return f"approved-{term}"


def declined_key(term: int) -> str:
    """Return the key of the step that a term was declined."""
    return f"declined-{term}"


@dataclass(frozen=True, slots=True)
class SealStanding:
    """An order and where it stands.

    Args:
        steps: what was done about it, by key, in order.
        begins: from when it holds, None while its first term is not approved.
        ends: the first instant at which it no longer holds, None likewise.
        open_term: the term that waits for its approval, None for none.
    """

    order: SealOrder
    state: SealState
    steps: Mapping[str, AccessStep]
    begins: datetime | None
    ends: datetime | None
    open_term: Term | None

    @property
    def released(self) -> bool:
        """Whether everything sealed under it has been released."""
        return ENDED in self.steps

    @property
    def began(self) -> AccessStep:
        """The step it began with: who asked, and why."""
        return self.steps[asked_key(0)]

    @property
    def renewals(self) -> int:
        """How often it was renewed."""
        return sum(key.startswith("approved-") for key in self.steps) - (self.begins is not None)


def seal_standings(
    orders: Sequence[SealOrder], steps: Iterable[AccessStep], now: datetime
) -> tuple[SealStanding, ...]:
    """Return where every order stands.

    Args:
        steps: all about orders, in the order in which they were done.
    """
    done: dict[str, dict[str, AccessStep]] = defaultdict(dict)
    for step in steps:
        done[step.name][step.key] = step
    return tuple(_standing(order, done[order.name], now) for order in orders)


def _standing(order: SealOrder, done: Mapping[str, AccessStep], now: datetime) -> SealStanding:
    approved = [term for term in order.terms if approved_key(term.number) in done]
    answered = {approved_key, declined_key}
    waiting = next(
        (t for t in order.terms if not any(key(t.number) in done for key in answered)), None
    )
    begins = ends = None
    if approved:
        first = approved[0]
        begins = max(first.valid_from, done[approved_key(first.number)].at)
        ends = max(term.valid_to for term in approved)
        if LIFTED in done:
            ends = min(ends, done[LIFTED].at)
    open_term = waiting if waiting is not None and now < waiting.valid_to else None
    if begins is not None and ends is not None and now >= ends:
        open_term = None  # what has ended is not renewed
    return SealStanding(
        order, _state(done, begins, ends, open_term, now), done, begins, ends, open_term
    )


def _state(
    done: Mapping[str, AccessStep],
    begins: datetime | None,
    ends: datetime | None,
    open_term: Term | None,
    now: datetime,
) -> SealState:
    if begins is None or ends is None:
        if declined_key(0) in done:
            return SealState.DECLINED
        return SealState.REQUESTED if open_term is not None else SealState.EXPIRED
    if now >= ends:
        return SealState.LIFTED if LIFTED in done else SealState.EXPIRED
    return SealState.IN_FORCE if now >= begins else SealState.WAITING


@dataclass(frozen=True, slots=True)
class Seals:
    """The orders that hold or are yet to begin.

    Args:
        orders: (agency, purpose, keyed name of the case) -> number, from, until before.
    """

    orders: Mapping[tuple[str, str, str], tuple[int, datetime, datetime]] = field(
        default_factory=lambda: MappingProxyType({})
    )

    @classmethod
    def of(cls, found: Iterable[SealStanding]) -> Seals:
        """Return those of all orders that count."""
        return cls({
            (one.order.agency, purpose, one.order.case_name): (one.order.id, one.begins, one.ends)
            for one in found
            if one.state in (SealState.IN_FORCE, SealState.WAITING)
            for purpose in one.order.purposes
            if one.begins is not None and one.ends is not None
        })  # fmt: skip

    def covering(
        self, agency: str, purpose: str, case_name: str | None, at: datetime
    ) -> int | None:
        """Return the number of the order that seals a use, None where none does."""
        found = self.orders.get((agency, purpose, case_name or ""))
        if found is None or not found[1] <= at < found[2]:
            return None
        return found[0]

    def next_change(self, now: datetime) -> datetime | None:
        """Return when the next order begins or ends, None for never."""
        times = (at for _, *both in self.orders.values() for at in both if at > now)
        return min(times, default=None)


def unsealable(
    order: SealOrder, term: Term, purposes: PurposeRegister, now: datetime
) -> str | None:
    """Return why an order may not hold for a term, None when it may."""
    known = [purposes.get(code) for code in order.purposes]
    terms = [purpose.seal for purpose in known if purpose is not None and purpose.seal is not None]
    if not known or len(terms) != len(known):
        can = ", ".join(code for code, purpose in purposes.items() if purpose.seal is not None)
        return (
            f"目的不允许暂缓告知，可用 / uses for this purpose are never sealed: only {can or '—'}"
        )
    grounds = frozenset.intersection(*(each.grounds for each in terms))
    if order.ground not in grounds or order.ground not in SEAL_GROUNDS:
        return f"该目的可用的理由 / the grounds of this purpose are {', '.join(sorted(grounds))}"
    days = min(each.days for each in terms)
    if not (term.valid_from < term.valid_to and now < term.valid_to <= now + timedelta(days=days)):
        return f"期限须在今后 {days} 天以内 / it ends after it begins, within {days} days from now"
    return None
