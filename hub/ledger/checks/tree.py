"""The stored tree held against the leaves and the signed root, node by node."""

from __future__ import annotations

from collections.abc import Sequence

from hub.errors import TamperDetected
from hub.ledger.checks.findings import Findings
from hub.ledger.merkle import (
    HASH_BYTES,
    CompactRange,
    cover,
    fold,
    inclusion_path,
    node_hash,
    root_of_inclusion,
    spine_levels,
)
from hub.ledger.store import Store


class Tree:
    """Grows the tree leaf by leaf and names each stored hash that does not follow.

    Attributes:
        size: leaves so far.
        root: the signed root, or what the stored tree leads to where nothing was signed.
    """

    def __init__(self, store: Store, findings: Findings, start: CompactRange) -> None:
        self._store = store
        self._findings = findings
        self._edge: list[bytes | None] = list(start.hashes)  # None: unknown
        self.size = start.size
        self.signed_size = 0
        self.root: bytes | None = None

    @property
    def edge(self) -> CompactRange | None:
        """All that growing the tree needs, None when something in it is not known."""
        known = [value for value in self._edge if value is not None]
        return CompactRange(self.size, tuple(known)) if len(known) == len(self._edge) else None

    def move(self, edge: CompactRange) -> None:
        """Go on from an edge that was computed elsewhere."""
        self.size, self._edge = edge.size, list(edge.hashes)

    def spine(self, index: int, spine: object) -> bytes | None:
        """Return the stored hashes that a leaf completes; names what is wrong with their form."""
        if spine is None:
            self._findings.add(index, "tree", "its hashes are missing")
            return None
        if not isinstance(spine, bytes) or len(spine) != HASH_BYTES * spine_levels(index):
            self._findings.add(index, "tree", "its hashes are not as many as its place completes")
            return None
        return spine

    def grow(self, leaf: bytes | None, spine: bytes | None) -> None:
        """Compute the subtrees that the next leaf completes and compare them with the stored ones.

        Above something unknown the stored hash is taken on trust, since what is unknown has been
        named already; the root decides at the end.
        """
        index, top = self.size, leaf
        for level in range(1, spine_levels(index)):
            left = self._edge.pop()
            at = HASH_BYTES * level
            stored = None if spine is None else spine[at : at + HASH_BYTES]
            computed = None if left is None or top is None else node_hash(left, top)
            if computed is None or stored is None or computed == stored:
                top = computed or stored
            else:
                top = self._dispute(level, index >> level, computed, stored)
        self._edge.append(top)
        self.size = index + 1

    def leads(self, level: int, position: int, value: bytes) -> bool:
        """Say whether a node's hash leads to the signed root along the stored tree."""
        path = inclusion_path(position << level, self.signed_size)[level:]
        try:
            hashes = self._store.hashes(node for nodes in path for node in nodes)
        except TamperDetected:
            return False
        proof = [fold([hashes[node] for node in nodes]) for nodes in path]
        width = ((self.signed_size - 1) >> level) + 1
        return root_of_inclusion(value, position, width, proof) == self.root

    def _dispute(self, level: int, position: int, computed: bytes, stored: bytes) -> bytes | None:
        """Name what is wrong where a stored node does not follow from its entries."""
        first, last = position << level, ((position + 1) << level) - 1
        if self.leads(level, position, computed):
            problem = f"the hash at level {level}, position {position} was changed"
            self._findings.add(last, "tree", problem)
            return computed
        if self.leads(level, position, stored):
            problem = f"one of entries {first} to {last} was replaced whole"
            self._findings.add(first, "entry", problem)
            return stored
        problem = f"level {level}, position {position} follows from no entries"
        self._findings.add(last, "tree", problem)
        return None


def stored_root(store: Store, size: int) -> bytes | None:
    """Return the root that the stored tree leads to at a size, None when it does not."""
    edge = stored_edge(store, size)
    return None if edge is None else edge.root


def stored_edge(store: Store, size: int) -> CompactRange | None:
    """Return the stored tree's edge at a size, None where a part is missing."""
    nodes = cover(0, size)
    try:
        hashes = store.hashes(nodes)
    except TamperDetected:
        return None
    return CompactRange(size, tuple(hashes[node] for node in nodes))


def is_prefix(store: Store, edge: CompactRange) -> bool:
    """Say whether the stored tree begins with another tree."""
    held: Sequence[bytes] = () if (found := stored_edge(store, edge.size)) is None else found.hashes
    return tuple(held) == edge.hashes
