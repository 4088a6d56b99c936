"""Counts of a dataset's records, rounded or with noise; a refusal counts nothing."""

from __future__ import annotations

from dataclasses import dataclass

from access import counting
from access.answers import Receipt, StatsAnswer, StatsQuery
from access.asking import Asked, Means, ask, known, not_shown, reading, shown, too_much
from access.counting import Counted, Question
from access.disclosure import Part
from access.limits import Over
from access.model import Action, Actor, Request
from access.recording import Prepared


def prepare(means: Means, actor: Actor, query: StatsQuery) -> Prepared[StatsAnswer]:
    """Decide and count.

    Raises:
        RequestError: when a dimension is unknown or not for counting; nothing is to be recorded.
        NotFound: when nothing of the dataset was ever published; nothing is to be recorded.
        SourceError: when the counts cannot be read.
    """
    request = Request(
        actor, Action.AGGREGATE, (query.dataset,), query.purpose, at=means.clock.now()
    )
    asked = ask(means, request, query.request_id)
    decision = asked.decision
    if not decision.allowed:
        return _answer(means, asked, query, Counted(refusal=decision.reason))
    purpose = means.decider.policy.purposes[decision.purpose]
    dataset = means.catalog[query.dataset]
    question = Question(actor, query, dataset, decision, purpose, asked.time)
    snapshot = means.snapshots.current()
    counted = counting.answer(question, snapshot, means.noise)
    return _answer(means, reading(means, asked, snapshot), query, counted)


def _answer(
    means: Means, asked: Asked, query: StatsQuery, counted: Counted
) -> Prepared[StatsAnswer]:
    allowed = not counted.refusal
    part = Part(
        datasets=known(means, (query.dataset,)),
        refused=not allowed,
        reason=counted.refusal,
        counted=counted.told(query.by) if allowed else None,
    )
    told = (shown if allowed else not_shown)(means, asked, part)

    def over(what: Over) -> Prepared[StatsAnswer]:
        nothing = Counted(refusal=what.reason, remedy=what.remedy)
        table = _Table(asked, query, nothing, what.seconds)
        return Prepared((too_much(means, asked, what),), table)

    return Prepared((told,), _Table(asked, query, counted), over)


@dataclass(frozen=True, slots=True, repr=False)  # no representation shows what is still locked
class _Table:
    """Makes the answer of a receipt."""

    asked: Asked
    query: StatsQuery
    counted: Counted
    wait_seconds: int | None = None

    def __call__(self, receipt: Receipt) -> StatsAnswer:
        decision, counted = self.asked.decision, self.counted
        return StatsAnswer(
            allowed=not counted.refusal,
            reason=counted.refusal or decision.reason,
            remedy=counted.remedy or decision.remedy,
            decision=decision,
            columns=(*self.query.by, "count"),
            rows=counted.table.rows,
            threshold=counted.threshold,
            suppressed=counted.table.suppressed,
            rounded_to=counted.rounded_to,
            noise=counted.noise,
            receipt=receipt,
            request_id=self.asked.context.request_id,
            time=self.asked.time,
            policy_version=decision.policy_version,
            snapshot_version=self.asked.context.snapshot,
            wait_seconds=self.wait_seconds,
        )
