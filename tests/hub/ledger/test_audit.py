"""Tampering with a small log, byte by byte and row by row: each is found and named."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from hub.canonical import canonical_json
from hub.errors import TamperDetected
from hub.ledger.audit import Audit, audit
from hub.ledger.checks.findings import FINDINGS_LIMIT
from hub.ledger.entry import content_of, entry_of, link_of
from hub.ledger.merkle import leaf_hash
from hub.ledger.note import Checkpoint, sign_checkpoint
from hub.ledger.sqlite import SqliteStore
from tests.hub.ledger.factories import (
    LABEL,
    ORIGIN,
    InventedSigner,
    entry,
    filled,
    identity_of,
    open_ledger,
)

SIZE = 11
ERASED = 2


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a sound log of eleven entries, number 2 erased by number 10."""
    folder = tmp_path_factory.mktemp("sound")
    with filled(folder, SIZE - 1) as ledger:
        ledger.erase(ERASED, "oversight", "ground")
    return folder


@pytest.fixture
def folder(sound: Path, tmp_path: Path) -> Path:
    """A copy of the sound log to damage."""
    shutil.copy(sound / "ledger.sqlite", tmp_path / "ledger.sqlite")
    return tmp_path


def connect(folder: Path) -> closing[sqlite3.Connection]:
    return closing(sqlite3.connect(folder / "ledger.sqlite", isolation_level=None))


def change(folder: Path, statement: str, *values: object) -> None:
    with connect(folder) as connection:
        assert connection.execute(statement, values).rowcount != 0


def value(folder: Path, query: str, *values: object) -> bytes:
    with connect(folder) as connection:
        found: bytes = connection.execute(query, values).fetchone()[0]
        return found


def audited(folder: Path) -> Audit:
    with open_ledger(folder) as ledger:
        return ledger.verify_all()


def findings(folder: Path) -> list[str]:
    return [str(finding) for finding in audited(folder).findings]


def flipped(data: bytes) -> Iterator[bytes]:
    """Every way to flip one bit in one byte, one per byte."""
    for at in range(len(data)):
        yield data[:at] + bytes([data[at] ^ (1 << at % 8)]) + data[at + 1 :]


def test_a_sound_log_has_no_findings(folder: Path) -> None:
    steps: list[tuple[int, int]] = []
    with open_ledger(folder) as ledger:
        result = ledger.verify_all(lambda done, total: steps.append((done, total)))
    assert (result.intact, result.size, result.erased, result.findings) == (True, SIZE, 1, ())
    assert steps == [(SIZE, SIZE)]


@pytest.mark.parametrize("position", [0, 5, SIZE - 1])
@pytest.mark.parametrize(
    ("column", "field"),
    [
        ("record", "record or salt"),
        ("salt", "record or salt"),
        ("tag", "tag"),
        ("link", "link"),
        ("chain", "chain"),
    ],
)
def test_every_byte_of_an_entry(folder: Path, position: int, column: str, field: str) -> None:
    right = value(folder, f"SELECT {column} FROM entry WHERE position = ?", position)
    update = f"UPDATE entry SET {column} = ? WHERE position = ?"
    with open_ledger(folder) as ledger, connect(folder) as connection:
        for wrong in flipped(right):
            connection.execute(update, (wrong, position))
            found = [(f.index, f.field) for f in ledger.verify_all().findings]
            assert (position, field) in found
            # What needs the changed entry is named as well: an erasure whose record is damaged
            # vouches for nothing, and a chain that an entry was taken out of has a gap.
            rest = {field for index, field in found if index != position}
            assert rest <= ({"record and salt", "entry before it in its chain"})
            assert not rest or position == SIZE - 1 or column == "chain"
        connection.execute(update, (right, position))
        assert ledger.verify_all().intact


def test_every_byte_of_what_stands_in_for_an_erased_record(folder: Path) -> None:
    right = value(folder, "SELECT content FROM entry WHERE position = ?", ERASED)
    with open_ledger(folder) as ledger, connect(folder) as connection:
        for wrong in flipped(right):
            connection.execute("UPDATE entry SET content = ? WHERE position = 2", (wrong,))
            (found,) = ledger.verify_all().findings
            assert (found.index, found.field) == (ERASED, "content")


def test_every_byte_of_the_stored_tree(folder: Path) -> None:
    with open_ledger(folder) as ledger, connect(folder) as connection:
        rows = connection.execute("SELECT leaf, hashes FROM tree ORDER BY leaf").fetchall()
        for leaf, right in rows:
            for number, wrong in enumerate(flipped(right)):
                if number % 8:
                    continue
                connection.execute("UPDATE tree SET hashes = ? WHERE leaf = ?", (wrong, leaf))
                (found,) = ledger.verify_all().findings
                assert found.index == leaf
                field, words = ("leaf hash", "stored tree") if number < 32 else ("tree", "level")
                assert (found.field, words in found.problem) == (field, True)
            connection.execute("UPDATE tree SET hashes = ? WHERE leaf = ?", (right, leaf))
        assert ledger.verify_all().intact


