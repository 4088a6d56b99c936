"""How much was sealed, for everybody: by ground and closed year, small counts left out.

A count that moves tells of the moment somebody was looked up, so only years that are over are
counted, once and for good: neither a release nor an erasure changes them. There are no sums over
grounds and no shorter periods from which a count that was left out could be worked out; none at
all and a few are the same.

Source: 个人信息保护法 7 (openness); the threshold is that of the statistics (`access.suppression`).
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import datetime, timedelta
from threading import Lock

from access.seal_grounds import SEAL_GROUNDS
from access.seal_release import SealedLog, by_year, sealed_uses
from access.seals import ENDED, SealStanding, seal_standings
from hub.calendar import day_of
from hub.store.access_steps import About, steps
from hub.store.policies import looking
from hub.store.records import Records
from hub.store.seals import ledger_size_before, orders, told_of

#: Counts below this are not told.
THRESHOLD = 5
#: How long after its end a year is counted: what was asked before then is recorded by then.
_SETTLED = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class SealTotal:
    """What was sealed on one ground in one year; None is fewer than `THRESHOLD`, perhaps none."""

    year: int
    ground: str
    orders: int | None
    uses: int | None


class SealTotals:
    """Counts every closed year once. Thread safe."""

    def __init__(self, records: Records, log: SealedLog) -> None:
        self._records = records
        self._log = log
        self._counting = Lock()  # guards _known
        self._known: tuple[int, tuple[SealTotal, ...]] | None = None

    def until(self, now: datetime) -> tuple[SealTotal, ...]:
        """Return every ground of every closed year of the ledger, the newest first.

        Raises:
            PolicyUnavailable: when the records cannot be read.
            LedgerError: when the ledger cannot be read.
        """
        last = day_of(now - _SETTLED).year - 1
        with self._counting:
            if self._known is None or self._known[0] != last:
                self._known = (last, self._count(last, now))
            return self._known[1]

    def _count(self, last: int, now: datetime) -> tuple[SealTotal, ...]:
        given: Counter[tuple[int, str]] = Counter()
        uses: Counter[tuple[int, str]] = Counter()
        standings, recorded, start = self._standings(now)
        sealed = sealed_uses(self._log, start)
        for one in standings:
            ground = one.order.ground
            if one.begins is not None:
                given[day_of(one.begins).year, ground] += 1
            counts = recorded.get(one.order.id)
            if counts is None:
                counts = by_year([use for use in sealed if use.order == one.order.id])
            for year, count in counts.items():
                uses[int(year), ground] += count
        return tuple(
            SealTotal(year, ground, _told(given[year, ground]), _told(uses[year, ground]))
            for year in range(last, self._first_year(last) - 1, -1)
            for ground in SEAL_GROUNDS
        )

    def _standings(
        self, now: datetime
    ) -> tuple[tuple[SealStanding, ...], dict[int, dict[str, int]], int]:
        """Return all orders; what those done with had sealed; where the others may begin."""
        recorded: dict[int, dict[str, int]] = {}
        start = self._log.size
        with looking(self._records) as session:
            standings = seal_standings(orders(session), steps(session, About.SEAL), now)
            for one in standings:
                if one.released:
                    recorded[one.order.id] = told_of(session, one.order, ENDED)["uses"]
                elif one.begins is not None:
                    start = min(start, ledger_size_before(session, one.order))
        return standings, recorded, start

    def _first_year(self, last: int) -> int:
        first = self._log.entries(0, 1)
        return day_of(datetime.fromisoformat(first[0].time)).year if first else last + 1


def _told(count: int) -> int | None:
    return count if count >= THRESHOLD else None
