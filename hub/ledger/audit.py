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
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeAlias

from hub.errors import LedgerError, TamperDetected
from hub.ledger.entry import (
    NO_PREVIOUS,
    SALT_BYTES,
    ChainKind,
    content_of,
    entry_of,
    link_of,
    tag_of,
)
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
from hub.ledger.note import Checkpoint
from hub.ledger.store import ChainHead, Store, StoredEntry
from hub.ledger.writer import ERASED_EVENT, Identity, open_head

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


def audit(store: Store, identity: Identity, progress: Progress | None = None) -> Audit:
    """Verify a whole ledger.

    Args:
        store: a connection of its own.
        identity: whose ledger it is: its keys, present and former, and those of its chains.
        progress: called with (entries read, entries in all) now and then.
    """
    reading = _Reading(store, identity)
    try:
        with store.transaction(write=False):
            reading.run(progress or (lambda _done, _all: None))
    except LedgerError as exc:
        reading.find(None, "file", f"reading stopped: {exc.message}")
    return Audit(reading.size, reading.erased, tuple(reading.findings), reading.total)


class _Reading:
    """The state of one pass over a ledger."""

    def __init__(self, store: Store, identity: Identity) -> None:
        self._store = store
        self._identity = identity
        self._heads: dict[bytes, ChainHead] = {}  # of each chain, as far as it was read
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

    def run(self, progress: Progress) -> None:
        """Read everything once, in log order."""
        for problem in self._store.damage():
            self.find(None, "file", problem)
        head = self._head()
        self.size = self._store.count() if head is None else head.size
        self._root = self._stored_root() if head is None else head.root
        for table, position in self._store.strays(self.size, FINDINGS_LIMIT):
            self.find(position, table, f"a row beyond the {self.size} entries that were signed")
        for start in range(0, self.size, CHUNK_ENTRIES):
            stop = min(start + CHUNK_ENTRIES, self.size)
            self._chunk(start, stop)
            progress(stop, self.size)
        for index in self._pending:
            self.find(index, "record and salt", "gone, and no entry records their erasure")
        self._conclude(head)

    def _head(self) -> Checkpoint | None:
        try:
            return open_head(self._store.note(), self._identity.keys, self._identity.origin)
        except TamperDetected as exc:
            self.find(None, "checkpoint", exc.message)
            return None

    def _stored_root(self) -> bytes | None:
        nodes = cover(0, self.size)
        try:
            hashes = self._store.hashes(nodes)
        except TamperDetected:
            return None
        return fold([hashes[node] for node in nodes])

    def _chunk(self, start: int, stop: int) -> None:
        entries = {entry.position: entry for entry in self._store.entries(start, stop)}
        spines = self._store.spines(start, stop)
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
        named, computed = _named(entry), self._computed(entry)
        if named is not None and named == stored and computed == named:
            right: bytes | None = named
        else:
            right = self._arbitrate(index, entry, (stored, named, computed))
        if _is_hash(entry.tag) and _is_hash(entry.link):
            self._heads[entry.chain] = ChainHead(entry.number, entry.entry)
        if entry.record is None and entry.salt is None:
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
            self.find(index, "tag or link", "changed after it was signed")
        if computed != right:
            self.find(index, *self._content_problem(entry))
        return right

    def _computed(self, entry: StoredEntry) -> bytes | None:
        """Return the leaf hash that record, salt and place in the chain make, None if they cannot."""
        content = _content(entry)
        if content is None or not isinstance(entry.chain, bytes) or not entry.chain:
            return None
        head = self._heads.get(entry.chain)
        if entry.number != (0 if head is None else head.number + 1):
            return None
        tag = tag_of(self._identity.chains.of_name(entry.chain), entry.number)
        link = link_of(NO_PREVIOUS if head is None else head.entry, entry.number, content)
        return leaf_hash(entry_of(tag, link))

    def _content_problem(self, entry: StoredEntry) -> tuple[str, str]:
        """Return field and problem of an entry whose record and place do not make its leaf."""
        if entry.record is None and entry.salt is None and _is_hash(entry.content):
            content = entry.content
        else:
            for field, value in (("record", entry.record), ("salt", entry.salt)):
                if value is None:
                    return field, "missing, though it was not erased"
                if not isinstance(value, bytes):
                    return field, "not of the kind the ledger writes"
            if entry.salt is not None and len(entry.salt) != SALT_BYTES:
                return "salt", f"not of {SALT_BYTES} bytes"
            content = _content(entry)
        if not isinstance(entry.chain, bytes) or not entry.chain:
            return "chain", "not of the kind the ledger writes"
        head = self._heads.get(entry.chain)
        if entry.number != (0 if head is None else head.number + 1):
            return "number", "not the next of its chain"
        if entry.tag != tag_of(self._identity.chains.of_name(entry.chain), entry.number):
            return "chain", "not the one whose tag was signed"
        previous = NO_PREVIOUS if head is None else head.entry
        if content is not None and entry.link == link_of(previous, entry.number, content):
            return "tag or link", "changed after it was signed"
        return "record or salt", "changed after it was signed"

    def _leads_to_root(self, level: int, position: int, value: bytes) -> bool:
        """Say whether a node's hash leads to the signed root along the stored tree."""
        path = inclusion_path(position << level, self.size)[level:]
        try:
            hashes = self._store.hashes(node for nodes in path for node in nodes)
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
        subject = _subject_of(entry.chain)
        if subject is not None and subject != body.get("subject"):
            self.find(index, "chain", "not that of the record's subject")
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
        if erased.erased_by != index:
            self.find(erased.position, "erased_by", f"it was entry {index} that erased it")
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


def _named(entry: StoredEntry) -> bytes | None:
    """Return the leaf hash that tag and link make, or None when they cannot."""
    return leaf_hash(entry.entry) if _is_hash(entry.tag) and _is_hash(entry.link) else None


def _content(entry: StoredEntry) -> bytes | None:
    """Return what record and salt commit to, or what stands in for them; None if neither does."""
    record, salt, content = entry.record, entry.salt, entry.content
    if record is None and salt is None:
        return content if _is_hash(content) else None
    if isinstance(record, bytes) and isinstance(salt, bytes) and len(salt) == SALT_BYTES:
        return content_of(salt, record)
    return None


def _subject_of(chain: bytes) -> str | None:
    """Return the subject that a person's chain is of, as records spell it; None for the others."""
    is_persons = isinstance(chain, bytes) and chain[:1] == bytes([ChainKind.SUBJECT])
    return chain[1:].hex() if is_persons else None


def _parsed(record: bytes | None) -> dict[str, Any] | None:
    try:
        body = json.loads(record or b"")
    except ValueError:
        return None
    return body if isinstance(body, dict) else None
