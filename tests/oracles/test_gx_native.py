"""Great Expectations, natively on pandas, blames the same residents for the same rules as we do."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from bench.gx_native import failing_keys
from contracts.checks import plan
from contracts.codes import load_code_sets
from contracts.model import Contract
from hub.store import lake
from tests.factories import settings_in
from tests.oracles.cleaned import AS_OF, cleaned, district, found, judged
from tests.oracles.planting import planted

DATASET = "population.resident"

#: Rules of ours that GX has no expectation for, and why.
NOT_SAID = {
    "one_household_head": "counts within groups of rows",
    "address_id_exists": "looks into another dataset",
    "married_are_adults": "an expression over several columns",
}
#: Rules on which the two blame different residents, and why.
EXPLAINED: dict[str, str] = {}
#: Rules that no row breaks here: one without a key could not be named by it.
UNTRIED = {"required.resident_id"}


@pytest.mark.oracle
@pytest.mark.xdist_group("great_expectations")
def test_gx_blames_the_same_residents_rule_by_rule(tmp_path: Path) -> None:
    of, rows = next(item for item in district(tmp_path, 1_500) if item[0].name == DATASET)
    ours, theirs = _both(of, rows, tmp_path)

    rules = {spec.id for spec in plan(of) if spec.bit is not None}
    assert rules - theirs.keys() == NOT_SAID.keys()
    compared = rules - NOT_SAID.keys()
    assert {rule for rule in compared if not ours.get(rule)} == UNTRIED
    differing = {r: ours.get(r, set()) ^ theirs[r] for r in compared}
    assert {r: len(keys) for r, keys in differing.items() if keys and r not in EXPLAINED} == {}
    assert {r for r in EXPLAINED if not differing[r]} == set()


def _both(
    of: Contract, rows: list[dict[str, str | None]], folder: Path
) -> tuple[dict[str, set[str]], dict[str, set[str]]]:
    """Return check id -> blamed keys, ours and theirs, of the same cleaned rows."""
    con = lake.open_workspace(settings_in(folder / "hub"))
    try:
        given = planted(of, cleaned(con, of, rows))
        judged(con, of, given)
        ours = found(con, of.key[0])
    finally:
        con.close()
    path = folder / "given.parquet"
    names = [item.name for item in of.properties]
    pq.write_table(
        pa.table({c: pa.array([row[c] for row in given], pa.string()) for c in names}), path
    )
    return ours, dict(failing_keys(path, of, load_code_sets(), AS_OF))
