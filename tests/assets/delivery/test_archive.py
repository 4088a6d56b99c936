"""Archives and workbooks: bounded before anything reads them."""

from __future__ import annotations

import zipfile
from pathlib import Path

import pytest

from assets.delivery.archive import check_workbook
from assets.delivery.limits import Limits
from hub.errors import DeliveryRefused


@pytest.mark.parametrize(
    "sheet",
    [
        b'<row><c r="A1"/><c r="XFD1048576"/></row>',
        b"<row><c s='1' r='A1'/><c t='n' r='XFD1048576'/></row>",
        b'<x:row><x:c r="XFD1048576"/></x:row>',
        b'<mergeCells><mergeCell ref="A1:XFD1048576"/></mergeCells>',
    ],
)
def test_a_sheet_that_spans_more_than_anything_real_is_refused(
    tmp_path: Path, sheet: bytes
) -> None:
    """A thousand bytes can make a reader allocate the whole grid and end the process."""
    path = tmp_path / "book.xlsx"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("xl/worksheets/sheet1.xml", b"<sheetData>" + sheet + b"</sheetData>")
    with pytest.raises(DeliveryRefused, match="stray cells"):
        check_workbook(path, Limits())
