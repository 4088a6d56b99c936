"""Reads a ledger again and says exactly what is wrong with it.

Everything is computed anew: what records commit to, every entry from its place in its chain, every
level of the tree from the entries, the root against the signed checkpoint, and the columns that
entries are found by against the records themselves. Where two stored values contradict each other,
the one that leads to the signed root is right and the other is named.

An erased entry is sound when a later entry records its erasure. One read transaction spans the
whole reading, so that entries appended meanwhile are neither seen nor mistaken for damage. Times
are not compared: a clock that was set back is no tampering.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from hub.errors import LedgerError, RequestError, TamperDetected
from hub.ledger.checks.chains import Heads
from hub.ledger.checks.erasures import Erasures
from hub.ledger.checks.findings import FINDINGS_LIMIT, Finding, Findings
from hub.ledger.checks.sound import sound_stretch
from hub.ledger.checks.suspect import Suspect
from hub.ledger.checks.tree import Tree, is_prefix, stored_root
from hub.ledger.merkle import HASH_BYTES, CompactRange
from hub.ledger.note import Checkpoint, open_checkpoint
from hub.ledger.store import Row, Store, StoredEntry
from hub.ledger.writer import Identity, open_head
from hub.progress import Progress

CHUNK_ENTRIES = 4096
MARK_ENTRIES = 64 * CHUNK_ENTRIES


@dataclass(frozen=True, slots=True)
class Mark:
    """How far a reading has come: the edge of the tree that was read, and what was found.

    Nothing in it is believed that the signed tree does not lead to.
    """

    edge: CompactRange = field(default_factory=CompactRange)
    erased: int = 0
    findings: tuple[Finding, ...] = ()
    total: int = 0


@dataclass(frozen=True, slots=True)
class Audit:
    """What a reading found: entries read, entries lawfully erased, everything wrong.

    At most `FINDINGS_LIMIT` findings are kept; `total` counts them all.

    Attributes:
        size: entries of the signed tree.
        start: the entry that the reading began with.
        root: the signed root; None when nothing is signed.
    """

    size: int
    erased: int
    findings: tuple[Finding, ...]
    total: int
    start: int = 0
    root: bytes | None = None

    @property
    def intact(self) -> bool:
        """Whether nothing is wrong."""
        return self.total == 0


def audit(
    store: Store,
    identity: Identity,
    progress: Progress | None = None,
    *,
    mark: Mark | None = None,
    keep: Callable[[Mark], None] = lambda _mark: None,
    engine: bool = True,
) -> Audit:
    """Verify a ledger, from its first entry or from where an earlier reading came to.

    Args:
        store: a connection of its own.
        identity: whose ledger it is: its keys, present and former, and those of its chains.
        progress: called with (entries read, entries in all) now and then.
        mark: where to go on from; entries before are not read again.
        keep: called now and then with where another reading could go on from.
        engine: whether the engine reads all its files as well.
    """
    reading = _Reading(store, identity, mark or Mark(), keep)
    try:
        with store.transaction(write=False):
            for problem in store.damage() if engine else ():
                reading.findings.add(None, "file", problem)
            reading.run(progress or (lambda _done, _all: None))
    except LedgerError as exc:
        reading.findings.add(None, "file", f"reading stopped: {exc.message}")
    return reading.close()


class _Reading:
    """The state of one pass over a ledger."""

    def __init__(
        self, store: Store, identity: Identity, mark: Mark, keep: Callable[[Mark], None]
    ) -> None:
        self._store = store
        self._identity = identity
        self._mark = mark
        self._keep = keep
        self._head: Checkpoint | None = None
        self.findings = Findings(mark.findings, mark.total)
        self._tree = Tree(store, self.findings, mark.edge)
        self._heads = Heads(store, identity.chains)
        self._erasures = Erasures(store, self.findings, self._reread, mark.erased)
        self._suspect = Suspect(
            identity.chains,
            self._heads,
            self._erasures,
            self.findings,
            lambda index, leaf: self._tree.leads(0, index, leaf),
        )

    def close(self) -> Audit:
        """Let go of what was remembered of the chains and return what was found."""
        self._heads.known.clear()
        head, found = self._head, self.findings
        return Audit(
            self._tree.signed_size,
            self._erasures.count,
            tuple(found.kept),
            found.total,
            self._mark.edge.size,
            None if head is None else head.root,
        )

    def run(self, progress: Progress) -> None:
        """Read everything from the mark on once, in log order."""
        start = self._begin()
        size = self._tree.signed_size
        for at in range(start - start % CHUNK_ENTRIES, size, CHUNK_ENTRIES):
            stop = min(at + CHUNK_ENTRIES, size)
            self._stretch(max(at, start), stop)
            progress(stop, size)
            edge = self._tree.edge
            if stop % MARK_ENTRIES == 0 and edge is not None and self._erasures.is_settled:
                kept = tuple(self.findings.kept)
                self._keep(Mark(edge, self._erasures.count, kept, self.findings.total))
        self._erasures.conclude()
        self._conclude()

    def _begin(self) -> int:
        """Find out what was signed; return the position to begin at."""
        self._head = head = self._signed()
        size = self._store.count() if head is None else head.size
        self._tree.signed_size = self._erasures.size = size
        self._tree.root = stored_root(self._store, size) if head is None else head.root
        for table, position in self._store.strays(size, FINDINGS_LIMIT):
            problem = f"a row beyond the {size} entries that were signed"
            self.findings.add(position, table, problem)
        self._erasures.start = start = self._held_mark(size)
        return start

    def _held_mark(self, size: int) -> int:
        """Return how many entries need not be read again: none, unless the tree still has them."""
        edge = self._mark.edge
        if edge.size <= size and is_prefix(self._store, edge):
            return edge.size
        problem = (
            f"{edge.size} entries were read before, of a tree that this one does not begin with"
        )
        self.findings.add(None, "tree", problem)
        self._mark = Mark()
        self._tree.move(CompactRange())
        return 0

    def _signed(self) -> Checkpoint | None:
        try:
            return open_head(self._store.note(), self._identity.keys, self._identity.origin)
        except TamperDetected as exc:
            self.findings.add(None, "checkpoint", exc.message)
            return None

    def _stretch(self, start: int, stop: int) -> None:
        rows = self._store.rows(start, stop)
        spines = self._store.spines(start, stop)
        edge = self._tree.edge
        if edge is not None and len(rows) == len(spines) == stop - start:
            stored = list(map(spines.get, range(start, stop)))
            grown = sound_stretch(rows, stored, edge, self._heads, self._erasures)
            if grown is not None:
                self._tree.move(grown)
                return
        self._suspicious(start, stop, rows, spines)

    def _suspicious(
        self, start: int, stop: int, rows: Sequence[Row], spines: dict[int, bytes]
    ) -> None:
        entries = {row[0]: StoredEntry(*row) for row in rows}
        for index in range(start, stop):
            spine = self._tree.spine(index, spines.get(index))
            stored = None if spine is None else spine[:HASH_BYTES]
            self._tree.grow(self._suspect.leaf(index, entries.get(index), stored), spine)

    def _reread(self, entry: StoredEntry) -> None:
        self._suspect.reread(entry)

    def _conclude(self) -> None:
        edge, head = self._tree.edge, self._head
        if head is not None and edge is not None and edge.root != head.root:
            problem = "the entries do not lead to the root that was signed"
            self.findings.add(None, "checkpoint", problem)
        self._published()

    def _published(self) -> None:
        """Hold the row of what was last made public against the tree."""
        published = self._store.published()
        if published is None:
            return
        try:
            shown = open_checkpoint(published.note, self._identity.keys, self._identity.origin)
        except (RequestError, TypeError, AttributeError):
            self.findings.add(None, "published note", "not a checkpoint that this ledger signed")
            return
        if shown.size != published.size:
            self.findings.add(None, "published size", f"not {shown.size}, which its note is of")
        if shown.size > self._tree.signed_size:
            problem = f"of {shown.size} entries, more than the {self._tree.signed_size} signed"
            self.findings.add(None, "published note", problem)
        elif stored_root(self._store, shown.size) != shown.root:
            self.findings.add(None, "published note", "of a tree that the entries do not lead to")
