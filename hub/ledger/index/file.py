"""The file of a tree of sorted rows: private, whole or not there, and refused when damaged.

Body (see `tree`), then a trailer: what the body is, its root, the SHA-256 of its rows, and a
SHA-256 over the trailer itself. Opening reads the trailer only. Every proof is checked against the
root before it is handed on, so that a damaged row or node is found by whoever comes across it;
merging checks all rows.
"""

from __future__ import annotations

import mmap
import struct
from collections.abc import Iterable
from hashlib import sha256
from pathlib import Path
from typing import BinaryIO

import numpy as np

from hub.errors import LedgerError
from hub.files import write_new
from hub.ledger.index.rows import BLOCK_ROWS, Rows, block_hashes, upper_levels
from hub.ledger.index.tree import Absence, Place, RowTree, body_size, root_of
from hub.ledger.merkle import HASH_BYTES

_MAGIC = b"mingjing-rows-1\n"
_TRAILER = struct.Struct(">16sHQQ32s")  # magic, width, first, count, SHA-256 of the rows
_TRAILER_BYTES = _TRAILER.size + 2 * HASH_BYTES  # then the root, and SHA-256 of all before


class RowFile:
    """A tree of sorted rows in a file, which stays readable while this is held.

    Args:
        first: the number the file was written with; one of another number is refused.
        width: bytes of a row.
        remedy: what an operator does about a damaged one.
    Raises:
        LedgerError: when it is not there, cannot be read or is damaged.
    """

    def __init__(self, path: Path, first: int, width: int, remedy: str) -> None:
        self._path = path
        self._remedy = remedy
        self._width = width
        try:
            with path.open("rb") as file:
                self._data = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        except FileNotFoundError:
            raise LedgerError(f"the file {path.name} of the ledger is not there") from None
        except ValueError:
            raise self._damaged("it is empty") from None
        except OSError as exc:
            raise LedgerError(
                f"the file {path.name} of the ledger cannot be read: {exc.strerror}"
            ) from exc
        self._digest, self.count, self.root = self._trailer(first)
        self._tree = RowTree(self._data, self.count, width)

    def presence(self, row: bytes) -> Place | None:
        """Return where a row stands, proven, or None when it was not found.

        None is no proof: `absence` is.

        Raises:
            LedgerError: when what was read does not lead to the root.
        """
        place = self._tree.presence(row)
        if place is not None and not place.stands(self.root, self.count):
            raise self._damaged("a row does not lead to its root")
        return place

    def absence(self, key: bytes) -> Absence | None:
        """Return the proof that no row has a key, or None when one was found.

        None is no proof: `presence` is.

        Raises:
            LedgerError: when what was read does not lead to the root.
        """
        absence = self._tree.absence(key)
        if absence is not None and not absence.holds(key, self.root, self.count):
            raise self._damaged("two rows are no neighbours that lead to its root")
        return absence

    def rows_of(self, key: bytes) -> list[bytes]:
        """Return all rows with a key as they are read, unproven."""
        return self._tree.rows_of(key)

    def rows(self) -> Rows:
        """Return all rows, read again and compared with what was written.

        Raises:
            LedgerError: when they are not what was written.
        """
        size = self.count * self._width
        if sha256(memoryview(self._data)[:size]).digest() != self._digest:
            raise self._damaged("its rows are not what was written")
        return np.frombuffer(self._data, np.uint8, size).reshape(self.count, self._width)

    def _trailer(self, first: int) -> tuple[bytes, int, bytes]:
        trailer, checksum = self._data[-_TRAILER_BYTES:-HASH_BYTES], self._data[-HASH_BYTES:]
        if len(self._data) < _TRAILER_BYTES or sha256(trailer).digest() != checksum:
            raise self._damaged("its trailer is not what was written")
        magic, width, number, count, digest = _TRAILER.unpack(trailer[: _TRAILER.size])
        if (magic, width, number) != (_MAGIC, self._width, first):
            raise self._damaged("it is of another kind or number")
        if len(self._data) != body_size(count, width) + _TRAILER_BYTES:
            raise self._damaged("its length is not what was written")
        return digest, count, trailer[_TRAILER.size :]

    def _damaged(self, problem: str) -> LedgerError:
        return LedgerError(
            f"the file {self._path.name} of the ledger is damaged: {problem}. {self._remedy}"
        )


def write_rows(path: Path, first: int, width: int, chunks: Iterable[Rows]) -> None:
    """Write a file of sorted rows; one that is there already is left as it is.

    Args:
        chunks: the rows in order, at least one in all, cut at will.
    Raises:
        OSError: when it cannot be written; nothing is left under its name.
    """
    try:
        write_new(path, lambda file: _write(file, first, width, chunks))
    except FileExistsError:
        return  # somebody was faster, or a crash came after it


def _write(file: BinaryIO, first: int, width: int, chunks: Iterable[Rows]) -> None:
    digest, count, blocks = sha256(), 0, bytearray()
    rest = np.empty((0, width), np.uint8)
    for chunk in chunks:
        data = chunk.tobytes()
        file.write(data)
        digest.update(data)
        count += len(chunk)
        rows = np.concatenate((rest, chunk)) if len(rest) else chunk
        whole = len(rows) - len(rows) % BLOCK_ROWS
        blocks += block_hashes(rows[:whole])
        rest = rows[whole:]
    levels = list(upper_levels(bytes(blocks)))
    file.writelines(levels)
    root = root_of(levels, rest)
    trailer = _TRAILER.pack(_MAGIC, width, first, count, digest.digest()) + root
    file.write(trailer + sha256(trailer).digest())
