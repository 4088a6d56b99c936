"""What a change opens and closes is exactly what two policies answer differently."""

from __future__ import annotations

import random
import re
from collections.abc import Iterator
from dataclasses import replace

import pytest

from access.cells import AREAS, CASES, PERSONS, Cell, Circumstance, opened, shows_no_more
from access.decision import Decider
from access.demo import load_demo_actors
from access.diff import Difference, TermTurn, Turn, difference, lines
from access.diff_words import Words
from access.lint import read_sources
from access.model import HIDDEN, Action, Actor, CaseStanding, Request, Trait
from access.policy import Policy, load_policy
from access.posts import Post, posts_of
from access.rules import Rule
from access.touched import Reached, persons_reached, reached, touched
from hub.catalog import Catalog, Classification
from tests.access.conftest import NOW, Edit
from tests.access.test_policy import policy_of, random_rule

GRID = "population.resident civil_affairs.disability,elderly.service,own,optional,any,clear,L4"


@pytest.fixture
def changed(edit: Edit, catalog: Catalog) -> Decider:
    """The shipped policy: no disability certificates in elderly service, lower cells for police."""
    folder = edit("policy.csv", GRID, GRID.replace(" civil_affairs.disability", ""))
    path = folder / "policy.csv"
    text = path.read_text(encoding="utf-8")
    path.write_text(text.replace("min_cell=10", "min_cell=5"), encoding="utf-8")
    return Decider(load_policy(catalog, folder), catalog)


def brute(policy: Policy, catalog: Catalog) -> dict[tuple[Post, Cell], str]:
    """Return every cell of a policy, each asked for by itself, of a new decider."""
    found: dict[tuple[Post, Cell], str] = {}
    for post in posts_of(policy.roles):
        actor = Actor(
            "b", "", post.agency, "", (post.role,), ("990106",), clearance=post.actor().clearance
        )
        for purpose in policy.purposes.values():
            for action in purpose.actions:
                names = tuple(n for n in catalog if purpose.covers(n))
                for datasets in (*((n,) for n in names), None):
                    if action is Action.AGGREGATE and datasets is None:
                        continue
                    for case in CASES:
                        given = case == "given"
                        request = Request(
                            actor, action, datasets, purpose.code, "c" if given else None,
                            CaseStanding.OPEN if given else CaseStanding.UNKNOWN, at=NOW,
                        )  # fmt: skip
                        for area, person, key, treatment in shown(policy, catalog, request):
                            dataset, _, column = key.rpartition(".")
                            asked = "together" if datasets is None else "alone"
                            where = Circumstance(area, case, person, asked)
                            cell = Cell(purpose.code, action, dataset, column, where)
                            found[post, cell] = treatment
    return found


def shown(policy: Policy, catalog: Catalog, request: Request) -> list[tuple[str, str, str, str]]:
    """Return (area, person, column, treatment) of all that one request shows."""
    plan = Decider(policy, catalog).plan(request)
    if not plan.decision.allowed:
        return []
    persons = PERSONS[:1] if request.action is Action.AGGREGATE else PERSONS
    found = []
    for area in AREAS:
        for person in persons:
            traits = frozenset() if person == "anybody" else frozenset({Trait(person)})
            view = plan.view(in_area=area == "own", traits=traits)
            if view is not None:
                found += [(area, person, key, cell[1]) for key, cell in view.cells.items()]
    return found


def cells_of(found: Difference) -> dict[tuple[Post, Cell], Turn]:
    """Return the cells that turned, flat."""
    return {(post, cell): t for post, turned in found.cells.items() for cell, t in turned.items()}


def generated(rng: random.Random, catalog: Catalog) -> Iterator[Rule]:
    """Yield the shipped rules, some left out, some altered, and a few of any kind."""
    for rule in read_sources().rule_file.rules:
        if rng.random() < 0.8:
            altered = replace(
                rule,
                show=rng.choice(("clear", "masked")),
                level=Classification(rng.randint(2, 4)),
                area=rng.choice(("own", "any")),
            )
            yield altered if rule.allows and rng.random() < 0.3 else rule
    yield from (random_rule(rng, number, catalog) for number in range(3))


