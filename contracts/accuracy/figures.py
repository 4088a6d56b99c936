"""Figures of quality per batch, dataset, department and month, derived from recorded facts; pure.

Nothing here is stored: the same facts give the same figures. The command line, the board and
whoever issues cards ask the same object.

`contracts.accuracy.measures` says what each measure is.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from contracts.accuracy.dimensions import Dimension, dimensions_of
from contracts.accuracy.measures import (
    Headline,
    Measure,
    agreement_measure,
    batch_measures,
    sample_measure,
    standing,
    worst,
    worst_headline,
)
from hub.errors import NotFound
from hub.store.facts import Agreement, BatchFacts, QualityFacts
from hub.store.samples import FieldSample

#: A field sample speaks for a dataset for so many months after the one it was drawn in.
SAMPLE_MONTHS = 12


@dataclass(frozen=True, slots=True)
class WorstRule:
    """A rule that rows of standing deliveries fail, and in how many percent of its rows."""

    dataset: str
    rule: str
    title: str
    severity: str
    failing: int
    evaluated: int
    percent: float


@dataclass(frozen=True, slots=True)
class MonthFigures:
    """The figures of one dataset in one month.

    Args:
        batches: ids of every delivery of the month; the figures are of those that stand.
        stopped: how many of them were stopped or refused.
    """

    month: str
    dataset: str
    department: str
    batches: tuple[str, ...]
    stopped: int
    rows: int
    headline: Headline
    measures: tuple[Measure, ...]


class Figures:
    """Every figure that the recorded facts give."""

    def __init__(self, facts: QualityFacts) -> None:
        self._facts = facts
        self._batches: dict[str, list[BatchFacts]] = {}
        for batch in facts.batches:
            self._batches.setdefault(batch.dataset, []).append(batch)

    def datasets(self, department: str | None = None) -> tuple[str, ...]:
        """Return the datasets that something was delivered for, by name."""
        return tuple(
            name
            for name, batches in sorted(self._batches.items())
            if department in (None, batches[-1].department)
        )

    def departments(self) -> tuple[str, ...]:
        """Return the departments that have delivered, by code."""
        return tuple(sorted({b.department for b in self._facts.batches}))

    def standing(self, dataset: str, month: str | None = None) -> tuple[BatchFacts, ...]:
        """Return the deliveries that a dataset's figures are made of, now or in a month.

        Now means the newest month that something was delivered for.

        Raises:
            NotFound: when nothing was delivered for the dataset, or for it in that month.
        """
        batches = self._of(dataset)
        wanted = month or max(b.month for b in batches)
        found = standing([b for b in batches if b.month == wanted])
        if not found:
            raise NotFound(f"nothing was delivered for {dataset} in {wanted}")
        return found

    def measures(self, dataset: str, month: str | None = None) -> tuple[Measure, ...]:
        """Return every measure of a dataset: (a), its stricter form, (b), (c), (d).

        In a month, agreement is what the month's own publication found; now, what the newest did.

        Raises:
            NotFound: as `standing`.
        """
        batches = self.standing(dataset, month)
        version = _version(batches) if month else None
        return (
            *batch_measures(batches),
            agreement_measure(self.agreements("dataset", dataset, version, newest=not month)),
            sample_measure(self.sample(dataset, month)),
        )

    def headline(self, dataset: str, month: str | None = None) -> Headline:
        """Return the worst measure of a dataset.

        Raises:
            NotFound: as `standing`.
        """
        batches = self.standing(dataset, month)
        return Headline(dataset, dataset, batches[-1].month, worst(self.measures(dataset, month)))

    def headlines(self) -> tuple[Headline, ...]:
        """Return the headline of every dataset, by name."""
        return tuple(self.headline(dataset) for dataset in self.datasets())

    def department(self, department: str, month: str | None = None) -> Headline:
        """Return the headline of a department: that of its worst dataset.

        Raises:
            NotFound: when it has delivered nothing.
        """
        datasets = self.datasets(department)
        if not datasets:
            raise NotFound(f"{department} has delivered nothing yet")
        held = [d for d in datasets if month is None or month in self._months(d)]
        return worst_headline(department, (self.headline(d, month) for d in held))

    def dimensions(
        self, dataset: str | None = None, *, month: str | None = None, batch: str | None = None
    ) -> tuple[Dimension, ...]:
        """Return the six dimensions of one batch, or of a dataset now or in a month.

        Raises:
            NotFound: when there is no such batch, or as `standing`.
        """
        if batch is not None:
            found = [b for b in self._facts.batches if b.batch == batch]
            if not found:
                raise NotFound("no such batch has been checked: `hub status` lists them")
            return dimensions_of(found)
        return dimensions_of(self.standing(dataset or "", month))

    def batch(self, batch: str) -> tuple[Measure, ...]:
        """Return the measures of one batch, with the agreement its own publication found.

        Raises:
            NotFound: when there is no such batch.
        """
        for found in self._facts.batches:
            if found.batch == batch:
                known = self.agreements("dataset", found.dataset, found.version)
                return (*batch_measures([found]), agreement_measure(known))
        raise NotFound("no such batch has been checked: `hub status` lists them")

    def history(
        self, *, dataset: str | None = None, department: str | None = None
    ) -> tuple[MonthFigures, ...]:
        """Return the figures of every month, newest first, of a dataset, a department, or all.

        Raises:
            NotFound: when nothing was delivered for the dataset.
        """
        names = (dataset,) if dataset is not None else self.datasets(department)
        rows = [self._month(name, month) for name in names for month in self._months(name)]
        return tuple(sorted(rows, key=lambda row: (row.month, row.dataset), reverse=True))

    def worst_rules(self, limit: int = 10, *, dataset: str | None = None) -> tuple[WorstRule, ...]:
        """Return the rules most rows fail: errors before warnings, then by share."""
        names = (dataset,) if dataset is not None else self.datasets()
        found = [rule for name in names for rule in _failing(name, self.standing(name))]
        found.sort(key=lambda r: (r.severity, -r.percent, r.dataset, r.rule))
        return tuple(found[:limit])

    def agreements(
        self, scope: str, name: str, version: str | None = None, *, newest: bool = False
    ) -> tuple[Agreement, ...]:
        """Return what a publication found of a pair, dataset or department.

        Args:
            scope: "pair", "linked", "dataset" or "department".
            name: department or dataset; of a pair, either side.
            newest: of the newest publication, whatever `version` says.
        """
        if newest and self._facts.versions:
            version = self._facts.versions[-1]
        return tuple(
            a
            for a in self._facts.agreements
            if a.version == version and a.scope == scope and name in (a.one, a.other)
        )

    def sample(self, dataset: str, month: str | None = None) -> FieldSample | None:
        """Return the newest returned field sample that speaks for a dataset, now or in a month.

        One of a chosen seed is listed, and speaks for nothing; so does one whose result the ledger
        does not have yet.
        """
        wanted = month or max(b.month for b in self._of(dataset))
        return next(
            (
                sample
                for sample in reversed(self._facts.samples)
                if sample.dataset == dataset
                and sample.is_back
                and not sample.has_chosen_seed
                and 0 <= _months_between(sample.month, wanted) <= SAMPLE_MONTHS
            ),
            None,
        )

    def samples(self, dataset: str) -> tuple[FieldSample, ...]:
        """Return every sample drawn of a dataset, newest first, returned or not."""
        return tuple(s for s in reversed(self._facts.samples) if s.dataset == dataset)

    def _of(self, dataset: str) -> Sequence[BatchFacts]:
        if dataset not in self._batches:
            raise NotFound(f"尚未报送 / nothing has been delivered for {dataset!r} yet")
        return self._batches[dataset]

    def _months(self, dataset: str) -> tuple[str, ...]:
        return tuple(sorted({b.month for b in self._of(dataset)}))

    def _month(self, dataset: str, month: str) -> MonthFigures:
        every = [b for b in self._of(dataset) if b.month == month]
        return MonthFigures(
            month=month,
            dataset=dataset,
            department=every[-1].department,
            batches=tuple(b.batch for b in every),
            stopped=sum(not b.is_accepted for b in every),
            rows=sum(b.rows for b in self.standing(dataset, month)),
            headline=self.headline(dataset, month),
            measures=self.measures(dataset, month),
        )


def _version(batches: Iterable[BatchFacts]) -> str | None:
    """Return the publication that first showed the newest of some deliveries."""
    return max((b.version for b in batches if b.version), default=None)


def _months_between(first: str, last: str) -> int:
    """Return how many months lie between two, YYYY-MM.

    >>> _months_between("2025-11", "2026-02")
    3
    """
    return (int(last[:4]) - int(first[:4])) * 12 + int(last[5:7]) - int(first[5:7])


def _failing(dataset: str, batches: Sequence[BatchFacts]) -> list[WorstRule]:
    counts: dict[str, list[int]] = {}
    words: dict[str, tuple[str, str]] = {}
    for check in (check for batch in batches for check in batch.checks):
        found = counts.setdefault(check.rule, [0, 0])
        found[0] += 0 if check.passed else check.failing
        found[1] += check.evaluated
        words[check.rule] = (check.title, check.severity)
    return [
        WorstRule(dataset, rule, *words[rule], failing, seen, 100 * failing / seen if seen else 0.0)
        for rule, (failing, seen) in counts.items()
        if failing
    ]
