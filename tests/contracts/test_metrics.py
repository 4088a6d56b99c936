"""ODCS library metrics and SQL checks: every operator, both units, and who is blamed."""

from __future__ import annotations

from pathlib import Path

import pytest

from contracts.model import Threshold
from tests.contracts.small import check, contract, engine, failed

ROWS: list[list[str | None]] = [["k1", "x"], ["k2", None], ["k3", "x"], ["k4", "y"]]


def column(metric: str) -> str:
    """Return a column with one library metric."""
    return (
        "- name: a\n  logicalType: string\n  classification: L1\n  quality:\n"
        f"    - {{name: the_metric, type: library, {metric}}}\n"
    )


@pytest.mark.parametrize(
    ("metric", "passed", "measured"),
    [
        ("metric: nullValues, mustBeLessThan: 2", True, 1),
        ("metric: nullValues, mustBeLessThan: 25, unit: percent", False, 25),
        ("metric: nullValues, mustBeLessOrEqualTo: 25, unit: percent", True, 25),
        ("metric: missingValues, mustBe: 3, arguments: {missingValues: [null, '', x]}", True, 3),
        ("metric: invalidValues, mustBe: 1, arguments: {validValues: [x]}", True, 1),
        ("metric: invalidValues, mustNotBe: 1, arguments: {pattern: '^[xz]$'}", False, 1),
        ("metric: duplicateValues, mustBeGreaterThan: 0", True, 1),
        ("metric: duplicateValues, mustBeBetween: [2, 3]", False, 1),
    ],
)
def test_a_metric_with_tolerance_judges_the_batch(
    tmp_path: Path, metric: str, passed: bool, measured: float
) -> None:
    with engine() as con:
        verdict = check(con, contract(tmp_path, column(metric)), ROWS)
        assert failed(con) == {}
    result = verdict.result("the_metric")
    assert (result.passed, result.measured, result.spec.bit) == (passed, measured, None)
    assert verdict.passed is passed
    assert passed or "a" in verdict.reason


@pytest.mark.parametrize(
    ("metric", "blamed"),
    [
        ("metric: nullValues, mustBe: 0", [2]),
        ("metric: nullValues, mustBeLessThan: 1", [2]),
        ("metric: missingValues, mustBe: 0, unit: percent, arguments: {missingValues: [y]}", [2, 4]),
        ("metric: invalidValues, mustBeLessOrEqualTo: 0, arguments: {validValues: [x]}", [4]),
        ("metric: duplicateValues, mustBe: 0", [1, 3]),
    ],
)  # fmt: skip
def test_a_metric_that_tolerates_none_blames_its_rows(
    tmp_path: Path, metric: str, blamed: list[int]
) -> None:
    with engine() as con:
        verdict = check(con, contract(tmp_path, column(metric)), ROWS)
        assert failed(con) == {number: ["the_metric"] for number in blamed}
    assert verdict.quarantined == len(blamed)


@pytest.mark.parametrize(
    ("query", "threshold", "passed"),
    [
        ("SELECT count(*) FROM ${object} WHERE a = 'x'", "mustBe: 2", True),
        ("SELECT count(DISTINCT a) FROM ${table}", "mustBeGreaterThan: 2", False),
        ("SELECT max(length(thing_id)) FROM {model}", "mustBeBetween: [1, 2]", True),
    ],
)
def test_sql_gives_one_number(tmp_path: Path, query: str, threshold: str, passed: bool) -> None:
    quality = f'- {{name: counted, type: sql, query: "{query}", {threshold}}}\n'
    columns = "- {name: a, logicalType: string, classification: L1}\n"
    with engine() as con:
        verdict = check(con, contract(tmp_path, columns, quality), ROWS)
    assert verdict.result("counted").passed is passed


def test_sql_over_nothing_published_is_not_evaluated(tmp_path: Path) -> None:
    columns = """
    - name: a
      logicalType: string
      classification: L1
      relationships: [{to: test.thing.thing_id}]
    """
    query = "SELECT count(*) FROM ${object} o JOIN test.thing t ON t.thing_id = o.a"
    quality = f'- {{name: counted, type: sql, query: "{query}", mustBe: 1}}\n'
    of = contract(tmp_path, columns, quality)
    with engine() as con:
        absent = check(con, of, [["k", "p1"]]).result("counted")
        con.execute("CREATE TABLE published AS SELECT 'p1' AS thing_id")
        there = check(
            con, of, [["k", "p1"]], references={"test.thing.thing_id": "published"}
        ).result("counted")
    assert (absent.evaluated, absent.passed) == (0, True)
    assert "test.thing" in absent.note
    assert (there.measured, there.passed) == (1, True)


@pytest.mark.parametrize(
    ("operator", "values", "holding", "breaking"),
    [
        ("mustBe", (2.0,), 2, 3),
        ("mustNotBe", (2.0,), 3, 2),
        ("mustBeGreaterThan", (2.0,), 3, 2),
        ("mustBeGreaterOrEqualTo", (2.0,), 2, 1),
        ("mustBeLessThan", (2.0,), 1, 2),
        ("mustBeLessOrEqualTo", (2.0,), 2, 3),
        ("mustBeBetween", (2.0, 4.0), 4, 5),
        ("mustNotBeBetween", (2.0, 4.0), 5, 4),
    ],
)
def test_every_operator(
    operator: str, values: tuple[float, ...], holding: float, breaking: float
) -> None:
    threshold = Threshold(operator, values)
    assert threshold.holds(holding)
    assert not threshold.holds(breaking)
    assert str(threshold).endswith("rows")


@pytest.mark.parametrize("severity", ["error", "warning"])
def test_sql_that_never_ends_is_stopped_and_does_not_pass(tmp_path: Path, severity: str) -> None:
    """Fail closed: what could not be evaluated proves nothing; the next rule is evaluated."""
    endless = (
        "SELECT count(*) FROM ${object} AS a, ${object} AS b, ${object} AS c, ${object} AS d "
        "WHERE a.thing_id || b.thing_id < c.thing_id || d.thing_id"
    )
    quality = (
        f'- {{name: endless, type: sql, query: "{endless}", mustBeLessThan: 1, '
        f"severity: {severity}}}\n"
        '- {name: counted, type: sql, query: "SELECT count(*) FROM ${object}", mustBe: 2000}\n'
    )
    rows: list[list[str | None]] = [[f"k{n:05}"] for n in range(2000)]
    with engine() as con:
        verdict = check(con, contract(tmp_path, quality=quality), rows, sql_seconds=0.2)
    stopped, counted = verdict.result("endless"), verdict.result("counted")
    assert (stopped.passed, stopped.measured) == (False, None)
    assert stopped.note == "not evaluated: took longer than 0.2 s"
    assert counted.passed
    assert verdict.passed is (severity == "warning")
