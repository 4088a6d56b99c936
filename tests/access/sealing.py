"""A hub with real records in which the police may have uses sealed, for tests."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from access.desk import Act
from access.duties import Official, Refusal
from access.guard import Guard
from access.keeper import Keeper
from access.ports import GuardKeys
from access.seal_desk import SealDesk, WantedSeal
from access.seals import SealStanding
from hub.clock import FixedClock
from hub.ledger.entry import Chain
from hub.ledger.log import LoggedEntry
from hub.store.registers import CaseFile, add_case
from hub.store.usage import Usage
from tests.access.conftest import NOW
from tests.access.keeping import Counting
from tests.access.people import MemorySnapshot, Person
from tests.access.registers import MemoryRegisters
from tests.access.test_changes import House, MortalLog
from tests.access.test_emergency import desk_of

PURPOSE, CASE = "public_safety.investigation", "A1"
REASON = "告知可能导致毁灭证据 / evidence might be destroyed"
DAY = timedelta(days=1)

POLICE = Official("officer.police", "police", ("grid_officer",), "n-police")
OTHER_POLICE = Official("officer.other", "police", ("grid_officer",), "n-other")
EAST = Official("officer.east", "population", ("grid_officer",), "n-east")
OVERSIGHT = Official("oversight", "oversight", ("oversight",), "n-oversight")


@dataclass
class Sealing:
    """One process of the hub."""

    house: House
    keys: GuardKeys
    usage: Usage
    registers: MemoryRegisters
    people: tuple[Person, ...]

    def enter_case(self, reference: str = CASE, lasts: timedelta = 3650 * DAY) -> None:
        """Enter a case of the police where orders look for it, and where the guard does."""
        name = self.case(reference)
        file = CaseFile(name, "police", frozenset({PURPOSE}), NOW, NOW + lasts)
        with self.house.records.writing() as session:
            add_case(session, file)
        self.registers.open_case(reference, "police", PURPOSE)

    def case(self, reference: str = CASE) -> str:
        return self.keys.case.of(reference).hex()

    def desk(self, log: Any = None, **officials: Official) -> SealDesk:
        keeper = self.house.keeper(log, elapsed=Counting())
        named = {one.account: one for one in officials.values()}
        return SealDesk(
            self.house.records, log or self.house.ledger, keeper.look, self.keys.actor.of,
            self.keys.case.of, named,
        )  # fmt: skip

    def guard(self, at: datetime = NOW) -> Guard:
        house = self.house
        keeper = Keeper(house.records, house.catalog, house.ledger, elapsed=Counting())
        return Guard(
            keeper, house.catalog, MemorySnapshot(self.keys, self.people), house.ledger,
            self.keys, FixedClock(at), self.usage, self.registers, emergencies=desk_of(house),
            longest_lag=10_000 * DAY,
        )  # fmt: skip

    def wanted(self, until: datetime | None = None, **more: Any) -> WantedSeal:
        given: dict[str, Any] = {
            "ground": "criminal_inquiry", "purposes": (PURPOSE,), "case": CASE,
            "valid_from": NOW, "valid_to": until or NOW + 30 * DAY,
        }  # fmt: skip
        return WantedSeal(**{**given, **more})

    def asked(self, at: datetime = NOW, until: datetime | None = None) -> int:
        done = self.desk().order(
            self.wanted(until or at + 30 * DAY, valid_from=at), POLICE, act(POLICE, at)
        )
        return standing(done).order.id

    def ordered(self, at: datetime = NOW, until: datetime | None = None) -> int:
        """Ask for an order and have it approved; return its number."""
        number = self.asked(at, until)
        standing(self.desk().approve(number, OVERSIGHT, act(OVERSIGHT, at)))
        return number


class Mortal(MortalLog):
    """As `MortalLog`, with the chains."""

    def entries(self, start: int, stop: int) -> list[LoggedEntry]:
        return self.ledger.entries(start, stop)

    def chain(self, chain: Chain, *, before: int | None = None, limit: int = 1000) -> Any:
        return self.ledger.chain(chain, before=before, limit=limit)


def act(by: Official, at: datetime = NOW) -> Act:
    return Act(by.account, REASON, at)


def standing(outcome: SealStanding | Refusal) -> SealStanding:
    assert isinstance(outcome, SealStanding), outcome
    return outcome


def refused(outcome: SealStanding | Refusal) -> str:
    assert isinstance(outcome, Refusal), outcome
    return outcome.reason
