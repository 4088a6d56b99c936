"""The worksheet of a field sample: written for people with pens, read back with distrust.

    row 1   样本编号 | id of the sample | what to do
    row 2   header
    row 3…  no. | code | stratum | name | number | status | residence | four answers

The code of a row says, by a few digits of a keyed hash for each cell, what was issued: a changed
cell, a row of another sample or a made-up row does not fit it, and the cell can be named without
the hub keeping a value. Answers are chosen from a list. Whatever else a returned file holds
(formulas, macros, more rows, other answers) refuses it whole, with every finding at once.

Source: ECMA-376 (SpreadsheetML), 18.3.1.32 (data validation).
"""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import openpyxl
from openpyxl.cell.cell import Cell
from openpyxl.styles import Alignment, Font, Protection
from openpyxl.utils import get_column_letter
from openpyxl.utils.exceptions import InvalidFileException
from openpyxl.worksheet.datavalidation import DataValidation

from assets.delivery.archive import UNREADABLE
from assets.delivery.limits import Limits
from assets.delivery.returned import capped, check_returned
from assets.reports.drawing import VERIFIED
from hub.errors import DeliveryRefused

RIGHT, WRONG, UNREACHABLE = "一致", "不一致", "无法核实"
ANSWERS = (RIGHT, WRONG, UNREACHABLE)
HEADER = (
    "序号 no.", "校验码 code", "区划 division", "姓名 name", "公民身份号码 number",
    "人员状态 status", "居住地址 residence",
    "姓名核查 name checked", "号码核查 number checked", "状态核查 status checked",
    "住址核查 residence checked",
)  # fmt: skip
_TITLE = "样本编号 sample"
_TASK = (
    "请逐行实地核查，在 H–K 列选择 一致/不一致/无法核实；其他列请勿改动。"
    " / Check every row on the spot and choose in columns H–K; change nothing else."
)
_FIRST_ROW = 3
_ISSUED = range(2, 7)  # columns C to G
_ANSWERS = range(7, 11)  # columns H to K
_WIDTHS = (8, 34, 16, 12, 22, 12, 48, 14, 14, 14, 14)
_FIELD_DIGITS, _ROW_DIGITS = 4, 8

# A sample has at most 1,521 records; beside its cells a sheet may hold a few stray ones, each of
# which is a finding. Two thousand rows unpack to 1.5 MiB as issued.
_MOST_ROWS, _MOST_COLUMNS, _STRAY_ROWS = 2_000, len(HEADER) + 5, 50

#: What a worksheet may cost.
LIMITS = Limits(file_bytes=8 << 20, clear_bytes=8 << 20, cells=_MOST_ROWS * _MOST_COLUMNS)

#: Text -> keyed hash of it.
Mark = Callable[[str], bytes]


@dataclass(frozen=True, slots=True)
class Line:
    """One record to verify: the values a field worker needs, in the order of `VERIFIED`."""

    stratum: str
    values: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Checked:
    """What the field found of one record: the answer for each field of `VERIFIED`."""

    stratum: str
    answers: tuple[str, ...]

    @property
    def outcome(self) -> str:
        """Right when everything agrees; wrong when anything does not; else unreachable."""
        if WRONG in self.answers:
            return "wrong"
        return "unreachable" if UNREACHABLE in self.answers else "right"