def test_every_byte_of_the_checkpoint(folder: Path) -> None:
    note = value(folder, "SELECT note FROM head")
    assert isinstance(note, str)
    with open_ledger(folder) as ledger, connect(folder) as connection:
        for at in range(len(note)):
            wrong = note[:at] + ("A" if note[at] != "A" else "B") + note[at + 1 :]
            connection.execute("UPDATE head SET note = ?", (wrong,))
            found = ledger.verify_all().findings
            assert [(f.index, f.field) for f in found] == [(None, "checkpoint")]


@pytest.mark.parametrize(
    ("statement", "expected"),
    [
        ("UPDATE entry SET chain = x'00' WHERE position = 4", "entry 4, chain"),
        ("UPDATE entry SET chain = x'' WHERE position = 4", "entry 4, chain"),
        ("UPDATE entry SET chain = 'text' WHERE position = 4", "entry 4, chain"),
        ("UPDATE entry SET number = 99 WHERE position = 4", "entry 4, number"),
        ("UPDATE entry SET number = -1 WHERE position = 4", "entry 4, number"),
        ("UPDATE entry SET number = 'text' WHERE position = 4", "entry 4, number"),
        ("UPDATE entry SET tag = zeroblob(32) WHERE position = 4", "entry 4, tag"),
        ("UPDATE entry SET tag = 'text' WHERE position = 4", "entry 4, tag"),
        ("UPDATE entry SET tag = x'' WHERE position = 2", "entry 2, tag"),
        ("UPDATE entry SET link = zeroblob(32) WHERE position = 4", "entry 4, link"),
        ("UPDATE entry SET link = zeroblob(33) WHERE position = 4", "entry 4, link"),
        ("UPDATE entry SET link = 7 WHERE position = 2", "entry 2, link"),
        ("UPDATE entry SET content = zeroblob(32) WHERE position = 4", "entry 4, content"),
        ("UPDATE entry SET content = 'text' WHERE position = 4", "entry 4, content"),
        ("UPDATE entry SET content = NULL WHERE position = 2", "entry 2, content"),
        ("UPDATE entry SET content = 'text' WHERE position = 2", "entry 2, content"),
        ("UPDATE entry SET event = 'other' WHERE position = 4", "entry 4, event"),
        ("UPDATE entry SET event = x'00' WHERE position = 4", "entry 4, event"),
        ("UPDATE entry SET time = '2027' WHERE position = 4", "entry 4, time"),
        ("UPDATE entry SET erased_by = 10 WHERE position = 4", "entry 4, erased_by"),
        ("UPDATE entry SET chain = x'0100' WHERE position = 2", "entry 2, chain"),
        ("UPDATE entry SET number = 99 WHERE position = 2", "entry 2, number"),
        ("UPDATE entry SET event = 'other' WHERE position = 2", "entry 2, event"),
        ("UPDATE entry SET time = '2027' WHERE position = 2", "entry 2, time"),
        ("UPDATE entry SET erased_by = 9 WHERE position = 2", "entry 2, erased_by"),
        ("UPDATE entry SET erased_by = NULL WHERE position = 2", "entry 2, erased_by"),
        ("UPDATE entry SET erased_by = 'text' WHERE position = 2", "entry 2, erased_by"),
        ("UPDATE entry SET record = NULL WHERE position = 4", "entry 4, record"),
        ("UPDATE entry SET salt = NULL WHERE position = 4", "entry 4, salt"),
        ("UPDATE entry SET record = 'text' WHERE position = 4", "entry 4, record"),
        ("UPDATE entry SET record = x'' WHERE position = 4", "entry 4, record or salt"),
        (
            "UPDATE entry SET record = NULL, salt = NULL WHERE position = 4",
            "entry 4, record and salt",
        ),
        ("UPDATE entry SET salt = 'text' WHERE position = 4", "entry 4, salt"),
        ("UPDATE entry SET salt = zeroblob(32) WHERE position = 2", "entry 2, salt: stands"),
        ("UPDATE entry SET record = x'7b7d' WHERE position = 2", "entry 2, record: stands here"),
        ("DELETE FROM entry WHERE position = 4", "entry 4, entry"),
        ("DELETE FROM tree WHERE leaf = 4", "entry 4, tree"),
        ("UPDATE tree SET hashes = x'00' WHERE leaf = 4", "entry 4, tree"),
        ("UPDATE tree SET hashes = 'text' WHERE leaf = 4", "entry 4, tree"),
        ("INSERT INTO tree VALUES (11, x'00')", "entry 11, tree"),
        ("INSERT INTO tree VALUES (-1, x'00')", "entry -1, tree"),
    ],
)
def test_a_changed_row_is_named(folder: Path, statement: str, expected: str) -> None:
    change(folder, statement)
    found = findings(folder)
    places = [place for text in found for place in expected.split("|") if place in text]
    assert places, found
    assert len(found) <= 3