@pytest.mark.parametrize("seed", range(3))
def test_opened_and_closed_are_the_symmetric_difference(seed: int, catalog: Catalog) -> None:
    """Of two generated policies, enumerated cell by cell, and the other way round."""
    rng = random.Random(seed)
    one, two = (policy_of(tuple(generated(rng, catalog))) for _ in range(2))
    a, b = brute(one, catalog), brute(two, catalog)
    wanted = {key for key in {*a, *b} if a.get(key) != b.get(key)}
    assert wanted
    there = cells_of(difference(Decider(one, catalog), Decider(two, catalog), NOW))
    back = cells_of(difference(Decider(two, catalog), Decider(one, catalog), NOW))
    opens = {key for key, turn in there.items() if turn.way != "closes"}
    closes = {key for key, turn in there.items() if turn.way != "opens"}
    assert opens | closes == wanted == there.keys() == back.keys()
    assert set(b.keys() - a.keys()) <= opens - closes
    assert set(a.keys() - b.keys()) <= closes - opens
    mirror = {"opens": "closes", "closes": "opens", "changes": "changes"}
    assert all(back[key].way == mirror[turn.way] for key, turn in there.items())


def test_every_cell_stands_in_exactly_one_line(
    catalog: Catalog, changed: Decider, decider: Decider
) -> None:
    """The lines are the difference, only shorter."""
    found = difference(decider, changed, NOW)
    written = [
        (post, Cell(line.purpose, line.action, line.dataset, column, Circumstance(a, c, p, s)))
        for line in lines(found)
        for post in line.posts
        for column in line.columns
        for a in line.areas
        for c in line.cases
        for p in line.persons
        for s in line.asked
    ]
    assert len(written) == len(set(written)) == sum(line.cells for line in lines(found))
    assert set(written) == set(cells_of(found))
    assert len(lines(found)) < len(written)


def test_no_change_is_no_difference(policy: Policy, catalog: Catalog) -> None:
    """Nor do comments and the order of the rules make one."""
    turned = policy_of(tuple(reversed(policy.rules)))
    found = difference(Decider(policy, catalog), Decider(turned, catalog), NOW)
    assert (found.cells, found.terms, found.purposes) == ({}, {}, ())
    assert not found.opens


def test_a_difference_in_plain_words(catalog: Catalog, changed: Decider, decider: Decider) -> None:
    """Who, for what, which columns, what becomes of them; Chinese first."""
    words = Words((decider.policy, changed.policy), catalog).of(difference(decider, changed, NOW))
    (lower,) = words["opens"]
    assert "min_cell=10" in lower
    assert "min_cell=5" in lower
    assert all("残疾人证" in s and "civil_affairs.disability" in s for s in words["closes"])
    assert any(
        "holder_name" in s and "明文→不可见" in s and "限本辖区" in s for s in words["closes"]
    )
    for sentence in (*words["opens"], *words["closes"]):
        before, _, after = sentence.partition(" / ")
        assert re.search("[\u4e00-\u9fff]", before)
        assert not re.search("[\u4e00-\u9fff]", after)
    assert words["changes"] == []


def test_what_only_the_register_says_is_told(
    edit: Edit, catalog: Catalog, decider: Decider
) -> None:
    """When the subject learns of it is no cell."""
    folder = edit("purposes.yaml", "days: 90}", "days: 30}")
    other = Decider(load_policy(catalog, folder), catalog)
    found = difference(decider, other, NOW)
    grounds = "confidential_by_law, criminal_inquiry"
    assert found.purposes == (
        ("public_safety.investigation", "seal", f"{grounds}: 90", f"{grounds}: 30"),
    )
    (said,) = Words((decider.policy, other.policy), catalog).of(found)["changes"]
    assert ": 90" in said
    assert ": 30" in said