def worksheet(sample: str, lines: Sequence[Line], mark: Mark) -> bytes:
    """Return the workbook of a sample. It holds personal data: record the disclosure first."""
    book = openpyxl.Workbook()
    sheet: Any = book.active
    sheet.title = "核查表"
    _put(sheet, 1, (_TITLE, sample, _TASK))
    _put(sheet, 2, HEADER)
    for place, line in enumerate(lines):
        row, number = _FIRST_ROW + place, place + 1
        issued = (line.stratum, *line.values)
        _put(sheet, row, (str(number), code(sample, number, issued, mark), *issued))
        for column in _ANSWERS:
            sheet.cell(row, column + 1).protection = Protection(locked=False)
    last = _FIRST_ROW + len(lines) - 1
    choice = DataValidation(
        type="list",
        formula1=f'"{",".join(ANSWERS)}"',
        allow_blank=False,
        showErrorMessage=True,
        errorTitle="核查结果",
        error="请选择 一致、不一致 或 无法核实",
    )
    choice.add(f"H{_FIRST_ROW}:K{last}")
    sheet.add_data_validation(choice)
    for column, width in enumerate(_WIDTHS, start=1):
        sheet.column_dimensions[get_column_letter(column)].width = width
    sheet.freeze_panes = f"D{_FIRST_ROW}"
    sheet.auto_filter.ref = f"A2:K{last}"
    sheet.protection.sheet = True  # against slips, not against intent: the codes are for that
    sheet.protection.autoFilter = False
    sheet.protection.sort = False
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def _put(sheet: Any, row: int, values: Sequence[str]) -> None:
    for column, value in enumerate(values, start=1):
        cell: Cell = sheet.cell(row, column)
        cell.value = value
        cell.data_type = "s"  # a name that begins with = is a name
        cell.number_format = "@"
        if row < _FIRST_ROW:
            cell.font = Font(bold=True)
        cell.alignment = Alignment(vertical="top")


def code(sample: str, number: int, issued: Sequence[str], mark: Mark) -> str:
    """Return a row's code: a keyed hash of its place, then one of each issued cell."""
    places = (f"worksheet\0{sample}\0{number}\0{column}" for column in range(len(issued) + 1))
    row = mark(next(places)).hex()[:_ROW_DIGITS]
    cells = (
        mark(f"{place}\0{value}").hex()[:_FIELD_DIGITS]
        for place, value in zip(places, issued, strict=True)
    )
    return "-".join((row, *cells))


def sample_named(path: Path) -> str:
    """Return the id of the sample that a worksheet says it is of.

    Raises:
        DeliveryRefused: when it is no workbook of this kind, is too large or holds macros.
    """
    for row in _rows(path, 1, _MOST_ROWS):
        if len(row) > 1 and row[0].value == _TITLE and isinstance(row[1].value, str):
            return row[1].value.strip()
    raise DeliveryRefused(
        f"this is not a worksheet of a field sample: A1 must be {_TITLE} and B1 the sample's id"
    )


def read_worksheet(path: Path, sample: str, size: int, mark: Mark) -> tuple[Checked, ...]:
    """Return what the field found of every record of a sample, in the order of their numbers.

    Args:
        size: how many records the sample has.

    Raises:
        DeliveryRefused: with every finding and its cell, none of which repeats a value.
    """
    findings: list[str] = []
    found: dict[int, Checked] = {}
    most = size + _FIRST_ROW + _STRAY_ROWS
    for place, row in enumerate(_rows(path, most, most), start=1):
        if place == 2:
            findings.extend(_header(row))
        if place < _FIRST_ROW or all(cell.value is None for cell in row):
            continue
        findings.extend(_formulas(row, place))
        number = _number(row, size)
        if number is None:
            findings.append(f"A{place}: no row of this sample has this number")
        elif number in found:
            findings.append(f"A{place}: row {number} of the sample is here twice")
        else:
            findings.extend(_changed(row, place, sample, number, mark))
            findings.extend(_unanswered(row, place))
            answers = tuple(_text(row, column) for column in _ANSWERS)
            found[number] = Checked(_text(row, _ISSUED[0]), answers)
    missing = [number for number in range(1, size + 1) if number not in found]
    if missing:
        findings.append(f"{len(missing)} rows are missing: no. {_spans(missing)}")
    if findings:
        raise DeliveryRefused(
            "the worksheet is not as it was issued, or not filled in: nothing of it is taken",
            findings=capped(findings),
        )
    return tuple(found[number] for number in sorted(found))


