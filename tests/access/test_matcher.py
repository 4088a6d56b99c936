"""The matcher means what Casbin's evaluator makes of it, and nothing else is evaluated."""

from __future__ import annotations

import ast
from itertools import product
from typing import Any

import casbin
import pytest

from access.matcher import Matcher
from hub.errors import PolicyError

FUNCTIONS = {"same": lambda a, b: a == b, "yes": lambda a: a == "y"}


def matcher(text: str) -> Matcher:
    parsed = ast.parse(text, mode="eval").body
    return Matcher(parsed, FUNCTIONS)


@pytest.mark.parametrize(
    "text",
    [
        "yes(r_a) && same(r_a, p_b)",
        '(p_b == "any" || p_b == r_a) && yes(r_c)',
        'yes(r_a) || (r_a == p_b && r_c == "y") || same(p_b, r_c)',
        'r_a == "y"',
    ],
)
def test_it_says_what_casbin_says(text: str) -> None:
    """For every value of every word."""
    theirs = casbin.Enforcer._get_expression(text, dict(FUNCTIONS))
    ours = Matcher(theirs.ast_parsed_value, FUNCTIONS)
    said = set()
    for a, b, c in product(("y", "n", "any", ""), repeat=3):
        names = {"r_a": a, "p_b": b, "r_c": c}
        assert ours.eval(names) is bool(theirs.eval(names)), names
        said.add(ours.eval(names))
    assert said == {True, False}


@pytest.mark.parametrize(
    "text",
    [
        "r_a.b == 'y'",
        "not yes(r_a)",
        "r_a < p_b",
        "r_a == p_b == r_c",
        "r_a != p_b",
        "yes(r_a) if r_a else r_a",
        "__import__('os')",
        "eval(p_b)",
        "same(a=r_a, b=p_b)",
        "yes(yes(r_a))",
        "yes('y')",
        "r_a == 1",
        "[yes(r_a)]",
        "(lambda: r_a)()",
    ],
)
def test_anything_else_is_refused_before_it_is_evaluated(text: str) -> None:
    with pytest.raises(PolicyError, match="the matcher"):
        matcher(text)


def test_a_word_that_is_not_there_breaks_and_allows_nothing() -> None:
    names: dict[str, Any] = {"r_a": "y"}
    with pytest.raises(KeyError):
        matcher("yes(r_a) and yes(p_b)").eval(names)
