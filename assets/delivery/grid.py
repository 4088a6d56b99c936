"""A table drawn on a sheet or page: rows of cells, header somewhere near the top.

Knows nothing of where the cells came from. Rows that are no records are dropped under a counted
name; cells merged over several rows are filled down, counted too.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import chain, islice
from pathlib import Path

from assets.delivery.footer import EMPTY, footer_kind
from assets.delivery.headers import SEARCHED_ROWS, HeaderReader
from assets.delivery.table import BATCH_ROWS, Table, write_batches
from hub.errors import DeliveryRefused

Row = Sequence[str]
_Numbered = tuple[int, list[str | None]]


def write_grid(rows: Iterable[Row], headers: HeaderReader, target: Path) -> Table:
    """Write the data rows of a grid as a table.

    Args:
        rows: every row from the first one on, as text; an empty cell is "".

    Raises:
        DeliveryRefused: when there is no header row, or its columns do not fit.
    """
    iterator = iter(rows)
    top = list(islice(iterator, SEARCHED_ROWS))
    index, _ = headers.find(top)
    header = top[index][: _width(top[index])]
    columns = headers.resolve(header)
    changes: Counter[tuple[str, str]] = Counter()
    records = _records(chain(top[index + 1 :], iterator), len(columns), changes)
    written = write_batches(target, columns, _batches(records, len(columns)))
    return Table(
        target, columns, written, index + 2, {key: count for key, count in changes.items() if count}
    )


def with_filled(table: Table, places: Iterable[tuple[int, int]]) -> Table:
    """Return the table with a count of the cells that were filled down.

    Args:
        places: (row, column) of each filled cell, from 0; those above the data do not count.
    """
    width, top = len(table.columns), table.first_line - 1
    filled = Counter(column for row, column in places if row >= top and column < width)
    counts = {(table.columns[c], "merged_cell_filled"): n for c, n in sorted(filled.items())}
    return replace(table, changes={**table.changes, **counts})


def _width(row: Row) -> int:
    """Return the number of cells up to the last one that is not empty."""
    return max((i for i, cell in enumerate(row, 1) if cell.strip()), default=0)


def _records(
    body: Iterable[Row], width: int, changes: Counter[tuple[str, str]]
) -> Iterator[_Numbered]:
    """Yield the rows that are records; empty rows behind the last of them do not count."""
    empty = 0
    for number, row in enumerate(body, 1):
        kind = footer_kind(row)
        if kind == EMPTY:
            empty += 1
            continue
        changes["", EMPTY] += empty
        empty = 0
        if kind is not None:
            changes["", kind] += 1
            continue
        if _width(row) > width:
            raise DeliveryRefused(
                f"row {number} under the header has a value right of the last header: "
                "give its column a header or clear the cell"
            )
        yield number, [_value(row, i) for i in range(width)]


def _value(row: Row, index: int) -> str | None:
    return (row[index] or None) if index < len(row) else None


def _batches(
    rows: Iterator[_Numbered], width: int
) -> Iterator[tuple[list[int], list[list[str | None]]]]:
    while part := list(islice(rows, BATCH_ROWS)):
        numbers = [number for number, _ in part]
        yield numbers, [[cells[i] for _, cells in part] for i in range(width)]
