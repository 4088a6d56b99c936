"""The `hub` command: what it prints for people and programs, and how it ends."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from api.cli import app
from hub.keyring import PURPOSES, Keyring
from hub.ledger.verify import trust_of, verify_file
from tests.postgresql import Server


def hub(*arguments: str) -> Result:
    return CliRunner().invoke(app, list(arguments))


@pytest.fixture
def home(tmp_path: Path) -> Path:
    folder = tmp_path / "hub"
    done = hub("init", "--home", str(folder))
    assert done.exit_code == 0, done.output
    return folder


def test_init_makes_a_private_hub_and_says_what_guards_it(tmp_path: Path) -> None:
    folder = tmp_path / "hub"
    done = hub("init", "--home", str(folder))
    assert done.exit_code == 0
    assert "0600" in done.output
    assert (folder / "keyring.json").stat().st_mode & 0o777 == 0o600
    assert (folder / "ledger.sqlite").exists()


def test_a_second_init_changes_nothing(home: Path) -> None:
    before = (home / "keyring.json").read_bytes()
    done = hub("init", "--home", str(home))
    assert done.exit_code == 78
    assert "never overwritten" in done.output
    assert (home / "keyring.json").read_bytes() == before


@pytest.mark.xdist_group("postgresql")
def test_a_hub_keeps_its_ledger_in_the_database_it_is_told(tmp_path: Path, server: Server) -> None:
    folder, url = tmp_path / "hub", server.database(tmp_path)
    done = hub("init", "--home", str(folder), "--ledger-url", url)
    assert done.exit_code == 0, done.output
    assert f'ledger_url = "{url}"' in (folder / "hub.toml").read_text()
    assert not (folder / "ledger.sqlite").exists()
    assert hub("keys", "rotate", "row", "--home", str(folder)).exit_code == 0
    verified = json.loads(hub("ledger", "verify", "--json", "--home", str(folder)).stdout)
    assert verified["intact"] is True
    assert verified["entries"] > 1
    second = hub("init", "--home", str(tmp_path / "second"), "--ledger-url", url)
    assert second.exit_code == 78
    assert "holds a ledger already" in second.output
    assert not (tmp_path / "second").exists()


def test_a_database_without_its_driver_is_a_setting_that_does_not_fit(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("hub.ledger.postgres", "hub.ledger.postgres_connection"):
        monkeypatch.delitem(sys.modules, name, raising=False)
        monkeypatch.delattr(name, raising=False)
    monkeypatch.setitem(sys.modules, "psycopg", None)
    url = f"postgresql:///ledger?host={tmp_path}"
    done = hub("init", "--home", str(tmp_path / "hub"), "--ledger-url", url)
    assert done.exit_code == 78
    assert "extra `server`" in done.output


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("postgresql://hub:open-sesame@127.0.0.1/ledger", "holds a password"),
        ("postgresql://hub:@127.0.0.1/ledger", "holds a password"),
        ("postgresql://127.0.0.1/ledger?user=hub&PassWord=open-sesame", "holds a password"),
        ("postgresql://127.0.0.1/ledger?sslpassword=open-sesame", "holds a password"),
        ("postgresql://[open-sesame/ledger", "no postgresql:// URL"),
        ("mysql://127.0.0.1/open-sesame", "no postgresql:// URL"),
        ("host=127.0.0.1 password=open-sesame", "no postgresql:// URL"),
        ('postgresql://127.0.0.1/open-sesame"\nprofile = "demonstration', "no postgresql:// URL"),
        ("postgresql://127.0.0.1/open-sesame\\", "no postgresql:// URL"),
    ],
)
def test_a_database_url_that_does_not_fit_is_refused_and_not_repeated(
    tmp_path: Path, url: str, said: str
) -> None:
    done = hub("init", "--home", str(tmp_path / "hub"), "--ledger-url", url)
    assert done.exit_code == 78
    assert said in " ".join(done.output.split())
    assert "open-sesame" not in done.output
    assert not (tmp_path / "hub").exists()


@pytest.mark.parametrize(
    "command",
    [("status",), ("quality",), ("keys", "list"), ("ledger", "verify"), ("run",)],
)
def test_asking_about_a_hub_that_is_not_there_makes_none(
    tmp_path: Path, command: tuple[str, ...]
) -> None:
    done = hub(*command, "--home", str(tmp_path / "nowhere"))
    assert done.exit_code == 78
    assert "hub init" in done.output
    assert not (tmp_path / "nowhere").exists()


def test_keys_are_listed_without_secrets(home: Path) -> None:
    done = hub("keys", "list", "--json", "--home", str(home))
    rows = json.loads(done.stdout)
    assert {row["purpose"] for row in rows} == set(PURPOSES)
    for key in Keyring.open(home / "keyring.json").versions():
        assert key.material.hex() not in done.output


def test_a_rotation_is_recorded(home: Path) -> None:
    done = hub("keys", "rotate", "row", "--home", str(home))
    assert done.exit_code == 0
    assert "restart" in done.stderr
    rows = json.loads(hub("keys", "list", "--json", "--home", str(home)).stdout)
    assert [r["version"] for r in rows if r["purpose"] == "row"] == [1, 2]
    assert hub("ledger", "publish", "--home", str(home)).exit_code == 0
    proof = hub("ledger", "proof", "2", "--home", str(home)).stdout.encode()
    key = hub("ledger", "key", "--home", str(home)).stdout.strip()
    (entry,) = verify_file(proof, trust_of([key])).uses
    assert entry.record is not None
    assert (entry.record["event"], entry.record["purpose"]) == ("hub:key:rotated", "row")


@pytest.mark.parametrize("purpose", ["ledgr", "identifier", "ledger-sm2", ""])
def test_other_keys_are_not_rotated(home: Path, purpose: str) -> None:
    before = (home / "keyring.json").read_bytes()
    done = hub("keys", "rotate", purpose, "--home", str(home))
    assert done.exit_code == 64
    assert "landing, row, document, ledger, token" in done.stderr
    assert (home / "keyring.json").read_bytes() == before


def test_an_empty_hub_has_empty_tables(home: Path) -> None:
    assert json.loads(hub("status", "--json", "--home", str(home)).stdout) == []
    assert "nothing yet" in hub("quality", "--home", str(home)).output


def test_the_ledger_of_a_new_hub_is_intact(home: Path) -> None:
    done = hub("ledger", "verify", "--json", "--home", str(home))
    assert done.exit_code == 0
    assert json.loads(done.stdout)["intact"] is True
    assert hub("ledger", "key", "--home", str(home)).stdout.startswith("mingjing.example/ledger+")


def test_a_lost_ledger_is_not_made_anew(home: Path) -> None:
    (home / "ledger.sqlite").unlink()
    done = hub("ledger", "verify", "--home", str(home))
    assert done.exit_code == 70
    assert not (home / "ledger.sqlite").exists()


def test_contracts_are_listed_and_linted(tmp_path: Path) -> None:
    rows = json.loads(hub("contract", "list", "--json").stdout)
    assert {"population.resident", "police.case"} <= {row["dataset"] for row in rows}
    assert hub("contract", "lint").exit_code == 0
    (tmp_path / "wrong.yaml").write_text("apiVersion: v3.1.0\nkind: DataContract\n")
    done = hub("contract", "lint", str(tmp_path), "--json")
    assert done.exit_code == 65
    findings = json.loads(done.stdout)["findings"]
    assert {finding["file"] for finding in findings} == {"wrong.yaml"}
    assert all(finding["line"] >= 1 and finding["message"] for finding in findings)
    told = hub("contract", "lint", str(tmp_path))
    assert told.exit_code == 65
    assert f"{len(findings)} findings" in told.stderr


def test_access_is_explained_for_people_and_programs() -> None:
    arguments = ("access", "explain", "population.resident", "--purpose", "residence.verify")
    done = hub(*arguments, "--actor", "officer.east", "--case", "2026-1", "--json")
    assert done.exit_code == 0, done.output
    assert json.loads(done.stdout)["answer"] == "allowed"
    refused = hub(*arguments, "--actor", "analyst", "--json")
    assert json.loads(refused.stdout)["answer"] == "refused"
    assert hub(*arguments, "--actor", "nobody").exit_code == 64
    assert hub(*arguments).exit_code == 64


def test_the_matrix_and_the_lint_of_the_shipped_policy() -> None:
    rows = json.loads(hub("access", "matrix", "--role", "grid_officer", "--json").stdout)
    assert rows
    assert {row["role"] for row in rows} == {"grid_officer"}
    assert hub("access", "lint").exit_code == 0


def test_files_and_contract_of_the_demo_go_together(tmp_path: Path) -> None:
    file = tmp_path / "records.csv"
    file.write_text("a\n1\n")
    done = hub("demo", "--home", str(tmp_path / "demo"), "--also", str(file))
    assert done.exit_code == 64


def test_the_demo_never_removes_what_is_not_a_demonstration(tmp_path: Path) -> None:
    (tmp_path / "precious.txt").write_text("mine")
    done = hub("demo", "--home", str(tmp_path), "--residents", "2000")
    assert done.exit_code == 78
    assert (tmp_path / "precious.txt").read_text() == "mine"


def test_a_profile_is_for_life(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody opens a production hub with the demonstration's sign-in."""
    monkeypatch.setenv("MINGJING_PROFILE", "demonstration")
    done = hub("status", "--home", str(home))
    assert done.exit_code == 78
    assert "profile production" in done.output


def test_a_hub_that_lost_its_keyring_is_not_made_anew(home: Path) -> None:
    (home / "keyring.json").unlink()
    done = hub("init", "--home", str(home))
    assert done.exit_code == 78
    assert not (home / "keyring.json").exists()
