"""Contracts from files: the built-in ones load, and every finding comes at once with its line."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from jsonschema import Draft201909Validator

from contracts.codes import load_code_sets
from contracts.custom import SCHEMA_FILE
from contracts.loader import load_catalog, load_contracts, read_contracts
from contracts.model import Reference, header_form
from hub.catalog import Classification, SharingType
from hub.errors import ContractError, NotFound
from tests.contracts.small import KEY, contract, contract_text, write_contract


def test_the_built_in_contracts_load_and_fill_the_catalogue() -> None:
    contracts = load_contracts()
    catalog = load_catalog(contracts)
    assert len(catalog) == len(contracts) >= 12
    resident = catalog["population.resident"]
    assert resident.key == ("resident_id",)
    assert resident.subjects == {"resident": "resident_id"}
    assert resident.owner == "population"
    assert resident.column("phone").sealed
    assert not resident.column("sex").sealed
    assert resident.column("birth_date").clear_as == {"birth_year": "year"}
    assert resident.sharing is SharingType.CONDITIONAL
    assert "police.case" in catalog


def test_a_contract_is_read_whole(tmp_path: Path) -> None:
    columns = """
    - name: number
      businessName: 身份号码
      logicalType: string
      classification: L4
      unique: true
      relationships: [{type: foreignKey, to: test.thing.thing_id}]
      customProperties:
        - {property: semanticType, value: resident_id}
        - {property: subjectRole, value: owner}
        - {property: sealed, value: true}
    - {name: grid, logicalType: string, classification: L1}
    """
    custom = """
    - {property: areaColumn, value: grid}
    - {property: purposes, value: [residence.verify]}
    - {property: publishBar, value: {keyAccuracyPercent: 98, overallPercent: 91.5}}
    - {property: sources, value: {housing: {headers: {身份证: number}}}}
    """
    of = contract(tmp_path, columns, custom=custom)
    number = of.column("number")
    assert (number.title, number.classification, number.unique) == (
        "身份号码",
        Classification.L4,
        True,
    )
    assert number.references == (Reference("test.thing", "thing_id"),)
    assert of.subjects == {"owner": "number"}
    assert of.area_column == "grid"
    assert of.purposes == ("residence.verify",)
    assert (of.bar.key_accuracy_percent, of.bar.overall_percent) == (98, 91.5)
    assert of.headers("housing")[header_form(" 身份证")] == "number"
    assert header_form("身份证") not in of.headers("police")
    assert of.headers(None)[header_form("身份号码\u200b")] == "number"
    with pytest.raises(NotFound):
        of.column("nothing")


A = "- {name: a, logicalType: string, classification: L1"
PROPERTY = A + ", customProperties: [{%s}]}"
RULE = "- {name: r, type: custom, engine: mingjing, implementation: {%s}}\n"
DATE = "- {name: a, logicalType: date, classification: L1"
METRIC = "- {name: r, type: library, metric: %s}"
OF_DATE = DATE + ", customProperties: [{%s}]}"
ON_A = A + ", quality: [{name: r, type: library, metric: %s}]}"


@pytest.mark.parametrize(
    ("columns", "quality", "custom", "message"),
    [
        ("- {name: Bad, logicalType: string, classification: L1}", "", "", "snake_case"),
        ("- {name: rowid, logicalType: string, classification: L1}", "", "", "snake_case"),
        ("- {name: a, logicalType: string}", "", "", "must be L1, L2, L3 or L4"),
        ("- {name: a, logicalType: string, classification: secret}", "", "", "must be L1"),
        ("- {name: a, logicalType: array, classification: L1}", "", "", "logicalType 'array'"),
        ("- {name: a, logicaltype: string, classification: L1}", "", "", "not ODCS"),
        ("- {name: thing_id, logicalType: string, classification: L1}", "", "", "there twice"),
        (A + ", logicalTypeOptions: {pattern: '(' }}", "", "", "regular expression"),
        (A + ", logicalTypeOptions: {pattern: '(?=a)' }}", "", "", "look-around"),
        (A + ", logicalTypeOptions: {minLength: 3, maxLength: 2}}", "", "", "lies above"),
        ("- {name: a, logicalType: date, classification: L1, logicalTypeOptions: {minimum: 5}}", "", "", "no date"),
        (A + ", relationships: [{to: other.thing.x}]}", "", "", "reference to nothing: other.thing.x"),
        (PROPERTY % "property: semantic, value: phone", "", "", "custom property 'semantic'"),
        (PROPERTY % "property: semanticType, value: telephone", "", "", "semanticType 'telephone'"),
        (PROPERTY % "property: codeSet, value: nothing", "", "", "no code set 'nothing'"),
        (PROPERTY % "property: clearAs, value: {b: year}", "", "", "clearAs"),
        ("", RULE % "rule: nonsense", "", "rule 'nonsense' is not one of"),
        ("", RULE % "rule: not_future", "", "takes exactly column"),
        ("", RULE % "rule: not_future, column: a", "", "names no column: a"),
        ("", RULE % "rule: not_future, column: thing_id, more: 1", "", "takes exactly"),
        ("", RULE % "rule: resident_id_check_digit, column: thing_id", "", "semanticType resident_id"),
        ("", RULE % "rule: reference, column: thing_id, dataset: a.b, reference_column: c", "", "reference to nothing: a.b.c"),
        ("", RULE % 'rule: expression, sql: "read_text(thing_id) = 1"', "", "read_text is not permitted"),
        ("", RULE % "rule: ordered, columns: [thing_id]", "", "at least two"),
        ("", "- {name: r, type: custom, engine: soda, implementation: x}", "", "not run here"),
        ("", "- {name: r, type: library, metric: freshness, mustBe: 0}", "", "metric 'freshness'"),
        ("", "- {name: r, type: library, metric: rowCount}", "", "exactly one must"),
        ("", "- {name: r, type: library, metric: rowCount, mustBe: 1, mustNotBe: 2}", "", "exactly one must"),
        ("", "- {name: r, type: library, metric: rowCount, mustBe: -1}", "", "outside its range"),
        ("", "- {name: r, type: library, metric: rowCount, mustBeBetween: [5, 1]}", "", "outside its range"),
        ("", "- {name: r, type: library, metric: nullValues, mustBe: 0}", "", "needs a column"),
        ("", "- {name: r, type: sql, query: 'DROP TABLE x', mustBe: 0}", "", "SQL is refused"),
        ("", "- {name: r, type: sql, query: 'SELECT count(nope) FROM ${object}', mustBe: 0}", "", "names no column: nope"),
        ("", "- {name: r, type: library, metric: rowCount, mustBe: 1, severity: fatal}", "", "severity 'fatal'"),
        ("", "- {name: Has Rows, type: library, metric: rowCount, mustBe: 1}", "", "must be snake_case"),
        ("", (RULE % "rule: expression, sql: thing_id <> 'x'") * 2, "", "there twice"),
        ("", "", "- {property: publishBar, value: {keyAccuracyPercent: 101}}", "publishBar.keyAccuracyPercent: 101"),
        ("", "", "- {property: areaColumn, value: nowhere}", "names no column"),
        ("", "", "- {property: sharingtype, value: conditional}", "custom property 'sharingtype'"),
        ("", "", "- {property: sources, value: {housing: {headers: {x: nowhere}}}}", "names no column: 'nowhere'"),
        ("- {name: valid_from, logicalType: date, classification: L1}", "", "", "snake_case and none of"),
        (A + ", logicalTypeOptions: {multipleOf: 2}}", "", "", "'multipleOf' is not supported"),
        (A + ", logicalTypeOptions: {minLength: x}}", "", "", "is no length"),
        (A + ", logicalTypeOptions: {minimum: 5}}", "", "", "minimum 5 is no string"),
        (A + ", logicalTypeOptions: {pattern: '\\u4e00' }}", "", "", "the engine cannot run it"),
        (A + ", logicalTypeOptions: {pattern: 'a++' }}", "", "", "the engine cannot run it"),
        (DATE + ", logicalTypeOptions: {minimum: '2020-02-31'}}", "", "", "is no date"),
        (DATE + ", logicalTypeOptions: {pattern: x}}", "", "", "pattern is for a string"),
        ("- {name: a, logicalType: integer, classification: L1, logicalTypeOptions: {maximum: .inf}}", "", "", "is no integer"),
        (OF_DATE % "property: semanticType, value: phone", "", "", "needs logicalType string"),
        (PROPERTY % "property: subjectRole, value: [x]", "", "", "subjectRole: "),
        (PROPERTY % "property: sealed, value: 'no'", "", "", "sealed: "),
        (PROPERTY % "property: clearAs, value: year", "", "", "clearAs: "),
        (OF_DATE % "property: clearAs, value: {thing_id: year}", "", "", "name of another column"),
        (OF_DATE % "property: clearAs, value: {b: decade}", "", "", "must be one of year, month, age_band"),
        (PROPERTY % "property: sealed, value: true}, {property: sealed, value: true", "", "", "given twice"),
        ("", RULE % "rule: not_future, column: thing_id", "", "must be a date or timestamp"),
        ("", RULE % "rule: freshness, column: thing_id, days: 0", "", "days must be a whole number from 1"),
        ("", RULE % "rule: one_household_head, household: thing_id, relation: thing_id, heads: '02'", "", "heads must list at least"),
        ("", RULE % "rule: ordered, columns: [thing_id, thing_id]", "", "must all be dates"),
        ("", RULE % 'rule: expression, sql: "thing_id - 1 > 0"', "", "the engine cannot run it"),
        ("", RULE.replace("}}", "}, mustBe: 0}") % "rule: expression, sql: thing_id <> 'x'", "", "'mustBe' says nothing"),
        ("", METRIC % "rowCount, mustBe: 1, schedule: daily", "", "'schedule' says nothing"),
        ("", "- {name: r, type: library, metric: rowCount, mustBe: 1, unit: percent}", "", "not in percent"),
        ("", "- {name: r, type: library, metric: rowCount, mustBe: 1, unit: kilo}", "", "must be rows or percent"),
        ("", "- {name: r, type: library, metric: rowCount, mustBe: [1, 2]}", "", "must be one number"),
        ("", "- {name: r, type: library, metric: rowCount, mustBeBetween: 3}", "", "must be two numbers"),
        ("", "- {name: r, type: library, metric: rowCount, mustBe: 1, dimension: beauty}", "", "not ODCS"),
        ("", METRIC % "duplicateValues, mustBe: 101, unit: percent, arguments: {properties: [thing_id]}", "", "outside its range: 0 to"),
        ("", METRIC % "duplicateValues, mustBe: 0, arguments: {properties: thing_id}", "", "must be a list"),
        ("", METRIC % "duplicateValues, mustBe: 0, arguments: {properties: [thing_id, thing_id]}", "", "a column twice"),
        ("", METRIC % "duplicateValues, mustBe: 0, arguments: {properties: [nothing]}", "", "names no column: nothing"),
        (ON_A % "duplicateValues, mustBe: 0, arguments: {properties: [thing_id, a]}", "", "", "belongs to a rule of the schema object"),
        (ON_A % "invalidValues, mustBe: 0, arguments: {validValues: xyz}", "", "", "must be a list"),
        (ON_A % "invalidValues, mustBe: 0", "", "", "validValues or pattern"),
        (ON_A % "invalidValues, mustBe: 0, arguments: {pattern: '('}", "", "", "not a regular expression"),
        (ON_A % "nullValues, mustBe: 0, arguments: {x: 1}", "", "", "takes no argument 'x'"),
        ("", "- {name: r, type: sql, query: 'SELECT max(thing_id) FROM ${object}', mustBe: 0}", "", "the engine cannot run it"),
        ("", "- {name: r, type: sql, query: [a], mustBe: 0}", "", "query must be a text"),
        ("", "", "- {property: purposes, value: residence.verify}", "purposes: "),
        ("", "", "- {property: sources, value: {housing: {header: {x: thing_id}}}}", "sources.housing: "),
        ("", "", "- {property: legalBasisNotes, value: [{basis: x}]}", "legalBasisNotes.0: "),
        ("", "", "- {property: breakdown, value: [colour]}", "breakdown 'colour' names no column"),
        ("", "", "- {property: secrecyReviewed, value: perhaps}", "secrecyReviewed: "),
    ],
)  # fmt: skip
def test_a_broken_contract_is_refused_with_file_and_line(
    tmp_path: Path, columns: str, quality: str, custom: str, message: str
) -> None:
    write_contract(tmp_path, contract_text(f"{columns}\n" if columns else "", quality, custom))
    with pytest.raises(ContractError) as refused:
        load_contracts([tmp_path], built_in=False)
    found = [finding for finding in refused.value.findings if message in finding]
    assert found, refused.value.findings
    file, line, _ = found[0].split(":", 2)
    assert file == "thing.yaml"
    assert int(line) >= 1


def test_all_findings_come_at_once_and_point_at_their_line(tmp_path: Path) -> None:
    columns = (
        "- {name: A, logicalType: string, classification: L1}\n- {name: b, logicalType: string}\n"
    )
    text = contract_text(columns, RULE % "rule: nonsense")
    write_contract(tmp_path, text)
    write_contract(tmp_path, "kind: [\n", "other.yaml")
    _, findings = read_contracts(sorted(tmp_path.glob("*.yaml")), load_code_sets())
    lines = text.splitlines()
    at = {
        n
        for n, line in enumerate(lines, 1)
        if "name: A" in line or "name: b" in line or "name: r" in line
    }
    assert at <= {int(finding.split(":")[1]) for finding in findings if finding.startswith("thing")}
    assert any(finding.startswith("other.yaml:2: not YAML") for finding in findings)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "holds no contract"),
        ("- 1\n", "holds no contract"),
        ("a: 1\na: 2\n", "written twice"),
        (contract_text(key="- {name: a, logicalType: string, classification: L1}\n"), "no primaryKey"),
        (contract_text().replace("value: conditional", "value: free"), "sharingType 'free'"),
        (contract_text().replace("  - {property: legalBasis, value: test}\n", ""), "'legalBasis' is missing"),
        (contract_text().replace("name: test.thing", "name: Thing"), "domain.dataset"),
        (contract_text().replace("apiVersion: v3.1.0", "apiVersion: v9"), "not ODCS"),
        (contract_text().replace("status: active", "statuss: active"), "not ODCS"),
        (contract_text().replace("status: active", "status: retird"), "status 'retird'"),
        (contract_text() + "  - name: second\n", "exactly one schema object"),
        (contract_text().replace("role: steward", "role: friend"), "who answers for the data"),
        (contract_text().replace("value: housing", "value: Housing Office"), "ownerDepartment: "),
        (contract_text().replace("team:", "slaProperties: [{property: latncy, value: 5}]\nteam:"), "sla 'latncy' is not one of"),
        (contract_text().replace("team:", "slaProperties: [{property: latency, value: 0, unit: d}]\nteam:"), "must be a number above 0"),
        (contract_text().replace("team:", "slaProperties: [{property: latency, value: 5, unit: moons}]\nteam:"), "unit 'moons'"),
    ],
)  # fmt: skip
def test_a_file_that_is_no_contract_is_refused(tmp_path: Path, text: str, message: str) -> None:
    write_contract(tmp_path, text)
    with pytest.raises(ContractError, match=message):
        load_contracts([tmp_path], built_in=False)


def test_a_dataset_has_one_contract(tmp_path: Path) -> None:
    write_contract(tmp_path, contract_text())
    write_contract(tmp_path, contract_text(), "twin.yaml")
    with pytest.raises(ContractError, match=r"defined in thing\.yaml too"):
        load_contracts([tmp_path], built_in=False)


def test_references_may_not_go_round_in_a_circle(tmp_path: Path) -> None:
    for name, other in (("thing", "other"), ("other", "thing")):
        rule = (
            f"rule: reference, column: thing_id, dataset: test.{other}, reference_column: thing_id"
        )
        text = contract_text(quality=RULE % rule).replace("test.thing\n", f"test.{name}\n")
        write_contract(tmp_path, text, f"{name}.yaml")
    with pytest.raises(ContractError) as refused:
        load_contracts([tmp_path], built_in=False)
    assert [f.split(": ", 1)[1] for f in refused.value.findings] == [
        "references go round in a circle: test.other, test.thing"
    ] * 2


def test_a_sealed_column_cannot_be_looked_up(tmp_path: Path) -> None:
    rule = "rule: reference, column: thing_id, dataset: population.resident, reference_column: resident_id"
    write_contract(tmp_path, contract_text(quality=RULE % rule))
    with pytest.raises(ContractError, match=r"population\.resident\.resident_id is sealed"):
        load_contracts([tmp_path])


def test_a_head_of_household_must_be_a_code_of_the_relation(tmp_path: Path) -> None:
    columns = "- {name: a, logicalType: string, classification: L1, customProperties: [{property: codeSet, value: relation}]}\n"
    rule = "rule: one_household_head, household: thing_id, relation: a, heads: ['02', '03']"
    write_contract(tmp_path, contract_text(columns, RULE % rule))
    with pytest.raises(ContractError, match=r"head '03' is no code of relation"):
        load_contracts([tmp_path], built_in=False)


def test_the_schema_of_our_custom_properties_is_itself_valid() -> None:
    schema = json.loads(SCHEMA_FILE.read_text("utf-8"))
    Draft201909Validator.check_schema(schema)
    for where in ("onContract", "onColumn", "onServiceLevel"):
        assert all(entry["description"] for entry in schema["$defs"][where]["properties"].values())


def test_a_code_map_may_only_map_to_codes(tmp_path: Path) -> None:
    columns = "- {name: sex, logicalType: string, classification: L1, customProperties: [{property: codeSet, value: sex}]}\n"
    custom = "- {property: sources, value: {housing: {codeMaps: {sex: {M: '7'}}}}}\n"
    write_contract(tmp_path, contract_text(columns, custom=custom))
    with pytest.raises(ContractError, match="no code of sex"):
        load_contracts([tmp_path], built_in=False)


def test_a_folder_of_its_own_adds_datasets_and_code_sets(tmp_path: Path) -> None:
    (tmp_path / "codes").mkdir()
    (tmp_path / "codes" / "colour.csv").write_text("code,label\nr,红\n", encoding="utf-8")
    columns = "- {name: colour, logicalType: string, classification: L1, customProperties: [{property: codeSet, value: colour}]}\n"
    write_contract(tmp_path, contract_text(columns, key=KEY))
    assert "test.thing" in load_catalog(load_contracts([tmp_path]))
    assert load_code_sets([tmp_path])["colour"].label("r") == "红"


def test_code_sets_with_faults_are_refused_all_at_once(tmp_path: Path) -> None:
    folder = tmp_path / "codes"
    folder.mkdir()
    (folder / "a.csv").write_text("code,label\n1,x\n1,y\n,z\n", encoding="utf-8")
    (folder / "b.csv").write_text("kode,label\n", encoding="utf-8")
    (folder / "c.csv").write_text("code,label,valid_from\n1,x,soon\n", encoding="utf-8")
    (folder / "d.csv").write_bytes("code,label\n1,男\n".encode("gb18030"))
    with pytest.raises(ContractError) as refused:
        load_code_sets([tmp_path])
    places = [finding.split(" ")[0] for finding in refused.value.findings]
    assert places == ["a.csv:3:", "a.csv:4:", "b.csv:1:", "c.csv:2:", "d.csv:1:"]


def test_a_key_that_odcs_does_not_know_is_found_once_at_its_line(tmp_path: Path) -> None:
    text = contract_text().replace("status: active", "status: active\nbogus: 1")
    path = tmp_path / "test.thing.yaml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ContractError) as caught:
        load_contracts([tmp_path], built_in=False)
    line = text.splitlines().index("bogus: 1") + 1
    assert caught.value.findings == (f"test.thing.yaml:{line}: not ODCS: 'bogus' is no key here",)


def test_an_owner_outside_the_register_of_agencies_is_refused_at_its_line(tmp_path: Path) -> None:
    text = contract_text().replace("value: housing", "value: housin")
    write_contract(tmp_path, text)
    with pytest.raises(ContractError) as refused:
        load_contracts([tmp_path], built_in=False)
    (finding,) = refused.value.findings
    line = 1 + next(n for n, row in enumerate(text.splitlines()) if "ownerDepartment" in row)
    assert finding.startswith(f"thing.yaml:{line}: ownerDepartment 'housin'")
    assert "housing" in finding
    (taken,) = load_contracts([tmp_path], built_in=False, agencies={"housin"})
    assert taken.owner == "housin"
