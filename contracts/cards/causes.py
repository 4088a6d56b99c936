"""From recorded facts to what is wrong: one cause, at most one card; pure.

Everything is judged by partition (`contracts.cards.periods`). A dataset that is delivered whole is put
right by a later delivery of the same or a later partition; one that is added to, by a delivery of
that very partition. So a backfill of an old period never makes the present look delivered. Only
what the partner did in time counts: a file that waits for the hub's own check holds a card back.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Any

from contracts.accuracy.measures import cut_percent
from contracts.cards.life import Colour
from contracts.cards.periods import Period, about, label, partition, partitions
from contracts.cards.promises import Promise
from contracts.cards.rules import CardRules, Marks
from hub.calendar import WorkCalendar, day_of, end_of
from hub.store.attempts import Attempt
from hub.store.batches import BatchStatus


class CardKind(StrEnum):
    """What a card is about."""

    BELOW_MARK = "below_mark"
    OVERDUE_DELIVERY = "overdue_delivery"
    OVERDUE_CORRECTION = "overdue_correction"
    CONTRACT_BROKEN = "contract_broken"


@dataclass(frozen=True, slots=True)
class Cause:
    """One thing that is wrong, and when what follows from it happens, whatever people do.

    Args:
        id: of its card; the same facts give the same.
        at: when it became known: the instant the card is issued.
        due: the day that was missed, or the day of the verdict.
        red_at: when it is red by itself; None: never, or from the beginning.
        escalate_at: when it turns red for not being remedied; None: it is remedied before.
        remedied_at: when what remedies it was found good, by batch `remedied_by`.
    """

    id: str
    kind: CardKind
    dataset: str
    partner: str
    period: str
    batch: str | None
    attempt: int | None
    at: datetime
    colour: Colour
    due: date
    remedy_by: date
    red_at: datetime | None
    escalate_at: datetime | None
    remedied_at: datetime | None
    remedied_by: str | None
    evidence: Mapping[str, Any] = field(default_factory=dict)


def card_id(kind: CardKind, dataset: str, partner: str, subject: str) -> str:
    """Return the id of a card about a batch's attempt or a partition."""
    text = "\0".join((kind.value, dataset, partner, subject))
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def colour_of(attempt: Attempt, rules: CardRules) -> Colour | None:
    """Return how far a checked attempt lies below the mark; None when it reaches it."""
    if attempt.outcome not in (BatchStatus.STOPPED, BatchStatus.LOADED):
        return None
    if not attempt.meets_contract or _below(attempt, rules.red):
        return Colour.RED
    return Colour.YELLOW if _below(attempt, rules.yellow) else None


def _below(attempt: Attempt, marks: Marks) -> bool:
    if attempt.key_accuracy is None or attempt.overall is None:
        return True
    key, overall = 100 * attempt.key_accuracy, 100 * attempt.overall
    return key < marks.key_accuracy_percent or overall < marks.overall_percent


def causes(
    attempts: Iterable[Attempt],
    promises: Mapping[str, Promise],
    since: Mapping[str, date],
    rules: CardRules,
    calendar: WorkCalendar,
    now: datetime,
) -> tuple[Cause, ...]:
    """Return everything that is or was wrong by an instant, in the order it became known.

    Args:
        attempts: every attempt to deliver; what settled after `now` is taken as waiting.
        since: dataset -> day from which its deliveries are expected.
    """
    lanes: dict[tuple[str, str], list[Attempt]] = defaultdict(list)
    for promise in promises.values():
        lanes[promise.dataset, promise.owner] = []
    for attempt in attempts:
        if attempt.dataset in promises and attempt.landed_at <= now:
            lanes[attempt.dataset, attempt.partner].append(_seen(attempt, now))
    found = [
        cause
        for (dataset, partner), sent in lanes.items()
        for cause in _Lane(promises[dataset], partner, sent, rules, calendar).causes(
            since.get(dataset), now
        )
        if cause.at <= now
    ]
    return tuple(sorted(found, key=lambda cause: (cause.at, cause.id)))


