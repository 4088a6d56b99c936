"""`hub ledger export`, and what is recorded of who reads the ledger at the command line."""

from __future__ import annotations

import hashlib
import json
import stat
from collections.abc import Iterator, Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from access.answers import LookupQuery, StatsQuery
from access.demo import load_demo_actors
from api.administration import told_settings
from api.cli import app
from api.commands.ledger import open_ledger
from api.services import open_services
from api.supervisor import tell_start
from hub.config import Settings, load_settings
from hub.errors import LedgerError
from hub.keyring import Keyring
from hub.ledger.log import Ledger
from hub.sealing import Pseudonymiser
from tests.access.exports.goldens import validator
from tests.access.exports.test_find_usage import answers
from tests.api.hub import CLOCK, EAST, WEST, make_home

VERIFY = "residence.verify"


def hub(*arguments: str) -> Result:
    return CliRunner().invoke(app, list(arguments))


@pytest.fixture
def used(tmp_path: Path) -> Settings:
    """A hub of which an officer was shown somebody and was refused another, and counts were shown."""
    settings = make_home(tmp_path / "hub")
    actors = load_demo_actors()
    with closing(open_services(settings, CLOCK)) as services:
        for person in (EAST, WEST):
            query = LookupQuery("resident_id", person.number, VERIFY)
            services.guard.lookup(actors["officer.east"], query)
        services.guard.statistics(actors["analyst"], StatsQuery("police.case", ("category",)))
    return settings


def export(settings: Settings, form: str, to: Path, *more: str) -> Result:
    since = ("--since", "2026-06-05", "--by", "oversight.audit", "--json")
    home = ("--home", str(settings.home))
    return hub("ledger", "export", "--format", form, "--to", str(to), *since, *home, *more)


def reads(settings: Settings) -> Iterator[Mapping[str, Any]]:
    """Yield what is recorded of reads and verifier runs."""
    with open_ledger(settings) as ledger:
        for entry in ledger.entries(0, ledger.size):
            if entry.event in ("hub:ledger:read", "hub:ledger:verified"):
                assert entry.body is not None
                yield entry.body


def test_a_period_ends_after_it_begins(used: Settings, tmp_path: Path) -> None:
    to = tmp_path / "uses"
    refused = export(used, "fhir", to, "--until", "2026-06-04")
    assert (refused.exit_code, to.exists(), list(reads(used))) == (64, False, [])
    assert export(used, "fhir", to, "--until", "2026-06-05").exit_code == 0


def test_fhir_and_ocsf_come_a_line_each(used: Settings, tmp_path: Path) -> None:
    for form, name in (
        ("fhir", "fhir_5.0.0_audit_event"),
        ("fhir-r4", "fhir_4.0.1_audit_event"),
        ("ocsf", "ocsf_1.8.0_api_activity"),
    ):
        to = tmp_path / f"{form}.ndjson"
        done = export(used, form, to)
        assert done.exit_code == 0, done.output
        said = json.loads(done.stdout)
        lines = to.read_bytes().splitlines()
        assert (said["uses"], said["erased"]) == (len(lines), 0) == (3, 0)
        assert said["sha256"] == hashlib.sha256(to.read_bytes()).hexdigest()
        for line in lines:
            validator(name).validate(json.loads(line))
        assert stat.S_IMODE(to.stat().st_mode) == 0o600
        assert EAST.number not in to.read_text(encoding="utf-8")


def test_the_data_trackers_answer_is_one_newest_first_without_refusals(
    used: Settings, tmp_path: Path
) -> None:
    to = tmp_path / "usages.json"
    assert export(used, "find-usage", to).exit_code == 0
    found = json.loads(to.read_bytes())
    answers("FindUsageResponse").validate(found)
    assert found["totalUsages"] == len(found["usages"]) == 2
    assert "统计" in found["usages"][0]["action"]


def test_the_reading_is_recorded_and_by_a_pseudonym(used: Settings, tmp_path: Path) -> None:
    export(used, "fhir", tmp_path / "a", "--until", "2026-06-05")
    (read,) = reads(used)
    name = Pseudonymiser(Keyring.open(used.keyring), "actor").of("oversight.audit").hex()
    assert read["by"] == name
    assert (read["what"], read["format"], read["entries"]) == ("export", "fhir", 3)
    assert (read["since"], read["until"]) == ("2026-06-05", "2026-06-05")


