"""The policy matrix as a workbook: who sees which dataset, and every column with its treatment.

For whoever approves a policy and reads spreadsheets, not code. Every cell is text, so that nothing
is taken for a formula.

Source: ECMA-376 (SpreadsheetML).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, BinaryIO

from openpyxl import Workbook
from openpyxl.styles import Alignment, Border, Font, PatternFill, Side
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.properties import PageSetupProperties
from openpyxl.worksheet.worksheet import Worksheet

from access.diff_words import ACTIONS, how
from hub.catalog import Catalog

_HEAD = PatternFill("solid", fgColor="1F4E79")
_HEAD_FONT = Font(bold=True, color="FFFFFF")
_FILLS = {
    "clear": PatternFill("solid", fgColor="FDE9D9"),
    "masked": PatternFill("solid", fgColor="FFF6D5"),
    "generalised": PatternFill("solid", fgColor="EAF1DD"),
}
_TOP = Alignment(vertical="top", wrap_text=True)
_THIN = Side(style="thin", color="BFBFBF")
_GRID = Border(left=_THIN, right=_THIN, top=_THIN, bottom=_THIN)
_LINE_POINTS = 15

_COLUMNS = (
    ("角色 / role", 27), ("部门 / agency", 22), ("目的 / purpose", 26), ("操作 / action", 14),
    ("数据集 / dataset", 38), ("字段 / column", 24), ("名称 / title", 18), ("级别 / level", 10),
    ("显示 / shown", 16), ("方式 / treatment", 22), ("范围 / area", 14), ("事项 / case", 14),
    ("规则 / rules", 34),
)  # fmt: skip
_SHOWN = 9  # the column that is coloured


def write_matrix(
    file: BinaryIO, rows: Sequence[Mapping[str, Any]], catalog: Catalog, about: Mapping[str, str]
) -> None:
    """Write the rows of `access.matrix.matrix`.

    Args:
        about: what the last sheet says: name -> text.
    """
    book = Workbook()
    book.remove(book.worksheets[0])
    _write_roles(book.create_sheet("角色与数据集 Roles"), rows, catalog)
    _write_columns(book.create_sheet("字段 Columns"), rows, catalog)
    _write_about(book.create_sheet("说明 About"), about)
    book.save(file)


def _write_roles(sheet: Worksheet, rows: Sequence[Mapping[str, Any]], catalog: Catalog) -> None:
    """Write one row for each role in an agency, one column for each dataset that is open."""
    datasets = [name for name in catalog if any(row["dataset"] == name for row in rows)]
    cells: dict[tuple[str, str], dict[str, list[str]]] = defaultdict(lambda: defaultdict(list))
    for row in rows:
        post = (f"{row['role_title']}\n{row['role']}", f"{row['agency_title']}\n{row['agency']}")
        cells[post][row["dataset"]].append(_brief(row))
    titles = [f"{catalog[name].title}\n{name}" for name in datasets]
    _head(sheet, [("角色 / role", 22), ("部门 / agency", 20), *((t, 40) for t in titles)])
    for place, (post, found) in enumerate(cells.items(), start=2):
        values = ["\n".join(_folded(found[name])) for name in datasets]
        _line(sheet, place, (*post, *values))
    _finish(sheet, "C2")


def _brief(row: Mapping[str, Any]) -> str:
    where = "本辖区" if row["area"] == "own" else "不限辖区"
    case = "，须事项" if row["case"] == "required" else ""
    numbers = (("明文", row["clear"]), ("遮盖", row["masked"]), ("概括", row["generalised"]))
    shown = " ".join(f"{word}{len(columns)}" for word, columns in numbers if columns)
    return f"{row['purpose_title']}·{ACTIONS[row['action']]}（{where}{case}）{shown}"


def _folded(lines: Iterable[str]) -> Iterator[str]:
    yield from (f"• {line}" for line in dict.fromkeys(lines))


def _write_columns(sheet: Worksheet, rows: Sequence[Mapping[str, Any]], catalog: Catalog) -> None:
    """Write one row for each column that somebody sees."""
    _head(sheet, _COLUMNS)
    place = 1
    for row in rows:
        dataset = catalog[row["dataset"]]
        treated = {
            **dict.fromkeys(row["clear"], "clear"),
            **row["masked"],
            **{name: f"generalised_{what}" for name, what in row["generalised"].items()},
        }
        columns = {column.name: column for column in dataset.columns}
        for name, treatment in treated.items():
            column = columns.get(name)
            zh, en = how(treatment)
            values = (
                f"{row['role_title']} {row['role']}", f"{row['agency_title']} {row['agency']}",
                f"{row['purpose_title']} {row['purpose']}", f"{ACTIONS[row['action']]} {row['action']}",
                f"{dataset.title} {dataset.name}", name, column.title if column else "",
                column.classification.name if column else "L2",
                f"{zh.partition('[')[0]} {en.partition(' [')[0]}", treatment,
                "本辖区 own" if row["area"] == "own" else "不限 any",
                "必填 required" if row["case"] == "required" else "选填 optional",
                ", ".join(row["rules"]),
            )  # fmt: skip
            place += 1
            _line(sheet, place, values)
            fill = _FILLS.get(en.partition(" [")[0])
            if fill is not None:
                sheet.cell(place, _SHOWN).fill = fill
    _finish(sheet, "B2")


def _write_about(sheet: Worksheet, about: Mapping[str, str]) -> None:
    _head(sheet, [("项 / what", 26), ("内容 / says", 100)])
    for place, line in enumerate(about.items(), start=2):
        _line(sheet, place, line)
    sheet.freeze_panes = "A2"


def _head(sheet: Worksheet, columns: Iterable[tuple[str, int]]) -> None:
    for place, (title, width) in enumerate(columns, start=1):
        cell = sheet.cell(1, place)
        _text(cell, title)
        cell.fill, cell.font, cell.alignment = _HEAD, _HEAD_FONT, _TOP
        sheet.column_dimensions[get_column_letter(place)].width = width
    sheet.row_dimensions[1].height = 2.2 * _LINE_POINTS


def _line(sheet: Worksheet, place: int, values: Sequence[str]) -> None:
    most = 1
    for column, value in enumerate(values, start=1):
        cell = sheet.cell(place, column)
        _text(cell, value)
        cell.alignment, cell.border = _TOP, _GRID
        width = sheet.column_dimensions[get_column_letter(column)].width
        most = max(most, sum(_lines(line, width) for line in value.split("\n")))
    sheet.row_dimensions[place].height = most * _LINE_POINTS + 2


def _lines(text: str, width: float) -> int:
    """Return how many lines a text takes; a Chinese character is two columns wide."""
    columns = sum(2 if ord(character) > 0x2E80 else 1 for character in text)
    return max(1, -(-columns // int(width - 2)))


def _text(cell: Any, value: str) -> None:
    cell.value = value
    cell.data_type = "s"  # never a formula, whatever it begins with


def _finish(sheet: Worksheet, below: str) -> None:
    sheet.freeze_panes = below
    sheet.auto_filter.ref = sheet.dimensions
    sheet.page_setup.orientation = "landscape"
    sheet.page_setup.fitToWidth, sheet.page_setup.fitToHeight = 1, 0
    sheet.sheet_properties.pageSetUpPr = PageSetupProperties(fitToPage=True)
    sheet.print_title_rows = "1:1"
