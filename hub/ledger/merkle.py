"""The Merkle tree of a log: hashes, proofs, and what it takes to grow it.

Pure: nothing is read or written here. The tree is addressed by its *perfect* subtrees, which never
change once complete; whoever stores their hashes can answer every proof in O(log n) reads.

Source: RFC 9162 §2.1 (hashes and proofs, the same as RFC 6962's).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from hashlib import sha256

HASH_BYTES = 32
LEAF_PREFIX = b"\x00"
EMPTY_ROOT = sha256(b"").digest()


@dataclass(frozen=True, slots=True)
class Node:
    """A perfect subtree: 2**level leaves, the position-th of its level from the left."""

    level: int
    position: int

    @property
    def last_leaf(self) -> int:
        """Index of the leaf whose arrival completed this subtree."""
        return ((self.position + 1) << self.level) - 1


def leaf_hash(data: bytes) -> bytes:
    """Return the 32-byte hash of a leaf.  Source: RFC 9162 §2.1.1."""
    return sha256(LEAF_PREFIX + data).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """Return the 32-byte hash of an inner node.  Source: RFC 9162 §2.1.1."""
    return sha256(b"\x01" + left + right).digest()


def fold(hashes: Sequence[bytes]) -> bytes:
    """Return the root over perfect subtrees given left to right, each smaller than the last."""
    if not hashes:
        return EMPTY_ROOT
    root = hashes[-1]
    for left in reversed(hashes[:-1]):
        root = node_hash(left, root)
    return root


def cover(start: int, end: int) -> tuple[Node, ...]:
    """Return the perfect subtrees that make up leaves [start, end), left to right.

    Args:
        start: a multiple of the largest power of two not above `end - start`, as every range
            that RFC 9162 splits off is.
    """
    nodes: list[Node] = []
    while start < end:
        level = (end - start).bit_length() - 1
        nodes.append(Node(level, start >> level))
        start += 1 << level
    return tuple(nodes)


def inclusion_path(index: int, size: int) -> tuple[tuple[Node, ...], ...]:
    """Return, for each hash of an inclusion proof, the perfect subtrees that fold to it.

    Source: RFC 9162 §2.1.3.1.
    """
    path: list[tuple[Node, ...]] = []
    start, end = 0, size
    while end - start > 1:
        middle = start + _split(end - start)
        if index < middle:
            path.append(cover(middle, end))
            end = middle
        else:
            path.append(cover(start, middle))
            start = middle
    return tuple(reversed(path))


def consistency_path(old: int, new: int) -> tuple[tuple[Node, ...], ...]:
    """Return, for each hash of a consistency proof, the perfect subtrees that fold to it.

    A proof from the empty tree is empty, as is one from a tree to itself.
    Source: RFC 9162 §2.1.4.1.
    """
    path: list[tuple[Node, ...]] = []
    start, end = 0, new
    while 0 < old < end:
        middle = start + _split(end - start)
        if old <= middle:
            path.append(cover(middle, end))
            end = middle
        else:
            path.append(cover(start, middle))
            start = middle
    if start > 0:  # the old tree's last part is not a tree the verifier already knows
        path.append(cover(start, end))
    return tuple(reversed(path))


def root_of_inclusion(leaf: bytes, index: int, size: int, proof: Sequence[bytes]) -> bytes | None:
    """Return the root a proof leads to, or None when its length does not fit the place.

    Args:
        leaf: the leaf's hash (not its data).
    Source: RFC 9162 §2.1.3.2.
    """
    if not 0 <= index < size:
        return None
    position, last, root = index, size - 1, leaf
    for sibling in proof:
        if last == 0:
            return None
        if position & 1 or position == last:
            root = node_hash(sibling, root)
            while not position & 1 and position:
                position, last = position >> 1, last >> 1
        else:
            root = node_hash(root, sibling)
        position, last = position >> 1, last >> 1
    return root if last == 0 else None


def verify_inclusion(
    leaf: bytes, index: int, size: int, proof: Sequence[bytes], root: bytes
) -> bool:
    """Say whether the leaf hash stands at `index` in the tree of that size and root."""
    return root_of_inclusion(leaf, index, size, proof) == root


def verify_consistency(
    old: int, new: int, proof: Sequence[bytes], old_root: bytes, new_root: bytes
) -> bool:
    """Say whether the newer tree only added leaves to the older one.

    Source: RFC 9162 §2.1.4.2; the cases of size 0 and of equal sizes are ours: both want an empty
    proof and the roots that follow.
    """
    if old < 0 or new < old:
        return False
    if old == 0:
        return not proof and old_root == EMPTY_ROOT and (new > 0 or new_root == EMPTY_ROOT)
    if old == new:
        return not proof and old_root == new_root
    return _consistency_roots(old, new, proof, old_root) == (old_root, new_root)


def _consistency_roots(
    old: int, new: int, proof: Sequence[bytes], old_root: bytes
) -> tuple[bytes, bytes] | None:
    path = [old_root, *proof] if old & (old - 1) == 0 else list(proof)
    position, last = old - 1, new - 1
    while position & 1:
        position, last = position >> 1, last >> 1
    if not path:
        return None
    first = second = path[0]
    for sibling in path[1:]:
        if last == 0:
            return None
        if position & 1 or position == last:
            first, second = node_hash(sibling, first), node_hash(sibling, second)
            while not position & 1 and position:
                position, last = position >> 1, last >> 1
        else:
            second = node_hash(second, sibling)
        position, last = position >> 1, last >> 1
    return (first, second) if last == 0 else None


@dataclass(frozen=True, slots=True)
class CompactRange:
    """All that growing a tree needs: its size and the hashes of `cover(0, size)`."""

    size: int = 0
    hashes: tuple[bytes, ...] = ()

    @property
    def root(self) -> bytes:
        """Root hash of the tree."""
        return fold(self.hashes)

    def extended(self, leaves: Iterable[bytes]) -> tuple[CompactRange, list[bytes]]:
        """Return the range with leaf hashes added, and the hashes each leaf completed.

        Returns:
            The new range; then, one per leaf in order, the concatenated 32-byte hashes of every
            perfect subtree that ends with this leaf, level 0 (the leaf itself) upward.
        """
        stack, size = list(self.hashes), self.size
        completed: list[bytes] = []
        for leaf in leaves:
            spine, index, top = leaf, size, leaf
            while index & 1:
                top = node_hash(stack.pop(), top)
                spine += top
                index >>= 1
            stack.append(top)
            size += 1
            completed.append(spine)
        return CompactRange(size, tuple(stack)), completed


def spine_levels(index: int) -> int:
    """Return how many perfect subtrees end with a leaf: one, and one per trailing 1 bit."""
    return (~index & (index + 1)).bit_length()


def _split(size: int) -> int:
    """Return the largest power of two smaller than a size of at least 2."""
    return 1 << ((size - 1).bit_length() - 1)
