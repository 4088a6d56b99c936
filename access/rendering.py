"""Applying a plan to opened documents: the cells that leave, and nothing beside them. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from access.answers import RecordView
from access.beside import Party, parties
from access.plan import Plan, Traits
from access.view import View

Document = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Rendered:
    """What may be seen of one document.

    Args:
        datasets: datasets of the records shown, in document order.
        fields: "dataset.column" -> clear, masked or generalised, of what is shown.
        beside: the other parties of the records shown.
    """

    golden: Mapping[str, Mapping[str, Any]]
    records: tuple[RecordView, ...]
    datasets: tuple[str, ...]
    fields: Mapping[str, str]
    beside: tuple[Party, ...] = ()


def in_area(place: Any, area: tuple[str, ...]) -> bool:
    """Say whether a grid or division code lies in one of the areas; an unknown place does not."""
    return isinstance(place, str) and place.startswith(area)


def may_see(document: Document, plan: Plan, area: tuple[str, ...]) -> bool:
    """Say whether the person of a document may be shown at all: in the own area, or anywhere."""
    return plan.decision.row_filter is None or in_area(document.get("area"), area)


def is_closed(document: Document, plan: Plan, area: tuple[str, ...], traits: Traits) -> bool:
    """Say whether a person's traits close all that a plan would show of their document."""
    return bool(traits) and _view(_inside(document, plan, area), plan, traits) is None


def render(
    document: Document,
    plan: Plan,
    area: tuple[str, ...],
    traits: Traits,
    *,
    searched: bool = False,
) -> Rendered:
    """Return what a plan shows of a document.

    A person who is partly outside the actor's area is shown as strictly as outside it: two views
    in one answer could give back together what each of them hides.

    Args:
        searched: whether the person was found by a search, so that numbers show less.
    """
    decision = plan.decision
    inside = _inside(document, plan, area)
    view = _view(inside, plan, traits, searched=searched)
    if view is None:
        return Rendered({}, (), (), {})
    own_area_only = decision.elsewhere is None and decision.row_filter is not None
    shown: list[RecordView] = []
    fields: dict[str, str] = {}
    datasets: dict[str, None] = {}
    beside: list[Party] = []
    for record, is_inside in zip(document["records"], inside, strict=True):
        name = record["dataset"]
        columns = view.plans.get(name)
        if columns is None or (plan.withheld and f"{name}.{record['role']}" in plan.withheld):
            continue
        if (own_area_only and not is_inside) or not plan.is_recent(record):
            continue
        seen = _record(record, view)
        kinds = view.kinds[name]
        if len(seen.values) == len(columns):
            fields.update(kinds)
        else:
            fields.update({key: kinds[key] for c in seen.values if (key := f"{name}.{c}") in kinds})
        shown.append(seen)
        datasets[name] = None
        if record["others"]:
            beside += parties(plan.datasets[name], record["others"], seen.values, kinds)
    return Rendered(
        golden=_golden(document, view, shown),
        records=tuple(shown),
        datasets=tuple(datasets),
        fields=fields,
        beside=tuple(beside),
    )


def _inside(document: Document, plan: Plan, area: tuple[str, ...]) -> list[bool]:
    return [_is_inside(record, document, plan, area) for record in document["records"]]


def _view(inside: list[bool], plan: Plan, traits: Traits, *, searched: bool = False) -> View | None:
    strict = plan.decision.elsewhere is not None and not all(inside)
    return plan.view(in_area=not strict, traits=traits, searched=searched)


def _is_inside(
    record: Mapping[str, Any], document: Document, plan: Plan, area: tuple[str, ...]
) -> bool:
    """A record lies where its own area column says, else where the person lives."""
    dataset = plan.datasets.get(record["dataset"])
    if dataset is None:
        return True  # not shown at all, so its place does not matter
    place = record["clear"].get(dataset.area_column)
    return in_area(place if place is not None else document.get("area"), area)


def _record(record: Mapping[str, Any], view: View) -> RecordView:
    name = record["dataset"]
    return RecordView(
        dataset=name,
        role=record["role"],
        record=record["record"],
        batch=record["batch"],
        since=record["since"],
        values=view.values(name, record["clear"], record["sealed"]),
        treatments=view.treatments[name],
    )


def _golden(
    document: Document, view: View, shown: Iterable[RecordView]
) -> dict[str, dict[str, Any]]:
    """Return the integrated fields, each as its source column may be seen.

    A field that came from a record outside the answer stays out: its value would show what was
    left out, and its very source would tell of it. Documents of older publications do not say
    which record won; there the dataset decides.
    """
    seen = {(record.dataset, record.record) for record in shown}
    datasets = {dataset for dataset, _ in seen}
    out: dict[str, dict[str, Any]] = {}
    for field, cell in document.get("golden", {}).items():
        source = cell["source"]
        found = view.cells.get(source)
        if found is None or found[0] not in datasets:
            continue
        if "record" in cell and (found[0], cell["record"]) not in seen:
            continue
        _, treatment, mask = found
        value = cell["value"]
        if mask is not None and value is not None:
            value = mask(value if isinstance(value, str) else str(value))
        out[field] = {
            "value": value,
            "source": source,
            "since": cell["since"],
            "title": cell["title"],
            "codes": cell["codes"],
            "treatment": treatment,
        }
    return out
