"""Periods: which stretch of days a delivery is about, and which deliveries a contract expects.

A partition is one stretch of a dataset's update cycle: a day, an ISO week, a month, a quarter, a
year. A manifest states its period as YYYY, YYYY-MM, YYYY-MM-DD or YYYYQn; a delivery that states
none counts for the last partition that was over when its bytes landed, so that a nameless file
can never make the present look delivered.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta

_STATED = re.compile(r"(\d{4})(?:-?Q([1-4])|-(\d{2})(?:-(\d{2}))?)?")
_MONTHS = {"monthly": 1, "quarterly": 3, "yearly": 12}


@dataclass(frozen=True, slots=True, order=True)
class Period:
    """A stretch of days, both ends included."""

    first: date
    last: date

    def holds(self, other: Period) -> bool:
        """Say whether the other stretch lies inside this one."""
        return self.first <= other.first and other.last <= self.last


def stated(text: str | None) -> Period | None:
    """Return the stretch that a manifest's period states, or None when it states none.

    >>> stated("2026Q2")
    Period(first=datetime.date(2026, 4, 1), last=datetime.date(2026, 6, 30))
    """
    found = _STATED.fullmatch(text or "")
    if found is None:
        return None
    year, quarter, month, day = (int(part) if part else None for part in found.groups())
    try:
        if quarter:
            return _months(date(year or 0, 3 * quarter - 2, 1), 3)
        if month and day:
            whole = date(year or 0, month, day)
            return Period(whole, whole)
        return _months(date(year or 0, month or 1, 1), 1 if month else 12)
    except ValueError:  # the 30th of February
        return None


def partition(day: date, cycle: str) -> Period:
    """Return the partition of an update cycle that a day lies in."""
    if cycle in _MONTHS:
        months = _MONTHS[cycle]
        return _months(date(day.year, (day.month - 1) // months * months + 1, 1), months)
    if cycle == "weekly":
        monday = day - timedelta(days=day.weekday())
        return Period(monday, monday + timedelta(days=6))
    return Period(day, day)


def label(period: Period, cycle: str) -> str:
    """Return a partition as its manifests state it; a week by its first day."""
    first = period.first
    if cycle == "monthly":
        return f"{first:%Y-%m}"
    if cycle == "quarterly":
        return f"{first.year}Q{(first.month + 2) // 3}"
    return f"{first.year:04d}" if cycle == "yearly" else first.isoformat()


def about(text: str | None, cycle: str, landed: date) -> Period:
    """Return what a delivery is about: what it states, else the last partition that was over."""
    return stated(text) or partition(partition(landed, cycle).first - timedelta(days=1), cycle)


def partitions(since: date, until: date, cycle: str) -> Iterator[Period]:
    """Yield the partitions that are over before `until`, from the one that `since` lies in."""
    current = partition(since, cycle)
    while current.last < until:
        yield current
        current = partition(current.last + timedelta(days=1), cycle)


def months_later(day: date, months: int) -> date:
    """Return the same day so many months later, or that month's last day.

    >>> months_later(date(2026, 11, 30), 3).isoformat()
    '2027-02-28'
    """
    number = day.year * 12 + day.month - 1 + months
    first = date(number // 12, number % 12 + 1, 1)
    return min(first + timedelta(days=day.day - 1), _months(first, 1).last)


def _months(first: date, count: int) -> Period:
    number = first.year * 12 + first.month - 1 + count
    return Period(first, date(number // 12, number % 12 + 1, 1) - timedelta(days=1))
