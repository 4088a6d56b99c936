"""Writes a department's workbook (xlsx), row after row in bounded memory.

Every cell is text, so that no number loses a digit and nothing is taken for a formula.

Source: ECMA-376 (SpreadsheetML) 18.3.1.33 (data validation).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import BinaryIO

from openpyxl import Workbook
from openpyxl.cell import Cell, WriteOnlyCell
from openpyxl.styles import Alignment, Font, PatternFill
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.datavalidation import DataValidation

from assets.reconciliation.sheets import ANSWERS, CHECK, CONCLUSION, COVER, REMARK, Checks, Sheet

_BOLD = Font(bold=True)
_ANSWER = PatternFill("solid", fgColor="FFF6D5")
#: What a reader would take for an escaped character (ECMA-376 22.9.2.19).
_ESCAPE = re.compile(r"_(?=x[0-9A-Fa-f]{4}_)")
_TOP = Alignment(vertical="top", wrap_text=True)


def write_workbook(
    file: BinaryIO, cover: Sequence[tuple[str, str]], sheets: Sequence[Sheet], checks: Checks
) -> None:
    """Write cover and sheets.

    Args:
        cover: (name, text) lines of the first sheet.
    """
    book = Workbook(write_only=True)
    front = book.create_sheet(COVER)
    front.column_dimensions["A"].width, front.column_dimensions["B"].width = 26, 100
    for name, text in cover:
        front.append([_cell(front, name, bold=True), _cell(front, text)])
    for sheet in sheets:
        _write_sheet(book, sheet, checks)
    book.save(file)


def _write_sheet(book: Workbook, sheet: Sheet, checks: Checks) -> None:
    page = book.create_sheet(sheet.title)
    answers, width = len(sheet.headings) + 1, len(sheet.headings)
    page.freeze_panes = "B2"
    for column in range(1, width + 1):
        page.column_dimensions[get_column_letter(column)].width = 18
    for column in (answers, answers + 1):
        page.column_dimensions[get_column_letter(column)].width = 30
    page.column_dimensions[get_column_letter(answers + 2)].hidden = True
    choice = DataValidation(type="list", formula1=f'"{",".join(ANSWERS)}"', allow_blank=True)
    choice.error, choice.errorTitle, choice.showErrorMessage = "请从列表中选择", CONCLUSION, True
    letter = get_column_letter(answers)
    choice.add(f"{letter}2:{letter}{len(sheet.rows) + 1}")
    page.data_validations.append(choice)
    headings = (
        *sheet.headings,
        CONCLUSION,
        REMARK,
        CHECK + " " + checks.of(sheet.title, sheet.headings),
    )
    page.append([_cell(page, text, bold=True) for text in headings])
    for row, evidence in zip(sheet.rows, sheet.evidence, strict=True):
        cells = [_cell(page, text) for text in row]
        cells += [_cell(page, "", answer=True), _cell(page, "", answer=True)]
        page.append([*cells, _cell(page, checks.of(sheet.title, row, evidence))])


def _cell(page: object, text: str, *, bold: bool = False, answer: bool = False) -> Cell:
    escaped = _ESCAPE.sub("_x005F_", text)
    cell: Cell = WriteOnlyCell(page, value=escaped)  # type: ignore[arg-type]
    cell.data_type = "s"
    cell.number_format = "@"
    cell.alignment = _TOP
    if bold:
        cell.font = _BOLD
    if answer:
        cell.fill = _ANSWER
    return cell
