"""Web pages that call themselves workbooks: the one table in them that holds the dataset.

Many systems "export to Excel" by writing an HTML table into a file ending in .xls. Cells that span
rows are filled down, as merged cells of a workbook are.
"""

from __future__ import annotations

from html.parser import HTMLParser
from pathlib import Path

from assets.delivery.grid import with_filled, write_grid
from assets.delivery.headers import SEARCHED_ROWS, HeaderReader
from assets.delivery.limits import Limits
from assets.delivery.table import Table
from assets.delivery.text import TextReader
from hub.errors import DeliveryRefused

_WIDEST_SPAN = 1000


def read_page(
    path: Path, target: Path, headers: HeaderReader, declared: str | None, limits: Limits
) -> tuple[Table, str]:
    """Write the dataset's table of a page as a table; return it and the encoding found.

    Raises:
        DeliveryRefused: when the page is too large or not text, or no table holds the dataset.
    """
    if path.stat().st_size > limits.document_bytes:
        raise DeliveryRefused(
            f"a web page of more than {limits.document_bytes >> 20} MiB is not read: "
            "deliver CSV or xlsx"
        )
    reader = TextReader(path, declared, limits.document_bytes)
    parser = _Tables()
    for block in reader.blocks():
        parser.feed(block.data.decode())
    parser.close()
    index = _index_of(parser.tables, headers)
    table = write_grid(parser.tables[index], headers, target)
    return with_filled(table, parser.filled[index]), reader.encoding


def _index_of(tables: list[list[list[str]]], headers: HeaderReader) -> int:
    """Return which table names most columns."""
    best: tuple[int, int] | None = None
    refusal: DeliveryRefused | None = None
    for index, table in enumerate(tables):
        try:
            _, score = headers.find(table[:SEARCHED_ROWS])
        except DeliveryRefused as exc:
            refusal = refusal or exc
            continue
        if best is None or score > best[0]:
            best = score, index
    if best is None:
        raise refusal or DeliveryRefused("the page holds no table: deliver CSV or xlsx")
    return best[1]


class _Tables(HTMLParser):
    """Collects the cells of every table of a page."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.tables: list[list[list[str]]] = []
        self.filled: list[list[tuple[int, int]]] = []
        self._text: list[str] | None = None
        self._spans = (1, 1)
        self._below: dict[int, tuple[int, str]] = {}

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Begin a table, row or cell."""
        if tag == "table":
            self._end_cell()
            self.tables.append([])
            self.filled.append([])
            self._below = {}
        elif tag == "tr" and self.tables:
            self._end_cell()
            self.tables[-1].append([])
            self._fill_down()
        elif tag in ("td", "th") and self.tables:
            self._end_cell()
            if not self.tables[-1]:
                self.tables[-1].append([])
            values = dict(attrs)
            self._spans = _span(values.get("rowspan")), _span(values.get("colspan"))
            self._text = []
        elif tag == "br" and self._text is not None:
            self._text.append(" ")

    def handle_endtag(self, tag: str) -> None:
        """End a cell."""
        if tag in ("td", "th", "tr", "table"):
            self._end_cell()

    def handle_data(self, data: str) -> None:
        """Take the text of a cell."""
        if self._text is not None:
            self._text.append(data)

    def close(self) -> None:
        """Take the last cell of a page that ends early."""
        super().close()
        self._end_cell()

    def _end_cell(self) -> None:
        if self._text is None:
            return
        text = " ".join("".join(self._text).split())
        self._text = None
        down, across = self._spans
        row = self.tables[-1][-1]
        for part in range(across):
            value = text if part == 0 else ""
            if down > 1:
                self._below[len(row)] = (down - 1, value)
            row.append(value)
            self._fill_down()

    def _fill_down(self) -> None:
        """Take over cells from above that reach down into this row."""
        row = self.tables[-1][-1]
        while len(row) in self._below:
            left, value = self._below.pop(len(row))
            if left > 1:
                self._below[len(row)] = (left - 1, value)
            if value:
                self.filled[-1].append((len(self.tables[-1]) - 1, len(row)))
            row.append(value)


def _span(text: str | None) -> int:
    return min(int(text), _WIDEST_SPAN) if text and text.isdecimal() and int(text) > 0 else 1
