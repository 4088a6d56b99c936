"""Rules about several rows: one head per household, a batch that is fresh, codes on a date."""

from __future__ import annotations

from collections import Counter
from datetime import date, timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from contracts.codes import Code, CodeSet, CodeSets
from contracts.verdict import BatchVerdict
from tests.contracts.small import AS_OF, check, contract, engine, failed

HOUSEHOLD = """
- {name: household, logicalType: string, classification: L1}
- {name: relation, logicalType: string, classification: L1}
"""
ONE_HEAD = """
- name: one_head
  type: custom
  engine: mingjing
  implementation: {rule: one_household_head, household: household, relation: relation, heads: ["01", "02"]}
"""
Cells = list[str | None]


def blamed(rows: list[Cells], folder: Path) -> set[int]:
    """Return the numbers of the rows that are blamed for their household."""
    of = contract(folder, HOUSEHOLD, ONE_HEAD)
    with engine(1) as con:
        check(con, of, rows)
        return {number for number, rules in failed(con).items() if "one_head" in rules}


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        ([["a", "h1", "02"], ["b", "h1", "10"]], set()),
        ([["a", "h1", "01"], ["b", "h2", "02"]], set()),
        ([["a", "h1", "10"], ["b", "h1", "20"], ["c", "h2", "02"]], {1, 2}),
        ([["a", "h1", "01"], ["b", "h1", "02"], ["c", "h1", "20"]], {1, 2, 3}),
        ([["a", "h1", "02"], ["a", "h1", "02"], ["b", "h1", "10"]], set()),
        ([["a", None, "10"], ["b", None, "02"], ["c", None, "02"]], set()),
        ([["a", "h1", None], ["b", "h1", "10"]], set()),
        ([["a", "h1", None], ["b", "h1", "02"], ["c", "h1", "02"]], {2, 3}),
        ([[None, "h1", "02"], ["b", "h1", "10"]], set()),
    ],
    ids=[
        "one head",
        "either code means head",
        "no head",
        "several heads",
        "a head listed twice is one",
        "no household is not judged",
        "no head, but a relation is missing",
        "several heads, though a relation is missing",
        "a head without key is a head",
    ],
)
def test_every_household_has_exactly_one_head(
    tmp_path: Path, rows: list[Cells], expected: set[int]
) -> None:
    assert blamed(rows, tmp_path) == expected


@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    st.lists(
        st.tuples(st.sampled_from(["h1", "h2", "h3", None]), st.sampled_from(["02", "10", None])),
        max_size=12,
    )
)
def test_heads_are_counted_like_by_hand(
    tmp_path: Path, rows: list[tuple[str | None, str | None]]
) -> None:
    heads = Counter(household for household, relation in rows if relation == "02")
    unknown = {household for household, relation in rows if relation is None}
    expected = {
        number
        for number, (household, relation) in enumerate(rows, start=1)
        if household is not None
        and relation is not None
        and (heads[household] > 1 or (heads[household] == 0 and household not in unknown))
    }
    assert blamed([[f"k{n}", *row] for n, row in enumerate(rows)], tmp_path) == expected


DATED = "- {name: seen, logicalType: date, classification: L1}\n"


def freshness(more: str = "", severity: str = "error") -> str:
    """Return a quality list with the rule freshness."""
    return (
        f"- name: fresh\n  type: custom\n  engine: mingjing\n  severity: {severity}\n"
        f"  implementation: {{rule: freshness, column: seen{more}}}\n"
    )


NOT_FUTURE = (
    "- name: not_ahead\n  type: custom\n  engine: mingjing\n"
    "  implementation: {rule: not_future, column: seen}\n"
)


def judged(folder: Path, days: list[str | None], quality: str) -> BatchVerdict:
    """Return the verdict on a batch of dates."""
    of = contract(folder, DATED, quality)
    with engine(1) as con:
        return check(con, of, [[f"k{n}", day] for n, day in enumerate(days)])


def ago(days: int) -> str:
    """Return the date so many days before the day of delivery."""
    return (AS_OF - timedelta(days)).isoformat()


