"""What a witness must never forget: per log the last tree it cosigned, and every alarm.

One SQLite file, each change durable before the call returns. The head of a log only ever moves in
one transaction that compares it first, so that of two requests at once one comes too late, and a
witness that was killed comes back with all it has ever cosigned.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from threading import Lock
from types import TracebackType
from typing import Any, TypeVar

from hub.clock import Clock, second_of
from hub.errors import ConfigError, LedgerError, NotFound
from hub.ledger.merkle import EMPTY_ROOT, HASH_BYTES
from hub.ledger.note import VerifierKey
from hub.witness.alarms import PASSING, Alarm, Kind, Wrong

ALARM_LIMIT = 100  # kept of one kind and log

_SCHEMA = """
CREATE TABLE IF NOT EXISTS log (
    origin TEXT PRIMARY KEY, keys TEXT NOT NULL, url TEXT NOT NULL, mode TEXT NOT NULL,
    stalled_seconds INTEGER NOT NULL
);
CREATE TABLE IF NOT EXISTS head (
    origin TEXT PRIMARY KEY, size INTEGER NOT NULL, root BLOB NOT NULL, note TEXT NOT NULL,
    time INTEGER NOT NULL
);
CREATE TABLE IF NOT EXISTS reading (
    origin TEXT PRIMARY KEY, read_to INTEGER NOT NULL, hashes BLOB NOT NULL, size INTEGER NOT NULL,
    root BLOB NOT NULL, note TEXT NOT NULL
);
CREATE TABLE IF NOT EXISTS seen (
    origin TEXT PRIMARY KEY, size INTEGER NOT NULL, root BLOB NOT NULL, note TEXT NOT NULL,
    time TEXT NOT NULL, quiet REAL NOT NULL, unreachable REAL NOT NULL, problem TEXT NOT NULL
);
CREATE TABLE IF NOT EXISTS alarm (
    id INTEGER PRIMARY KEY, origin TEXT NOT NULL, kind TEXT NOT NULL, what TEXT NOT NULL,
    evidence TEXT NOT NULL, first TEXT NOT NULL, last TEXT NOT NULL, times INTEGER NOT NULL,
    ended TEXT, reason TEXT NOT NULL DEFAULT '', UNIQUE (origin, kind, what)
);
"""


class Mode(StrEnum):
    """How much of a log is checked before its tree is cosigned."""

    FULL = "full"
    CONSISTENCY = "consistency"


@dataclass(frozen=True, slots=True)
class WatchedLog:
    """A log under watch.

    Attributes:
        keys: that its checkpoints may be signed by; all have the origin as name.
        url: what its files stand under, with a slash at the end.
        stalled_seconds: without a new checkpoint for longer than this it counts as stalled.
    """

    origin: str
    keys: tuple[VerifierKey, ...]
    url: str
    mode: Mode
    stalled_seconds: int


@dataclass(frozen=True, slots=True)
class Head:
    """The last tree cosigned: size, root, the log's note, and the time said in the cosignature."""

    size: int = 0
    root: bytes = EMPTY_ROOT
    note: str = ""
    time: int = 0


@dataclass(frozen=True, slots=True)
class Reading:
    """How far a log was read in full.

    Attributes:
        read_to: entries that were checked one by one, a multiple of 256.
        hashes: of the perfect subtrees over those entries.
        size, root, note: of the last tree that was checked whole; size 0 before the first.
    """

    read_to: int = 0
    hashes: tuple[bytes, ...] = ()
    size: int = 0
    root: bytes = EMPTY_ROOT
    note: str = ""


@dataclass(frozen=True, slots=True)
class Seen:
    """The last checkpoint the log showed in public.

    Attributes:
        time: when it was first seen (RFC 3339), empty before.
        quiet: seconds of watching since then in which there was no newer one.
        unreachable: seconds of watching without an answer that could be read.
        problem: what was in the way at the last look, empty when nothing was.
    """

    size: int = 0
    root: bytes = EMPTY_ROOT
    note: str = ""
    time: str = ""
    quiet: float = 0.0
    unreachable: float = 0.0
    problem: str = ""


