"""Workbooks that come back: bounded and searched whole, whatever their parts are called."""

from __future__ import annotations

import zipfile
from pathlib import Path

import pytest

from assets.delivery.limits import Limits
from assets.delivery.returned import check_returned
from hub.errors import DeliveryRefused

LIMITS = Limits(file_bytes=1 << 20, clear_bytes=4 << 20, cells=1_000)


def book(path: Path, part: str, data: bytes) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/workbook.xml", b"<workbook/>")
        archive.writestr(part, data)
    return path


def check(path: Path) -> None:
    check_returned(path, LIMITS, rows=50, columns=20)


@pytest.mark.parametrize("part", ["xl/worksheets/sheet1.xml", "elsewhere/SHEET.XML", "xl/plain"])
@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"<row>" + b"<c/>" * 100_000 + b"</row>", "more rows or columns"),
        (b"<x-y:row>" + b"<x-y:c />" * 100_000, "more rows or columns"),
        (("<row>" + "<c/>" * 100_000).encode("utf-16"), "more rows or columns"),
        (b"<row/>" * 200, "more rows or columns"),
        (b'<c r="A51"/>', "more rows or columns"),
        (b"<c s='1' r = 'U1'/>", "more rows or columns"),
        (b" " * 3_000_000 + b'<!DOCTYPE a [<!ENTITY b "c">]>', "entities"),
        (b" " * ((1 << 20) - 4) + b"<!DOCTYPE a>", "entities"),
        ("<!DOCTYPE a>".encode("utf-16-be"), "entities"),
        (bytes(5 << 20), "unpacks to"),
    ],
)
def test_what_was_not_handed_out_is_refused_by_any_name(
    tmp_path: Path, part: str, data: bytes, says: str
) -> None:
    with pytest.raises(DeliveryRefused, match=says):
        check(book(tmp_path / "w.xlsx", part, data))


def test_what_was_handed_out_passes(tmp_path: Path) -> None:
    rows = "".join(f'<row r="{n}"><c r="A{n}"/><c r="T{n}"/></row>' for n in range(1, 51))
    far = b'<row r="1048576" hidden="false"/>'  # as LibreOffice ends a sheet
    check(book(tmp_path / "w.xlsx", "xl/worksheets/sheet1.xml", rows.encode() + far))


def test_a_part_larger_than_it_states_is_refused(tmp_path: Path) -> None:
    """Readers that do not believe the stated size would unpack all of it."""
    size = 0x876543
    path = book(tmp_path / "w.xlsx", "xl/media/a", bytes(size))
    data = path.read_bytes()
    assert data.count(size.to_bytes(4, "little")) == 2  # at the part, and in the directory
    lie = data.replace(size.to_bytes(4, "little"), (10).to_bytes(4, "little"))
    path.write_bytes(lie)
    with pytest.raises(DeliveryRefused, match="unpacks to"):
        check(path)


def test_a_locked_or_damaged_one_is_refused(tmp_path: Path) -> None:
    path = book(tmp_path / "w.xlsx", "xl/worksheets/sheet1.xml", b"<row/>")
    with zipfile.ZipFile(path) as archive:
        start = archive.infolist()[1].header_offset + 30 + len("xl/worksheets/sheet1.xml")
    data = bytearray(path.read_bytes())
    data[start] = 0xFF
    path.write_bytes(data)
    with pytest.raises(DeliveryRefused, match="damaged"):
        check(path)
