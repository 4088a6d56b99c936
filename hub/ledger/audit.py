"""Reads a whole ledger again and says exactly what is wrong with it.

Everything is computed anew: commitments from records and salts, leaves from commitments, every
level of the tree from the leaves, the root against the signed checkpoint, and the columns that
entries are found by against the records themselves. Where two stored values contradict each other,
the one that leads to the signed root is right and the other is named.

An erased entry is sound when a later, intact entry records its erasure. One read transaction spans
the whole reading, so that entries appended meanwhile are neither seen nor mistaken for damage.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from hub.errors import LedgerError, TamperDetected
from hub.ledger.merkle import (
    HASH_BYTES,
    cover,
    fold,
    inclusion_path,
    leaf_hash,
    node_hash,
    root_of_inclusion,
    spine_levels,
)
from hub.ledger.note import Checkpoint, VerifierKey
from hub.ledger.storage import Storage, StoredEntry
from hub.ledger.writer import ERASED_EVENT, SALT_BYTES, commitment_of, open_head

CHUNK_ENTRIES = 4096
FINDINGS_LIMIT = 1000

Progress: TypeAlias = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong: at which entry (None: the ledger as a whole), which field, how."""

    index: int | None
    field: str
    problem: str

    def __str__(self) -> str:
        place = self.field if self.index is None else f"entry {self.index}, {self.field}"
        return f"{place}: {self.problem}"


@dataclass(frozen=True, slots=True)
class Audit:
    """What a full reading found: entries read, entries lawfully erased, everything wrong.

    At most `FINDINGS_LIMIT` findings are kept; `total` counts them all.
    """

    size: int
    erased: int
    findings: tuple[Finding, ...]
    total: int

    @property
    def intact(self) -> bool:
        """Whether nothing is wrong."""
        return self.total == 0


def audit(
    storage: Storage, keys: Sequence[VerifierKey], origin: str, progress: Progress | None = None
) -> Audit:
    """Verify a whole ledger.

    Args:
        storage: a connection of its own.
        keys: verifier keys of the ledger, present and former.
        progress: called with (entries read, entries in all) now and then.
    """
    reading = _Reading(storage)
    try:
        with storage.transaction(write=False):
            reading.run(keys, origin, progress or (lambda _done, _all: None))
    except LedgerError as exc:
        reading.find(None, "file", f"reading stopped: {exc.message}")
    return Audit(reading.size, reading.erased, tuple(reading.findings), reading.total)


