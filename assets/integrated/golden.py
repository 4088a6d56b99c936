"""Golden fields: for each field of a person the value that wins, and why."""

from __future__ import annotations

from typing import Any

from assets.integrated.rules import GoldenField, GoldenSource
from assets.integrated.subjects import Held, Subject


def golden_record(subject: Subject, fields: tuple[GoldenField, ...]) -> dict[str, dict[str, Any]]:
    """Return field -> {value, source, batch, since, why} for every field somebody speaks to."""
    by_dataset: dict[str, list[Held]] = {}
    for held in subject.records:
        by_dataset.setdefault(held.dataset, []).append(held)
    golden = {}
    for field in fields:
        cell = _first(field, by_dataset)
        if cell is not None:
            golden[field.name] = cell
    return golden


def _first(field: GoldenField, by_dataset: dict[str, list[Held]]) -> dict[str, Any] | None:
    for rank, source in enumerate(field.sources):
        for held in _candidates(source, by_dataset):
            value = _value(source, held)
            if value is not None:
                return {
                    "value": value,
                    "source": f"{source.dataset}.{source.column}",
                    "batch": held.batch,
                    "since": held.since.date().isoformat(),
                    "why": "lead source" if rank == 0 else f"source {rank + 1}: none before it",
                }
    return None


def _candidates(source: GoldenSource, by_dataset: dict[str, list[Held]]) -> list[Held]:
    found = by_dataset.get(source.dataset, [])
    if source.latest_by and len(found) > 1:
        return [latest(found, source.latest_by)]
    return found


def latest(records: list[Held], column: str) -> Held:
    """Return the record with the greatest date in a column; the first of equals."""
    return max(records, key=lambda held: str(held.values.get(column) or ""))


def _value(source: GoldenSource, held: Held) -> Any:
    raw = held.values.get(source.column)
    if raw is None:
        return None
    if source.value is not None:
        return source.value
    return raw if source.codes is None else source.codes.get(str(raw))
