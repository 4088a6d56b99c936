"""Verdicts leave and come back as JSON, and become tables and feedback without any value."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest

from contracts.checks import plan
from contracts.feedback import HEADER, MOST_WARNINGS, write_feedback
from contracts.model import PublishBar
from contracts.verdict import BatchVerdict, judge
from tests.contracts.small import check, contract, engine

COLUMNS = """
- name: secret
  businessName: 机密
  logicalType: integer
  classification: L4
  criticalDataElement: true
  quality:
    - {name: mostly_there, type: library, metric: nullValues, mustBeLessThan: 10, unit: percent}
"""
QUALITY = """
- name: small_number
  type: custom
  engine: mingjing
  severity: warning
  implementation: {rule: expression, sql: "secret < 1000"}
  description: 请核实。 / Verify it.
- {name: has_rows, type: library, metric: rowCount, mustBeGreaterThan: 0, description: 请重报。 / Again.}
"""
ROWS: list[list[str | None]] = [["k1", "5"], ["k2", "SECRETWORD"], ["k3", "424242"], [" k4", None]]


def test_a_verdict_comes_back_from_json_as_it_was(tmp_path: Path) -> None:
    with engine() as con:
        verdict = check(con, contract(tmp_path, COLUMNS, QUALITY), ROWS)
    text = json.dumps(verdict.to_json(), ensure_ascii=False, allow_nan=False)
    assert BatchVerdict.from_json(json.loads(text)) == verdict
    assert "SECRETWORD" not in text
    assert "424242" not in text


def test_feedback_names_row_column_rule_and_remedy_and_no_value(tmp_path: Path) -> None:
    of = contract(tmp_path, COLUMNS, QUALITY)
    path = tmp_path / "batch.csv"
    with engine() as con:
        verdict = check(con, of, ROWS)
        assert write_feedback(con, of, plan(of), verdict, path, first_line=2) == 3
    assert path.read_bytes().startswith(b"\xef\xbb\xbf")
    text = path.read_text("utf-8-sig")
    assert "SECRETWORD" not in text
    assert "424242" not in text
    header, *rows = csv.reader(text.splitlines())
    assert tuple(header) == HEADER
    assert [(row[0], row[1], row[3], row[4][:2]) for row in rows] == [
        ("", "", "mostly_there", "错误"),
        ("2", "3", "type.secret", "错误"),
        ("3", "4", "small_number", "提示"),
    ]
    assert rows[1][2] == "机密"
    assert rows[2][5] == "请核实。 / Verify it."
    assert list(tmp_path.glob(".*")) == []


def test_feedback_lists_a_common_warning_up_to_a_limit(tmp_path: Path) -> None:
    of = contract(tmp_path, COLUMNS, QUALITY)
    path = tmp_path / "batch.csv"
    with engine() as con:
        rows = [[f"k{n}", "424242"] for n in range(MOST_WARNINGS + 5)] + [["l", "word"]]
        verdict = check(con, of, rows)
        assert write_feedback(con, of, plan(of), verdict, path) == MOST_WARNINGS + 1
    assert verdict.result("small_number").failing == MOST_WARNINGS + 5
    last = path.read_text("utf-8-sig").splitlines()[-1]
    assert last.startswith(f"{MOST_WARNINGS + 6},")


@pytest.mark.parametrize(
    ("rows", "overall", "key", "stopped", "passed", "words"),
    [
        (0, None, None, (), False, "no rows"),
        (100, 1.0, 1.0, (), True, "reach the publish bar"),
        (100, 0.9, 0.97, (), True, "97.00 %"),
        (100, 0.89999, 0.99, (), False, "89.99 %"),
        (100, 0.99, 0.96999, (), False, "96.99 %"),
        (100, 1.0, 1.0, ("至少一行 / has rows",), False, "至少一行"),
    ],
)
def test_the_publish_bar(
    rows: int,
    overall: float | None,
    key: float | None,
    stopped: tuple[str, ...],
    passed: bool,
    words: str,
) -> None:
    result, reason = judge(rows, overall, key, PublishBar(97, 90), stopped)
    assert result is passed
    assert words in reason
