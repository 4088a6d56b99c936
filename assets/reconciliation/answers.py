"""Reads a department's workbook back: its answers, or everything that is wrong with it at once.

The file comes from outside: its size, what it unpacks to and how far its sheets reach are bounded
before a sheet is opened. A finding names sheet and cell and never repeats what stands there.
"""

from __future__ import annotations

import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import python_calamine as calamine

from assets.delivery.content import Content, content_of
from assets.delivery.limits import Limits
from assets.delivery.returned import capped, check_returned
from assets.delivery.workbook import cell_text
from assets.reconciliation.sheets import (
    ANSWERS,
    CHECK,
    CONCLUSION,
    COVER,
    DEPARTMENT_ROW,
    LONGEST_REMARK,
    REMARK,
    Checks,
)
from hub.errors import DeliveryRefused
from hub.keyring import Keyring
from hub.store.worklist import Conclusion

LIMITS = Limits(file_bytes=64 << 20, clear_bytes=512 << 20, ratio=100, cells=5_000_000)
_MOST_SHEETS = 200
_EDITED = (
    "只能填写“结论”和“说明”两栏，整份退回 / only the two answer columns may be filled in: "
    "nothing was taken; mend the cells named and return the workbook again"
)
_OUTDATED = (
    "导出后记录已变动，整份退回 / records have changed since the workbook was handed out: nothing "
    "was taken; clear the answers named, or export again and answer there"
)


@dataclass(frozen=True, slots=True)
class GivenAnswer:
    """What a department says of one item.

    Args:
        place: sheet and cell of the item's name.
        check: the check of its row, which knows the evidence that was shown.
    """

    item: str
    conclusion: Conclusion
    remark: str
    place: str
    check: str


@dataclass(frozen=True, slots=True)
class Returned:
    """A workbook that came back whole: whose it is, its answers, and how many rows have none."""

    department: str
    answers: tuple[GivenAnswer, ...]
    unanswered: int


class _Reading:
    """What reading has found so far."""

    def __init__(self) -> None:
        self.findings: list[str] = []
        self.answers: dict[str, GivenAnswer] = {}
        self.unanswered = 0


def read_answers(path: Path, keyring: Keyring, limits: Limits = LIMITS) -> Returned:
    """Return the answers of a workbook that the hub has handed out.

    Args:
        limits: what it may cost.

    Raises:
        DeliveryRefused: when it is no such workbook, or a cell that is not an answer was changed, or
            an answer is none of those offered; every finding at once.
    """
    _check_file(path, limits)
    try:
        with calamine.CalamineWorkbook.from_path(str(path)) as book:
            return _read(book, keyring)
    except (calamine.CalamineError, zipfile.BadZipFile, OSError, KeyError, ValueError) as exc:
        raise DeliveryRefused("the workbook cannot be read: save it again as xlsx") from exc


def refuse_outdated(returned: Returned, evidence: Mapping[str, str], keyring: Keyring) -> None:
    """Refuse answers about other evidence than an item has now.

    Args:
        evidence: item -> fingerprint of its evidence; items that are not in it are let pass.

    Raises:
        DeliveryRefused: names the cell of each such item.
    """
    checks = Checks(keyring, returned.department)
    findings = [
        f"{one.place}: 该项已有变动，请重新导出 / this conflict has changed since: export again"
        for one in returned.answers
        if one.item in evidence and not checks.is_about(one.check, evidence[one.item])
    ]
    if findings:
        raise _refusal(_OUTDATED, findings)


def _check_file(path: Path, limits: Limits) -> None:
    try:
        if path.stat().st_size > limits.file_bytes:
            raise DeliveryRefused(f"the workbook is larger than {limits.file_bytes >> 20} MiB")
        if content_of(path) is not Content.XLSX:
            raise DeliveryRefused(
                "this is no workbook that the hub has handed out: return the xlsx"
            )
        check_returned(path, limits)
    except OSError as exc:
        raise DeliveryRefused("the workbook cannot be read") from exc


def _read(book: calamine.CalamineWorkbook, keyring: Keyring) -> Returned:
    names = book.sheet_names
    if COVER not in names or len(names) > _MOST_SHEETS:
        raise DeliveryRefused(
            f"the sheet {COVER} is missing: return the workbook as it was handed out"
        )
    department = _department(book)
    reading = _Reading()
    checks = Checks(keyring, department)
    for name in names:
        if name != COVER:
            _read_sheet(book, name, checks, reading)
    if reading.findings:
        raise _refusal(_EDITED, reading.findings)
    return Returned(department, tuple(reading.answers.values()), reading.unanswered)


