"""What is in force, over HTTP: who is suspended, lost records, a clock set back."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

import httpx
import pytest

from access.desk import Act, Desk
from access.duties import Official, Refusal
from access.files import POLICY_FOLDER, read_folder
from api.app import create_app
from api.services import Services, open_services
from hub.catalog import Catalog
from hub.config import Settings
from hub.keyring import Keyring
from hub.sealing import Pseudonymiser
from tests.api.hub import CASE, CLOCK, EAST, NOW, Client, TinyHub, make_home

OFFICIALS = {
    name: Official(name, "operations", (role,), name)
    for name, role in (("admin.system", "system_admin"), ("admin.security", "security_admin"))
}
QUESTION = {
    "by": "resident_id",
    "value": EAST.number,
    "purpose": "residence.verify",
    "case": CASE,
}


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """A home of its own."""
    return make_home(tmp_path / "home")


@pytest.fixture
def hub(settings: Settings) -> Iterator[TinyHub]:
    """A hub that may be broken."""
    with asyncio.Runner() as runner:
        tiny = TinyHub(settings, runner)
        yield tiny
        tiny.services.close()


@pytest.fixture
def other(settings: Settings, hub: TinyHub) -> Iterator[Services]:
    """Another worker over the same home."""
    services = open_services(settings, CLOCK)
    yield services
    services.close()


def desk_of(services: Services) -> Desk:
    """Return the desk of a worker."""
    keyring = Keyring.open(services.settings.keyring)
    catalog: Catalog = services.vocabulary.catalog
    name_of = Pseudonymiser(keyring, "actor").of
    return Desk(services.records, services.ledger, catalog, services.keeper, OFFICIALS, name_of)


def act(by: str) -> Act:
    return Act(by, "测试 / test", NOW)


def look_up(client: Client, headers: dict[str, str]) -> httpx.Response:
    return client.post("/v1/officer/lookup", json=QUESTION, headers=headers)


def test_a_suspended_actor_is_out_at_once_with_token_and_page(
    hub: TinyHub, other: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another worker suspends; this one asks the records at every request in this test."""
    monkeypatch.setattr("access.keeper._LOOK_SECONDS", 0.0)
    token, client, browser = hub.bearer("officer.east"), hub.client(), hub.browser("officer.east")
    assert look_up(client, token).status_code == 200
    assert browser.get("/officer").status_code == 200
    assert not isinstance(desk_of(other).suspend("officer.east", act("admin.security")), Refusal)
    refused = look_up(client, token)
    assert refused.status_code == 401
    assert "suspended" in refused.json()["detail"]
    assert EAST.name not in refused.text
    assert browser.get("/officer").status_code != 200
    assert look_up(client, hub.bearer("officer.east")).status_code == 401
    assert look_up(client, hub.bearer("officer.west")).status_code == 403
    assert not isinstance(desk_of(other).resume("officer.east", act("admin.security")), Refusal)
    assert look_up(client, token).status_code == 200


def test_another_worker_serves_by_the_changed_policy(
    hub: TinyHub, other: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("access.keeper._LOOK_SECONDS", 0.0)
    token, client = hub.bearer("officer.east"), hub.client()
    before = look_up(client, token).json()["policy"]
    texts = read_folder(POLICY_FOLDER)
    lines = texts["policy.csv"].splitlines(keepends=True)
    texts["policy.csv"] = "".join(ln for ln in lines if not ln.startswith("grid-residence,"))
    desk = desk_of(other)
    assert desk.propose(texts, act("admin.system")) == 1
    desk.approve(1, act("admin.security"))
    refused = look_up(client, token)
    assert refused.status_code == 403
    assert refused.json()["policy"] != before


@pytest.mark.parametrize("path", ["/v1/officer/lookup", "/v1/me/records"])
def test_when_the_records_are_gone_nothing_leaves(
    hub: TinyHub, path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("access.keeper._LOOK_SECONDS", 0.0)
    client = hub.client()
    officer, citizen = hub.bearer("officer.east"), hub.bearer("citizen", EAST.number)
    hub.settings.records.rename(hub.settings.home / "away")
    answer = (
        look_up(client, officer)
        if "officer" in path
        else client.get("/v1/me/records", headers=citizen)
    )
    assert answer.status_code == 503
    assert answer.json()["code"] == "policy-unavailable"
    assert EAST.name not in answer.text
    assert str(hub.settings.home) not in answer.text


@dataclass
class Settable:
    """A clock that somebody sets."""

    instant: datetime = NOW

    def now(self) -> datetime:
        """Return what it was set to."""
        return self.instant


def test_when_the_clock_is_set_back_a_minute_nothing_leaves(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("access.keeper._LOOK_SECONDS", 0.0)
    clock = Settable()
    services = open_services(settings, clock)
    with asyncio.Runner() as runner:
        client = Client(create_app(settings, services), runner)
        assert services.provider is not None
        token = {"Authorization": f"Bearer {services.provider.token('officer.east')}"}
        assert look_up(client, token).status_code == 200
        clock.instant = NOW - timedelta(minutes=1)
        refused = look_up(client, token)
        assert refused.status_code == 503
        assert refused.json()["code"] == "clock"
        assert EAST.name not in refused.text
        clock.instant = NOW
        assert look_up(client, token).status_code == 200
    services.close()
