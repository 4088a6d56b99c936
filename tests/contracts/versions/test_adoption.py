"""Contracts against the versions in use: what is taken, what is refused, what stays."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from contracts.codes import Code, CodeSet, CodeSets, load_code_sets
from contracts.loader import load_contracts
from contracts.model import Contract
from contracts.versions.adoption import against, recall, used, weigh
from tests.contracts.small import contract_text, write_contract
from tests.factories import NOW

CODE_SETS = load_code_sets()
EXTRA = "- {name: extra, businessName: 附加, logicalType: string, classification: L2}\n"
WIDER = EXTRA + "- {name: more, businessName: 更多, logicalType: string, classification: L2}\n"


def contract(folder: Path, version: str, columns: str) -> Contract:
    text = contract_text(columns).replace("version: 1.0.0", f"version: {version}")
    write_contract(folder, text)
    return load_contracts([folder], built_in=False)[0]


@pytest.fixture
def first(tmp_path: Path) -> Contract:
    return contract(tmp_path, "1.0.0", EXTRA)


def test_a_remembered_contract_is_the_contract(first: Contract) -> None:
    again = recall(used(first, CODE_SETS, NOW))
    assert [replace(p, line=0) for p in again.properties] == [
        replace(p, line=0) for p in first.properties
    ]
    assert against(used(first, CODE_SETS, NOW), first, CODE_SETS).differences == ()


@pytest.mark.parametrize("built_in", load_contracts(), ids=lambda c: c.name)
def test_every_built_in_contract_comes_back_whole(built_in: Contract) -> None:
    version = used(built_in, CODE_SETS, NOW)
    assert against(version, built_in, CODE_SETS).differences == ()
    assert used(recall(version), CODE_SETS, NOW).digest == version.digest


def test_what_was_never_used_may_change_freely(first: Contract) -> None:
    weighed = weigh([first], {}, CODE_SETS)
    assert weighed.contracts == (first,)
    assert weighed.error is None


@pytest.mark.parametrize(
    ("version", "columns", "taken"),
    [
        ("1.0.0", EXTRA, True),
        ("1.0.0", WIDER, False),
        ("1.0.1", WIDER, True),
        ("1.1.0", WIDER, True),
        ("1.1.0", "", False),
        ("2.0.0", "", True),
    ],
)
def test_a_change_is_taken_when_its_version_says_so(
    first: Contract, tmp_path: Path, version: str, columns: str, taken: bool
) -> None:
    changed = contract(tmp_path / "new", version, columns)
    in_use = {first.name: used(first, CODE_SETS, NOW)}
    weighed = weigh([changed], in_use, CODE_SETS)
    assert (weighed.error is None) is taken
    kept = changed if taken else first
    assert [c.version for c in weighed.contracts] == [kept.version]
    assert [p.name for p in weighed.contracts[0].properties] == [p.name for p in kept.properties]


def test_the_refusal_names_every_breaking_difference_and_the_remedy(
    first: Contract, tmp_path: Path
) -> None:
    changed = contract(tmp_path / "new", "1.1.0", "")
    changed = replace(changed, update_cycle="daily")
    error = weigh([changed], {first.name: used(first, CODE_SETS, NOW)}, CODE_SETS).error
    assert error is not None
    said = "\n".join(error.findings)
    assert "thing.yaml:" in error.findings[0]
    assert "extra" in said
    assert "daily" in said
    assert "2.0.0" in error.findings[-1]


def test_a_contract_that_is_in_no_file_stays_in_force_and_is_told(first: Contract) -> None:
    weighed = weigh([], {first.name: used(first, CODE_SETS, NOW)}, CODE_SETS)
    assert [c.name for c in weighed.contracts] == [first.name]
    assert weighed.error is not None
    (finding,) = weighed.error.findings
    assert finding.startswith("test.thing.yaml:1: test.thing 1.0.0")
    assert "status: retired" in finding


def test_a_contract_is_retired_by_its_status_and_a_patch_version(
    first: Contract, tmp_path: Path
) -> None:
    in_use = {first.name: used(first, CODE_SETS, NOW)}
    text = contract_text(EXTRA).replace("status: active", "status: retired")
    write_contract(tmp_path / "new", text)
    (unsaid,) = load_contracts([tmp_path / "new"], built_in=False)
    assert weigh([unsaid], in_use, CODE_SETS).error is not None
    write_contract(tmp_path / "new", text.replace("version: 1.0.0", "version: 1.0.1"))
    (retired,) = load_contracts([tmp_path / "new"], built_in=False)
    weighed = weigh([retired], in_use, CODE_SETS)
    assert weighed.error is None
    assert weighed.contracts[0].is_retired


def test_comments_and_layout_are_no_change(first: Contract, tmp_path: Path) -> None:
    text = "# a comment\n" + (tmp_path / "thing.yaml").read_text().replace(
        "version: 1", "version:   1"
    )
    write_contract(tmp_path / "new", text)
    (again,) = load_contracts([tmp_path / "new"], built_in=False)
    assert used(again, CODE_SETS, NOW).digest == used(first, CODE_SETS, NOW).digest


def test_a_list_may_grow_and_not_shrink() -> None:
    contract = next(c for c in load_contracts() if c.name == "population.resident")
    version = used(contract, CODE_SETS, NOW)

    def with_sex(*codes: str) -> CodeSets:
        others = [s for s in CODE_SETS.values() if s.name != "sex"]
        return CodeSets((*others, CodeSet("sex", tuple(Code(c, c) for c in codes))))

    present = [code.code for code in CODE_SETS["sex"].codes]
    in_use = {contract.name: version}
    assert weigh([contract], in_use, with_sex(*present, "7")).error is None
    assert weigh([contract], in_use, with_sex(*present[:-1])).error is not None
