"""The thresholds of quality cards: one readable file, `cards.toml`, and a hub's own values over it.

The values are this project's choice.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Any

from hub.errors import ConfigError
from hub.plain import ACCOUNT

#: section.name -> the values it may have, both ends included.
_RANGES: Mapping[tuple[str, str], tuple[float, float]] = {
    ("yellow", "key_accuracy_percent"): (0, 100),
    ("yellow", "overall_percent"): (0, 100),
    ("yellow", "overdue_percent_of_cycle"): (0, 1000),
    ("red", "key_accuracy_percent"): (0, 100),
    ("red", "overall_percent"): (0, 100),
    ("red", "overdue_percent_of_cycle"): (0, 1000),
    ("correction", "tolerated_percent"): (0, 100),
    ("escalation", "unremedied_working_days"): (1, 250),
    ("escalation", "twice_within_months"): (0, 24),
    ("life", "close_after_working_days"): (0, 250),
    ("life", "waiver_at_most_days"): (1, 366),
}
_DECIDERS = ("life", "deciders")
_WHOLE = ("working_days", "months", "days")


@dataclass(frozen=True, slots=True)
class Marks:
    """Where one colour begins: below these shares, above this much of a cycle; in percent."""

    key_accuracy_percent: float
    overall_percent: float
    overdue_percent_of_cycle: float


@dataclass(frozen=True, slots=True)
class CardRules:
    """Every threshold of the cards; see `cards.toml` for what each one means."""

    yellow: Marks
    red: Marks
    tolerated_percent: float
    unremedied_working_days: int
    twice_within_months: int
    close_after_working_days: int
    waiver_at_most_days: int
    deciders: tuple[str, ...]


def load_card_rules(own: Path | None = None) -> CardRules:
    """Return the thresholds of the package with a hub's own laid over them.

    Args:
        own: HOME/cards.toml; a file that is not there changes nothing.

    Raises:
        ConfigError: every value that does not fit, and every name that there is not.
    """
    values = _flat(
        tomllib.loads(files("contracts.cards").joinpath("cards.toml").read_text("utf-8"))
    )
    findings: list[str] = []
    if own is not None and own.exists():
        try:
            values |= (given := _flat(tomllib.loads(own.read_text(encoding="utf-8"))))
        except (OSError, ValueError) as exc:
            raise ConfigError(f"{own.name} cannot be read as TOML: mend or remove it") from exc
        findings = [text for key, value in given.items() if (text := _unfit(key, value))]
    if not findings:
        findings = list(_disordered(values))
    if findings:
        raise ConfigError("the thresholds of the cards do not fit", findings=tuple(findings))
    return _rules(values)


def _flat(document: Mapping[str, Any]) -> dict[tuple[str, str], Any]:
    flat: dict[tuple[str, str], Any] = {}
    for section, members in document.items():
        if isinstance(members, Mapping):
            flat |= {(section, name): value for name, value in members.items()}
        else:
            flat[section, ""] = members
    return flat


def _unfit(key: tuple[str, str], value: Any) -> str | None:
    name = ".".join(part for part in key if part)
    if key == _DECIDERS:
        return None if _are_accounts(value) else f"{name}: a list of accounts is wanted, not empty"
    if key not in _RANGES:
        return f"{name}: there is no such threshold"
    low, high = _RANGES[key]
    if isinstance(value, bool) or not isinstance(value, int | float) or not low <= value <= high:
        return f"{name}: a number from {low:g} to {high:g} is wanted"
    if key[1].endswith(_WHOLE) and not isinstance(value, int):
        return f"{name}: a whole number is wanted"
    return None


def _are_accounts(value: Any) -> bool:
    return (
        isinstance(value, list)
        and bool(value)
        and all(isinstance(item, str) and ACCOUNT.fullmatch(item) for item in value)
    )


def _disordered(values: Mapping[tuple[str, str], Any]) -> Iterator[str]:
    for name in ("key_accuracy_percent", "overall_percent"):
        if values["red", name] > values["yellow", name]:
            yield f"red.{name}: lies above yellow.{name}"
    name = "overdue_percent_of_cycle"
    if values["red", name] < values["yellow", name]:
        yield f"red.{name}: lies below yellow.{name}"


def _rules(values: Mapping[tuple[str, str], Any]) -> CardRules:
    def marks(colour: str) -> Marks:
        names = ("key_accuracy_percent", "overall_percent", "overdue_percent_of_cycle")
        return Marks(*(float(values[colour, name]) for name in names))

    return CardRules(
        yellow=marks("yellow"),
        red=marks("red"),
        tolerated_percent=float(values["correction", "tolerated_percent"]),
        unremedied_working_days=values["escalation", "unremedied_working_days"],
        twice_within_months=values["escalation", "twice_within_months"],
        close_after_working_days=values["life", "close_after_working_days"],
        waiver_at_most_days=values["life", "waiver_at_most_days"],
        deciders=tuple(values[_DECIDERS]),
    )
