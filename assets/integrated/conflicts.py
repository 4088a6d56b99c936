"""Conflicts between sources: what two departments cannot both be right about."""

from __future__ import annotations

from assets.integrated.golden import latest
from assets.integrated.rules import ConflictRule, GoldenField, Pattern
from assets.integrated.subjects import Held, Subject


def find_conflicts(
    subject: Subject, rules: tuple[ConflictRule, ...]
) -> list[tuple[ConflictRule, tuple[Held, ...]]]:
    """Return every rule the subject's records break, with the records that show it."""
    found = []
    for rule in rules:
        if rule.differs is not None:
            contradicting = _contradicting(subject, rule.differs)
            if contradicting:
                found.append((rule, contradicting))
            continue
        evidence = [_match(subject, pattern) for pattern in rule.has]
        if all(evidence) and not any(_match(subject, pattern) for pattern in rule.lacks):
            found.append((rule, tuple(held for held in evidence if held is not None)))
    return found


def _match(subject: Subject, pattern: Pattern) -> Held | None:
    records = [
        held
        for held in subject.records
        if held.dataset == pattern.dataset and pattern.role in (None, held.role)
    ]
    if pattern.latest_by and records:
        records = [latest(records, pattern.latest_by)]
    for held in records:
        if all(str(held.values.get(c)) in allowed for c, allowed in pattern.where.items()):
            return held
    return None


def _contradicting(subject: Subject, field: GoldenField) -> tuple[Held, ...]:
    """Return one record per different value that the field's sources give, if there are several."""
    columns = {(source.dataset, source.column) for source in field.sources}
    first: dict[str, Held] = {}
    for held in subject.records:
        for column, value in held.values.items():
            if value is not None and (held.dataset, column) in columns:
                first.setdefault(str(value), held)
    return tuple(first.values()) if len(first) > 1 else ()
