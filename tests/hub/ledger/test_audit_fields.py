"""Every field of every row of a log with all kinds of chains, made wrong: each is named, no other."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from hub.ledger import audit as audit_module
from hub.ledger.audit import Audit, audit
from hub.ledger.checks.chains import Heads
from hub.ledger.entry import BULK
from hub.ledger.log import Ledger
from hub.ledger.sqlite import SqliteStore
from hub.ledger.store import StoredEntry
from hub.ledger.writer import Entry
from tests.hub.ledger.factories import CLOCK, entry, identity_of, open_ledger

ONE, TWO = bytes([1]) * 16, bytes([2]) * 16
TIME = "2026-03-01T08:00:00.000Z"
SIZE = 20

#: Column -> the fields that a finding may give for it.
NAMED = {
    "tag": {"tag"},
    "link": {"link"},
    "chain": {"chain", "chain or number"},
    "number": {"number", "chain or number"},
    "record": {"record or salt", "record"},
    "salt": {"record or salt", "salt", "record"},
    "content": {"content"},
    "event": {"event"},
    "time": {"time"},
    "erased_by": {"erased_by"},
}
#: What else may be said, of other entries, since it follows.
FOLLOWS = {"record and salt", "entry before it in its chain"}


def mixed(ledger: Ledger) -> None:
    """Record 18 entries in five chains, and erase one of a person's and a sealed one."""
    system = Entry(None, {"event": "hub:key:rotated", "time": TIME})
    bulk = Entry(None, {"event": "hub:bulk:committed", "time": TIME}, chain=BULK)

    def sealed(number: int) -> Entry:
        made = entry(number, ONE)
        return Entry(made.label, made.body, sealed=True)

    ledger.append([system, entry(0, ONE), entry(1, TWO), bulk, sealed(0)])
    ledger.append([entry(2, ONE), system, sealed(1), entry(3, TWO), bulk, entry(4, ONE)])
    ledger.erase(5, "office", "ground")
    released = {"event": "access:seal:released", "time": TIME, "entry": 7}
    ledger.append([entry(5, TWO), Entry(ONE, released), sealed(2)])
    ledger.erase(7, "office", "ground")
    ledger.append([system, bulk, entry(6, ONE), entry(7, TWO)])


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    with open_ledger(tmp_path) as ledger:
        mixed(ledger)
        assert (ledger.size, ledger.verify_all().findings) == (SIZE, ())
    return tmp_path


def test_nothing_of_a_sound_log_is_looked_at_singly(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is sound is read at full speed: all kinds of chains, and erased entries."""
    seen: list[object] = []
    monkeypatch.setattr(audit_module._Reading, "_suspicious", lambda *values: seen.append(values))
    assert audited(folder).size == SIZE
    assert seen == []


def audited(folder: Path) -> Audit:
    with closing(SqliteStore(folder / "ledger.sqlite")) as store:
        return audit(store, identity_of())


def wrong_values(value: object) -> Iterator[object]:
    """Yield values like one, and unlike it in kind."""
    yield from (None, b"", b"\x00" * 32, "text", 7, -1, 1 << 62)
    if isinstance(value, bytes) and value:
        yield value + b"\x00"
        yield value[:-1]
        yield bytes([value[0] ^ 1]) + value[1:]
    if isinstance(value, str):
        yield value + " "
    if isinstance(value, int):
        yield value + 1


def test_every_field_of_every_row(folder: Path) -> None:
    tried = 0
    path = folder / "ledger.sqlite"
    with (
        closing(sqlite3.connect(path, isolation_level=None)) as connection,
        closing(SqliteStore(path)) as store,
    ):
        connection.execute("PRAGMA synchronous = OFF")
        rows = [StoredEntry(*r) for r in connection.execute("SELECT * FROM entry").fetchall()]
        for row in rows:
            for column, named in NAMED.items():
                update = f"UPDATE entry SET {column} = ? WHERE position = {row.position}"
                right = getattr(row, column)
                for wrong in wrong_values(right):
                    try:
                        connection.execute(update, (wrong,))
                    except sqlite3.IntegrityError:
                        continue  # the engine itself does not take it
                    query = f"SELECT {column} FROM entry WHERE position = {row.position}"
                    if connection.execute(query).fetchone() == (right,):
                        continue
                    found = {(f.index, f.field) for f in audit(store, identity_of()).findings}
                    tried += 1
                    told = {field for index, field in found if index == row.position}
                    other = {field for index, field in found if index != row.position}
                    case = (row.position, column, wrong, found)
                    assert told & (named | {"content", "record and salt"}), case
                    assert told & named or row.record is None, case
                    assert other <= FOLLOWS, case
                connection.execute(update, (right,))
        assert audited(folder).findings == ()
    assert tried > 1000


@pytest.mark.parametrize("step", [1, 3, 8, SIZE])
def test_chains_that_were_let_go_of_are_looked_up(
    folder: Path, monkeypatch: pytest.MonkeyPatch, step: int
) -> None:
    monkeypatch.setattr(audit_module, "CHUNK_ENTRIES", step)
    monkeypatch.setattr(audit_module, "Heads", lambda store, keys: Heads(store, keys, limit=2))
    assert audited(folder).findings == ()
    with closing(sqlite3.connect(folder / "ledger.sqlite", isolation_level=None)) as connection:
        connection.execute("UPDATE entry SET salt = zeroblob(32) WHERE position = 10")
    assert [(f.index, f.field) for f in audited(folder).findings] == [(10, "record or salt")]


def test_entries_of_one_chain_in_another_order_are_named(folder: Path) -> None:
    """Numbers exchanged within a chain, so that every number is still there once."""
    with closing(sqlite3.connect(folder / "ledger.sqlite", isolation_level=None)) as connection:
        for number, position in ((99, 1), (0, 10), (2, 1)):
            connection.execute("UPDATE entry SET number = ? WHERE position = ?", (number, position))
    named = {(f.index, f.field) for f in audited(folder).findings}
    assert {(1, "number"), (10, "number")} <= named | {(10, "chain or number")}


def test_a_chain_given_to_another_person_is_named(folder: Path) -> None:
    with closing(sqlite3.connect(folder / "ledger.sqlite", isolation_level=None)) as connection:
        connection.execute(
            "UPDATE entry SET chain = ? WHERE chain = ?", (b"\x01other", b"\x01" + ONE)
        )
    found = {(f.index, f.field) for f in audited(folder).findings}
    assert {index for index, field in found if field.startswith("chain")} == {1, 5, 10, 11, 13, 18}


def test_a_log_signed_with_times_that_go_back_is_sound(tmp_path: Path) -> None:
    with open_ledger(tmp_path, clock=CLOCK) as ledger:
        for year in ("2026", "1999", "2030", "0001"):
            ledger.append([entry(time=f"{year}-01-01T00:00:00.000Z")])
        assert ledger.verify_all().intact
