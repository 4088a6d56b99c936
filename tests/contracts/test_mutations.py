"""A valid contract changed anywhere either loads or gives findings with file and line, always."""

from __future__ import annotations

import copy
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from contracts.check import run_batch
from contracts.checks import plan
from contracts.codes import load_code_sets
from contracts.compile import SourceRelation, compile_batch
from contracts.loader import BUILT_IN, load_contracts
from hub.errors import ContractError
from hub.quoting import identifier
from tests.contracts.small import AS_OF, engine

CODE_SETS = load_code_sets()
SMALL = """\
apiVersion: v3.1.0
kind: DataContract
id: test.thing
name: test.thing
version: 1.0.0
status: active
description: {purpose: test}
team: {name: test, members: [{username: s, role: steward}]}
slaProperties:
  - {property: latency, value: 5, unit: workingDays, customProperties: [{property: verified, value: false}]}
customProperties:
  - {property: title, value: 测试}
  - {property: ownerDepartment, value: housing}
  - {property: sharingType, value: conditional}
  - {property: legalBasis, value: test}
  - {property: legalBasisNotes, value: [{basis: b, verified: false, note: n}]}
  - {property: purposes, value: [residence.verify]}
  - {property: updateCycle, value: monthly}
  - {property: deliveryMode, value: full}
  - {property: areaColumn, value: place}
  - {property: timeColumn, value: seen}
  - {property: breakdown, value: [month, sex]}
  - {property: publishBar, value: {keyAccuracyPercent: 97, overallPercent: 90}}
  - {property: sources, value: {housing: {headers: {性别: sex}, codeMaps: {sex: {M: "1"}}}}}
  - {property: secrecyReviewed, value: true}
schema:
  - name: thing
    properties:
      - {name: number, businessName: 号码, logicalType: string, classification: L4, primaryKey: true, primaryKeyPosition: 1,
         required: true, unique: true, criticalDataElement: true,
         customProperties: [{property: semanticType, value: resident_id}, {property: subjectRole, value: owner}]}
      - {name: sex, logicalType: string, classification: L2, customProperties: [{property: codeSet, value: sex}],
         quality: [{name: few_empty, type: library, metric: nullValues, mustBeLessThan: 50, unit: percent, severity: warning}]}
      - {name: born, logicalType: date, classification: L3, logicalTypeOptions: {minimum: "1900-01-01", maximum: "2090-01-01"},
         customProperties: [{property: semanticType, value: birth_date}, {property: sealed, value: true},
           {property: clearAs, value: {year: year}}]}
      - {name: seen, logicalType: timestamp, classification: L1}
      - {name: place, logicalType: string, classification: L1, customProperties: [{property: semanticType, value: division_code}]}
      - {name: phone, logicalType: string, classification: L3, logicalTypeOptions: {pattern: "^1[0-9]{10}$", minLength: 11, maxLength: 11}}
      - {name: n, logicalType: integer, classification: L1, logicalTypeOptions: {minimum: 1, exclusiveMaximum: 9}}
      - {name: of, logicalType: string, classification: L1, relationships: [{type: foreignKey, to: test.thing.number}]}
    quality:
      - {name: rows, type: library, metric: rowCount, mustBeBetween: [1, 100], dimension: coverage, description: d}
      - {name: pairs, type: library, metric: duplicateValues, arguments: {properties: [sex, born]}, mustBe: 0}
      - {name: shown, type: library, metric: rowCount, mustBeGreaterThan: 0}
      - {name: counted, type: sql, query: "SELECT count(*) FROM ${object} WHERE n > 3", mustBeGreaterOrEqualTo: 0}
      - {name: early, type: custom, engine: mingjing, implementation: {rule: ordered, columns: [born, seen]}}
      - {name: real, type: custom, engine: mingjing, implementation: {rule: division_known, column: place, on_date: seen}}
      - {name: fits, type: custom, engine: mingjing, implementation: {rule: resident_id_matches_birth_date, id: number, birth_date: born}}
      - {name: new, type: custom, engine: mingjing, implementation: {rule: freshness, column: seen, days: 31}}
      - {name: head, type: custom, engine: mingjing,
         implementation: {rule: one_household_head, household: of, relation: sex, heads: ["1"]}}
      - {name: small, type: custom, engine: mingjing, implementation: {rule: expression, sql: "n IS NULL OR n < 5"}}
      - {name: known, type: custom, engine: mingjing,
         implementation: {rule: reference, column: of, dataset: test.thing, reference_column: sex}}
"""
VALID = {
    "small": SMALL,
    "population.resident": (BUILT_IN / "population.resident.yaml").read_text("utf-8"),
}
ODD: tuple[Any, ...] = (
    None, True, False, 0, -1, 1.5, float("inf"), float("nan"), 10**30, "", "x", "无", "1", "(", "a++", "\\u4e00",
    "${object}", "2020-02-31", "a.b", "not_future", "percent", [], ["x"], [[]], [None], {}, {"x": 1}, {"x": {}},
)  # fmt: skip
Place = tuple[str | int, ...]


