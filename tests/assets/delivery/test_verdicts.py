"""From the dropped file through the check to the records: the figures arrive as they were."""

from __future__ import annotations

from dataclasses import replace

import duckdb

from assets.delivery.parsing import parse
from assets.delivery.verdicts import to_record
from contracts.check import run_batch
from contracts.checks import plan
from contracts.codes import load_code_sets
from contracts.compile import compile_batch
from contracts.verdict import BatchVerdict
from hub.store.batches import ChangeRow
from tests.assets.delivery.samples import HEADERS, Hub, contract, text
from tests.factories import NOW

ROWS = (
    ("T1", "990106199003071234", "张 三", "1200元", "2026年1月5日", None),
    ("T2", "990106198507121238", "李四", "abc", "2026-02-01", None),
    ("T3", None, "王五", "1", "2026-02-30", None),
    ("合计", None, None, "1201", None, None),
)


def test_a_verdict_is_kept_with_what_parsing_changed(hub: Hub) -> None:
    batch = hub.landed("t.csv", text(ROWS, HEADERS).encode("gb18030"))
    of = contract()
    specs = plan(of)
    with (
        parse(batch, of, hub.settings, hub.keyring) as parsed,
        duckdb.connect(config={"threads": 2}) as con,
    ):
        compiled = compile_batch(
            of,
            specs,
            parsed.source,
            as_of=NOW.date(),
            code_sets=load_code_sets(),
            references={},
            partner="housing",
        )
        verdict = run_batch(con, compiled)
        record = to_record(verdict, parsed.changes)
    saved = hub.records.save_verdict(batch.id, record, NOW)
    assert (saved.rows, saved.accepted, saved.quarantined) == (3, 1, 2)
    kept = hub.records.verdict(batch.id)
    assert kept is not None
    assert replace(kept, document={}) == replace(record, document={})
    assert BatchVerdict.from_json(kept.document) == verdict
    failing = {check.rule: check.failing for check in record.checks if check.failing}
    assert set(failing.values()) == {1}
    assert any("tenant_id" in rule for rule in failing)
    assert ChangeRow("", "total_row_dropped", 1) in record.changes
    assert {change.column for change in record.changes} >= {"", "start_date"}


def test_counts_of_one_column_and_transform_are_added(hub: Hub) -> None:
    batch = hub.landed("t.csv", text(ROWS[:1], HEADERS).encode())
    of = contract()
    with (
        parse(batch, of, hub.settings, hub.keyring) as parsed,
        duckdb.connect() as con,
    ):
        compiled = compile_batch(
            of, plan(of), parsed.source, as_of=NOW.date(), code_sets=load_code_sets(), references={}
        )
        verdict = run_batch(con, compiled)
    column, transform, count = verdict.changes[0]
    record = to_record(verdict, ((column, transform, 4),))
    assert ChangeRow(column, transform, count + 4) in record.changes
