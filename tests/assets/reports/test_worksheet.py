"""The worksheet: what leaves, what comes back, and everything that is refused with its cell."""

from __future__ import annotations

import doctest
import hashlib
import io
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from assets.guarded import reading, sheets
from assets.guarded.sheets import COVER
from assets.reports import worksheet as module
from assets.reports.worksheet import (
    ANSWERS,
    RIGHT,
    SHEET,
    UNREACHABLE,
    WRONG,
    Line,
    counts,
    read_worksheet,
    sample_named,
    write_worksheet,
)
from hub.cells import plain
from hub.errors import DeliveryRefused
from tests.factories import id_number

SAMPLE = "S20260601T040000-abcdef"
LINES = tuple(
    Line(f"99010600100{1 + i % 2}", (f"甲{i}", id_number(i), "0 有效", "=东街1号"))
    for i in range(6)
)


def issued(sample: str = SAMPLE, lines: tuple[Line, ...] = LINES) -> io.BytesIO:
    file = io.BytesIO()
    write_worksheet(file, sample, lines, mark)
    return file


def mark(text: str) -> bytes:
    return hashlib.sha256(b"key" + text.encode()).digest()[:16]


def filled(path: Path, change: Callable[[Any], None] = lambda _: None) -> Path:
    """Write the worksheet with every answer right, then change it."""
    book = openpyxl.load_workbook(issued())
    sheet: Any = book[SHEET]
    for row in range(2, 2 + len(LINES)):
        for column in "GHIJ":
            sheet[f"{column}{row}"] = RIGHT
    change(sheet)
    book.save(path)
    return path


def put(cell: str, value: object) -> Callable[[Any], None]:
    def change(sheet: Any) -> None:
        sheet[cell] = value

    return change


def refused(path: Path) -> tuple[str, ...]:
    with pytest.raises(DeliveryRefused) as refusal:
        read_worksheet(path, SAMPLE, len(LINES), mark)
    said = " ".join((refusal.value.message, *refusal.value.findings))
    assert id_number(1) not in said
    assert "甲" not in said
    return refusal.value.findings


def test_the_examples_hold() -> None:
    for one in (module, reading, sheets):
        assert doctest.testmod(one).failed == 0


def test_a_field_worker_gets_what_is_to_be_verified_and_a_list_of_answers() -> None:
    book = openpyxl.load_workbook(issued())
    sheet: Any = book[SHEET]
    assert book[COVER]["B2"].value == SAMPLE
    shown = [sheet.cell(3, c).value for c in range(2, 7)]
    assert shown == [LINES[1].stratum, *map(plain, LINES[1].values)]
    choices = sheet.data_validations.dataValidation
    assert {choice.formula1 for choice in choices} == {f'"{",".join(ANSWERS)}"'}
    assert [str(choice.sqref) for choice in choices] == ["G2:G7", "H2:H7", "I2:I7", "J2:J7"]
    assert sheet.protection.sheet
    assert sheet["G2"].protection.locked is False
    assert sheet["C2"].protection.locked is True
    assert sheet.column_dimensions["K"].hidden


def test_a_value_that_begins_like_a_formula_stays_text() -> None:
    book = openpyxl.load_workbook(issued())
    assert book[SHEET]["F2"].data_type == "s"


def test_answers_become_counts_by_stratum(tmp_path: Path) -> None:
    def change(sheet: Any) -> None:
        sheet["G2"] = WRONG
        sheet["J2"] = WRONG
        sheet["I3"] = UNREACHABLE
        sheet["H4"], sheet["I4"] = WRONG, UNREACHABLE

    path = filled(tmp_path / "w.xlsx", change)
    assert sample_named(path) == SAMPLE
    found = counts(read_worksheet(path, SAMPLE, len(LINES), mark))
    assert found == {
        "990106001001": {
            "right": 1, "wrong": 2, "unreachable": 0,
            "fields": {"name": 1, "residence": 1, "number": 1},
        },
        "990106001002": {"right": 2, "wrong": 0, "unreachable": 1, "fields": {}},
    }  # fmt: skip


def test_sorted_rows_are_read_all_the_same(tmp_path: Path) -> None:
    def swap(sheet: Any) -> None:
        for column in "ABCDEFGHIJK":
            a, b = sheet[f"{column}2"], sheet[f"{column}7"]
            a.value, b.value = b.value, a.value
            a.data_type = b.data_type = "s"

    path = filled(tmp_path / "w.xlsx", swap)
    assert len(read_worksheet(path, SAMPLE, len(LINES), mark)) == len(LINES)


