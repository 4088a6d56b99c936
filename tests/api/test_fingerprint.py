"""What the oversight body tells a citizen to compare a statement by."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator

import pytest
from typer.testing import CliRunner

from api.cli import app
from hub.ledger.verify import trust_of, verify_file
from tests.api.hub import EAST, TinyHub, make_home
from tests.factories import id_number


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TinyHub]:
    """A hub of its own: the command records by the machine's clock, ahead of the shared one's."""
    with asyncio.Runner() as runner:
        tiny = TinyHub(make_home(tmp_path_factory.mktemp("fingerprint")), runner)
        yield tiny
        tiny.services.close()


def asked(hub: TinyHub, number: str) -> tuple[int, str]:
    arguments = ["ledger", "fingerprint", "--by", "oversight", "--home", str(hub.settings.home)]
    done = CliRunner().invoke(app, arguments, input=f"{number}\n")
    return done.exit_code, done.stdout.strip()


def test_it_is_the_one_that_the_verifier_shows(hub: TinyHub) -> None:
    client = hub.client()
    headers = hub.bearer("citizen", EAST.number)
    client.get("/v1/me/records", headers=headers)
    hub.publish()
    statement = client.get("/v1/me/statement", headers=headers).content
    report = verify_file(statement, trust_of([client.get("/v1/public/key").text.strip()]))
    assert asked(hub, EAST.number) == (0, report.fingerprint)
    client.close()


def test_the_reading_is_recorded_without_the_number(hub: TinyHub) -> None:
    before = hub.services.ledger.size
    assert asked(hub, EAST.number)[0] == 0
    (entry,) = hub.services.ledger.entries(before, before + 1)
    assert entry.body is not None
    assert (entry.event, entry.body["what"]) == ("hub:ledger:read", "fingerprint")
    assert EAST.number not in json.dumps(entry.body)


@pytest.mark.parametrize("numbers", [(EAST.number,), (EAST.number, "two")])
def test_a_number_on_the_command_line_is_refused_and_not_repeated(
    hub: TinyHub, numbers: tuple[str, ...]
) -> None:
    home = ("--by", "oversight", "--home", str(hub.settings.home))
    done = CliRunner().invoke(app, ["ledger", "fingerprint", *numbers, *home])
    assert done.exit_code == 64
    assert "standard input" in done.stderr
    assert EAST.number not in done.output


@pytest.mark.parametrize(("number", "code"), [("words", 64), ("", 64), (id_number(777), 66)])
def test_nobody_has_none(hub: TinyHub, number: str, code: int) -> None:
    assert asked(hub, number) == (code, "")
