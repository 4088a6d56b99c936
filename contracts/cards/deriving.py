"""Quality cards (数据质量红黄牌): a function of recorded facts, the calendar and the time; pure.

The same facts give the same cards and the same steps, in whatever order and however often they are
derived; deriving at a later time only adds steps. A card's life is replayed from its cause
(`contracts.cards.causes`) and from what people did about it (`contracts.cards.life`): whatever is
due first happens first.
"""

from __future__ import annotations

import heapq
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from contracts.cards.causes import Cause, causes
from contracts.cards.life import Colour, Side, Standing, State, applied, refusal
from contracts.cards.periods import months_later
from contracts.cards.promises import Promise
from contracts.cards.rules import CardRules
from hub.calendar import WorkCalendar, day_of, end_of
from hub.store.cards import Act, ActKind, Facts


class StepKind(StrEnum):
    """What happened to a card."""

    ISSUED = "issued"
    ESCALATED = "escalated"
    ACKNOWLEDGED = "acknowledged"
    APPEALED = "appealed"
    APPEAL_DECIDED = "appeal_decided"
    WAIVER_REQUESTED = "waiver_requested"
    WAIVER_DECIDED = "waiver_decided"
    WAIVER_EXPIRED = "waiver_expired"
    REMEDIED = "remedied"
    CLOSED = "closed"


@dataclass(frozen=True, slots=True)
class Step:
    """One step of a card's life; `key` is unique in it and the same whenever it is derived.

    Args:
        cause: why, of a step that nobody took: `twice`, `overdue`, `unremedied`, `batch`, `time`,
            `appeal`.
        act: what somebody did, of a step that somebody took.
    """

    key: str
    kind: StepKind
    at: datetime
    colour: Colour
    cause: str = ""
    act: Act | None = None


@dataclass(frozen=True, slots=True)
class Card:
    """One card as it stands, with its cause and its steps, oldest first."""

    cause: Cause
    standing: Standing
    steps: tuple[Step, ...]

    @property
    def id(self) -> str:
        """Its id, the same whenever it is derived."""
        return self.cause.id

    @property
    def colour(self) -> Colour:
        """How bad it is now."""
        return self.standing.colour

    @property
    def state(self) -> State:
        """Where it stands."""
        return self.standing.state

    @property
    def is_open(self) -> bool:
        """Say whether somebody still has to do something about what it shows."""
        return self.state not in (State.REMEDIED, State.CLOSED)


@dataclass(frozen=True, slots=True)
class Norms:
    """What the facts are held against: contracts' promises by dataset, thresholds, working days."""

    promises: Mapping[str, Promise]
    rules: CardRules
    calendar: WorkCalendar


def side_of(cause: Cause, norms: Norms) -> Side:
    """Return whose card a cause's is: who sent it, and who answers for the dataset."""
    promise = norms.promises[cause.dataset]
    return Side((cause.partner, promise.owner), promise.stewards)


def cards(facts: Facts, norms: Norms, now: datetime) -> tuple[Card, ...]:
    """Return every card issued by an instant, in the order of issue."""
    found = causes(facts.attempts, norms.promises, facts.since, norms.rules, norms.calendar, now)
    done: dict[str, list[Act]] = defaultdict(list)
    for act in facts.acts:
        if act.at <= now:
            done[act.card].append(act)
    earlier: dict[tuple[str, str], list[Card]] = defaultdict(list)
    for cause in found:
        lane = earlier[cause.dataset, cause.partner]
        life = _Life(cause, _is_second(lane, cause, norms.rules), done.get(cause.id, ()), norms)
        lane.append(life.lived_until(now))
    issued = [card for lane in earlier.values() for card in lane]
    return tuple(sorted(issued, key=lambda card: (card.cause.at, card.id)))


def _is_second(lane: Sequence[Card], cause: Cause, rules: CardRules) -> bool:
    """Say whether a yellow card is the dataset's second within the time.

    Args:
        lane: the cards issued before it, in the order of issue.
    """
    if cause.colour is not Colour.YELLOW:
        return False
    today = day_of(cause.at)
    for card in reversed(lane):
        if months_later(day_of(card.cause.at), rules.twice_within_months) < today:
            return False
        if _counts(card, cause):
            return True
    return False


def _counts(card: Card, cause: Cause) -> bool:
    """Say whether an earlier card makes a yellow one the second.

    One failing under two names counts once: a card of another kind about the same batch or the
    same period is none. Nor is one whose appeal had been granted by then.
    """
    first, closed = card.cause, card.standing.closed_at
    if first.colour is not Colour.YELLOW:
        return False
    if first.kind is not cause.kind and (
        first.period == cause.period or (first.batch is not None and first.batch == cause.batch)
    ):
        return False
    return not (card.standing.revoked and closed is not None and closed <= cause.at)


