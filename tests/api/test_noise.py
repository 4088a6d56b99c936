"""Counts with noise through the doors: what they cost is shown, and the budget runs out."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from typer.testing import CliRunner

from api import services
from api.cli import app
from api.wire.statistics import Statistics
from tests.api.hub import TinyHub, make_home

QUERY = {"dataset": "police.case", "by": "category", "protection": "noise"}
COUNTS = {"theft": 144, "telecom_fraud": 82}


def _drawn(counts: Sequence[int], epsilon: int) -> list[int]:
    """Draw the same noise every time."""
    return [count - 3 for count in counts]


@pytest.fixture
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[TinyHub]:
    """A hub of its own, which has something that draws."""
    monkeypatch.setattr(services, "load_draw", lambda: _drawn)
    with asyncio.Runner() as runner:
        tiny = TinyHub(make_home(tmp_path / "hub"), runner)
        yield tiny
        tiny.services.close()


def test_the_cost_is_in_every_answer_until_the_budget_refuses(hub: TinyHub) -> None:
    client, headers = hub.client(), hub.bearer("analyst")
    replies = [client.get("/v1/statistics", params=QUERY, headers=headers) for _ in range(11)]
    first = replies[0].json()
    Statistics.model_validate(first)
    shown = {row[0]: row[1] for row in first["rows"]}
    assert {code: shown[code] + 3 for code in COUNTS} == COUNTS
    assert set(shown) > set(COUNTS)
    assert None in shown
    assert first["protection"] == "noise"
    assert first["noise"] == {
        "epsilon": 0.5, "spent": 0.5, "budget": 5.0, "left": 4.5, "period": "2026-06",
        "unit": "record",
    }  # fmt: skip
    assert [reply.status_code for reply in replies] == [200] * 10 + [403]
    assert replies[9].json()["noise"]["left"] == 0
    refusal = replies[10].json()
    assert "2026-06" in refusal["detail"]
    assert refusal["remedy"]
    assert refusal["receipt"]["index"] > replies[9].json()["receipt"]["index"]
    assert "rows" not in refusal
    client.close()


def test_the_page_shows_cost_and_what_is_left(hub: TinyHub) -> None:
    browser = hub.browser("analyst")
    text = browser.get("/statistics", params=QUERY).text
    assert "ε = 0.5" in text
    assert "剩余 4.5" in text
    assert ">141<" in text
    assert ">-3<" in text
    assert '<option value="noise" selected>' in text
    assert "4.0 left" in browser.get("/statistics", params=QUERY).text
    browser.close()


def test_the_command_line_shows_every_budget(hub: TinyHub) -> None:
    client = hub.client()
    for actor in ("analyst", "steward"):
        reply = client.get("/v1/statistics", params=QUERY, headers=hub.bearer(actor))
        assert reply.status_code == 200
    client.close()
    command = ["access", "budget", "--home", str(hub.settings.home)]
    rows = json.loads(CliRunner().invoke(app, [*command, "--json"]).stdout)
    assert [row["actor"] for row in rows] == ["analyst", "steward"]
    assert rows[0] == {
        "purpose": "statistics.publish", "actor": "analyst", "dataset": "police.case",
        "period": "2026-06", "queries": 1, "spent": 0.5, "budget": 5.0, "left": 4.5,
    }  # fmt: skip
    only = json.loads(CliRunner().invoke(app, [*command, "--actor", "analyst", "--json"]).stdout)
    assert only == rows[:1]
    assert "4.5" in CliRunner().invoke(app, command).stdout
