"""The figures of quality as rows, for the command line, the board and the demonstration.

`figures` gives the values; the functions here only lay them out. Shares are shown in percent, cut
and never rounded up; what does not apply is None, never 100.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict
from typing import Any

from contracts.accuracy.dimensions import Dimension, Indicator
from contracts.accuracy.figures import Figures, MonthFigures, WorstRule
from contracts.accuracy.measures import Headline, Measure, cut_percent, estimates
from contracts.accuracy.sampling import TARGET
from hub.store.facts import read_facts
from hub.store.records import Records
from hub.store.samples import FieldSample

_PLACES = 4  # of the percent of rows that fail a rule


def figures(records: Records) -> Figures:
    """Return every figure that the recorded facts give now."""
    return Figures(read_facts(records))


def quality_rows(records: Records) -> list[dict[str, Any]]:
    """Return every checked batch with its accuracy against the target, by dataset and time."""
    return [
        {
            "dataset": b.dataset,
            "period": b.period,
            "rows": b.rows,
            "quarantined": b.quarantined,
            "key_accuracy_%": cut_percent(b.key_accuracy),
            "accepted_%": cut_percent(b.overall),
            "target_99_%": met(b.key_accuracy),
            "batch": b.status.value,
        }
        for b in sorted(records.batches(), key=lambda b: (b.dataset, str(b.landed_at)))
    ]


def met(share: float | None) -> str:
    """Return how a share stands to the target.

    >>> [met(share) for share in (0.99, 0.98999, None)]
    ['met', 'MISSED', '–']
    """
    return "–" if share is None else ("met" if share >= TARGET else "MISSED")


def headline_row(headline: Headline) -> dict[str, Any]:
    """Return a headline: the figure, which measure it is, and what is behind it."""
    measure = headline.measure
    return {
        "dataset": headline.dataset,
        "month": headline.month,
        "accuracy_%": cut_percent(headline.share),
        "target_99_%": met(headline.share),
        "which": measure.title if measure else "nothing is measured yet",
        "right": measure.right if measure else 0,
        "of": measure.of if measure else 0,
        "measure": measure.code if measure else "",
        "note": measure.note if measure else "",
    }


def measure_rows(measures: Iterable[Measure]) -> list[dict[str, Any]]:
    """Return one row per measure of accuracy."""
    return [
        {
            "measure": m.title,
            "code": m.code,
            "right": m.right,
            "of": m.of,
            "share_%": cut_percent(m.share),
            "target_99_%": met(m.share),
            "note": m.note,
        }
        for m in measures
    ]


def indicator_rows(dimensions: Iterable[Dimension]) -> list[dict[str, Any]]:
    """Return one row per indicator, by dimension; A counts bad items where lower is better."""
    return [
        {
            "dimension": d.title,
            "indicator": f"{i.code} {i.title}",
            "A": i.conforming,
            "B": i.evaluated,
            "X_%": _shown_percent(i),
            "better": "lower" if i.lower_is_better else "higher",
            "note": i.note,
        }
        for d in dimensions
        for i in d.indicators
    ]


def _shown_percent(indicator: Indicator) -> float | None:
    """Cut so that no figure reads better than it is: a rate of bad items is cut upwards."""
    good = cut_percent(indicator.goodness)
    if good is None or not indicator.lower_is_better:
        return good
    return round(100 - good, 2)


def rule_rows(rules: Iterable[WorstRule]) -> list[dict[str, Any]]:
    """Return one row per failing rule."""
    return [{**asdict(rule), "percent": round(rule.percent, _PLACES)} for rule in rules]


def month_rows(months: Iterable[MonthFigures]) -> list[dict[str, Any]]:
    """Return one row per dataset and month: the headline and every measure behind it."""
    return [
        {
            "month": m.month,
            "dataset": m.dataset,
            "department": m.department,
            "rows": m.rows,
            "stopped": m.stopped,
            "accuracy_%": cut_percent(m.headline.share),
            "which": m.headline.measure.code if m.headline.measure else "",
            **{f"{x.code}_%": cut_percent(x.share) for x in m.measures},
        }
        for m in months
    ]


def department_rows(found: Figures, months: Iterable[MonthFigures]) -> list[dict[str, Any]]:
    """Return one row per department and month, newest first: its worst dataset speaks for it."""
    held = sorted({(m.month, m.department) for m in months}, reverse=True)
    rows = []
    for month, department in held:
        headline = found.department(department, month)
        rows.append({"department": department, **headline_row(headline), "month": month})
    return rows


def agreement_rows(found: Figures, department: str) -> list[dict[str, Any]]:
    """Return what the newest publication found between a department and each other one."""
    return [
        {
            "field": a.field,
            "between": a.one,
            "and": a.other,
            "compared": a.compared,
            "agreeing": a.agreeing,
            "share_%": cut_percent(a.agreeing / a.compared if a.compared else None),
            "note": note,
        }
        for scope, note in (("pair", ""), ("linked", "persons are linked by it: no measure yet"))
        for a in found.agreements(scope, department, newest=True)
    ]


def sample_row(sample: FieldSample) -> dict[str, Any]:
    """Return a sample: what was drawn, and where it is back, what that proves."""
    row: dict[str, Any] = {
        "sample": sample.id,
        "dataset": sample.dataset,
        "month": sample.month,
        "size": sample.size,
        "of": sample.population,
        "strata": len(sample.strata),
        "seed": sample.seed,
        "seed_chosen": sample.has_chosen_seed,
        "returned": sample.is_back,
    }
    strict, reached = estimates(sample)
    back = sample.is_back
    for name, found in (("", strict), ("reached_", reached)):
        row[f"{name}right_%"] = cut_percent(found.share) if back else None
        row[f"{name}lower_bound_%"] = cut_percent(found.lower) if back else None
        row[f"{name}99_%_proven"] = found.proven if back else None
    return row


def stratum_rows(sample: FieldSample) -> list[dict[str, Any]]:
    """Return one row per stratum of a sample: counts, never a person."""
    return [
        {
            "division": s.stratum,
            "records": s.population,
            "drawn": s.drawn,
            "right": s.agreed,
            "wrong": s.wrong,
            "unreachable": s.unreachable,
            "wrong_by_field": ", ".join(f"{k} {n}" for k, n in sorted(s.wrong_by_field.items())),
        }
        for s in sample.strata
    ]
