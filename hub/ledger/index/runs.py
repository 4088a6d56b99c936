"""How the index of a size is cut into runs, and what its root commits to.

Every entry of the log stands in exactly one run. A full run covers 256·16^level entries and never
changes; only the last, short one does. So an index grows by few new runs, and sixteen of one level
are merged into one of the next.

    index root = SHA-256("mingjing/index/v1\\n" ‖ u64be size ‖ for each run:
                         u8 level ‖ u64be number ‖ root32)

Pure. Source: this project's own; the roots are those of RFC 9162 §2.1 over a run's rows.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256

TAIL = 255
FULL = 256
FAN = 16

_INDEX = b"mingjing/index/v1\n"


@dataclass(frozen=True, slots=True, order=True)
class Run:
    """Entries [start, stop) of the log, whose tags stand sorted in one tree.

    Args:
        level: of a full run 0 to 13; `TAIL` for the short one.
        number: of a full run how many of its level are before it; of the tail its first entry.
    """

    start: int
    stop: int
    level: int
    number: int

    @classmethod
    def full(cls, level: int, number: int) -> Run:
        """Return the number-th full run of a level."""
        length = FULL * FAN**level
        return cls(number * length, (number + 1) * length, level, number)

    @property
    def count(self) -> int:
        """Number of entries covered, and of rows held."""
        return self.stop - self.start

    @property
    def parts(self) -> tuple[Run, ...]:
        """The sixteen full runs of the level below that a full run is merged from."""
        if self.level in (0, TAIL):
            return ()
        first = self.number * FAN
        return tuple(Run.full(self.level - 1, n) for n in range(first, first + FAN))


def runs_of(size: int) -> tuple[Run, ...]:
    """Return the runs of the index over the first `size` entries, in log order.

    There is one such cut for a size: as many of the highest level as fit, then of the next, and at
    the end what does not fill a run of level 0.

    >>> [(run.level, run.number) for run in runs_of(2 * 16 * 256 + 256 + 3)]
    [(1, 0), (1, 1), (0, 32), (255, 8448)]
    """
    full, rest = divmod(size, FULL)
    digits: list[Run] = []
    level = 0
    while full:
        digits[:0] = [Run.full(level, n) for n in range(full - full % FAN, full)]
        full, level = full // FAN, level + 1
    if rest:
        digits.append(Run(size - rest, size, TAIL, size - rest))
    return tuple(digits)


def index_root(size: int, roots: Sequence[bytes]) -> bytes:
    """Return the root of the index over `size` entries.

    Args:
        roots: the root of each run of `runs_of(size)`, in order.
    Raises:
        ValueError: when there are more or fewer roots than runs.
    """
    runs = runs_of(size)
    named = (
        bytes([run.level]) + run.number.to_bytes(8) + root
        for run, root in zip(runs, roots, strict=True)
    )
    return sha256(_INDEX + size.to_bytes(8) + b"".join(named)).digest()
