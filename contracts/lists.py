"""Whether a text is in a list, as SQL.

A short list becomes one regular expression, which costs the same for two codes and for two
hundred; a long one is looked up, which makes a join of it.

Source: RE2 (automata, linear time).
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from contracts.quoting import literal, literals

LONGEST = 500  # codes in one expression
_FEW = 12
_GROUP = 4
_LOOK_UP = "IN (SELECT "


def alternation(codes: Sequence[str]) -> str:
    """Return an expression that full-matches exactly these texts."""
    return "|".join(re.escape(code) for code in codes)


def is_one_of(text: str, codes: Sequence[str]) -> str:
    """Return the SQL that a text is among codes; NULL for NULL.

    Up to a dozen codes are compared in groups that the engine does not turn into a join.
    """
    if len(codes) > _FEW:
        return f"regexp_full_match({text}, {literal(alternation(codes))})"
    groups = [codes[start : start + _GROUP] for start in range(0, len(codes), _GROUP)]
    return f"({' OR '.join(f'{text} IN ({literals(group)})' for group in groups)})"


def none_of(text: str, codes: Sequence[str]) -> str:
    """Return the SQL that a text is not among codes; NULL for NULL."""
    if len(codes) <= LONGEST:
        return f"NOT {is_one_of(text, codes)}"
    return f"{text} NOT {_LOOK_UP}unnest([{literals(codes)}]::VARCHAR[]))"


def not_in_table(text: str, column: str, relation: str) -> str:
    """Return the SQL that a text is not among a relation's values; NULL for NULL."""
    known = f"{_LOOK_UP}{column} FROM {relation} WHERE {column} IS NOT NULL)"
    return f"{text} IS NOT NULL AND {text} NOT {known}"


def is_look_up(sql: str) -> bool:
    """Say whether a condition made here reads a table."""
    return _LOOK_UP in sql
