"""Durable ledger appends against what the disk, a plain table and another log make of the same.

All sync every commit on the same disk, taking turns: a file that is appended to and flushed, the
same records in a plain SQLite table (WAL, synchronous=FULL), and pymerkle's SQLite tree, each one
by one. Ours also salts, hashes, grows tree and chains, keeps an index by chain and signs a head;
what pays for that at many writers is the group commit. Every append waits for its receipt before
the next.
"""

from __future__ import annotations

import itertools
import os
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from dataclasses import replace
from functools import partial
from pathlib import Path
from statistics import median
from threading import Thread
from typing import Any

from bench.peers import PYMERKLE, appended, environment
from bench.row import Mark, Peer, Row, allowance
from bench.settings import BenchSettings
from bench.turns import interleaved, medians
from hub.canonical import canonical_json
from hub.clock import SystemClock
from hub.errors import SourceError
from hub.keyring import Keyring
from hub.ledger.log import Ledger
from hub.ledger.merkle import CompactRange
from hub.ledger.opening import identity_of
from hub.ledger.sqlite import SqliteStore, create
from hub.ledger.writer import Entry

SECONDS = 2.0
WRITERS = {
    1: Mark(">=", 0.15),
    16: Mark(">=", 0.5),
    64: Mark(">=", 15_000, "ours"),
}
MANY = max(WRITERS)
P99_MS = 20.0
TIMES_PYMERKLE = 10.0
BODY = {
    "event": "officer:subject:disclosed",
    "time": "2026-03-01T08:00:00.000Z",
    "actor": {"id": "ab" * 16, "agency": "population", "post": "grid", "roles": ["grid_officer"]},
    "action": "opened",
    "dataset": ["population.resident"],
    "fields": {"name": "clear", "sex": "clear", "phone": "masked", "birth_date": "generalised"},
    "purpose": "residence.verify",
    "legal_basis": "invented 1",
    "case": "cd" * 32,
    "decision": "allowed",
    "reason": "own area",
    "policy": "invented-1",
    "snapshot": "20260301T000000Z-1",
}
RECORD = canonical_json(BODY)

_LABELS = 100_000
_ORIGIN = "bench.example/ledger"
_PLAIN, _FLUSH, _PYMERKLE = "plain SQLite", "write and fsync", PYMERKLE.title


def rows(settings: BenchSettings) -> Iterator[Row]:
    """Yield appends per second at 1, 16 and 64 writers against each peer, and the slowest ones."""
    folder = settings.scratch("ledger")
    keyring = Keyring.create(folder / "keyring.json")
    labels = [os.urandom(16) for _ in range(_LABELS)]
    absent = _absent(settings)
    with ExitStack() as stack:
        path, identity = folder / "ledger.sqlite", identity_of(keyring, _ORIGIN)
        create(path, identity.sign(CompactRange()))
        ledger = Ledger(partial(SqliteStore, path), identity, SystemClock())
        stack.enter_context(ledger)
        plain = stack.enter_context(closing(_plain_table(folder)))
        ours = {f"{n} writers": _Appending(ledger, n, labels) for n in WRITERS}
        peers: dict[str, Callable[[], float]] = {
            _PLAIN: lambda: _plain_rate(plain),
            _FLUSH: lambda: _flush_rate(folder),
        }
        if absent is None:
            peers[_PYMERKLE] = lambda: _pymerkle_rate(folder)
        figures = medians(interleaved({**peers, **ours}, settings.runs, settings.say))
    for writers in WRITERS:
        yield from _rows_of(writers, figures, settings.runs, absent)
    yield _slowest(ours[f"{MANY} writers"], settings.runs)


