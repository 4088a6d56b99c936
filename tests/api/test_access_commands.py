"""`hub access lint | matrix | diff | unused | simulate`: what is printed for people and programs, and how it ends."""

from __future__ import annotations

import json
import re
import shutil
from contextlib import closing
from pathlib import Path

import openpyxl
import pytest
from typer.testing import CliRunner, Result

from access.answers import LookupQuery
from access.demo import load_demo_actors
from access.files import FILES, POLICY_FOLDER
from access.policy import load_policy
from api.cli import app
from api.services import open_services
from contracts.loader import load_catalog, load_contracts
from tests.api.hub import EAST, WEST, make_home


def hub(*arguments: str) -> Result:
    return CliRunner().invoke(app, ["access", *arguments])


@pytest.fixture
def proposal(tmp_path: Path) -> Path:
    """A policy without elderly service, in a folder of its own."""
    folder = tmp_path / "proposal"
    shutil.copytree(POLICY_FOLDER, folder)
    path = folder / "policy.csv"
    lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
    path.write_text("".join(li for li in lines if not li.startswith("grid-elderly,")))
    return folder


def test_lint_says_everything_at_once(proposal: Path) -> None:
    """Of the rules and of the accounts, with file and line."""
    path = proposal / "policy.csv"
    path.write_text(path.read_text().replace("no-export,deny", "no-export,Deny"))
    accounts = proposal / "demo_actors.yaml"
    accounts.write_text(accounts.read_text().replace("roles: [analyst]", "roles: [analist]"))
    done = hub("lint", "--policy", str(proposal), "--json")
    assert done.exit_code == 65
    rows = json.loads(done.stdout)
    assert {"unknown-effect", "unknown-role", "unused-purpose"} <= {row["code"] for row in rows}
    for row in rows:
        file, _, line = row["at"].rpartition(":")
        assert file in ("policy.csv", "purposes.yaml", "demo_actors.yaml")
        assert line.isdigit()
    assert hub("lint").exit_code == 0


def test_lint_of_accounts_of_ones_own(tmp_path: Path) -> None:
    """Two accounts of one person that exclude each other."""
    file = tmp_path / "staff.yaml"
    file.write_text(
        "a:\n  agency: operations\n  roles: [system_admin]\n  person: '1'\n"
        "b:\n  agency: operations\n  roles: [audit_admin]\n  person: '1'\n"
    )
    done = hub("lint", "--accounts", str(file), "--json")
    assert done.exit_code == 65
    (row,) = json.loads(done.stdout)
    assert (row["at"], row["code"]) == ("staff.yaml:5", "separate-duties")


def test_the_matrix_as_a_workbook(tmp_path: Path) -> None:
    """Whole or not at all, for its owner alone, never over another file."""
    path = tmp_path / "matrix.xlsx"
    assert hub("matrix", "--role", "analyst", "--xlsx", str(path)).exit_code == 0
    assert path.stat().st_mode & 0o777 == 0o600
    book = openpyxl.load_workbook(path)
    assert {line[0].value for line in book.worksheets[1].iter_rows(min_row=2)} == {"分析员 analyst"}
    assert hub("matrix", "--xlsx", str(path)).exit_code == 64


def test_a_diff_for_people_and_programs(proposal: Path) -> None:
    """What closes, how many accounts; nothing is published, and that is said."""
    home = ("--home", str(proposal / "none"))
    done = hub("diff", "in-force", str(proposal), "--json", *home)
    assert done.exit_code == 0, done.output
    found = json.loads(done.stdout)
    assert found["opens"] == []
    assert found["closes"]
    assert found["actors"] == {"touched": 2, "opens": 0, "closes": 2, "of": 12}
    assert found["records"] is None
    assert {line["purpose"] for line in found["lines"]} == {"elderly.service"}
    told = hub("diff", str(proposal), "in-force", *home)
    assert "老年人服务" in told.stdout
    assert "收窄 / Closes (0)" in told.stdout
    assert "2/12" in told.stdout
    assert "nothing is published yet" in told.stdout
    assert not (proposal / "none").exists()


def test_a_diff_with_a_version_of_the_records(used: Path, proposal: Path) -> None:
    """By the digits that answers call it by; one that is not there is refused."""
    home = ("--home", str(used))
    same = hub(
        "diff", "in-force", load_policy(load_catalog(load_contracts())).version, "--json", *home
    )
    assert same.exit_code == 0, same.output
    assert json.loads(same.stdout)["lines"] == []
    for name in ("0" * 16, "deadbeef"):
        done = hub("diff", "in-force", name, *home)
        assert done.exit_code == 65
        assert f"no version '{name}'" in done.output