def _refusal(says: str, findings: list[str]) -> DeliveryRefused:
    return DeliveryRefused(says, findings=capped(findings))


def _department(book: calamine.CalamineWorkbook) -> str:
    rows = list(islice(_rows(book.get_sheet_by_name(COVER)), DEPARTMENT_ROW + 1))
    cells = rows[DEPARTMENT_ROW] if len(rows) > DEPARTMENT_ROW else []
    if len(cells) < 2 or not cells[1]:
        raise DeliveryRefused(f"{COVER}!B{DEPARTMENT_ROW + 1}: the department's code is missing")
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


def _read_sheet(
    book: calamine.CalamineWorkbook, name: str, checks: Checks, reading: _Reading
) -> None:
    rows = _rows(book.get_sheet_by_name(name))
    shown = _shown(name)
    header = next(rows, [])
    width = header.index(CONCLUSION) if CONCLUSION in header else 0
    check = header[width + 2] if len(header) > width + 2 else ""
    if not width or header[width + 1] != REMARK or not check.startswith(f"{CHECK} "):
        reading.findings.append(f"{shown}!A1: 表头已变动 / the headings are not those handed out")
        return
    digits = check.removeprefix(f"{CHECK} ")
    changed = _changed(checks, name, header[:width], digits, header[width + 3 :])
    if changed:
        reading.findings += [f"{shown}!{place}1: 表头已变动 / heading changed" for place in changed]
        return
    for number, cells in enumerate(rows, start=2):
        if any(cells):
            _read_row(name, number, cells + [""] * (width + 3 - len(cells)), width, checks, reading)


def _read_row(
    name: str, number: int, cells: list[str], width: int, checks: Checks, reading: _Reading
) -> None:
    shown = _shown(name)
    changed = _changed(checks, name, cells[:width], cells[width + 2], cells[width + 3 :])
    if changed:
        reading.findings += [
            f"{shown}!{place}{number}: 此栏不得修改 / not to be edited" for place in changed
        ]
        return
    item, conclusion, remark = cells[0], cells[width], cells[width + 1]
    if item in reading.answers:
        reading.findings.append(f"{shown}!A{number}: 重复 / the same item twice")
        return
    if not conclusion:
        if remark:
            place = f"{shown}!{_letter(width)}{number}"
            reading.findings.append(f"{place}: 有说明、无结论 / a remark without a conclusion")
        reading.unanswered += 1
        return
    problem = _problem(conclusion, remark)
    if problem is not None:
        place = _letter(width + problem[0])
        reading.findings.append(f"{shown}!{place}{number}: {problem[1]}")
        return
    reading.answers[item] = GivenAnswer(
        item, ANSWERS[conclusion], remark, f"{shown}!A{number}", cells[width + 2]
    )


def _problem(conclusion: str, remark: str) -> tuple[int, str] | None:
    """Return what is wrong with an answer: 0 for the conclusion, 1 for the remark, and why."""
    if conclusion not in ANSWERS:
        return 0, f"请选择 / choose one of: {'; '.join(ANSWERS)}"
    if len(remark) > LONGEST_REMARK:
        return 1, f"说明过长 / at most {LONGEST_REMARK} characters"
    if ANSWERS[conclusion] is Conclusion.BOTH_RIGHT and not remark:
        return 1, "请写明理由 / say why both are right"
    return None


def _changed(
    checks: Checks, name: str, cells: list[str], check: str, beyond: list[str]
) -> list[str]:
    """Return the columns of changed cells, of those added beyond the table, or of the check."""
    width = len(cells)
    found = checks.changed(name, cells, check)
    columns = [width + 2] if found is None else found
    columns += [width + 3 + i for i, text in enumerate(beyond) if text]
    return [_letter(column) for column in columns]


def _letter(column: int) -> str:
    """Return a column's letters, from 0.

    >>> _letter(0), _letter(27)
    ('A', 'AB')
    """
    letters = ""
    column += 1
    while column:
        column, rest = divmod(column - 1, 26)
        letters = chr(65 + rest) + letters
    return letters


def _shown(name: str) -> str:
    """A sheet's name is as long as the hub made it; a longer or odder one is not repeated."""
    return name if len(name) <= 31 and name.isprintable() else "?"
