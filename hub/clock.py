"""Time comes in as an argument: a `Clock`, never a call to the operating system."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Protocol


def stamp_of(instant: datetime) -> str:
    """Return an instant as the ledger writes it: RFC 3339, milliseconds, Z."""
    return instant.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def second_of(instant: datetime) -> str:
    """Return an instant for people to read: RFC 3339, whole seconds, Z."""
    return instant.isoformat(timespec="seconds").replace("+00:00", "Z")


class Clock(Protocol):
    """Says what time it is."""

    def now(self) -> datetime:
        """Return the current instant, time zone aware, in UTC."""
        ...


class SystemClock:
    """The machine's own clock."""

    def now(self) -> datetime:
        """Return the current instant, time zone aware, in UTC."""
        return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class FixedClock:
    """A clock that stands still, for tests and for replaying a past day."""

    instant: datetime

    def now(self) -> datetime:
        """Return the instant it was made with."""
        return self.instant
