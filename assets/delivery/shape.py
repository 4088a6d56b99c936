"""The shape of delimited text: every row has as many fields as the header.

Rows are never parsed one by one. A block is reduced to its delimiters, quotation marks and line
feeds (its skeleton), quoted passages are taken out of that, and what remains must be the same
line over and over. Only a block that does not fit is looked at row by row, to name the line.

Source: RFC 4180; quotation marks only around a whole field, doubled inside.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator

import numpy as np

from assets.delivery.text import Block
from hub.errors import DeliveryRefused

_QUOTED = re.compile(rb'"[^"]*"')
_QUOTE, _LINE_FEED = 0x22, 0x0A
_SHOWN_LINES = 5


class Shape:
    """Takes blocks of lines and gives back blocks of whole rows of one width.

    Args:
        delimiter: the one character between fields.
        fields: fields of every row.
        row_bytes: the longest row that is read.
    """

    def __init__(self, delimiter: str, fields: int, row_bytes: int) -> None:
        self._delimiter = delimiter
        self._fields = fields
        self._row_bytes = row_bytes
        kept = {delimiter.encode(), b'"', b"\n"}
        self._dropped = bytes(b for b in range(256) if bytes([b]) not in kept)
        self._row = delimiter.encode() * (fields - 1) + b"\n"
        self._open = b""
        self._open_line = 0
        self.rows = 0
        self.changes: Counter[str] = Counter()

    def rows_of(self, block: Block) -> Block:
        """Return the whole rows that this block completes; counts them in `rows`.

        Raises:
            DeliveryRefused: names the lines whose number of fields is another, and the first
                misplaced or unclosed quotation mark.
        """
        line = self._open_line if self._open else block.line
        data = self._open + block.data
        cut = _last_row_end(data)
        if len(data) - cut > self._row_bytes:
            raise self._unclosed(line + data.count(b"\n", 0, cut))
        self._open, self._open_line = data[cut:], line + data.count(b"\n", 0, cut)
        return self._checked(Block(line, data[:cut]))

    def finish(self) -> None:
        """Say that no block follows.

        Raises:
            DeliveryRefused: when the last row's quotation mark is not closed.
        """
        if self._open:
            raise self._unclosed(self._open_line)

    def _checked(self, block: Block) -> Block:
        if b'"' in block.data:
            self._check_quotes(block)
        skeleton = self._skeleton(block)
        if skeleton != self._row * skeleton.count(b"\n"):
            block = self._without_blank_lines(block)
            skeleton = self._skeleton(block)
        self.rows += skeleton.count(b"\n")
        return block

    def _skeleton(self, block: Block) -> bytes:
        """Return the delimiters and line feeds that are outside quotation marks."""
        rest = block.data.translate(None, self._dropped)
        return _QUOTED.sub(b"", rest.replace(b'""', b"")) if b'"' in rest else rest

    def _check_quotes(self, block: Block) -> None:
        """See that every quotation mark opens, closes or is doubled inside a field."""
        data = np.frombuffer(block.data, np.uint8)
        marks = np.flatnonzero(data == _QUOTE)
        opening, closing = marks[::2], marks[1::2]
        before, after = data[opening - 1], data[closing + 1]
        delimiter = ord(self._delimiter)
        doubled = np.concatenate(([False], opening[1:] - 1 == closing[:-1]))
        opens = (before == delimiter) | (before == _LINE_FEED) | (opening == 0) | doubled
        closes = (after == delimiter) | (after == _LINE_FEED) | (after == _QUOTE)
        wrong = np.concatenate((opening[~opens], closing[~closes]))
        if len(wrong):
            line = block.line + block.data.count(b"\n", 0, int(wrong.min()))
            raise DeliveryRefused(
                f"line {line} has a quotation mark inside a field: put the whole field in "
                "quotation marks and double those inside it"
            )

    def _without_blank_lines(self, block: Block) -> Block:
        """Return the block without empty lines; a row of another width is refused."""
        mark, whole, ragged = self._delimiter.encode(), [], []
        for line, row in _rows(block):
            fields = _QUOTED.sub(b"", row).count(mark) + 1
            if fields == self._fields:
                whole.append(row)
            elif row.strip():
                ragged.append(f"line {line} has {fields}")
            else:
                self.changes["blank_line_dropped"] += 1
        if ragged:
            raise DeliveryRefused(
                f"{len(ragged)} rows do not have the {self._fields} fields of the header: put "
                "fields that hold the delimiter in quotation marks, or export the data again",
                findings=tuple(ragged[:_SHOWN_LINES]),
            )
        return Block(block.line, b"".join(whole))

    def _unclosed(self, line: int) -> DeliveryRefused:
        return DeliveryRefused(
            f"the row at line {line} does not end: a quotation mark is not closed, or the file "
            "is cut off"
        )


def _last_row_end(data: bytes) -> int:
    """Return where the last whole row ends: after a line feed outside quotation marks."""
    end = data.rfind(b"\n") + 1
    is_inside = data.count(b'"', 0, end) % 2 == 1
    while end and is_inside:
        mark = data.rfind(b'"', 0, end)
        earlier = data.rfind(b"\n", 0, mark) + 1
        is_inside = (data.count(b'"', earlier, end) % 2 == 1) != is_inside
        end = earlier
    return end


def _rows(block: Block) -> Iterator[tuple[int, bytes]]:
    """Yield each row of a block with the number of its first line."""
    line, start, is_inside = block.line, block.line, False
    parts: list[bytes] = []
    for text in block.data.splitlines(keepends=True):
        parts.append(text)
        is_inside ^= text.count(b'"') % 2 == 1
        line += 1
        if not is_inside:
            yield start, b"".join(parts)
            parts, start = [], line
