"""Great Expectations tells the same story as the verdicts, in its own words and files.

Importing GX costs seconds, so everything about it is in one test of one run.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.contracts.small import check, contract, engine

COLUMNS = """
- {name: n, logicalType: integer, classification: L4, required: true}
- {name: d, logicalType: date, classification: L4}
"""
QUALITY = """
- {name: has_rows, type: library, metric: rowCount, mustBeGreaterThan: 0}
- {name: not_two, type: sql, query: "SELECT count(*) FROM ${object}", mustNotBe: 2}
- {name: few, type: sql, query: "SELECT count(*) FROM ${object}", mustBeLessThan: 9, severity: warning}
"""


@pytest.mark.xdist_group("great_expectations")
def test_suites_results_and_docs_are_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from contracts import expectations
    from contracts.expectations import metrics, write_data_docs

    of = contract(tmp_path / "contracts", COLUMNS, QUALITY)
    with engine() as con:
        good = check(con, of, [["a", "1", "2020-01-01"]])
        bad = check(con, of, [["a", "SECRETWORD", "2020-01-01"], ["b", "1", "SECRETDAY"]])
    folder = tmp_path / "docs"
    first = write_data_docs([good], folder)
    assert first.met == {"test.thing": True}
    docs = write_data_docs([bad], folder)
    assert docs.met == {"test.thing": False}
    assert docs.index.is_file()
    names = [metric.name for metric in metrics(bad)]
    assert names[:4] == ["rows", "publishable", "key_accuracy_percent", "overall_percent"]
    assert {"required.n", "type.n", "type.d", "not_two", "few", "key_duplicate"} <= set(names)
    result = json.loads(docs.results["test.thing"].read_text("utf-8"))
    unmet = {e["kwargs"]["column"] for e in result["expectations"] if not e["success"]}
    assert unmet == {"publishable", "type.n", "type.d", "required.n", "not_two"} & set(unmet)
    assert {"type.n", "type.d", "publishable"} <= unmet
    suite = json.loads(docs.suites["test.thing"].read_text("utf-8"))
    assert {e["kwargs"]["column"] for e in suite["expectations"]} == set(names)
    written = [path for path in folder.rglob("*") if path.is_file()]
    assert sum(path.suffix == ".html" for path in written) >= 4
    for path in written:
        assert b"SECRET" not in path.read_bytes()
    monkeypatch.setattr(expectations, "_KEEP_RESULTS", 1)
    write_data_docs([good], folder)
    for place in ("gx/uncommitted/validations", "site/validations"):
        (kept,) = (folder / place).glob("test/thing/*/*")
        assert any(kept.iterdir())
