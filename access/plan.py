"""What the guard applies to records: a decision, with a view for every kind of person.

What may be seen of somebody depends on who they are, and that is known only once their document is
open. So a plan holds the view of a person without traits, and narrows it for the others: to what
the denials that name a trait leave, and for a minor to what is not sensitive. A trait never opens
anything.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any

from access.masking import MASKS, Mask
from access.model import Decision, Fields, Trait
from access.view import View, compile_view, harden_for_minor, hide_numbers, strictest
from hub.catalog import Dataset

Traits = frozenset[Trait]


def _nothing(_traits: Traits) -> tuple[Fields, Fields]:
    return {}, {}


@dataclass(slots=True)
class Plan:
    """A decision with its views compiled.

    Args:
        own: the view inside the actor's area, of a person without traits.
        elsewhere: the same outside, None where nothing may be seen.
        withheld: "dataset.role" of the records that are never shown.
        outside_lifts: dataset -> protections that are lifted outside the area.
        fields_of: what the denials for a set of traits leave, inside the area and outside.
        masks: treatment -> mask, as they are today towards who asks.
    """

    decision: Decision
    own: View
    elsewhere: View | None = None
    datasets: Mapping[str, Dataset] = field(default_factory=dict)
    withheld: frozenset[str] = frozenset()
    outside_lifts: Mapping[str, frozenset[str]] = field(default_factory=dict)
    fields_of: Callable[[Traits], tuple[Fields, Fields]] = _nothing
    masks: Mapping[str, Mask] = field(default_factory=lambda: MASKS)
    _narrowed: dict[tuple[bool, Traits, bool], View | None] = field(default_factory=dict)

    def view(self, *, in_area: bool, traits: Traits, searched: bool = False) -> View | None:
        """Return the view of a person's records, None where nothing may be seen.

        Args:
            searched: whether the person was found by a search, so that numbers show less.
        """
        base = self.own if in_area else self.elsewhere
        if base is None or not (traits or searched):
            return base
        key = (in_area, traits, searched)
        if key not in self._narrowed:
            fields = self._fields(in_area, traits)
            view = compile_view(hide_numbers(fields) if searched else fields, self.masks)
            self._narrowed[key] = view if view.cells else None
        return self._narrowed[key]

    def is_recent(self, record: Mapping[str, Any]) -> bool:
        """Say whether a record is of a day the purpose may look back to.

        Only events grow old; a register says what is so today. An event whose day cannot be read
        is too old.
        """
        since, dataset = self.decision.since, self.datasets.get(record["dataset"])
        if since is None or dataset is None or dataset.mode != "append":
            return True
        column = dataset.time_column
        day = record["clear"].get(column) or record["sealed"].get(column)
        try:
            return date.fromisoformat(day[:10]) >= since
        except (TypeError, ValueError):
            return False

    def _fields(self, in_area: bool, traits: Traits) -> Fields:
        inside, outside = self.fields_of(traits)
        decision = self.decision
        if in_area:
            fields, lifts = strictest(decision.fields, inside), decision.lifts
        else:
            fields, lifts = strictest(decision.elsewhere or {}, outside), self.outside_lifts
        return harden_for_minor(fields, self.datasets, lifts) if Trait.MINOR in traits else fields


def denied_plan(plan: Plan, reason: str, remedy: str) -> Plan:
    """Return a plan as one that is refused and shows nothing."""
    decision = replace(
        plan.decision, allowed=False, reason=reason, remedy=remedy, reasons=(), fields={},
        elsewhere=None, row_filter=(), near_misses=(), grants=(),
    )  # fmt: skip
    return Plan(decision, compile_view({}))
