"""Excel workbooks (xlsx, xls): the one visible sheet that holds the dataset.

A cell is taken as its value, not as it is shown: whole numbers as whole numbers, dates in ISO
8601. An ID number that was typed as a number has lost its last digits in the workbook already;
it comes through as the fifteen digits and zeros that are left, and the check finds it. Error
cells (#N/A) come through as that text, and the check finds those, too.

Source: ECMA-376 (SpreadsheetML): 18.3.1.4 (cells), 18.3.1.55 (merged cells).
"""

from __future__ import annotations

import re
import zipfile
from collections.abc import Iterator, Mapping
from datetime import date, datetime
from itertools import islice
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import python_calamine as calamine

from assets.delivery.grid import with_filled, write_grid
from assets.delivery.headers import SEARCHED_ROWS, HeaderReader
from assets.delivery.table import Table
from hub.errors import DeliveryRefused

_LOCKED = "the workbook wants a password: save it without; the hub seals it on arrival"
_DAMAGED = "the workbook is damaged or cut off: save it again as xlsx"
_CELL = re.compile(rb"<c\b([^>]*)>(?:<f\b[^>]*?(?:/>|>.*?</f>))?(?:<v>([^<]*)</v>)?", re.DOTALL)
_REFERENCE = re.compile(rb'\br="([A-Z]+)(\d+)"')
_MAIN = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"
_RELATION = "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}id"

Place = tuple[int, int]


def read_workbook(path: Path, target: Path, headers: HeaderReader) -> Table:
    """Write the dataset's sheet as a table.

    Raises:
        DeliveryRefused: when the workbook cannot be opened, or not exactly one of its visible
            sheets holds the dataset, or its header does not fit.
    """
    try:
        with calamine.CalamineWorkbook.from_path(str(path)) as book:
            name = _sheet_name(book, headers)
            return _read_sheet(book.get_sheet_by_name(name), _errors(path, name), headers, target)
    except calamine.PasswordError:
        raise DeliveryRefused(_LOCKED) from None
    except (calamine.CalamineError, zipfile.BadZipFile, ElementTree.ParseError, KeyError, OSError):
        raise DeliveryRefused(_password_or_damaged(path)) from None


def _password_or_damaged(path: Path) -> str:
    with path.open("rb") as file:
        head = file.read(1 << 16)
    return _LOCKED if "EncryptedPackage".encode("utf-16-le") in head else _DAMAGED


def _sheet_name(book: calamine.CalamineWorkbook, headers: HeaderReader) -> str:
    """Return the visible sheet that names most columns, when there is only one such."""
    scores: dict[str, int] = {}
    refusal: DeliveryRefused | None = None
    for sheet in book.sheets_metadata:
        if sheet.visible != calamine.SheetVisibleEnum.Visible:
            continue
        if sheet.typ != calamine.SheetTypeEnum.WorkSheet:
            continue
        top = list(islice(_text_rows(book.get_sheet_by_name(sheet.name)), SEARCHED_ROWS))
        try:
            _, scores[sheet.name] = headers.find(top)
        except DeliveryRefused as exc:
            refusal = refusal or exc
    if not scores:
        raise refusal or DeliveryRefused("the workbook has no visible sheet: show the data's sheet")
    best = max(scores.values())
    names = [name for name, score in scores.items() if score == best]
    if len(names) > 1:
        raise DeliveryRefused(
            f"{len(names)} visible sheets hold the dataset's header: put all rows on one sheet"
        )
    return names[0]


def _read_sheet(
    sheet: calamine.CalamineSheet, errors: Mapping[Place, str], headers: HeaderReader, target: Path
) -> Table:
    filled: list[Place] = []
    table = write_grid(_filled(_text_rows(sheet), _merged(sheet), errors, filled), headers, target)
    return with_filled(table, filled)


def _text_rows(sheet: calamine.CalamineSheet) -> Iterator[list[str]]:
    """Yield every row of the sheet from its first row and first column on."""
    if sheet.start is None:
        return
    top, left = sheet.start
    for _ in range(top):
        yield []
    for row in sheet.iter_rows():
        yield [""] * left + [cell_text(cell) for cell in row]


def cell_text(value: Any) -> str:
    """Return a cell as text.

    >>> cell_text(42.0), cell_text(0.1), cell_text(date(2026, 1, 2)), cell_text(True)
    ('42', '0.1', '2026-01-02', 'true')
    """
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() else repr(value)
    if isinstance(value, datetime):
        has_time = (value.hour, value.minute, value.second) != (0, 0, 0)
        return value.isoformat(" ") if has_time else value.date().isoformat()
    return value.isoformat() if isinstance(value, date) else str(value)


def _merged(sheet: calamine.CalamineSheet) -> dict[Place, Place]:
    """Return the cells that a merge over several rows hides -> the cell that shows."""
    hidden = {}
    for (top, left), (bottom, right) in sheet.merged_cell_ranges or ():
        if left == right:
            hidden.update({(row, left): (top, left) for row in range(top + 1, bottom + 1)})
    return hidden


def _filled(
    rows: Iterator[list[str]],
    merged: Mapping[Place, Place],
    errors: Mapping[Place, str],
    filled: list[Place],
) -> Iterator[list[str]]:
    """Yield the rows with merged cells filled down and error cells as their text."""
    shown: dict[Place, str] = {}
    origins = frozenset(merged.values())
    for number, row in enumerate(rows):
        for column, text in enumerate(row):
            place = (number, column)
            if place in errors:
                row[column] = errors[place]
            elif place in merged and not text and shown.get(merged[place]):
                row[column] = shown[merged[place]]
                filled.append(place)
            if place in origins:
                shown[place] = row[column]
        yield row


def _errors(path: Path, name: str) -> dict[Place, str]:
    """Return the error cells of an xlsx sheet, which calamine gives as empty."""
    if not zipfile.is_zipfile(path):
        return {}
    with zipfile.ZipFile(path) as archive:
        data = archive.read(_sheet_member(archive, name))
    if b't="e"' not in data:
        return {}
    found = {}
    for cell in _CELL.finditer(data):
        attributes, value = cell.groups()
        reference = _REFERENCE.search(attributes)
        if b't="e"' in attributes and reference is not None:
            place = int(reference[2]) - 1, _column_index(reference[1])
            found[place] = (value or b"#N/A").decode()
    return found


def _sheet_member(archive: zipfile.ZipFile, name: str) -> str:
    # expat itself bounds how far entities may expand
    book = ElementTree.fromstring(archive.read("xl/workbook.xml"))  # noqa: S314
    sheets = {s.get("name"): s.get(_RELATION) for s in book.iter(f"{_MAIN}sheet")}
    links = ElementTree.fromstring(archive.read("xl/_rels/workbook.xml.rels"))  # noqa: S314
    target = next(link.get("Target", "") for link in links if link.get("Id") == sheets[name])
    return target.lstrip("/") if target.startswith("/") else f"xl/{target}"


def _column_index(letters: bytes) -> int:
    index = 0
    for letter in letters:
        index = index * 26 + letter - 64
    return index - 1
