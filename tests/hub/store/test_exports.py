"""Files of persons that wait to be fetched: sealed, their owner's, for a day, whole."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path

import pytest

from hub.errors import NotFound, SourceError
from hub.keyring import Keyring
from hub.sealing import CHUNK_BYTES
from hub.store.exports import KEPT, ExportFile, ExportFolder

NOW = datetime(2026, 3, 7, 9, 30, tzinfo=UTC)
NUMBER, OTHER = "0" * 32, "1" * 32
TEXT = b"\xe5\xa7\x93" * (CHUNK_BYTES // 2)  # more than a chunk


@pytest.fixture
def folder(tmp_path: Path) -> ExportFolder:
    keyring = Keyring.create(tmp_path / "keyring.json")
    return ExportFolder(tmp_path / "exports", keyring)


def offered(folder: ExportFolder, number: str = NUMBER, text: bytes = TEXT) -> ExportFile:
    written = folder.write(number, iter((text[:7], b"", text[7:])))
    assert (written.size_bytes, written.sha256) == (len(text), sha256(text).hexdigest())
    file = ExportFile(
        number, "ab" * 16, "csv", 2, 3, written.size_bytes, written.sha256, ("grant-1",), NOW + KEPT
    )
    folder.offer(file)
    return file


@pytest.mark.parametrize("text", [TEXT, b"", b"x", bytes(CHUNK_BYTES)])
def test_it_is_given_back_as_it_was(folder: ExportFolder, text: bytes) -> None:
    file = offered(folder, text=text)
    found = folder.find(NUMBER, file.account, NOW)
    assert found == file
    assert b"".join(folder.open(found)) == text


def test_nothing_of_it_lies_in_clear_and_nobody_else_reads_it(
    folder: ExportFolder, tmp_path: Path
) -> None:
    offered(folder)
    paths = list((tmp_path / "exports").iterdir())
    assert {path.suffix for path in paths} == {".sealed", ".json"}
    assert (tmp_path / "exports").stat().st_mode & 0o777 == 0o700
    for path in paths:
        assert path.stat().st_mode & 0o777 == 0o600
        assert TEXT[:12] not in path.read_bytes()


def test_it_is_nobodys_before_it_is_offered_and_after_a_day(folder: ExportFolder) -> None:
    folder.write(OTHER, [b"x"])
    file = offered(folder)
    for number, account, now in (
        (OTHER, file.account, NOW),
        (NUMBER, "cd" * 16, NOW),
        (NUMBER, file.account, NOW + KEPT),
        ("../" + NUMBER, file.account, NOW),
        ("", file.account, NOW),
    ):
        with pytest.raises(NotFound):
            folder.find(number, account, now)
    folder.discard(NUMBER)
    with pytest.raises(NotFound):
        folder.open(file)


def test_what_cannot_be_made_whole_is_not_there(folder: ExportFolder, tmp_path: Path) -> None:
    def chunks() -> Iterator[bytes]:
        yield TEXT
        raise SourceError("no more")

    with pytest.raises(SourceError):
        folder.write(NUMBER, chunks())
    assert list((tmp_path / "exports").iterdir()) == []


def test_what_was_changed_or_swapped_is_found(folder: ExportFolder, tmp_path: Path) -> None:
    one, other = offered(folder), offered(folder, OTHER, b"y" * len(TEXT))
    paths = [tmp_path / "exports" / f"{number}.sealed" for number in (NUMBER, OTHER)]
    first, second = (path.read_bytes() for path in paths)
    paths[0].write_bytes(second)
    with pytest.raises(SourceError, match="not the one that was recorded"):
        b"".join(folder.open(one))
    for damaged in (second[:-1], second[: CHUNK_BYTES // 2], first[:20] + second[20:], b""):
        paths[1].write_bytes(damaged)
        with pytest.raises(SourceError):
            b"".join(folder.open(other))


@pytest.mark.parametrize("said", ["", "[]", "{}", '{"grants":[],"expires":"x"}'])
def test_a_description_that_cannot_be_read_gives_nothing(
    folder: ExportFolder, tmp_path: Path, said: str
) -> None:
    file = offered(folder)
    (tmp_path / "exports" / f"{NUMBER}.json").write_text(said)
    with pytest.raises(SourceError):
        folder.find(NUMBER, file.account, NOW)
    folder.sweep(NOW)
    assert list((tmp_path / "exports").iterdir()) == []


def test_what_has_expired_or_was_left_is_swept(folder: ExportFolder, tmp_path: Path) -> None:
    file = offered(folder)
    folder.write(OTHER, [b"left by a crash"])
    folder.sweep(NOW)
    assert len(list((tmp_path / "exports").iterdir())) == 3
    long_ago = time.time() - timedelta(days=2).total_seconds()
    os.utime(tmp_path / "exports" / f"{OTHER}.sealed", (long_ago, long_ago))
    os.utime(tmp_path / "exports" / f"{NUMBER}.sealed", (long_ago, long_ago))
    folder.sweep(NOW)  # what is offered stays for its day, whatever the machine's clock says
    assert {path.stem for path in (tmp_path / "exports").iterdir()} == {NUMBER}
    folder.sweep(NOW + KEPT)
    assert list((tmp_path / "exports").iterdir()) == []
    folder.offer(replace(file, number=OTHER))
    said = json.loads((tmp_path / "exports" / f"{OTHER}.json").read_text())
    assert said["expires"] == (NOW + KEPT).isoformat()
