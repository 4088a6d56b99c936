"""Rows of fixed width: put in order, and hashed into the levels of a Merkle tree.

Sorting is numpy's, hashing hashlib's. Rows are compared as bytes, from the first to the last.

Pure. Source: RFC 9162 §2.1 (hashes).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from hashlib import sha256
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from hub.errors import TamperDetected
from hub.ledger.merkle import HASH_BYTES

KEY_BYTES = 32
POSITION_BYTES = 8
ROW_BYTES = KEY_BYTES + POSITION_BYTES
BLOCK_LEVEL = 4  # a block's 16 rows are hashed when asked for; from here on nodes are stored
BLOCK_ROWS = 1 << BLOCK_LEVEL

Rows: TypeAlias = NDArray[np.uint8]  # (row; byte of the row)

_CHUNK_ROWS = 1 << 16  # hashed at a time, a multiple of a block


def row_of(tag: bytes, position: int) -> bytes:
    """Return the row of one entry: its tag, then its position."""
    return tag + position.to_bytes(POSITION_BYTES)


def rows_of(start: int, tags: Sequence[bytes]) -> Rows:
    """Return a row for each tag, the first being that of entry `start`; not sorted.

    Raises:
        TamperDetected: when a tag does not have 32 bytes.
    """
    if any(len(tag) != KEY_BYTES for tag in tags):
        raise TamperDetected(f"a tag from entry {start} on does not have 32 bytes")
    rows = np.empty((len(tags), ROW_BYTES), np.uint8)
    rows[:, :KEY_BYTES] = np.frombuffer(b"".join(tags), np.uint8).reshape(-1, KEY_BYTES)
    positions = np.arange(start, start + len(tags), dtype=">u8")
    rows[:, KEY_BYTES:] = positions.view(np.uint8).reshape(-1, POSITION_BYTES)
    return rows


def in_order(rows: Rows) -> Rows:
    """Return the rows sorted.

    Args:
        rows: of a width that is a multiple of eight.
    """
    words = np.ascontiguousarray(rows).view(">u8").astype(np.uint64)
    order = np.argsort(words[:, 0], kind="stable")
    first = words[order, 0]
    if (first[1:] == first[:-1]).any():  # hardly ever: these are outputs of a keyed hash
        order = np.lexsort(tuple(words[:, column] for column in reversed(range(words.shape[1]))))
    ordered: Rows = rows[order]
    return ordered


def twins(rows: Rows) -> int | None:
    """Return the place of the first of two sorted rows with the same key, or None."""
    keys = rows[:, :KEY_BYTES]
    same = np.flatnonzero((keys[1:] == keys[:-1]).all(axis=1))
    return int(same[0]) if len(same) else None


def block_hashes(rows: Rows) -> bytes:
    """Return the roots of the blocks of 16 rows, concatenated.

    Args:
        rows: as many as fill whole blocks.
    """
    return b"".join(
        _block_hashes(rows[start : start + _CHUNK_ROWS])
        for start in range(0, len(rows), _CHUNK_ROWS)
    )


def _block_hashes(rows: Rows) -> bytes:
    hashes = _hashed(0, rows)
    for _ in range(BLOCK_LEVEL):
        hashes = parents(hashes)
    return hashes


def parents(hashes: bytes) -> bytes:
    """Return the hashes of the level above; a last one without a sibling has no parent yet."""
    pairs = len(hashes) // (2 * HASH_BYTES)
    children = np.frombuffer(hashes, np.uint8)[: pairs * 2 * HASH_BYTES]
    return _hashed(1, children.reshape(-1, 2 * HASH_BYTES))


def upper_levels(hashes: bytes) -> Iterator[bytes]:
    """Yield each level's hashes from the one given up to the last that has any."""
    while hashes:
        yield hashes
        hashes = parents(hashes)


def _hashed(prefix: int, rows: Rows) -> bytes:
    """Return SHA-256(prefix ‖ row) of each row, concatenated."""
    width = rows.shape[1] + 1
    prefixed = np.empty((len(rows), width), np.uint8)
    prefixed[:, 0] = prefix
    prefixed[:, 1:] = rows
    data = prefixed.tobytes()
    return b"".join([sha256(data[at : at + width]).digest() for at in range(0, len(data), width)])
