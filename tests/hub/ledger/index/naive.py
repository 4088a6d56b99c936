"""The index taken literally: small, slow, and sharing no code with the one in use."""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import sha256

from tests.hub.ledger.test_merkle import mth


def tag(number: int) -> bytes:
    """Return an invented tag."""
    return sha256(b"tag %d" % number).digest()


def absent(number: int) -> bytes:
    """Return a tag that no entry carries."""
    return sha256(b"no tag %d" % number).digest()


def tags_of(start: int, stop: int) -> list[bytes]:
    return [tag(number) for number in range(start, stop)]


def cut(size: int) -> list[tuple[int, int, int, int]]:
    """Return (level, number, start, stop) of each run, taking the largest that fits each time."""
    runs, start = [], 0
    while start < size:
        level, length = 255, size - start
        for candidate in range(8):
            if 256 * 16**candidate <= size - start:
                level, length = candidate, 256 * 16**candidate
        number = start if level == 255 else start // length
        runs.append((level, number, start, start + length))
        start += length
    return runs


def rows(start: int, tags: Sequence[bytes]) -> list[bytes]:
    return sorted(t + (start + n).to_bytes(8, "big") for n, t in enumerate(tags))


def root(size: int, tags: Sequence[bytes]) -> bytes:
    """Return the index root over the first tags."""
    text = b"mingjing/index/v1\n" + size.to_bytes(8, "big")
    for level, number, start, stop in cut(size):
        text += bytes([level]) + number.to_bytes(8, "big") + mth(rows(start, tags[start:stop]))
    return sha256(text).digest()
