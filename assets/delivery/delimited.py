"""Delimited text (CSV, TSV) as one relation that DuckDB reads in the scan of the check.

Here the text is decoded, its shape verified and its header taken off; the values themselves are
looked at by the check alone.
"""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from assets.delivery.footer import footer_kind
from assets.delivery.headers import SEARCHED_ROWS, HeaderReader
from assets.delivery.limits import Limits
from assets.delivery.shape import Shape
from assets.delivery.text import Block, TextReader
from assets.delivery.work import sql_path
from hub.errors import DeliveryRefused
from hub.files import open_private

DELIMITERS = (",", "\t", ";", "|")


@dataclass(frozen=True, slots=True)
class Header:
    """The header row as found: `end` is the number of the line after it."""

    delimiter: str
    cells: tuple[str, ...]
    end: int


@dataclass(frozen=True, slots=True)
class Delimited:
    """A clear file of rows without header: UTF-8, rows ended by LF, one width.

    Args:
        first_line: line of the delivered file at which the first data row stands.
        changes: transform -> how often, for the file as a whole.
    """

    path: Path
    delimiter: str
    columns: tuple[str, ...]
    rows: int
    encoding: str
    first_line: int
    changes: dict[str, int]

    def sql(self) -> str:
        """Return the SELECT that reads it, in file order, every column VARCHAR."""
        types = ", ".join(f"'{column}': 'VARCHAR'" for column in self.columns)
        delimiter = "\\t" if self.delimiter == "\t" else self.delimiter
        return (
            f"SELECT * FROM read_csv({sql_path(self.path)}, auto_detect = false, header = false, "
            f"delim = '{delimiter}', quote = '\"', escape = '\"', new_line = '\\n', "
            f"encoding = 'utf-8', columns = {{{types}}})"
        )


def read_delimited(
    path: Path, target: Path, headers: HeaderReader, declared: str | None, limits: Limits
) -> Delimited:
    """Write the rows of a text file to the target, decoded and verified.

    Args:
        declared: encoding the manifest promises, or None.

    Raises:
        DeliveryRefused: when encoding, header or shape do not fit; with every finding.
    """
    reader = TextReader(path, declared, limits.row_bytes)
    blocks = reader.blocks()
    first = next(blocks, Block(1, b""))
    header = find_header(first.data, headers)
    columns = headers.resolve(header.cells)
    shape = Shape(header.delimiter, len(columns), limits.row_bytes)
    dropped: Counter[str] = Counter()
    with open_private(target) as file:
        for block in _body(first, blocks, header, dropped):
            file.write(shape.rows_of(block).data)
        shape.finish()
    changes = {**dropped, **{k: n for k, n in shape.changes.items() if n}}
    return Delimited(
        target, header.delimiter, columns, shape.rows, reader.encoding, header.end, changes
    )


def find_header(data: bytes, headers: HeaderReader) -> Header:
    """Return the header row of a text, whichever delimiter and line it has.

    Raises:
        DeliveryRefused: when no line is a header row.
    """
    best: tuple[int, Header] | None = None
    refusal: DeliveryRefused | None = None
    for delimiter in DELIMITERS:
        rows, ends = _first_rows(data, delimiter)
        try:
            index, score = headers.find(rows)
        except DeliveryRefused as exc:
            refusal = refusal or exc
            continue
        if best is None or score > best[0]:
            best = score, Header(delimiter, tuple(rows[index]), ends[index] + 1)
    if best is None:
        raise refusal or DeliveryRefused("the file is empty: deliver a header and rows")
    return best[1]


def _first_rows(data: bytes, delimiter: str) -> tuple[list[list[str]], list[int]]:
    """Return the first rows and the number of the line at which each ends."""
    lines = data.split(b"\n", SEARCHED_ROWS * 5)[:-1]
    reader = csv.reader((line.decode() + "\n" for line in lines), delimiter=delimiter)
    rows: list[list[str]] = []
    ends: list[int] = []
    try:
        for cells in reader:
            rows.append(cells)
            ends.append(reader.line_num)
            if len(rows) == SEARCHED_ROWS:
                break
    except csv.Error:  # a quoted passage of the first rows does not end: no header after it
        pass
    return rows, ends


def _body(
    first: Block, following: Iterator[Block], header: Header, dropped: Counter[str]
) -> Iterator[Block]:
    """Yield the blocks behind the header, the last one without footer rows."""
    start = 0
    for _ in range(header.end - first.line):
        start = first.data.index(b"\n", start) + 1
    held = Block(header.end, first.data[start:])
    for block in following:
        yield held
        held = block
    yield Block(held.line, _without_footer(held.data, header.delimiter, dropped))


def _without_footer(data: bytes, delimiter: str, dropped: Counter[str]) -> bytes:
    end = len(data)
    while end:
        start = data.rfind(b"\n", 0, end - 1) + 1
        line = data[start:end]
        if line.count(b'"') % 2:  # the end of a row of several lines
            break
        kind = footer_kind(_cells(line, delimiter))
        if kind is None:
            break
        dropped[kind] += 1
        end = start
    return data[:end]


def _cells(line: bytes, delimiter: str) -> Sequence[str | None]:
    """Return the cells of a line for judging whether it is a record at all."""
    return [cell.strip().strip('"') for cell in line.decode().split(delimiter)]
