"""When something breaks, nothing leaves: the ledger, the receipt, the store, the keys."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from access.answers import LookupQuery, SearchQuery, StatsQuery
from access.decision import Decider
from access.guard import Guard
from access.limits import Limits
from access.model import Actor
from access.policy import Policy
from access.ports import GuardKeys
from access.recording import Prepared, Recorder
from hub.catalog import Catalog
from hub.clock import FixedClock
from hub.errors import LedgerError, RequestError, SourceError
from hub.keyring import Keyring
from hub.ledger.committer import Receipt
from hub.ledger.log import Ledger, LoggedEntry
from hub.ledger.merkle import leaf_hash
from hub.ledger.writer import Entry, PreparedEntry
from hub.store.usage import Usage
from tests.access.keeping import keeper_of
from tests.access.people import MemorySnapshot, Person
from tests.access.registers import MemoryRegisters
from tests.access.used import USE
from tests.hub.ledger.factories import ledger_file

PURPOSE = "residence.verify"


class FailingLedger:
    """A ledger that takes entries and then cannot record them, or answers wrongly."""

    def __init__(self, outcome: Receipt | Exception | None) -> None:
        self.outcome = outcome
        self.taken: list[Entry | PreparedEntry] = []
        self.size = 0
        self.late = timedelta()

    def submit(self, entries: Sequence[Entry | PreparedEntry]) -> Future[Receipt]:
        """Take the entries and fail, answer, or never answer."""
        self.taken.extend(entries)
        future: Future[Receipt] = Future()
        if isinstance(self.outcome, Exception):
            future.set_exception(self.outcome)
        elif self.outcome is not None:
            future.set_result(self.outcome)
        return future

    def entries_of(
        self, label: bytes, *, before: int | None = None, limit: int = 1000
    ) -> list[LoggedEntry]:
        """Return nothing: nothing was recorded."""
        return []

    def entry(self, index: int) -> LoggedEntry:
        """Never asked."""
        raise AssertionError

    def entries(self, start: int, stop: int) -> list[LoggedEntry]:
        """Never asked."""
        raise AssertionError

    def lag(self, now: datetime) -> timedelta:
        """Return what a test says."""
        return self.late


Make = Callable[[Any], Guard]


@pytest.fixture
def over(
    decider: Decider,
    catalog: Catalog,
    snapshot: MemorySnapshot,
    keys: GuardKeys,
    clock: FixedClock,
    usage: Usage,
    registers: MemoryRegisters,
) -> Make:
    """Make a guard over a given ledger."""
    return lambda ledger: Guard(
        keeper_of(decider), catalog, snapshot, ledger, keys, clock, usage, registers
    )


def asks(actors: dict[str, Actor], person: Person, guard: Guard) -> list[Callable[[], object]]:
    """Return every road a person's data can take out of the guard."""
    east = actors["officer.east"]
    lookup = LookupQuery("resident_id", person.number, PURPOSE)
    search = SearchQuery("phone", person.phone, PURPOSE)
    stats = StatsQuery("police.case", ("category",))
    citizen = replace(actors["citizen"], binding=guard.binding(person.number))
    return [
        lambda: guard.lookup(east, lookup),
        lambda: asyncio.run(guard.lookup_async(east, lookup)),
        lambda: guard.search(east, search),
        lambda: asyncio.run(guard.search_async(east, search)),
        lambda: guard.statistics(actors["analyst"], stats),
        lambda: asyncio.run(guard.statistics_async(actors["analyst"], stats)),
        lambda: guard.own_records(citizen, "s1"),
        lambda: asyncio.run(guard.own_records_async(citizen, "s2")),
        lambda: guard.lookup(actors["officer.west"], lookup),  # a refusal is recorded too
    ]


