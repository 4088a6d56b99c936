"""Working days: Monday to Friday, save where a table says otherwise.

The package ships the exceptions of 2026 (`calendar.csv`, to be confirmed against the State
Council's notice); HOME/calendar.csv of the same form adds years or overrides days. A year of which
the tables say nothing counts Monday to Friday, and that is logged once.

Days are those of Asia/Shanghai: an instant is turned into a day before anything is counted.
"""

from __future__ import annotations

import csv
import logging
from collections.abc import Mapping
from datetime import UTC, date, datetime, time, timedelta, timezone
from importlib.resources import files
from io import StringIO
from pathlib import Path

from hub.errors import ConfigError

#: Asia/Shanghai has had no summer time since 1991; a fixed offset needs no zone database.
SHANGHAI = timezone(timedelta(hours=8), "Asia/Shanghai")

_HEADER = ["date", "kind", "note"]
_KINDS = {"holiday": False, "workday": True}
_LOG = logging.getLogger("mingjing.calendar")


class WorkCalendar:
    """Says which days are worked; remembers of which missing years it has warned.

    Args:
        exceptions: day -> whether it is worked, where that differs from Monday to Friday.
    """

    def __init__(self, exceptions: Mapping[date, bool]) -> None:
        self._exceptions = dict(exceptions)
        self._years = frozenset(day.year for day in exceptions)
        self._told: set[int] = set()

    def is_working_day(self, day: date) -> bool:
        """Say whether a day is worked."""
        if day.year not in self._years and day.year not in self._told:
            self._told.add(day.year)
            _LOG.warning(
                "no holidays are known of %d: Monday to Friday count as working days; "
                "add the year to HOME/calendar.csv",
                day.year,
            )
        return self._exceptions.get(day, day.weekday() < 5)

    def add_working_days(self, day: date, count: int) -> date:
        """Return the count-th working day after a day; the day itself for 0 or less."""
        for _ in range(count):
            day += timedelta(days=1)
            while not self.is_working_day(day):
                day += timedelta(days=1)
        return day

    def working_days_between(self, start: date, end: date) -> int:
        """Return how many working days lie after `start`, up to and with `end`.

        Negative when `end` is the earlier one.
        """
        if end < start:
            return -self.working_days_between(end, start)
        days = (start + timedelta(days=n) for n in range(1, (end - start).days + 1))
        return sum(self.is_working_day(day) for day in days)


def day_of(instant: datetime) -> date:
    """Return the day of an instant in Asia/Shanghai.

    >>> day_of(datetime(2026, 6, 30, 16, 0, tzinfo=UTC)).isoformat()
    '2026-07-01'
    """
    return instant.astimezone(SHANGHAI).date()


def start_of(day: date) -> datetime:
    """Return the first instant of a day in Asia/Shanghai, as UTC."""
    return datetime.combine(day, time(), SHANGHAI).astimezone(UTC)


def end_of(day: date) -> datetime:
    """Return the instant at which a day in Asia/Shanghai is over, as UTC."""
    return start_of(day + timedelta(days=1))


def load_calendar(own: Path | None = None) -> WorkCalendar:
    """Return the calendar of the package with a hub's own table laid over it.

    Args:
        own: HOME/calendar.csv; a file that is not there adds nothing.

    Raises:
        ConfigError: every line of the own table that does not fit.
    """
    shipped = files("hub").joinpath("calendar.csv").read_text(encoding="utf-8")
    exceptions = _read(shipped, "calendar.csv")
    if own is not None and own.exists():
        try:
            exceptions |= _read(own.read_text(encoding="utf-8-sig"), own.name)
        except (OSError, UnicodeDecodeError) as exc:
            raise ConfigError(f"{own.name} cannot be read as UTF-8: mend or remove it") from exc
    return WorkCalendar(exceptions)


def _read(text: str, name: str) -> dict[date, bool]:
    found: dict[date, bool] = {}
    findings = []
    reader = csv.reader(StringIO(text, newline=""))
    header = next(reader, [])
    if [cell.strip() for cell in header] != _HEADER:
        raise ConfigError(f"{name}: the first line must be date,kind,note")
    for row in reader:
        if not any(cell.strip() for cell in row):
            continue
        try:
            day = date.fromisoformat(row[0].strip())
            worked = _KINDS[row[1].strip()]
        except (IndexError, KeyError, ValueError):
            findings.append(f"{name}:{reader.line_num}: wanted YYYY-MM-DD,holiday|workday,note")
            continue
        if day in found:
            findings.append(f"{name}:{reader.line_num}: {day} is listed twice")
        found[day] = worked
    if findings:
        raise ConfigError("the calendar does not fit", findings=tuple(findings))
    return found