@pytest.mark.parametrize(
    "statement",
    [
        "record = NULL, salt = NULL",
        "record = NULL, salt = NULL, erased_by = 10",
        "record = NULL, salt = NULL, erased_by = 99",
        "record = NULL, salt = NULL, erased_by = 3",
        "record = NULL, salt = NULL, content = ?, erased_by = 10",
    ],
)
def test_forgetting_on_the_sly_is_not_an_erasure(folder: Path, statement: str) -> None:
    record, salt = (
        value(folder, f"SELECT {column} FROM entry WHERE position = 4")
        for column in ("record", "salt")
    )
    content = content_of(salt, record)
    values = (content,) if "?" in statement else ()
    change(folder, f"UPDATE entry SET {statement} WHERE position = 4", *values)
    assert findings(folder) == [
        "entry 4, record and salt: gone, and no entry records their erasure"
    ]
    assert audited(folder).erased == 1


def test_an_erased_record_put_back_is_named(folder: Path) -> None:
    change(folder, "UPDATE entry SET record = x'7b7d', salt = zeroblob(32) WHERE position = 2")
    assert findings(folder) == [
        "entry 2, record: stands here, though it was erased",
        "entry 2, salt: stands here, though it was erased",
    ]
    assert audited(folder).erased == 1


def test_a_byte_moved_from_salt_to_record_is_found(folder: Path) -> None:
    salt = value(folder, "SELECT salt FROM entry WHERE position = 4")
    record = value(folder, "SELECT record FROM entry WHERE position = 4")
    change(
        folder,
        "UPDATE entry SET salt = ?, record = ? WHERE position = 4",
        salt[:-1],
        salt[-1:] + record,
    )
    assert findings(folder) == ["entry 4, salt: not of 32 bytes"]


def swap(folder: Path, table: str, key: str) -> None:
    with connect(folder) as connection:
        for old, new in ((4, 99), (6, 4), (99, 6)):
            connection.execute(f"UPDATE {table} SET {key} = ? WHERE {key} = ?", (new, old))


def test_reordered_entries_are_named(folder: Path) -> None:
    swap(folder, "entry", "position")
    places = {finding.index for finding in audited(folder).findings}
    assert places == {4, 6}


def test_entries_and_leaves_reordered_together_are_named(folder: Path) -> None:
    swap(folder, "entry", "position")
    swap(folder, "tree", "leaf")
    found = findings(folder)
    assert any("one of entries 4 to 5 was replaced" in text for text in found), found
    assert any("one of entries 6 to 7 was replaced" in text for text in found), found


def replace_whole(folder: Path, position: int, *, leaf: bool = True) -> None:
    """Put another record in an entry's place, with link and leaf hash that fit it."""
    record = canonical_json({**entry(position).body, "subject": LABEL.hex(), "purpose": "other"})
    salt = bytes(32)
    with connect(folder) as connection:
        query = "SELECT tag, link, number FROM entry WHERE position = ?"
        tag, _, number = connection.execute(query, (position,)).fetchone()
        before = connection.execute(query, (position - 1,)).fetchone()
    link = link_of(entry_of(before[0], before[1]), number, content_of(salt, record))
    change(
        folder,
        "UPDATE entry SET record = ?, salt = ?, link = ?, event = 'officer:subject:disclosed', "
        "time = '2026-03-01T08:00:00.000Z' WHERE position = ?",
        *(record, salt, link, position),
    )
    if leaf:
        spine = value(folder, "SELECT hashes FROM tree WHERE leaf = ?", position)
        held = leaf_hash(entry_of(tag, link)) + spine[32:]
        change(folder, "UPDATE tree SET hashes = ? WHERE leaf = ?", held, position)


def test_an_entry_replaced_with_its_link_is_named(folder: Path) -> None:
    replace_whole(folder, 6, leaf=False)
    assert findings(folder)[0] == "entry 6, entry: another one stands here than was signed"


def test_an_entry_replaced_with_link_and_leaf_is_narrowed_to_a_pair(folder: Path) -> None:
    replace_whole(folder, 6)
    assert "entry 6, entry: one of entries 6 to 7 was replaced whole" in findings(folder)


def test_the_last_entry_replaced_whole_leads_to_another_root(folder: Path) -> None:
    replace_whole(folder, SIZE - 1)
    assert "checkpoint: the entries do not lead to the root that was signed" in findings(folder)


