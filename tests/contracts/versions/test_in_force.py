"""The contracts a hub goes by: an edit that is refused changes nothing, wherever they are asked."""

from __future__ import annotations

from pathlib import Path

from api.commands.access.sources import catalog_of
from contracts.codes import load_code_sets
from contracts.loader import load_contracts
from contracts.versions.adoption import used
from contracts.versions.in_force import in_force, load_in_force
from hub.store.contract_versions import ContractVersions
from hub.store.records import Records
from tests.contracts.small import contract_text, write_contract
from tests.factories import NOW, settings_in

CODE_SETS = load_code_sets()
SECRET = "- {name: extra, businessName: 附加, logicalType: string, classification: L4}\n"


def test_a_refused_edit_leaves_the_version_in_use_in_force(tmp_path: Path) -> None:
    settings = settings_in(tmp_path / "hub")
    folder = settings.contract_folders[0]
    write_contract(folder, contract_text(SECRET))
    (first,) = load_contracts([folder], built_in=False)
    with Records.open(settings) as records:
        ContractVersions(records).adopt(used(first, CODE_SETS, NOW))
        write_contract(folder, contract_text(SECRET.replace("L4", "L1")))
        weighed = load_in_force(settings, records, CODE_SETS)
    (thing,) = [c for c in weighed.contracts if c.name == "test.thing"]
    assert {p.name: p.classification.name for p in thing.properties}["extra"] == "L4"
    assert weighed.error is not None
    assert in_force(settings) == weighed


def test_what_people_are_told_of_access_is_told_by_the_contracts_in_force(tmp_path: Path) -> None:
    settings = settings_in(tmp_path / "hub")
    folder = settings.contract_folders[0]
    write_contract(folder, contract_text(SECRET))
    (first,) = load_contracts([folder], built_in=False)
    with Records.open(settings) as records:
        ContractVersions(records).adopt(used(first, CODE_SETS, NOW))
    write_contract(folder, contract_text(SECRET.replace("L4", "L1")))
    assert catalog_of(settings)["test.thing"].column("extra").classification.name == "L4"


def test_without_a_hub_the_files_count(tmp_path: Path) -> None:
    settings = settings_in(tmp_path / "hub")
    write_contract(settings.contract_folders[0], contract_text(SECRET))
    assert "test.thing" in {c.name for c in in_force(settings).contracts}
    assert not settings.records.exists()
