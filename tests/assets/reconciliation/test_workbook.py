"""The workbook there and back: answers come through, everything else is refused, cell by cell."""

from __future__ import annotations

import zipfile
import zlib
from collections.abc import Sequence
from pathlib import Path

import openpyxl
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from assets.guarded.sheets import Sheet
from assets.guarded.writing import write_workbook
from assets.reconciliation.answers import read_answers, refuse_outdated
from assets.reconciliation.sheets import ANSWERS, COLUMNS, seal_of
from hub.cells import plain
from hub.errors import DeliveryRefused
from hub.keyring import Keyring
from hub.store.worklist import Conclusion

COVER = [("校核", "住房"), ("部门 department", "housing")]
HEADINGS = ("编号 item", "姓名 name", "对方 other")
OURS, THEIRS, BOTH, _ = ANSWERS


@pytest.fixture(scope="module")
def keyring(tmp_path_factory: pytest.TempPathFactory) -> Keyring:
    return Keyring.create(tmp_path_factory.mktemp("keys") / "keyring.json")


def made(folder: Path, keyring: Keyring, rows: Sequence[tuple[str, ...]] | None = None) -> Path:
    path = folder / "list.xlsx"
    rows = rows or [("W1", "王五", "李四"), ("W2", "'=1+1", ""), ("W3", "赵六", "x")]
    sheet = Sheet("姓名不一致", HEADINGS, tuple(rows), tuple(f"e-{row[0]}" for row in rows))
    with path.open("wb") as file:
        write_workbook(file, COVER, [sheet], COLUMNS, seal_of(keyring, "housing"))
    return path


def edit(path: Path, **cells: str | None) -> Path:
    book = openpyxl.load_workbook(path)
    for place, value in cells.items():
        book["姓名不一致"][place] = value
    book.save(path)
    return path


def findings(path: Path, keyring: Keyring) -> tuple[str, ...]:
    with pytest.raises(DeliveryRefused) as caught:
        read_answers(path, keyring)
    return caught.value.findings


def test_answers_come_back(tmp_path: Path, keyring: Keyring) -> None:
    path = edit(made(tmp_path, keyring), D2=OURS, D3=BOTH, E3="证件已换发")
    returned = read_answers(path, keyring)
    assert returned.department == "housing"
    assert returned.unanswered == 1
    assert [(a.item, a.conclusion, a.remark) for a in returned.answers] == [
        ("W1", Conclusion.OWN_WRONG, ""),
        ("W2", Conclusion.BOTH_RIGHT, "证件已换发"),
    ]


def test_sorted_and_removed_rows_are_no_edit(tmp_path: Path, keyring: Keyring) -> None:
    path = made(tmp_path, keyring)
    book = openpyxl.load_workbook(path)
    sheet = book["姓名不一致"]
    rows = [[cell.value for cell in row] for row in sheet.iter_rows(min_row=2)]
    sheet.delete_rows(2, 3)
    for row in (rows[2], rows[0]):
        row[3] = THEIRS
        sheet.append(row)
    book.save(path)
    assert [a.item for a in read_answers(path, keyring).answers] == ["W3", "W1"]


@pytest.mark.parametrize(
    ("cells", "places"),
    [
        ({"B2": "另一人"}, ["B2"]),
        ({"A2": "W9"}, ["A2"]),
        ({"B2": "x", "C4": "y", "D3": "maybe"}, ["B2", "C4", "D3"]),
        ({"C3": "added"}, ["C3"]),
        ({"G2": "beside"}, ["G2"]),
        ({"F2": ""}, ["F2"]),
        ({"F2": "0" * 44}, ["A2", "B2", "C2"]),
        ({"B1": "另一栏"}, ["B1"]),
        ({"D1": "另一栏"}, ["A1"]),
        ({"D2": BOTH}, ["E2"]),
        ({"E2": "只有说明"}, ["D2"]),
        ({"D2": OURS, "E2": "长" * 501}, ["E2"]),
        ({"A5": "W7", "D5": OURS}, ["F5"]),
    ],
)
def test_what_is_edited_in_the_wrong_place_is_named(
    tmp_path: Path, keyring: Keyring, cells: dict[str, str], places: list[str]
) -> None:
    found = findings(edit(made(tmp_path, keyring), **cells), keyring)
    assert [f.split("!")[1].split(":")[0] for f in found] == places
    assert not [f for f in found for text in cells.values() if len(text) > 1 and text in f]