@pytest.mark.parametrize("size", [0, 4, SIZE - 1])
def test_a_truncated_log_names_what_is_missing(folder: Path, size: int) -> None:
    change(folder, "DELETE FROM entry WHERE position >= ?", size)
    change(folder, "DELETE FROM tree WHERE leaf >= ?", size)
    found = audited(folder).findings
    missing = {f.index for f in found if (f.field, f.problem) == ("entry", "missing")}
    assert missing == set(range(size, SIZE))


def test_an_entry_added_behind_the_ledgers_back_is_named_and_stops_it(folder: Path) -> None:
    change(
        folder,
        "INSERT INTO entry SELECT 11, tag, link, chain, 11, record, salt, NULL, event, time, NULL "
        "FROM entry WHERE position = 4",
    )
    assert findings(folder) == ["entry 11, entry: a row beyond the 11 entries that were signed"]
    with open_ledger(folder) as ledger, pytest.raises(TamperDetected, match="beyond the signed"):
        ledger.append([entry()])


def test_a_missing_checkpoint_is_named(folder: Path) -> None:
    change(folder, "DELETE FROM head")
    with pytest.raises(TamperDetected, match="signed head is gone"):
        open_ledger(folder)


@pytest.mark.parametrize(
    ("checkpoint", "signer", "problem"),
    [
        (Checkpoint("mingjing.example/other", SIZE, bytes(32)), InventedSigner(), "of log"),
        (Checkpoint(ORIGIN, SIZE, bytes(32)), InventedSigner(seed="two"), "any known key"),
    ],
)
def test_another_logs_or_a_strangers_checkpoint_is_named(
    folder: Path, checkpoint: Checkpoint, signer: InventedSigner, problem: str
) -> None:
    change(folder, "UPDATE head SET note = ?", sign_checkpoint(checkpoint, signer))
    (found,) = findings(folder)
    assert problem in found


def test_a_falsely_signed_root_stops_the_ledger(folder: Path) -> None:
    forged = sign_checkpoint(Checkpoint(ORIGIN, SIZE, bytes(32)), InventedSigner())
    change(folder, "UPDATE head SET note = ?", forged)
    assert "checkpoint: the entries do not lead to the root that was signed" in findings(folder)
    with (
        open_ledger(folder) as ledger,
        pytest.raises(TamperDetected, match="does not lead to the root"),
    ):
        ledger.append([entry()])


def test_a_changed_edge_of_the_tree_stops_the_ledger(folder: Path) -> None:
    change(folder, "UPDATE tree SET hashes = zeroblob(32) WHERE leaf = 10")
    with (
        open_ledger(folder) as ledger,
        pytest.raises(TamperDetected, match="does not lead to the root"),
    ):
        ledger.append([entry()])
    change(folder, "DELETE FROM tree WHERE leaf = 10")
    with open_ledger(folder) as ledger, pytest.raises(TamperDetected, match="is gone"):
        ledger.append([entry()])


def test_an_index_that_hides_an_entry_is_found(folder: Path) -> None:
    whole = "CREATE UNIQUE INDEX entry_chain ON entry (chain, number)"

    def declare(sql: str) -> None:
        with connect(folder) as connection:
            connection.execute("PRAGMA writable_schema = ON")
            query = "UPDATE sqlite_master SET sql = ? WHERE name = 'entry_chain'"
            assert connection.execute(query, (sql,)).rowcount == 1

    declare(f"{whole} WHERE position <> 4")
    with connect(folder) as connection:
        connection.execute("REINDEX entry_chain")
    declare(whole)
    assert any("row" in text and "index" in text for text in findings(folder))


def test_damaged_pages_are_found(folder: Path) -> None:
    path = folder / "ledger.sqlite"
    data = bytearray(path.read_bytes())
    for page in range(1, len(data) // 4096):
        data[page * 4096 : page * 4096 + 8] = b"\xff" * 8
    path.write_bytes(bytes(data))
    result = audit(SqliteStore(path), identity_of())
    assert not result.intact


def test_findings_are_counted_beyond_those_kept(tmp_path: Path) -> None:
    with open_ledger(tmp_path) as ledger:
        ledger.append([entry(n) for n in range(FINDINGS_LIMIT + 5)])
        change(tmp_path, "UPDATE entry SET record = x'00'")
        result = ledger.verify_all()
    assert (len(result.findings), result.total) == (FINDINGS_LIMIT, FINDINGS_LIMIT + 5)


def test_appends_during_an_audit_are_no_damage(folder: Path) -> None:
    with open_ledger(folder) as ledger:

        def append(_done: int, _total: int) -> None:
            ledger.append([entry()])

        result = ledger.verify_all(append)
        assert (result.intact, result.size) == (True, SIZE)
        assert ledger.verify_all().size == SIZE + 1
