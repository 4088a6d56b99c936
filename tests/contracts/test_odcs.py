"""The twelve contracts are valid ODCS, and their codes and rules hang together."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator
from datetime import date
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema import Draft201909Validator
from open_data_contract_standard.model import OpenDataContractStandard

import contracts

FOLDER = Path(contracts.__file__).parent
CONTRACTS = sorted((FOLDER / "odcs").glob("*.yaml"))
CODE_SETS = sorted((FOLDER / "codes").glob("*.csv"))
DATASETS = {
    "address.standard_address",
    "population.resident",
    "housing.dwelling",
    "housing.tenancy",
    "enterprise.unit",
    "civil_affairs.marriage",
    "civil_affairs.assistance",
    "civil_affairs.disability",
    "civil_affairs.death",
    "police.incident",
    "police.case",
    "police.dispute",
}
RULES = {
    "resident_id_check_digit": {"column"},
    "resident_id_float_damage": {"column"},
    "resident_id_matches_birth_date": {"id", "birth_date"},
    "resident_id_matches_sex": {"id", "sex"},
    "resident_id_area_known": {"column"},
    "credit_code_check_digit": {"column"},
    "division_known": {"column"},
    "ordered": {"columns"},
    "not_future": {"column"},
    "reference": {"column", "dataset", "reference_column"},
    "expression": {"sql"},
    "disability_certificate_matches": {"certificate", "id", "category", "grade"},
    "one_household_head": {"household", "relation", "heads"},
    "freshness": {"column"},
}
OPTIONAL = {"division_known": {"on_date"}, "freshness": {"days"}}
each_contract = pytest.mark.parametrize("path", CONTRACTS, ids=lambda path: path.stem)


def _load(path: Path) -> Any:
    return yaml.safe_load(path.read_text("utf-8"))


def _custom(element: Any) -> dict[str, Any]:
    return {item["property"]: item["value"] for item in element.get("customProperties", ())}


def _properties(document: Any) -> list[Any]:
    found: list[Any] = document["schema"][0]["properties"]
    return found


def _rules(document: Any) -> Iterator[Any]:
    schema = document["schema"][0]
    yield from schema["quality"]
    for item in schema["properties"]:
        yield from item.get("quality", ())


def test_all_twelve_are_there() -> None:
    assert {path.stem for path in CONTRACTS} == DATASETS


@each_contract
def test_the_published_schema_finds_nothing(path: Path) -> None:
    schema = files("open_data_contract_standard").joinpath("schema.json").read_text("utf-8")
    errors = Draft201909Validator(json.loads(schema)).iter_errors(_load(path))

    assert [f"{error.json_path}: {error.message}" for error in errors] == []


@each_contract
def test_the_published_model_reads_it(path: Path) -> None:
    contract = OpenDataContractStandard.from_string(path.read_text("utf-8"))

    assert contract.apiVersion == "v3.2.0"
    assert contract.name == contract.id == path.stem


@each_contract
def test_ownership_sharing_and_basis_are_stated(path: Path) -> None:
    document = _load(path)
    stated = _custom(document)

    assert stated["sharingType"] in ("unconditional", "conditional", "not_shared")
    assert stated["updateCycle"] in ("daily", "weekly", "monthly", "quarterly", "yearly")
    assert stated["deliveryMode"] in ("full", "append")
    assert stated["legalBasis"]
    assert stated["purposes"]
    assert stated["ownerDepartment"] in stated["sources"]
    assert 0 < stated["publishBar"]["overallPercent"] <= 100
    assert document["team"]["members"]
    assert {"frequency", "latency"} <= {item["property"] for item in document["slaProperties"]}


@each_contract
def test_what_is_not_verified_is_never_stated_as_law(path: Path) -> None:
    stated = _custom(_load(path))

    for note in stated["legalBasisNotes"]:
        assert isinstance(note["verified"], bool)
        if not note["verified"]:
            assert "confirm" in note["note"]
            assert note["basis"] not in stated["legalBasis"]


@pytest.mark.parametrize("name", sorted(d for d in DATASETS if d.startswith("police.")))
def test_police_contracts_wait_for_a_secrecy_review(name: str) -> None:
    stated = _custom(_load(FOLDER / "odcs" / f"{name}.yaml"))

    assert stated["secrecyReviewed"] is False
    assert stated["secrecyRemark"]
    assert stated["sharingType"] != "unconditional"


@each_contract
def test_every_column_has_a_level_a_title_and_known_codes(path: Path) -> None:
    document = _load(path)
    known = {file.stem for file in CODE_SETS}
    titles = [item["businessName"] for item in _properties(document)]

    assert len(set(titles)) == len(titles)
    for item in _properties(document):
        assert item["classification"] in ("L1", "L2", "L3", "L4")
        code_set = _custom(item).get("codeSet")
        assert code_set is None or code_set in known
    assert [item["name"] for item in _properties(document) if item.get("primaryKey")]


@each_contract
def test_identity_numbers_are_level_four_and_carry_a_role(path: Path) -> None:
    for item in _properties(_load(path)):
        about = _custom(item)
        if about.get("semanticType") in ("resident_id", "disability_certificate"):
            assert item["classification"] == "L4"
            assert about["subjectRole"]
        if about.get("semanticType") == "person_name":
            assert item["classification"] in ("L3", "L4")
            assert about["subjectRole"]


@each_contract
def test_area_time_and_sources_name_real_columns(path: Path) -> None:
    document = _load(path)
    columns = {item["name"] for item in _properties(document)}
    stated = _custom(document)

    named = {stated[key] for key in ("areaColumn", "timeColumn") if key in stated}
    for source in stated["sources"].values():
        named |= set(source["headers"].values()) | set(source["codeMaps"])
    assert named <= columns


@each_contract
def test_code_maps_lead_to_codes_that_exist(path: Path) -> None:
    document = _load(path)
    sets = {item["name"]: _custom(item).get("codeSet") for item in _properties(document)}
    for source in _custom(document)["sources"].values():
        for column, pairs in source["codeMaps"].items():
            assert set(pairs.values()) <= set(_codes(sets[column]))


def _codes(name: str) -> list[str]:
    with (FOLDER / "codes" / f"{name}.csv").open(encoding="utf-8", newline="") as stream:
        return [row["code"] for row in csv.DictReader(stream)]


@each_contract
def test_rules_are_known_name_real_columns_and_say_what_to_do(path: Path) -> None:
    document = _load(path)
    columns = {item["name"] for item in _properties(document)}
    names = [rule["name"] for rule in _rules(document)]

    assert len(set(names)) == len(names)
    for rule in _rules(document):
        assert rule["severity"] in ("error", "warning")
        assert rule["dimension"]
        assert " / " in rule["description"], "first Chinese, then short English"
        if rule["type"] == "custom":
            arguments = dict(rule["implementation"])
            needed = RULES[arguments["rule"]]
            given = set(arguments) - {"rule"}
            assert needed <= given <= needed | OPTIONAL.get(arguments["rule"], set())
            assert _columns_of(arguments) <= columns


def _columns_of(arguments: dict[str, Any]) -> set[str]:
    keys = ["column", "id", "birth_date", "sex", "certificate", "category", "grade"]
    keys += ["household", "relation", "on_date"]
    single = {arguments[key] for key in keys if key in arguments}
    return single | set(arguments.get("columns", ()))


@each_contract
def test_references_lead_to_the_key_of_another_contract(path: Path) -> None:
    for rule in _rules(_load(path)):
        arguments = rule.get("implementation", {})
        if arguments.get("rule") == "reference":
            other = _load(FOLDER / "odcs" / f"{arguments['dataset']}.yaml")
            keys = [item["name"] for item in _properties(other) if item.get("primaryKey")]
            assert keys == [arguments["reference_column"]]


@pytest.mark.parametrize("path", CODE_SETS, ids=lambda path: path.stem)
def test_code_sets_have_distinct_codes_with_labels(path: Path) -> None:
    with path.open(encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(stream))

    assert rows
    assert len({row["code"] for row in rows}) == len(rows)
    assert all(row["label"] for row in rows)


def test_divisions_form_a_tree_and_abolished_ones_have_a_successor() -> None:
    with (FOLDER / "codes" / "division.csv").open(encoding="utf-8", newline="") as stream:
        rows = {row["code"]: row for row in csv.DictReader(stream)}
    levels = [row["level"] for row in rows.values() if not row["valid_to"]]

    assert (levels.count("street"), levels.count("community"), levels.count("grid")) == (4, 12, 86)
    for code, row in rows.items():
        if row["level"] in ("street", "community", "grid"):
            assert code[: {9: 6, 12: 9, 14: 12}[len(code)]] in rows
        if row["valid_to"]:
            assert date.fromisoformat(row["valid_from"]) <= date.fromisoformat(row["valid_to"])
            assert not rows[row["successor"]]["valid_to"]
