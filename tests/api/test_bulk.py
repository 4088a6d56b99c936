"""Files of persons over HTTP and at the command line: made under a grant, fetched, and seen."""

from __future__ import annotations

import asyncio
import csv
import io
import json
from collections.abc import Iterator
from datetime import timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from access.desk import Act, Desk
from access.grant_desk import GrantDesk
from access.grants import Standing
from api.cli import app
from api.services import officials_of
from hub.config import Settings, save_settings
from hub.keyring import Keyring
from hub.sealing import Pseudonymiser
from hub.store.grants import Grant
from tests.api.hub import EAST, NOW, PEOPLE, WEST, Client, TinyHub, make_home

PATH = "/v1/officer/exports"
BODY: dict[str, Any] = {
    "dataset": "population.resident",
    "purpose": "sharing.supply",
    "case": "GX-1",
    "area": ["990106001"],
}
HERE = [person for person in PEOPLE if person.grid_code.startswith("990106001")]


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TinyHub]:
    """A hub of its own: a file of everybody would be in everybody's uses elsewhere."""
    with asyncio.Runner() as runner:
        tiny = TinyHub(make_home(tmp_path_factory.mktemp("bulk")), runner)
        yield tiny
        tiny.services.close()


@pytest.fixture(scope="module")
def granted(hub: TinyHub) -> int:
    """The number of a grant that the data steward of population was given."""
    services = hub.services
    name_of = Pseudonymiser(Keyring.open(services.settings.keyring), "actor").of
    officials = officials_of(services.settings) or {}
    desk = GrantDesk(
        Desk(
            services.records,
            services.ledger,
            services.vocabulary.catalog,
            services.keeper,
            officials,
            name_of,
        )
    )
    wanted = Grant(
        id=0,
        agency="population",
        role="department_steward",
        purpose="sharing.supply",
        actions=("export",),
        columns={"population.resident": ("resident_id", "name")},
        area=("990106001",),
        case_name=None,
        basis="共享申请〔2026〕第5号",
        valid_from=NOW,
        valid_to=NOW + timedelta(days=9),
        uses_left=None,
    )
    asked = desk.request(wanted, Act("steward", "民政核对", NOW))
    assert isinstance(asked, Standing), asked
    done = desk.give(asked.grant.id, Act("admin.security", "已核对申请", NOW))
    assert isinstance(done, Standing), done
    return done.grant.id


def make(hub: TinyHub, client: Client, actor: str = "partner.population", **change: Any) -> Any:
    return client.post(PATH, json={**BODY, **change}, headers=hub.bearer(actor))


def test_a_file_is_made_fetched_and_seen_by_whom_it_holds(
    hub: TinyHub, client: Client, granted: int
) -> None:
    reply = make(hub, client)
    assert reply.status_code == 201, reply.text
    made = reply.json()
    assert made["grants"] == [f"grant-{granted}"]
    assert (made["persons"], made["rows"]) == (len(HERE), len(HERE))
    steward = hub.bearer("partner.population")
    file = client.get(made["file"], headers=steward)
    assert file.status_code == 200
    assert file.headers["content-type"] == "text/csv; charset=utf-8"
    name = f"mingjing-export-{made['number']}.csv"
    assert file.headers["content-disposition"] == f'attachment; filename="{name}"'
    assert sha256(file.content).hexdigest() == made["sha256"]
    assert len(file.content) == made["size_bytes"] == int(file.headers["content-length"])
    rows = list(csv.DictReader(io.StringIO(file.content.decode("utf-8-sig"))))
    assert {row["resident_id"] for row in rows} >= {EAST.number}
    assert WEST.number not in file.text
    for other in ("partner.housing", "officer.east", "steward"):
        assert client.get(made["file"], headers=hub.bearer(other)).status_code == 404
    mine = client.get("/v1/me/uses", headers=hub.bearer("citizen", EAST.number)).json()["uses"]
    (use,) = [use for use in mine if use["request"] == made["request_id"]]
    assert (use["action"], use["persons"], use["agency"]) == ("bulk", len(HERE), "population")
    assert use["index"] == made["receipt"]["index"]
    theirs = client.get("/v1/me/uses", headers=hub.bearer("citizen", WEST.number)).json()["uses"]
    assert made["request_id"] not in {use["request"] for use in theirs}
    page = hub.browser("citizen", EAST.number).get("/citizen").text
    assert f"文件含 {len(HERE)} 人" in page