class _Reading:
    """The state of one pass over a ledger."""

    def __init__(self, storage: Storage) -> None:
        self._storage = storage
        self._root: bytes | None = None  # what is believed where stored values disagree
        self._stack: list[bytes | None] = []  # the tree's edge; None: unknown, see `_grow`
        self._pending: dict[int, StoredEntry] = {}  # erased, its erasure not yet come across
        self.size = 0
        self.erased = 0
        self.total = 0
        self.findings: list[Finding] = []

    def find(self, index: int | None, field: str, problem: str) -> None:
        """Note one thing that is wrong."""
        self.total += 1
        if len(self.findings) < FINDINGS_LIMIT:
            self.findings.append(Finding(index, field, problem))

    def run(self, keys: Sequence[VerifierKey], origin: str, progress: Progress) -> None:
        """Read everything once, in log order."""
        for problem in self._storage.damage():
            self.find(None, "file", problem)
        head = self._head(keys, origin)
        self.size = self._storage.count() if head is None else head.size
        self._root = self._stored_root() if head is None else head.root
        for table, position in self._storage.strays(self.size, FINDINGS_LIMIT):
            self.find(position, table, f"a row beyond the {self.size} entries that were signed")
        for start in range(0, self.size, CHUNK_ENTRIES):
            stop = min(start + CHUNK_ENTRIES, self.size)
            self._chunk(start, stop)
            progress(stop, self.size)
        for index in self._pending:
            self.find(index, "record and salt", "gone, and no entry records their erasure")
        self._conclude(head)

    def _head(self, keys: Sequence[VerifierKey], origin: str) -> Checkpoint | None:
        try:
            return open_head(self._storage.note(), keys, origin)
        except TamperDetected as exc:
            self.find(None, "checkpoint", exc.message)
            return None

    def _stored_root(self) -> bytes | None:
        nodes = cover(0, self.size)
        try:
            hashes = self._storage.hashes(nodes)
        except TamperDetected:
            return None
        return fold([hashes[node] for node in nodes])

    def _chunk(self, start: int, stop: int) -> None:
        entries = {entry.position: entry for entry in self._storage.entries(start, stop)}
        spines = self._storage.spines(start, stop)
        for index in range(start, stop):
            spine = self._spine(index, spines.get(index))
            stored = None if spine is None else spine[:HASH_BYTES]
            self._grow(index, self._leaf(index, entries.get(index), stored), spine)

    def _spine(self, index: int, spine: bytes | None) -> bytes | None:
        if spine is None:
            self.find(index, "tree", "its hashes are missing")
            return None
        if not isinstance(spine, bytes) or len(spine) != HASH_BYTES * spine_levels(index):
            self.find(index, "tree", "its hashes are not as many as its place completes")
            return None
        return spine

    def _leaf(self, index: int, entry: StoredEntry | None, stored: bytes | None) -> bytes | None:
        """Return the leaf hash that the signed root vouches for, or None where none does."""
        if entry is None:
            self.find(index, "entry", "missing")
            return stored
        named = leaf_hash(entry.commitment) if _is_hash(entry.commitment) else None
        computed = _computed(entry)
        erased = entry.record is None and entry.salt is None
        if named is not None and named == stored and (erased or computed == named):
            right: bytes | None = named
        else:
            right = self._arbitrate(index, entry, (stored, named, computed))
        if erased:
            self._pending[index] = entry
        elif computed is not None and computed == right:
            self._columns(index, entry)
        return right

    def _arbitrate(
        self, index: int, entry: StoredEntry, candidates: tuple[bytes | None, ...]
    ) -> bytes | None:
        """Name what contradicts the signed root and return the leaf hash that does not."""
        right = next((c for c in candidates if c and self._leads_to_root(0, index, c)), None)
        if right is None:
            self.find(index, "entry", "record, commitment and tree disagree; none was signed")
            return None
        stored, named, computed = candidates
        if stored is not None and stored != right:
            self.find(index, "leaf hash", "changed in the stored tree")
        if named != right:
            self.find(index, "commitment", "changed after it was signed")
        if computed != right and (entry.record is not None or entry.salt is not None):
            self.find(index, *_content_problem(entry))
        return right

    def _leads_to_root(self, level: int, position: int, value: bytes) -> bool:
        """Say whether a node's hash leads to the signed root along the stored tree."""
        path = inclusion_path(position << level, self.size)[level:]
        try:
            hashes = self._storage.hashes(node for nodes in path for node in nodes)
        except TamperDetected:
            return False
        proof = [fold([hashes[node] for node in nodes]) for nodes in path]
        width = ((self.size - 1) >> level) + 1
        return root_of_inclusion(value, position, width, proof) == self._root

    def _columns(self, index: int, entry: StoredEntry) -> None:
        """Compare what an entry is found by with its record, which is known to be right."""
        body = _parsed(entry.record)
        if body is None:
            self.find(index, "record", "not a JSON object")
            return
        label = entry.label.hex() if isinstance(entry.label, bytes) else entry.label
        if label != body.get("subject") and not (label is None and "seal" in body):
            self.find(index, "label", "not the record's subject")
        for field, value in (("event", entry.event), ("time", entry.time)):
            if value != body.get(field):
                self.find(index, field, "not the record's")
        if entry.erased_by is not None:
            self.find(index, "erased_by", "says it was erased, but the record is here")
        if body.get("event") == ERASED_EVENT:
            self._erasure(index, body)

    def _erasure(self, index: int, body: dict[str, Any]) -> None:
        target = body.get("entry")
        erased = self._pending.pop(target, None) if isinstance(target, int) else None
        if erased is None:
            self.find(
                index, "record", f"records the erasure of entry {target}, which is not erased"
            )
            return
        self.erased += 1
        label = erased.label.hex() if isinstance(erased.label, bytes) else erased.label
        if erased.erased_by != index:
            self.find(erased.position, "erased_by", f"it was entry {index} that erased it")
        if label != body.get("subject"):
            self.find(erased.position, "label", f"not the one entry {index} says was erased")
        if {"event": erased.event, "time": erased.time} != body.get("of"):
            self.find(erased.position, "event or time", f"not what entry {index} says was erased")

    def _grow(self, index: int, leaf: bytes | None, spine: bytes | None) -> None:
        """Compute the subtrees a leaf completes and compare them with the stored ones.

        Above something unknown the stored hash is taken on trust, since what is unknown has been
        named already; the root decides at the end.
        """
        top = leaf
        for level in range(1, spine_levels(index)):
            left = self._stack.pop()
            at = HASH_BYTES * level
            stored = None if spine is None else spine[at : at + HASH_BYTES]
            computed = None if left is None or top is None else node_hash(left, top)
            if computed is None or stored is None or computed == stored:
                top = computed or stored
            else:
                top = self._dispute(level, index >> level, computed, stored)
        self._stack.append(top)

    def _dispute(self, level: int, position: int, computed: bytes, stored: bytes) -> bytes | None:
        """Name what is wrong where a stored node does not follow from its entries."""
        first, last = position << level, ((position + 1) << level) - 1
        if self._leads_to_root(level, position, computed):
            self.find(last, "tree", f"the hash at level {level}, position {position} was changed")
            return computed
        if self._leads_to_root(level, position, stored):
            self.find(first, "entry", f"one of entries {first} to {last} was replaced whole")
            return stored
        self.find(last, "tree", f"level {level}, position {position} follows from no entries")
        return None

    def _conclude(self, head: Checkpoint | None) -> None:
        known = [value for value in self._stack if value is not None]
        if head is not None and len(known) == len(self._stack) and fold(known) != head.root:
            self.find(None, "checkpoint", "the entries do not lead to the root that was signed")


def _is_hash(value: object) -> bool:
    return isinstance(value, bytes) and len(value) == HASH_BYTES


def _computed(entry: StoredEntry) -> bytes | None:
    """Return the leaf hash that record and salt make, or None when they cannot."""
    record, salt = entry.record, entry.salt
    if isinstance(record, bytes) and isinstance(salt, bytes) and len(salt) == SALT_BYTES:
        return leaf_hash(commitment_of(salt, record))
    return None


def _content_problem(entry: StoredEntry) -> tuple[str, str]:
    for field, value in (("record", entry.record), ("salt", entry.salt)):
        if value is None:
            return field, "missing, though it was not erased"
        if not isinstance(value, bytes):
            return field, "not of the kind the ledger writes"
    if entry.salt is not None and len(entry.salt) != SALT_BYTES:
        return "salt", f"not of {SALT_BYTES} bytes"
    return "record or salt", "changed after it was signed"


def _parsed(record: bytes | None) -> dict[str, Any] | None:
    try:
        body = json.loads(record or b"")
    except ValueError:
        return None
    return body if isinstance(body, dict) else None
