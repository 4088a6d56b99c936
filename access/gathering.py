"""How far a policy opens one dataset for one kind of request: the questions put to Casbin."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from access.model import Actor, Request, Trait
from access.policy import Policy, Question
from access.view import CLOSED, Ceiling, lower
from hub.catalog import Dataset


@dataclass(frozen=True, slots=True)
class Gathered:
    """What the policy says about one dataset for one kind of request.

    Args:
        own: how far it is open inside the actor's area.
        elsewhere: how far outside.
        rules: ids of every rule that matched, allowing or denying, for a person without traits.
        traits: trait -> how far for a person with it, where a rule makes that less.
    """

    own: Ceiling
    elsewhere: Ceiling
    rules: tuple[str, ...]
    traits: Mapping[Trait, tuple[Ceiling, Ceiling]] = field(default_factory=dict)

    def under(self, traits: Iterable[Trait]) -> Gathered:
        """Return how far it is open for a person with traits.

        Only denials name a trait, and one denial is enough: so it is the least over the traits.
        """
        own, elsewhere = self.own, self.elsewhere
        for trait in traits:
            if trait in self.traits:
                inside, outside = self.traits[trait]
                own, elsewhere = lower(own, inside), lower(elsewhere, outside)
        return replace(self, own=own, elsewhere=elsewhere)


class Gathering:
    """Asks Casbin how far one dataset is open, with as few questions as its answers allow.

    A lower level, a mask instead of the value, and the own area instead of elsewhere are never
    refused where the harder question is allowed: the linter refuses rules that would break it.
    """

    def __init__(
        self, policy: Policy, actor: Actor, dataset: Dataset, request: Request, case: str
    ) -> None:
        self._policy = policy
        self._base = (
            actor.roles, actor.agency, dataset.owner, request.action.value, dataset.name,
            dataset.sharing.value, request.purpose,
        )  # fmt: skip
        self._case = case
        self._matched: dict[str, None] = {}

    def result(self) -> Gathered:
        """Return the ceilings in the actor's area and elsewhere, and every rule that matched."""
        own, own_rules = self._ask("own", "masked", 1)
        if not own:
            return Gathered(CLOSED, CLOSED, tuple(self._matched))
        ceiling = self._ceiling("own", own_rules)
        areas = {r.area for name in own_rules if (r := self._policy.by_id[name]).allows}
        if areas == {"any"}:
            elsewhere = ceiling
        elif areas == {"own"}:
            elsewhere = CLOSED
        else:
            _, outside_rules = self._ask("elsewhere", "masked", 1)
            elsewhere = self._ceiling("elsewhere", outside_rules)
        gathered = Gathered(ceiling, elsewhere, tuple(self._matched))
        traits = self._traits(gathered)
        return replace(gathered, traits=traits) if traits else gathered

    def _traits(self, gathered: Gathered) -> dict[Trait, tuple[Ceiling, Ceiling]]:
        """Return what each trait that a rule about the dataset names leaves, where that is less."""
        question = Question(*self._base, "own", self._case, "masked", 1)
        plain = (gathered.own, gathered.elsewhere)
        found = {
            trait: (
                self._left("own", gathered.own, trait),
                self._left("elsewhere", gathered.elsewhere, trait),
            )
            for trait in self._policy.traits_of(question)
        }
        return {trait: ceilings for trait, ceilings in found.items() if ceilings != plain}

    def _left(self, area: str, top: Ceiling, trait: Trait) -> Ceiling:
        if not self._allowed(area, "masked", min(top.masked, 1), trait):
            return CLOSED  # most denials about a trait close all: one question tells
        masked = self._allowed(area, "masked", top.masked, trait)
        clear = self._allowed(area, "clear", min(top.clear, masked), trait)
        return Ceiling(clear, masked, top.lifts)

    def _allowed(self, area: str, show: str, start: int, trait: Trait) -> int:
        """Return the highest level from `start` down that is allowed, 0 for none.

        What matched is not noted: who knows that a rule about a trait did knows the trait.
        """
        for level in range(start, 0, -1):
            question = Question(*self._base, area, self._case, show, level, trait.value)
            if self._policy.ask(question).allowed:
                return level
        return 0

    def _ceiling(self, area: str, rules: tuple[str, ...]) -> Ceiling:
        allowing = [r for name in rules if (r := self._policy.by_id[name]).allows]
        top = max((int(r.level) for r in allowing), default=0)
        top_clear = max((int(r.level) for r in allowing if r.show == "clear"), default=0)
        clear = self._highest(area, "clear", top_clear, 0)
        masked = self._highest(area, "masked", top, max(clear, 1))
        lifts = frozenset(lift for r in allowing for lift in r.lifts)
        return Ceiling(clear, masked, lifts)

    def _highest(self, area: str, show: str, start: int, least: int) -> int:
        """Return the highest allowed level from `start` down, `least` being known already."""
        for level in range(start, least, -1):
            if self._ask(area, show, level)[0]:
                return level
        return least

    def _ask(self, area: str, show: str, level: int) -> tuple[bool, tuple[str, ...]]:
        ruling = self._policy.ask(Question(*self._base, area, self._case, show, level))
        self._matched.update(dict.fromkeys(ruling.rules))
        return ruling.allowed, ruling.rules
