"""What was planted against what the contracts catch: every error, and nothing else."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import pyarrow as pa

from assets.demo.deliveries import generate_first
from assets.demo.district import District
from assets.demo.outbox import Delivery
from assets.demo.truth import compare, read_truth
from contracts.check import run_batch
from contracts.checks import plan
from contracts.codes import load_code_sets
from contracts.compile import SourceRelation, compile_batch
from hub.store import lake
from tests.assets.demo.reading import contracts, rows_of
from tests.factories import settings_in


def _check(con: Any, delivery: Delivery, references: dict[str, str]) -> dict[int, list[str]]:
    """Return row number -> failed rules of the rows in quarantine."""
    contract, rows = contracts()[delivery.dataset], rows_of(delivery)
    columns = tuple(item.name for item in contract.properties)
    table = pa.table({c: pa.array([row[c] for row in rows], pa.string()) for c in columns})
    con.register("delivered", table)
    con.execute("CREATE OR REPLACE TEMP TABLE source AS SELECT * FROM delivered")
    compiled = compile_batch(
        contract,
        plan(contract),
        SourceRelation(f"SELECT {', '.join(columns)} FROM source", columns),
        as_of=date(2026, 7, 3),
        references=references,
        code_sets=load_code_sets(),
        partner=contract.owner,
    )
    verdict = run_batch(con, compiled)
    assert verdict.passed, verdict.reason
    # nothing is planted in households and dates of collection: these rules must stay silent
    quiet = [r for r in verdict.results if r.spec.kind in ("one_household_head", "freshness")]
    assert [(r.spec.id, r.failing) for r in quiet if not r.passed] == []
    kept = f"kept_{contract.name.replace('.', '_')}"
    con.execute(f"CREATE TEMP TABLE {kept} AS SELECT * FROM accepted")
    references.update({f"{contract.name}.{key}": kept for key in contract.key})
    return dict(con.execute("SELECT row_number, failed_rules FROM quarantine").fetchall())


CONFLICTS = """
    SELECT 'dead_but_active', resident_id
    FROM kept_population_resident JOIN kept_civil_affairs_death ON resident_id = deceased_id
    WHERE person_status = '0'
    UNION SELECT 'assisted_but_dead', recipient_id
    FROM kept_civil_affairs_assistance JOIN kept_civil_affairs_death ON recipient_id = deceased_id
    WHERE status = '1'
    UNION SELECT 'tenant_not_resident', tenant_id
    FROM kept_housing_tenancy ANTI JOIN kept_population_resident ON resident_id = tenant_id
    WHERE end_date IS NULL OR end_date >= DATE '2026-06-30'
    UNION SELECT 'name_conflict', resident_id
    FROM kept_population_resident JOIN (
        SELECT tenant_id AS id, tenant_name AS other FROM kept_housing_tenancy
        UNION SELECT recipient_id, recipient_name FROM kept_civil_affairs_assistance
        UNION SELECT deceased_id, deceased_name FROM kept_civil_affairs_death
        UNION SELECT holder_id, holder_name FROM kept_civil_affairs_disability
        UNION SELECT man_id, man_name FROM kept_civil_affairs_marriage
        UNION SELECT woman_id, woman_name FROM kept_civil_affairs_marriage
        UNION SELECT owner_id, owner_name FROM kept_housing_dwelling
    ) ON id = resident_id AND other <> name
    UNION SELECT 'marital_conflict', id
    FROM (
        SELECT id, arg_max(op_type, op_date) AS latest FROM (
            SELECT man_id AS id, op_type, op_date FROM kept_civil_affairs_marriage
            UNION ALL SELECT woman_id, op_type, op_date FROM kept_civil_affairs_marriage
        ) GROUP BY id
    ) JOIN kept_population_resident ON resident_id = id
    WHERE (latest IN ('IA', 'ICA') AND marital_status IN ('10', '40'))
       OR (latest IN ('IB', 'ICB') AND marital_status IN ('20', '21'))
"""


def test_all_that_can_be_found_is_found_and_nothing_else(tmp_path: Path) -> None:
    summary = generate_first(District(12_000, seed=1), tmp_path)
    references: dict[str, str] = {}
    failed: dict[tuple[str, int], list[str]] = {}
    caught = []
    con = lake.open_workspace(settings_in(tmp_path / "hub"))
    try:
        for delivery in summary.deliveries:
            for number, rules in _check(con, delivery, references).items():
                caught.append((delivery.dataset, delivery.path.name, number))
                failed[delivery.path.name, number] = rules
        conflicts = con.execute(CONFLICTS).fetchall()
    finally:
        con.close()
    result = compare(tmp_path / "truth", caught, conflicts)

    assert result.missed == ()
    assert result.false_alarms == ()
    assert result.unplanted_conflicts == ()
    for row in read_truth(tmp_path / "truth"):
        if row.detectable_by == "check":
            assert row.rule in failed[row.file, row.row_number]
