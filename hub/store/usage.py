"""Counters of use, shared by all processes of a hub: one small SQLite file beside the ledger.

It knows actors, persons and sessions by the ledger's keyed names only. What it counts can be
counted again from the ledger, which is the truth; so it is quick and not durable, and a file that
is gone, damaged or of a former day is made anew by whoever finds it so. A file that cannot be
written stops everything that has to be counted.

Slots are the beginnings of ISO times: "2026-03-07" is a day, "2026-03-07T09:30" a minute.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from hub.errors import LedgerError
from hub.file_lock import FileLock

_VERSION = 1
_SCHEMA = """
CREATE TABLE tally (
    actor TEXT NOT NULL, what TEXT NOT NULL, slot TEXT NOT NULL, n INTEGER NOT NULL,
    PRIMARY KEY (actor, what, slot)
) WITHOUT ROWID;
CREATE TABLE seen (
    actor TEXT NOT NULL, what TEXT NOT NULL, slot TEXT NOT NULL, label BLOB NOT NULL,
    level INTEGER NOT NULL, PRIMARY KEY (actor, what, slot, label)
) WITHOUT ROWID;
CREATE TABLE told (
    actor TEXT NOT NULL, what TEXT NOT NULL, slot TEXT NOT NULL, until REAL,
    PRIMARY KEY (actor, what, slot)
) WITHOUT ROWID;
CREATE TABLE once (name BLOB PRIMARY KEY, slot TEXT NOT NULL, receipt TEXT NOT NULL) WITHOUT ROWID;
"""
_TABLES = ("tally", "seen", "told", "once")


class Counters:
    """The counters, inside one transaction."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def add(self, actor: str, what: str, slot: str, number: int = 1) -> int:
        """Count something an actor did and return how often it was done in the slot by now."""
        (total,) = self._connection.execute(
            "INSERT INTO tally VALUES (?, ?, ?, ?) "
            "ON CONFLICT DO UPDATE SET n = n + excluded.n RETURNING n",
            (actor, what, slot, number),
        ).fetchone()
        return int(total)

    def total(self, actor: str, what: str, slot: str) -> int:
        """Return how often an actor did something in the slot."""
        row = self._connection.execute(
            "SELECT n FROM tally WHERE actor = ? AND what = ? AND slot = ?", (actor, what, slot)
        ).fetchone()
        return int(row[0]) if row else 0

    def level(self, actor: str, what: str, slot: str, label: bytes) -> int:
        """Return the highest level an actor saw a person at in the slot, 0 for not at all."""
        row = self._connection.execute(
            "SELECT level FROM seen WHERE actor = ? AND what = ? AND slot = ? AND label = ?",
            (actor, what, slot, label),
        ).fetchone()
        return int(row[0]) if row else 0

    def see(self, actor: str, what: str, slot: str, label: bytes, level: int = 1) -> None:
        """Remember at which level an actor saw a person; the sums are the caller's to keep."""
        self._connection.execute(
            "INSERT OR REPLACE INTO seen VALUES (?, ?, ?, ?, ?)", (actor, what, slot, label, level)
        )

    def claim(self, actor: str, what: str, slot: str, now: float, seconds: float) -> bool:
        """Say whether it falls to the caller to tell of something that is told once.

        The caller confirms once it has told; if nothing is heard of it, the next is asked to.
        """
        changed = self._connection.execute(
            "INSERT INTO told VALUES (?1, ?2, ?3, ?4 + ?5) ON CONFLICT DO UPDATE "
            "SET until = excluded.until WHERE until <= ?4",
            (actor, what, slot, now, seconds),
        ).rowcount
        return changed == 1

    def confirm(self, actor: str, what: str, slot: str) -> None:
        """Remember for good that it was told."""
        self._connection.execute(
            "INSERT INTO told VALUES (?, ?, ?, NULL) ON CONFLICT DO UPDATE SET until = NULL",
            (actor, what, slot),
        )

    def receipt(self, name: bytes) -> str | None:
        """Return the receipt of what is recorded once, None where it is yet to be recorded."""
        row = self._connection.execute(
            "SELECT receipt FROM once WHERE name = ?", (name,)
        ).fetchone()
        return str(row[0]) if row else None

    def keep_receipt(self, name: bytes, slot: str, receipt: str) -> None:
        """Remember the receipt of what is recorded once; the first one stays."""
        self._connection.execute(
            "INSERT OR IGNORE INTO once VALUES (?, ?, ?)", (name, slot, receipt)
        )

    def newest(self) -> str:
        """Return the latest slot that anything was counted in, empty where nothing was."""
        return str(self._connection.execute("SELECT max(slot) FROM tally").fetchone()[0] or "")

    def forget(self, before: str) -> None:
        """Forget what was counted in slots before one."""
        for table in _TABLES:
            self._connection.execute(f"DELETE FROM {table} WHERE slot < ?", (before,))


