"""What a proposed policy would have said to the questions of the past; numbers only, no person.

Every use in the ledger is put again to the policy in force and to the proposed one, each as it is
now, about somebody without traits: who a record was about is not known here, and not looked up.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from access.cells import shows_no_more
from access.decision import Decider
from access.history import LedgerReader, Lost, first_since, uses
from access.masking import kind
from access.model import HIDDEN, Decision
from access.posts import request_of
from access.usage_record import UsageRecord
from hub.progress import Progress

_RANKS = {"hidden": 0, "masked": 1, "generalised": 1, "clear": 2}
_REPORT_EVERY = 500
#: What stands for the rules where they are the same and only the register of purposes changed.
REGISTER = "purposes.yaml"


class Consequence(NamedTuple):
    """What becomes of one kind of question.

    Args:
        change: "refused", "allowed", "narrowed", "widened" or "obligations".
        rules: ids of the rules that make the difference.
        columns: what is shown less of, or more; empty where all or nothing is.
        reason: why it is refused, or what the obligations become.
    """

    change: str
    rules: tuple[str, ...]
    purpose: str
    action: str
    agency: str
    roles: tuple[str, ...]
    columns: tuple[str, ...]
    reason: str


class Tally:
    """How many entries and requests of the past have a consequence, of how many actors.

    `shown` are the entries in which something was shown to somebody.
    """

    def __init__(self) -> None:
        self.entries = self.requests = self.shown = 0
        self.actors: set[str] = set()
        self._last = ""

    def count(self, use: UsageRecord) -> None:
        """Count an entry; those of one request stand together."""
        self.entries += 1
        self.requests += use.request != self._last
        self.shown += use.shown
        self.actors.add(use.actor.id)
        self._last = use.request


@dataclass(frozen=True, slots=True)
class Simulation:
    """What came of replaying.

    Args:
        replayed: entries that were put again.
        lost: why others could not be -> how many.
        consequences: with how many entries each; questions that nothing changes for are left out.
        less_than_shown: entries whose person would have been shown less than they were.
    """

    replayed: int
    lost: Mapping[Lost, int]
    consequences: Mapping[Consequence, Tally]
    less_than_shown: int

    def entries(self, change: str) -> int:
        """Return how many entries have a consequence of a kind."""
        return sum(t.entries for c, t in self.consequences.items() if c.change == change)


@dataclass(frozen=True, slots=True)
class _Outcome:
    """What a kind of question comes to; the decision is the proposed policy's."""

    consequences: tuple[Consequence, ...]
    after: Decision


def replay(
    ledger: LedgerReader,
    before: Decider,
    after: Decider,
    since: datetime,
    now: datetime,
    progress: Progress = lambda _done, _total: None,
) -> Simulation:
    """Put every use since a time to both policies.

    Args:
        now: as of when both decide.
        progress: told how many entries of how many were read.
    """
    start, stop = first_since(ledger, since), ledger.size
    outcomes: dict[tuple[object, ...], _Outcome] = {}
    tallies: dict[Consequence, Tally] = {}
    lost: Counter[Lost] = Counter()
    replayed = less = 0
    for position, use in uses(ledger, start, stop):
        if position % _REPORT_EVERY == 0:
            progress(position - start, stop - start)
        if isinstance(use, Lost):
            lost[use] += 1
            continue
        replayed += 1
        key = question_of(use)
        if key not in outcomes:
            outcomes[key] = _outcome(use, before, after, now)
        outcome = outcomes[key]
        for consequence in outcome.consequences:
            tallies.setdefault(consequence, Tally()).count(use)
        less += use.shown and _is_less(use, outcome.after)
    progress(stop - start, stop - start)
    return Simulation(replayed, lost, tallies, less)


def question_of(use: UsageRecord) -> tuple[object, ...]:
    """Return all that a use's decision depends on."""
    actor = use.actor
    return (
        actor.roles, actor.agency, actor.area, actor.clearance, use.road, use.asked, use.purpose,
        use.case is not None,
    )  # fmt: skip


def decide_again(decider: Decider, use: UsageRecord, now: datetime) -> Decision:
    """Return what a policy says to a use's question."""
    return decider.decide(
        request_of(
            use.actor.as_actor(),
            use.road,
            use.asked,
            use.purpose,
            case=use.case is not None,
            at=now,
        )
    )


def _outcome(use: UsageRecord, before: Decider, after: Decider, now: datetime) -> _Outcome:
    old, new = decide_again(before, use, now), decide_again(after, use, now)

    def consequence(change: str, columns: tuple[str, ...] = (), reason: str = "") -> Consequence:
        rules = tuple(sorted(set(old.rules) ^ set(new.rules))) or (REGISTER,)
        actor = use.actor
        who = (use.purpose, use.road.value, actor.agency, actor.roles)
        return Consequence(change, rules, *who, columns, reason)

    if old.allowed != new.allowed:
        change = "allowed" if new.allowed else "refused"
        return _Outcome((consequence(change, reason=new.reason),), new)
    if not old.allowed:
        return _Outcome((), new)
    found = []
    less, more = _columns(old, new), _columns(new, old)
    if less:
        found.append(consequence("narrowed", less))
    if more:
        found.append(consequence("widened", more))
    if old.obligations != new.obligations:
        gone = sorted(set(old.obligations) - set(new.obligations))
        come = sorted(set(new.obligations) - set(old.obligations))
        found.append(consequence("obligations", reason=f"{' '.join(gone)} → {' '.join(come)}"))
    return _Outcome(tuple(found), new)


def _columns(one: Decision, other: Decision) -> tuple[str, ...]:
    """Return the columns of which one decision shows something that the other does not."""
    views = ((one.fields, other.fields), (one.elsewhere or {}, other.elsewhere or {}))
    return tuple(
        dict.fromkeys(
            key
            for mine, theirs in views
            for key, treatment in mine.items()
            if not shows_no_more(treatment, theirs.get(key, HIDDEN))
        )
    )


def _is_less(use: UsageRecord, after: Decision) -> bool:
    """Say whether a policy shows less, wherever the person lives, than what was shown."""
    if not after.allowed:
        return True
    views = (after.fields, after.elsewhere or {})
    return any(
        _RANKS[how] > max(_RANKS[kind(view.get(key, HIDDEN))] for view in views)
        for key, how in use.fields.items()
    )
