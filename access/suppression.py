"""Small cells: what a table of counts may show without showing anybody.

A count below the threshold is suppressed. A single suppressed cell in a line could be found by
subtracting the others from the line's total, which another query may show; so in every line, along
every dimension, either nothing is suppressed or at least two cells that together reach the
threshold.

Source: GB/T 42460-2023 (k-anonymity of releases); ISO/IEC 20889:2018 on aggregation.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping

Cell = tuple[object, ...]


def suppress(counts: Mapping[Cell, int], threshold: int) -> frozenset[Cell]:
    """Return the cells that must not be shown.

    Args:
        counts: labels of a cell, one per dimension -> number of records, at least 1.
        threshold: smallest count that may be shown.
    Returns:
        Every cell below the threshold, and as many more, the smallest first, as keep each of
        them from being found by subtraction within its lines.
    """
    hidden = {cell for cell, count in counts.items() if count < threshold}
    dimensions = len(next(iter(counts), ()))
    changed = bool(hidden)
    while changed:
        changed = False
        for axis in range(dimensions):
            for line in _lines(counts, axis):
                extra = _protect(line, counts, hidden, threshold)
                if extra:
                    hidden |= extra
                    changed = True
    return frozenset(hidden)


def _lines(counts: Mapping[Cell, int], axis: int) -> list[list[Cell]]:
    """Return the cells that differ along one axis only, smallest first within each line."""
    lines: dict[Cell, list[Cell]] = defaultdict(list)
    for cell in counts:
        lines[cell[:axis] + cell[axis + 1 :]].append(cell)
    return [sorted(line, key=lambda cell: (counts[cell], str(cell))) for line in lines.values()]


def _protect(
    line: list[Cell], counts: Mapping[Cell, int], hidden: set[Cell], threshold: int
) -> set[Cell]:
    """Return further cells of a line to hide so that its hidden ones cannot be found."""
    gone = [cell for cell in line if cell in hidden]
    extra: set[Cell] = set()
    if not gone:
        return extra
    total = sum(counts[cell] for cell in gone)
    for cell in line:
        if len(gone) + len(extra) >= 2 and total >= threshold:
            break
        if cell not in hidden:
            extra.add(cell)
            total += counts[cell]
    return extra
