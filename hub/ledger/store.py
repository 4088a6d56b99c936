"""What a ledger needs of the place it is kept in; SQLite and PostgreSQL give it.

Four tables, the same in both. `entry` has one row per entry: tag and link, of which its 32 bytes
in the tree are made; its place in its chain; and record and salt, which are private and may be
erased (`content` then stands in for them). `tree` has one row per leaf: the hashes of all perfect
subtrees that the leaf completed, so that it only ever grows at its end and any node is one
primary-key read. `head` is the latest signed tree head; it changes in the transaction that
appends, so what it signs is always whole on disk. `published` is the latest checkpoint that was
made public.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Any, NamedTuple, Protocol, TypeAlias

from hub.errors import TamperDetected
from hub.ledger.entry import NO_PREVIOUS, Opening, content_of, entry_of
from hub.ledger.merkle import HASH_BYTES, Node

Row: TypeAlias = Sequence[Any]  # the fields of `StoredEntry` in their order, of any kind


class StoredEntry(NamedTuple):
    """One row of `entry`.

    `content` is None until `record` and `salt` are, once entry `erased_by` has erased them.
    A tuple because it is a row, and because many thousands are made in a second.
    """

    position: int
    tag: bytes
    link: bytes
    chain: bytes
    number: int
    record: bytes | None
    salt: bytes | None
    content: bytes | None
    event: str
    time: str
    erased_by: int | None = None

    @property
    def entry(self) -> bytes:
        """The 32 bytes that the tree holds of it."""
        return entry_of(self.tag, self.link)


class ChainHead(NamedTuple):
    """The newest entry of a chain: its number in it, and its 32 bytes."""

    number: int
    entry: bytes


class StoredPublication(NamedTuple):
    """What was last made public: the cosigned checkpoint, its tree's size, when (RFC 3339)."""

    note: str
    size: int
    time: str


class Store(Protocol):
    """One connection to where a ledger is kept. Not for use by two threads at once.

    Raises:
        LedgerError: from every method, when it cannot be read or written; nothing of the
            transaction is applied then, and the next call connects anew.
    """

    def close(self) -> None:
        """Let go of the connection; the next call opens another."""
        ...

    def transaction(self, *, write: bool = True) -> AbstractContextManager[None]:
        """Run a block as one transaction, the only writing one; durable on leaving."""
        ...

    def note(self) -> str:
        """Return the latest signed tree head.

        Raises:
            TamperDetected: when there is none; a ledger is created with one.
        """
        ...

    def write_note(self, note: str) -> None:
        """Replace the latest signed tree head."""
        ...

    def published(self) -> StoredPublication | None:
        """Return what was last made public, None before the first time."""
        ...

    def write_published(self, publication: StoredPublication) -> None:
        """Remember what is made public."""
        ...

    def append(self, entries: Sequence[StoredEntry], spines: Sequence[bytes]) -> None:
        """Add entries and, for each, the hashes of the subtrees it completed.

        Raises:
            TamperDetected: when rows stand where the signed tree or a chain has not come to yet.
        """
        ...

    def erase(self, position: int, content: bytes, erased_by: int) -> None:
        """Forget an entry's record and salt on disk; keep what they committed to.

        Raises:
            RequestError: when there is nothing to erase.
        """
        ...

    def scrub(self) -> None:
        """Let go of what an erasure left behind, as far as the store can by itself.

        Called after the erasure's transaction. Where bytes may outlast it the store says so.
        """
        ...

    def heads(self, chains: Sequence[bytes]) -> dict[bytes, ChainHead]:
        """Return the newest entry of each chain that has one."""
        ...

    def entry(self, position: int) -> StoredEntry | None:
        """Return one entry, or None."""
        ...

    def entries(self, start: int, stop: int) -> list[StoredEntry]:
        """Return the entries at positions [start, stop), in order."""
        ...

    def chain_entry(self, chain: bytes, number: int) -> StoredEntry | None:
        """Return the entry of a number in a chain, or None."""
        ...

    def chain(self, name: bytes, before: int, limit: int) -> list[StoredEntry]:
        """Return the newest entries of a chain at positions below one, newest first."""
        ...

    def tags(self, start: int, stop: int) -> list[bytes]:
        """Return the tags at positions [start, stop), in order."""
        ...

    def links(self, start: int, stop: int) -> list[tuple[bytes, bytes]]:
        """Return tag and link at positions [start, stop), in order."""
        ...

    def rows(self, start: int, stop: int) -> Sequence[Row]:
        """Return what `entries` does as plain rows, for who reads millions of them."""
        ...

    def spines(self, start: int, stop: int) -> dict[int, bytes]:
        """Return the rows of `tree` for leaves [start, stop), by leaf."""
        ...

    def hashes(self, nodes: Iterable[Node]) -> dict[Node, bytes]:
        """Return the hash of each perfect subtree.

        Raises:
            TamperDetected: when a subtree that the signed tree holds is not here.
        """
        ...

    def count(self) -> int:
        """Return one more than the highest position of any row, whatever was signed."""
        ...

    def strays(self, size: int, limit: int) -> list[tuple[str, int]]:
        """Return table and position of rows that do not belong to a tree of this size."""
        ...

    def damage(self) -> list[str]:
        """Return what the engine itself finds wrong with its files; empty if sound."""
        ...


def previous_of(store: Store, entry: StoredEntry) -> bytes:
    """Return the 32 bytes of the entry before one in its chain; zeros before the first.

    Raises:
        TamperDetected: when it is gone.
    """
    if entry.number == 0:
        return NO_PREVIOUS
    before = store.chain_entry(entry.chain, entry.number - 1)
    if before is None:
        raise TamperDetected(f"the entry before entry {entry.position} in its chain is gone")
    return before.entry


def opening_of(entry: StoredEntry, previous: bytes) -> Opening:
    """Return what the 32 bytes of a stored entry are made of.

    Raises:
        TamperDetected: when it has neither record and salt nor what they committed to.
    """
    content = entry.content
    if entry.salt is not None and entry.record is not None:
        content = content_of(entry.salt, entry.record)
    if content is None:
        raise TamperDetected(f"record or salt of entry {entry.position} is gone")
    return Opening(
        entry.position, entry.tag, previous, entry.number, content, entry.salt, entry.record
    )


def nodes_of(spines: Mapping[int, bytes], nodes: Sequence[Node]) -> dict[Node, bytes]:
    """Return the hashes of perfect subtrees out of the rows of `tree` that they end in.

    Raises:
        TamperDetected: when one is missing or cut short.
    """
    return {node: _hash_at(spines.get(node.last_leaf), node) for node in nodes}


def _hash_at(spine: bytes | None, node: Node) -> bytes:
    start = HASH_BYTES * node.level
    found = spine[start : start + HASH_BYTES] if isinstance(spine, bytes) else b""
    if len(found) != HASH_BYTES:
        raise TamperDetected(
            f"the tree's node at level {node.level}, position {node.position} is gone"
        )
    return found
