"""Private files: nobody else reads them, and a name never holds half of one."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import BinaryIO

import pytest

from hub.files import open_private, whole, write_new, write_over


def test_a_new_file_is_whole_and_private(tmp_path: Path) -> None:
    path = tmp_path / "list"
    digest = write_new(path, whole(b"whole"))
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


def test_a_file_is_replaced_whole_private_and_leaves_no_draft(tmp_path: Path) -> None:
    path = tmp_path / "kept.json"
    for data in (b"first", b"second, and longer"):
        write_over(path, data)
        assert path.read_bytes() == data
        assert path.stat().st_mode & 0o777 == 0o600
    assert [found.name for found in tmp_path.iterdir()] == ["kept.json"]


def test_what_was_there_stays_when_the_new_cannot_be_made_durable(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "kept.json"
    write_over(path, b"first")

    def full(_handle: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(OSError, match="No space"):
        write_over(path, b"second")
    assert path.read_bytes() == b"first"
    assert [found.name for found in tmp_path.iterdir()] == ["kept.json"]
