"""Workbooks as offices keep them: a merged title, a header, rows, a line with the total.

Written part by part, so that rows can be streamed and the same rows give the same bytes.

Source: ECMA-376 (SpreadsheetML), strings inline; PKWARE ZIP with a fixed date.
"""

from __future__ import annotations

import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO
from xml.sax.saxutils import escape

import numpy as np
import pyarrow.compute as pc

from assets.demo.columns import Column, join, text
from assets.demo.files import NUMBER, Columns, holds, run_together

_TOTAL_LABEL = "合计"
_SPREADSHEET = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_RELATIONS = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_PACKAGE = "http://schemas.openxmlformats.org/package/2006"
_TYPE = "application/vnd.openxmlformats-"
_XML = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'


def _relation(kind: str, target: str) -> str:
    link = f'<Relationship Id="rId1" Type="{_RELATIONS}/{kind}" Target="{target}"/>'
    return f'<Relationships xmlns="{_PACKAGE}/relationships">{link}</Relationships>'


def _part(name: str, kind: str) -> str:
    content = f"{_TYPE}officedocument.spreadsheetml.{kind}+xml"
    return f'<Override PartName="{name}" ContentType="{content}"/>'


_PARTS = {
    "[Content_Types].xml": (
        f'<Types xmlns="{_PACKAGE}/content-types">'
        f'<Default Extension="rels" ContentType="{_TYPE}package.relationships+xml"/>'
        '<Default Extension="xml" ContentType="application/xml"/>'
        f"{_part('/xl/workbook.xml', 'sheet.main')}"
        f"{_part('/xl/worksheets/sheet1.xml', 'worksheet')}</Types>"
    ),
    "_rels/.rels": _relation("officeDocument", "xl/workbook.xml"),
    "xl/workbook.xml": (
        f'<workbook xmlns="{_SPREADSHEET}" xmlns:r="{_RELATIONS}">'
        '<sheets><sheet name="Sheet1" sheetId="1" r:id="rId1"/></sheets></workbook>'
    ),
    "xl/_rels/workbook.xml.rels": _relation("worksheet", "worksheets/sheet1.xml"),
}


class XlsxFile:
    """One workbook with one sheet; a column said to be numeric holds numbers where it can.

    Args:
        title: text of the merged first row.
    """

    def __init__(
        self, path: Path, headers: Mapping[str, str], numeric: Sequence[str], title: str
    ) -> None:
        self._names = tuple(headers)
        self._numeric = frozenset(numeric)
        self._letters = [chr(ord("A") + i) for i in range(len(headers))]
        self._zip = zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED)
        for name, body in _PARTS.items():
            self._zip.writestr(_entry(name), _XML + body)
        self._sheet: IO[bytes] = self._zip.open(_entry("xl/worksheets/sheet1.xml"), "w")
        self._sheet.write(f'{_XML}<worksheet xmlns="{_SPREADSHEET}"><sheetData>'.encode())
        self._row([title])
        self._row(list(headers.values()))
        self._rows = 0

    def _row(self, cells: Sequence[str]) -> None:
        inside = "".join(f'<c t="inlineStr"><is><t>{escape(cell)}</t></is></c>' for cell in cells)
        self._sheet.write(f"<row>{inside}</row>".encode())

    def write(self, columns: Columns) -> None:
        """Append the rows."""
        count = len(columns[self._names[0]])
        number = text(np.arange(self._rows + 3, self._rows + 3 + count))
        parts: list[Column | str] = ['<row r="', number, '">']
        for letter, name in zip(self._letters, self._names, strict=True):
            parts.append(self._cell(letter, number, name, columns[name]))
        self._sheet.write(run_together(join(*parts, "</row>")))
        self._rows += count

    def _cell(self, letter: str, number: Column, name: str, column: Column) -> Column:
        safe = column
        for raw, entity in (("&", "&amp;"), ("<", "&lt;")):
            if holds(column.fill_null(""), raw.encode()):
                safe = pc.replace_substring(safe, raw, entity)
        place = join(f'<c r="{letter}', number, '"')
        cell = join(place, ' t="inlineStr"><is><t xml:space="preserve">', safe, "</t></is></c>")
        if name in self._numeric:
            plain = join(place, "><v>", column, "</v></c>")
            cell = pc.if_else(pc.match_substring_regex(column, NUMBER), plain, cell)
        return cell.fill_null("")

    def close(self) -> None:
        """Write the total and finish the file."""
        self._row([_TOTAL_LABEL, f"{self._rows} 条"])
        last = self._letters[-1]
        merged = f'<mergeCells count="1"><mergeCell ref="A1:{last}1"/></mergeCells>'
        self._sheet.write(f"</sheetData>{merged}</worksheet>".encode())
        self._sheet.close()
        self._zip.close()


def _entry(name: str) -> zipfile.ZipInfo:
    """Return a ZIP entry with a fixed date, so that the same rows give the same bytes."""
    entry = zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0))
    entry.compress_type = zipfile.ZIP_DEFLATED
    return entry
