"""One person, integrated: records, golden fields, conflicts, agreement and place, together."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from assets.integrated.agreement import Agreements, ComparedField, Pattern
from assets.integrated.conflicts import Conflict, Conflicts
from assets.integrated.golden import GoldenRecords
from assets.integrated.rules import PersonRules
from assets.integrated.subjects import Subject
from hub.catalog import Catalog

_RESIDENCE = "population.resident"


@dataclass(slots=True)
class Person:
    """A subject and what integration found about it."""

    subject: Subject
    golden: dict[str, dict[str, Any]]
    conflicts: list[Conflict]
    area: str | None
    agreement: Pattern | None = None

    def value(self, field: str) -> Any:
        """Return a golden field's value, or None where nobody speaks to it."""
        cell = self.golden.get(field)
        return None if cell is None else cell["value"]


class Integration:
    """Integrates one subject after the other under one set of rules."""

    def __init__(
        self, rules: PersonRules, catalog: Catalog, compared: Iterable[ComparedField] = ()
    ) -> None:
        self._golden = GoldenRecords(rules.golden)
        self._conflicts = Conflicts(rules.conflicts, catalog)
        owners = {name: dataset.owner for name, dataset in catalog.items()}
        self._agreements = Agreements(compared, owners)
        self._areas = {name: dataset.area_column for name, dataset in catalog.items()}

    def of(self, subject: Subject) -> Person:
        """Return the integrated person of a subject."""
        return Person(
            subject,
            self._golden.of(subject),
            self._conflicts.of(subject),
            self._area(subject),
            self._agreements.of(subject),
        )

    def _area(self, subject: Subject) -> str | None:
        """Return the grid of the residence, else of the first record that has a place."""
        other = None
        for held in subject.records:
            column = self._areas[held.dataset]
            place = held.value(column) if column else None
            if place is not None:
                if held.dataset == _RESIDENCE:
                    return str(place)
                other = other or str(place)
        return other
