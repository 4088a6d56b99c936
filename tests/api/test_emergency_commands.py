"""`hub access unmask | emergency | review | emergencies`: a second person, by account."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from api.cli import app
from hub.config import save_settings
from tests.api.hub import TinyHub, make_home
from tests.api.test_emergencies import RESCUE, UNMASK

Hub = Callable[..., Any]


@pytest.fixture
def hub(tmp_path: Path) -> Hub:
    """Run a command over a hub where officer.east asked for a mask, and opened an emergency."""
    settings = make_home(tmp_path / "hub")
    save_settings(settings)
    with asyncio.Runner() as runner:
        tiny = TinyHub(settings, runner)
        web = tiny.client()
        for path, body in (("unmask", UNMASK), ("emergency", RESCUE)):
            headers = tiny.bearer("officer.east")
            answer = web.post(f"/v1/officer/{path}", json=body, headers=headers)
            assert answer.status_code == 201, answer.text
        web.close()
        tiny.services.close()

    def run(*arguments: str, by: str | None = None, reason: str = "核实 / checked") -> Any:
        who = ("--by", by, "--reason", reason) if by else ()
        words = ["access", *arguments, *who, "--home", str(settings.home), "--json"]
        done = CliRunner().invoke(app, words)
        return json.loads(done.stdout) if done.exit_code == 0 else done.exit_code

    return run


def test_an_overdue_emergency_is_reviewed_by_a_second_person(hub: Hub) -> None:
    """The hub's clock stood still in June; this machine's does not."""
    (row,) = hub("emergencies", "--open")
    assert (row["id"], row["by"], row["persons"]) == (2, "officer.east", "0/5")
    assert "overdue" in row["state"]
    assert hub("review", "2", "--justified", by="officer.east") == 77
    assert hub("review", "2", "--justified", by="partner.population") == 77
    assert hub("review", "2", "--justified", by="nobody.known") == 77
    assert hub("review", "2", "--justified", by="oversight", reason="13812345678") == 64
    assert "not justified" in hub("review", "2", "--not-justified", by="oversight")["state"]
    assert hub("review", "2", "--justified", by="oversight") == 77
    assert hub("emergencies", "--open") == []
    steps = [step["step"] for step in hub("emergency", "2")["steps"]]
    assert steps == ["opened", "escalated", "not_justified"]


def test_a_request_that_nobody_answered_has_run_out(hub: Hub) -> None:
    assert hub("unmask", "1", "--approve", by="partner.population") == 77
    assert "run out" in hub("emergency", "1")["state"]
    assert hub("emergency", "9") == 66
    assert [row["kind"] for row in hub("emergencies")] == ["unmask", "emergency"]