def test_json_lines_can_be_had(hub: TinyHub, client: Client, granted: int) -> None:
    made = make(hub, client, format="jsonl").json()
    file = client.get(made["file"], headers=hub.bearer("partner.population"))
    assert file.headers["content-type"] == "application/x-ndjson"
    found = [json.loads(line) for line in file.text.splitlines()]
    assert len(found) == len(HERE)


@pytest.mark.parametrize("actor", ["partner.housing", "officer.east", "analyst", "oversight"])
def test_who_was_granted_nothing_gets_no_file(
    hub: TinyHub, client: Client, granted: int, actor: str
) -> None:
    reply = make(hub, client, actor)
    assert reply.status_code == 403
    assert reply.json()["receipt"]["index"] > 0


def test_too_many_in_a_minute_are_told_when_to_ask_again(
    hub: TinyHub, client: Client, granted: int
) -> None:
    replies = [make(hub, client, case="GX-9") for _ in range(3)]
    assert replies[-1].status_code == 429
    assert int(replies[-1].headers["retry-after"]) <= 60


@pytest.mark.parametrize(
    "change",
    [{"area": ["x"]}, {"area": ["1" * 99]}, {"format": "xlsx"}, {"dataset": "x"}, {"more": 1}],
)
def test_what_does_not_fit_is_named(hub: TinyHub, client: Client, change: dict[str, Any]) -> None:
    assert make(hub, client, **change).status_code == 422


def test_a_number_that_is_none_finds_nothing(hub: TinyHub, client: Client) -> None:
    headers = hub.bearer("partner.population")
    assert client.get(f"{PATH}/{'0' * 32}/file", headers=headers).status_code == 404
    assert client.get(f"{PATH}/{'x' * 32}/file", headers=headers).status_code == 422
    assert client.get(f"{PATH}/{'0' * 32}/file").status_code == 401


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    made = make_home(tmp_path / "hub")
    save_settings(made)
    return made


def run(settings: Settings, *words: str) -> Any:
    return CliRunner().invoke(app, ["access", *words, "--home", str(settings.home)])


def test_the_command_writes_a_file_under_a_grant_of_two_persons(
    settings: Settings, tmp_path: Path
) -> None:
    to = tmp_path / "supply.csv"
    export = (
        "export", "population.resident", "--actor", "partner.population", "--case", "GX-1",
        "--purpose", "sharing.supply", "--to", str(to),
    )  # fmt: skip
    refused = run(settings, *export)
    assert refused.exit_code == 77
    assert "approved grant" in refused.output
    assert not to.exists()
    grant = run(
        settings, "grant", "--agency", "population", "--role", "department_steward", "--purpose",
        "sharing.supply", "--action", "export", "--column", "population.resident.name",
        "--basis", "共享申请〔2026〕第5号", "--by", "steward", "--reason", "民政核对",
    )  # fmt: skip
    assert grant.exit_code == 0, grant.output
    approve = ("approve", "grant-1", "--by", "admin.security", "--reason", "已核对申请")
    assert run(settings, *approve).exit_code == 0
    done = run(settings, *export, "--json")
    assert done.exit_code == 0, done.output
    said = json.loads(done.stdout)
    assert said["persons"] == len(PEOPLE)
    assert said["sha256"] == sha256(to.read_bytes()).hexdigest()
    assert to.stat().st_mode & 0o777 == 0o600
    assert len(to.read_text("utf-8-sig").splitlines()) == len(PEOPLE) + 1
    assert run(settings, *export).exit_code == 64  # it is never written over


@pytest.mark.parametrize(
    "wrong",
    [("--actor", "nobody.known"), ("--format", "xlsx"), ("--to", "/nowhere/a.csv")],
)
def test_a_command_that_is_not_meant_is_not_asked(
    settings: Settings, tmp_path: Path, wrong: tuple[str, str]
) -> None:
    words = {
        "--actor": "partner.population", "--case": "GX-1", "--purpose": "sharing.supply",
        "--to": str(tmp_path / "a.csv"), **dict([wrong]),
    }  # fmt: skip
    given = [part for pair in words.items() for part in pair]
    assert run(settings, "export", "population.resident", *given).exit_code == 64
