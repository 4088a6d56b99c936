"""Conflicts between sources: what two departments cannot both be right about."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from assets.integrated.golden import latest
from assets.integrated.rules import ConflictRule, GoldenField, Pattern
from assets.integrated.subjects import Held, Subject
from hub.catalog import Catalog


@dataclass(frozen=True, slots=True)
class Conflict:
    """One conflict of a person: the rule, the records that show it, who is asked first."""

    rule: ConflictRule
    evidence: tuple[Held, ...]
    likely_wrong: str


class Conflicts:
    """Finds conflicts within one person; remembers which rules matter for which datasets."""

    def __init__(self, rules: Sequence[ConflictRule], catalog: Catalog) -> None:
        self._rules = [rule for rule in rules if not rule.between_two]
        self._catalog = catalog
        self._plans: dict[tuple[str, ...], list[ConflictRule]] = {}

    def of(self, subject: Subject) -> list[Conflict]:
        """Return every rule the subject's records break, with the records that show it."""
        held = subject.datasets()
        plan = self._plans.get(held)
        if plan is None:
            plan = self._plans[held] = self._plan(held)
        found: list[Conflict] = []
        for rule in plan:
            evidence = _evidence(rule, subject)
            if evidence:
                datasets = {held.dataset for held in evidence}
                likely_wrong = rule.asked_first(datasets, self._catalog)
                found.append(Conflict(rule, evidence, likely_wrong))
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
    if rule.after:
        return _later(subject, rule)
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
        if all(str(held.value(c)) in allowed for c, allowed in pattern.where.items()) and all(
            held.value(c) is None for c in pattern.missing
        ):
            return held
    return None


def _later(subject: Subject, rule: ConflictRule) -> tuple[Held, ...]:
    """Return the records of two dates in the wrong order; a month is compared by its month."""
    (acts, act_column), (ends, end_column) = rule.after
    for end in subject.records:
        last = str(end.value(end_column) or "") if end.dataset == ends else ""
        for act in subject.records if last else ():
            day = str(act.value(act_column) or "") if act.dataset == acts else ""
            if day[: len(last)] > last[: len(day)]:
                return end, act
    return ()


def _contradicting(subject: Subject, field: GoldenField) -> tuple[Held, ...]:
    """Return one record per value that the field's sources give, if they give several.

    Of the records that give the same value the most believed stands for it.
    """
    values = {
        str(value)
        for held in subject.records
        for column in field.columns_of(held.dataset)
        if (value := held.value(column)) is not None
    }
    if len(values) < 2:
        return ()
    best: dict[str, Held] = {}
    for source in field.sources:
        for held in subject.records:
            value = held.value(source.column) if held.dataset == source.dataset else None
            if value is not None:
                best.setdefault(str(value), held)
    return tuple(best.values())