#: At the same instant: acts first, then good news, then bad.
_RANK = {"twice": 0, "act": 1, "remedy": 2, "overdue": 3, "unremedied": 3, "expiry": 4, "close": 5}


class _Life:
    """The replay of one card's life; spent once."""

    def __init__(self, cause: Cause, twice: bool, acts: Sequence[Act], norms: Norms) -> None:
        self._cause, self._norms = cause, norms
        self._own = side_of(cause, norms)
        self._standing = Standing(cause.colour)
        self._steps = [Step("issued", StepKind.ISSUED, cause.at, cause.colour)]
        self._queue: list[tuple[datetime, int, int, str, Act | None]] = []
        self._waiver = 0  # number of the act that asked for the waiver that holds
        if twice:
            self._await(cause.at, "twice")
        for act in acts:
            if act.at >= cause.at:
                self._await(act.at, "act", act)
        for at, name in (
            (cause.remedied_at, "remedy"),
            (cause.red_at, "overdue"),
            (cause.escalate_at, "unremedied"),
        ):
            if at is not None:
                self._await(at, name)

    def lived_until(self, now: datetime) -> Card:
        """Return the card as it stands at an instant."""
        while self._queue and self._queue[0][0] <= now:
            at, _, _, name, act = heapq.heappop(self._queue)
            if self._standing.closed_at is not None:
                break
            if act is not None:
                self._act(act)
            elif name == "remedy":
                self._remedy(at)
            elif name == "expiry":
                self._expire(at)
            elif name == "close":
                self._close(at)
            else:
                self._escalate(at, name)
        return Card(self._cause, self._standing, tuple(self._steps))

    def _await(self, at: datetime, name: str, act: Act | None = None) -> None:
        heapq.heappush(self._queue, (at, _RANK[name], act.id if act else 0, name, act))

    def _step(self, key: str, kind: StepKind, at: datetime, cause: str = "") -> None:
        self._steps.append(Step(key, kind, at, self._standing.colour, cause))

    def _escalate(self, at: datetime, cause: str) -> None:
        if self._standing.colour is Colour.RED or self._standing.remedied_at is not None:
            return
        if self._standing.is_suspended:
            self._standing = replace(self._standing, escalation_due=True)
            return
        self._standing = replace(self._standing, colour=Colour.RED, escalation_due=False)
        self._step("escalated", StepKind.ESCALATED, at, cause)

    def _remedy(self, at: datetime) -> None:
        self._standing = replace(
            self._standing, remedied_at=at, asked_by=None, asked_until=None, waived_until=None
        )
        self._step("remedied", StepKind.REMEDIED, at, "batch")
        days = self._norms.rules.close_after_working_days
        last = self._norms.calendar.add_working_days(day_of(at), days)
        self._await(end_of(last), "close")

    def _expire(self, at: datetime) -> None:
        if self._standing.waived_until is None:
            return  # it was remedied meanwhile
        self._standing = replace(self._standing, waived_until=None)
        self._step(f"waiver_expired:{self._waiver}", StepKind.WAIVER_EXPIRED, at, "time")
        self._make_up(at)

    def _close(self, at: datetime) -> None:
        if self._standing.appeal_open:
            self._standing = replace(self._standing, closing_due=True)
            return
        self._standing = replace(self._standing, closed_at=at)
        self._step("closed", StepKind.CLOSED, at, "time")

    def _act(self, act: Act) -> None:
        before = self._standing
        if refusal(before, act, self._norms.rules, self._own) is not None:
            return  # overtaken by what was recorded at the same moment
        self._standing = applied(before, act)
        kind = _step_kind(act, before)
        self._steps.append(Step(f"act:{act.id}", kind, act.at, self._standing.colour, act=act))
        if act.kind is not ActKind.DECIDE:
            return
        if self._standing.closed_at is not None:
            cause = "appeal" if self._standing.revoked else "time"
            self._step("closed", StepKind.CLOSED, act.at, cause)
        elif self._standing.waived_until is not None:
            self._waiver = act.id
            self._await(end_of(self._standing.waived_until), "expiry")
        elif before.appeal_open:
            self._make_up(act.at)

    def _make_up(self, at: datetime) -> None:
        """Turn it red after all, when only an appeal or waiver kept it from that."""
        if self._standing.escalation_due:
            self._escalate(at, "unremedied")


def _step_kind(act: Act, before: Standing) -> StepKind:
    if act.kind is ActKind.DECIDE:
        return StepKind.APPEAL_DECIDED if before.appeal_open else StepKind.WAIVER_DECIDED
    return {
        ActKind.ACKNOWLEDGE: StepKind.ACKNOWLEDGED,
        ActKind.APPEAL: StepKind.APPEALED,
        ActKind.WAIVE: StepKind.WAIVER_REQUESTED,
        ActKind.CLOSE: StepKind.CLOSED,
    }[act.kind]
