"""The register of agencies: read whole, every line that does not fit told at once."""

from __future__ import annotations

from pathlib import Path

import pytest

from hub.agencies import load_agencies
from hub.errors import PolicyError


def test_a_folder_without_the_file_has_the_built_in_register(tmp_path: Path) -> None:
    assert load_agencies(tmp_path) == load_agencies()
    assert load_agencies()["housing"] == "住房管理局"


def test_a_register_of_ones_own_replaces_it(tmp_path: Path) -> None:
    (tmp_path / "agencies.csv").write_text("code,title\nhealth,卫生健康局\n", encoding="utf-8-sig")
    assert load_agencies(tmp_path) == {"health": "卫生健康局"}


def test_every_line_that_does_not_fit_is_told(tmp_path: Path) -> None:
    file = tmp_path / "agencies.csv"
    file.write_text("code,title\nhealth,\nHealth,卫\na,b\na,c\nx\n", encoding="utf-8")
    with pytest.raises(PolicyError) as refused:
        load_agencies(tmp_path)
    assert [f.split(":")[1] for f in refused.value.findings] == ["2", "3", "5", "6"]
    for data in (b"code\nhealth\n", b"", b"\xff\xfe"):
        file.write_bytes(data)
        with pytest.raises(PolicyError, match=r"agencies\.csv"):
            load_agencies(tmp_path)
