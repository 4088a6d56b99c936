"""Working days: the shipped year, a hub's own table, arithmetic, days of Asia/Shanghai."""

from __future__ import annotations

import logging
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.calendar import WorkCalendar, day_of, end_of, load_calendar, start_of
from hub.errors import ConfigError

SHIPPED = load_calendar()
DAYS = st.dates(date(2025, 12, 1), date(2027, 1, 31))


@pytest.mark.parametrize(
    ("day", "worked"),
    [
        (date(2026, 1, 1), False),
        (date(2026, 1, 4), True),
        (date(2026, 2, 17), False),
        (date(2026, 2, 28), True),
        (date(2026, 6, 19), False),
        (date(2026, 10, 10), True),
        (date(2026, 10, 11), False),
        (date(2026, 11, 20), True),
        (date(2026, 11, 21), False),
    ],
)
def test_the_shipped_year_knows_holidays_and_shifted_days(day: date, worked: bool) -> None:
    assert SHIPPED.is_working_day(day) is worked


def test_spring_festival_is_not_counted() -> None:
    friday = date(2026, 2, 13)
    assert SHIPPED.add_working_days(friday, 1) == date(2026, 2, 14)
    assert SHIPPED.add_working_days(friday, 2) == date(2026, 2, 24)
    assert SHIPPED.working_days_between(friday, date(2026, 2, 24)) == 2


@given(DAYS, st.integers(0, 40))
def test_adding_and_counting_undo_each_other(day: date, count: int) -> None:
    later = SHIPPED.add_working_days(day, count)
    assert SHIPPED.working_days_between(day, later) == count
    assert count == 0 or SHIPPED.is_working_day(later)


@given(DAYS, DAYS, DAYS)
def test_counts_add_up_over_any_day_between(one: date, two: date, three: date) -> None:
    first, middle, last = sorted((one, two, three))
    parts = SHIPPED.working_days_between(first, middle) + SHIPPED.working_days_between(middle, last)
    assert SHIPPED.working_days_between(first, last) == parts
    assert SHIPPED.working_days_between(last, first) == -parts


@given(DAYS, st.integers(0, 20), st.integers(0, 20))
def test_adding_twice_is_adding_the_sum(day: date, one: int, two: int) -> None:
    stepwise = SHIPPED.add_working_days(SHIPPED.add_working_days(day, one), two)
    assert stepwise == SHIPPED.add_working_days(day, one + two)


def test_a_year_without_table_counts_weekdays_and_says_so_once(
    caplog: pytest.LogCaptureFixture,
) -> None:
    calendar = WorkCalendar({date(2026, 1, 1): False})
    with caplog.at_level(logging.WARNING, "mingjing.calendar"):
        assert calendar.is_working_day(date(2031, 1, 1))
        assert not calendar.is_working_day(date(2031, 1, 4))
        assert not calendar.is_working_day(date(2026, 1, 1))
    assert [record.getMessage()[:33] for record in caplog.records] == [
        "no holidays are known of 2031: Mo"
    ]


def test_a_hubs_own_table_adds_and_overrides(tmp_path: Path) -> None:
    own = tmp_path / "calendar.csv"
    own.write_text(
        "date,kind,note\n2026-10-10,holiday,own\n\n2027-01-02,workday,own\n", encoding="utf-8-sig"
    )
    calendar = load_calendar(own)
    assert not calendar.is_working_day(date(2026, 10, 10))
    assert calendar.is_working_day(date(2027, 1, 2))
    assert calendar.is_working_day(date(2026, 1, 4))
    assert load_calendar(tmp_path / "none.csv").is_working_day(date(2026, 10, 10))


def test_every_line_that_does_not_fit_is_named(tmp_path: Path) -> None:
    own = tmp_path / "calendar.csv"
    own.write_text(
        "date,kind,note\n2026-13-01,holiday,\n2026-12-01,feast,\n2026-12-02\n"
        "2026-12-03,holiday,\n2026-12-03,workday,\n"
    )
    with pytest.raises(ConfigError) as error:
        load_calendar(own)
    assert [text.split(":")[1] for text in error.value.findings] == ["2", "3", "4", "6"]
    own.write_text("day;kind\n")
    with pytest.raises(ConfigError, match="date,kind,note"):
        load_calendar(own)


def test_a_day_begins_at_midnight_in_shanghai() -> None:
    assert day_of(datetime(2026, 6, 30, 15, 59, tzinfo=UTC)) == date(2026, 6, 30)
    assert day_of(datetime(2026, 6, 30, 16, 0, tzinfo=UTC)) == date(2026, 7, 1)
    assert start_of(date(2026, 7, 1)) == datetime(2026, 6, 30, 16, tzinfo=UTC)
    assert end_of(date(2026, 7, 1)) - start_of(date(2026, 7, 1)) == timedelta(days=1)
