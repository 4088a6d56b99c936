"""How a batch-level number is measured: ODCS library metrics and guarded SQL; pure text.

Source: ODCS v3.2 library metrics and type `sql`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from contracts.checks import CheckSpec
from contracts.conditions import invalid_sql, missing_sql
from contracts.frame import CHECKED, Frame
from contracts.rules import NAMED_RULES
from contracts.sql_guard import query
from hub.quoting import identifier


@dataclass(frozen=True, slots=True)
class Measure:
    """One statement that gives one number.

    Args:
        counts_rows: True when the number counts failing rows, so that it can also be a percent.
        unproven: why the check fails when there is no number; "" where it then says nothing.
    """

    sql: str
    counts_rows: bool
    unproven: str = ""


def measure(frame: Frame, spec: CheckSpec) -> Measure | None:
    """Return how a batch-level check is measured, or None when it cannot be now."""
    if spec.kind == "rowCount":
        return Measure(f"SELECT count(*) FROM {CHECKED}", counts_rows=False)
    if spec.kind == "sql":
        return _query(frame, spec)
    if spec.kind in NAMED_RULES:
        rule = NAMED_RULES[spec.kind]
        number = rule.fails(frame, spec.arguments)
        return Measure(number, counts_rows=False, unproven=rule.unproven) if number else None
    if spec.kind == "duplicateValues":
        counted = f"SELECT coalesce(sum(n - 1), 0) FROM {repeated_table(spec.columns)}"
        return Measure(counted, counts_rows=True)
    failing = invalid_sql(frame, spec) if spec.kind == "invalidValues" else missing_sql(frame, spec)
    cell = identifier(spec.columns[0])
    named = f"SELECT CAST({cell} AS VARCHAR) AS {frame.text(spec.columns[0])} FROM {CHECKED}"
    return Measure(f"SELECT count(*) FROM ({named}) WHERE {failing}", counts_rows=True)


def repeated_table(columns: Sequence[str]) -> str:
    """Return the name of the table of keys that occur more than once: (h hash, n rows)."""
    return identifier(f"repeated:{','.join(columns)}")


def _query(frame: Frame, spec: CheckSpec) -> Measure | None:
    column = spec.columns[0] if spec.columns else None
    tables = {name.rpartition(".")[0]: relation for name, relation in frame.references.items()}
    wanted = spec.arguments.get("reads", ())
    if any(dataset not in tables for dataset in wanted):
        return None
    return Measure(query(str(spec.arguments["query"]), column, tables).sql, counts_rows=False)