def test_a_diff_with_a_policy_that_does_not_lint(proposal: Path) -> None:
    """Refused with the findings, as activation would be."""
    path = proposal / "policy.csv"
    path.write_text(path.read_text().replace("no-export,deny", "no-export,Deny"))
    done = hub("diff", "in-force", str(proposal))
    assert done.exit_code != 0
    assert "unknown-effect" in done.stderr


@pytest.fixture(scope="module")
def used(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A hub in which two officers looked people up."""
    settings = make_home(tmp_path_factory.mktemp("hub"))
    actors = load_demo_actors()
    with closing(open_services(settings)) as services:
        for name, person, purpose in (
            ("officer.east", EAST, "residence.verify"),
            ("officer.east", EAST, "residence.verify"),
            ("officer.west", WEST, "elderly.service"),
            ("analyst", WEST, "elderly.service"),
        ):
            query = LookupQuery("resident_id", person.number, purpose)
            services.guard.lookup(actors[name], query)
    return settings.home


def test_unused_and_a_narrower_policy(used: Path, tmp_path: Path) -> None:
    """It lints, and replayed it refuses nothing; the folder is written once."""
    folder = tmp_path / "narrower"
    done = hub("unused", "--days", "30", "--propose", str(folder), "--json", "--home", str(used))
    assert done.exit_code == 0, done.output
    found = json.loads(done.stdout)
    assert found["entries"] == 4
    assert "police-investigation" in found["rules"]
    assert not {"grid-residence", "grid-elderly", "citizen-own"} & set(found["rules"])
    assert found["proposal"]["rules"] == found["rules"]
    assert sorted(path.name for path in folder.iterdir()) == sorted(FILES)
    assert hub("lint", "--policy", str(folder)).exit_code == 0
    since = ("--since", "2020-01-01", "--home", str(used))
    again = hub("simulate", "--policy", str(folder), "--json", *since)
    assert again.exit_code == 0, again.output
    replayed = json.loads(again.stdout)
    assert (replayed["replayed"], replayed["less_than_shown"]) == (4, 0)
    assert {row["change"] for row in replayed["consequences"]} <= {"narrowed"}
    taken = hub("unused", "--propose", str(folder), "--home", str(used))
    assert taken.exit_code == 64
    told = hub("unused", "--home", str(used))
    assert "police-investigation" in told.stdout
    assert "entries gone by: 4" in told.stdout


def test_simulate_names_rules_and_numbers_and_nobody(used: Path, proposal: Path) -> None:
    """One entry of one actor would be refused; no account, no pseudonym, no number of a person."""
    since = ("--since", "2020-01-01", "--home", str(used))
    done = hub("simulate", "--policy", str(proposal), "--json", *since)
    found = json.loads(done.stdout)
    (row,) = found["consequences"]
    assert (row["change"], row["rules"]) == ("refused", ["grid-elderly"])
    assert (row["entries"], row["requests"], row["shown"], row["actors"]) == (1, 1, 1, 1)
    assert found["less_than_shown"] == 1
    told = hub("simulate", "--policy", str(proposal), *since)
    assert "新拒绝" in told.stdout
    for output in (done.output, told.output):
        assert not any(w in output for w in (EAST.number, WEST.number, EAST.name, "officer.west"))
        assert not re.search("[0-9a-f]{32}", output)
    later = hub(
        "simulate",
        "--policy",
        str(proposal),
        "--json",
        "--since",
        "2100-01-01",
        "--home",
        str(used),
    )
    assert json.loads(later.stdout)["replayed"] == 0


def test_a_diff_counts_records_in_the_snapshot_in_service(used: Path, tmp_path: Path) -> None:
    """226 police cases; small numbers are told as such."""
    folder = tmp_path / "counts"
    shutil.copytree(POLICY_FOLDER, folder)
    path = folder / "policy.csv"
    path.write_text(path.read_text().replace("min_cell=10", "min_cell=5"))
    done = hub("diff", "in-force", str(folder), "--json", "--home", str(used))
    found = json.loads(done.stdout)
    assert {row["dataset"]: row["records"] for row in found["records"]} == {
        "police.case": 226,
        "police.dispute": 0,
        "police.incident": 0,
    }
    assert len(found["opens"]) == 1


@pytest.mark.parametrize(
    "command", [("unused",), ("simulate", "--policy", ".", "--since", "2026-01-01")]
)
def test_no_hub_is_made_by_asking(tmp_path: Path, command: tuple[str, ...]) -> None:
    """Without a ledger there is nothing to go by."""
    done = hub(*command, "--home", str(tmp_path / "nowhere"))
    assert done.exit_code == 78
    assert not (tmp_path / "nowhere").exists()
