"""Cedar, an engine of another house, decides as Casbin does, and for the same rules.

It is in an environment of its own, which `make oracles` makes; without it these tests are skipped.
The whole language of the rules is translated (`bench.cedar`): roles in agencies and what they
inherit, families of datasets and purposes, sharing, area, case, level, mask, and denials.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from access.policy import Policy, Question, Ruling, load_policy
from access.rules import Rule
from bench import cedar, peers
from hub.catalog import Catalog
from tests.access.district import district_catalog
from tests.access.test_policy import policy_of, random_question, random_rule

pytestmark = [
    pytest.mark.oracle,
    pytest.mark.xdist_group("cedar"),
    pytest.mark.skipif(not peers.is_made(peers.CEDAR), reason="run `make oracles` first"),
]

POLICIES = 40
QUESTIONS = 200


@pytest.fixture(scope="module")
def cases() -> list[tuple[Policy, list[Question]]]:
    """Random policies, and the questions to each."""
    catalog = district_catalog()
    rng = random.Random(2026)
    sizes = [rng.randint(1, 30) for _ in range(POLICIES)]
    return [(policy_of(_rules(rng, size, catalog)), _questions(rng, catalog)) for size in sizes]


def _rules(rng: random.Random, size: int, catalog: Catalog) -> tuple[Rule, ...]:
    return tuple(random_rule(rng, number, catalog) for number in range(size))


def _questions(rng: random.Random, catalog: Catalog) -> list[Question]:
    return [random_question(rng, catalog) for _ in range(QUESTIONS)]


def test_cedar_allows_what_casbin_allows_for_the_same_rules(
    cases: list[tuple[Policy, list[Question]]], tmp_path: Path
) -> None:
    """8,000 questions to 40 policies; where Casbin allows it looked at every rule, so did Cedar."""
    said = _asked([(policy.rules, policy, asked) for policy, asked in cases], tmp_path)
    allowed = denied = 0
    for (policy, asked), answers in zip(cases, said, strict=True):
        for question, (answer, rules) in zip(asked, answers, strict=True):
            ruling = policy.ask(question)
            assert _same(ruling, answer, rules), (question, ruling, answer, rules)
            allowed += answer
            denied += bool(rules) and not answer
    assert allowed > 100
    assert denied > 50


def test_the_shipped_policy_is_the_same_to_cedar(tmp_path: Path) -> None:
    """The rules that come with the product, asked by every kind of actor."""
    catalog, rng = district_catalog(), random.Random(12)
    policy = load_policy(catalog)
    asked = [random_question(rng, catalog) for _ in range(1500)]
    (answers,) = _asked([(policy.rules, policy, asked)], tmp_path)
    rulings = [policy.ask(question) for question in asked]
    assert all(_same(r, *answer) for r, answer in zip(rulings, answers, strict=True))
    assert any(ruling.allowed for ruling in rulings)


def test_one_effect_turned_round_in_the_translation_is_noticed(
    cases: list[tuple[Policy, list[Question]]], tmp_path: Path
) -> None:
    """The comparison can fail: it does for every policy in which the rule matters."""
    turned = []
    for policy, asked in cases:
        matched = [name for question in asked for name in policy.ask(question).rules]
        if matched:
            most = max(set(matched), key=matched.count)
            turned.append((_turned(policy.rules, most), policy, asked))
    assert len(turned) > POLICIES // 2
    for (_, policy, asked), answers in zip(turned, _asked(turned, tmp_path), strict=True):
        rulings = [policy.ask(question) for question in asked]
        assert not all(_same(r, *answer) for r, answer in zip(rulings, answers, strict=True))


def _asked(
    given: Sequence[tuple[tuple[Rule, ...], Policy, list[Question]]], folder: Path
) -> list[tuple[tuple[bool, frozenset[str]], ...]]:
    cases = [cedar.case(rules, policy.roles, asked) for rules, policy, asked in given]
    return [decided.answers for decided in peers.decided(peers.CEDAR, cases, folder)]


def _same(ruling: Ruling, answer: bool, rules: frozenset[str]) -> bool:
    """Casbin stops at the first denial; Cedar names every one, and no rule that allowed."""
    if ruling.allowed != answer:
        return False
    if answer or not rules:
        return frozenset(ruling.rules) == rules
    return bool(ruling.rules) and ruling.rules[-1] in rules


def _turned(rules: tuple[Rule, ...], name: str) -> tuple[Rule, ...]:
    return tuple(
        replace(rule, effect="deny" if rule.allows else "allow") if rule.id == name else rule
        for rule in rules
    )
