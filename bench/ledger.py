"""Durable ledger appends against the same records in a plain SQLite table, one commit each.

Both sync every commit (WAL, synchronous=FULL) on the same disk, taking turns. Ours also salts,
hashes, grows the tree, keeps an index by label and signs a checkpoint; what pays for that at many
writers is the group commit. Every append waits for its receipt before the next.
"""

from __future__ import annotations

import itertools
import os
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from statistics import median
from threading import Thread
from typing import Any

from bench.row import Mark, Peer, Row
from bench.settings import BenchSettings
from bench.turns import interleaved
from hub.canonical import canonical_json
from hub.clock import SystemClock
from hub.keyring import Keyring
from hub.ledger.log import Ledger
from hub.ledger.opening import ledger_file
from hub.ledger.writer import Entry

SECONDS = 2.0
WRITERS = {
    1: Mark(">=", 0.15),
    16: Mark(">=", 0.5),
    64: Mark(">=", 5000, "ours"),
}

_LABELS = 100_000
_ORIGIN = "bench.example/ledger"
_BODY = {
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


def rows(settings: BenchSettings) -> Iterator[Row]:
    """Yield appends per second at 1, 16 and 64 writers against the plain table's commits."""
    folder = settings.scratch("ledger")
    keyring = Keyring.create(folder / "keyring.json")
    labels = [os.urandom(16) for _ in range(_LABELS)]
    ledger = ledger_file(folder / "ledger.sqlite", keyring, SystemClock(), _ORIGIN)
    with ledger, closing(_plain_table(folder)) as plain:
        sides = {f"{n} writers": _Appending(ledger, n, labels) for n in WRITERS}
        figures = interleaved(
            {"plain SQLite": lambda: _plain_rate(plain), **sides}, settings.runs, settings.say
        )
    theirs = median(figures.pop("plain SQLite"))
    for writers, ours in zip(WRITERS, map(median, figures.values()), strict=True):
        yield Row(
            name=f"ledger-append-{writers}",
            measures="durable appends/s of ours / commits/s of the peer",
            size=f"{writers} writers, records of {len(canonical_json(_BODY))} bytes",
            runs=settings.runs,
            ours=ours,
            peer=Peer("SQLite, one by one", sqlite3.sqlite_version),
            theirs=theirs,
            unit="appends/s",
            ratio=ours / theirs,
            mark=WRITERS[writers],
        )


class _Appending:
    """Appends from a number of threads for a while when called; returns receipts per second."""

    def __init__(self, ledger: Ledger, writers: int, labels: list[bytes]) -> None:
        self._ledger, self._writers, self._labels = ledger, writers, labels

    def __call__(self) -> float:
        counts = [0] * self._writers
        start = time.perf_counter()

        def work(writer: int) -> None:
            for number in itertools.count():
                if time.perf_counter() - start >= SECONDS:
                    return
                label = self._labels[(number * self._writers + writer) % len(self._labels)]
                body: dict[str, Any] = {**_BODY, "request": f"{writer}-{number}"}
                self._ledger.append([Entry(label, body)])
                counts[writer] += 1

        threads = [Thread(target=work, args=(n,)) for n in range(self._writers)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return sum(counts) / (time.perf_counter() - start)


def _plain_table(folder: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(folder / "plain.sqlite", isolation_level=None)
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("CREATE TABLE entry (position INTEGER PRIMARY KEY, record BLOB)")
    return connection


def _plain_rate(connection: sqlite3.Connection) -> float:
    """Return commits per second of one connection that inserts one record at a time."""
    record = canonical_json(_BODY)
    count, start = 0, time.perf_counter()
    while time.perf_counter() - start < SECONDS:
        connection.execute("INSERT INTO entry (record) VALUES (?)", (record,))
        count += 1
    return count / (time.perf_counter() - start)
