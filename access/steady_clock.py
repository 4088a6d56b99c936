"""A clock that is not believed blindly: periods, deadlines and the ledger's times hang on it.

Two things give a wrong clock away. It runs away from the machine's monotonic counter, which nobody
sets; or it stands before what the ledger has already recorded. Then nothing is answered: a clock
set back would bring ended permissions back to life, and a clock set forward would end delays.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import datetime, timedelta

from hub.clock import Clock
from hub.errors import ClockDistrusted

MOST_DRIFT = timedelta(seconds=60)
MOST_BEHIND = timedelta(seconds=30)

_REMEDY = "set the machine's clock right, then start again"


def counter() -> float:
    """Return seconds of the machine's counter that nobody sets, its sleep included where it is told."""
    asleep = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)
    return time.clock_gettime(asleep)


class SteadyClock:
    """A clock checked against a monotonic counter at every reading.

    Args:
        wall: the clock that is checked.
        elapsed: seconds of a counter that nobody sets.
    """

    def __init__(self, wall: Clock, elapsed: Callable[[], float] = counter) -> None:
        self._wall = wall
        self._elapsed = elapsed
        self._began = (wall.now(), elapsed())

    def now(self) -> datetime:
        """Return the current instant, time zone aware, in UTC.

        Raises:
            ClockDistrusted: when the clock was set since it was made.
        """
        now = self._wall.now()
        began, counted = self._began
        drift = (now - began) - timedelta(seconds=self._elapsed() - counted)
        if abs(drift) > MOST_DRIFT:
            raise ClockDistrusted(
                f"时钟被改动 / the clock was set by {drift.total_seconds():.0f} s: {_REMEDY}"
            )
        return now


def require_after(now: datetime, recorded: datetime) -> None:
    """Refuse a time that lies before what the ledger has recorded.

    Raises:
        ClockDistrusted: when it is behind by more than half a minute.
    """
    if now < recorded - MOST_BEHIND:
        raise ClockDistrusted(
            f"时钟早于账本最后一条记录 / the clock is behind the ledger's last entry: {_REMEDY}"
        )
