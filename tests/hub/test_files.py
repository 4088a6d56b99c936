"""Private files: nobody else reads them, and a name never holds half of one."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import BinaryIO

import pytest

from hub.files import open_private, write_new


def whole(file: BinaryIO) -> None:
    file.write(b"whole")


def test_a_new_file_is_whole_and_private(tmp_path: Path) -> None:
    path = tmp_path / "list"
    digest = write_new(path, whole)
    assert digest == hashlib.sha256(b"whole").hexdigest()
    assert path.read_bytes() == b"whole"
    assert path.stat().st_mode & 0o777 == 0o600
    assert [p.name for p in tmp_path.iterdir()] == ["list"]


def test_a_name_that_is_taken_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "list"
    path.write_bytes(b"theirs")
    with pytest.raises(FileExistsError):
        write_new(path, lambda file: None)
    with pytest.raises(FileExistsError):
        open_private(path)
    assert path.read_bytes() == b"theirs"


def test_what_fails_half_way_leaves_nothing(tmp_path: Path) -> None:
    def half(file: BinaryIO) -> None:
        file.write(b"half")
        raise ValueError("power cut")

    with pytest.raises(ValueError, match="power cut"):
        write_new(tmp_path / "list", half)
    assert list(tmp_path.iterdir()) == []
