"""Periods: what a manifest states, partitions of a cycle, what a nameless file is about."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.cards.periods import (
    Period,
    about,
    label,
    months_later,
    partition,
    partitions,
    stated,
)

DAYS = st.dates(date(2020, 1, 1), date(2032, 12, 31))
CYCLES = st.sampled_from(["realtime", "daily", "weekly", "monthly", "quarterly", "yearly"])


@pytest.mark.parametrize(
    ("text", "first", "last"),
    [
        ("2026", date(2026, 1, 1), date(2026, 12, 31)),
        ("2026-02", date(2026, 2, 1), date(2026, 2, 28)),
        ("2026-02-28", date(2026, 2, 28), date(2026, 2, 28)),
        ("2026Q4", date(2026, 10, 1), date(2026, 12, 31)),
        ("2026-Q1", date(2026, 1, 1), date(2026, 3, 31)),
    ],
)
def test_a_stated_period_is_a_stretch_of_days(text: str, first: date, last: date) -> None:
    assert stated(text) == Period(first, last)


@pytest.mark.parametrize("text", [None, "", "2026-13", "2026-02-30", "June", "2026Q5"])
def test_what_states_no_period_is_none(text: str | None) -> None:
    assert stated(text) is None


@given(DAYS, CYCLES)
def test_partitions_tile_the_days(day: date, cycle: str) -> None:
    here = partition(day, cycle)
    assert here.first <= day <= here.last
    assert partition(here.last + timedelta(days=1), cycle).first == here.last + timedelta(days=1)
    assert partition(here.first, cycle) == here == partition(here.last, cycle)


@given(DAYS, CYCLES)
def test_a_partitions_name_states_a_day_of_it(day: date, cycle: str) -> None:
    here = partition(day, cycle)
    found = stated(label(here, cycle))
    assert found is not None
    assert here.holds(found)


@given(DAYS, st.integers(0, 60), CYCLES)
def test_only_partitions_that_are_over_are_listed(day: date, later: int, cycle: str) -> None:
    until = day + timedelta(days=later)
    found = list(partitions(day, until, cycle))
    assert all(part.last < until for part in found)
    assert partition(until, cycle) not in found


def test_a_nameless_file_is_about_what_was_over() -> None:
    assert label(about(None, "monthly", date(2026, 6, 30)), "monthly") == "2026-05"
    assert label(about("2026-06", "monthly", date(2026, 6, 30)), "monthly") == "2026-06"


def test_months_later_keeps_to_the_month() -> None:
    assert months_later(date(2026, 8, 31), 3) == date(2026, 11, 30)
    assert months_later(date(2026, 8, 15), 0) == date(2026, 8, 15)
