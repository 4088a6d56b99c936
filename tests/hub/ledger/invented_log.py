"""A published log in memory, with its index and bulk files in a folder: what statements are of."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from hashlib import sha256
from pathlib import Path
from typing import Any

from hub.canonical import canonical_json
from hub.ledger.algorithms import COSIGNATURE
from hub.ledger.bulk import BulkFolder
from hub.ledger.entry import (
    BULK,
    NO_PREVIOUS,
    SYSTEM,
    Chain,
    ChainKeys,
    ChainKind,
    content_of,
    link_of,
    tag_of,
)
from hub.ledger.index.folder import IndexFolder
from hub.ledger.merkle import CompactRange, consistency_path, fold, inclusion_path, leaf_hash
from hub.ledger.note import Checkpoint, VerifierKey, sign_checkpoint
from hub.ledger.opened import OpenedEntry
from hub.ledger.statement import Published
from hub.ledger.store import StoredEntry
from tests.hub.ledger.factories import INDEX_KEY, ORIGIN, InventedSigner
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
        self._published: Published | None = None

    def add(self, chain: Chain, event: str, **more: Any) -> int:
        """Record something and return its position."""
        position = len(self.stored)
        body = {"event": event, "time": moment(position), **more}
        return self.add_record(chain, canonical_json(body))

    def add_record(self, chain: Chain, record: bytes, number: int | None = None) -> int:
        """Record bytes as they are, under another number of the chain than the next if need be."""
        position = len(self.stored)
        before = self._chains.setdefault(chain.name, [])
        place = len(before) if number is None else number
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
        entry = self.stored[position]
        assert entry.salt is not None
        assert entry.record is not None
        by = self.add(
            Chain.parse(entry.chain),
            "hub:entry:erased",
            entry=position,
            by="office-7",
            ground="retention-ended",
        )
        content = content_of(entry.salt, entry.record)
        self.stored[position] = entry._replace(
            record=None, salt=None, content=content, erased_by=by
        )
        return by

    def disclose(self, bulk_id: bytes, persons: Sequence[Chain], **wrong: Any) -> int:
        """Record a bulk disclosure of persons."""
        committed = self.bulk.commit(bulk_id, [chain.label for chain in persons])
        return self.add(BULK, "hub:bulk:committed", **{**committed.body, **wrong})

    def publish(
        self, *, witnesses: Sequence[InventedSigner] = WITNESSES, record: Mapping[str, Any] = {}
    ) -> Published:
        """Build the index, record it as the last entry, and sign the tree."""
        size = len(self.stored)
        self.index.advance(size, lambda start, stop: [e.tag for e in self.stored[start:stop]])
        body = {"index": {"size": size, "root": self.index.root(size).hex()}, **record}
        self.add(SYSTEM, "hub:index:published", **body)
        before = self._chains[SYSTEM.name]
        previous = self.stored[before[-2]].entry if len(before) > 1 else NO_PREVIOUS
        note = self.note(witnesses=witnesses)
        self._published = Published(note, OpenedEntry.of(self.stored[-1], previous))
        return self._published

    def note(self, size: int | None = None, *, witnesses: Sequence[InventedSigner] = ()) -> str:
        """Return the signed checkpoint of the first entries."""
        entries = [entry.entry for entry in self.stored[:size]]
        root = CompactRange().extended(map(leaf_hash, entries))[0].root
        checkpoint = Checkpoint(self.origin, len(entries), root)
        log = InventedSigner(self.origin)
        return sign_checkpoint(checkpoint, log, *witnesses, time=COSIGNED)

    def opened(self, position: int) -> OpenedEntry:
        """Return an entry laid open."""
        entry = self.stored[position]
        chain = self._chains[entry.chain]
        place = chain.index(position)
        previous = self.stored[chain[place - 1]].entry if place else NO_PREVIOUS
        return OpenedEntry.of(entry, previous)

    def proof(self, position: int) -> str:
        """Return the proof of one entry against the published checkpoint."""
        published = self.published()
        return str(
            self.opened(position).proof(self.inclusion(position, published.size), published.note)
        )

    def consistency(self, old: int, new: int) -> list[bytes]:
        """Return the consistency proof between two sizes."""
        nodes = nodes_of([entry.entry for entry in self.stored])
        return [fold([nodes[n] for n in part]) for part in consistency_path(old, new)]

    def published(self) -> Published:
        assert self._published is not None
        return self._published

    def chain_key(self, chain: Chain) -> bytes:
        return self._keys.of(chain)

    def chain_entries(self, chain: Chain, size: int) -> list[StoredEntry]:
        positions = self._chains.get(chain.name, [])
        return [self.stored[position] for position in positions if position < size]

    def inclusion(self, index: int, size: int) -> list[bytes]:
        nodes = nodes_of([entry.entry for entry in self.stored[:size]])
        return [fold([nodes[n] for n in part]) for part in inclusion_path(index, size)]
