"""`hub cards`: listed and shown for people and programs, acted on, refused with the reason."""

from __future__ import annotations

import copy
import json
from dataclasses import fields, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from api.cli import app
from api.wire.card import Card
from contracts.cards.board import CardView
from contracts.cards.causes import CardKind, card_id
from contracts.codes import load_code_sets
from contracts.loader import load_contracts
from contracts.versions.adoption import used
from hub.config import load_settings
from hub.store.batches import Arrival, Verdict
from hub.store.contract_versions import ContractVersions
from hub.store.records import Records


def hub(*arguments: str) -> Result:
    return CliRunner().invoke(app, list(arguments))


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A hub with one red card of housing and none of anybody else."""
    folder = tmp_path / "hub"
    assert hub("init", "--home", str(folder)).exit_code == 0
    with Records.open(load_settings(home=folder)) as records:
        arrival = Arrival(
            "housing.tenancy", "housing", "tenancy.csv", "b" * 64, 10, "full", "2026-05"
        )
        batch = records.register_batch(arrival, datetime.now(UTC)).batch
        verdict = Verdict(1000, 930, 70, 0.93, 0.93, passed=False, reason="below the bar")
        records.save_verdict(batch.id, verdict, datetime.now(UTC))
        (folder / "card").write_text(
            card_id(CardKind.BELOW_MARK, "housing.tenancy", "housing", f"{batch.id}#1")
        )
    return folder


def cards(home: Path, command: str, *more: str, by: str | None = None) -> Result:
    card = () if command == "list" else ((home / "card").read_text(),)
    who = ("--account", by, "--reason", "invented") if by else ()
    return hub("cards", command, *card, *more, *who, "--home", str(home))


def listed(home: Path, *more: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(cards(home, "list", "--json", *more).stdout)
    return found


def test_open_cards_are_listed_by_department(home: Path) -> None:
    (card,) = listed(home, "--open", "--department", "housing")
    assert (card["colour"], card["state"], card["period"]) == ("red", "issued", "2026-05")
    assert listed(home, "--department", "police") == []
    assert "红牌" in cards(home, "list").stdout


def test_a_card_is_shown_with_every_step_and_its_ledger_entry(home: Path) -> None:
    assert cards(home, "acknowledge", by="housing.steward").exit_code == 0
    shown = json.loads(cards(home, "show", "--json").stdout)
    assert [step["by"] for step in shown["steps"]] == [None, "housing.steward"]
    assert [step["ledger_entry"] for step in shown["steps"]] == [2, 3]
    assert "已签收" in cards(home, "show").stdout


def test_an_appeal_is_decided_by_somebody_else(home: Path) -> None:
    assert cards(home, "appeal", by="housing.steward").exit_code == 0
    own = cards(home, "decide", "--grant", by="housing.steward")
    assert own.exit_code == 64
    assert "life.deciders" in own.output
    done = cards(home, "decide", "--grant", "--json", by="bureau.steward")
    assert json.loads(done.stdout)["state"] == "closed"
    assert listed(home, "--open") == []


def test_a_waiver_is_asked_for_until_a_day_and_refused(home: Path) -> None:
    day = (datetime.now(UTC) + timedelta(days=30)).date().isoformat()
    assert cards(home, "waive", "--until", "soon", by="housing.steward").exit_code == 64
    asked = cards(home, "waive", "--until", day, "--json", by="housing.steward")
    assert json.loads(asked.stdout)["state"] == "waiver_requested"
    done = cards(home, "decide", "--refuse", "--json", by="bureau.steward")
    assert json.loads(done.stdout)["state"] == "acknowledged"


def test_what_is_not_possible_says_why(home: Path) -> None:
    done = cards(home, "close", by="bureau.steward")
    assert done.exit_code == 64
    assert "已整改" in done.output
    assert hub("cards", "show", "0" * 16, "--home", str(home)).exit_code == 66


def test_a_wrong_threshold_stops_the_command(home: Path) -> None:
    (home / "cards.toml").write_text("[yellow]\nmark = 1\n")
    done = cards(home, "list")
    assert done.exit_code == 78
    assert "yellow.mark" in done.output


def test_terms_are_those_of_the_version_in_use(home: Path) -> None:
    """An edit of a contract that loading refuses makes no card."""
    settings, now = load_settings(home=home), datetime.now(UTC)
    long_ago = now - timedelta(days=60)
    arrival = Arrival("housing.tenancy", "housing", "old.csv", "c" * 64, 10, "full", "2026-04")
    with Records.open(settings) as records:
        batch = records.register_batch(arrival, long_ago).batch
        verdict = Verdict(1000, 930, 70, 0.93, 0.93, passed=False, reason="below the bar")
        records.save_verdict(batch.id, verdict, long_ago)

    def overdue() -> int:
        return sum(card["kind"] == "overdue_correction" for card in listed(home))

    assert overdue() == 1
    (contract,) = [c for c in load_contracts() if c.name == "housing.tenancy"]
    version = used(contract, load_code_sets(), now)
    document = copy.deepcopy(dict(version.document))
    document["contract"]["version"] = "9.0.0"
    levels = document["contract"]["slaProperties"]
    (correction,) = [level for level in levels if level["property"] == "correction"]
    correction["value"] = 100
    with Records.open(settings) as records:
        in_use = replace(version, version="9.0.0", digest="0" * 64, document=document)
        ContractVersions(records).adopt(in_use)
    assert overdue() == 0


@pytest.mark.parametrize(
    "command", ["cards list", "worklist list", "quality history"], ids=lambda c: c.split()[0]
)
def test_a_misspelt_department_is_refused_and_not_read_as_nothing(
    command: str, tmp_path: Path
) -> None:
    home = str(tmp_path / "hub")
    assert CliRunner().invoke(app, ["init", "--home", home]).exit_code == 0
    said = CliRunner().invoke(app, [*command.split(), "--department", "hosing", "--home", home])
    assert said.exit_code == 64
    assert "housing" in said.output


def test_the_card_on_the_wire_is_the_card_that_every_door_shows() -> None:
    assert list(Card.model_fields) == [field.name for field in fields(CardView)]


def test_a_misspelt_kind_of_conflict_is_refused_and_not_read_as_nothing(home: Path) -> None:
    command = ["worklist", "list", "--home", str(home), "--kind"]
    said = CliRunner().invoke(app, [*command, "name_conflct"])
    assert said.exit_code == 64
    assert said.output.count("name_conflict") == 1
    assert CliRunner().invoke(app, [*command, "name_conflict"]).exit_code == 0
