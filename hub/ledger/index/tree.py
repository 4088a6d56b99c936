"""The Merkle tree over sorted rows: where a key stands, or between which two it would.

A tree is a buffer: its rows, then each level of nodes from `BLOCK_LEVEL` up, complete nodes only.
The levels below are hashed when asked for. The same bytes are a file's or stand in memory.

Pure. Source: RFC 9162 §2.1.3 (inclusion).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from mmap import mmap

from hub.ledger.index.rows import (
    BLOCK_LEVEL,
    BLOCK_ROWS,
    KEY_BYTES,
    Rows,
    block_hashes,
    upper_levels,
)
from hub.ledger.merkle import (
    HASH_BYTES,
    CompactRange,
    Node,
    cover,
    fold,
    leaf_hash,
    node_hash,
    verify_inclusion,
)

_WORD = 8  # bytes of a key that a guess of its place is made from
_GUESSES = 6  # then bisected: no keys, however chosen, make a search long


@dataclass(frozen=True, slots=True)
class Place:
    """A row, its place among the rows, and the inclusion proof that it stands there."""

    row: bytes
    index: int
    path: tuple[bytes, ...]

    @property
    def key(self) -> bytes:
        """What the row is found by."""
        return self.row[:KEY_BYTES]

    def stands(self, root: bytes, count: int) -> bool:
        """Say whether it stands there in the tree of `count` rows with this root."""
        return verify_inclusion(leaf_hash(self.row), self.index, count, self.path, root)


@dataclass(frozen=True, slots=True)
class Absence:
    """The two neighbours between which a key would stand; None where the rows begin or end."""

    before: Place | None
    after: Place | None

    def holds(self, key: bytes, root: bytes, count: int) -> bool:
        """Say whether they prove that no row of the tree has this key."""
        before, after = self.before, self.after
        if (-1 if before is None else before.index) + 1 != (
            count if after is None else after.index
        ):
            return False
        if before is not None and not (before.key < key and before.stands(root, count)):
            return False
        return after is None or (key < after.key and after.stands(root, count))


def root_of(levels: Sequence[bytes], rest: Rows) -> bytes:
    """Return the root over blocks of rows and the rows after them.

    Args:
        levels: the blocks' hashes, then each level above, as `upper_levels` yields them.
        rest: the rows that fill no block, fewer than 16.
    """
    odd = [level[-HASH_BYTES:] for level in reversed(levels) if len(level) // HASH_BYTES & 1]
    edge, _ = CompactRange().extended(leaf_hash(row.tobytes()) for row in rest)
    return fold([*odd, *edge.hashes])


def body_of(rows: Rows) -> bytes:
    """Return the buffer of a tree over sorted rows."""
    whole = len(rows) - len(rows) % BLOCK_ROWS
    return rows.tobytes() + b"".join(upper_levels(block_hashes(rows[:whole])))


def body_size(count: int, width: int) -> int:
    """Return how many bytes the tree of so many rows takes."""
    return count * width + HASH_BYTES * sum(nodes for nodes in _stored(count))


def _stored(count: int) -> Iterator[int]:
    nodes = count >> BLOCK_LEVEL
    while nodes:
        yield nodes
        nodes >>= 1


class RowTree:
    """Reads a tree's buffer. It trusts what it reads: whoever hands a proof on checks it.

    Args:
        data: of `body_size(count, width)` bytes or more.
        width: bytes of a row, of which the first 32 are its key.
    """

    def __init__(self, data: bytes | mmap, count: int, width: int) -> None:
        self.count = count
        self._data = data
        self._width = width
        self._levels: list[int] = []  # where each stored level begins
        offset = count * width
        for nodes in _stored(count):
            self._levels.append(offset)
            offset += nodes * HASH_BYTES

    @property
    def root(self) -> bytes:
        """Root hash of all rows."""
        return self._range(0, self.count)

    def row(self, index: int) -> bytes:
        """Return one row."""
        return self._data[index * self._width : (index + 1) * self._width]

    def key(self, index: int) -> bytes:
        """Return one row's key."""
        return self._data[index * self._width : index * self._width + KEY_BYTES]

    def find(self, key: bytes) -> int:
        """Return the place of the first row whose key is not below this one; `count` if none is.

        Keys are outputs of a keyed hash, so that a key's value says about where it stands.
        """
        low, high = 0, self.count
        least, most = 0, 1 << 8 * _WORD  # bounds of the keys in [low, high)
        wanted = int.from_bytes(key[:_WORD])
        guesses = _GUESSES
        while low < high:
            if guesses and most > least:
                guesses -= 1
                guess = low + (high - low) * (wanted - least) // (most - least)
                middle = min(max(guess, low), high - 1)
            else:
                middle = (low + high) // 2
            found = self.key(middle)
            if found < key:
                low, least = middle + 1, int.from_bytes(found[:_WORD])
            else:
                high, most = middle, int.from_bytes(found[:_WORD])
        return low

    def rows_of(self, key: bytes) -> list[bytes]:
        """Return all rows with a key, in order."""
        found: list[bytes] = []
        index = self.find(key)
        while index < self.count and self.key(index) == key:
            found.append(self.row(index))
            index += 1
        return found

    def place(self, index: int) -> Place:
        """Return a row with the proof of its place."""
        return Place(self.row(index), index, self._path(index, self._block(index >> BLOCK_LEVEL)))

    def presence(self, row: bytes) -> Place | None:
        """Return where a row stands, or None."""
        rows = self.rows_of(row[:KEY_BYTES])
        if row not in rows:
            return None
        return self.place(self.find(row[:KEY_BYTES]) + rows.index(row))

    def absence(self, key: bytes) -> Absence | None:
        """Return the neighbours of a key that no row has, or None when one has it."""
        index = self.find(key)
        if index < self.count and self.key(index) == key:
            return None
        if index in (0, self.count) or index % BLOCK_ROWS == 0:
            before = self.place(index - 1) if index else None
            return Absence(before, self.place(index) if index < self.count else None)
        block = self._block(index >> BLOCK_LEVEL)  # mostly both neighbours are in one
        one, other = (Place(self.row(n), n, self._path(n, block)) for n in (index - 1, index))
        return Absence(one, other)

    def _path(self, index: int, block: list[list[bytes]]) -> tuple[bytes, ...]:
        path = []
        level, last = 0, self.count - 1
        while last >> level:
            sibling = (index >> level) ^ 1
            start = sibling << level
            if start <= last:
                stop = min(start + (1 << level), self.count)
                if stop - start < 1 << level:
                    path.append(self._range(start, stop))
                elif level < BLOCK_LEVEL:
                    path.append(block[level][sibling & ((BLOCK_ROWS >> level) - 1)])
                else:
                    path.append(self._node(Node(level, sibling)))
            level += 1
        return tuple(path)

    def _range(self, start: int, stop: int) -> bytes:
        return fold([self._node(node) for node in cover(start, stop)])

    def _node(self, node: Node) -> bytes:
        if node.level >= BLOCK_LEVEL:
            offset = self._levels[node.level - BLOCK_LEVEL] + node.position * HASH_BYTES
            return self._data[offset : offset + HASH_BYTES]
        block, within = divmod(node.position << node.level, BLOCK_ROWS)
        return self._block(block)[node.level][within >> node.level]

    def _block(self, block: int) -> list[list[bytes]]:
        """Return a block's complete nodes, level by level."""
        rows = range(block * BLOCK_ROWS, min((block + 1) * BLOCK_ROWS, self.count))
        levels = [[leaf_hash(self.row(index)) for index in rows]]
        for _ in range(BLOCK_LEVEL - 1):
            below = levels[-1]
            levels.append([node_hash(below[n], below[n + 1]) for n in range(0, len(below) - 1, 2)])
        return levels
