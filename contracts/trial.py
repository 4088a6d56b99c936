"""What only the engine knows: whether patterns, expressions and queries of a contract would run.

They are run once on no rows when contracts are loaded, so that a type that does not fit is a
finding then and not the end of a delivery run later.

Source: RE2 and DuckDB, as the check uses them.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from contracts.model import Contract
from contracts.shapes import bare
from contracts.sql_guard import OWN_TABLE, query, row_expression
from hub.quoting import identifier, literal
from hub.store.lake import trial

_TYPES = {
    "string": "VARCHAR",
    "integer": "BIGINT",
    "number": "DOUBLE",
    "boolean": "BOOLEAN",
    "date": "DATE",
    "timestamp": "TIMESTAMP",
}


def refused(contracts: Sequence[Contract]) -> Iterator[str]:
    """Yield, with file and line, what the engine would refuse to run."""
    with trial() as refusal:
        for contract in contracts:
            for line, name, sql in _statements(contract):
                reason = refusal(sql)
                if reason:
                    yield f"{contract.file}:{line}: {name}: the engine cannot run it: {reason}"


def _statements(contract: Contract) -> Iterator[tuple[int, str, str]]:
    """Yield (line, what it is of, statement)."""
    cells = ", ".join(
        f"CAST(NULL AS {_TYPES[p.logical_type]}) AS {identifier(p.name)}"
        for p in contract.properties
    )
    empty = f"(SELECT {cells} WHERE false)"
    for item in contract.properties:
        if item.options.pattern:
            yield item.line, f"pattern of {item.name}", _match(item.options.pattern)
    for rule in contract.rules:
        if "pattern" in rule.arguments:
            yield rule.line, f"rule {rule.name!r}", _match(rule.arguments["pattern"])
        elif rule.rule == "expression":
            test = row_expression(rule.arguments["sql"]).sql
            yield rule.line, f"rule {rule.name!r}", f"SELECT 1 FROM {empty} WHERE NOT ({test})"
        elif rule.type == "sql" and not rule.arguments["reads"]:
            column = rule.columns[0] if rule.columns else None
            number = query(rule.arguments["query"], column).sql
            # TRY_CAST would take any text for a number; + 0 takes numbers only
            yield (
                rule.line,
                f"rule {rule.name!r}",
                f"WITH {identifier(OWN_TABLE)} AS {empty} SELECT n + 0 FROM ({number}) AS t(n)",
            )


def _match(pattern: str) -> str:
    return f"SELECT regexp_full_match('', {literal(bare(pattern))})"
