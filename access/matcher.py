"""Casbin's matcher as functions: the expression that Casbin parsed, walked once and not per row.

Knows what policies/model.conf uses (and, or, equality, a function of words, a word, a text) and
refuses anything else, so that it can mean nothing but what Casbin's own evaluator makes of it.
Pure.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Mapping
from operator import itemgetter
from typing import Any

from hub.errors import PolicyError

Names = Mapping[str, Any]
Part = Callable[[Names], Any]


class Matcher:
    """A parsed matcher, in the place of Casbin's evaluator.

    Raises:
        PolicyError: when the expression holds anything that is not known here.
    """

    def __init__(self, parsed: ast.expr, functions: Mapping[str, Callable[..., Any]]) -> None:
        self._holds = _part(parsed, functions)

    def eval(self, names: Names) -> bool:
        """Say whether a row matches, given request and row by their names in the expression."""
        return bool(self._holds(names))


def _part(node: ast.expr, functions: Mapping[str, Callable[..., Any]]) -> Part:
    match node:
        case ast.BoolOp(op=ast.And(), values=values):
            return _all([_part(value, functions) for value in values])
        case ast.BoolOp(op=ast.Or(), values=values):
            return _any([_part(value, functions) for value in values])
        case ast.Compare(left=left, ops=[ast.Eq()], comparators=[right]):
            return _equal(_part(left, functions), _part(right, functions))
        case ast.Call(func=ast.Name(id=name), args=args, keywords=[]) if name in functions:
            return _call(functions[name], [_word(argument) for argument in args])
        case ast.Name(id=name):
            return itemgetter(name)
        case ast.Constant(value=str(text)):
            return lambda _: text
        case _:
            raise PolicyError(f"the matcher holds what cannot be evaluated: {ast.unparse(node)}")


def _all(parts: list[Part]) -> Part:
    def holds(names: Names) -> bool:
        for part in parts:  # noqa: SIM110 - a generator for every row costs as much as the parts
            if not part(names):
                return False
        return True

    return holds


def _any(parts: list[Part]) -> Part:
    return lambda names: any(part(names) for part in parts)


def _equal(left: Part, right: Part) -> Part:
    return lambda names: left(names) == right(names)


def _word(node: ast.expr) -> str:
    if not isinstance(node, ast.Name):
        raise PolicyError(f"the matcher gives a function no word: {ast.unparse(node)}")
    return node.id


def _call(function: Callable[..., Any], words: list[str]) -> Part:
    if len(words) == 1:
        return lambda names: function(names[words[0]])
    given = itemgetter(*words)
    return lambda names: function(*given(names))
