"""A published log in memory, with its index and bulk files in a folder: what statements are of."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from hashlib import sha256
from pathlib import Path
from typing import Any

from hub.canonical import canonical_json
from hub.errors import NotFound
from hub.ledger.algorithms import COSIGNATURE
from hub.ledger.bulk import BulkFolder
from hub.ledger.entry import (
    BULK,
    NO_PREVIOUS,
    SYSTEM,
    Chain,
    ChainKeys,
    ChainKind,
    Opening,
    content_of,
    link_of,
    tag_of,
)
from hub.ledger.index.folder import IndexFolder
from hub.ledger.merkle import CompactRange, consistency_path, fold, inclusion_path, leaf_hash
from hub.ledger.note import Checkpoint, VerifierKey, sign_checkpoint
from hub.ledger.statement import Statements
from hub.ledger.store import StoredEntry, StoredPublication, opening_of
from tests.hub.ledger.factories import CLOCK, INDEX_KEY, ORIGIN, InventedSigner
from tests.hub.ledger.test_merkle import nodes_of

LOG = InventedSigner()
WITNESSES = tuple(
    InventedSigner(f"witness.example/{n}", f"witness {n}", COSIGNATURE) for n in (1, 2)
)
LOG_KEY = str(VerifierKey.of(LOG))
WITNESS_KEYS = tuple(str(VerifierKey.of(witness)) for witness in WITNESSES)
COSIGNED = 1_772_352_000  # 2026-03-01T08:00:00Z


def person(number: int) -> Chain:
    """Return the chain of an invented person."""
    return Chain(ChainKind.SUBJECT, number.to_bytes(16))


def moment(position: int) -> str:
    """Return when an invented entry was recorded."""
    return f"2026-03-01T08:{position // 60 % 60:02}:{position % 60:02}.000Z"


class InventedLog:
    """A log of one process; a `StatementSource`."""

    def __init__(self, folder: Path, origin: str = ORIGIN) -> None:
        self.origin = origin
        self.index = IndexFolder(folder / "runs")
        self.bulk = BulkFolder(folder / "bulk", INDEX_KEY)
        self.stored: list[StoredEntry] = []
        self._keys = ChainKeys(INDEX_KEY, origin)
        self._chains: dict[bytes, list[int]] = {}
        self._published: StoredPublication | None = None
        self._honest: dict[int, StoredEntry] = {}

    @property
    def now(self) -> str:
        """When the next entry is recorded."""
        return moment(len(self.stored))

    def add(self, chain: Chain, event: str, **more: Any) -> int:
        """Record something and return its position."""
        body = {"event": event, "time": self.now, **more}
        return self.add_record(chain, canonical_json(body))

    def add_record(self, chain: Chain, record: bytes) -> int:
        """Record bytes as they are."""
        position = len(self.stored)
        before = self._chains.setdefault(chain.name, [])
        place = len(before)
        previous = self.stored[before[-1]].entry if before else NO_PREVIOUS
        salt = sha256(b"salt %d" % position).digest()
        link = link_of(previous, place, content_of(salt, record))
        tag = tag_of(self._keys.of(chain), place)
        self.stored.append(
            StoredEntry(position, tag, link, chain.name, place, record, salt, None, "", "")
        )
        before.append(position)
        return position

    def erase(self, position: int) -> int:
        """Erase an entry and return the position of the one that says so."""
        chain = Chain.parse(self.stored[position].chain)
        by = self.add(
            chain, "hub:entry:erased", entry=position, by="office-7", ground="retention-ended"
        )
        self.forget(position, by)
        return by

    def disclose(self, bulk_id: bytes, persons: Sequence[Chain], **wrong: Any) -> int:
        """Record what a bulk disclosure was, then whom it was of; return where the latter stands."""
        said = {"id": bulk_id.hex(), "persons": len(persons)}
        self.add(SYSTEM, "officer:bulk:disclosed", bulk=said, purpose="sharing.supply")
        committed = self.bulk.commit(bulk_id, [chain.label for chain in persons])
        body = committed.entry(CLOCK.now()).body
        return self.add_record(BULK, canonical_json({**body, "time": self.now, **wrong}))

    def publish(
        self, *, witnesses: Sequence[InventedSigner] = WITNESSES, record: Mapping[str, Any] = {}
    ) -> StoredPublication:
        """Build the index, record it as the last entry, and sign the tree."""
        size = len(self.stored)
        self.index.advance(size, lambda start, stop: [e.tag for e in self.stored[start:stop]])
        index = {"size": size, "root": self.index.root(size).hex()}
        body: dict[str, Any] = {"index": index, **record}
        self.add(SYSTEM, body.pop("event", "hub:index:published"), **body)
        return self.sign_again(witnesses=witnesses)

    def forget(self, position: int, by: int) -> None:
        """Drop an entry's record, whatever the entry named says of it."""
        entry = self.stored[position]
        assert entry.salt is not None
        assert entry.record is not None
        content = content_of(entry.salt, entry.record)
        self.stored[position] = entry._replace(
            record=None, salt=None, content=content, erased_by=by
        )

    def swap(self, one: int, other: int) -> None:
        """Let two entries stand in each other's places, against the order of their chain."""
        first, second = self.stored[one], self.stored[other]
        self.stored[one] = second._replace(position=one)
        self.stored[other] = first._replace(position=other)
        self._chains[first.chain] = [
            {one: other, other: one}.get(n, n) for n in self._chains[first.chain]
        ]

    def lie(self, position: int, **wrong: Any) -> None:
        """Let the log hold another record than the one that statements are made from."""
        entry = self.stored[position]
        assert entry.record is not None
        record = canonical_json(json.loads(entry.record) | wrong)
        self.lie_about(position, record)

    def lie_about(self, position: int, record: bytes) -> None:
        """Let the log hold these bytes, and statements be made from what was recorded before."""
        entry = self.stored[position]
        assert entry.salt is not None
        self._honest[position] = entry
        previous = self._opening(entry).previous
        link = link_of(previous, entry.number, content_of(entry.salt, record))
        self.stored[position] = entry._replace(record=record, link=link)

    def sign_again(
        self, *, size: int | None = None, witnesses: Sequence[InventedSigner] = WITNESSES
    ) -> StoredPublication:
        """Publish the log as it is, or pretend that the tree is of another size."""
        note = self.note(witnesses=witnesses)
        self._published = StoredPublication(note, size or len(self.stored), moment(0))
        return self._published

    def note(self, size: int | None = None, *, witnesses: Sequence[InventedSigner] = ()) -> str:
        """Return the signed checkpoint of the first entries."""
        entries = [entry.entry for entry in self.stored[:size]]
        root = CompactRange().extended(map(leaf_hash, entries))[0].root
        checkpoint = Checkpoint(self.origin, len(entries), root)
        log = InventedSigner(self.origin)
        return sign_checkpoint(checkpoint, log, *witnesses, time=COSIGNED)

    @property
    def statements(self) -> Statements:
        """What makes statements and proofs of this log."""
        return Statements(self, self.index, self.bulk)

    def proof(self, position: int) -> bytes:
        """Return the proof of one entry, as a file."""
        return str(self.statements.proof(position)).encode()

    def statement(self, person: Chain) -> bytes:
        """Return a person's statement."""
        return self.statements.statement(person)

    def consistency(self, old: int, new: int) -> list[bytes]:
        """Return the consistency proof between two sizes."""
        nodes = nodes_of([entry.entry for entry in self.stored])
        return [fold([nodes[n] for n in part]) for part in consistency_path(old, new)]

    def checkpoint(self) -> StoredPublication:
        assert self._published is not None
        return self._published

    def opening(self, index: int) -> Opening:
        if index >= len(self.stored):
            raise NotFound(f"the ledger has no entry {index}")
        return self._opening(self._honest.get(index, self.stored[index]))

    def _opening(self, entry: StoredEntry) -> Opening:
        chain = self._chains[entry.chain]
        place = chain.index(entry.position)
        return opening_of(entry, self.stored[chain[place - 1]].entry if place else NO_PREVIOUS)

    def chain_key(self, chain: Chain) -> bytes:
        return self._keys.of(chain)

    def chain_openings(self, chain: Chain, size: int) -> list[Opening]:
        return [self.opening(n) for n in self._chains.get(chain.name, []) if n < size]

    def inclusion(self, index: int, size: int) -> list[bytes]:
        nodes = nodes_of([entry.entry for entry in self.stored[:size]])
        return [fold([nodes[n] for n in part]) for part in inclusion_path(index, size)]
