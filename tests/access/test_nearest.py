"""Near misses from the index are those that comparing every rule finds, nearest first."""

from __future__ import annotations

import random
from dataclasses import replace

import pytest

from access.nearest import EASIEST, MOST, Missed, Nearest
from access.policy import Policy
from access.rules import ANY, Rule, covers, rule_covers_dataset, serves
from hub.catalog import Catalog
from tests.access.test_policy import (
    ACTIONS,
    AGENCIES,
    PURPOSES,
    ROLES,
    policy_of,
    random_rule,
)

NAMES = ("a", "a-b", "a-b-c", "ab", "a1", "b", "b-1", "b-10", "b-2", "z")


def missing(rule: Rule, miss: Missed) -> list[str]:
    """Return the attributes a request lacks for a rule, each compared as it is written."""
    met = {
        "action": any(covers(word, miss.action) for word in rule.actions),
        "purpose": any(covers(word, miss.purpose) for word in rule.purposes),
        "dataset": rule_covers_dataset(rule, miss.dataset),
        "role": ANY in rule.roles or not miss.held.isdisjoint(rule.roles),
        "agency": any(serves(word, miss.agency, miss.dataset.owner) for word in rule.agencies),
        "case": rule.case == "optional" or miss.has_case,
    }
    return [name for name, holds in met.items() if not holds]


def by_comparing_all(policy: Policy, nearest: Nearest, miss: Missed) -> list[tuple[int, str]]:
    """Return the near misses of all allowing rules, put into words, sorted, then cut off."""
    found = set()
    for rule in policy.rules:
        lacks = missing(rule, miss)
        if rule.allows and len(lacks) == 1:
            found.add((EASIEST.index(lacks[0]), nearest._sentence(rule, lacks[0])))
    return sorted(found)[:MOST]


@pytest.mark.parametrize("seed", range(20))
def test_near_misses_are_those_that_comparing_every_rule_finds(seed: int, catalog: Catalog) -> None:
    rng = random.Random(seed)
    names = (*NAMES, *(f"r{n}" for n in range(60)))[:: rng.choice((1, 3))]
    rules = tuple(replace(random_rule(rng, n, catalog), id=name) for n, name in enumerate(names))
    policy = policy_of(tuple(rng.sample(rules, len(rules))))
    nearest = Nearest(policy.index, policy.roles)
    said = 0
    for _ in range(100):
        miss = Missed(
            held=frozenset(rng.sample((*ROLES, "staff"), rng.randint(0, 3))),
            agency=rng.choice(AGENCIES),
            action=rng.choice(ACTIONS),
            purpose=rng.choice(PURPOSES),
            has_case=rng.random() < 0.5,
            dataset=catalog[rng.choice(tuple(catalog))],
        )
        found = nearest.of(miss)
        assert list(found) == by_comparing_all(policy, nearest, miss), miss
        said += len(found)
    assert said > 20
