"""`hub contract diff | show | docs`: what people and programs get."""

from __future__ import annotations

import json
import re
from html.parser import HTMLParser
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from api import supervisor
from api.cli import app
from api.contract_docs import write_docs
from api.contract_store import Known, known
from api.contract_view import Registers, described
from contracts.codes import load_code_sets
from contracts.loader import BUILT_IN, load_contracts
from contracts.versions.adoption import used
from hub.store.contract_versions import ContractVersions
from hub.store.records import Records
from tests.contracts.small import contract_text, write_contract
from tests.factories import NOW, settings_in

CONTRACTS = load_contracts()
RESIDENT = BUILT_IN / "population.resident.yaml"
COLOUR = "- {name: colour, businessName: 颜色, logicalType: string, classification: L1}\n"


def hub(*arguments: str) -> Result:
    return CliRunner().invoke(app, ["contract", *arguments])


def version(folder: Path, number: str, columns: str) -> Path:
    """Write a small contract of this version and return its file."""
    text = contract_text(columns).replace("version: 1.0.0", f"version: {number}")
    return write_contract(folder, text, f"{number}.yaml") / f"{number}.yaml"


def test_two_files_are_compared_for_people_and_programs(tmp_path: Path) -> None:
    old, new = version(tmp_path, "1.0.0", COLOUR), version(tmp_path, "1.1.0", "")
    done = hub("diff", str(old), str(new), "--json")
    assert done.exit_code == 65
    found = json.loads(done.stdout)
    assert [(d["kind"], d["breaks"]) for d in found["differences"]] == [
        ("column_removed", ["consumer", "provider"])
    ]
    assert found["version_to_give"] == "2.0.0"
    told = hub("diff", str(old), str(new))
    assert "colour" in told.stdout
    assert "2.0.0" in told.stdout


def test_a_comparison_that_its_version_tells_is_no_failure(tmp_path: Path) -> None:
    old, new = version(tmp_path, "1.0.0", ""), version(tmp_path, "1.1.0", COLOUR)
    assert hub("diff", str(old), str(new)).exit_code == 0
    assert hub("diff", str(old), str(old)).exit_code == 0
    assert "no differences" in hub("diff", str(old), str(old)).stdout


def test_what_cannot_be_compared_is_said(tmp_path: Path) -> None:
    home = ("--home", str(tmp_path / "hub"))
    assert hub("diff", str(tmp_path / "none.yaml"), str(RESIDENT)).exit_code == 66
    assert hub("diff", str(RESIDENT), *home).exit_code == 64
    assert hub("diff", "no.such", *home).exit_code == 66
    never = hub("diff", "population.resident", *home)
    assert never.exit_code == 66
    assert "ever loaded" in never.stderr
    assert not (tmp_path / "hub").exists()


