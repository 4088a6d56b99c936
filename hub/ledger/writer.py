"""Appends to a ledger: one transaction that adds entries, grows chains and tree, signs the head.

Several processes may append to one ledger. Each transaction holds the only write lock and begins
by reading the head again, so that a writer never builds on a tree that another has grown. A head
that was not signed by this ledger, that the stored tree does not lead to, or that is behind what
was made public, stops every append: nothing is ever signed on top of something false.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from hub.canonical import canonical_json
from hub.errors import LedgerError, RequestError, TamperDetected
from hub.events import AuditEvent, EventTag
from hub.ledger.entry import (
    NO_PREVIOUS,
    SALT_BYTES,
    SEALED,
    SYSTEM,
    Chain,
    ChainKeys,
    ChainKind,
    content_of,
    entry_of,
    link_of,
    subject_chain,
    tag_of,
)
from hub.ledger.merkle import CompactRange, cover, fold, leaf_hash
from hub.ledger.note import Checkpoint, Signer, VerifierKey, open_checkpoint, sign_checkpoint
from hub.ledger.store import ChainHead, Store, StoredEntry

ERASED_EVENT = EventTag.HUB_ENTRY_ERASED.value
RELEASED_EVENT = EventTag.ACCESS_SEAL_RELEASED.value

_KNOWN_HEADS = 4096


@dataclass(frozen=True, slots=True)
class Entry:
    """One thing to record: the label of whom it is about, or None, and the JSON object to keep.

    The object says `event` and `time` (RFC 3339). Of the label it says `subject`, in hexadecimal;
    where that is missing it is added.

    Args:
        sealed: recorded in the chain of sealed entries, out of the subject's own sight.
        chain: the chain of an entry about no person; the system's unless said.
    """

    label: bytes | None
    body: Mapping[str, Any]
    sealed: bool = False
    chain: Chain = SYSTEM

    @classmethod
    def of(cls, event: AuditEvent) -> Entry:
        """Return the entry of an audit event."""
        return cls(event.label, event.body())


class PreparedEntry(NamedTuple):
    """An entry found fit to record: its record's exact bytes, its chain, and what it is found by."""

    record: bytes
    chain: bytes
    event: str
    time: str


@dataclass(frozen=True, slots=True)
class Appended:
    """Where entries came to stand: index of the first, the leaf hash of each, the new head."""

    first: int
    leaves: tuple[bytes, ...]
    note: str


def prepare(entry: Entry) -> PreparedEntry:
    """Return an entry with the canonical bytes of its record.

    Raises:
        RequestError: when the body says no event or time, names another subject than the label,
            has no canonical JSON form, or the chain is not one for what it is about.
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
    return PreparedEntry(canonical_json(body), _chain_name(entry), event, time)


def _chain_name(entry: Entry) -> bytes:
    if entry.label is None:
        if entry.sealed or entry.chain.kind is ChainKind.SUBJECT:
            raise RequestError("a ledger entry about no person is in no person's chain")
        return entry.chain.name
    return SEALED.name if entry.sealed else subject_chain(entry.label)


@dataclass(frozen=True, slots=True)
class Identity:
    """Who a ledger is: its origin, the signer of its heads, its keys of former times, its chains.

    Args:
        further: signers beside it, whose signatures public checkpoints carry too.
        is_outdated: says whether a newer signer has come since; asked when something is signed
            by a key that is not known.
    """

    origin: str
    signer: Signer
    chains: ChainKeys
    former: tuple[VerifierKey, ...] = ()
    further: tuple[Signer, ...] = ()
    is_outdated: Callable[[], bool] = lambda: False

    @property
    def keys(self) -> tuple[VerifierKey, ...]:
        """Every key whose signature on a head is the ledger's own, the current one first."""
        return (VerifierKey.of(self.signer), *self.former)

    def sign(self, tree: CompactRange) -> str:
        """Return the signed checkpoint of a tree."""
        return sign_checkpoint(Checkpoint(self.origin, tree.size, tree.root), self.signer)


#: Makes the entry that a tree of this size is to end with; is given the size and the tags.
LastEntry = Callable[[int, Callable[[int, int], Sequence[bytes]]], Entry]


