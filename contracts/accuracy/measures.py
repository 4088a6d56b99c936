"""What "accuracy above 99 %" means: its measures, and the headline, which is the worst of them.

    rule_accuracy   (a) 1 - distinct rows failing an accuracy rule on a key field / rows
    key_accuracy    the publish bar's stricter form of it: any error on a key field counts
    dimension_03    (b) the accuracy dimension of GB/T 36344 (all six stand beside it)
    cross_source    (c) persons of whom this and another department both say something, and agree
    field_sample    (d) Wilson's lower bound of a sample checked in the field

The headline is the lowest of those that exist, never an average, and says which one it is. The
five other dimensions are no accuracy and stay out of it: a late file makes no name wrong.

Source: GB/T 36344-2018 (dimensions); `contracts.accuracy.sampling` (the field sample).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from contracts.accuracy.dimensions import dimensions_of
from contracts.accuracy.sampling import Estimate, StratumCount, estimate
from hub.store.facts import Agreement, BatchFacts
from hub.store.samples import FieldSample

TITLES = {
    "rule_accuracy": "规则准确率 rule accuracy",
    "key_accuracy": "关键字段合格率 key fields without any error",
    "dimension_03": "准确性维度 accuracy dimension",
    "cross_source": "跨部门一致率 cross-source agreement",
    "field_sample": "实地抽查下限 field sample, lower bound",
}


@dataclass(frozen=True, slots=True)
class Measure:
    """One measure of accuracy.

    Args:
        right, of: A and B; of the field sample, those found right and those that count.
        share: 0 to 1, None when not applicable; of the field sample, the lower bound.
        note: what stands behind it, or why it does not apply.
    """

    code: str
    title: str
    right: int
    of: int
    share: float | None
    note: str = ""


@dataclass(frozen=True, slots=True)
class Headline:
    """The accuracy of a dataset, department or month: its worst measure.

    Args:
        scope: dataset or department it is about.
        dataset: dataset that the measure is of; of a department, its worst.
        month: YYYY-MM of the newest facts behind it, or "".
        measure: None when no measure applies.
    """

    scope: str
    dataset: str
    month: str
    measure: Measure | None

    @property
    def share(self) -> float | None:
        """The headline figure, 0 to 1."""
        return None if self.measure is None else self.measure.share


def standing(batches: Sequence[BatchFacts]) -> tuple[BatchFacts, ...]:
    """Return the deliveries of one dataset that its figures are made of.

    A delivery that failed and was followed by an accepted one for the same period is made good.
    Where each delivery is the whole dataset, the last one stands for it; where deliveries add to
    it, all of them do.

    Args:
        batches: of one dataset and any span of time, in order of delivery.
    """
    left = [
        batch
        for place, batch in enumerate(batches)
        if batch.is_accepted
        or not any(
            later.is_accepted and later.period == batch.period for later in batches[place + 1 :]
        )
    ]
    if left and left[-1].mode == "full":
        left = left[-1:]
    return tuple(left)


def batch_measures(batches: Sequence[BatchFacts]) -> tuple[Measure, ...]:
    """Return the measures that deliveries alone tell: (a), its stricter form, and (b)."""
    readable = [b for b in batches if b.is_readable]
    counted = [b for b in readable if b.accuracy_failing is not None]
    rows = sum(b.rows for b in readable)
    return (
        _share(
            "rule_accuracy",
            sum(b.rows - (b.accuracy_failing or 0) for b in counted),
            sum(b.rows for b in counted),
            "" if len(counted) == len(readable) else "not recorded for every delivery",
        ),
        _share("key_accuracy", rows - sum(b.key_failing or 0 for b in readable), rows),
        _accuracy_dimension(readable),
    )


def agreement_measure(agreements: Iterable[Agreement]) -> Measure:
    """Return (c) from what a publication found of one dataset or department."""
    found = list(agreements)
    return _share("cross_source", sum(a.agreeing for a in found), sum(a.compared for a in found))


def sample_measure(sample: FieldSample | None) -> Measure:
    """Return (d): the lower bound with those who could not be reached counted as wrong."""
    title = TITLES["field_sample"]
    if sample is None or not sample.is_back:
        return Measure("field_sample", title, 0, 0, None, "no sample has been returned")
    found = estimates(sample)[0]
    note = f"{sample.id}, {found.right:,} of {found.size:,} right"
    return Measure("field_sample", title, found.right, found.size, found.lower, note)


def estimates(sample: FieldSample) -> tuple[Estimate, Estimate]:
    """Return a returned sample's estimate with the unreachable as wrong, and without them.

    A sample of a chosen seed proves nothing, whatever it found.
    """
    counts = [
        StratumCount(s.population, s.agreed or 0, s.wrong or 0, s.unreachable or 0)
        for s in sample.strata
    ]
    strict = estimate(counts, unreachable_as_wrong=True)
    reached = estimate(counts, unreachable_as_wrong=False)
    if sample.has_chosen_seed:
        return replace(strict, proven=False), replace(reached, proven=False)
    return strict, reached


def worst(measures: Iterable[Measure]) -> Measure | None:
    """Return the lowest measure that applies, the first of equals; None when none does."""
    applicable = [m for m in measures if m.share is not None]
    return min(applicable, key=lambda m: m.share if m.share is not None else 1.0, default=None)


def worst_headline(scope: str, headlines: Iterable[Headline]) -> Headline:
    """Return the headline of a department: that of its worst dataset, never an average."""
    found = [h for h in headlines if h.share is not None]
    if not found:
        return Headline(scope, "", "", None)
    low = min(found, key=lambda h: (h.share if h.share is not None else 1.0, h.dataset))
    return Headline(scope, low.dataset, low.month, low.measure)


def cut_percent(share: float | None, digits: int = 2) -> float | None:
    """Return a share in percent, cut and not rounded: 98.996 % must not read as 99 %.

    >>> cut_percent(0.98996), cut_percent(1.0), cut_percent(0.99), cut_percent(None)
    (98.99, 100.0, 99.0, None)
    """
    scale = 10**digits
    return None if share is None else int(share * 100 * scale + 1e-7) / scale


def _accuracy_dimension(batches: Sequence[BatchFacts]) -> Measure:
    found = next(d for d in dimensions_of(batches) if d.code == "03")
    title = TITLES["dimension_03"]
    low = next((i for i in found.indicators if i.code == found.worst), None)
    if low is None:
        return Measure("dimension_03", title, 0, 0, None, "not applicable")
    right = low.evaluated - low.conforming if low.lower_is_better else low.conforming
    return Measure(
        "dimension_03", title, right, low.evaluated, found.share, f"{low.code} {low.title}"
    )


def _share(code: str, right: int, of: int, note: str = "") -> Measure:
    share = right / of if of else None
    note = note or ("" if of else "not applicable: B = 0")
    return Measure(code, TITLES[code], right, of, share, note)