_Row = TypeVar("_Row", Head, Reading, Seen)


class WitnessState:
    """The file of a witness. Threads take turns.

    Raises:
        LedgerError: from every method, when the file cannot be read or written; then nothing of
            the call was applied.
    """

    def __init__(self, path: Path, clock: Clock) -> None:
        self._clock = clock
        self._lock = Lock()
        if not path.exists():
            os.close(os.open(path, os.O_CREAT | os.O_WRONLY, 0o600))
        with self._wrapped():
            self._db = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
            self._db.execute("PRAGMA busy_timeout = 10000")
            self._db.execute("PRAGMA journal_mode = WAL")
            self._db.execute("PRAGMA synchronous = FULL")
            self._db.executescript(_SCHEMA)

    def __enter__(self) -> WitnessState:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the file."""
        self._db.close()

    def add_log(self, log: WatchedLog) -> None:
        """Watch a log, or watch one that is known already in another way."""
        keys = "\n".join(map(str, log.keys))
        row = (log.origin, keys, log.url, log.mode.value, log.stalled_seconds)
        with self._change() as db:
            db.execute("INSERT OR REPLACE INTO log VALUES (?, ?, ?, ?, ?)", row)

    def logs(self) -> tuple[WatchedLog, ...]:
        """Return every log under watch, by origin."""
        return tuple(map(_log, self._rows("SELECT * FROM log ORDER BY origin")))

    def log(self, origin: str) -> WatchedLog:
        """Return a log under watch.

        Raises:
            NotFound: when there is none of this origin.
        """
        for row in self._rows("SELECT * FROM log WHERE origin = ?", origin):
            return _log(row)
        raise NotFound(f"no log {origin!r} is watched here")

    def head(self, origin: str) -> Head:
        """Return the last tree cosigned, the empty one before the first."""
        return self._of(Head, "head", origin)

    def advance(self, origin: str, old: Head, new: Head) -> bool:
        """Move a log's head, durably, if it is where the caller found it.

        Returns:
            False when another request has moved it; nothing was changed then.
        """
        with self._change() as db:
            rows = db.execute("SELECT size, root FROM head WHERE origin = ?", (origin,)).fetchall()
            if (rows[0] if rows else (0, EMPTY_ROOT)) != (old.size, old.root):
                return False
            row = (origin, new.size, new.root, new.note, new.time)
            db.execute("INSERT OR REPLACE INTO head VALUES (?, ?, ?, ?, ?)", row)
        return True

    def reading(self, origin: str) -> Reading:
        """Return how far a log was read in full."""
        return self._of(Reading, "reading", origin)

    def save_reading(self, origin: str, reading: Reading) -> None:
        """Remember how far a log was read in full."""
        hashes = b"".join(reading.hashes)
        row = (origin, reading.read_to, hashes, reading.size, reading.root, reading.note)
        with self._change() as db:
            db.execute("INSERT OR REPLACE INTO reading VALUES (?, ?, ?, ?, ?, ?)", row)

    def seen(self, origin: str) -> Seen:
        """Return what the log last showed in public."""
        return self._of(Seen, "seen", origin)

    def save_seen(self, origin: str, seen: Seen) -> None:
        """Remember what the log showed in public."""
        row = (seen.size, seen.root, seen.note, seen.time, seen.quiet, seen.unreachable)
        with self._change() as db:
            db.execute(
                "INSERT OR REPLACE INTO seen VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                (origin, *row, seen.problem),
            )

    def raise_alarm(self, origin: str, wrong: Wrong) -> None:
        """Keep what was found; the same finding is counted, not kept again.

        Of one kind and log so many are kept; what comes after them is counted with the last.
        """
        now = self._now()
        with self._change() as db:
            what = _kept(db, origin, wrong)
            row = (origin, wrong.kind.value, what, wrong.evidence, now, now)
            db.execute(
                "INSERT INTO alarm (origin, kind, what, evidence, first, last, times) "
                "VALUES (?, ?, ?, ?, ?, ?, 1) ON CONFLICT (origin, kind, what) DO UPDATE "
                "SET last = excluded.last, times = times + 1, ended = NULL",
                row,
            )

    def end_passing(self, origin: str, *kinds: Kind) -> None:
        """Say that passing alarms of these kinds are over."""
        ending = [kind.value for kind in kinds if kind in PASSING]
        with self._change() as db:
            db.executemany(
                "UPDATE alarm SET ended = ? WHERE origin = ? AND kind = ? AND ended IS NULL",
                [(self._now(), origin, kind) for kind in ending],
            )

    def settle(self, number: int, reason: str) -> None:
        """Keep that somebody has looked into an alarm; when it is found again it is open again.

        Raises:
            NotFound: when there is no such alarm, or it is over.
        """
        with self._change() as db:
            done = db.execute(
                "UPDATE alarm SET ended = ?, reason = ? WHERE id = ? AND ended IS NULL",
                (self._now(), reason, number),
            )
            if not done.rowcount:
                raise NotFound(f"there is no open alarm {number}")

    def alarms(self) -> tuple[Alarm, ...]:
        """Return every alarm there ever was, the newest first."""
        rows = self._rows("SELECT * FROM alarm ORDER BY last DESC, id DESC")
        return tuple(Alarm(id_, origin, Kind(kind), *rest) for id_, origin, kind, *rest in rows)

    def _now(self) -> str:
        return second_of(self._clock.now())

    def _of(self, kind: type[_Row], table: str, origin: str) -> _Row:
        for _, *values in self._rows(f"SELECT * FROM {table} WHERE origin = ?", origin):
            if kind is Reading:
                values[1] = _split(values[1])
            return kind(*values)
        return kind()

    def _rows(self, query: str, *values: object) -> list[Any]:
        with self._lock, self._wrapped():
            return self._db.execute(query, values).fetchall()

    @contextmanager
    def _change(self) -> Iterator[sqlite3.Connection]:
        with self._lock, self._wrapped():
            self._db.execute("BEGIN IMMEDIATE")
            try:
                yield self._db
            except BaseException:
                self._db.execute("ROLLBACK")
                raise
            self._db.execute("COMMIT")

    @contextmanager
    def _wrapped(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.Error as exc:
            raise LedgerError(f"the witness's state cannot be read or written: {exc}") from exc


def open_state(folder: Path, clock: Clock) -> WitnessState:
    """Return the state of the witness in a folder.

    Raises:
        ConfigError: when there is no witness there.
    """
    if not (folder / "witness.key").exists():
        raise ConfigError(f"there is no witness in {folder}: run `hub witness init`")
    return WitnessState(folder / "witness.sqlite", clock)


def _kept(db: sqlite3.Connection, origin: str, wrong: Wrong) -> str:
    """Return the sentence that a finding is kept under."""
    rows = db.execute(
        "SELECT what FROM alarm WHERE origin = ? AND kind = ? ORDER BY id",
        (origin, wrong.kind.value),
    ).fetchall()
    known = [str(what) for (what,) in rows]
    return wrong.what if wrong.what in known or len(known) < ALARM_LIMIT else known[-1]


def _log(row: Sequence[Any]) -> WatchedLog:
    origin, keys, url, mode, stalled = row
    parsed = tuple(map(VerifierKey.parse, keys.split("\n")))
    return WatchedLog(origin, parsed, url, Mode(mode), stalled)


def _split(hashes: bytes) -> tuple[bytes, ...]:
    return tuple(hashes[n : n + HASH_BYTES] for n in range(0, len(hashes), HASH_BYTES))
