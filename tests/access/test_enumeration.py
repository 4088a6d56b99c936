"""Not there and not yours: one answer, for one amount of work; and no way to ask for everybody.

Work is counted here, not timed: documents looked for, documents unsealed, entries recorded.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import pytest

from access.answers import Answer, LookupQuery, SearchQuery
from access.decision import Decider
from access.guard import Guard
from access.model import Actor
from access.ports import GuardKeys
from access.roads.search import OPENED
from hub.catalog import Catalog
from hub.clock import FixedClock
from hub.errors import RequestError
from hub.ledger.log import Ledger
from hub.sealing import Sealer
from hub.store.usage import Usage
from tests.access.keeping import keeper_of
from tests.access.people import MemorySnapshot, Person, invented_id
from tests.access.registers import MemoryRegisters

PURPOSE = "residence.verify"
ADDRESS = "明镜区东街街道朝阳社区文化路12号3单元502室"


class CountingSealer(Sealer):
    """A sealer that counts what it opens."""

    opened = 0

    def open(self, blob: bytes, aad: bytes) -> bytes:
        """Return the plain value of a blob."""
        self.opened += 1
        return super().open(blob, aad)


@dataclass(frozen=True)
class Watched:
    """A guard, and what its requests cost."""

    guard: Guard
    snapshot: MemorySnapshot
    sealer: CountingSealer
    ledger: Ledger

    def cost(self, ask: Callable[[Guard], Answer]) -> tuple[Answer, tuple[int, int, int]]:
        """Return an answer with the documents looked for and unsealed, and the entries."""
        before = self.snapshot.reads, self.sealer.opened, self.ledger.size
        answer = ask(self.guard)
        after = self.snapshot.reads, self.sealer.opened, self.ledger.size
        return answer, (after[0] - before[0], after[1] - before[1], after[2] - before[2])


Watch = Callable[..., Watched]


@pytest.fixture
def watch(
    decider: Decider,
    catalog: Catalog,
    keyring: Any,
    keys: GuardKeys,
    ledger: Ledger,
    clock: FixedClock,
    usage: Usage,
    registers: MemoryRegisters,
) -> Watch:
    """Make a watched guard over given people."""

    def make(*people: Person) -> Watched:
        sealer = CountingSealer(keyring, "document")
        watched = replace(keys, documents=sealer)
        snapshot = MemorySnapshot(watched, people)
        guard = Guard(
            keeper_of(decider), catalog, snapshot, ledger, watched, clock, usage, registers
        )
        return Watched(guard, snapshot, sealer, ledger)

    return make


def told(answer: Answer) -> Answer:
    """Return an answer without what differs between any two of them."""
    receipt = replace(answer.receipt, index=0, indexes=(), leaf="", checkpoint="")
    return replace(answer, receipt=receipt, request_id="")


def east(number: int) -> Person:
    """Return one of the people of East Street who share an address."""
    return Person(invented_id(sequence=number), phone=f"13800000{number}")


def test_a_look_up_costs_the_same_whoever_is_not_shown(
    watch: Watch, actors: dict[str, Actor]
) -> None:
    """Not there, not yours, and one whose document is gone."""
    person = east(111)
    watched = watch(person)
    gone = invented_id(sequence=222)
    watched.snapshot.also_known_as(gone, b"\1" * 16)

    def look_up(number: str) -> Callable[[Guard], Answer]:
        query = LookupQuery("resident_id", number, PURPOSE)
        return lambda guard: guard.lookup(actors["officer.west"], query)

    numbers = (person.number, invented_id(sequence=555), gone)
    found = [watched.cost(look_up(number)) for number in numbers]
    assert [cost for _, cost in found] == [(1, 1, 1)] * 3
    assert told(found[0][0]) == told(found[1][0]) == told(found[2][0])


@pytest.mark.parametrize("there", [0, 1, 7, OPENED, OPENED + 20])
def test_a_search_costs_the_same_however_many_live_elsewhere(
    watch: Watch, actors: dict[str, Actor], there: int
) -> None:
    watched = watch(*(east(100 + n) for n in range(there)))
    query = SearchQuery("address", ADDRESS, PURPOSE)
    answer, cost = watched.cost(lambda guard: guard.search(actors["officer.west"], query))
    assert (answer.allowed, answer.subjects, answer.more) == (False, (), False)
    assert cost == (OPENED, OPENED, 1)


def test_who_is_shown_does_not_show_how_many_are_not(
    watch: Watch, actors: dict[str, Actor]
) -> None:
    """One of the own area among many of another: no more is opened than for one alone."""
    own = replace(east(150), grid="99010600200101")
    query = SearchQuery("address", ADDRESS, PURPOSE)
    costs = []
    for others in (0, 30):
        watched = watch(own, *(east(100 + n) for n in range(others)))
        answer, cost = watched.cost(lambda guard: guard.search(actors["officer.west"], query))
        assert (len(answer.subjects), answer.more) == (1, False)
        costs.append(cost)
    assert costs == [(OPENED, OPENED, 1)] * 2


@pytest.mark.parametrize(
    "value", ["*", "%", "_", "欧阳*", "欧阳%", "欧阳", "?", ".*", "' OR 1=1 --"]
)
def test_there_is_no_wildcard(watch: Watch, actors: dict[str, Actor], value: str) -> None:
    """Neither in a name nor in anything else; a name without a birth date is no question."""
    watched = watch(east(111))
    officer = actors["officer.east"]
    with pytest.raises(RequestError):
        watched.guard.search(officer, SearchQuery("name_birth", value, PURPOSE))
    for query in (
        SearchQuery("name_birth", value, PURPOSE, "1990-03-07"),
        SearchQuery("phone", value, PURPOSE),
        SearchQuery("address", value, PURPOSE),
    ):
        assert watched.guard.search(officer, query).subjects == ()


def test_a_protected_person_costs_what_nobody_costs(
    watch: Watch, actors: dict[str, Actor], registers: MemoryRegisters
) -> None:
    """Looked up or searched for, with an area to keep to and at a counter; and the entries are alike."""
    person = east(111)
    watched = watch(person)
    registers.protect(person)
    for who, case in (("officer.east", None), ("window", "any")):

        def look_up(
            number: str, who: str = who, case: str | None = case
        ) -> Callable[[Guard], Answer]:
            query = LookupQuery("resident_id", number, PURPOSE, case)
            return lambda guard: guard.lookup(actors[who], query)

        protected, cost = watched.cost(look_up(person.number))
        nobody, other = watched.cost(look_up(invented_id(sequence=555)))
        assert cost == other == (1, 1, 1)
        assert told(protected) == told(nobody)
    query = SearchQuery("phone", person.phone, PURPOSE)
    answer, cost = watched.cost(lambda guard: guard.search(actors["officer.east"], query))
    assert answer.subjects == ()
    assert cost == (OPENED, OPENED, 1)
