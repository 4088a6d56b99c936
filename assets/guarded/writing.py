"""Writes a guarded workbook (xlsx), row after row in bounded memory.

Every cell is text, so that no number loses a digit and nothing is taken for a formula; all but the
answers are locked. The lock has no password: it keeps from slips, the seals from intent.

Source: ECMA-376 (SpreadsheetML) 18.3.1.33 (data validation), 18.3.1.85 (sheet protection).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any, BinaryIO

from openpyxl import Workbook
from openpyxl.cell import Cell, WriteOnlyCell
from openpyxl.styles import Alignment, Font, PatternFill, Protection
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.datavalidation import DataValidation

from assets.guarded.sheets import COVER, SEAL, AnswerColumn, Seal, Sheet

_BOLD = Font(bold=True)
_ANSWER = PatternFill("solid", fgColor="FFF6D5")
_OPEN = Protection(locked=False)
#: What a reader would take for an escaped character (ECMA-376 22.9.2.19).
_ESCAPE = re.compile(r"_(?=x[0-9A-Fa-f]{4}_)")
_TOP = Alignment(vertical="top", wrap_text=True)


def write_workbook(
    file: BinaryIO,
    cover: Sequence[tuple[str, str]],
    sheets: Sequence[Sheet],
    answers: Sequence[AnswerColumn],
    seal: Seal,
) -> None:
    """Write cover and sheets.

    Args:
        cover: (name, text) lines of the first sheet.
        answers: the columns to be filled in, on every sheet, right of its own.
    """
    book = Workbook(write_only=True)
    front = book.create_sheet(COVER)
    front.column_dimensions["A"].width, front.column_dimensions["B"].width = 26, 100
    for name, text in cover:
        front.append([_cell(front, name, bold=True), _cell(front, text)])
    for sheet in sheets:
        _write_sheet(book.create_sheet(sheet.title), sheet, answers, seal)
    book.save(file)


def _write_sheet(page: Any, sheet: Sheet, answers: Sequence[AnswerColumn], seal: Seal) -> None:
    width = len(sheet.headings)
    page.freeze_panes = "B2"
    for column in range(1, width + len(answers) + 1):
        page.column_dimensions[get_column_letter(column)].width = 18 if column <= width else 30
    page.column_dimensions[get_column_letter(width + len(answers) + 1)].hidden = True
    for place, answer in enumerate(answers, start=width + 1):
        if answer.choices:
            letter = get_column_letter(place)
            choice = DataValidation(
                type="list", formula1=f'"{",".join(answer.choices)}"', allow_blank=True
            )
            choice.error, choice.errorTitle = "请从列表中选择", answer.title
            choice.showErrorMessage = True
            choice.add(f"{letter}2:{letter}{len(sheet.rows) + 1}")
            page.data_validations.append(choice)
    page.protection.sheet = True
    page.protection.autoFilter = page.protection.sort = page.protection.formatColumns = False
    titles = (answer.title for answer in answers)
    headings = (*sheet.headings, *titles, f"{SEAL} {seal.of(sheet.title, sheet.headings)}")
    page.append([_cell(page, text, bold=True) for text in headings])
    for row, ground in zip(sheet.rows, sheet.grounds, strict=True):
        cells = [_cell(page, text) for text in row]
        cells += [_cell(page, "", answer=True) for _ in answers]
        page.append([*cells, _cell(page, seal.of(sheet.title, row, ground))])


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
        cell.protection = _OPEN
    return cell
