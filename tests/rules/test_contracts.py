"""The contracts that come with the hub: they load, name real things, and the policy knows them."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from access.decision import Decider
from access.lint import lint
from access.matrix import matrix
from access.policy import load_policy
from access.purposes import load_purposes
from access.roles import load_roles
from contracts.checks import plan
from contracts.codes import load_code_sets
from contracts.loader import load_catalog, load_contracts
from contracts.model import Contract
from hub.catalog import SharingType
from hub.store.drop import is_code, is_dataset_name
from tests.rules.sources import ROOT

CONTRACTS = load_contracts()
CATALOG = load_catalog(CONTRACTS)
ROWS = matrix(Decider(load_policy(CATALOG), CATALOG), datetime(2026, 3, 7, tzinfo=UTC))
each = pytest.mark.parametrize("contract", CONTRACTS, ids=lambda c: c.name)


def test_the_twelve_datasets_are_there() -> None:
    assert [c.name for c in CONTRACTS] == [
        "address.standard_address",
        "civil_affairs.assistance",
        "civil_affairs.death",
        "civil_affairs.disability",
        "civil_affairs.marriage",
        "enterprise.unit",
        "housing.dwelling",
        "housing.tenancy",
        "police.case",
        "police.dispute",
        "police.incident",
        "population.resident",
    ]


@each
def test_file_is_named_after_its_dataset(contract: Contract) -> None:
    assert contract.file == f"{contract.name}.yaml"
    assert is_dataset_name(contract.name)
    assert is_code(contract.owner)


@each
def test_a_batch_can_be_judged(contract: Contract) -> None:
    specs = plan(contract)
    assert contract.key
    assert any(p.key_field for p in contract.properties), "no key field: no accuracy figure"
    assert any(spec.bit is not None and spec.severity == "error" for spec in specs)
    assert all(spec.title and spec.remedy for spec in specs)


@each
def test_identity_numbers_have_a_subject_role_and_are_sealed(contract: Contract) -> None:
    for column in contract.properties:
        if column.semantic == "resident_id":
            assert column.role, column.name
        if column.semantic in ("resident_id", "person_name", "phone", "bank_account", "free_text"):
            assert column.sealed, column.name


@each
def test_generalised_names_collide_with_no_column(contract: Contract) -> None:
    names = [p.name for p in contract.properties]
    clear = [name for p in contract.properties for name in p.clear_as]
    assert len({*names, *clear}) == len(names) + len(clear)


@each
def test_purposes_and_owner_are_registered(contract: Contract) -> None:
    assert set(contract.purposes) <= set(load_purposes())
    assert contract.owner in load_roles().agencies


def test_code_sets_are_used() -> None:
    used = {p.code_set for c in CONTRACTS for p in c.properties} | {"division"}
    integrated = (ROOT / "assets" / "integrated" / "person.yaml").read_text(encoding="utf-8")
    idle = [name for name in load_code_sets() if name not in used and name not in integrated]
    assert idle == []


def test_policy_has_no_findings() -> None:
    assert lint(CATALOG) == ()


@each
def test_every_dataset_has_a_policy(contract: Contract) -> None:
    roles = {row["role"] for row in ROWS if row["dataset"] == contract.name}
    assert "citizen" in roles or not contract.subjects, "the people it is about cannot see it"
    assert "analyst" in roles, "it cannot be counted"


def test_data_that_is_not_shared_stays_with_its_department() -> None:
    owners = {c.name: c.owner for c in CONTRACTS if c.sharing is SharingType.NOT_SHARED}
    assert owners
    strangers = {
        (row["dataset"], row["agency"])
        for row in ROWS
        if row["dataset"] in owners
        and row["action"] in ("lookup", "search", "list")
        and row["agency"] != owners[row["dataset"]]
    }
    assert strangers == set()