@pytest.mark.parametrize(
    ("before", "after", "way"),
    [
        ({"min_cell=10"}, {"min_cell=5"}, "opens"),
        ({"min_cell=5"}, {"min_cell=10"}, "closes"),
        ({"list_cap=20"}, {"list_cap=50"}, "opens"),
        ({"list_cap=50"}, {"list_cap=20"}, "closes"),
        ({"list_cap=20"}, set(), "opens"),
        (set(), {"one_person_per_request"}, "closes"),
        ({"min_cell=10"}, {"min_cell=5", "case_required"}, "changes"),
        ({"record_use"}, set(), "changes"),
    ],
)
def test_obligations_that_bind_less_open(before: set[str], after: set[str], way: str) -> None:
    """A smaller count shown is something opened."""
    assert TermTurn(frozenset(before), frozenset(after)).way == way
    assert Difference({}, {Post("a", "b"): {}}, ()).opens is False


def test_treatments_are_in_order() -> None:
    """Hidden, full, masks, clear; masks of different kinds cannot be compared."""
    order = (HIDDEN, "full", "id_1_1", "id_6_4", "clear")
    for place, one in enumerate(order):
        assert all(shows_no_more(one, other) for other in order[place:])
        assert not any(shows_no_more(one, other) for other in order[:place])
    assert not shows_no_more("phone_2", "id_6_4")
    assert Turn("phone_2", "id_6_4").way == "changes"


def test_who_and_what_is_touched(catalog: Catalog, changed: Decider, decider: Decider) -> None:
    """The two grid officers of the register, the analyst and the steward; nobody at the police."""
    change = touched(decider, changed, load_demo_actors().values(), NOW)
    assert (change.actors, change.opens, change.closes, change.of) == (4, 2, 2, 12)
    assert change.areas["civil_affairs.disability"] == {"990106001", "990106002"}
    assert change.areas["police.case"] == {""}
    same = touched(decider, decider, load_demo_actors().values(), NOW)
    assert (same.actors, same.areas) == (0, {})


def test_records_are_counted_where_the_change_reaches_them(
    catalog: Catalog, changed: Decider, decider: Decider
) -> None:
    """By area where only the own one is touched; small numbers are not told."""
    change = touched(decider, changed, load_demo_actors().values(), NOW)
    counter = _Counter({"civil_affairs.disability": 40, "police.case": 7, "police.dispute": 0})
    found = reached(change, counter, catalog)  # type: ignore[arg-type]
    assert found == (
        Reached("civil_affairs.disability", 40, 1),
        Reached("police.case", None, 2),
        Reached("police.dispute", 0, 2),
        Reached("police.incident", 0, 1),
    )
    assert ["990106001", "990106002"] in counter.asked
    assert persons_reached(change, counter, catalog) == 0  # type: ignore[arg-type]
    living = _Counter({"person": 120_000})
    assert persons_reached(change, living, catalog) == 120_000  # type: ignore[arg-type]
    assert living.asked == [[]]  # police matters are reached everywhere


class _Counter:
    """Answers counts of tables; knows what it was asked."""

    def __init__(self, counts: dict[str, int]) -> None:
        self._counts = counts
        self.asked: list[list[str]] = []

    def has_counts(self, table: str) -> bool:
        return table in self._counts

    def analytic(self, sql: str, params: tuple[str, ...] = ()) -> list[dict[str, int]]:
        self.asked.append(list(params))
        name = re.findall('FROM "([^"]+)"', sql)[0]
        return [{"n": self._counts[name]}]


def test_an_actor_sees_no_more_than_the_post(decider: Decider) -> None:
    """Somebody without an area has no own one."""
    window = load_demo_actors()["window"]
    found = opened(decider, window, NOW)
    assert {cell.circumstance.area for cell in found.cells} == {"elsewhere"}
    assert not opened(decider, replace(window, active=False), NOW).cells
