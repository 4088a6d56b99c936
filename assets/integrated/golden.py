"""Golden fields: for each field of a person the value that wins, and why."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from assets.integrated.rules import GoldenField, GoldenSource
from assets.integrated.subjects import Held, Subject

_Plan = list[tuple[GoldenField, list[tuple[int, GoldenSource]]]]


class GoldenRecords:
    """Chooses golden fields; remembers which sources matter for which datasets."""

    def __init__(self, fields: Sequence[GoldenField]) -> None:
        self._fields = fields
        self._plans: dict[tuple[str, ...], _Plan] = {}

    def of(self, subject: Subject) -> dict[str, dict[str, Any]]:
        """Return what wins for every field that somebody speaks to.

        Returns:
            field -> {value, source, record, batch, since, why, title, codes}; codes is the name of the
            code set of the value, or None.
        """
        datasets = subject.datasets()
        plan = self._plans.get(datasets)
        if plan is None:
            plan = self._plans[datasets] = self._plan(frozenset(datasets))
        golden = {}
        for field, sources in plan:
            cell = _first(sources, subject.records)
            if cell is not None:
                cell["title"], cell["codes"] = field.title, field.codes
                golden[field.name] = cell
        return golden

    def _plan(self, datasets: frozenset[str]) -> _Plan:
        return [
            (field, [(n, s) for n, s in enumerate(field.sources) if s.dataset in datasets])
            for field in self._fields
        ]


def _first(sources: list[tuple[int, GoldenSource]], records: list[Held]) -> dict[str, Any] | None:
    for rank, source in sources:
        dataset, column = source.dataset, source.column
        found = [held for held in records if held.dataset == dataset]
        if source.latest_by and len(found) > 1:
            found = [latest(found, source.latest_by)]
        for held in found:
            raw = held.clear[column] if column in held.clear else held.sealed.get(column)
            value = raw if source.plain or raw is None else source.meaning(raw)
            if value is not None:
                return {
                    "value": value,
                    "source": source.name,
                    "record": held.record_key.hex(),
                    "batch": held.batch,
                    "since": held.since,
                    "why": "lead source" if rank == 0 else f"source {rank + 1}: none before it",
                }
    return None


def latest(records: list[Held], column: str) -> Held:
    """Return the record with the greatest date in a column; the first of equals."""
    return max(records, key=lambda held: str(held.value(column) or ""))