class Writer:
    """Appends through one store; keeps the edges of tree and chains. One thread at a time.

    Args:
        kept: returns the checkpoint that was last made public, from outside the store; None when
            none was.
    """

    def __init__(
        self,
        store: Store,
        identity: Identity,
        random: Callable[[int], bytes],
        kept: Callable[[], Checkpoint | None] = lambda: None,
    ) -> None:
        self._store = store
        self._identity = identity
        self._random = random
        self._kept = kept
        self._continues = False  # whether the store was found to continue what is kept
        self._known: tuple[str, CompactRange] | None = None  # the head last written, its tree
        self._heads: dict[bytes, ChainHead] = {}  # of chains, as of that head

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
        return self._write(lambda _tree: entries, erasing)

    def append_last(self, build: LastEntry) -> Appended:
        """Add one entry that says something of all those before it; as `append`."""

        def last(tree: CompactRange) -> Sequence[PreparedEntry]:
            return (prepare(build(tree.size, self._store.tags)),)

        return self._write(last, None)

    def resign(self) -> str:
        """Sign the present tree with the current key, as after a rotation, and return the note."""
        with self._store.transaction():
            note = self._identity.sign(self._tree())
            self._store.write_note(note)
        return note

    def close(self) -> None:
        """Let go of the store."""
        self._store.close()

    def _write(
        self, entries_of: Callable[[CompactRange], Sequence[PreparedEntry]], erasing: int | None
    ) -> Appended:
        try:
            with self._store.transaction():
                tree = self._tree()
                rows, leaves = self._rows(entries_of(tree), tree.size)
                grown, spines = tree.extended(leaves)
                self._store.append(rows, spines)
                if erasing is not None:
                    self._erase(erasing, tree.size)
                note = self._identity.sign(grown)
                self._store.write_note(note)
        except BaseException:
            self._known = None  # what is there now is not known; the next append reads it again
            self._heads.clear()
            raise
        self._known = (note, grown)
        return Appended(tree.size, leaves, note)

    def _rows(
        self, entries: Sequence[PreparedEntry], first: int
    ) -> tuple[list[StoredEntry], tuple[bytes, ...]]:
        """Return the rows of entries, each at the end of its chain, and their leaf hashes."""
        heads = self._heads_of({entry.chain for entry in entries})
        key_of = self._identity.chains.of_name
        salts = self._random(SALT_BYTES * len(entries))  # at once: each call may yield the thread
        rows, leaves = [], []
        for offset, (record, chain, event, time) in enumerate(entries):
            salt = salts[SALT_BYTES * offset : SALT_BYTES * (offset + 1)]
            head = heads.get(chain)
            number, previous = (0, NO_PREVIOUS) if head is None else (head.number + 1, head.entry)
            tag = tag_of(key_of(chain), number)
            link = link_of(previous, number, content_of(salt, record))
            data = entry_of(tag, link)
            heads[chain] = ChainHead(number, data)
            leaves.append(leaf_hash(data))
            place = first + offset
            rows.append(
                StoredEntry(place, tag, link, chain, number, record, salt, None, event, time)
            )
        return rows, tuple(leaves)

    def _heads_of(self, chains: set[bytes]) -> dict[bytes, ChainHead]:
        """Return the newest entry of chains among others; where one has none, it is not there."""
        if len(self._heads) > _KNOWN_HEADS:
            self._heads.clear()
        unknown = [chain for chain in chains if chain not in self._heads]
        if unknown:
            self._heads.update(self._store.heads(unknown))
        return self._heads

    def _erase(self, position: int, erased_by: int) -> None:
        entry = self._store.entry(position)
        if entry is None or entry.record is None or entry.salt is None:
            raise RequestError(f"entry {position} is erased already")
        self._store.erase(position, content_of(entry.salt, entry.record), erased_by)

    def _tree(self) -> CompactRange:
        """Return the stored tree's edge: as it was left, unless the head is another one by now."""
        note = self._store.note()
        if self._known is not None and self._known[0] == note:
            return self._known[1]
        self._heads.clear()  # another writer's entries may stand behind them by now
        tree = load_tree(self._store, note, self._identity)
        if not self._continues:
            require_continued(self._store, tree.size, self._kept())
            self._continues = True
        return tree


def open_head(note: str, keys: Sequence[VerifierKey], origin: str) -> Checkpoint:
    """Return what a stored head says, once it proves to be the ledger's own.

    Raises:
        TamperDetected: when it is malformed, another log's, or not signed by the ledger's keys.
    """
    try:
        return open_checkpoint(note, keys, origin)
    except RequestError as exc:
        raise TamperDetected(f"the ledger's checkpoint is not its own: {exc.message}") from exc


def open_own(note: str, identity: Identity) -> Checkpoint:
    """Return what a head of a ledger says; as `open_head`.

    Raises:
        TamperDetected: when it is not the ledger's own.
        LedgerError: when it may be, since the ledger's key was rotated: restart to know it.
    """
    try:
        return open_head(note, identity.keys, identity.origin)
    except TamperDetected:
        if identity.is_outdated():
            raise LedgerError(
                "the ledger's key was rotated since this process began: restart it"
            ) from None
        raise


def load_tree(store: Store, note: str, identity: Identity) -> CompactRange:
    """Return the edge of the stored tree, once it leads to the root that was signed.

    Raises:
        TamperDetected: when the signature is not the ledger's own or the tree another one.
    """
    head = open_own(note, identity)
    nodes = cover(0, head.size)
    hashes = store.hashes(nodes)
    tree = CompactRange(head.size, tuple(hashes[node] for node in nodes))
    if tree.root != head.root:
        raise TamperDetected("the ledger's tree does not lead to the root that was signed")
    return tree


def require_continued(store: Store, size: int, kept: Checkpoint | None) -> None:
    """Refuse a store that has not everything a checkpoint outside of it has, as an old backup.

    Args:
        size: of the store's tree.
        kept: the checkpoint; None where there is none to hold it to.
    Raises:
        TamperDetected: when the store is shorter, or begins with other entries.
    """
    if kept is None:
        return
    if kept.size > size:
        raise TamperDetected(
            f"the ledger holds {size} entries, but {kept.size} were made public: an old backup was "
            "restored. Restore the newest one"
        )
    nodes = cover(0, kept.size)
    hashes = store.hashes(nodes)
    if fold([hashes[node] for node in nodes]) != kept.root:
        raise TamperDetected(
            f"the ledger's first {kept.size} entries are not those that were made public"
        )