@pytest.mark.parametrize(
    ("change", "finding"),
    [
        (put("C3", "乙"), "C3: 此栏不得修改"),
        (put("D4", id_number(77)), "D4: 此栏不得修改"),
        (put("B5", "990106001009"), "B5: 此栏不得修改"),
        (put("K3", "0000"), "K3: 此栏不得修改"),
        (put("A3", "3"), "A3: 此栏不得修改"),
        (put("A3", "３"), "A3: 此栏不得修改"),
        (put("G3", None), "G3: 请选择"),
        (put("J7", "对"), "J7: 请选择"),
        (put("G3", "=1+1"), "G3: 请选择"),
        (put("C3", '=HYPERLINK("http://x")'), "C3: 此栏不得修改"),
        (put("C1", "别的"), "C1: 表头已变动"),
        (put("H1", "别的"), "A1: 表头已变动"),
        (put("M4", "备注"), "M4: 此栏不得修改"),
    ],
)
def test_an_edit_in_the_wrong_place_is_refused_with_its_cell(
    change: Callable[[Any], None], finding: str, tmp_path: Path
) -> None:
    findings = refused(filled(tmp_path / "w.xlsx", change))
    assert any(found.startswith(f"{SHEET}!{finding}") for found in findings), findings


def test_a_row_twice_is_refused(tmp_path: Path) -> None:
    def twice(sheet: Any) -> None:
        for column in "ABCDEFGHIJK":
            sheet[f"{column}8"] = sheet[f"{column}2"].value
            sheet[f"{column}8"].data_type = "s"

    found = refused(filled(tmp_path / "w.xlsx", twice))
    assert found == (f"{SHEET}!A8: 重复 / row 1 is here twice",)


def test_a_missing_row_is_named(tmp_path: Path) -> None:
    found = refused(filled(tmp_path / "w.xlsx", lambda sheet: sheet.delete_rows(4)))
    assert found == ("缺 1 行 / rows are missing: no. 3",)


def test_every_finding_comes_at_once(tmp_path: Path) -> None:
    def much(sheet: Any) -> None:
        sheet["C2"], sheet["G3"], sheet["H4"] = "乙", "maybe", None

    assert len(refused(filled(tmp_path / "w.xlsx", much))) == 3


def test_an_unfilled_worksheet_is_told_in_as_many_lines_as_are_read(tmp_path: Path) -> None:
    lines = tuple(Line("990106001001", LINES[0].values) for _ in range(60))
    path = tmp_path / "w.xlsx"
    path.write_bytes(issued(lines=lines).getvalue())
    with pytest.raises(DeliveryRefused) as refusal:
        read_worksheet(path, SAMPLE, len(lines), mark)
    assert len(refusal.value.findings) == 101
    assert refusal.value.findings[-1] == "另有 140 处 / and 140 more"


def test_rows_of_another_sample_do_not_fit(tmp_path: Path) -> None:
    path = filled(tmp_path / "w.xlsx")
    with pytest.raises(DeliveryRefused) as refusal:
        read_worksheet(path, "S-another", len(LINES), mark)
    assert refusal.value.findings


def with_part(path: Path, name: str, data: bytes) -> Path:
    with zipfile.ZipFile(path, "a", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(name, data)
    return path


@pytest.mark.parametrize(
    ("name", "data", "why"),
    [
        ("xl/vbaProject.bin", b"x", "macros"),
        ("xl/externalLinks/externalLink1.xml", b"<a/>", "links"),
        ("xl/theme/theme9.xml", b'<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>', "entities"),
        ("xl/media/zero.bin", bytes(80 << 20), "unpacks"),
    ],
)
def test_a_hostile_workbook_is_not_opened(name: str, data: bytes, why: str, tmp_path: Path) -> None:
    path = with_part(filled(tmp_path / "w.xlsx"), name, data)
    for read in (sample_named, lambda p: read_worksheet(p, SAMPLE, len(LINES), mark)):
        with pytest.raises(DeliveryRefused, match=why):
            read(path)


@pytest.mark.parametrize("data", [b"", b"no workbook", b"PK\x03\x04 cut off"])
def test_what_is_no_workbook_is_refused(data: bytes, tmp_path: Path) -> None:
    path = tmp_path / "w.xlsx"
    path.write_bytes(data)
    with pytest.raises(DeliveryRefused):
        sample_named(path)


def test_another_workbook_is_refused(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    book.save(tmp_path / "w.xlsx")
    with pytest.raises(DeliveryRefused, match="readme"):
        sample_named(tmp_path / "w.xlsx")


def test_a_damaged_stream_is_a_refusal(tmp_path: Path) -> None:
    path = filled(tmp_path / "w.xlsx")
    with zipfile.ZipFile(path) as archive:
        sheet = archive.getinfo("xl/worksheets/sheet2.xml")
    data = bytearray(path.read_bytes())
    start = sheet.header_offset + 30 + len(sheet.filename)
    data[start : start + 64] = b"\xff" * 64
    path.write_bytes(data)
    with pytest.raises(DeliveryRefused):
        read_worksheet(path, SAMPLE, len(LINES), mark)
