"""Changes of the policy: proposed, approved by a second person, active at a stated time.

What state a change is in follows from its steps and the clock. Each builds on the one approved
before it; whoever was overtaken proposes again. Going back is a change to an older text.

Source: NIST SP 800-53 CM-3 (configuration change control), AC-5 (separation of duties).
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from access.files import FILES, Texts
from hub.store.access_steps import AccessStep
from hub.store.policies import Change


class StepKey(StrEnum):
    """What can happen to a change, once each, alphabetical."""

    ACTIVATED = "activated"
    ADOPTED = "adopted"
    APPROVED = "approved"
    DECLINED = "declined"
    PROPOSED = "proposed"


class State(StrEnum):
    """Where a change stands, alphabetical."""

    ACTIVE = "active"
    APPROVED = "approved"
    DECLINED = "declined"
    OVERTAKEN = "overtaken"
    PROPOSED = "proposed"
    REPLACED = "replaced"


@dataclass(frozen=True, slots=True)
class Standing:
    """A change and where it stands.

    Args:
        steps: what was done about it, by kind.
    """

    change: Change
    state: State
    steps: Mapping[StepKey, AccessStep]

    @property
    def active_at(self) -> datetime | None:
        """When it is to take effect; None before it is approved."""
        approved = self.steps.get(StepKey.APPROVED)
        return approved.active_at if approved else None


@dataclass(frozen=True, slots=True)
class Course:
    """Every change and where it stands, and which are in force or to come.

    Args:
        standings: in the order in which they were proposed.
        chain: numbers of what was in force, is, and is to be, in that order.
    """

    standings: Mapping[int, Standing]
    chain: tuple[int, ...]

    @property
    def active(self) -> Standing | None:
        """What is in force; None before anything was adopted."""
        found = (s for s in self.standings.values() if s.state is State.ACTIVE)
        return next(found, None)

    @property
    def head(self) -> Standing | None:
        """What is approved last: the next change builds on it."""
        return self.standings[self.chain[-1]] if self.chain else None

    def due(self, now: datetime) -> Iterator[Standing]:
        """Yield what is approved and ought to be in force by now, in order."""
        for number in self.chain:
            standing = self.standings[number]
            at = standing.active_at
            if standing.state is State.APPROVED and at is not None and at <= now:
                yield standing

    def next_at(self, now: datetime) -> datetime | None:
        """Return when the next approved change is to take effect, None for none."""
        times = (s.active_at for s in self.standings.values() if s.state is State.APPROVED)
        return min((at for at in times if at is not None and at > now), default=None)


def course(changes: Sequence[Change], steps: Iterable[AccessStep]) -> Course:
    """Return where every change stands.

    Args:
        steps: all about changes, in the order in which they were done.
    """
    done: dict[int, dict[StepKey, AccessStep]] = {change.id: {} for change in changes}
    chain: list[int] = []
    for step in steps:
        number, key = int(step.name), StepKey(step.key)
        done[number][key] = step
        if key in (StepKey.ADOPTED, StepKey.APPROVED):
            chain.append(number)
        elif key is StepKey.DECLINED and number in chain:
            chain.remove(number)
    begun = (StepKey.ADOPTED, StepKey.ACTIVATED)
    active = max(
        (place for place, n in enumerate(chain) if any(key in done[n] for key in begun)), default=-1
    )
    head = next((c.digest for c in changes if chain and c.id == chain[-1]), None)
    standings = {}
    for change in changes:
        place = chain.index(change.id) if change.id in chain else None
        state = _state(change, done[change.id], place, active, head)
        standings[change.id] = Standing(change, state, done[change.id])
    return Course(standings, tuple(chain))


def _state(
    change: Change,
    done: Mapping[StepKey, AccessStep],
    place: int | None,
    active: int,
    head: str | None,
) -> State:
    if place is None:
        if StepKey.DECLINED in done:
            return State.DECLINED
        return State.PROPOSED if change.base == head else State.OVERTAKEN
    if place == active:
        return State.ACTIVE
    return State.REPLACED if place < active else State.APPROVED


def is_rollback(course_: Course, number: int) -> bool:
    """Say whether a change goes back to what had been put in force before it."""
    earlier = (n for n in course_.chain if n < number)
    digest = course_.standings[number].change.digest
    return any(course_.standings[n].change.digest == digest for n in earlier)


def difference(base: Texts, new: Texts) -> tuple[str, ...]:
    """Return what a change adds and takes away, as the lines of a unified diff per file."""
    lines: list[str] = []
    for name in FILES:
        old_lines, new_lines = base.get(name, "").splitlines(), new.get(name, "").splitlines()
        lines += difflib.unified_diff(
            old_lines, new_lines, f"in force/{name}", f"proposed/{name}", lineterm="", n=0
        )
    return tuple(lines)