def _header(row: Sequence[Any]) -> Iterator[str]:
    for column, title in enumerate(HEADER):
        if _text(row, column) != title:
            yield f"{get_column_letter(column + 1)}2: the header must be: {title}"
    for column in range(len(HEADER), len(row)):
        if row[column].value is not None:
            yield f"{get_column_letter(column + 1)}2: no column was issued here"


def _formulas(row: Sequence[Any], place: int) -> Iterator[str]:
    for column, cell in enumerate(row):
        if cell.data_type == "f":
            yield f"{get_column_letter(column + 1)}{place}: holds a formula: type the value"
        elif column >= len(HEADER) and cell.value is not None:
            yield f"{get_column_letter(column + 1)}{place}: no column was issued here"


def _number(row: Sequence[Any], size: int) -> int | None:
    text = _text(row, 0)
    is_one = text.isascii() and text.isdigit() and len(text) <= 6 and 1 <= int(text) <= size
    return int(text) if is_one else None


def _changed(row: Sequence[Any], place: int, sample: str, number: int, mark: Mark) -> Iterator[str]:
    issued = [_text(row, column) for column in _ISSUED]
    expected = code(sample, number, issued, mark).split("-")
    given = _text(row, 1).split("-")
    if len(given) != len(expected) or given[0] != expected[0]:
        yield f"B{place}: this is not the code issued for row {number} of {sample}"
        return
    for column, ours, theirs in zip(_ISSUED, expected[1:], given[1:], strict=True):
        if ours != theirs:
            letter = get_column_letter(column + 1)
            yield f"{letter}{place}: was changed; put back what was issued"


def _unanswered(row: Sequence[Any], place: int) -> Iterator[str]:
    for column in _ANSWERS:
        if _text(row, column) not in ANSWERS:
            yield f"{get_column_letter(column + 1)}{place}: choose {'、'.join(ANSWERS)}"


def _text(row: Sequence[Any], column: int) -> str:
    """Return a cell as text; a number typed by a spreadsheet keeps its digits."""
    value = row[column].value if column < len(row) else None
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return "" if value is None else str(value)


def _spans(numbers: Sequence[int]) -> str:
    """Return numbers as spans.

    >>> _spans([1, 2, 3, 7])
    '1–3, 7'
    """
    spans: list[list[int]] = []
    for number in numbers:
        if spans and spans[-1][1] == number - 1:
            spans[-1][1] = number
        else:
            spans.append([number, number])
    return ", ".join(f"{a}–{b}" if a != b else f"{a}" for a, b in spans)


def _rows(path: Path, most: int, bound: int) -> Iterator[Sequence[Any]]:
    """Yield the first sheet's rows up to `most`; nothing is opened before it is harmless.

    Args:
        bound: rows that the sheet may have; it is refused when it has more.
    """
    check_returned(path, LIMITS, rows=bound, columns=_MOST_COLUMNS)
    try:
        book = openpyxl.load_workbook(path, read_only=True, keep_links=False)
        try:
            yield from book.worksheets[0].iter_rows(max_row=most, max_col=_MOST_COLUMNS)
        finally:
            book.close()
    except (
        *UNREADABLE, InvalidFileException, ElementTree.ParseError, LookupError, TypeError,
        AttributeError,
    ) as exc:  # fmt: skip
        raise DeliveryRefused(
            "the worksheet is damaged or not an xlsx file: save it again as xlsx"
        ) from exc


def counts(checked: Sequence[Checked]) -> Mapping[str, Mapping[str, Any]]:
    """Return stratum -> right, wrong, unreachable, and wrong by field; no value, no person."""
    found: dict[str, dict[str, Any]] = {}
    for one in checked:
        stratum = found.setdefault(
            one.stratum, {"right": 0, "wrong": 0, "unreachable": 0, "fields": {}}
        )
        stratum[one.outcome] += 1
        for field, answer in zip(VERIFIED, one.answers, strict=True):
            if answer == WRONG:
                stratum["fields"][field] = stratum["fields"].get(field, 0) + 1
    return found
