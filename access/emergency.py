"""Lifting a mask with a second person, and emergencies reviewed afterwards: where each stands; pure.

A mask is lifted for one person, once, within an hour after somebody else has approved it. An
emergency opens at once, for a few persons and at most an hour, and is reviewed by somebody else
within working days; who has one that is overdue is shown nothing until it is reviewed. Both follow
from the steps that were taken and the clock; what ends, ends at the very second.

Source: NIST SP 800-53 AC-3(10) (audited override), AC-5; 个人信息保护法 13(1)(4) (emergencies), 51.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from hub.calendar import WorkCalendar, day_of, end_of
from hub.store.access_steps import AccessStep
from hub.store.emergencies import Emergency, Kind

#: How long a request waits for the second person.
ANSWER_WITHIN = timedelta(hours=24)
#: How long after the approval the mask may be lifted, and the longest an emergency may last.
WINDOW = timedelta(minutes=60)
#: So many persons at most in an emergency, where the policy does not say fewer.
MOST_PERSONS = 5
_USED = "used-"


class Step(StrEnum):
    """What can be done about one, once each, alphabetical; `used_key` names each person shown."""

    APPROVED = "approved"
    DECLINED = "declined"
    ESCALATED = "escalated"
    JUSTIFIED = "justified"
    NOT_JUSTIFIED = "not_justified"
    OPENED = "opened"
    RELEASED = "released"
    REQUESTED = "requested"


REVIEWS = (Step.JUSTIFIED, Step.NOT_JUSTIFIED)


class State(StrEnum):
    """Where one stands, alphabetical."""

    APPROVED = "approved"
    AWAITING = "awaiting"
    DECLINED = "declined"
    EXPIRED = "expired"
    JUSTIFIED = "justified"
    NOT_JUSTIFIED = "not_justified"
    OPEN = "open"
    OVERDUE = "overdue"
    RELEASED = "released"
    REQUESTED = "requested"


#: What each state is called.
TITLES: Mapping[State, str] = {
    State.APPROVED: "已批准 / approved",
    State.AWAITING: "待复核 / waits for its review",
    State.DECLINED: "未批准 / declined",
    State.EXPIRED: "已过期 / has run out",
    State.JUSTIFIED: "复核认为正当 / reviewed: justified",
    State.NOT_JUSTIFIED: "复核认为不正当 / reviewed: not justified",
    State.OPEN: "进行中 / open",
    State.OVERDUE: "逾期未复核 / its review is overdue",
    State.RELEASED: "已提供 / released",
    State.REQUESTED: "待批准 / waits for its approval",
}


@dataclass(frozen=True, slots=True)
class Standing:
    """One and where it stands.

    Args:
        steps: what was done about it, by key, in order.
        until: when its window ends or ended; None before it is approved.
    """

    emergency: Emergency
    state: State
    steps: Mapping[str, AccessStep]
    until: datetime | None

    @property
    def is_open(self) -> bool:
        """Whether somebody may be shown under it."""
        return self.state in (State.OPEN, State.APPROVED)

    @property
    def persons(self) -> int:
        """How many persons were shown."""
        if self.emergency.kind is Kind.UNMASK:
            return int(Step.RELEASED in self.steps)
        return sum(key.startswith(_USED) for key in self.steps)

    @property
    def began(self) -> AccessStep:
        """The step it began with: who asked, and why."""
        return next(iter(self.steps.values()))

    @property
    def decided(self) -> AccessStep | None:
        """The step of the second person, None before it."""
        keys = (Step.APPROVED, Step.DECLINED, *REVIEWS)
        return next((self.steps[key] for key in keys if key in self.steps), None)


def used_key(subject: bytes) -> str:
    """Return the key of the step that a person was shown in an emergency.

    Args:
        subject: keyed name of the person, of this emergency only.
    """
    return f"{_USED}{subject.hex()}"


def review_by(opened_at: datetime, working_days: int, calendar: WorkCalendar) -> datetime:
    """Return the first instant at which an emergency is overdue: after so many working days."""
    return end_of(calendar.add_working_days(day_of(opened_at), working_days))


def standings(
    found: Sequence[Emergency], steps: Iterable[AccessStep], now: datetime
) -> tuple[Standing, ...]:
    """Return where each stands.

    Args:
        steps: all about them, in the order in which they were done.
    """
    done: dict[str, dict[str, AccessStep]] = defaultdict(dict)
    for step in steps:
        done[step.name][step.key] = step
    return tuple(standing(emergency, done[emergency.name], now) for emergency in found)


def standing(emergency: Emergency, done: Mapping[str, AccessStep], now: datetime) -> Standing:
    """Return where one stands."""
    if emergency.kind is Kind.EMERGENCY:
        return Standing(emergency, _emergency(emergency, done, now), done, emergency.expires_at)
    approved = done.get(Step.APPROVED)
    until = approved.at + WINDOW if approved else None
    return Standing(emergency, _unmask(emergency, done, until, now), done, until)


def _emergency(emergency: Emergency, done: Mapping[str, AccessStep], now: datetime) -> State:
    for step in REVIEWS:  # ends it, even early: what was judged does not go on
        if step in done:
            return State(step.value)
    if now < emergency.expires_at:
        return State.OPEN
    return State.AWAITING if now < emergency.review_by else State.OVERDUE


def _unmask(
    emergency: Emergency,
    done: Mapping[str, AccessStep],
    until: datetime | None,
    now: datetime,
) -> State:
    for step in (Step.RELEASED, Step.DECLINED):
        if step in done:
            return State(step.value)
    if until is not None:
        return State.APPROVED if now < until else State.EXPIRED
    return State.REQUESTED if now < emergency.expires_at else State.EXPIRED


def blocked(unreviewed: Iterable[Emergency], now: datetime) -> dict[str, int]:
    """Return keyed name of each actor who has an overdue emergency -> number of the oldest.

    Also under the name of the person behind the account: another account of theirs does not help.
    """
    found: dict[str, int] = {}
    for emergency in unreviewed:
        if now >= emergency.review_by:
            found.setdefault(emergency.actor, emergency.id)
            found.setdefault(emergency.person, emergency.id)
    return found


def next_overdue(unreviewed: Iterable[Emergency], now: datetime) -> datetime | None:
    """Return when the next one is overdue, None for never."""
    return min((e.review_by for e in unreviewed if e.review_by > now), default=None)


def unusable(standing: Standing) -> tuple[str, str]:
    """Return reason and remedy of who asks under one that is not open."""
    title = TITLES[standing.state]
    if standing.emergency.kind is Kind.EMERGENCY:
        return (
            f"第 {standing.emergency.id} 号紧急访问已结束：{title}; the emergency is not open",
            "仍属紧急的，另开一次并写明理由 / if it still is one, open another and say why",
        )
    return (
        f"第 {standing.emergency.id} 号解除遮盖申请不可用：{title}; it cannot be used",
        "请等待批准，或者重新申请 / wait for its approval, or ask again",
    )