def _rows_of(
    writers: int, figures: dict[str, float], runs: int, absent: str | None
) -> Iterator[Row]:
    rate = figures[f"{writers} writers"]
    plain = Row(
        name=f"ledger-append-{writers}",
        measures="durable appends/s of ours / commits/s of the peer",
        size=f"{writers} writers, records of {len(RECORD)} bytes",
        runs=runs,
        ours=rate,
        peer=Peer("SQLite, one by one", sqlite3.sqlite_version),
        theirs=figures[_PLAIN],
        unit="appends/s",
        ratio=rate / figures[_PLAIN],
        mark=WRITERS[writers],
    )
    yield plain
    yield replace(
        plain,
        name=f"ledger-flush-{writers}",
        measures="durable appends/s of ours / writes flushed to the same disk in a second",
        peer=Peer("write and fsync, one by one"),
        theirs=figures[_FLUSH],
        ratio=rate / figures[_FLUSH],
        mark=None,
    )
    theirs = figures.get(_PYMERKLE)
    yield replace(
        plain,
        name=f"ledger-pymerkle-{writers}",
        size=plain.size if absent is None else f"{plain.size}; {absent}",
        peer=Peer(PYMERKLE.title, PYMERKLE.version),
        theirs=theirs,
        ratio=theirs and rate / theirs,
        mark=Mark(">=", TIMES_PYMERKLE) if writers == MANY else None,
    )


def _slowest(appending: _Appending, runs: int) -> Row:
    """Return the row of the 99th percentile of the time of one append among many."""
    peer, theirs = allowance(P99_MS)
    ours = median(appending.p99_ms)
    return Row(
        name=f"ledger-append-{MANY}-p99",
        measures="99th percentile of an append, until its receipt / the allowance",
        size=f"{MANY} writers, records of {len(RECORD)} bytes",
        runs=runs,
        ours=ours,
        peer=peer,
        theirs=theirs,
        unit="ms",
        ratio=ours / theirs,
        mark=Mark("<=", 1.0),
    )


class _Appending:
    """Appends from a number of threads for a while when called; returns receipts per second.

    Attributes:
        p99_ms: of the times of all appends of a call, one per call.
    """

    def __init__(self, ledger: Ledger, writers: int, labels: list[bytes]) -> None:
        self._ledger, self._writers, self._labels = ledger, writers, labels
        self.p99_ms: list[float] = []

    def __call__(self) -> float:
        times: list[list[float]] = [[] for _ in range(self._writers)]
        start = time.perf_counter()

        def work(writer: int) -> None:
            for number in itertools.count():
                begun = time.perf_counter()
                if begun - start >= SECONDS:
                    return
                label = self._labels[(number * self._writers + writer) % len(self._labels)]
                body: dict[str, Any] = {**BODY, "request": f"{writer}-{number}"}
                self._ledger.append([Entry(label, body)])
                times[writer].append(time.perf_counter() - begun)

        threads = [Thread(target=work, args=(n,)) for n in range(self._writers)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        elapsed = time.perf_counter() - start
        ordered = sorted(itertools.chain.from_iterable(times))
        self.p99_ms.append(1000 * ordered[len(ordered) * 99 // 100])
        return len(ordered) / elapsed


def _plain_table(folder: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(folder / "plain.sqlite", isolation_level=None)
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("CREATE TABLE entry (position INTEGER PRIMARY KEY, record BLOB)")
    return connection


def _plain_rate(connection: sqlite3.Connection) -> float:
    """Return commits per second of one connection that inserts one record at a time."""
    return _rate(lambda: connection.execute("INSERT INTO entry (record) VALUES (?)", (RECORD,)))


def _flush_rate(folder: Path) -> float:
    """Return how often a second a record is written to the end of a file and flushed."""
    with (folder / "flushed").open("ab", buffering=0) as file:

        def write() -> None:
            file.write(RECORD)
            os.fsync(file.fileno())

        return _rate(write)


def _pymerkle_rate(folder: Path) -> float:
    place = folder / "pymerkle.sqlite"
    place.unlink(missing_ok=True)
    job = {"file": str(place), "bytes": len(RECORD), "seconds": SECONDS}
    return appended(PYMERKLE, job, folder)


def _rate(work: Callable[[], object]) -> float:
    count, start = 0, time.perf_counter()
    while time.perf_counter() - start < SECONDS:
        work()
        count += 1
    return count / (time.perf_counter() - start)


def _absent(settings: BenchSettings) -> str | None:
    """Return why pymerkle cannot run here, None where it can."""
    try:
        environment(PYMERKLE)
    except SourceError as exc:
        why = "; ".join((exc.message, *exc.findings[-1:]))
        settings.say(why)
        return why
    return None
