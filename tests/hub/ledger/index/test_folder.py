"""The index in files: built at any pace it is the same, and what is damaged is refused by name."""

from __future__ import annotations

import multiprocessing
import os
import stat
from collections.abc import Callable, Sequence
from multiprocessing.connection import Connection
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import hub.ledger.index.folder as folder_module
from hub.errors import LedgerError, TamperDetected
from hub.ledger.index.file import RowFile, write_rows
from hub.ledger.index.folder import IndexFolder
from hub.ledger.index.rows import in_order, rows_of
from hub.ledger.index.runs import index_root, runs_of
from tests.hub.ledger.index.naive import absent, root, tag, tags_of

LARGEST = 600
ROOTS = [root(size, tags_of(0, LARGEST)) for size in range(LARGEST + 1)]
GROWING = 4096 + 3 * 256 + 17  # a run of level 1, three of level 0, a tail
FOLDERS = settings(
    max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


@pytest.fixture
def index(tmp_path: Path) -> IndexFolder:
    return IndexFolder(tmp_path / "runs")


def names(path: Path) -> set[str]:
    return {entry.name for entry in (path / "runs").iterdir()}


def test_every_size_has_the_root_of_the_definition(index: IndexFolder) -> None:
    for size in range(LARGEST + 1):
        index.advance(size, tags_of)
        assert index.root(size) == ROOTS[size]


@FOLDERS
@given(steps=st.lists(st.integers(0, 2000), max_size=6))
def test_any_pace_leads_to_the_same_root(
    tmp_path_factory: pytest.TempPathFactory, steps: list[int]
) -> None:
    index = IndexFolder(tmp_path_factory.mktemp("runs"))
    size = 0
    for step in steps:
        former, size = size, size + step
        index.advance(size, tags_of)
        assert index.root(size) == root(size, tags_of(0, size))
        assert index.root(former) == root(former, tags_of(0, former))
        index.forget((size, former))


def test_only_entries_that_are_in_no_run_are_asked_for(index: IndexFolder) -> None:
    asked: list[tuple[int, int]] = []

    def tags(start: int, stop: int) -> Sequence[bytes]:
        asked.append((start, stop))
        return tags_of(start, stop)

    index.advance(4095, tags)
    index.forget([4095])
    asked.clear()
    index.advance(4096, tags)
    assert asked == [(3840, 4096)]
    asked.clear()
    index.advance(4096, tags)
    assert asked == []


def test_a_run_merged_in_parts_is_the_same(
    tmp_path: Path, index: IndexFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    index.advance(GROWING, tags_of)
    monkeypatch.setattr(folder_module, "_SORTED_AT_ONCE", 256)
    merged = IndexFolder(tmp_path / "merged")
    merged.advance(GROWING, tags_of)
    assert merged.root(GROWING) == index.root(GROWING) == root(GROWING, tags_of(0, GROWING))
    one, other = ((tmp_path / f / "0-4096").read_bytes() for f in ("runs", "merged"))
    assert one == other


def test_every_tag_is_proven_where_it_stands_and_no_other(index: IndexFolder) -> None:
    index.advance(GROWING, tags_of)
    runs = index.roots(GROWING)
    assert index_root(GROWING, [r for _, r in runs]) == index.root(GROWING)
    for number in (0, 1, 4095, 4096, 4351, 4352, GROWING - 1):
        place = index.presence(tag(number), number, GROWING)
        ((run, of),) = [(r, h) for r, h in runs if r.start <= number < r.stop]
        assert place.stands(of, run.count)
        assert place.row == tag(number) + number.to_bytes(8)
        with pytest.raises(LedgerError, match=f"from {run.start} to {run.stop - 1} carries"):
            index.absence(tag(number), GROWING)
    for number in range(50):
        proofs = index.absence(absent(number), GROWING)
        for proof, (run, of) in zip(proofs, runs, strict=True):
            assert proof.holds(absent(number), of, run.count)


@pytest.mark.parametrize("position", [-1, 6, 300, 1 << 70])
def test_a_tag_at_another_position_is_not_proven(index: IndexFolder, position: int) -> None:
    index.advance(300, tags_of)
    with pytest.raises(LedgerError, match="no such tag"):
        index.presence(tag(5), position, 300)


def test_an_empty_index_proves_every_absence(index: IndexFolder) -> None:
    index.advance(0, tags_of)
    assert index.absence(tag(0), 0) == ()
    assert index.root(0) == index_root(0, ())


def test_two_entries_with_one_tag_stop_the_index(index: IndexFolder) -> None:
    def tags(start: int, stop: int) -> Sequence[bytes]:
        return [tag(7 if number == 100 else number) for number in range(start, stop)]

    index.advance(100, tags)
    with pytest.raises(TamperDetected, match="entries 7 and 100 carry the same tag"):
        index.advance(101, tags)


def test_two_entries_with_one_tag_are_found_when_their_runs_are_merged(index: IndexFolder) -> None:
    def tags(start: int, stop: int) -> Sequence[bytes]:
        return [tag(7 if number == 1000 else number) for number in range(start, stop)]

    for size in range(256, 4096, 256):
        index.advance(size, tags)
    with pytest.raises(TamperDetected, match="entries 7 and 1000 carry the same tag"):
        index.advance(4096, tags)


@pytest.mark.parametrize("looked_up", [1 << 13, 0])
@pytest.mark.parametrize("since", [0, 256, 300, 599])
def test_one_tag_in_two_runs_is_found(
    index: IndexFolder, monkeypatch: pytest.MonkeyPatch, looked_up: int, since: int
) -> None:
    def tags(start: int, stop: int) -> Sequence[bytes]:
        return [tag(7 if number == 599 else number) for number in range(start, stop)]

    monkeypatch.setattr(folder_module, "_LOOKED_UP", looked_up)
    index.advance(599, tags)
    index.require_distinct(599)
    index.require_distinct(599, since)
    index.advance(600, tags)
    with pytest.raises(TamperDetected, match="entries 7 and 599 carry the same tag"):
        index.require_distinct(600, since)


def test_what_was_checked_already_is_not_looked_up_again(index: IndexFolder) -> None:
    def tags(start: int, stop: int) -> Sequence[bytes]:
        return [tag(7 if number == 500 else number) for number in range(start, stop)]

    index.advance(600, tags)
    index.require_distinct(600, 501)
    with pytest.raises(TamperDetected):
        index.require_distinct(600, 500)
    index.require_distinct(0)


def test_tags_that_are_fewer_than_the_entries_are_refused(index: IndexFolder) -> None:
    with pytest.raises(LedgerError, match="from 0 to 9 not all have a tag"):
        index.advance(10, lambda start, stop: tags_of(start, stop - 1))


def test_what_no_size_needs_is_removed_with_what_a_crash_left(
    tmp_path: Path, index: IndexFolder
) -> None:
    index.advance(300, tags_of)
    index.advance(4096, tags_of)
    (tmp_path / "runs" / ".0.part").write_bytes(b"half")
    open_before = index.presence(tag(5), 5, 300)
    index.forget([4096])
    assert names(tmp_path) == {"0-4096"}
    assert index.presence(tag(5), 5, 300) == open_before  # a reader has it open
    with pytest.raises(LedgerError, match="0-256 of the ledger is not there"):
        IndexFolder(tmp_path / "runs").root(300)


def test_files_are_private(tmp_path: Path, index: IndexFolder) -> None:
    index.advance(300, tags_of)
    assert stat.S_IMODE((tmp_path / "runs").stat().st_mode) == 0o700
    for name in names(tmp_path):
        assert stat.S_IMODE((tmp_path / "runs" / name).stat().st_mode) == 0o600


def test_what_is_there_is_kept_after_a_crash_between_files(
    tmp_path: Path, index: IndexFolder
) -> None:
    def failing(start: int, stop: int) -> Sequence[bytes]:
        if start >= 512:
            raise OSError(28, "no space")
        return tags_of(start, stop)

    with pytest.raises(OSError, match="no space"):
        index.advance(700, failing)
    assert names(tmp_path) == {"0-256", "256-512"}
    again = IndexFolder(tmp_path / "runs")
    again.advance(700, tags_of)
    assert again.root(700) == root(700, tags_of(0, 700))


def test_a_file_that_cannot_be_written_leaves_nothing(
    tmp_path: Path, index: IndexFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(handle: int) -> None:
        raise OSError(5, "input/output error")

    with monkeypatch.context() as patched:
        patched.setattr(os, "fsync", fail)
        with pytest.raises(OSError, match="input/output"):
            index.advance(300, tags_of)
    assert names(tmp_path) == set()
    index.advance(300, tags_of)
    assert index.root(300) == ROOTS[300]


def read(path: Path, size: int, found: Connection) -> None:
    index = IndexFolder(path)
    found.send((index.root(size), index.presence(tag(3), 3, size)))


def test_another_process_reads_what_was_written(tmp_path: Path, index: IndexFolder) -> None:
    index.advance(600, tags_of)
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=read, args=(tmp_path / "runs", 600, theirs))
    process.start()
    assert ours.recv() == (ROOTS[600], index.presence(tag(3), 3, 600))
    process.join()
    assert process.exitcode == 0


Damage = Callable[[bytes], bytes]


@pytest.mark.parametrize(
    ("damage", "problem"),
    [
        (lambda data: b"", "it is empty"),
        (lambda data: b"x", "trailer"),
        (lambda data: data[:-1], "trailer"),
        (lambda data: data + b"\x00", "trailer"),
        (lambda data: data[:-1] + bytes([data[-1] ^ 1]), "trailer"),
        (lambda data: data[:-40] + bytes([data[-40] ^ 1]) + data[-39:], "trailer"),
        (lambda data: data[40:], "length"),
        (lambda data: bytes(8) + data, "length"),
    ],
)
def test_a_damaged_file_is_refused(tmp_path: Path, damage: Damage, problem: str) -> None:
    IndexFolder(tmp_path / "runs").advance(256, tags_of)
    path = tmp_path / "runs" / "0-256"
    path.write_bytes(damage(path.read_bytes()))
    with pytest.raises(LedgerError, match=rf"0-256 of the ledger is damaged: .*{problem}.*built"):
        IndexFolder(tmp_path / "runs").root(256)


def test_a_file_under_another_files_name_is_refused(tmp_path: Path, index: IndexFolder) -> None:
    index.advance(512 + 20, tags_of)
    index.advance(512 + 30, tags_of)
    folder = tmp_path / "runs"
    (folder / "0-256").rename(folder / "aside")
    (folder / "256-512").rename(folder / "0-256")
    (folder / "512-532").rename(folder / "512-542")
    fresh = IndexFolder(folder)
    with pytest.raises(LedgerError, match=r"0-256 .*another kind or number"):
        fresh.presence(tag(0), 0, 512)
    with pytest.raises(LedgerError, match=r"512-542 .*another run's"):
        fresh.presence(tag(520), 520, 542)


def test_every_damaged_byte_is_found_by_whoever_reads_it(tmp_path: Path) -> None:
    IndexFolder(tmp_path / "runs").advance(200, tags_of)
    path = tmp_path / "runs" / "0-200"
    sound = path.read_bytes()
    for at in range(0, len(sound), 397):
        path.write_bytes(sound[:at] + bytes([sound[at] ^ 0x80]) + sound[at + 1 :])
        index = IndexFolder(tmp_path / "runs")
        found = 0
        for number in range(200):
            try:
                place = index.presence(tag(number), number, 200)
                assert place.stands(index.roots(200)[0][1], 200)
            except LedgerError:
                found += 1
        assert found, at


def test_a_damaged_run_is_not_merged(tmp_path: Path, index: IndexFolder) -> None:
    index.advance(4095, tags_of)
    path = tmp_path / "runs" / "512-768"
    data = bytearray(path.read_bytes())
    data[1000] ^= 1
    path.write_bytes(data)
    index = IndexFolder(tmp_path / "runs")
    with pytest.raises(LedgerError, match=r"512-768 .*its rows are not what was written"):
        index.advance(4096, tags_of)
    path.unlink()
    again = IndexFolder(tmp_path / "runs")
    again.advance(4096, tags_of)
    assert again.root(4096) == root(4096, tags_of(0, 4096))


def test_a_file_cut_into_chunks_at_will_is_the_same(tmp_path: Path) -> None:
    rows = in_order(rows_of(9, tags_of(0, 333)))
    write_rows(tmp_path / "whole", 9, 40, [rows])
    write_rows(tmp_path / "cut", 9, 40, np.array_split(rows, [1, 16, 17, 100, 101, 330]))
    assert (tmp_path / "whole").read_bytes() == (tmp_path / "cut").read_bytes()
    write_rows(tmp_path / "cut", 9, 40, [rows[:3]])  # the one that is there stays
    assert RowFile(tmp_path / "cut", 9, 40, "").count == 333


def test_the_largest_cut_covers_what_the_folder_names(tmp_path: Path, index: IndexFolder) -> None:
    index.advance(GROWING, tags_of)
    assert {f"{run.start}-{run.stop}" for run in runs_of(GROWING)} <= names(tmp_path)