Restore = Callable[[Counters], None]
Sound = Callable[[Counters], bool]


class Usage:
    """The file of counters. One thread at a time; the lock lets others wait.

    Args:
        path: made with mode 0600 when it is not there.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._turn = FileLock(path)
        self._connection: sqlite3.Connection | None = None
        self._inode = 0

    @contextmanager
    def counting(self, sound: Sound, restore: Restore) -> Iterator[Counters]:
        """Count in one transaction; all of it holds, or nothing.

        Args:
            sound: says of a file that is opened whether it can be gone on with.
            restore: counts again what a new file would lack.

        Raises:
            LedgerError: when the counters cannot be read or written; nothing was counted.
        """
        try:
            with self._turn.held():
                connection = self._open(sound, restore)
                connection.execute("BEGIN IMMEDIATE")
                try:
                    yield Counters(connection)
                    connection.execute("COMMIT")
                except BaseException:
                    self._disconnect()  # rolls back
                    raise
        except (sqlite3.Error, OSError) as exc:
            raise LedgerError(
                f"the use could not be counted ({type(exc).__name__}): nothing is released"
            ) from exc

    def close(self) -> None:
        """Let go of the file; the next use opens it again."""
        self._disconnect()
        self._turn.close()

    def _open(self, sound: Sound, restore: Restore) -> sqlite3.Connection:
        """Return a connection to the very file that bears the name now."""
        if self._connection is not None and self._inode == _inode(self._path):
            return self._connection
        self._disconnect()
        connection = _connected(self._path, sound)
        if connection is None:
            _make(self._path, restore)
            connection = _connect(self._path)
        self._connection, self._inode = connection, _inode(self._path)
        return connection

    def _disconnect(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()


def _inode(path: Path) -> int:
    try:
        return path.stat().st_ino
    except FileNotFoundError:
        return 0


def _connected(path: Path, sound: Sound) -> sqlite3.Connection | None:
    """Return a connection to a file that can be gone on with, None where it has to be made anew.

    Raises:
        sqlite3.OperationalError: when it is there and cannot be opened or read.
    """
    if not path.exists():
        return None
    try:
        connection = _connect(path)
    except sqlite3.OperationalError:
        raise
    except sqlite3.DatabaseError:  # what is there is no database
        return None
    try:
        if _is_whole(connection) and sound(Counters(connection)):
            return connection
    except BaseException:
        connection.close()
        raise
    connection.close()
    return None


def _is_whole(connection: sqlite3.Connection) -> bool:
    try:
        (version,) = connection.execute("PRAGMA user_version").fetchone()
        (found,) = connection.execute("PRAGMA quick_check(1)").fetchone()
    except sqlite3.OperationalError:
        raise
    except sqlite3.DatabaseError:  # damaged beyond reading on
        return False
    return bool(version == _VERSION and found == "ok")


def _connect(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    try:
        connection.execute("PRAGMA synchronous = OFF")  # the ledger is what has to last
        # No write-ahead log: whoever closed the last connection to a file that has been replaced
        # would remove the log of the new one.
        connection.execute("PRAGMA journal_mode = PERSIST")
    except BaseException:
        connection.close()
        raise
    return connection


def _make(path: Path, restore: Restore) -> None:
    """Put a new file in place, whole or not at all."""
    draft = path.with_name(f"{path.name}.new")
    for leftover in (draft, _journal(draft), _journal(path)):
        leftover.unlink(missing_ok=True)
    os.close(os.open(draft, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
    connection = _connect(draft)
    try:
        connection.executescript(f"BEGIN; {_SCHEMA} PRAGMA user_version = {_VERSION};")
        restore(Counters(connection))
        connection.execute("COMMIT")
    finally:
        connection.close()
    _journal(draft).unlink(missing_ok=True)
    draft.replace(path)


def _journal(path: Path) -> Path:
    """Return what SQLite keeps beside a file; that of another file would be rolled back into it."""
    return path.with_name(f"{path.name}-journal")
