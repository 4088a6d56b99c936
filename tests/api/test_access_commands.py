"""`hub access lint | matrix | diff`: what is printed for people and programs, and how it ends."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import openpyxl
import pytest
from typer.testing import CliRunner, Result

from access.files import POLICY_FOLDER
from api.cli import app


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
    assert found["actors"] == {"touched": 2, "opens": 0, "closes": 2, "of": 11}
    assert found["records"] is None
    assert {line["purpose"] for line in found["lines"]} == {"elderly.service"}
    told = hub("diff", str(proposal), "in-force", *home)
    assert "老年人服务" in told.stdout
    assert "收窄 / Closes (0)" in told.stdout
    assert "2/11" in told.stdout
    assert "nothing is published yet" in told.stdout
    assert not (proposal / "none").exists()


def test_a_diff_with_a_policy_that_does_not_lint(proposal: Path) -> None:
    """Refused with the findings, as activation would be."""
    path = proposal / "policy.csv"
    path.write_text(path.read_text().replace("no-export,deny", "no-export,Deny"))
    done = hub("diff", "in-force", str(proposal))
    assert done.exit_code != 0
    assert "unknown-effect" in done.stderr
