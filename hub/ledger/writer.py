"""Appends to a ledger: one transaction that adds entries, grows the tree and signs its head.

Several processes may append to one file. Each transaction holds the file's only write lock and
begins by reading the head again, so that a writer never builds on a tree that another has grown.
A head that was not signed by this ledger, or that the stored tree does not lead to, stops every
append: nothing is ever signed on top of something false.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Any, NamedTuple

from hub.canonical import canonical_json
from hub.errors import RequestError, TamperDetected
from hub.events import AuditEvent, EventTag
from hub.ledger.merkle import CompactRange, cover, leaf_hash
from hub.ledger.note import Checkpoint, Signer, VerifierKey, open_checkpoint, sign_checkpoint
from hub.ledger.storage import Storage, StoredEntry

SALT_BYTES = 32
ERASED_EVENT = EventTag.HUB_ENTRY_ERASED.value


@dataclass(frozen=True, slots=True)
class Entry:
    """One thing to record: the label of whom it is about, or None, and the JSON object to keep.

    The object says `event` and `time` (RFC 3339). Of the label it says `subject`, in hexadecimal;
    where that is missing it is added, so that the label cannot be changed without a trace.

    A sealed entry is not found by its label; only whoever reads the log in order comes across it.
    """

    label: bytes | None
    body: Mapping[str, Any]
    sealed: bool = False

    @classmethod
    def of(cls, event: AuditEvent) -> Entry:
        """Return the entry of an audit event."""
        return cls(event.label, event.body())


class PreparedEntry(NamedTuple):
    """An entry found fit to record: its record's exact bytes, and what it is found by."""

    record: bytes
    label: bytes | None
    event: str
    time: str


@dataclass(frozen=True, slots=True)
class Appended:
    """Where entries came to stand: index of the first, the leaf hash of each, the new head."""

    first: int
    leaves: tuple[bytes, ...]
    note: str


def commitment_of(salt: bytes, record: bytes) -> bytes:
    """Return what the tree holds of a record: it says nothing once salt and record are gone."""
    return sha256(salt + record).digest()


def prepare(entry: Entry) -> PreparedEntry:
    """Return an entry with the canonical bytes of its record.

    Raises:
        RequestError: when the body says no event or time, names another subject than the label,
            or has no canonical JSON form.
    """
    body = dict(entry.body)
    subject = None if entry.label is None else entry.label.hex()
    if subject is not None:
        body.setdefault("subject", subject)
    if body.get("subject") != subject:
        raise RequestError("a ledger entry's subject is not its label")
    event, time = body.get("event"), body.get("time")
    if not (isinstance(event, str) and isinstance(time, str)):
        raise RequestError("a ledger entry says neither event nor time, or not as text")
    label = None if entry.sealed else entry.label
    return PreparedEntry(canonical_json(body), label, event, time)


@dataclass(frozen=True, slots=True)
class Identity:
    """Who a ledger is: its origin, the signer of its checkpoints, its keys of former times."""

    origin: str
    signer: Signer
    former: tuple[VerifierKey, ...] = ()

    @property
    def keys(self) -> tuple[VerifierKey, ...]:
        """Every key whose signature on a head is the ledger's own, the current one first."""
        return (VerifierKey.of(self.signer), *self.former)

    def sign(self, tree: CompactRange) -> str:
        """Return the signed checkpoint of a tree."""
        return sign_checkpoint(Checkpoint(self.origin, tree.size, tree.root), self.signer)


class Writer:
    """Appends through one storage; keeps the tree's edge between appends. One thread at a time."""

    def __init__(
        self, storage: Storage, identity: Identity, random: Callable[[int], bytes]
    ) -> None:
        self._storage = storage
        self._identity = identity
        self._random = random
        self._known: tuple[str, CompactRange] | None = None  # the head last written, its tree

    def append(self, entries: Sequence[PreparedEntry], *, erasing: int | None = None) -> Appended:
        """Add entries durably, in order, and sign the tree they make.

        The signature is made inside the transaction and leaves this method only after it is
        durable; a crash in between leaves the former head and none of the entries.

        Args:
            erasing: position of an entry whose record and salt the first of these erases.
        Raises:
            TamperDetected: when the stored head or tree is not what this ledger wrote.
            LedgerError: when the storage fails. Whether the entries are there is then unknown;
                the next append finds out by itself.
        """
        with self._storage.transaction():
            tree = self._tree(self._storage.note())
            rows = self._rows(entries, tree.size)
            leaves = tuple(leaf_hash(row.commitment) for row in rows)
            grown, spines = tree.extended(leaves)
            self._storage.append(rows, spines)
            if erasing is not None:
                self._storage.erase(erasing, tree.size)
            note = self._identity.sign(grown)
            self._storage.write_note(note)
        self._known = (note, grown)
        return Appended(tree.size, leaves, note)

    def resign(self) -> str:
        """Sign the present tree with the current key, as after a rotation, and return the note."""
        with self._storage.transaction():
            note = self._identity.sign(self._tree(self._storage.note()))
            self._storage.write_note(note)
        return note

    def close(self) -> None:
        """Let go of the storage."""
        self._storage.close()

    def _rows(self, entries: Sequence[PreparedEntry], first: int) -> list[StoredEntry]:
        """Return the rows of entries, each with a fresh salt and its commitment."""
        salts = self._random(SALT_BYTES * len(entries))  # at once: each call may yield the thread
        rows = []
        for number, (record, label, event, time) in enumerate(entries):
            salt = salts[SALT_BYTES * number : SALT_BYTES * (number + 1)]
            committed = commitment_of(salt, record)
            row = StoredEntry(first + number, committed, record, salt, label, event, time)
            rows.append(row)
        return rows

    def _tree(self, note: str) -> CompactRange:
        """Return the stored tree's edge: as it was left, unless the head is another one by now."""
        if self._known is not None and self._known[0] == note:
            return self._known[1]
        return load_tree(self._storage, note, self._identity)


def open_head(note: str, keys: Sequence[VerifierKey], origin: str) -> Checkpoint:
    """Return what a stored head says, once it proves to be the ledger's own.

    Raises:
        TamperDetected: when it is malformed, another log's, or not signed by the ledger's keys.
    """
    try:
        return open_checkpoint(note, keys, origin)
    except RequestError as exc:
        raise TamperDetected(f"the ledger's checkpoint is not its own: {exc.message}") from exc


def load_tree(storage: Storage, note: str, identity: Identity) -> CompactRange:
    """Return the edge of the stored tree, once it leads to the root that was signed.

    Raises:
        TamperDetected: when the signature is not the ledger's own or the tree another one.
    """
    head = open_head(note, identity.keys, identity.origin)
    nodes = cover(0, head.size)
    hashes = storage.hashes(nodes)
    tree = CompactRange(head.size, tuple(hashes[node] for node in nodes))
    if tree.root != head.root:
        raise TamperDetected("the ledger's tree does not lead to the root that was signed")
    return tree
