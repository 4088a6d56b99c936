"""`hub ledger verify`, `audit`, `succeed` and `hub keys rotate ledger` at the command line."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from api import inspecting
from hub.ledger.checks.findings import Finding
from tests.api.test_cli import hub


@pytest.fixture
def home(tmp_path: Path) -> Path:
    folder = tmp_path / "hub"
    for command in (("init",), ("ledger", "publish")):
        done = hub(*command, "--home", str(folder))
        assert done.exit_code == 0, done.output
    return folder


def change(home: Path, statement: str) -> None:
    with closing(sqlite3.connect(home / "ledger.sqlite", isolation_level=None)) as connection:
        assert connection.execute(statement).rowcount


def test_a_verification_is_recorded_with_a_pseudonym(home: Path) -> None:
    done = hub("ledger", "verify", "--json", "--by", "oversight.audit", "--home", str(home))
    found = json.loads(done.stdout)
    assert (done.exit_code, found["intact"], found["from"], found["wrong"]) == (0, True, 0, 0)
    assert found["public"] == found["entries"] == 3
    with closing(sqlite3.connect(home / "ledger.sqlite")) as connection:
        query = "SELECT record FROM entry WHERE event = 'hub:ledger:verified'"
        (record,) = connection.execute(query).fetchone()
    body = json.loads(record)
    assert (body["from"], body["size"], body["public"], body["findings"]) == (0, 3, 3, 0)
    assert len(body["by"]) == 32
    assert b"oversight" not in record


def test_who_cannot_be_named_verifies_nothing(home: Path) -> None:
    done = hub("ledger", "verify", "--by", "张三 一个人", "--home", str(home))
    assert done.exit_code == 64
    assert not (home / "ledger/verify.json").exists()


def test_what_is_wrong_is_named_and_ends_with_70(home: Path) -> None:
    change(home, "UPDATE entry SET time = '1999' WHERE position = 1")
    (home / "ledger/public/tile/0/000.p/3").write_bytes(b"x")
    done = hub("ledger", "verify", "--json", "--home", str(home))
    assert done.exit_code == 70
    found = json.loads(done.stdout)
    assert [one["text"] for one in found["findings"]] == [
        "entry 1, time: not the record's",
        "public file tile/0/000.p/3: changed, from byte 0 on",
    ]
    told = hub("ledger", "verify", "--home", str(home))
    assert told.exit_code == 70
    assert "NOT INTACT" in told.stdout
    assert "entry 1, time: not the record's" in told.stdout


def test_what_is_wrong_with_seals_is_named_of_a_ledger_that_is_intact(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    wrong = [Finding(1, "seal", "order 1 was not approved when it sealed this use")]
    monkeypatch.setattr(inspecting, "seal_findings", lambda _log, _now: wrong)
    for command in (("verify",), ("audit", "--since-last")):
        done = hub("ledger", *command, "--json", "--home", str(home))
        found = json.loads(done.stdout)
        assert (done.exit_code, found["intact"], found["wrong"]) == (70, False, 1)
        assert found["findings"][0]["text"].startswith("entry 1, seal: order 1 was not approved")


def test_a_ledger_that_takes_no_entry_is_verified_all_the_same(home: Path) -> None:
    change(home, "UPDATE tree SET hashes = zeroblob(32) WHERE leaf = 2")
    done = hub("ledger", "verify", "--home", str(home))
    assert done.exit_code == 70
    assert "entry 2, leaf hash" in done.stdout
    assert "this verification is not recorded" in done.stderr


def test_the_daily_run_says_from_where(home: Path) -> None:
    first = json.loads(hub("ledger", "audit", "--since-last", "--json", "--home", str(home)).stdout)
    assert (first["from"], first["entries"]) == (0, 3)
    done = hub("ledger", "audit", "--since-last", "--home", str(home))
    assert done.exit_code == 0
    assert "entries 3 to 4" in done.stdout
    back = hub("ledger", "audit", "--since", "2001-01-01", "--json", "--home", str(home))
    assert json.loads(back.stdout)["from"] == 0


@pytest.mark.parametrize("options", [(), ("--since-last", "--since", "2026-01-01")])
def test_the_daily_run_wants_one_beginning(home: Path, options: tuple[str, ...]) -> None:
    done = hub("ledger", "audit", *options, "--home", str(home))
    assert done.exit_code == 64
    assert "--since" in done.stderr


def test_the_ledgers_key_is_rotated(home: Path) -> None:
    before = hub("ledger", "key", "--home", str(home)).stdout.strip()
    done = hub("keys", "rotate", "ledger", "--home", str(home))
    assert done.exit_code == 0
    after = hub("ledger", "key", "--home", str(home)).stdout.strip()
    assert after != before
    assert after in done.stdout.replace("\n", "")
    for command in ("publish", "verify"):
        assert hub("ledger", command, "--home", str(home)).exit_code == 0
    assert (home / "ledger/public/keys").read_text().split() == [after, before]


def test_a_successor_is_begun_and_the_former_ledger_verified(home: Path) -> None:
    words = ("--why", "the key was lost", "--by", "office")
    same = hub(
        "ledger", "succeed", "--origin", "mingjing.example/ledger", *words, "--home", str(home)
    )
    assert same.exit_code == 64
    asked = ("ledger", "succeed", "--origin", "x.example/two", *words, "--home", str(home))
    refused = hub(*asked)
    assert refused.exit_code == 64
    assert "is intact" in refused.stderr
    done = hub(*asked, "--although-intact")
    assert done.exit_code == 0, done.output
    assert "x.example/two goes on" in done.stdout
    for command in (("publish",), ("verify",), ("verify", "--former", "1")):
        assert hub("ledger", *command, "--home", str(home)).exit_code == 0
    assert hub("ledger", "verify", "--former", "2", "--home", str(home)).exit_code == 66
    shown = hub("ledger", "checkpoint", "--home", str(home)).stdout
    assert shown.startswith("x.example/two\n")