def _seen(attempt: Attempt, now: datetime) -> Attempt:
    """Return an attempt as it was known at an instant."""
    if attempt.settled_at is None or attempt.settled_at <= now:
        return attempt
    a = attempt
    return Attempt(a.batch, a.attempt, a.dataset, a.partner, a.period, a.landed_at)


def _order(attempt: Attempt) -> tuple[datetime, str, int]:
    return attempt.landed_at, attempt.batch, attempt.attempt


def _was_delivered(attempt: Attempt) -> bool:
    return attempt.outcome in (BatchStatus.STOPPED, BatchStatus.LOADED)


class _Lane:
    """What one partner sent of one dataset, found by the partition it is about."""

    def __init__(
        self,
        promise: Promise,
        partner: str,
        sent: Iterable[Attempt],
        rules: CardRules,
        calendar: WorkCalendar,
    ) -> None:
        self._promise, self._partner = promise, partner
        self._rules, self._calendar = rules, calendar
        self._sent = sorted(sent, key=_order)
        self._spans = {_order(a): self._span(a) for a in self._sent}
        self._of: dict[date, list[Attempt]] = defaultdict(list)
        if not promise.is_whole:
            for attempt in self._sent:
                span = self._spans[_order(attempt)]
                for part in partitions(span.first, span.last + timedelta(days=1), promise.cycle):
                    self._of[part.first].append(attempt)

    def causes(self, since: date | None, now: datetime) -> Iterator[Cause]:
        """Yield what is wrong, in no order."""
        for attempt in self._sent:
            yield from self._of_attempt(attempt)
        if since is not None and self._partner == self._promise.owner:
            for part in partitions(since, day_of(now), self._promise.cycle):
                yield from self._overdue(part)

    def _span(self, attempt: Attempt) -> Period:
        """Return the partitions a delivery is about; none that begins after it landed."""
        cycle, landed = self._promise.cycle, day_of(attempt.landed_at)
        stated = about(attempt.period, cycle, landed)
        if stated.first > landed:
            stated = about(None, cycle, landed)
        last = min(partition(stated.last, cycle).last, partition(landed, cycle).last)
        return Period(partition(stated.first, cycle).first, last)

    def _answers(self, span: Period) -> Sequence[Attempt]:
        """Return what puts a stretch of partitions right, if it is good; oldest first."""
        if self._promise.is_whole:
            return [a for a in self._sent if self._spans[_order(a)].last >= span.last]
        candidates = self._of.get(span.first, ())
        return [a for a in candidates if self._spans[_order(a)].holds(span)]

    def _of_attempt(self, attempt: Attempt) -> Iterator[Cause]:
        if attempt.settled_at is None:
            return
        span = self._spans[_order(attempt)]
        later = [a for a in self._answers(span) if _order(a) > _order(attempt)]
        due = day_of(attempt.settled_at)
        if attempt.outcome is BatchStatus.REFUSED:
            subject = _Subject(CardKind.CONTRACT_BROKEN, span, attempt, due)
            evidence = {"reason": attempt.reason}
            yield self._cause(
                subject, attempt.settled_at, Colour.YELLOW, later, _was_delivered, evidence
            )
            return
        colour = colour_of(attempt, self._rules)
        if colour is not None:
            subject = _Subject(CardKind.BELOW_MARK, span, attempt, due)
            evidence = {**_figures(attempt), "reason": attempt.reason}
            yield self._cause(subject, attempt.settled_at, colour, later, self._is_good, evidence)
        yield from self._uncorrected(attempt, span, later)

    def _is_good(self, attempt: Attempt) -> bool:
        return _was_delivered(attempt) and colour_of(attempt, self._rules) is None

    def _uncorrected(
        self, attempt: Attempt, span: Period, later: Sequence[Attempt]
    ) -> Iterator[Cause]:
        term, settled = self._promise.correction, attempt.settled_at
        share = 100 * (attempt.quarantined or 0) / (attempt.rows or 1)
        if term is None or settled is None or share <= self._rules.tolerated_percent:
            return
        due = term.after(day_of(settled), self._calendar)
        answers = [a for a in later if a.batch != attempt.batch]
        at = _uncovered(end_of(due), answers, _was_delivered)
        if at is not None:
            subject = _Subject(CardKind.OVERDUE_CORRECTION, span, attempt, due)
            evidence = {**_figures(attempt), "feedback_at": day_of(settled).isoformat()}
            yield self._cause(subject, at, Colour.YELLOW, answers, _was_delivered, evidence)

    def _overdue(self, part: Period) -> Iterator[Cause]:
        latency, calendar = self._promise.latency, self._calendar
        days = calendar.working_days_between(part.first - timedelta(days=1), part.last)
        if latency is None or (not days and part.first == part.last):
            return  # nothing is expected on a day that is not worked
        due = latency.after(part.last, calendar)
        answers = self._answers(part)
        marks = (self._rules.yellow, self._rules.red)
        late = [int(m.overdue_percent_of_cycle * max(days, 1) / 100) + 1 for m in marks]
        yellow, red = (end_of(calendar.add_working_days(due, count)) for count in late)
        at = _uncovered(yellow, answers, _was_delivered)
        if at is None:
            return
        red_at = _uncovered(red, answers, _was_delivered)
        is_red = red_at is not None and red_at <= at
        subject = _Subject(CardKind.OVERDUE_DELIVERY, part, None, due)
        evidence = {"cycle_working_days": days, "yellow_after": late[0], "red_after": late[1]}
        yield self._cause(
            subject,
            at,
            Colour.RED if is_red else Colour.YELLOW,
            answers,
            _was_delivered,
            evidence,
            red_at=None if is_red else red_at,
        )

    def _cause(
        self,
        subject: _Subject,
        at: datetime,
        colour: Colour,
        answers: Sequence[Attempt],
        counts: Callable[[Attempt], bool],
        evidence: Mapping[str, Any],
        red_at: datetime | None = None,
    ) -> Cause:
        remedy_by = self._calendar.add_working_days(day_of(at), self._rules.unremedied_working_days)
        good = [a for a in answers if counts(a) and a.settled_at is not None]
        remedy = min(
            (a for a in good if a.settled_at is not None and a.settled_at >= at),
            key=lambda a: (a.settled_at or at, _order(a)),
            default=None,
        )
        attempt = subject.attempt
        dataset = self._promise.dataset
        named = (
            label(partition(subject.span.last, self._promise.cycle), self._promise.cycle)
            if attempt is None or attempt.period is None
            else attempt.period
        )
        what = named if attempt is None else f"{attempt.batch}#{attempt.attempt}"
        return Cause(
            id=card_id(subject.kind, dataset, self._partner, what),
            kind=subject.kind,
            dataset=dataset,
            partner=self._partner,
            period=named,
            batch=attempt.batch if attempt else None,
            attempt=attempt.attempt if attempt else None,
            at=at,
            colour=colour,
            due=subject.due,
            remedy_by=remedy_by,
            red_at=red_at,
            escalate_at=_uncovered(end_of(remedy_by), answers, counts),
            remedied_at=remedy.settled_at if remedy else None,
            remedied_by=remedy.batch if remedy else None,
            evidence=evidence,
        )


@dataclass(frozen=True, slots=True)
class _Subject:
    """What a cause is about: a stretch of partitions, and the attempt if it is about one."""

    kind: CardKind
    span: Period
    attempt: Attempt | None
    due: date


def _figures(attempt: Attempt) -> dict[str, Any]:
    return {
        "rows": attempt.rows,
        "quarantined": attempt.quarantined,
        "key_accuracy_percent": cut_percent(attempt.key_accuracy, 4),
        "overall_percent": cut_percent(attempt.overall, 4),
    }


def _uncovered(
    at: datetime, answers: Sequence[Attempt], counts: Callable[[Attempt], bool]
) -> datetime | None:
    """Return the first instant from `at` on at which nothing that was sent may still be the answer.

    None when something good was sent by then, or something that is not judged yet: what the
    partner sent in time must not count as late because the hub took its time.
    """
    for answer in answers:
        if answer.landed_at > at:
            break
        if answer.settled_at is None or counts(answer):
            return None
        at = max(at, answer.settled_at)
    return at
