"""The tree as static files: which tiles and bundles there are, what they hold, proofs from them.

Pure: whoever calls brings the function that fetches a file. A tile holds up to 256 consecutive
hashes of one level; level L of tiles is level 8 L of the tree. Full tiles never change; the last
one of a level may be partial, and has its width in its name.

Hashes read from tiles are nobody's word: a proof made of them is worth what the signed root it
leads to is worth, so `TileReader` gives proofs and roots, and the caller checks them.

Source: C2SP tlog-tiles; RFC 9162 §2.1 for the hashes.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from hub.errors import RequestError
from hub.ledger.lines import NUMBER_LIMIT
from hub.ledger.merkle import (
    HASH_BYTES,
    Node,
    consistency_path,
    cover,
    fold,
    inclusion_path,
    node_hash,
)

WIDTH = 256
HEIGHT = 8  # levels of the tree from one level of tiles to the next
LEVELS = 8  # levels of tiles that a tree below 2^63 can have
ENTRY_LIMIT = (1 << 16) - 1

_PATH = re.compile(
    r"tile/(0|[1-7]|entries)/((?:x[0-9]{3}/){0,6}[0-9]{3})(?:\.p/([1-9][0-9]{0,2}))?"
)


@dataclass(frozen=True, slots=True)
class Tile:
    """One file of the tree: its level, its index in the level, and how many items it holds.

    Attributes:
        level: 0 to 7; None for a bundle of entries, which are numbered as level 0 is.
        index: from 0, left to right.
        width: 1 to 256; below 256 the file is a partial one.
    """

    level: int | None
    index: int
    width: int = WIDTH

    @property
    def path(self) -> str:
        """The file's path under the log's prefix."""
        level = "entries" if self.level is None else str(self.level)
        return f"tile/{level}/{spell(self.index, self.width)}"

    @property
    def full(self) -> Tile:
        """The file that may have replaced a partial one."""
        return Tile(self.level, self.index)

    @property
    def start(self) -> int:
        """Position in its level of the first item."""
        return self.index * WIDTH

    @classmethod
    def parse(cls, path: str) -> Tile:
        """Read a path.

        Raises:
            RequestError: when it is no tile's, or not the one right spelling of it.
        """
        match = _PATH.fullmatch(path)
        if match is None:
            raise RequestError("the path is not one of a tile or an entry bundle")
        level = None if match[1] == "entries" else int(match[1])
        index = int(match[2].replace("/", "").replace("x", ""))
        tile = cls(level, index, int(match[3] or WIDTH))
        if index >= NUMBER_LIMIT or tile.width > WIDTH or tile.path != path:
            raise RequestError("the path is not the one right spelling of a tile's")
        return tile


Fetch = Callable[[Tile], bytes]


def spell(index: int, width: int = WIDTH) -> str:
    """Return how a file's number is spelled: `x001/x234/067`, with `.p/W` when it is partial."""
    groups = [f"{index % 1000:03d}"]
    while index := index // 1000:
        groups.append(f"x{index % 1000:03d}")
    suffix = "" if width == WIDTH else f".p/{width}"
    return "/".join(reversed(groups)) + suffix


def new_tiles(old: int, new: int) -> Iterator[Tile]:
    """Yield the tiles of hashes that a tree of one size has and the smaller tree had not."""
    for level in range(LEVELS):
        yield from _new_files(level, old >> (HEIGHT * level), new >> (HEIGHT * level))


def new_bundles(old: int, new: int) -> Iterator[Tile]:
    """Yield the entry bundles that a log of one size has and the shorter log had not."""
    return _new_files(None, old, new)


def tile_at(level: int | None, index: int, size: int) -> Tile:
    """Return the tile or bundle of that number in a tree of a size, full or partial.

    Raises:
        RequestError: when the tree has none of that number.
    """
    held = (size >> (HEIGHT * (level or 0))) - index * WIDTH
    if held <= 0 or index < 0:
        raise RequestError(f"a tree of {size} entries has no such tile")
    return Tile(level, index, min(held, WIDTH))


def encode_tile(hashes: Sequence[bytes]) -> bytes:
    """Return a tile's bytes."""
    return b"".join(hashes)


def decode_tile(data: bytes, width: int) -> tuple[bytes, ...]:
    """Return the hashes of a tile.

    Raises:
        RequestError: when it does not hold exactly so many.
    """
    if len(data) != width * HASH_BYTES:
        raise RequestError(f"the tile has {len(data)} bytes, not those of {width} hashes")
    return tuple(data[n : n + HASH_BYTES] for n in range(0, len(data), HASH_BYTES))


def encode_bundle(entries: Sequence[bytes]) -> bytes:
    """Return an entry bundle: each entry after its length in two bytes.

    Raises:
        RequestError: when an entry is longer than 65,535 bytes.
    """
    if any(len(entry) > ENTRY_LIMIT for entry in entries):
        raise RequestError(f"an entry is longer than {ENTRY_LIMIT} bytes")
    return b"".join(len(entry).to_bytes(2) + entry for entry in entries)


class TileReader:
    """Answers for a tree of one size from its tiles; each tile is fetched once.

    Args:
        fetch: returns the bytes of a tile; what it raises goes through.
        size: number of leaves.
    """

    def __init__(self, fetch: Fetch, size: int) -> None:
        self._fetch = fetch
        self.size = size
        self._tiles: dict[Tile, tuple[bytes, ...]] = {}

    def root(self, size: int | None = None) -> bytes:
        """Return the root that the tiles lead to, of the whole tree or of its first leaves."""
        return self._folded(cover(0, self.size if size is None else size))

    def inclusion(self, index: int) -> tuple[bytes, ...]:
        """Return the inclusion proof of a leaf.

        Raises:
            RequestError: when there is no such leaf, or a tile is malformed.
        """
        if not 0 <= index < self.size:
            raise RequestError(f"there is no entry {index} among {self.size}")
        return tuple(map(self._folded, inclusion_path(index, self.size)))

    def consistency(self, old: int) -> tuple[bytes, ...]:
        """Return the consistency proof from a smaller tree.

        Raises:
            RequestError: when that tree is not smaller, or a tile is malformed.
        """
        if not 0 <= old <= self.size:
            raise RequestError(f"a log of {self.size} entries never had {old}")
        return tuple(map(self._folded, consistency_path(old, self.size)))

    def node(self, node: Node) -> bytes:
        """Return the hash of a perfect subtree of the tree."""
        level, height = divmod(node.level, HEIGHT)
        first = node.position << height
        hashes = self._tile(level, first // WIDTH)
        start = first % WIDTH
        return _perfect(hashes[start : start + (1 << height)])

    def _tile(self, level: int, index: int) -> tuple[bytes, ...]:
        tile = tile_at(level, index, self.size)
        if tile not in self._tiles:
            self._tiles[tile] = decode_tile(self._fetch(tile), tile.width)
        return self._tiles[tile]

    def _folded(self, nodes: Sequence[Node]) -> bytes:
        return fold(list(map(self.node, nodes)))


def _perfect(hashes: Sequence[bytes]) -> bytes:
    """Return the root above a power of two of hashes."""
    while len(hashes) > 1:
        hashes = [node_hash(a, b) for a, b in list(pairwise(hashes))[::2]]
    return hashes[0]


def _new_files(level: int | None, old: int, new: int) -> Iterator[Tile]:
    if new <= old:
        return
    for index in range(old // WIDTH, new // WIDTH):
        yield Tile(level, index)
    if new % WIDTH:
        yield Tile(level, new // WIDTH, new % WIDTH)
