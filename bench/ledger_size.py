"""A ledger of a million or ten million entries: what reading it costs, and what it takes on disk.

It is filled once by the ledger's own writer, in large batches, with every tenth of the entries
about another person on average, and made public as the hub makes it. Places and persons to read
are drawn by chance. A tenth of the size is filled and read as well: whether the time of a
verification grows with the entries and not faster.

What there is no peer for is held against an allowance; figures per core are by processor time.
"""

from __future__ import annotations

import os
import random
import secrets
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from statistics import median
from typing import TypeVar

from bench.ledger import BODY, RECORD
from bench.row import Mark, Peer, Row, allowance
from bench.settings import BenchSettings, Say
from bench.turns import seconds
from hub.clock import SystemClock
from hub.config import Settings
from hub.keyring import Keyring
from hub.ledger.bulk import BULK_ID_BYTES, BulkFolder
from hub.ledger.committer import GROUP_ENTRIES
from hub.ledger.composition import (
    create_ledger,
    identity_of,
    open_ledger,
    publisher_of,
    statements_of,
)
from hub.ledger.entry import SALT_BYTES, Chain, ChainKind
from hub.ledger.log import Ledger
from hub.ledger.sqlite import SqliteStore
from hub.ledger.statement import Statements
from hub.ledger.writer import Entry, Writer, prepare

USES_OF_A_PERSON = 10
OPEN_S = 1.0
PROOF_MS = 1.0
PAGE_MS = 20.0
PAGE_ENTRIES = 20
VERIFIED_PER_S = 100_000.0
BULK_PERSONS = 1_000_000
BULK_S = 15.0

_T = TypeVar("_T")

_PROOFS = 5_000
_PAGES = 500
_LINEAR = Mark(">=", 0.9)
_WITHIN = Mark("<=", 1.0)


def rows_1m(settings: BenchSettings) -> Iterator[Row]:
    """Yield what a ledger of 1,000,000 entries costs."""
    return _rows(settings, "1m", 1_000_000)


def rows_10m(settings: BenchSettings) -> Iterator[Row]:
    """Yield what a ledger of 10,000,000 entries costs."""
    return _rows(settings, "10m", 10_000_000)


def rows_bulk(settings: BenchSettings) -> Iterator[Row]:
    """Yield the time of committing to the persons of a bulk disclosure."""
    folder = BulkFolder(settings.scratch("bulk"), os.urandom(32))
    persons = [os.urandom(16) for _ in range(BULK_PERSONS)]
    times = [
        seconds(partial(folder.commit, os.urandom(BULK_ID_BYTES), persons))
        for _ in range(settings.runs)
    ]
    yield _allowed(
        "ledger-bulk",
        "time from the persons' labels to a durable token file and its root / the allowance",
        f"{BULK_PERSONS:,} persons",
        median(times),
        BULK_S,
        "s",
        settings.runs,
    )


@dataclass(frozen=True, slots=True)
class _Filled:
    """A ledger that was filled and made public."""

    settings: Settings
    keyring: Keyring
    ledger: Ledger
    labels: list[bytes]

    def reopened(self) -> Ledger:
        """Return the same ledger as a process that begins opens it, its head checked."""
        ledger = open_ledger(self.settings, self.keyring, SystemClock())
        assert ledger.size
        return ledger


