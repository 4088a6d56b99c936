"""Conflicts between sources: what two departments cannot both be right about."""

from __future__ import annotations

from collections.abc import Sequence

from assets.integrated.golden import latest
from assets.integrated.rules import ConflictRule, GoldenField, Pattern
from assets.integrated.subjects import Held, Subject

Conflict = tuple[ConflictRule, tuple[Held, ...]]


class Conflicts:
    """Finds conflicts; remembers which rules matter for which datasets."""

    def __init__(self, rules: Sequence[ConflictRule]) -> None:
        self._rules = rules
        self._plans: dict[tuple[str, ...], list[ConflictRule]] = {}

    def of(self, subject: Subject) -> list[Conflict]:
        """Return every rule the subject's records break, with the records that show it."""
        datasets = subject.datasets()
        plan = self._plans.get(datasets)
        if plan is None:
            plan = self._plans[datasets] = self._plan(datasets)
        found: list[Conflict] = []
        for rule in plan:
            evidence = _evidence(rule, subject)
            if evidence:
                found.append((rule, evidence))
        return found

    def _plan(self, datasets: tuple[str, ...]) -> list[ConflictRule]:
        """Return the rules that records of these datasets can break at all."""
        present = set(datasets)
        return [
            rule
            for rule in self._rules
            if (len(datasets) > 1 if rule.differs else {p.dataset for p in rule.has} <= present)
        ]


def _evidence(rule: ConflictRule, subject: Subject) -> tuple[Held, ...]:
    if rule.differs is not None:
        return _contradicting(subject, rule.differs)
    evidence = [_match(subject, pattern) for pattern in rule.has]
    if not all(evidence) or any(_match(subject, pattern) for pattern in rule.lacks):
        return ()
    return tuple(held for held in evidence if held is not None)


def _match(subject: Subject, pattern: Pattern) -> Held | None:
    records = [
        held
        for held in subject.records
        if held.dataset == pattern.dataset and pattern.role in (None, held.role)
    ]
    if pattern.latest_by and records:
        records = [latest(records, pattern.latest_by)]
    for held in records:
        if all(str(held.value(c)) in allowed for c, allowed in pattern.where.items()):
            return held
    return None


def _contradicting(subject: Subject, field: GoldenField) -> tuple[Held, ...]:
    """Return one record per different value that the field's sources give, if there are several."""
    first: dict[str, Held] = {}
    for held in subject.records:
        for column in field.columns_of(held.dataset):
            value = held.value(column)
            if value is not None:
                first.setdefault(str(value), held)
    return tuple(first.values()) if len(first) > 1 else ()
