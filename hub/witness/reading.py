"""Reading a log in full: every entry, every tile and the whole index, up to a signed tree.

Nothing is taken over unproven. The hashes of level-1 tiles, after those of the entries read before,
must lead to the signed root; from then on each bundle of 256 entries is known by its hash before it
is read. So a log of any length is read in pieces, and what was read stays read.

Where entries and tiles contradict each other, the one that leads to the signed root is right.

Source: C2SP tlog-tiles; the index is this project's own (docs/ledger.md).
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from hub.errors import LedgerError, RequestError, SourceError, TamperDetected
from hub.ledger.entry import entry_of
from hub.ledger.index.folder import IndexFolder
from hub.ledger.merkle import CompactRange, leaf_hash
from hub.ledger.note import Checkpoint
from hub.ledger.tiles import HEIGHT, LEVELS, WIDTH, Tile, TileReader, decode_tile, tile_at
from hub.witness.alarms import Kind, Wrong
from hub.witness.files import ROW_BYTES, LogFiles
from hub.witness.index_opening import IndexOpening
from hub.witness.state import Reading

CHUNK = WIDTH * WIDTH  # entries after which a reading is saved at the latest
GROWTH_LIMIT = 1 << 30  # entries that one reading takes on; their upper hashes are held in memory

Save = Callable[[Reading], None]


@dataclass(frozen=True, slots=True)
class Bundle:
    """256 entries, or fewer at the end, their leaf hashes, and what the log says they are made of.

    Attributes:
        rows: tag and link of each, 64 bytes.
    """

    index: int
    entries: tuple[bytes, ...]
    leaves: tuple[bytes, ...]
    rows: tuple[bytes, ...]

    @property
    def tags(self) -> list[bytes]:
        """What the index finds the entries by.

        Raises:
            Wrong: when a tag and a link are not what the entry is made of.
        """
        for place, (entry, row) in enumerate(zip(self.entries, self.rows, strict=True)):
            if entry_of(row[:32], row[32:]) != entry:
                position = self.index * WIDTH + place
                raise Wrong(Kind.WRONG_ROW, f"tag and link of entry {position} are not the entry's")
        return [row[:32] for row in self.rows]


class FullReading:
    """Reads one log on, from what was read before to one signed tree.

    Args:
        checkpoint, note: the tree, signed by the log (the caller has verified that).
        known: how far the log was read before.
        folder: of the index runs; made when missing.
        save: keeps a reading for good.
        hurry: asked after each bundle; when it says True, what was read so far is saved and the
            rest put off.
    """

    def __init__(
        self, files: LogFiles, checkpoint: Checkpoint, note: str, known: Reading, folder: Path
    ) -> None:
        self._files = files
        self._checkpoint = checkpoint
        self._note = note
        self._known = known
        self._folder = folder
        self._size = checkpoint.size
        self._last = (checkpoint.size - 1) // WIDTH  # number of the last bundle, full or not
        self._tags: list[bytes] = []  # of the entries from `_tags_from` on
        self._tags_from = known.read_to

    def run(self, save: Save, hurry: Callable[[], bool]) -> None:
        """Read on to the end.

        Raises:
            Wrong: when something is false.
            SourceError: when a file cannot be read, or the rest was put off; what was read is kept.
            LedgerError: when the witness's own disk does not take the index.
        """
        if (self._known.size, self._known.root) == (self._size, self._checkpoint.root):
            return
        if self._size == 0:
            return
        if self._known.read_to > self._last * WIDTH or self._known.size > self._size:
            raise SourceError("the log was read further than this checkpoint", retryable=True)
        if self._size - self._known.read_to > GROWTH_LIMIT:
            raise SourceError(f"the log grew by more than {GROWTH_LIMIT:,} entries at once")
        try:
            self._read(save, hurry)
        except _Lost as lost:
            shutil.rmtree(self._folder, ignore_errors=True)
            save(Reading())
            raise SourceError(f"the index is built anew: {lost}", retryable=True) from lost
        except OSError as exc:
            raise LedgerError(f"the witness's index cannot be written: {exc.strerror}") from exc

    def _read(self, save: Save, hurry: Callable[[], bool]) -> None:
        index = IndexFolder(self._folder)
        index.forget([self._known.read_to])  # of a tail that may have been another tree's
        start = self._known.read_to // WIDTH
        above = self._level_1(start)
        range_ = CompactRange(start, self._known.hashes)
        tail = self._tail(range_.extended(above)[0])
        if not above:
            self._check_known(tail)
        for number, expected in enumerate(above, start):
            bundle = self._bundle(Tile(0, number))
            self._check_full(bundle, expected)
            if number == start:
                self._check_known(bundle)
            self._tags += bundle.tags
            range_ = range_.extended([expected])[0]
            done = (number + 1) * WIDTH
            late = hurry()
            if done % CHUNK == 0 or late:
                self._advance(index, done)
                known = self._known
                save(Reading(done, range_.hashes, known.size, known.root, self._note))
                self._tags, self._tags_from = [], done
            if late:
                raise SourceError(f"read to entry {done:,}; the rest follows", retryable=True)
        self._check_upper_tiles()
        self._tags += tail.tags
        self._check_index(index, tail)
        read = self._last * WIDTH
        save(Reading(read, range_.hashes, self._size, self._checkpoint.root, self._note))

    def _level_1(self, start: int) -> list[bytes]:
        """Return the hashes of the full bundles not yet read, but of the last one; not proven."""
        hashes: list[bytes] = []
        for index in range(start // WIDTH, (self._last + WIDTH - 1) // WIDTH):
            hashes += self._hashes(tile_at(1, index, self._size))
        skipped = start % WIDTH
        return hashes[skipped : skipped + self._last - start]

    def _tail(self, range_: CompactRange) -> Bundle:
        """Return the last bundle, once with all before it it leads to the signed root."""
        tile = tile_at(0, self._last, self._size)
        bundle = self._bundle(tile)
        before = CompactRange(self._last * WIDTH, range_.hashes)
        from_tile = self._hashes(tile)
        if before.extended(bundle.leaves)[0].root == self._checkpoint.root:
            if from_tile != bundle.leaves:
                raise Wrong(Kind.WRONG_TILE, f"{tile.path} does not hold its entries' hashes")
            return bundle
        if before.extended(from_tile)[0].root == self._checkpoint.root:
            raise _differs(bundle, from_tile)
        raise self._elsewhere()

    def _check_known(self, first: Bundle) -> None:
        """Check that the tree that was checked whole before is the beginning of this one.

        Of its last entries, fewer than fill a bundle, nothing was kept but its root.

        Args:
            first: the bundle after those that were read before, proven to be of this tree.
        """
        known = self._known
        rest = known.size - known.read_to
        if rest <= 0:  # a longer part was proven since
            return
        before = CompactRange(known.read_to, known.hashes)
        if before.extended(first.leaves[:rest])[0].root != known.root:
            raise Wrong(
                Kind.FORK,
                f"the tree of {self._size} entries does not begin with that of {known.size}",
                known.note,
                self._note,
            )

    def _elsewhere(self) -> Wrong:
        """Return what it means that the tiles after what was read do not lead to the root."""
        known = self._known
        whole = TileReader(lambda tile: self._files.tile(tile), self._size)
        if known.read_to and whole.root() == self._checkpoint.root:
            return Wrong(
                Kind.FORK,
                f"the tree of {self._size} entries does not begin with what was read before",
                known.note,
                self._note,
            )
        return Wrong(
            Kind.WRONG_TILE,
            f"the tiles of the tree of {self._size} entries do not lead to its signed root",
            self._note,
        )

    def _check_full(self, bundle: Bundle, expected: bytes) -> None:
        tile = Tile(0, bundle.index)
        from_tile = self._hashes(tile)
        if _root(bundle.leaves) != expected:
            if _root(from_tile) == expected:
                raise _differs(bundle, from_tile)
            raise Wrong(Kind.WRONG_TILE, f"{tile.path} and its entries are not of the signed tree")
        if from_tile != bundle.leaves:
            raise Wrong(Kind.WRONG_TILE, f"{tile.path} does not hold its entries' hashes")

    def _bundle(self, tile: Tile) -> Bundle:
        """Return what the server has of a tile's entries; not proven."""
        bundle = Tile(None, tile.index, tile.width)
        data, rows = self._files.bundle(bundle), self._files.rows(bundle)
        entries = []
        for place in range(tile.width):
            prefixed = data[place * 34 : place * 34 + 34]
            if prefixed[:2] != b"\x00\x20":
                raise Wrong(Kind.WRONG_ENTRY, f"entry {tile.start + place} does not have 32 bytes")
            entries.append(prefixed[2:])
        return Bundle(
            tile.index,
            tuple(entries),
            tuple(map(leaf_hash, entries)),
            tuple(rows[n : n + ROW_BYTES] for n in range(0, len(rows), ROW_BYTES)),
        )

    def _check_upper_tiles(self) -> None:
        """Check that each new hash of a tile is the root of the full tile below it.

        Of level 1 that is known already, but for the last one.
        """
        for level in range(1, LEVELS):
            start = self._last * WIDTH if level == 1 else self._known.read_to
            first, end = (n >> HEIGHT * level for n in (start, self._size))
            for tile in _tiles(level, first, end):
                hashes = self._hashes(tile)
                for position in range(max(first, tile.start), min(end, tile.start + WIDTH)):
                    below = Tile(level - 1, position)
                    if _root(self._hashes(below)) != hashes[position - tile.start]:
                        raise Wrong(
                            Kind.WRONG_TILE, f"{tile.path} does not hold the root of {below.path}"
                        )

    def _hashes(self, tile: Tile) -> tuple[bytes, ...]:
        return decode_tile(self._files.tile(tile), tile.width)

    def _advance(self, index: IndexFolder, size: int) -> None:
        try:
            index.advance(size, self._tags_of)
        except TamperDetected as twins:
            raise Wrong(Kind.WRONG_INDEX, twins.message) from twins
        except LedgerError as exc:
            raise _Lost(exc.message) from exc

    def _tags_of(self, start: int, stop: int) -> Sequence[bytes]:
        if start < self._tags_from:
            raise _Lost("runs of entries that were read before are missing")
        return self._tags[start - self._tags_from : stop - self._tags_from]

    def _check_index(self, index: IndexFolder, tail: Bundle) -> None:
        size = self._size - 1
        opening = self._opening(size)
        if opening.position != size:
            raise SourceError(f"the log's opening of entry {size} is of another", retryable=True)
        if opening.entry != tail.entries[-1]:
            raise Wrong(Kind.WRONG_INDEX, f"the opening does not make entry {size}")
        if opening.size != size:
            raise Wrong(
                Kind.WRONG_INDEX, f"entry {size} does not name the index over the entries before it"
            )
        self._advance(index, size)
        try:
            root = index.root(size)
        except LedgerError as exc:
            raise _Lost(exc.message) from exc
        if opening.root != root:
            raise Wrong(
                Kind.WRONG_INDEX,
                f"entry {size} names an index over {size} entries that is not theirs",
                self._note,
            )
        self._check_distinct(index, size)
        index.forget([size])

    def _check_distinct(self, index: IndexFolder, size: int) -> None:
        """Check that no tag stands twice: an entry could be kept from its subject behind another."""
        try:
            index.require_distinct(
                size, max(self._known.size - 1, 0)
            )  # that whole tree was checked
        except TamperDetected as twins:
            raise Wrong(Kind.WRONG_INDEX, twins.message, self._note) from twins
        except LedgerError as exc:
            raise _Lost(exc.message) from exc

    def _opening(self, position: int) -> IndexOpening:
        try:
            return IndexOpening.parse(self._files.opening(position))
        except RequestError as refusal:
            raise SourceError(refusal.message, retryable=True) from refusal


class _Lost(Exception):
    """What was kept of the index is not all there."""


def _differs(bundle: Bundle, hashes: Sequence[bytes]) -> Wrong:
    """Return that an entry is not the one whose hash leads to the signed root."""
    pairs = zip(bundle.leaves, hashes, strict=True)
    place = next(n for n, (leaf, expected) in enumerate(pairs) if leaf != expected)
    position = bundle.index * WIDTH + place
    return Wrong(Kind.WRONG_ENTRY, f"entry {position} is not the one in the signed tree")


def _tiles(level: int, first: int, end: int) -> Iterator[Tile]:
    """Yield the tiles of a level that hold any of its hashes [first, end)."""
    if first < end:
        for index in range(first // WIDTH, (end - 1) // WIDTH + 1):
            yield Tile(level, index, min(end - index * WIDTH, WIDTH))


def _root(hashes: Sequence[bytes]) -> bytes:
    return CompactRange().extended(hashes)[0].root