def test_persons_are_not_shown_while_uses_wait_too_long_to_be_made_public(
    over: Make, actors: dict[str, Actor], person: Person
) -> None:
    """Whoever keeps the witnesses away gains nothing; one's own and counts stay open."""
    ledger = FailingLedger(LedgerError("disk full"))
    guard = over(ledger)
    ledger.late = timedelta(hours=24, seconds=1)
    roads = asks(actors, person, guard)
    messages = []
    for ask in roads:
        with pytest.raises(LedgerError) as refused:
            ask()
        messages.append("to be made public" in refused.value.message)
    assert messages == [True] * 4 + [False] * 4 + [True]
    taken = len(ledger.taken)
    ledger.late = timedelta(hours=24)
    with pytest.raises(LedgerError, match="disk full"):
        roads[0]()
    assert len(ledger.taken) > taken


def test_nothing_leaves_when_the_ledger_cannot_write(
    over: Make, actors: dict[str, Actor], person: Person
) -> None:
    """On any road, for answers and refusals alike."""
    ledger = FailingLedger(LedgerError("the disk is full"))
    guard = over(ledger)
    for ask in asks(actors, person, guard):
        before = len(ledger.taken)
        with pytest.raises(LedgerError):
            ask()
        assert len(ledger.taken) > before


def test_nothing_leaves_for_a_receipt_of_other_entries(
    over: Make, actors: dict[str, Actor], person: Person
) -> None:
    """An empty receipt, or one for more entries than were given."""
    for leaves in ((), (b"\0" * 32, b"\1" * 32)):
        guard = over(FailingLedger(Receipt(0, leaves, "note")))
        for ask in asks(actors, person, guard):
            with pytest.raises(LedgerError):
                ask()


@pytest.fixture
def limits(
    usage: Usage, ledger: Ledger, catalog: Catalog, policy: Policy, clock: FixedClock
) -> Limits:
    """Limits that count nothing of the entries here, which are nobody's."""
    return Limits(usage, ledger, catalog, lambda: policy.purposes, clock)


def test_nothing_leaves_when_the_ledger_is_silent(limits: Limits) -> None:
    """A receipt that does not come is an error after the wait, not an answer."""
    prepared = _prepared(1)
    recorder = Recorder(FailingLedger(None), limits, wait_seconds=0.01)
    with pytest.raises(LedgerError, match="in time"):
        recorder.release(prepared)
    with pytest.raises(LedgerError, match="in time"):
        asyncio.run(recorder.release_async(prepared))


def _prepared(count: int) -> Prepared[Any]:
    return Prepared((USE,) * count, lambda receipt: receipt)


def test_requests_of_one_turn_share_a_submission_and_get_their_own_receipts(
    keyring: Keyring, clock: FixedClock, tmp_path: Path, limits: Limits
) -> None:
    """Five requests at once, each with its own places in the ledger; none lost, none shared."""
    origin = "test.example/turns"
    with ledger_file(tmp_path / "l.sqlite", keyring, clock, origin) as ledger:
        recorder = Recorder(ledger, limits)
        counts = (1, 3, 2, 1, 4)

        async def ask() -> list[Any]:
            return await asyncio.gather(*(recorder.release_async(_prepared(n)) for n in counts))

        receipts = asyncio.run(ask())
        assert [len(receipt.indexes) for receipt in receipts] == list(counts)
        assert sorted(i for receipt in receipts for i in receipt.indexes) == list(range(11))
        assert len({receipt.checkpoint for receipt in receipts}) == 1
        for receipt in receipts:
            assert leaf_hash(ledger.opening(receipt.index).entry).hex() == receipt.leaf


def test_who_gives_up_waiting_takes_no_other_request_along(
    keyring: Keyring, clock: FixedClock, tmp_path: Path, limits: Limits
) -> None:
    origin = "test.example/cancelled"
    with ledger_file(tmp_path / "l.sqlite", keyring, clock, origin) as ledger:
        recorder = Recorder(ledger, limits)

        async def ask() -> Any:
            leaving = asyncio.create_task(recorder.release_async(_prepared(1)))
            staying = asyncio.create_task(recorder.release_async(_prepared(1)))
            await asyncio.sleep(0)
            leaving.cancel()
            return await staying

        assert asyncio.run(ask()).index == 1
        assert ledger.size == 2  # prepared is recorded, whoever is still there to read it


