"""Whether a text is in a list, as SQL.

A few codes are compared one by one; a short list becomes one regular expression, which costs the
same for thirty codes and for three hundred; a long one is looked up, which makes a join of it.
(IN would make a join of any list, and a join inside the scan loses the order of the file.)

Source: RE2 (automata, linear time).
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from contracts.quoting import literal, literals

LONGEST = 500  # codes in one expression
_FEW = 24
_LOOK_UP = "IN (SELECT "


def alternation(codes: Sequence[str]) -> str:
    """Return an expression that full-matches exactly these texts."""
    return "|".join(re.escape(code) for code in codes)


def is_one_of(text: str, codes: Sequence[str]) -> str:
    """Return the SQL that a text is among codes; NULL for NULL."""
    if len(codes) > _FEW:
        return f"regexp_full_match({text}, {literal(alternation(codes))})"
    return f"list_contains([{literals(codes)}]::VARCHAR[], {text})"


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
