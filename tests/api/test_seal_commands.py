"""`hub access seal …`, `hub access seals`, `hub ledger erase …`: by account, with a second person."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from api.cli import app
from hub.clock import FixedClock
from hub.config import Settings, save_settings
from hub.keyring import Keyring
from hub.sealing import Pseudonymiser
from hub.store.records import Records
from hub.store.registers import CaseFile, add_case
from tests.api.hub import EAST, NOW, TinyHub, make_home

PURPOSE, CASE = "public_safety.investigation", "LA-7"
Run = Callable[..., Any]


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """A hub with an open case; its clock stood still in June, this machine's does not."""
    made = make_home(tmp_path / "hub")
    save_settings(made)
    with Records.open(made) as records, records.writing() as session:
        name = Pseudonymiser(Keyring.open(made.keyring), "case").of(CASE).hex()
        ends = datetime.now(UTC) + timedelta(days=3650)
        add_case(session, CaseFile(name, "police", frozenset({PURPOSE}), NOW, ends))
    return made


@pytest.fixture
def run(settings: Settings) -> Run:
    """Run a command; return what it printed, or its exit code."""

    def command(*arguments: str, by: str = "", reason: str = "已核对立案决定") -> Any:
        who = ("--by", by, "--reason", reason) if by else ()
        words = [*arguments, *who, "--home", str(settings.home), "--json"]
        done = CliRunner().invoke(app, words)
        return json.loads(done.stdout) if done.exit_code == 0 else done.exit_code

    return command


def days(count: int) -> str:
    return (datetime.now(UTC) + timedelta(days=count)).isoformat(timespec="seconds")


def test_an_order_is_given_renewed_and_lifted(run: Run) -> None:
    order = (
        "access", "seal", "order", "--ground", "criminal_inquiry", "--purpose", PURPOSE,
        "--case", CASE, "--until",
    )  # fmt: skip
    assert run(*order, days(400), by="officer.police") == 77
    assert run(*order, "soon", by="officer.police") == 64
    assert run(*order, days(30), by="officer.east") == 77
    assert run(*order, days(30), by="officer.police", reason="13812345678") == 64
    asked = run(*order, days(30), by="officer.police")
    assert (asked["id"], asked["released"], asked["begins"]) == (1, False, None)
    assert CASE not in str(asked)
    assert run("access", "seal", "approve", "1", by="officer.police") == 77
    assert run("access", "seal", "approve", "1", by="nobody.known") == 77
    assert "in force" in run("access", "seal", "approve", "1", by="oversight")["state"]
    assert run("access", "seal", "approve", "9", by="oversight") == 66
    renewed = run("access", "seal", "renew", "1", "--until", days(80), by="officer.police")
    assert renewed["asked_until"] is not None
    assert run("access", "seal", "decline", "1", by="oversight")["asked_until"] is None
    assert run("access", "seal", "uses", "1", by="oversight") == []
    assert run("access", "seal", "uses", "1", by="officer.police") == 77
    assert "lifted" in run("access", "seal", "lift", "1", by="officer.police")["state"]
    (listed,) = run("access", "seals")
    assert (listed["by"], listed["renewals"]) == ("officer.police", 0)


def test_a_use_is_erased_and_what_is_forgotten_is_said_without_a_person(
    run: Run, settings: Settings
) -> None:
    with asyncio.Runner() as runner:
        tiny = TinyHub(settings, runner, FixedClock(NOW - timedelta(days=1200)))
        web = tiny.client()
        body = {"by": "resident_id", "value": EAST.number, "purpose": "residence.verify"}
        headers = tiny.bearer("officer.east")
        indexes = [
            web.post("/v1/officer/lookup", json=body, headers=headers).json()["receipt"]["index"]
            for _ in range(3)
        ]
        web.close()
        tiny.services.close()
    one = str(indexes[0])
    assert run("ledger", "erase", one, "--ground", "convenience", by="admin.system") == 64
    assert run("ledger", "erase", "--ground", "court_order", by="admin.system") == 64
    assert run("ledger", "erase", "99999", "--ground", "court_order", by="admin.system") == 66
    assert run("ledger", "erase", one, "--ground", "court_order", by="steward") == 77
    early = ("ledger", "erase", "--before", days(-3650), "--ground", "retention_ended")
    assert run(*early, by="admin.system") == 64
    asked = run("ledger", "erase", one, "--ground", "retention_ended", by="admin.system")
    (forgotten,) = asked["forgets"]
    assert forgotten.keys() == {"index", "event", "time", "erased"}
    assert (forgotten["index"], forgotten["erased"]) == (indexes[0], False)
    decide = ("ledger", "decide", "1")
    assert run(*decide, "--approve", "--decline", by="oversight") == 64
    assert run(*decide, by="oversight") == 64
    assert run(*decide, "--approve", by="admin.system") == 77
    assert run(*decide, "--approve", by="oversight")["forgets"][0]["erased"] is True
    assert run(*decide, "--approve", by="oversight") == 77
    every = run(
        "ledger", "erase", "--before", days(0), "--event", "officer:subject:disclosed",
        "--ground", "retention_ended", by="admin.security",
    )  # fmt: skip
    assert [entry["index"] for entry in every["forgets"]] == indexes[1:]
    assert run("ledger", "decide", "2", "--decline", by="oversight")["decided_by"] == "oversight"
    assert [one["id"] for one in run("ledger", "erasures")] == [1, 2]
    assert run("ledger", "erasure", "2")["forgets"][0]["erased"] is False
    assert run("ledger", "erasure", "7") == 66
    assert run("ledger", "verify")["intact"] is True
