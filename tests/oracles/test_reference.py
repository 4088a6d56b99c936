"""datacontract-cli, the reference implementation of ODCS, says of our contracts what we say.

It pins a DuckDB of its own and so lives in an environment of its own, which `make oracles` makes;
without it these tests are skipped. Both sides judge the same Parquet file per dataset: rows of the
invented district, cleaned and typed, with one error of every kind planted.
"""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from bench import peers
from contracts.checks import CheckSpec, plan
from contracts.loader import BUILT_IN
from contracts.model import Contract
from contracts.verdict import BatchVerdict
from hub.quoting import identifier, literal
from hub.store import lake
from tests.factories import settings_in
from tests.oracles.cleaned import cleaned, district, judged
from tests.oracles.planting import planted

pytestmark = [
    pytest.mark.oracle,
    pytest.mark.xdist_group("reference"),
    pytest.mark.skipif(not peers.is_made(peers.DATACONTRACT), reason="run `make oracles` first"),
]

#: How the reference implementation calls what our schema implies.
SAYS = {
    "field_required": "required",
    "field_min_length": "length",
    "field_max_length": "length",
    "field_regex": "pattern",
    "field_minimum": "range",
    "field_maximum": "range",
    "field_unique": "unique",
    "field_primary_key_unique": "key_duplicate",
}
#: What it says of the file and we of nothing: a missing column counts as empty with us.
OF_THE_FILE = {"field_is_present", "field_type", "field_primary_key_required"}
#: Kinds of ours that it does not evaluate, and why.
NOT_SAID = {
    "type": "a column of a Parquet file has one type; what did not cast is empty on both sides",
    "codes": "the code set is a custom property of ours",
    "reference": "a custom rule; its own check of relationships needs both schemas in one contract",
}
CUSTOM = "a custom rule of engine mingjing, which only we run"
#: (dataset, rule) on which the two differ, and why.
EXPLAINED = {
    ("population.resident", "resident_id_unique"): (
        "a share of duplicates: it takes `percent` of null, missing and invalid values only"
    ),
}


@pytest.fixture(scope="module")
def sides(
    tmp_path_factory: pytest.TempPathFactory,
) -> tuple[dict[str, tuple[Contract, BatchVerdict]], dict[str, Any]]:
    """Both sides' verdicts, by dataset."""
    folder = tmp_path_factory.mktemp("reference")
    ours: dict[str, tuple[Contract, BatchVerdict]] = {}
    jobs = []
    con = lake.open_workspace(settings_in(folder / "hub"))
    try:
        for of, rows in district(folder, 12_000):
            judged(con, of, planted(of, cleaned(con, of, rows)))
            path = folder / f"{of.name}.parquet"
            con.execute(f"COPY (SELECT * FROM dataset) TO {literal(str(path))} (FORMAT parquet)")
            jobs.append(_job(of, path))
            ours[of.name] = (of, _again(con, of, path))
    finally:
        con.close()
    written = folder / "jobs.json"
    written.write_text(json.dumps(jobs, ensure_ascii=False), encoding="utf-8")
    child = Path(__file__).with_name("reference_child.py")
    command = [str(peers.environment(peers.DATACONTRACT)), "-I", str(child), str(written)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    return ours, json.loads(done.stdout.splitlines()[-1])


def test_every_contract_is_valid_to_the_reference_implementation(sides: Any) -> None:
    _, theirs = sides
    unexplained = {
        dataset: [
            reason
            for reason in said["lint"]
            if not ("percent" in reason and dataset == "population.resident")
        ]
        for dataset, said in theirs.items()
    }
    assert {dataset: reasons for dataset, reasons in unexplained.items() if reasons} == {}


def test_both_say_the_same_of_every_rule(sides: Any) -> None:
    ours, theirs = sides
    differing: dict[tuple[str, str], str] = {}
    unsaid: dict[tuple[str, str], str] = {}
    compared = 0
    for dataset, (of, verdict) in ours.items():
        said = dict(_said(of, theirs[dataset]["checks"]))
        for spec in plan(of):
            told = said.pop(spec.id, None)
            place = (dataset, spec.id)
            if told is None:
                unsaid[place] = spec.kind
                continue
            compared += 1
            failing = _fails(verdict, spec)
            if told != failing:
                differing[place] = f"we say {failing}, it says {told}"
        assert said == {}, f"{dataset}: it judges what we do not"
    assert {place: words for place, words in differing.items() if place not in EXPLAINED} == {}
    assert {
        place: kind
        for place, kind in unsaid.items()
        if kind not in NOT_SAID and place not in EXPLAINED and not _is_custom(ours, place)
    } == {}
    assert compared > 100


def _job(of: Contract, path: Path) -> dict[str, str]:
    text = (BUILT_IN / f"{of.name}.yaml").read_text(encoding="utf-8")
    document = yaml.safe_load(text)
    for held in document["schema"]:  # it reads a file under one name and asks for the other
        held.pop("physicalName", None)
    server = {"server": "file", "type": "local", "path": str(path), "format": "parquet"}
    placed = yaml.safe_dump({**document, "servers": [server]}, allow_unicode=True)
    return {"dataset": of.name, "lint": text, "contract": placed}


def _again(con: Any, of: Contract, path: Path) -> BatchVerdict:
    """Return our verdict on exactly what the file holds."""
    names = [item.name for item in of.properties]
    texts = ", ".join(f"CAST({identifier(n)} AS VARCHAR)" for n in names)
    cells = con.execute(f"SELECT {texts} FROM read_parquet({literal(str(path))})").fetchall()
    return judged(con, of, [dict(zip(names, row, strict=True)) for row in cells])


def _said(of: Contract, checks: list[Mapping[str, Any]]) -> Iterator[tuple[str, bool]]:
    """Yield (our rule id, whether it failed there), a failure of two halves last."""
    found: dict[str, bool] = {}
    for check in checks:
        kind, field = check["type"], check["field"]
        if kind in OF_THE_FILE or check["result"] not in ("passed", "failed"):
            continue
        if check["rule"]:
            name = check["rule"]
        elif kind == "field_primary_key_unique":
            name = "key_duplicate"
        else:
            name = f"{SAYS[kind]}.{field}"
        found[name] = found.get(name, False) or check["result"] == "failed"
    yield from found.items()


def _fails(verdict: BatchVerdict, spec: CheckSpec) -> bool:
    result = verdict.result(spec.id)
    return not result.passed


def _is_custom(ours: Mapping[str, tuple[Contract, BatchVerdict]], place: tuple[str, str]) -> bool:
    of, _ = ours[place[0]]
    named = {rule.name for rule in of.rules if rule.type == "custom"}
    implied = ("resident_id_check_digit.", "credit_code_check_digit.")
    return place[1] in named or place[1].startswith(implied)