def places(value: Any, at: Place = ()) -> Iterator[Place]:
    """Yield where every value below the root stands."""
    for key, inner in _items(value):
        yield (*at, key)
        yield from places(inner, (*at, key))


def test_the_changes_reach_the_checks_and_not_only_the_form(tmp_path: Path) -> None:
    """Some changes leave a contract that loads: otherwise nothing here would ever run."""
    document = yaml.safe_load(SMALL)
    place = ("schema", 0, "quality", 0, "description")
    text = yaml.safe_dump(changed(document, place, "delete", None), allow_unicode=True)
    assert judged(text, tmp_path) == ()


def _items(value: Any) -> list[tuple[Any, Any]]:
    if isinstance(value, dict):
        return list(value.items())
    return list(enumerate(value)) if isinstance(value, list) else []


def changed(document: Any, place: Place, how: str, odd: Any) -> Any:
    """Return the document with one value deleted, renamed, doubled, or replaced."""
    made = copy.deepcopy(document)
    holder = made
    for step in place[:-1]:
        holder = holder[step]
    last = place[-1]
    if how == "delete":
        del holder[last]
    elif how == "rename" and isinstance(holder, dict):
        holder[f"{last}x"] = holder.pop(last)
    elif how == "double" and isinstance(holder, list):
        holder.append(copy.deepcopy(holder[last]))
    else:
        holder[last] = odd
    return made


@st.composite
def contracts(draw: st.DrawFn) -> str:
    """Give the text of a contract that was changed in one to three places."""
    document = yaml.safe_load(VALID[draw(st.sampled_from(sorted(VALID)))])
    for _ in range(draw(st.integers(1, 3))):
        place = draw(st.sampled_from(list(places(document))))
        how = draw(st.sampled_from(["delete", "rename", "double", "replace", "replace"]))
        document = changed(document, place, how, draw(st.sampled_from(ODD)))
    return yaml.safe_dump(document, allow_unicode=True, sort_keys=False)


def judged(text: str, folder: Path) -> tuple[str, ...]:
    """Return the findings of a contract; one without any also runs, on no rows."""
    (folder / "changed.yaml").write_text(text, encoding="utf-8")
    others = [p for p in BUILT_IN.glob("*.yaml") if p.name != "population.resident.yaml"]
    for path in others:
        if path.name == "address.standard_address.yaml":
            (folder / path.name).write_bytes(path.read_bytes())
    try:
        loaded = load_contracts([folder], code_sets=CODE_SETS, built_in=False)
    except ContractError as refused:
        return refused.findings
    (of,) = (c for c in loaded if c.file == "changed.yaml")
    cells = ", ".join(f"NULL::VARCHAR AS {identifier(p.name)}" for p in of.properties)
    source = SourceRelation(f"SELECT {cells} WHERE false", tuple(p.name for p in of.properties))
    with engine(1) as con:
        run_batch(con, compile_batch(of, plan(of), source, as_of=AS_OF, code_sets=CODE_SETS))
    return ()


@pytest.mark.parametrize("name", VALID)
def test_what_is_changed_here_is_valid_as_it_is(name: str, tmp_path: Path) -> None:
    assert judged(VALID[name], tmp_path) == ()


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(text=contracts())
def test_a_changed_contract_loads_and_runs_or_gives_findings(tmp_path: Path, text: str) -> None:
    for finding in judged(text, tmp_path):
        assert re.match(r"[\w.]+\.yaml:\d+: \S", finding), finding


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(text=st.text(alphabet="ab:-{}[]'\"#&*!|>%@`, \n\t0", max_size=60))
def test_any_text_at_all_is_a_contract_or_gives_findings(tmp_path: Path, text: str) -> None:
    assert judged(text, tmp_path)
