"""When something breaks, nothing leaves: the ledger, the receipt, the store, the keys."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from access.answers import LookupQuery, SearchQuery, StatsQuery
from access.decision import Decider
from access.guard import Guard
from access.model import Actor
from access.ports import GuardKeys
from access.recording import Prepared, Recorder
from hub.catalog import Catalog
from hub.clock import FixedClock
from hub.errors import LedgerError, SourceError
from hub.keyring import Keyring
from hub.ledger.committer import Receipt
from hub.ledger.log import Ledger, LoggedEntry
from hub.ledger.writer import Entry
from tests.access.people import MemorySnapshot, Person

PURPOSE = "residence.verify"


class FailingLedger:
    """A ledger that takes entries and then cannot record them, or answers wrongly."""

    def __init__(self, outcome: Receipt | Exception | None) -> None:
        self.outcome = outcome
        self.taken: list[Entry] = []

    def submit(self, entries: Sequence[Entry]) -> Future[Receipt]:
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

    def proof_bundle(self, index: int) -> dict[str, Any]:
        """Never asked."""
        raise AssertionError


Make = Callable[[Any], Guard]


@pytest.fixture
def over(
    decider: Decider,
    catalog: Catalog,
    snapshot: MemorySnapshot,
    keys: GuardKeys,
    clock: FixedClock,
) -> Make:
    """Make a guard over a given ledger."""
    return lambda ledger: Guard(decider, catalog, snapshot, ledger, keys, clock)


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


def test_nothing_leaves_when_the_ledger_is_silent() -> None:
    """A receipt that does not come is an error after the wait, not an answer."""
    entry = Entry(None, {"event": "test:entry:made", "time": "2026-01-01T00:00:00Z"})
    prepared: Prepared[Any] = Prepared((entry,), lambda receipt: receipt)
    recorder = Recorder(FailingLedger(None), wait_seconds=0.01)
    with pytest.raises(LedgerError, match="in time"):
        recorder.release(prepared)
    with pytest.raises(LedgerError, match="in time"):
        asyncio.run(recorder.release_async(prepared))


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
    with Ledger(path, keyring.signer("ledger", origin), clock, origin) as ledger:
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
    guard: Guard, snapshot: MemorySnapshot, actors: dict[str, Actor], person: Person
) -> None:
    """A sealed document is bound to its subject key: a swapped one is an error, not an answer."""
    key = next(iter(snapshot._documents))
    snapshot._documents[key] = guard._keys.documents.seal(b"{}", b"another subject")
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