def test_answers_about_evidence_that_has_changed_are_named(
    tmp_path: Path, keyring: Keyring
) -> None:
    path = edit(made(tmp_path, keyring), D2=OURS, D4=THEIRS)
    returned = read_answers(path, keyring)
    refuse_outdated(returned, {"W1": "e-W1", "W2": "other", "W3": "e-W3"}, keyring)
    refuse_outdated(returned, {"W1": "e-W1"}, keyring)  # W3 is nobody's to answer any more
    with pytest.raises(DeliveryRefused) as caught:
        refuse_outdated(returned, {"W1": "e-W3", "W3": "e-W3"}, keyring)
    (found,) = caught.value.findings
    assert found.startswith("姓名不一致!A2: ")
    assert "changed since" in found


def test_the_evidence_of_another_row_is_no_evidence(tmp_path: Path, keyring: Keyring) -> None:
    """The end of one row's check says nothing under another's."""
    path = made(tmp_path, keyring)
    sheet = openpyxl.load_workbook(path)["姓名不一致"]
    first, other = str(sheet["F2"].value), str(sheet["F3"].value)
    returned = read_answers(edit(path, D2=OURS, F2=first[:-16] + other[-16:]), keyring)
    with pytest.raises(DeliveryRefused):
        refuse_outdated(returned, {"W1": "e-W2"}, keyring)


def test_a_damaged_member_is_a_refusal(tmp_path: Path, keyring: Keyring) -> None:
    path = made(tmp_path, keyring)
    with zipfile.ZipFile(path) as archive:
        name = "xl/worksheets/sheet2.xml"
        item = archive.getinfo(name)
        start = item.header_offset + 30 + len(name.encode()) + len(item.extra)
    content = bytearray(path.read_bytes())
    content[start : start + 8] = b"\xff" * 8  # no deflate stream begins so
    path.write_bytes(content)
    with zipfile.ZipFile(path) as archive, pytest.raises(zlib.error):
        archive.read(name)
    with pytest.raises(DeliveryRefused, match="damaged"):
        read_answers(path, keyring)


def test_a_row_pasted_twice_is_named(tmp_path: Path, keyring: Keyring) -> None:
    path = edit(made(tmp_path, keyring), D2=OURS)
    book = openpyxl.load_workbook(path)
    sheet = book["姓名不一致"]
    sheet.append([cell.value for cell in sheet[2]])
    book.save(path)
    assert findings(path, keyring) == ("姓名不一致!A5: 重复 / the same item twice",)


def test_another_hubs_or_departments_workbook_is_refused(tmp_path: Path, keyring: Keyring) -> None:
    path = made(tmp_path, keyring)
    other = Keyring.create(tmp_path / "other.json")
    assert findings(path, other)
    book = openpyxl.load_workbook(path)
    book["说明 readme"]["B2"] = "population"
    book.save(path)
    assert findings(path, keyring)


def test_hostile_files_are_refused(tmp_path: Path, keyring: Keyring) -> None:
    text = tmp_path / "a.xlsx"
    text.write_text("item,conclusion\n")
    bomb = made(tmp_path, keyring)
    with zipfile.ZipFile(bomb, "a", zipfile.ZIP_DEFLATED) as archive:
        for number in range(6):
            archive.writestr(f"xl/media/{number}", bytes(100 << 20))
    far = tmp_path / "far"
    far.mkdir()
    wide = edit(made(far, keyring), XFD1048576="x")
    for path, says in ((text, "no workbook"), (bomb, "unpacks to"), (wide, "spans")):
        with pytest.raises(DeliveryRefused, match=says):
            read_answers(path, keyring)


@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.lists(st.text(max_size=30), min_size=1, max_size=4))
@example(["_x0041_", "a_x000D_b", "=cmd|x", "'-1"])
def test_whatever_a_value_is_it_comes_back_as_written(
    tmp_path: Path, keyring: Keyring, values: list[str]
) -> None:
    rows = [(f"W{n}", plain(value), "") for n, value in enumerate(values)]
    assert read_answers(made(tmp_path, keyring, rows), keyring).unanswered == len(values)
    for _, text, _ in rows:
        assert not text.startswith(("=", "+", "-", "@"))


def test_more_findings_than_anybody_reads_are_counted(tmp_path: Path, keyring: Keyring) -> None:
    rows: list[tuple[str, ...]] = [(f"W{n}", "王五", "x") for n in range(150)]
    path = made(tmp_path, keyring, rows)
    found = findings(edit(path, **{f"B{row}": "y" for row in range(2, 152)}), keyring)
    assert len(found) == 101
    assert found[-1] == "另有 50 处 / and 50 more"


def test_macros_are_refused_as_in_a_worksheet(tmp_path: Path, keyring: Keyring) -> None:
    path = made(tmp_path, keyring)
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("xl/vbaProject.bin", b"x")
    with pytest.raises(DeliveryRefused, match="macros"):
        read_answers(path, keyring)