def test_a_dataset_is_compared_with_the_version_in_use(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    settings = settings_in(tmp_path / "hub")
    folder = settings.contract_folders[0]
    write_contract(folder, contract_text(COLOUR))
    (contract,) = [c for c in known(settings).contracts if c.name == "test.thing"]
    with Records.open(settings) as records:
        ContractVersions(records).adopt(used(contract, load_code_sets(), NOW))
    home = ("--home", str(settings.home))
    assert hub("diff", "test.thing", *home).exit_code == 0
    write_contract(folder, contract_text(""))
    assert hub("diff", "test.thing", *home).exit_code == 65
    supervisor.say_refusal(settings)
    said = capsys.readouterr().err
    assert "2.0.0" in said
    assert "stays in service" in said
    linted = hub("lint", *home)
    assert linted.exit_code == 65
    assert "thing.yaml" in linted.stderr
    assert "2.0.0" in linted.stderr
    write_contract(folder, contract_text("").replace("version: 1.0.0", "version: 2.0.0"))
    assert hub("diff", "test.thing", *home).exit_code == 0
    assert hub("lint", *home).exit_code == 0


@pytest.mark.parametrize("contract", CONTRACTS, ids=lambda c: c.name)
def test_every_contract_is_shown(contract: object, tmp_path: Path) -> None:
    name = contract.name  # type: ignore[attr-defined]
    done = hub("show", name, "--home", str(tmp_path))
    assert done.exit_code == 0, done.output
    told = json.loads(hub("show", name, "--home", str(tmp_path), "--json").stdout)
    assert told["dataset"] == name
    for column in told["columns"]:
        assert column["name"] in done.stdout


def test_a_mask_is_told_as_it_is_applied(tmp_path: Path) -> None:
    contract = next(c for c in CONTRACTS if c.name == "population.resident")
    told = described(contract, Registers.load(load_code_sets(), settings_in(tmp_path)))
    masks = {c["name"]: c["mask"] for c in told["columns"]}
    assert masks["resident_id"] == "id_6_4"
    assert masks["name"] == "name"
    assert masks["ethnicity"] == "hidden"
    unverified = [n for n in told["legal_notes"] if not n["verified"]]
    assert unverified


class _Page(HTMLParser):
    """Collects tags and what they point to."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.targets: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.targets |= {v for k, v in attrs if k in ("src", "href") and v}


def test_pages_stand_alone_and_lead_to_each_other(tmp_path: Path) -> None:
    done = hub("docs", "--out", str(tmp_path / "docs"), "--home", str(tmp_path / "hub"))
    assert done.exit_code == 0, done.output
    files = sorted((tmp_path / "docs").iterdir())
    assert [p.name for p in files] == sorted(["index.html", *(f"{c.name}.html" for c in CONTRACTS)])
    for path in files:
        text = path.read_text(encoding="utf-8")
        page = _Page()
        page.feed(text)
        assert not {"script", "link", "img", "iframe"} & page.tags
        assert all((path.parent / target).exists() for target in page.targets)
        assert not re.search(r"url\(|@import|https?:", text)


def test_pages_mark_what_is_not_verified_and_say_what_is_new(tmp_path: Path) -> None:
    found = known(settings_in(tmp_path))
    contract = found.contract("population.resident")
    before = used(contract, found.code_sets, NOW)
    document = {**before.document["contract"], "version": "0.9.0"}
    document["customProperties"] = [
        {**p, "value": "yearly"} if p["property"] == "updateCycle" else p
        for p in document["customProperties"]
    ]
    old = type(before)(
        contract.name, "0.9.0", "0" * 64, {**before.document, "contract": document}, NOW
    )
    history = {contract.name: (old,)}
    write_docs(
        Known(found.contracts, found.code_sets, history), settings_in(tmp_path), tmp_path / "docs"
    )
    text = (tmp_path / "docs" / "population.resident.html").read_text(encoding="utf-8")
    assert "未核实" in text
    assert "0.9.0 以来的变化" in text
    assert "yearly" in text


def test_a_contract_is_drafted_from_a_sample(tmp_path: Path) -> None:
    sample, out = tmp_path / "a.csv", tmp_path / "made" / "sample.thing.yaml"
    rows = "".join(f"N{n:05d},{n % 9}.5\n" for n in range(60))
    sample.write_text(f"编号,重量\n{rows}", encoding="utf-8")
    options = ("--dataset", "sample.thing", "--owner", "housing", "--home", str(tmp_path / "hub"))
    printed = hub("new", str(sample), *options)
    assert printed.exit_code == 0, printed.output
    assert printed.stdout.startswith("# sample.thing")
    assert "to confirm" in printed.stderr
    done = hub("new", str(sample), *options, "--out", str(out))
    assert done.exit_code == 0, done.output
    assert hub("lint", str(out.parent)).exit_code == 0
    assert hub("new", str(sample), *options, "--out", str(out)).exit_code == 64
    assert not (tmp_path / "hub").exists()


@pytest.mark.parametrize(
    ("dataset", "owner"),
    [("thing", "housing"), ("sample.thing", "a b"), ("population.resident", "population")],
)
def test_a_draft_needs_a_name_that_is_free(tmp_path: Path, dataset: str, owner: str) -> None:
    sample = tmp_path / "a.csv"
    sample.write_text("编号\n1\n", encoding="utf-8")
    assert hub("new", str(sample), "--dataset", dataset, "--owner", owner).exit_code == 64