@pytest.mark.parametrize(
    ("more", "age", "passed"),
    [
        ("", 31, True),
        ("", 32, False),
        (", days: 10", 10, True),
        (", days: 10", 11, False),
        (", days: 10", 0, True),
    ],
)
def test_a_batch_is_fresh_up_to_its_bound(
    tmp_path: Path, more: str, age: int, passed: bool
) -> None:
    verdict = judged(tmp_path, [ago(age), ago(4000)], freshness(more))
    result = verdict.result("fresh")
    assert (result.passed, result.measured, result.failing) == (passed, age, 0)
    assert verdict.passed is passed


@pytest.mark.parametrize("quality", [freshness(), freshness() + NOT_FUTURE])
def test_one_row_dated_2031_does_not_make_a_stale_batch_fresh(tmp_path: Path, quality: str) -> None:
    verdict = judged(tmp_path, [ago(300)] * 20 + ["2031-01-01"], quality)
    assert verdict.result("fresh").measured == 300
    assert not verdict.passed


def test_only_accepted_rows_speak_for_freshness(tmp_path: Path) -> None:
    of = contract(tmp_path, DATED, freshness())
    rows: list[Cells] = [[f"k{n}", ago(300)] for n in range(30)] + [[None, ago(0)]]
    with engine(1) as con:
        verdict = check(con, of, rows)
    assert verdict.quarantined == 1
    assert verdict.result("fresh").measured == 300
    assert "fresh" in {r.spec.id for r in verdict.results if not r.passed}


def test_a_batch_without_any_date_is_not_fresh(tmp_path: Path) -> None:
    verdict = judged(tmp_path, [None, None], freshness())
    result = verdict.result("fresh")
    assert (result.passed, result.measured) == (False, None)
    assert "no accepted row" in result.note
    assert not verdict.passed


def test_a_stale_batch_can_be_only_warned_of(tmp_path: Path) -> None:
    verdict = judged(tmp_path, [ago(300)], freshness(severity="warning"))
    assert not verdict.result("fresh").passed
    assert verdict.passed
    assert verdict == BatchVerdict.from_json(verdict.to_json())


PLACE = """
- {name: place, logicalType: string, classification: L1, customProperties: [{property: semanticType, value: division_code}]}
- {name: happened, logicalType: timestamp, classification: L1}
"""
ON_ITS_DATE = """
- name: placed
  type: custom
  engine: mingjing
  implementation: {rule: division_known, column: place, on_date: happened}
"""
OLD = Code("990106001002", "旧社区", valid_to=date(2020, 1, 1))
NEW = Code("990106001003", "新社区", valid_from=date(2020, 1, 2))
ALWAYS = Code("990106001001", "社区")
MANY = tuple(Code(f"{n:012}", "") for n in range(990107000000, 990107000600))


@pytest.mark.parametrize("more", [(), MANY], ids=["in the scan", "looked up"])
def test_a_division_code_is_judged_on_the_rows_own_date(
    tmp_path: Path, more: tuple[Code, ...]
) -> None:
    of = contract(tmp_path, PLACE, ON_ITS_DATE)
    places = CodeSets((CodeSet("division", (OLD, NEW, ALWAYS, *more)),))
    rows: list[Cells] = [
        ["a", OLD.code, "2020-01-01 23:59:59"],
        ["b", OLD.code, "2020-01-02 00:00:00"],
        ["c", NEW.code, "2020-01-01 23:59:59"],
        ["d", NEW.code, "2020-01-02 00:00:00"],
        ["e", ALWAYS.code, "1950-01-01 00:00:00"],
        ["f", "990106001009", "2020-01-01 00:00:00"],
        ["g", OLD.code, None],
        ["h", None, "2020-01-01 00:00:00"],
    ]
    with engine(1) as con:
        verdict = check(con, of, rows, code_sets=places)
        assert {n for n, rules in failed(con).items() if "placed" in rules} == {2, 3, 6}
    assert verdict.result("placed").evaluated == 6
