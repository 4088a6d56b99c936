"""SQL text from names and values: the only two ways anything enters a statement here.

Source: ISO/IEC 9075-2 (delimited identifiers, character string literals).
"""

from __future__ import annotations

from collections.abc import Iterable


def identifier(name: str) -> str:
    """Return a name as a delimited SQL identifier.

    >>> identifier('a"b')
    '"a""b"'
    """
    return '"' + name.replace('"', '""') + '"'


def literal(text: str) -> str:
    """Return a text as an SQL string literal.

    >>> literal("it's")
    "'it''s'"
    """
    return "'" + text.replace("'", "''") + "'"


def literals(texts: Iterable[str]) -> str:
    """Return texts as a comma-separated list of SQL string literals."""
    return ", ".join(literal(text) for text in texts)