def test_days_bound_it(used: Settings, tmp_path: Path) -> None:
    before = export(
        used, "ocsf", tmp_path / "before", "--since", "2026-06-01", "--until", "2026-06-04"
    )
    assert json.loads(before.stdout)["uses"] == 0
    assert (tmp_path / "before").read_bytes() == b""


def test_erased_uses_are_counted(used: Settings, tmp_path: Path) -> None:
    with open_ledger(used) as ledger:
        index = next(e.index for e in ledger.entries(0, ledger.size) if e.label is not None)
        ledger.erase(index, "office", "law")
    said = json.loads(export(used, "fhir", tmp_path / "a").stdout)
    assert (said["uses"], said["erased"]) == (2, 1)


def test_without_a_record_there_is_no_file(
    used: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise LedgerError("the disk is full")

    monkeypatch.setattr(Ledger, "append", full)
    to = tmp_path / "a"
    assert export(used, "fhir", to).exit_code == 70
    assert list(tmp_path.iterdir()) == [used.home]


@pytest.mark.parametrize(
    ("more", "code"),
    [
        (("--format", "csv"), 2),
        (("--since", "yesterday"), 2),
        (("--by", "王五"), 64),
        (("--to", "/nowhere/at/all"), 64),
    ],
)
def test_what_does_not_fit_is_refused(
    used: Settings, tmp_path: Path, more: tuple[str, str], code: int
) -> None:
    assert export(used, "fhir", tmp_path / "a", *more).exit_code == code
    assert not (tmp_path / "a").exists()
    assert list(reads(used)) == []


def test_a_file_that_is_there_is_left_alone(used: Settings, tmp_path: Path) -> None:
    to = tmp_path / "a"
    to.write_text("mine")
    assert export(used, "fhir", to).exit_code == 64
    assert to.read_text() == "mine"


def test_every_command_that_reads_uses_says_so(used: Settings) -> None:
    home = ("--home", str(used.home))
    assert hub("access", "alarms", *home, "--by", "oversight.audit").exit_code == 0
    assert hub("access", "unused", *home).exit_code == 0
    policy = Path("access/policies").resolve()
    since = ("--since", "2026-06-01")
    assert hub("access", "simulate", "--policy", str(policy), *since, *home).exit_code == 0
    assert hub("ledger", "verify", *home, "--by", "oversight.audit").exit_code == 0
    found = list(reads(used))
    assert [body.get("what") for body in found] == ["alarms", "unused", "simulation", None]
    verified = found[-1]
    assert (verified["event"], verified["findings"]) == ("hub:ledger:verified", 0)
    assert verified["size"] > 3
    assert verified["by"] == found[0]["by"] != found[1]["by"]


def test_a_hub_says_who_made_it_and_under_which_settings(tmp_path: Path) -> None:
    """And nothing of paths or secrets."""
    home = tmp_path / "hub"
    assert hub("init", "--home", str(home)).exit_code == 0
    with open_ledger(load_settings(home=home)) as ledger:
        body = ledger.entry(0).body
    assert body is not None
    assert body["event"] == "hub:ledger:opened"
    assert len(body["by"]) == 32
    assert body["settings"]["profile"] == "production"
    assert body["settings"]["workers"] == 2
    assert str(home) not in json.dumps(body)
    assert not {"home", "passphrase", "contracts", "policies", "host"} & body["settings"].keys()


def test_a_start_says_who_under_which_settings_and_officials(used: Settings) -> None:
    with closing(open_services(used, CLOCK)) as services:
        tell_start(used, services.ledger)
        (used.home / "officials.yaml").write_text("{}")
        tell_start(used, services.ledger)
        first, second = (services.ledger.entry(services.ledger.size - n).body for n in (2, 1))
    assert first is not None
    assert second is not None
    assert first["event"] == "hub:service:started"
    assert first["settings"] == told_settings(used)
    assert (first["officials"], second["officials"]) == (None, hashlib.sha256(b"{}").hexdigest())
    assert str(used.home) not in json.dumps(first)
