"""Whether a text is in a list, as SQL.

A few codes are compared one by one; a short list becomes one regular expression, which costs the
same for thirty codes and for three hundred; a long one is looked up, which makes a join of it.
(IN would make a join of any list, and a join inside the scan loses the order of the file.)

Source: RE2 (automata, linear time).
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from hub.quoting import literal, literals

LONGEST = 500  # codes in one expression
_FEW = 24


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
    if not is_long(codes):
        return f"NOT {is_one_of(text, codes)}"
    return f"{text} NOT IN (SELECT unnest([{literals(codes)}]::VARCHAR[]))"


def not_in_table(text: str, column: str, relation: str) -> str:
    """Return the SQL that a text is not among a relation's values; NULL for NULL."""
    known = f"IN (SELECT {column} FROM {relation} WHERE {column} IS NOT NULL)"
    return f"{text} IS NOT NULL AND {text} NOT {known}"


def is_long(codes: Sequence[str]) -> bool:
    """Say whether a list is looked up in a table of its own."""
    return len(codes) > LONGEST
