"""One count, from a decision that allows it: by rounding, or with noise where the budget lasts.

Source: `access.statistics` (suppressed and rounded), `access.privacy` (noise).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from access import privacy
from access.answers import NoiseSpent, StatsQuery
from access.model import Actor, Decision
from access.ports import SnapshotReader
from access.privacy import Noise, universe
from access.purposes import Purpose
from access.statistics import StatsPlan, Table, count, plan_statistics, tabulate, threshold_of
from access.usage_record import Tabulated
from hub.catalog import Dataset
from hub.errors import NotFound
from hub.store.budgets import Charge


@dataclass(frozen=True, slots=True)
class Question:
    """A count that was allowed: who asks, for what, when."""

    actor: Actor
    query: StatsQuery
    dataset: Dataset
    decision: Decision
    purpose: Purpose
    time: datetime


_NOTHING = Table(())
_UNPUBLISHED = (
    "该数据集尚未发布过数据，没有可统计的记录。 / "
    "Nothing of this dataset has been published yet: there is nothing to count."
)


@dataclass(frozen=True, slots=True)
class Counted:
    """What a count came to: a table and how it is protected, or why there is none.

    Args:
        refusal: empty where there is a table.
    """

    table: Table = _NOTHING
    threshold: int = 0
    rounded_to: int = 1
    noise: NoiseSpent | None = None
    refusal: str = ""
    remedy: str = ""

    def told(self, by: tuple[str, ...]) -> Tabulated:
        """Return what the ledger is told of the counts, by which they were broken down."""
        spent = self.noise
        return Tabulated(
            by=by,
            cells=len(self.table.rows),
            suppressed=self.table.suppressed,
            rounded_to=self.rounded_to,
            epsilon=spent.epsilon if spent else None,
            period=spent.period if spent else None,
        )


def answer(question: Question, snapshot: SnapshotReader, noise: Noise | None) -> Counted:
    """Count as the query wants to be protected.

    Args:
        noise: what noise needs, None where this hub has nothing of it.

    Raises:
        RequestError: when a dimension is unknown or not for counting; nothing is charged.
        NotFound: when nothing of the dataset was ever published; nothing is charged.
        SourceError: when the counts cannot be read.
    """
    plan = plan_statistics(question.dataset, question.query, question.decision)
    if not snapshot.has_counts(question.dataset.name):
        raise NotFound(_UNPUBLISHED)
    if question.query.protection == "noise":
        return _with_noise(question, plan, snapshot, noise)
    threshold = threshold_of(question.decision)
    table = tabulate(snapshot.analytic(plan.sql, plan.parameters), plan, threshold)
    return Counted(table, threshold, rounded_to=threshold)


def _with_noise(
    question: Question, plan: StatsPlan, snapshot: SnapshotReader, noise: Noise | None
) -> Counted:
    """Charge first, then count and draw: who stops in between has paid, and nothing leaks."""
    terms, query = question.purpose.noise, question.query
    if terms is None:
        return Counted(refusal=privacy.NO_TERMS, remedy=privacy.ASK_ROUNDED)
    if noise is None or noise.draw is None:
        return Counted(refusal=privacy.NO_LIBRARY, remedy=privacy.ASK_ROUNDED)
    cells = universe(plan, query, question.decision, noise.codes)
    period = terms.period_of(question.time)
    charge = Charge(question.actor.id, query.dataset, period, terms.epsilon, question.time)
    spent = noise.budgets.charge(charge, terms.budget)
    if spent is None:
        return Counted(
            refusal=privacy.spent_up(period, terms.budget), remedy=privacy.ASK_NEXT_PERIOD
        )
    exact = privacy.fill(cells, count(snapshot.analytic(plan.sql, plan.parameters), plan))
    noised = noise.draw(exact, terms.epsilon)
    rows = tuple((*cell, number) for cell, number in zip(cells, noised, strict=True))
    cost = NoiseSpent(terms.epsilon, spent, terms.budget, period)
    return Counted(Table(rows), noise=cost)
