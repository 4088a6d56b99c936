"""Views of persons with traits: a trait closes, and never opens."""

from __future__ import annotations

import random
from dataclasses import replace
from itertools import combinations, product

import pytest

from access.decision import Decider
from access.files import POLICY_FOLDER, read_text
from access.lint import read_sources
from access.masking import FULL, STARS
from access.model import CLEAR, HIDDEN, Action, Actor, CaseStanding, Request, Trait
from access.policy import MODEL_FILE, Policy
from access.rendering import Rendered, render
from access.rules import Rule, RuleFile
from access.view import View
from hub.catalog import Catalog, Classification
from tests.access.conftest import NOW
from tests.access.test_rendering import random_document

EVERY = [frozenset(some) for n in range(5) for some in combinations(Trait, n)]
QUESTIONS = (
    ("officer.east", Action.LOOKUP, "residence.verify"),
    ("officer.east", Action.SEARCH, "residence.verify"),
    ("officer.police", Action.LOOKUP, "public_safety.investigation"),
    ("window", Action.LOOKUP, "assistance.review"),
    ("window", Action.LOOKUP, "residence.verify"),
    ("officer.east", Action.LOOKUP, "elderly.service"),
    ("partner.population", Action.SAMPLE, "quality.field_check"),
    ("partner.housing", Action.RECONCILE, "quality.reconcile"),
    ("citizen", Action.OWN, "own.data"),
)


def denial(number: int, trait: Trait, datasets: tuple[str, ...], show: str, level: int) -> Rule:
    """Return a denial about persons with a trait."""
    return Rule(
        f"trait-{number}", 1000 + number, "deny", ("*",), ("*",), ("lookup", "search"), datasets,
        ("*",), "any", "optional", "clear" if show == "clear" else "masked",
        Classification(level), subject=trait,
    )  # fmt: skip


def decider_with(catalog: Catalog, *denials: Rule) -> Decider:
    """Return a decider under the shipped rules for everybody and denials for some."""
    sources = read_sources()
    shipped = (rule for rule in sources.rule_file.rules if rule.subject is None)
    rules = (*shipped, *denials)
    model = read_text(POLICY_FOLDER / MODEL_FILE)
    policy = Policy(replace(sources, rule_file=RuleFile(rules)), model, rules, "test")
    return Decider(policy, catalog)


def how(view: View | None, column: str) -> str:
    """Return how a view shows a column."""
    return view.cells[column][1] if view is not None and column in view.cells else HIDDEN


def test_a_denial_about_a_trait_closes_it_for_these_persons_only(
    catalog: Catalog, actors: dict[str, Actor], decider: Decider
) -> None:
    """Dataset by dataset, level by level; the decision itself stays as it was."""
    closing = decider_with(
        catalog,
        denial(1, Trait.PROTECTED, ("housing.dwelling",), "masked", 1),
        denial(2, Trait.OWN_RECORD, ("*",), "masked", 1),
    )
    request = Request(actors["officer.east"], Action.LOOKUP, None, "residence.verify", at=NOW)
    plan, before = closing.plan(request), decider.plan(request)
    assert replace(plan.decision, policy_version="") == replace(before.decision, policy_version="")
    assert plan.view(in_area=True, traits=frozenset()) == plan.own
    name, rooms = "population.resident.name", "housing.dwelling.grid_code"
    assert how(plan.own, name) == how(plan.own, rooms) == CLEAR
    protected = plan.view(in_area=True, traits=frozenset({Trait.PROTECTED}))
    assert (how(protected, name), how(protected, rooms)) == (CLEAR, HIDDEN)
    assert plan.view(in_area=True, traits=frozenset({Trait.OWN_RECORD})) is None
    both = frozenset({Trait.PROTECTED, Trait.MINOR})
    assert how(plan.view(in_area=True, traits=both), name) == FULL
    household = plan.view(in_area=True, traits=frozenset({Trait.OWN_HOUSEHOLD}))
    assert household is not None
    assert household.treatments == plan.own.treatments


@pytest.mark.parametrize("seed", range(3))
def test_no_trait_ever_opens_anything(
    seed: int, catalog: Catalog, actors: dict[str, Actor]
) -> None:
    """Over random denials and every set of traits: a column is as it was, stricter, or absent."""
    rng = random.Random(seed)
    patterns = (*catalog, "*", "police.*", "civil_affairs.*")
    decider = decider_with(
        catalog,
        *(
            denial(
                n,
                rng.choice(tuple(Trait)),
                tuple(rng.sample(patterns, 2)),
                rng.choice(("clear", "masked")),
                rng.randint(1, 4),
            )
            for n in range(4)
        ),
    )
    narrowed = 0
    for who, action, purpose in QUESTIONS:
        plan = decider.plan(
            Request(actors[who], action, None, purpose, "case", CaseStanding.OPEN, at=NOW)
        )
        for traits in EVERY:
            for inside in (True, False):
                base = plan.view(in_area=inside, traits=frozenset())
                view = plan.view(in_area=inside, traits=traits)
                for column in view.cells if view is not None else ():
                    was, now = how(base, column), how(view, column)
                    assert now == was or (was == CLEAR) or (now == FULL and was != HIDDEN)
                    narrowed += now != was
    assert narrowed


def tells_no_more(now: str, was: str) -> bool:
    """Say whether a treatment tells no more of a value than another."""
    if now in (was, HIDDEN) or was == CLEAR:
        return True
    return (now == FULL and was != HIDDEN) or (now, was) == ("id_1_1", "id_6_4")


@pytest.mark.parametrize(("who", "action", "purpose"), QUESTIONS)
def test_under_the_shipped_rules_a_trait_or_a_search_only_ever_closes(
    who: str,
    action: Action,
    purpose: str,
    decider: Decider,
    actors: dict[str, Actor],
    catalog: Catalog,
) -> None:
    """Treatment by treatment, and cell by cell of random documents."""
    rng = random.Random(f"{who}{purpose}")
    actor = actors[who]
    plan = decider.plan(Request(actor, action, None, purpose, "case", CaseStanding.OPEN, at=NOW))
    assert plan.decision.allowed
    documents = [random_document(rng, catalog) for _ in range(8)]
    for traits, inside, searched in product(EVERY, (True, False), (True, False)):
        base = plan.view(in_area=inside, traits=frozenset())
        view = plan.view(in_area=inside, traits=traits, searched=searched)
        for column in view.cells if view is not None else ():
            assert tells_no_more(how(view, column), how(base, column)), column
    for document, traits, searched in product(documents, EVERY, (True, False)):
        wide = cells_of(render(document, plan, actor.area, frozenset()))
        narrow = cells_of(render(document, plan, actor.area, traits, searched=searched))
        assert narrow.keys() <= wide.keys()
        for cell, (value, treatment) in narrow.items():
            was, before = wide[cell]
            assert value in (was, STARS) or tells_no_more(treatment, before)


def cells_of(shown: Rendered) -> dict[tuple[str, str], tuple[object, str]]:
    """Return (record, column) -> (value, treatment), the integrated fields among them."""
    cells: dict[tuple[str, str], tuple[object, str]] = {
        (held.record, column): (value, held.treatments[column])
        for held in shown.records
        for column, value in held.values.items()
    }
    golden = shown.golden.items()
    return cells | {("golden", name): (cell["value"], cell["treatment"]) for name, cell in golden}
