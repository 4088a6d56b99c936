from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from assets.demo.truth import TruthRow, compare, read_truth, true_accuracy, write_truth


def _row(number: int, kind: str, detectable: str, subject: str = "") -> TruthRow:
    rule = kind if detectable == "cross-source" else "some_rule"
    return TruthRow("d.s", "2026-06", "f.csv", number, "c", kind, detectable, rule, "k", subject)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    rows = [
        _row(1, "wrong", "check"),
        _row(2, "wrong", "check"),
        _row(3, "conflict", "cross-source", "P1"),
        _row(4, "hidden", "none"),
    ]
    write_truth(tmp_path, "2026-06", rows, {"name": "x"})
    return tmp_path


def test_what_is_written_is_read_back(folder: Path) -> None:
    assert [row.row_number for row in read_truth(folder)] == [1, 2, 3, 4]
    assert '"conflict": 1' in (folder / "summary.json").read_text("utf-8")


def test_caught_and_missed_are_counted_per_kind(folder: Path) -> None:
    result = compare(folder, [("d.s", "f.csv", 1)], [("conflict", "p1")], token=str.lower)
    rates = {row.kind: (row.planted, row.caught, row.rate, row.known_miss) for row in result.rows}

    assert rates == {
        "conflict": (1, 1, 1.0, False),
        "hidden": (1, 0, 0.0, True),
        "wrong": (2, 1, 0.5, False),
    }
    assert [row.kind for row in result.missed] == ["wrong"]


def test_what_was_not_planted_is_a_false_alarm(folder: Path) -> None:
    result = compare(folder, [("d.s", "f.csv", 9)], [("conflict", "P1"), ("conflict", "P2")])

    assert result.false_alarms == (("d.s", "f.csv", 9),)
    assert result.unplanted_conflicts == (("conflict", "P2"),)


def test_only_files_that_were_delivered_count(folder: Path) -> None:
    assert compare(folder, [], files=["other.csv"]).rows == ()


def test_nothing_generated_is_nothing_to_compare(tmp_path: Path) -> None:
    assert compare(tmp_path, []).rows == ()


def test_true_and_measured_accuracy_differ_by_what_is_named(tmp_path: Path) -> None:
    """Row 1 caught, 2 missed by a check, 3 and 4 beyond any rule, 5 blamed for another field."""
    rows = [
        _row(1, "wrong", "check"),
        _row(2, "wrong", "check"),
        _row(3, "conflict", "cross-source", "P1"),
        _row(4, "hidden", "none"),
        replace(_row(5, "other", "check"), column="not_key"),
    ]
    write_truth(tmp_path, "2026-06", rows, {})
    called = [("d.s", "f.csv", 1), ("d.s", "f.csv", 5), ("d.s", "f.csv", 9)]
    (found,) = true_accuracy(tmp_path, {"d.s": 100}, called, {"d.s": ["c"]}, files=["f.csv"])

    assert (found.true_share, found.measured_share) == (0.96, 0.97)
    assert found.unseen == {"conflict": 1, "hidden": 1}
    assert found.beside == {"other": 1}
    assert found.unexplained == 2  # row 2, which a check should have found, and row 9, sound
    nothing = true_accuracy(tmp_path, {"d.s": 100}, [], {"d.s": ["c"]}, files=["other.csv"])
    assert nothing[0].true_share == nothing[0].measured_share == 1.0