def _rows(settings: BenchSettings, name: str, size: int) -> Iterator[Row]:
    with _filled(settings.scratch("tenth"), size // 10, settings.say).ledger as tenth:
        rate_of_tenth = _verified_per_second(tenth, settings.say)
    filled = _publish(_filled(settings.scratch("whole"), size, settings.say), settings.say)
    with filled.ledger as ledger:
        about = f"{size:,} entries, {len(filled.labels):,} persons"
        yield from _reading(name, about, filled, settings.runs)
        rate = _verified_per_second(ledger, settings.say)
        yield from _verifying(name, about, rate, rate_of_tenth)
        yield from _on_disk(name, about, filled.settings, size)


def _reading(name: str, about: str, filled: _Filled, runs: int) -> Iterator[Row]:
    opened = [seconds(lambda: filled.reopened().close()) for _ in range(runs)]
    yield _allowed(
        f"ledger-{name}-open",
        "time until an opened ledger has checked its head / the allowance",
        about,
        median(opened),
        OPEN_S,
        "s",
        runs,
    )
    public = filled.ledger.published()
    assert public is not None
    size = public.size
    chance = random.Random(9)
    proof = partial(_p99_ms, lambda place: filled.ledger.inclusion(place, size))
    yield _allowed(
        f"ledger-{name}-proof",
        "99th percentile of an inclusion proof in the public tree / the allowance",
        f"{about}; {_PROOFS:,} places by chance",
        proof([chance.randrange(size) for _ in range(_PROOFS)]),
        PROOF_MS,
        "ms",
        1,
    )
    statements = statements_of(filled.settings, filled.keyring, filled.ledger)
    persons = [chance.choice(filled.labels) for _ in range(_PAGES)]
    yield _allowed(
        f"ledger-{name}-page",
        "99th percentile of a page of one's uses, each with its proof file / the allowance",
        f"{about}; {_PAGES} persons by chance, their newest {PAGE_ENTRIES} uses at most",
        _p99_ms(lambda label: _page(filled.ledger, statements, label), persons),
        PAGE_MS,
        "ms",
        1,
    )
    yield _allowed(
        f"ledger-{name}-statement",
        "99th percentile of a complete statement; the allowance is that of the page",
        f"{about}; {_PAGES} persons by chance",
        _p99_ms(lambda label: statements.statement(Chain(ChainKind.SUBJECT, label)), persons),
        PAGE_MS,
        "ms",
        1,
    )


def _page(ledger: Ledger, statements: Statements, label: bytes) -> list[str]:
    """Return the proof files of a person's newest uses, as a page would offer them."""
    return [
        str(statements.proof(use.index)) for use in ledger.entries_of(label, limit=PAGE_ENTRIES)
    ]


def _verifying(name: str, about: str, rate: float, rate_of_tenth: float) -> Iterator[Row]:
    peer, theirs = allowance(VERIFIED_PER_S)
    yield Row(
        name=f"ledger-{name}-verify",
        measures="entries verified in a second of one core / the allowance",
        size=about,
        runs=1,
        ours=rate,
        peer=peer,
        theirs=theirs,
        unit="entries/s",
        ratio=rate / theirs,
        mark=Mark(">=", 1.0),
    )
    yield Row(
        name=f"ledger-{name}-linear",
        measures="entries verified in a second of one core / those of a tenth of the size",
        size=about,
        runs=1,
        ours=rate,
        peer=Peer("ours, a tenth of the entries"),
        theirs=rate_of_tenth,
        unit="entries/s",
        ratio=rate / rate_of_tenth,
        mark=_LINEAR,
    )


def _on_disk(name: str, about: str, settings: Settings, size: int) -> Iterator[Row]:
    """Yield the bytes of an entry in each place; the peer is what is to be kept at the least."""
    store = sum(p.stat().st_size for p in settings.home.glob(f"{settings.ledger.name}*"))
    places = {
        "store": store,
        "tiles": _bytes_under(settings.ledger_public),
        "index": _bytes_under(settings.ledger_runs),
    }
    least = len(RECORD) + SALT_BYTES
    for place, found in places.items():
        yield Row(
            name=f"ledger-{name}-{place}",
            measures="bytes on disk of an entry / bytes of its record and salt alone",
            size=about,
            runs=1,
            ours=found / size,
            peer=Peer("record and salt"),
            theirs=least,
            unit="bytes",
            ratio=found / size / least,
            mark=None,
        )


def _bytes_under(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def _verified_per_second(ledger: Ledger, say: Say) -> float:
    start = time.process_time()
    audit = ledger.verify_all()
    spent = time.process_time() - start
    assert audit.intact, audit.findings[:3]
    say(f"verified {audit.size:,} entries in {spent:,.1f} s of one core")
    return audit.size / spent


def _filled(folder: Path, size: int, say: Say) -> _Filled:
    """Return a ledger of so many entries, about a tenth as many persons, in no order."""
    settings = Settings(home=folder, origin="bench.example/ledger")
    keyring = Keyring.create(settings.keyring)
    create_ledger(settings, keyring, SystemClock()).close()
    labels = [os.urandom(16) for _ in range(max(size // USES_OF_A_PERSON, 1))]
    identity, chance = identity_of(keyring, settings.origin), random.Random(7)
    start = time.perf_counter()
    with closing(Writer(SqliteStore(settings.ledger), identity, secrets.token_bytes)) as writer:
        for first in range(0, size, GROUP_ENTRIES):
            numbers = range(first, min(first + GROUP_ENTRIES, size))
            entries = (
                Entry(chance.choice(labels), {**BODY, "request": str(number)}) for number in numbers
            )
            writer.append([prepare(entry) for entry in entries])
    say(f"filled {size:,} entries in {time.perf_counter() - start:,.0f} s")
    return _Filled(settings, keyring, open_ledger(settings, keyring, SystemClock()), labels)


def _publish(filled: _Filled, say: Say) -> _Filled:
    with closing(publisher_of(filled.settings, filled.ledger, SystemClock())) as publisher:
        say(f"made public in {seconds(publisher.turn):,.0f} s")
    return filled


def _p99_ms(work: Callable[[_T], object], arguments: Sequence[_T]) -> float:
    times = sorted(seconds(partial(work, argument)) for argument in arguments)
    return 1000 * times[len(times) * 99 // 100]


def _allowed(
    name: str, measures: str, size: str, ours: float, limit: float, unit: str, runs: int
) -> Row:
    peer, theirs = allowance(limit)
    return Row(name, measures, size, runs, ours, peer, theirs, unit, ours / theirs, _WITHIN)
