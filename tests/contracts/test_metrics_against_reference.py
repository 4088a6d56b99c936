"""Every library metric with every operator in both units, against a slow count in plain Python."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from contracts.model import Contract
from contracts.quality import OPERATORS
from tests.contracts.small import check, contract, engine, failed

Row = tuple[str | None, str | None]
Blamed = Callable[[list[Row]], set[int]]


def _where(test: Callable[[str | None], bool]) -> Blamed:
    return lambda rows: {n for n, (a, _) in enumerate(rows, start=1) if test(a)}


def _repeated(part: Callable[[Row], tuple[str | None, ...]]) -> Blamed:
    def blamed(rows: list[Row]) -> set[int]:
        count = Counter(part(row) for row in rows if None not in part(row))
        return {n for n, row in enumerate(rows, start=1) if count[part(row)] > 1}

    return blamed


def _beyond_first(part: Callable[[Row], tuple[str | None, ...]]) -> Callable[[list[Row]], int]:
    def count(rows: list[Row]) -> int:
        whole = [part(row) for row in rows if None not in part(row)]
        return len(whole) - len(set(whole))

    return count


def _size(blamed: Blamed) -> Callable[[list[Row]], int]:
    return lambda rows: len(blamed(rows))


NULLS = _where(lambda a: a is None)
MISSING = _where(lambda a: a in (None, "y"))
UNLISTED = _where(lambda a: a is not None and a not in ("x", "y"))
UNFORMED = _where(lambda a: a is not None and a not in ("y", "z"))
#: name -> (YAML of the metric, on the schema object?, its number, the rows it blames)
METRICS: dict[str, tuple[str, bool, Callable[[list[Row]], int], Blamed]] = {
    "nulls": ("metric: nullValues", False, _size(NULLS), NULLS),
    "missing": (
        "metric: missingValues, arguments: {missingValues: [y, '', null]}",
        False,
        _size(MISSING),
        MISSING,
    ),
    "unlisted": (
        "metric: invalidValues, arguments: {validValues: [x, y]}",
        False,
        _size(UNLISTED),
        UNLISTED,
    ),
    "unformed": (
        "metric: invalidValues, arguments: {pattern: '^[yz]$'}",
        False,
        _size(UNFORMED),
        UNFORMED,
    ),
    "repeated": (
        "metric: duplicateValues",
        False,
        _beyond_first(lambda row: row[:1]),
        _repeated(lambda row: row[:1]),
    ),
    "pairs": (
        "metric: duplicateValues, arguments: {properties: [a, b]}",
        True,
        _beyond_first(lambda row: row),
        _repeated(lambda row: row),
    ),
    "count": ("metric: rowCount", True, len, lambda _: set()),
}
HOLDS: dict[str, Callable[[float, float, float], bool]] = {
    "mustBe": lambda n, low, _: n == low,
    "mustNotBe": lambda n, low, _: n != low,
    "mustBeGreaterThan": lambda n, low, _: n > low,
    "mustBeGreaterOrEqualTo": lambda n, low, _: n >= low,
    "mustBeLessThan": lambda n, low, _: n < low,
    "mustBeLessOrEqualTo": lambda n, low, _: n <= low,
    "mustBeBetween": lambda n, low, high: low <= n <= high,
    "mustNotBeBetween": lambda n, low, high: n < low or n > high,
}
BOUNDS = {"rows": ((0, 1), (1, 3), (2, 4)), "percent": ((0, 25), (25, 50), (50, 100))}
Case = tuple[str, str, str, str, int, int]


def cases() -> Iterator[Case]:
    """Yield (rule, metric, operator, unit, low, high) of the whole table."""
    for metric in METRICS:
        for operator in OPERATORS:
            for unit, bounds in BOUNDS.items():
                if (metric, unit) == ("count", "percent"):
                    continue
                for low, high in bounds:
                    yield (
                        f"{metric}_{operator.lower()}_{unit}_{low}",
                        metric,
                        operator,
                        unit,
                        low,
                        high,
                    )


CASES = tuple(cases())


def _rule(case: Case) -> str:
    name, metric, operator, unit, low, high = case
    bound = f"[{low}, {high}]" if operator.endswith("Between") else str(low)
    yaml = f"type: library, {METRICS[metric][0]}, {operator}: {bound}, unit: {unit}"
    return f"- {{name: {name}, severity: warning, {yaml}}}\n"


@pytest.fixture(scope="module")
def table(tmp_path_factory: pytest.TempPathFactory) -> Contract:
    """The whole table as one contract."""
    own = "".join("    " + _rule(case) for case in CASES if not METRICS[case[1]][1])
    columns = (
        f"- name: a\n  logicalType: string\n  classification: L1\n  quality:\n{own}"
        "- {name: b, logicalType: string, classification: L1}\n"
    )
    whole = "".join(_rule(case) for case in CASES if METRICS[case[1]][1])
    return contract(tmp_path_factory.mktemp("table"), columns, whole)


def test_the_table_is_whole(table: Contract) -> None:
    assert set(HOLDS) == set(OPERATORS)
    assert len(table.rules) == len(CASES) == 6 * 8 * 2 * 3 + 8 * 3


CELLS = st.sampled_from(["x", "y", "z", None])


@settings(
    max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(rows=st.lists(st.tuples(CELLS, CELLS), max_size=8))
def test_every_metric_operator_and_unit_agrees_with_a_count_by_hand(
    table: Contract, rows: list[Row]
) -> None:
    with engine(1) as con:
        verdict = check(con, table, [[f"k{n}", *row] for n, row in enumerate(rows)])
        found = failed(con)
    results = {result.spec.id: result for result in verdict.results}
    for name, metric, operator, unit, low, high in CASES:
        _, _, number, blamed = METRICS[metric]
        counted, result = float(number(rows)), results[name]
        if unit == "percent" and not rows:
            assert result.passed, name  # a share of nothing says nothing
            continue
        measured = 100 * counted / len(rows) if unit == "percent" else counted
        assert result.passed is HOLDS[operator](measured, low, high), (name, measured)
        rules_of = {n for n, rules in found.items() if name in rules}
        if result.spec.bit is None:
            assert result.measured == measured, name
            assert rules_of == set(), name
        else:
            assert rules_of == blamed(rows), name


def test_who_tolerates_none_blames_rows_and_the_others_judge_the_batch(table: Contract) -> None:
    with engine(1) as con:
        verdict = check(con, table, [])
    rows_blamed = {r.spec.id.split("_", 1)[1] for r in verdict.results if r.spec.bit is not None}
    named = {name for name in rows_blamed if name.startswith("must")}
    assert named == {
        "mustbe_rows_0",
        "mustbe_percent_0",
        "mustbelessorequalto_rows_0",
        "mustbelessorequalto_percent_0",
        "mustbelessthan_rows_1",
    }
