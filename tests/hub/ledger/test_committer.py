"""A store that fails at every step, in pairs: failed and not persisted, failed but persisted."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future
from pathlib import Path
from threading import Event
from typing import Any

import pytest

from hub.errors import LedgerError
from hub.ledger.committer import GROUP_ENTRIES, Committer, Receipt
from hub.ledger.store import Store, StoredEntry
from hub.ledger.writer import Appended, PreparedEntry, prepare
from tests.hub.ledger import factories
from tests.hub.ledger.factories import InventedSigner, continues, entry, open_ledger

pytestmark = pytest.mark.usefixtures("kind")


class Faults:
    """Which step fails next, and whether its work is done first."""

    def __init__(self) -> None:
        self.step: str | None = None
        self.persisted = False

    def at(self, step: str, work: Callable[[], object]) -> None:
        if self.step != step:
            work()
            return
        self.step = None
        if self.persisted:
            work()
        raise LedgerError("the ledger cannot be used: disk I/O error")


def failing(faults: Faults) -> Callable[[Any], Store]:
    """Return the present kind of store, with faults."""
    kind: Any = factories.KIND.store

    class Failing(kind):  # type: ignore[misc]
        def commit(self) -> None:
            faults.at("commit", super().commit)

        def append(self, entries: object, spines: object) -> None:
            faults.at("append", lambda: kind.append(self, entries, spines))

        def write_note(self, note: str) -> None:
            faults.at("write_note", lambda: kind.write_note(self, note))

        def erase(self, position: int, content: bytes, erased_by: int) -> None:
            faults.at("erase", lambda: kind.erase(self, position, content, erased_by))

    return Failing


@pytest.mark.parametrize("persisted", [False, True])
@pytest.mark.parametrize("step", ["append", "write_note", "commit"])
def test_a_failed_append_says_so_and_the_ledger_goes_on(
    tmp_path: Path, step: str, persisted: bool
) -> None:
    faults = Faults()
    with open_ledger(tmp_path, store=failing(faults)) as ledger:
        ledger.append([entry(0)])
        kept = ledger.head()
        faults.step, faults.persisted = step, persisted
        with pytest.raises(LedgerError, match="disk I/O error"):
            ledger.append([entry(1)])
        there = persisted and step == "commit"
        assert ledger.size == (2 if there else 1)
        receipt = ledger.append([entry(2)])
        assert receipt.index == ledger.size - 1 == (2 if there else 1)
        assert continues(ledger, kept)
        assert ledger.verify_all().intact


@pytest.mark.parametrize("persisted", [False, True])
@pytest.mark.parametrize("step", ["append", "erase", "write_note", "commit"])
def test_a_failed_erasure_erases_whole_or_not_at_all(
    tmp_path: Path, step: str, persisted: bool
) -> None:
    faults = Faults()
    with open_ledger(tmp_path, store=failing(faults)) as ledger:
        ledger.append([entry(0)])
        faults.step, faults.persisted = step, persisted
        with pytest.raises(LedgerError):
            ledger.erase(0, "office", "ground")
        audit = ledger.verify_all()
        there = persisted and step == "commit"
        assert (audit.intact, audit.erased, audit.size) == (True, int(there), 1 + there)


def test_a_failed_commit_fails_everyone_in_its_group_each_with_an_error_of_their_own(
    tmp_path: Path,
) -> None:
    faults, started, go_on = Faults(), Event(), Event()

    class Slow(failing(faults)):  # type: ignore[misc]
        def commit(self) -> None:
            started.set()
            assert go_on.wait(30)
            super().commit()

    with open_ledger(tmp_path, store=Slow) as ledger:
        first = ledger.submit([entry(0)])
        assert started.wait(30)
        group = [ledger.submit([entry(n)]) for n in range(1, 6)]
        cancelled = ledger.submit([entry(99)])
        assert cancelled.cancel()
        faults.step = "append"
        go_on.set()
        errors = [future.exception() for future in group]
        assert first.result().index == 0
        assert all(isinstance(error, LedgerError) for error in errors)
        assert len({id(error) for error in errors}) == len(group)
        assert ledger.append([entry(6)]).index == 1
        assert ledger.verify_all().intact


def test_a_signer_that_breaks_records_nothing(tmp_path: Path) -> None:
    class Token(InventedSigner):
        pulled = False

        def sign(self, message: bytes) -> bytes:
            if self.pulled:
                raise OSError("the token was pulled")
            return super().sign(message)

    signer = Token()
    with open_ledger(tmp_path, signer) as ledger:
        signer.pulled = True
        with pytest.raises(LedgerError, match="could not be recorded"):
            ledger.append([entry(0)])
        signer.pulled = False
        assert ledger.append([entry(1)]).index == 0
        assert ledger.verify_all().intact


class Recorder:
    """A writer that only counts; it waits to be let go before its first commit."""

    def __init__(self) -> None:
        self.groups: list[int] = []
        self.started, self.go_on = Event(), Event()

    def append(self, entries: list[PreparedEntry]) -> Appended:
        self.started.set()
        assert self.go_on.wait(30)
        first = sum(self.groups)
        self.groups.append(len(entries))
        return Appended(first, tuple(b"" for _ in entries), "note")

    def close(self) -> None:
        self.groups.append(0)


def test_what_is_submitted_during_a_commit_shares_the_next(tmp_path: Path) -> None:
    recorder = Recorder()
    committer = Committer(lambda: recorder)  # type: ignore[arg-type,return-value]
    one = (prepare(entry()),)
    futures: list[Future[Receipt]] = [committer.submit(one)]
    assert recorder.started.wait(30)
    futures += [committer.submit(one) for _ in range(20)]
    recorder.go_on.set()
    committer.close()
    assert [future.result().index for future in futures] == list(range(21))
    assert recorder.groups == [1, 20, 0]


def test_a_group_has_an_end(tmp_path: Path) -> None:
    recorder = Recorder()
    committer = Committer(lambda: recorder)  # type: ignore[arg-type,return-value]
    many = (prepare(entry()),) * (GROUP_ENTRIES // 2)
    futures = [committer.submit(many)]
    assert recorder.started.wait(30)
    futures += [committer.submit(many) for _ in range(3)]
    recorder.go_on.set()
    committer.close()
    assert recorder.groups == [len(many), 2 * len(many), len(many), 0]
    assert [f.result().index for f in futures] == [n * len(many) for n in range(4)]


def test_writers_who_take_turns_at_one_chain_see_each_others_entries(tmp_path: Path) -> None:
    with open_ledger(tmp_path) as one, open_ledger(tmp_path) as other:
        for number in range(8):
            (one if number % 2 else other).append([entry(number), entry(number, None)])
        assert one.verify_all().intact
        assert other.size == 16


def test_rows_keep_their_order_whatever_their_number(tmp_path: Path) -> None:
    with open_ledger(tmp_path) as ledger:
        numbers = iter(range(10_000))
        for count in (1, 2, 63, 64, 65, 127, 200):
            ledger.append([entry(next(numbers)) for _ in range(count)])
        requests = [e.body["request"] for e in ledger.entries(0, 1000) if e.body]
        assert requests == [f"request-{n}" for n in range(522)]
        assert StoredEntry._fields[0] == "position"
        assert ledger.verify_all().intact
