"""How much one actor may use: requests a minute, persons a day, questions in vain; and the alarms.

What is counted is read off the usage records of a request, before they are recorded; so a lost
file of counters is counted again from those of the day. Refusals count like answers. Who stands
beside a person that was asked about is not counted: nobody asked for them.

* Requests a minute and persons a day are limited by purpose (`purposes.yaml`).
* Who has found nobody too often within an hour is guessing, and is answered nothing more in it:
  were only the misses refused, the refusal would still tell them from the hits.
* Many different persons in a day raise an alarm (`access.alarms`), which stops nobody.
* Whoever is in a file of persons counts as one not seen before: the ledger has their number only.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import timedelta
from itertools import groupby
from threading import Lock

from access.alarms import ALARM, Alarm, confirm, exceeded, reached, see
from access.charges import Charge
from access.model import CLEAR, Action
from access.ports import LedgerLog
from access.purposes import PER_MINUTE, PERSONS_A_DAY, PurposeRegister
from access.usage_record import UsageRecord, usage_of
from hub.catalog import Catalog, Classification
from hub.clock import Clock
from hub.errors import LedgerError
from hub.store.usage import Counters, Usage

#: Questions that found nobody, after which an actor is answered nothing more in the hour.
NOBODY_AN_HOUR = 20

_NOBODY = "nobody"
_PAGE = 1000
_GUESSING = (Action.LOOKUP, Action.SEARCH, Action.UNMASK)


@dataclass(frozen=True, slots=True)
class Over:
    """More than an actor may.

    Args:
        limit: "per_minute", "persons_a_day" or "nobody_an_hour".
        most: how many it may be.
        seconds: until it may be asked again.
    """

    limit: str
    most: int
    seconds: int

    @property
    def reason(self) -> str:
        """Why it is refused."""
        return _REASONS[self.limit].format(most=f"{self.most:,}")

    @property
    def remedy(self) -> str:
        """What can be done about it."""
        return f"请在 {self.seconds} 秒后再试 / try again in {self.seconds} seconds"


_REASONS = {
    "per_minute": "该事由每分钟最多查询 {most} 次 / at most {most} requests a minute for this purpose",
    "persons_a_day": (
        "该事由每天最多查看 {most} 人 / at most {most} different persons a day for this purpose"
    ),
    "nobody_an_hour": (
        "一小时内已有 {most} 次没有查到人，暂停查询"
        " / nobody was found {most} times within the hour: no further question in it is answered"
    ),
}


class Limits:
    """Counts what actors use, in all processes of the hub together. Thread safe.

    Args:
        purposes: the purpose register in force.
    """

    def __init__(
        self,
        usage: Usage,
        ledger: LedgerLog,
        catalog: Catalog,
        purposes: Callable[[], PurposeRegister],
        clock: Clock,
    ) -> None:
        self._usage = usage
        self._ledger = ledger
        self._purposes = purposes
        self._clock = clock
        self._levels = {
            f"{dataset.name}.{column.name}": column.classification
            for dataset in catalog.values()
            for column in dataset.columns
        }
        self._lock = Lock()
        self._swept = ""

    def count(
        self, requests: Sequence[Sequence[UsageRecord]]
    ) -> tuple[list[Over | None], tuple[Alarm, ...]]:
        """Count requests, each by the records it would make; without any it is not counted.

        Returns:
            Of each request whether it is too many; and what has to be told of with them.

        Raises:
            LedgerError: when it cannot be counted; nothing may be released then.
        """
        overs: list[Over | None] = [None] * len(requests)
        charges = [(n, self._charge(made)) for n, made in enumerate(requests) if made]
        if not charges:
            return overs, ()
        alarms: list[Alarm] = []
        with self._counting() as counters:
            self._sweep(counters)
            for number, charge in charges:
                over = overs[number] = self._over(counters, charge)
                if over is None:
                    alarms += reached(counters, charge)
                else:
                    alarms += exceeded(counters, charge, over.limit, over.most)
        return overs, tuple(alarms)

    def confirm(self, alarms: Sequence[Alarm]) -> None:
        """Remember that alarms are in the ledger. Where that fails they are told once more."""
        if not alarms:
            return
        with suppress(LedgerError), self._counting() as counters:
            for alarm in alarms:
                counters.confirm(alarm.actor, alarm.what, alarm.slot)

    def receipt(self, name: bytes) -> str | None:
        """Return the receipt of what is recorded once, None where it is yet to be recorded.

        Raises:
            LedgerError: when it is not known.
        """
        with self._counting() as counters:
            return counters.receipt(name)

    def keep_receipt(self, name: bytes, receipt: str) -> None:
        """Remember the receipt of what is recorded once. Where that fails it is recorded again."""
        with suppress(LedgerError), self._counting() as counters:
            counters.keep_receipt(name, self._clock.now().isoformat()[:10], receipt)

    def close(self) -> None:
        """Let go of the counters."""
        with self._lock:
            self._usage.close()

    @contextmanager
    def _counting(self) -> Iterator[Counters]:
        with self._lock, self._usage.counting(self._sound, self._restore) as counters:
            yield counters

    def _sweep(self, counters: Counters) -> None:
        """Once a day forget what was counted before yesterday."""
        yesterday = (self._clock.now() - timedelta(days=1)).isoformat()[:10]
        if self._swept != yesterday:
            counters.forget(yesterday)
            self._swept = yesterday

    def _over(self, counters: Counters, charge: Charge) -> Over | None:
        """Count a request; say whether it is too many."""
        purpose = self._purposes().get(charge.purpose)
        per_minute = purpose.per_minute if purpose else PER_MINUTE
        most = purpose.persons_a_day if purpose else PERSONS_A_DAY
        actor = charge.account
        asked = counters.add(actor, f"asked {charge.purpose}", charge.minute)
        if charge.guess and counters.total(actor, _NOBODY, charge.hour) >= NOBODY_AN_HOUR:
            return Over("nobody_an_hour", NOBODY_AN_HOUR, charge.left(3600))
        if asked > per_minute:
            return Over("per_minute", per_minute, charge.left(60))
        if charge.nobody:
            counters.add(actor, _NOBODY, charge.hour)
        return self._day_over(counters, charge, most)

    def _day_over(self, counters: Counters, charge: Charge, most: int) -> Over | None:
        shown, new = (charge.account, f"shown {charge.purpose}", charge.day), 0
        total = counters.total(*shown)
        if total + len(charge.persons) > most:  # unless some of them are no further persons
            new = sum(not counters.level(*shown, label) for label in charge.persons)
        new += charge.in_bulk[0]
        over = total >= most or total + new > most
        return Over("persons_a_day", most, charge.left(86_400)) if over else None

    def _charge(self, made: Sequence[UsageRecord]) -> Charge:
        first = made[0]
        files = [use for use in made if use.bulk is not None]
        in_bulk = (
            sum(use.bulk.persons for use in files if use.bulk is not None),
            max((self._level(use.fields) for use in files), default=Classification.L1),
        )
        return Charge(
            actor=first.actor,
            purpose=first.purpose,
            request=first.request,
            at=first.time,
            guess=first.road in _GUESSING,
            nobody=first.nobody,
            persons={
                use.subject: self._level(use.fields)
                for use in made
                if use.decision == "allowed" and use.subject is not None and not use.incidental
            },
            in_bulk=in_bulk,
        )

    def _level(self, fields: Mapping[str, str]) -> Classification:
        strictest = Classification.L4  # of a column that today's contracts have no more
        clear = [self._levels.get(name, strictest) for name, how in fields.items() if how == CLEAR]
        return max(clear, default=Classification.L1)

    def _sound(self, counters: Counters) -> bool:
        """A file that ends on a day before the ledger's last is not the one that was in use."""
        size = self._ledger.size
        return size == 0 or counters.newest() >= self._ledger.entry(size - 1).time[:10]

    def _restore(self, counters: Counters) -> None:
        """Count the day again from its entries."""
        day = self._clock.now().isoformat()[:10]
        for _, found in groupby(self._entries(day, counters), lambda use: use.request):
            charge = self._charge(list(found))
            counters.add(charge.account, f"asked {charge.purpose}", charge.minute)
            if charge.nobody:
                counters.add(charge.account, _NOBODY, charge.hour)
            see(counters, charge)

    def _entries(self, day: str, counters: Counters) -> Iterator[UsageRecord]:
        """Yield the uses of a day and after, in log order, and confirm its alarms on the way."""
        size = start = self._ledger.size
        while start > 0 and self._ledger.entry(start - 1).time >= day:
            start = max(0, start - _PAGE)
        for first in range(start, size, _PAGE):
            for logged in self._ledger.entries(first, min(first + _PAGE, size)):
                if logged.time < day:
                    continue
                use = usage_of(logged)
                if use is not None:
                    yield use
                elif logged.event.startswith(ALARM) and logged.body is not None:
                    confirm(counters, logged.body, day)
