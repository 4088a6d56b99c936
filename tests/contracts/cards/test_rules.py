"""Thresholds of the cards: the package's own, a hub's over them, every misfit named."""

from __future__ import annotations

from pathlib import Path

import pytest

from contracts.cards.rules import Marks, load_card_rules
from contracts.model import PublishBar
from hub.errors import ConfigError


def test_the_packages_thresholds_are_those_of_the_domain() -> None:
    rules = load_card_rules()
    assert rules.yellow == Marks(99.0, 95.0, 20.0)
    assert rules.red == Marks(97.0, 90.0, 100.0)
    assert (rules.unremedied_working_days, rules.twice_within_months) == (10, 3)


def test_the_red_line_is_the_bar_a_contract_has_by_default() -> None:
    red, bar = load_card_rules().red, PublishBar()
    assert (red.key_accuracy_percent, red.overall_percent) == (
        bar.key_accuracy_percent,
        bar.overall_percent,
    )


def test_a_hub_overrides_single_values(tmp_path: Path) -> None:
    own = tmp_path / "cards.toml"
    own.write_text("[yellow]\nkey_accuracy_percent = 99.5\n[life]\nwaiver_at_most_days = 30\n")
    rules = load_card_rules(own)
    assert rules.yellow.key_accuracy_percent == 99.5
    assert rules.yellow.overall_percent == 95.0
    assert rules.waiver_at_most_days == 30
    assert rules.deciders == ("bureau.steward",)


def test_a_hubs_own_deciders_replace_the_packages(tmp_path: Path) -> None:
    own = tmp_path / "cards.toml"
    own.write_text('[life]\ndeciders = ["quality.head", "quality.deputy"]\n')
    assert load_card_rules(own).deciders == ("quality.head", "quality.deputy")


@pytest.mark.parametrize(
    ("text", "findings"),
    [
        ("[yellow]\nkey_accuracy = 99", ["yellow.key_accuracy: there is no such threshold"]),
        ("yellow = 99", ["yellow: there is no such threshold"]),
        (
            "[red]\noverall_percent = 101\n[escalation]\ntwice_within_months = 1.5",
            [
                "red.overall_percent: a number from 0 to 100 is wanted",
                "escalation.twice_within_months: a whole number is wanted",
            ],
        ),
        ("[life]\ndeciders = []", ["life.deciders: a list of accounts"]),
        ('[life]\ndeciders = "bureau.steward"', ["life.deciders: a list of accounts"]),
        ('[life]\ndeciders = ["Zhang San"]', ["life.deciders: a list of accounts"]),
        (
            "[life]\nwaiver_at_most_days = true",
            ["life.waiver_at_most_days: a number from 1 to 366"],
        ),
        (
            "[red]\nkey_accuracy_percent = 99.5\noverdue_percent_of_cycle = 10",
            [
                "red.key_accuracy_percent: lies above yellow.key_accuracy_percent",
                "red.overdue_percent_of_cycle: lies below yellow.overdue_percent_of_cycle",
            ],
        ),
    ],
)
def test_every_misfit_is_named(tmp_path: Path, text: str, findings: list[str]) -> None:
    own = tmp_path / "cards.toml"
    own.write_text(text)
    with pytest.raises(ConfigError) as error:
        load_card_rules(own)
    assert len(error.value.findings) == len(findings)
    for found, wanted in zip(error.value.findings, findings, strict=True):
        assert found.startswith(wanted)


def test_a_file_that_is_no_toml_is_refused(tmp_path: Path) -> None:
    own = tmp_path / "cards.toml"
    own.write_text("[yellow")
    with pytest.raises(ConfigError, match="TOML"):
        load_card_rules(own)
