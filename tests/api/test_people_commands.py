"""`hub access case` and `protect`: entered by people, told to the ledger, seen by who serves."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from access.answers import LookupQuery
from api.cli import app
from api.commands.ledger import open_ledger
from api.services import open_services
from hub.clock import SystemClock
from hub.config import Settings
from tests.access.people import invented_id
from tests.api.hub import EAST, NOW, make_home

INVESTIGATION = "public_safety.investigation"
WHO = ("--by", "security.office", "--reason", "invented")
UNTIL = ("--until", f"{datetime.now(UTC).year + 2}-06-30")
OPEN = ("case", "open", "2026-0815", "--agency", "police", "--purpose", INVESTIGATION, *UNTIL)


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """A hub with published persons."""
    return make_home(tmp_path / "hub")


def hub(settings: Settings, *arguments: str, typed: str = "") -> Result:
    """Run a command with something on standard input."""
    command = ["access", *arguments, "--home", str(settings.home)]
    return CliRunner().invoke(app, command, input=typed)


def listed(settings: Settings, what: str, *more: str) -> list[dict[str, Any]]:
    """Return what a list says, without the case that the hub of these tests has from the start."""
    found: list[dict[str, Any]] = json.loads(hub(settings, what, "list", "--json", *more).stdout)
    first = NOW.isoformat(timespec="seconds")
    return [row for row in found if row.get("opened_at") != first]


def told(settings: Settings) -> list[dict[str, Any]]:
    """Return what the ledger was told of the registers."""
    with open_ledger(settings) as ledger:
        bodies = [dict(entry.body or {}) for entry in ledger.entries(0, ledger.size)]
    return [
        b for b in bodies if str(b.get("event")).startswith(("access:case", "access:protected"))
    ]


def test_a_case_is_opened_referred_to_and_closed(settings: Settings) -> None:
    """A server that runs meanwhile sees it; nothing it is told names case or person."""
    services = open_services(settings, SystemClock())
    assert services.provider is not None
    police = services.provider.actors["officer.police"]

    def asked(reference: str) -> bool:
        query = LookupQuery("resident_id", EAST.number, INVESTIGATION, reference)
        return services.guard.lookup(police, query).allowed

    try:
        assert not asked("2026-0815")
        assert hub(settings, *OPEN, *WHO).exit_code == 0
        services.guard._means.registers._kept = None  # type: ignore[attr-defined]
        assert asked("2026-0815")
        assert hub(settings, "case", "close", "2026-0815", *WHO).exit_code == 0
        services.guard._means.registers._kept = None  # type: ignore[attr-defined]
        assert not asked("2026-0815")
    finally:
        services.close()
    (case,) = listed(settings, "case")
    assert case["agency"] == "police"
    assert not case["open"]
    assert listed(settings, "case", "--open") == []
    opened, closed = told(settings)
    assert (opened["event"], closed["event"]) == ("access:case:opened", "access:case:closed")
    assert opened["name"] == closed["name"] == case["case"]
    assert opened["purposes"] == [INVESTIGATION]
    assert "2026-0815" not in str([opened, closed])
    assert "security.office" not in str([opened, closed])


def test_persons_of_a_case_come_from_standard_input(settings: Settings) -> None:
    """As many as there are lines; whoever is not held yet can be entered too."""
    assert hub(settings, *OPEN, *WHO).exit_code == 0
    lines = f"{EAST.number}\n\n {invented_id(sequence=999)}\n{EAST.number}\n"
    done = hub(settings, "case", "add", "2026-0815", *WHO, typed=lines)
    assert done.exit_code == 0, done.output
    assert listed(settings, "case")[0]["persons"] == 2
    for wrong in ("", "\n", "12345", f"{EAST.number}\nnot a number"):
        refused = hub(settings, "case", "add", "2026-0815", *WHO, typed=wrong)
        assert refused.exit_code == 64
        assert EAST.number not in refused.output
        assert "12345" not in refused.output
    assert listed(settings, "case")[0]["persons"] == 2
    assert EAST.number not in str(told(settings))
    assert [t["event"] for t in told(settings)] == ["access:case:opened", "access:case:extended"]


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (("--agency", "nobody"), "no such agency"),
        (("--purpose", "residence.verify"), "go by the register"),
        (("--until", "2020-01-01"), "in the past"),
        (("--until", "soon"), "YYYY-MM-DD"),
        (("--by", "李明"), "account"),
        (("--reason", "number 99010619900307123X"), "number"),
    ],
)
def test_a_case_that_makes_no_sense_is_refused(
    change: tuple[str, str], says: str, settings: Settings
) -> None:
    """With what is wanted; nothing is entered and nothing told."""
    arguments = [*OPEN, *WHO]
    arguments[arguments.index(change[0]) + 1] = change[1]
    refused = hub(settings, *arguments)
    assert refused.exit_code == 64
    assert says in refused.output
    assert listed(settings, "case") == told(settings) == []


def test_a_reference_is_used_once(settings: Settings) -> None:
    """Also after its case was closed; what is not there cannot be closed."""
    assert hub(settings, "case", "close", "2026-0815", *WHO).exit_code == 66
    assert hub(settings, *OPEN, *WHO).exit_code == 0
    assert hub(settings, "case", "close", "2026-0815", *WHO).exit_code == 0
    assert hub(settings, *OPEN, *WHO).exit_code == 64
    assert hub(settings, "case", "close", "2026-0815", *WHO).exit_code == 64


def test_a_protected_person_is_added_and_removed(settings: Settings) -> None:
    """By the number on standard input, which stands nowhere afterwards."""
    services = open_services(settings, SystemClock())
    assert services.provider is not None
    east = services.provider.actors["officer.east"]

    def shown() -> bool:
        services.guard._means.registers._kept = None  # type: ignore[attr-defined]
        query = LookupQuery("resident_id", EAST.number, "residence.verify")
        return bool(services.guard.lookup(east, query).subjects)

    try:
        assert shown()
        assert hub(settings, "protect", "add", *WHO, typed=EAST.number).exit_code == 0
        assert not shown()
        (person,) = listed(settings, "protect")
        assert person["holds"]
        assert person["until"] is None
        assert hub(settings, "protect", "add", *UNTIL, *WHO, typed=EAST.number).exit_code == 0
        assert listed(settings, "protect")[0]["until"] is not None
        assert hub(settings, "protect", "remove", *WHO, typed=EAST.number).exit_code == 0
        assert shown()
    finally:
        services.close()
    assert listed(settings, "protect") == []
    assert [body["step"] for body in told(settings)] == ["added-1", "added-2", "removed-3"]
    assert EAST.number not in (settings.home / "records.sqlite").read_bytes().decode("latin-1")
    assert hub(settings, "protect", "remove", *WHO, typed=EAST.number).exit_code == 66
    two = f"{EAST.number}\n{invented_id()}"
    assert hub(settings, "protect", "add", *WHO, typed=two).exit_code == 64
