"""Run a compiled batch on a connection and say what it was found to be.

The connection is passed in and left with `accepted`, `quarantine`, `findings` and `changes`:

    accepted    (row_number, one typed column per contract column), rows without an error
    quarantine  (row_number, failed_rules VARCHAR[], every column as cleaned text)
    findings    (row_number, rule), every failed row check of every row, warnings included
    changes     (row_number, column_name, transform), one row per changed cell and step

Source: ODCS v3.2 data quality.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

from contracts.checks import CheckSpec
from contracts.compile import CompiledBatch
from contracts.outcome import changes
from contracts.verdict import BatchVerdict, CheckResult, judge
from hub.errors import ConfigError
from hub.store.lake import rows_within

VIEWS = ("accepted", "dataset", "findings", "quarantine")
TABLES = ("checked", "flawed", "changes")


class Cursor(Protocol):
    """What a statement gives back."""

    def fetchall(self) -> list[Any]:
        """Return every row."""
        ...

    def fetchone(self) -> Any:
        """Return the next row, or None."""
        ...


class Connection(Protocol):
    """A DuckDB connection, or whatever behaves like one."""

    def execute(self, query: str, /) -> Cursor:
        """Run one statement."""
        ...

    def interrupt(self) -> None:
        """Stop the statement that another thread runs."""
        ...


def run_batch(
    con: Connection, compiled: CompiledBatch, *, sql_seconds: float = 60.0
) -> BatchVerdict:
    """Return the verdict on a batch and leave its rows split in the connection.

    Args:
        sql_seconds: a rule of type `sql` that takes longer is not evaluated and does not pass.

    Raises:
        ConfigError: when rows would be numbered wrongly because the connection does not keep
            the order of what it reads.
    """
    if not compiled.numbered:
        _require_order(con)
    con.execute(compiled.scan)
    for statement in (*compiled.afterwards, *compiled.results):
        con.execute(statement)
    touched = con.execute(compiled.touched).fetchone()
    con.execute(changes([sql for sql, any_ in zip(compiled.changes, touched, strict=True) if any_]))
    rows, *evaluated = con.execute(compiled.totals).fetchone()
    quarantined, flawed_keys, inaccurate, warned, *failing = con.execute(
        compiled.failures
    ).fetchone()
    results = _results(con, compiled, rows, evaluated, failing, sql_seconds)
    for statement in compiled.leftovers:
        con.execute(statement)
    stopped = tuple(item.spec.title for item in results if item.spec.bit is None and _stops(item))
    key_accuracy = 1 - flawed_keys / rows if rows else None
    overall = (rows - quarantined) / rows if rows else None
    passed, reason = judge(rows, overall, key_accuracy, compiled.bar, stopped)
    return BatchVerdict(
        dataset=compiled.dataset,
        rows=rows,
        accepted=rows - quarantined,
        quarantined=quarantined,
        warnings=warned,
        results=results,
        changes=_changes(con),
        key_accuracy=key_accuracy,
        overall=overall,
        passed=passed,
        reason=reason,
        accuracy_failing=inaccurate,
    )


def release(con: Connection) -> None:
    """Drop everything a batch left in the connection."""
    for view in VIEWS:
        con.execute(f"DROP VIEW IF EXISTS {view}")
    for table in TABLES:
        con.execute(f"DROP TABLE IF EXISTS {table}")


def _require_order(con: Connection) -> None:
    kept = con.execute("SELECT current_setting('preserve_insertion_order')").fetchone()
    if not kept or not kept[0]:
        raise ConfigError("set preserve_insertion_order = true: row numbers depend on it")


def _results(
    con: Connection,
    compiled: CompiledBatch,
    rows: int,
    evaluated: Sequence[int],
    failing: Sequence[int],
    sql_seconds: float,
) -> tuple[CheckResult, ...]:
    counts = iter(failing)
    results = []
    for spec, seen in zip(compiled.specs, evaluated, strict=True):
        count = next(counts) if spec.bit is not None else 0
        if spec.id in compiled.skipped:
            results.append(CheckResult(spec, 0, 0, True, note=compiled.skipped[spec.id]))
        elif spec.bit is None:
            results.append(_measured(con, compiled, spec, rows, sql_seconds))
        else:
            known = seen + count if spec.kind == "type" else seen
            results.append(CheckResult(spec, count, known, count == 0))
    return tuple(results)


def _measured(
    con: Connection, compiled: CompiledBatch, spec: CheckSpec, rows: int, sql_seconds: float
) -> CheckResult:
    found = compiled.measures[spec.id]
    assert spec.threshold is not None
    number_of = f"SELECT * FROM ({found.sql}) LIMIT 2"
    if spec.kind == "sql":
        numbers = rows_within(con, number_of, sql_seconds)
        if numbers is None:
            late = f"not evaluated: took longer than {sql_seconds:g} s"
            return CheckResult(spec, 0, rows, False, note=late)
    else:
        numbers = con.execute(number_of).fetchall()
    if len(numbers) > 1:
        return CheckResult(spec, 0, rows, False, note="the query gave several rows, not one number")
    number = numbers[0][0] if numbers else None
    if number is None and found.unproven and rows:
        return CheckResult(spec, 0, rows, False, note=found.unproven)
    if number is None:
        return CheckResult(spec, 0, 0, True, note="not evaluated: the query gave no number")
    failing = int(number) if found.counts_rows else 0
    if spec.threshold.unit == "percent" and found.counts_rows:
        if not rows:
            return CheckResult(spec, 0, 0, True, note="not evaluated: no rows")
        number = 100 * number / rows
    return CheckResult(spec, failing, rows, spec.threshold.holds(float(number)), float(number))


def _stops(result: CheckResult) -> bool:
    return result.spec.severity == "error" and not result.passed


def _changes(con: Connection) -> tuple[tuple[str, str, int], ...]:
    counted = con.execute(
        "SELECT column_name, transform, count(*) FROM changes GROUP BY ALL ORDER BY 1, 2"
    ).fetchall()
    return tuple((str(column), str(transform), int(count)) for column, transform, count in counted)
