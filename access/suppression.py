"""Small cells: what a table of counts may show without showing anybody.

A count below the threshold is suppressed. A single suppressed cell in a group could be found by
subtracting the others from the group's total, which another query may show; so more cells go with
it, the smallest first, until no suppressed count can be bounded below the threshold, even by
somebody who knows exactly every total that a table of its own would show: of lines, of planes, of
wider places, and of all.

Bounds that take several totals together are found by interval propagation, a little weaker than a
linear program, and are not pursued for ever; what that leaves open is covered by rounding
(`access.rounding`), which makes every total inexact.

Source: GB/T 42460-2023 (k-anonymity of releases); ISO/IEC 20889:2018 on aggregation; Hundepool et
al., "Statistical Disclosure Control" (2012), 4.4 (secondary suppression, feasibility intervals).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import product

Cell = tuple[object, ...]
_Level = tuple[int | None, ...]  # per dimension: None for the label itself, or how much of it

_ROUNDS = 6  # of propagation
_TRIES = 2  # to unbind a cell by hiding more; one that stays bound would take the whole table


def suppress(
    counts: Mapping[Cell, int], threshold: int, prefixes: Sequence[Sequence[int]] = ()
) -> frozenset[Cell]:
    """Return the cells that must not be shown.

    Args:
        counts: labels of a cell, one per dimension -> number of records, at least 1.
        threshold: smallest count that may be shown.
        prefixes: per dimension, at how many characters its labels name a wider place that can be
            counted as well; none where there is no such place.
    Returns:
        Every cell below the threshold, and as many more as keep each of them from being bounded
        below it by the totals. Where all cells of a total are suppressed, nothing more can be
        done about that total, and rounding has to cover it.
    """
    if not any(count < threshold for count in counts.values()):
        return frozenset()
    hidden: dict[_Level, frozenset[Cell]] = {}
    for level in _levels(len(next(iter(counts))), prefixes):  # what a total shows comes before
        table = _added_up(counts, level)
        known = [
            group
            for wider in hidden
            if _is_wider(wider, level)
            for group in _groups(table, wider, hidden[wider])
        ]
        hidden[level] = _hide(table, known, threshold)
    return hidden[level]


def _levels(dimensions: int, prefixes: Sequence[Sequence[int]]) -> Iterator[_Level]:
    """Yield every table that the cells add up to, the table of one cell first, their own last."""
    wider = [*prefixes, *[()] * (dimensions - len(prefixes))]
    yield from product(*((0, *sorted(lengths), None) for lengths in wider))


def _is_wider(left: _Level, right: _Level) -> bool:
    return left != right and all(
        b is None or (a is not None and a <= b) for a, b in zip(left, right, strict=True)
    )


def _widened(cell: Cell, level: _Level) -> Cell:
    return tuple(
        label if length is None or (label is None and length) else str(label)[:length]
        for label, length in zip(cell, level, strict=True)
    )


def _added_up(counts: Mapping[Cell, int], level: _Level) -> dict[Cell, int]:
    """Return the counts of a level, the smallest first."""
    table: dict[Cell, int] = defaultdict(int)
    for cell, count in counts.items():
        table[_widened(cell, level)] += count
    return dict(sorted(table.items(), key=lambda item: (item[1], str(item[0]))))


def _groups(
    counts: Mapping[Cell, int], level: _Level, unknown: frozenset[Cell]
) -> list[list[Cell]]:
    """Return the cells of every total of a level that is known, in the order of the counts."""
    groups: dict[Cell, list[Cell]] = defaultdict(list)
    for cell in counts:
        groups[_widened(cell, level)].append(cell)
    return [group for total, group in groups.items() if total not in unknown]


def _hide(
    counts: Mapping[Cell, int], groups: Sequence[Sequence[Cell]], threshold: int
) -> frozenset[Cell]:
    """Return the cells of one table that must not be shown beside the known totals."""
    small = frozenset(cell for cell, count in counts.items() if count < threshold)
    hidden = set(small)
    for _ in range(_TRIES if small else 0):
        while more := _unprotected(groups, counts, hidden, threshold):
            hidden |= more
        if len(hidden) == len(counts):
            break
        exposed = _exposed(groups, counts, hidden, small, threshold)
        if not exposed:
            break
        hidden |= exposed
    while more := _unprotected(groups, counts, hidden, threshold):
        hidden |= more
    return frozenset(hidden)


def _unprotected(
    groups: Iterable[Sequence[Cell]], counts: Mapping[Cell, int], hidden: set[Cell], threshold: int
) -> set[Cell]:
    """Return further cells to hide so that no total alone bounds a hidden one."""
    extra: set[Cell] = set()
    for group in groups:
        gone = [cell for cell in group if cell in hidden or cell in extra]
        if not gone:
            continue
        # Each cell that is listed holds one record at least.
        most = sum(counts[cell] for cell in gone) - (len(gone) - 1)
        shown = (cell for cell in group if cell not in hidden and cell not in extra)
        lacking = max(0, 2 - len(gone))
        for cell in [*shown] if most < threshold or lacking else ():
            if most >= threshold and lacking <= 0:
                break
            extra.add(cell)
            most += counts[cell] - 1
            lacking -= 1
    return extra


@dataclass(frozen=True, slots=True)
class _Total:
    """What somebody knows of the hidden cells of one total: which they are, and their sum."""

    cells: tuple[Cell, ...]
    sum: int


def _exposed(
    groups: Sequence[Sequence[Cell]],
    counts: Mapping[Cell, int],
    hidden: set[Cell],
    small: frozenset[Cell],
    threshold: int,
) -> set[Cell]:
    """Return one more cell to hide for each small one that all totals together bound."""
    found = [tuple(cell for cell in group if cell in hidden) for group in groups]
    sums = (_Total(cells, sum(map(counts.__getitem__, cells))) for cells in found)
    # A total that bounds its cells alone is wholly hidden by now: there is no more to do about it.
    totals = [total for total in sums if total.sum - len(total.cells) + 1 >= threshold]
    upper = _upper_bounds(totals, hidden)
    exposed = {cell for cell in small if upper[cell] < threshold}
    nearest: dict[Cell, Cell] = {}
    for group in sorted(groups, key=len, reverse=True) if exposed else ():
        shown = next((cell for cell in group if cell not in hidden), None)
        if shown is not None:
            nearest.update((cell, shown) for cell in group if cell in exposed)
    return set(nearest.values())


def _upper_bounds(totals: Sequence[_Total], hidden: Iterable[Cell]) -> dict[Cell, int]:
    """Return the most that each hidden cell can be, by what every total leaves to it."""
    most = max((total.sum for total in totals), default=0)
    lower, upper = dict.fromkeys(hidden, 1), dict.fromkeys(hidden, most)
    for _ in range(_ROUNDS):
        before = dict(upper), dict(lower)
        for total in totals:
            least = sum(lower[cell] for cell in total.cells)
            largest = sum(upper[cell] for cell in total.cells)
            for cell in total.cells:
                low, high = lower[cell], upper[cell]
                upper[cell] = min(high, total.sum - (least - low))
                lower[cell] = max(low, total.sum - (largest - high))
                least += lower[cell] - low
                largest += upper[cell] - high
        if before == (upper, lower):
            break
    return upper
