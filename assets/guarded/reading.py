"""Reads a guarded workbook back: what was filled in, or everything that is wrong with it at once.

The file comes from outside: its size, what it unpacks to and how far its sheets reach are bounded
before a sheet is opened. A finding names sheet and cell and never repeats what stands there.
"""

from __future__ import annotations

import zipfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import python_calamine as calamine

from assets.delivery.content import Content, content_of
from assets.delivery.limits import Limits
from assets.delivery.returned import capped, check_returned
from assets.delivery.workbook import cell_text
from assets.guarded.sheets import COVER, OF_ROW, SEAL, AnswerColumn, Seal
from hub.errors import DeliveryRefused

_MOST_SHEETS = 200


@dataclass(frozen=True, slots=True)
class Bounds:
    """What a workbook may cost.

    Args:
        rows, columns: the most a sheet of it has; None for what the limits allow.
    """

    limits: Limits
    rows: int | None = None
    columns: int | None = None


@dataclass(frozen=True, slots=True)
class GivenRow:
    """One row as it came back, unchanged but for its answers.

    Args:
        answers: text of each answer column, in their order.
        seal: the seal of the row, which knows the ground it stands on.
    """

    sheet: str
    number: int
    cells: tuple[str, ...]
    answers: tuple[str, ...]
    seal: str

    def place(self, column: int = 0) -> str:
        """Return sheet and cell of a column of the row, from 0."""
        return f"{self.sheet}!{letter(column)}{self.number}"

    def answer_place(self, answer: int) -> str:
        """Return sheet and cell of an answer, from 0."""
        return self.place(len(self.cells) + answer)


class Reading:
    """What reading has found so far."""

    def __init__(self) -> None:
        self.rows: list[GivenRow] = []
        self.findings: list[str] = []

    def require_good(self, says: str) -> None:
        """Refuse the workbook when anything was found.

        Raises:
            DeliveryRefused: the first findings, and how many more there are.
        """
        if self.findings:
            raise DeliveryRefused(says, findings=capped(self.findings))


def read_of(path: Path, name: str, bounds: Bounds) -> str:
    """Return what a workbook says it is of: the code beside a name on its cover.

    Raises:
        DeliveryRefused: when it is no such workbook.
    """
    with _opened(path, bounds) as book:
        return _of(book, name)


def read_workbook(
    path: Path,
    name: str,
    answers: Sequence[AnswerColumn],
    seal_for: Callable[[str], Seal],
    bounds: Bounds,
) -> tuple[str, Reading]:
    """Return what a workbook is of, and its rows with everything that was edited elsewhere.

    Args:
        name: the name on its cover of what it is of.
        seal_for: the seal of the workbooks of a code.

    Raises:
        DeliveryRefused: when it is no such workbook, is damaged, or too large.
    """
    with _opened(path, bounds) as book:
        try:
            code = _of(book, name)
            seal, reading = seal_for(code), Reading()
            for sheet in book.sheet_names:
                if sheet != COVER:
                    _Page(sheet, answers, seal, reading).read(_rows(book.get_sheet_by_name(sheet)))
        except (calamine.CalamineError, zipfile.BadZipFile, OSError, KeyError, ValueError) as exc:
            raise DeliveryRefused(_UNREADABLE) from exc
    return code, reading


_UNREADABLE = "the workbook is damaged or cannot be read: save it again as xlsx"


def _opened(path: Path, bounds: Bounds) -> calamine.CalamineWorkbook:
    try:
        if content_of(path) is not Content.XLSX:
            raise DeliveryRefused(
                "不是本平台发出的工作簿 / this is no workbook that the hub has handed out: "
                "return the xlsx"
            )
        check_returned(path, bounds.limits, rows=bounds.rows, columns=bounds.columns)
        return calamine.CalamineWorkbook.from_path(str(path))
    except (calamine.CalamineError, zipfile.BadZipFile, OSError, KeyError, ValueError) as exc:
        raise DeliveryRefused(_UNREADABLE) from exc