def test_a_ledger_that_refuses_the_turn_fails_everyone_and_hangs_nobody(limits: Limits) -> None:
    class Refusing(FailingLedger):
        def submit(self, entries: Sequence[Any]) -> Future[Receipt]:
            raise RequestError("not fit to record")

    recorder = Recorder(Refusing(None), limits)

    async def ask() -> list[Any]:
        asked = (recorder.release_async(_prepared(1)) for _ in range(3))
        return await asyncio.gather(*asked, return_exceptions=True)

    outcomes = asyncio.run(ask())
    assert all(isinstance(outcome, LedgerError) for outcome in outcomes)
    assert len({id(outcome) for outcome in outcomes}) == 3


def test_a_failed_opening_is_not_remembered_as_recorded(
    over: Make, actors: dict[str, Actor], person: Person
) -> None:
    """The next opening of the same session is recorded before it is released."""
    ledger = FailingLedger(LedgerError("the disk is full"))
    guard = over(ledger)
    citizen = replace(actors["citizen"], binding=guard.binding(person.number))
    for _ in range(2):
        with pytest.raises(LedgerError):
            guard.own_records(citizen, "s1")
    assert len(ledger.taken) == 2


def test_nothing_leaves_when_the_real_ledger_fails(
    over: Make,
    actors: dict[str, Actor],
    person: Person,
    keyring: Keyring,
    clock: FixedClock,
    tmp_path: Path,
) -> None:
    """The ledger's own file is taken away under it: an error, and no entry."""
    origin = "test.example/broken"
    path = tmp_path / "broken.sqlite"
    query = LookupQuery("resident_id", person.number, PURPOSE)
    with ledger_file(path, keyring, clock, origin) as ledger:
        guard = over(ledger)
        assert guard.lookup(actors["officer.east"], query).allowed
        with sqlite3.connect(path, isolation_level=None) as other:
            tables = [
                row[0]
                for row in other.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
            ]
            for table in tables:
                other.execute(
                    f"CREATE TRIGGER stop_{table} BEFORE INSERT ON {table} "
                    "BEGIN SELECT RAISE(ABORT, 'disk full'); END"
                )
        other.close()
        with pytest.raises(LedgerError):
            guard.lookup(actors["officer.east"], query)
        assert ledger.size == 1


def test_a_store_that_cannot_be_read_records_and_releases_nothing(
    guard: Guard,
    snapshot: MemorySnapshot,
    actors: dict[str, Actor],
    person: Person,
    ledger: Ledger,
) -> None:
    """Nothing was disclosed, so there is nothing to record."""
    snapshot.broken = True
    with pytest.raises(SourceError):
        guard.lookup(actors["officer.east"], LookupQuery("resident_id", person.number, PURPOSE))
    assert ledger.size == 0


def test_a_document_of_another_person_does_not_open(
    guard: Guard,
    snapshot: MemorySnapshot,
    actors: dict[str, Actor],
    person: Person,
    keys: GuardKeys,
) -> None:
    """A sealed document is bound to its subject key: a swapped one is an error, not an answer."""
    key = next(iter(snapshot._documents))
    snapshot._documents[key] = keys.documents.seal(b"{}", b"another subject")
    with pytest.raises(SourceError):
        guard.lookup(actors["officer.east"], LookupQuery("resident_id", person.number, PURPOSE))


def test_a_prepared_answer_shows_nothing_before_the_receipt(
    guard: Guard, actors: dict[str, Actor], person: Person
) -> None:
    """Not even in its representation, which a log could take."""
    query = LookupQuery("resident_id", person.number, PURPOSE)
    prepared = guard.prepare_lookup(actors["officer.east"], query)
    assert person.name not in repr(prepared)
    assert person.number not in repr(query)
