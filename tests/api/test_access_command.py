"""`hub access`: two persons change the policy and give a grant, one suspends; said as JSON too."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from access.files import POLICY_FOLDER
from api.cli import app
from api.setup import make_hub
from hub.config import Settings, load_settings

Hub = Callable[..., Any]
GRANT = (
    "--agency", "population", "--role", "window_officer", "--purpose", "residence.verify",
    "--column", "housing.dwelling.usage", "--basis", "joint check",
)  # fmt: skip


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """A fresh hub of the demonstration profile."""
    made = load_settings(home=tmp_path / "hub", profile="demonstration")
    make_hub(made)
    return made


@pytest.fixture
def hub(settings: Settings) -> Hub:
    """Run a command of `hub access`; return its JSON, or the exit code when it failed."""

    def run(*arguments: str, by: str | None = None) -> Any:
        who = ("--by", by, "--reason", "测试 / test") if by else ()
        words = ["access", *arguments, *who, "--home", str(settings.home), "--json"]
        done = CliRunner().invoke(app, words)
        return json.loads(done.stdout) if done.exit_code == 0 else done.exit_code

    return run


def write(settings: Settings, without: str) -> None:
    """Write a policy file of one's own, without a rule."""
    folder = settings.home / "policies"
    folder.mkdir(exist_ok=True)
    lines = (POLICY_FOLDER / "policy.csv").read_text("utf-8").splitlines(keepends=True)
    kept = [line for line in lines if not line.startswith(f"{without},")]
    (folder / "policy.csv").write_text("".join(kept), "utf-8")


def test_files_are_a_proposal_until_a_second_person_approves(hub: Hub, settings: Settings) -> None:
    write(settings, without="grid-elderly")
    assert [row["state"] for row in hub("changes")] == ["active"]
    assert hub("matrix", "--role", "grid_officer") != []
    before = len(hub("matrix"))
    proposed = hub("propose", by="admin.system")
    assert proposed["state"] == "proposed"
    assert [ln for ln in proposed["difference"] if ln.startswith("-grid-elderly,")]
    assert len(hub("matrix")) == before
    assert hub("approve", "1", by="admin.system") == 77
    assert hub("approve", "1", "--at", "yesterday", by="admin.security") == 64
    assert hub("approve", "1", by="admin.security")["state"] == "active"
    assert len(hub("matrix")) < before
    assert [row["state"] for row in hub("changes")] == ["replaced", "active"]
    assert hub("rollback", "0", by="admin.system")["change"] == 2
    assert hub("decline", "2", by="admin.security")["state"] == "declined"
    assert hub("changes", "2")["difference"] != []
    assert hub("changes", "9") == 66


def test_a_folder_that_does_not_lint_is_not_proposed(hub: Hub, settings: Settings) -> None:
    write(settings, without="grid-elderly")
    path = settings.home / "policies" / "policy.csv"
    path.write_text(path.read_text("utf-8").replace(",deny,", ",Deny,"), "utf-8")
    assert hub("propose", by="admin.system") == 65
    assert len(hub("changes")) == 1


@pytest.mark.parametrize("by", ["安策", "Admin Security"])
def test_who_acts_is_an_account(hub: Hub, by: str) -> None:
    assert hub("suspend", "officer.east", by=by) == 64


def test_a_grant_is_asked_for_given_and_revoked(hub: Hub) -> None:
    asked = hub("grant", *GRANT, "--uses", "3", "--case", "A-1", by="steward")
    assert (asked["state"], asked["uses_left"], asked["for_a_case"]) == ("requested", 3, True)
    assert hub("approve", "grant-1", by="steward") == 77
    assert hub("approve", "grant-1", by="admin.security")["state"] == "given"
    assert [row["state"] for row in hub("grants")] == ["given"]
    assert hub("revoke", "grant-1", by="admin.security")["state"] == "revoked"
    assert hub("decline", "grant-1", by="admin.security") == 77
    assert hub("approve", "grant-9", by="admin.security") == 66
    assert hub("approve", "one", by="admin.security") == 64


def test_a_grant_wider_than_its_purpose_is_refused(hub: Hub) -> None:
    wide = tuple("housing.dwelling.ownership" if "." in w and "usage" in w else w for w in GRANT)
    assert hub("grant", *wide, by="steward") == 77
    assert hub("grants") == []


def test_an_actor_is_suspended_and_resumed(hub: Hub) -> None:
    assert hub("suspend", "officer.east", by="admin.security")["state"] == "suspended"
    assert hub("suspend", "officer.east", by="admin.security") == 77
    assert hub("resume", "officer.east", by="admin.system") == 77
    assert hub("resume", "officer.east", by="admin.security")["state"] == "resumed"


def test_a_production_hub_says_who_may(tmp_path: Path) -> None:
    made = load_settings(home=tmp_path / "hub", profile="production")
    make_hub(made)
    words = ["access", "changes", "--home", str(made.home)]
    missing = CliRunner().invoke(app, words)
    assert missing.exit_code == 78
    (made.home / "officials.yaml").write_text(
        "chief:\n  agency: operations\n  roles: [security_admin]\n  person: 'x1'\n", "utf-8"
    )
    assert CliRunner().invoke(app, words).exit_code == 0