def _of(book: calamine.CalamineWorkbook, name: str) -> str:
    if COVER not in book.sheet_names or len(book.sheet_names) > _MOST_SHEETS:
        raise DeliveryRefused(
            f"the sheet {COVER} is missing: return the workbook as it was handed out"
        )
    rows = list(islice(_rows(book.get_sheet_by_name(COVER)), OF_ROW + 1))
    cells = rows[OF_ROW] if len(rows) > OF_ROW else []
    if len(cells) < 2 or cells[0] != name or not cells[1]:
        raise DeliveryRefused(
            f"{COVER}!A{OF_ROW + 1} must be {name}, and its code stand beside it: return the "
            "workbook as it was handed out"
        )
    return cells[1]


def _rows(sheet: calamine.CalamineSheet) -> Iterator[list[str]]:
    """Yield the rows from the first row and column of the sheet on."""
    if sheet.start is None:
        return
    top, left = sheet.start
    for _ in range(top):
        yield []
    for row in sheet.iter_rows():
        yield [""] * left + [cell_text(cell).strip() for cell in row]


class _Page:
    """The reading of one sheet."""

    def __init__(
        self, name: str, answers: Sequence[AnswerColumn], seal: Seal, reading: Reading
    ) -> None:
        self.name = name
        self.answers = answers
        self.seal = seal
        self.reading = reading
        self.width = 0  # of the columns that are the hub's, once the headings are read

    @property
    def shown(self) -> str:
        """A sheet's name is as long as the hub made it; a longer or odder one is not repeated."""
        return self.name if len(self.name) <= 31 and self.name.isprintable() else "?"

    def read(self, rows: Iterator[list[str]]) -> None:
        """Read headings, then rows."""
        if not self._headings(next(rows, [])):
            return
        for number, cells in enumerate(rows, start=2):
            if any(cells):
                self._row(number, cells + [""] * (self._end - len(cells)))

    @property
    def _end(self) -> int:
        return self.width + len(self.answers) + 1

    def _headings(self, cells: list[str]) -> bool:
        titles = [answer.title for answer in self.answers]
        self.width = cells.index(titles[0]) if titles[0] in cells else 0
        seal = cells[self._end - 1] if len(cells) >= self._end else ""
        if (
            not self.width
            or cells[self.width : self._end - 1] != titles
            or not seal.startswith(f"{SEAL} ")
        ):
            self._find("A", 1, "表头已变动 / the headings are not those handed out")
            return False
        changed = self._changed(cells, seal.removeprefix(f"{SEAL} "))
        for place in changed:
            self._find(place, 1, "表头已变动 / heading changed")
        return not changed

    def _row(self, number: int, cells: list[str]) -> None:
        seal = cells[self._end - 1]
        changed = self._changed(cells, seal)
        for place in changed:
            self._find(place, number, "此栏不得修改 / not to be edited")
        if not changed:
            own, answers = cells[: self.width], cells[self.width : self._end - 1]
            row = GivenRow(self.shown, number, tuple(own), tuple(answers), seal)
            self.reading.rows.append(row)

    def _changed(self, cells: list[str], seal: str) -> list[str]:
        """Return the columns of changed cells, of those added beyond the table, or of the seal."""
        found = self.seal.changed(self.name, cells[: self.width], seal)
        columns = [self._end - 1] if found is None else found
        columns += [self._end + i for i, text in enumerate(cells[self._end :]) if text]
        return [letter(column) for column in columns]

    def _find(self, column: str, row: int, says: str) -> None:
        self.reading.findings.append(f"{self.shown}!{column}{row}: {says}")


def letter(column: int) -> str:
    """Return a column's letters, from 0.

    >>> letter(0), letter(27)
    ('A', 'AB')
    """
    letters = ""
    column += 1
    while column:
        column, rest = divmod(column - 1, 26)
        letters = chr(65 + rest) + letters
    return letters
