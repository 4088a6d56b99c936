"""Workbooks that the hub handed out and that come back: bounded whole before a reader sees them.

Whoever fills one in may have put anything into it, under any name: a part that unpacks to more
than it states, a sheet of a million cells in a few KiB, a document type that expands. So every
part is unpacked once, counted as it comes, and searched whole.

Source: ECMA-376 (SpreadsheetML): 18.3.1.4 (cells), 18.3.1.73 (rows).
"""

from __future__ import annotations

import re
import zipfile
from collections.abc import Iterator, Sequence
from pathlib import Path

from assets.delivery.archive import UNREADABLE, check_workbook, column_number
from assets.delivery.limits import Limits
from hub.errors import DeliveryRefused

#: As many findings of one workbook are told.
MOST_FINDINGS = 100
_CHUNK_BYTES = 1 << 20
_OVERLAP_BYTES = 512
_DECLARATION = re.compile(rb"<!(?:DOCTYPE|ENTITY)")
# Whatever the prefix: a colon or < before the name. Closing tags with a prefix count as well.
_ROW = re.compile(rb"[<:]row[\s/>]")
_CELL = re.compile(rb"[<:]c[\s/>]")
_PLACE = re.compile(rb"""[<:]c\s(?:[^<>]{0,400}?\s)?r\s*=\s*["']([A-Za-z]{1,3})([0-9]{1,7})["']""")


def capped(findings: Sequence[str], most: int = MOST_FINDINGS) -> tuple[str, ...]:
    """Return the first findings and how many more there are: people mend them in turns."""
    shown = tuple(findings[:most])
    more = len(findings) - len(shown)
    return (*shown, f"另有 {more:,} 处 / and {more:,} more") if more else shown


def check_returned(
    path: Path, limits: Limits, *, rows: int | None = None, columns: int | None = None
) -> None:
    """Refuse a workbook that is larger than what was handed out, or holds more than cells.

    Args:
        rows: the most a sheet of it has; None for what the limits allow.
        columns: the most a sheet of it has; None for what the limits allow.

    Raises:
        DeliveryRefused: when it is too large, damaged, locked, not what was handed out, or holds
            macros, links to other files or entities.
    """
    if path.stat().st_size > limits.file_bytes:
        raise DeliveryRefused(f"the workbook is larger than {limits.file_bytes >> 20} MiB")
    check_workbook(path, limits)
    left = limits.unpacked(path.stat().st_size)
    try:
        with zipfile.ZipFile(path) as archive:
            _require_plain(archive)
            for part in archive.infolist():
                found = _Found()
                for text in _windows(archive, part, left):
                    found.add(text)
                    _require_handed_out(found, limits, rows, columns)
                left -= found.size
    except UNREADABLE as exc:
        raise DeliveryRefused("the workbook is damaged or locked: save it again as xlsx") from exc


def _require_plain(archive: zipfile.ZipFile) -> None:
    names = {part.filename.lower() for part in archive.infolist()}
    if any("vbaproject" in name or "/activex/" in name for name in names):
        raise DeliveryRefused("the workbook holds macros: save it as xlsx, without them")
    if any("/externallinks/" in name for name in names):
        raise DeliveryRefused("the workbook links to other files: remove the links")


class _Found:
    """What was counted of one part so far."""

    def __init__(self) -> None:
        self.size = self.rows = self.cells = self.last_row = self.last_column = 0
        self._tail = b""

    def add(self, text: bytes) -> None:
        """Count a piece; what was left of the piece before is looked at again, not counted."""
        self.size += len(text)
        text = text.replace(b"\0", b"")  # UTF-16 is searched like UTF-8
        known, both = self._tail, self._tail + text
        if _DECLARATION.search(both):
            raise DeliveryRefused("the workbook declares entities: save it again as xlsx")
        self.rows += _count(_ROW, both) - _count(_ROW, known)
        self.cells += _count(_CELL, both) - _count(_CELL, known)
        for place in _PLACE.finditer(both):
            self.last_column = max(self.last_column, column_number(place[1]))
            self.last_row = max(self.last_row, int(place[2]))
        self._tail = both[-_OVERLAP_BYTES:]


def _count(pattern: re.Pattern[bytes], text: bytes) -> int:
    return sum(1 for _ in pattern.finditer(text))


def _require_handed_out(
    found: _Found, limits: Limits, rows: int | None, columns: int | None
) -> None:
    wide, long = found.last_column, found.last_row
    # A closing tag may have been counted: twice as many tags are no more cells than allowed.
    many = found.cells > 2 * limits.cells or (rows is not None and found.rows > 2 * rows)
    beyond = (columns is not None and wide > columns) or (rows is not None and long > rows)
    if many or beyond or wide * long > limits.cells:
        raise DeliveryRefused(
            f"a sheet has more rows or columns than were handed out (it spans {wide:,} columns and "
            f"{long:,} rows): remove what was added, and return the workbook again"
        )


def _windows(archive: zipfile.ZipFile, part: zipfile.ZipInfo, left: int) -> Iterator[bytes]:
    """Yield a part's bytes as they unpack, whatever size it states, up to what is left."""
    # A reader stops at the stated size and compares the checksum there: let it go past the bound.
    stated, part.file_size = part.file_size, left + 2 * _CHUNK_BYTES
    with archive.open(part) as member:
        size = 0
        while chunk := member.read(_CHUNK_BYTES):
            size += len(chunk)
            if size > left:
                raise DeliveryRefused("the workbook unpacks to more than it can hold")
            yield chunk
    if size != stated:
        raise zipfile.BadZipFile("a part is not as large as it states")
