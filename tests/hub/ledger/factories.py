"""Small builders for ledger tests: a signer of its own, entries, a ledger in a folder."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from hashlib import sha256
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from hub.clock import Clock, FixedClock
from hub.errors import LedgerError
from hub.keyring import Keyring
from hub.ledger import postgres_connection as database
from hub.ledger.algorithms import ED25519, Algorithm
from hub.ledger.bulk import BulkFolder
from hub.ledger.committer import Receipt
from hub.ledger.entry import ChainKeys
from hub.ledger.index.folder import IndexFolder
from hub.ledger.log import Ledger
from hub.ledger.merkle import CompactRange, verify_consistency
from hub.ledger.note import Checkpoint, VerifierKey, open_checkpoint
from hub.ledger.opening import identity_of as keyring_identity
from hub.ledger.postgres import PostgresStore
from hub.ledger.public_files import PublicFiles
from hub.ledger.publisher import NoWitness, Publisher
from hub.ledger.sqlite import SqliteStore, create
from hub.ledger.statement import Statements
from hub.ledger.store import Store
from hub.ledger.verify import Report, trust_of, verify_file
from hub.ledger.writer import Entry, Identity

ORIGIN = "mingjing.example/ledger"
VECTORS = Path(__file__).parents[2] / "vectors"
CLOCK = FixedClock(datetime(2026, 3, 1, 8, 0, tzinfo=UTC))
LABEL = bytes(range(16))
INDEX_KEY = sha256(b"index").digest()


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of store.

    Args:
        store: opens one, by its place.
        place: the path or URL that stands for a folder.
        is_there: says whether there is a ledger at a place.
        create: makes one, given the signed head of the empty tree.
    """

    store: Callable[[Any], Store]
    place: Callable[[Path], Any]
    is_there: Callable[[Any], bool]
    create: Callable[[Any, str], None]


FILES = Kind(SqliteStore, lambda folder: folder / "ledger.sqlite", Path.exists, create)


def in_database(place: Callable[[Path], str]) -> Kind:
    """Return the kind of store that is in the database whose URL `place` gives."""
    return Kind(PostgresStore, place, database.is_there, database.create)


KIND = FILES  # what the factories use; the fixture `kind` changes it for a test


class InventedSigner:
    """An Ed25519 signer whose key follows from a word."""

    def __init__(
        self, name: str = ORIGIN, seed: str = "one", algorithm: Algorithm = ED25519
    ) -> None:
        self.algorithm = algorithm
        self._private = Ed25519PrivateKey.from_private_bytes(sha256(seed.encode()).digest())
        self.name = name
        self.public_key = self._private.public_key().public_bytes_raw()

    def sign(self, message: bytes) -> bytes:
        return self._private.sign(message)


def entries_of(bundle: bytes, width: int) -> list[bytes]:
    """Return the entries of a bundle, each of 32 bytes after its length."""
    assert len(bundle) == 34 * width
    pieces = [bundle[n : n + 34] for n in range(0, len(bundle), 34)]
    assert all(piece[:2] == b"\0\x20" for piece in pieces)
    return [piece[2:] for piece in pieces]


def ledger_file(path: Path, keyring: Keyring, clock: Clock, origin: str) -> Ledger:
    """Open the ledger in a file under a keyring's keys, making it when there is none."""
    identity = keyring_identity(keyring, origin)
    if not path.exists():
        create(path, identity.sign(CompactRange()))
    return Ledger(partial(SqliteStore, path), identity, clock)


def entry(number: int = 0, label: bytes | None = LABEL, **more: Any) -> Entry:
    """Return an invented disclosure."""
    body = {
        "event": "officer:subject:disclosed",
        "time": "2026-03-01T08:00:00.000Z",
        "purpose": "residence.verify",
        "request": f"request-{number}",
        **more,
    }
    return Entry(label, body)


def open_ledger(
    folder: Path,
    signer: InventedSigner | None = None,
    *,
    former: tuple[VerifierKey, ...] = (),
    store: Callable[[Any], Store] | None = None,
    clock: Clock = CLOCK,
    origin: str = ORIGIN,
    kept: Callable[[], Checkpoint | None] = lambda: None,
) -> Ledger:
    """Open the ledger of a folder, making it when there is none."""
    place, identity = KIND.place(folder), identity_of(signer, former, origin)
    if not KIND.is_there(place):
        KIND.create(place, identity.sign(CompactRange()))
    return Ledger(partial(store or KIND.store, place), identity, clock, kept=kept)


def identity_of(
    signer: InventedSigner | None = None,
    former: tuple[VerifierKey, ...] = (),
    origin: str = ORIGIN,
) -> Identity:
    """Return an invented ledger's identity; its index key is always the same."""
    return Identity(origin, signer or InventedSigner(), ChainKeys(INDEX_KEY, origin), former)


def filled(folder: Path, count: int) -> Ledger:
    """Open a ledger and record a number of entries, one append each."""
    ledger = open_ledger(folder)
    for number in range(count):
        ledger.append([entry(number)])
    return ledger


def publish_in(folder: Path, ledger: Ledger, clock: Clock = CLOCK) -> None:
    """Make public what a ledger holds, in a folder and without witnesses."""
    index, files = IndexFolder(folder / "runs"), PublicFiles(folder / "public")
    with closing(Publisher(ledger, index, files, NoWitness(), clock)) as publisher:
        publisher.turn()


def statements_in(folder: Path, ledger: Ledger, index_key: bytes = INDEX_KEY) -> Statements:
    """Return what makes proofs of a ledger that `publish_in` makes public in a folder."""
    return Statements(ledger, IndexFolder(folder / "runs"), BulkFolder(folder / "bulk", index_key))


def report_of(data: str | bytes, key: VerifierKey) -> Report:
    """Return what the stand-alone verifier makes of a file."""
    text = data.encode() if isinstance(data, str) else data
    return verify_file(text, trust_of([str(key)]))


def continues(ledger: Ledger, kept: str) -> bool:
    """Say whether a ledger still begins with all that it held at a head that was kept."""
    old, new = (open_checkpoint(note, [ledger.key], ORIGIN) for note in (kept, ledger.head()))
    proof = ledger.consistency(old.size, new.size)
    return verify_consistency(old.size, new.size, proof, old.root, new.root)


def vector(name: str) -> Any:
    """Read a file of published vectors."""
    return json.loads((VECTORS / name).read_text(encoding="utf-8"))


@dataclass
class Flaky:
    """A ledger that dies before or after it has written."""

    ledger: Ledger
    fail_before: bool = False
    fail_after: bool = False
    calls: list[int] = field(default_factory=list)

    @property
    def size(self) -> int:
        return self.ledger.size

    def entries(self, start: int, stop: int) -> Sequence[Any]:
        return self.ledger.entries(start, stop)

    def append(self, entries: Sequence[Entry]) -> Receipt:
        if self.fail_before:
            raise LedgerError("killed before")
        receipt = self.ledger.append(entries)
        self.calls.append(len(entries))
        if self.fail_after:
            raise LedgerError("killed after")
        return receipt
