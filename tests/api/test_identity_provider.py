"""The embedded identity provider: for invented people, in the demonstration, and it says so."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import pytest

from api.app import create_app
from api.people import DemonstrationProvider
from api.services import open_services
from api.wire.identity import DemoActors, Token
from hub.errors import SourceError
from tests.api.hub import CLOCK, EAST, Client, TinyHub


def test_a_token_says_that_it_is_a_demonstration(hub: TinyHub, client: Client) -> None:
    body = client.post("/demo/token", json={"actor": "officer.east"}).json()
    Token.model_validate(body)
    assert body["demonstration"] is True
    assert "虚构" in body["notice"]
    headers = {"Authorization": f"Bearer {body['access_token']}"}
    assert client.get("/v1/officer/purposes", headers=headers).status_code == 200


def test_the_actors_are_listed(client: Client) -> None:
    body = client.get("/demo/actors").json()
    DemoActors.model_validate(body)
    assert {"officer.east", "analyst", "citizen"} <= {actor["id"] for actor in body["actors"]}


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"actor": "nobody"}, 404),
        ({"actor": "citizen"}, 400),
        ({"actor": "citizen", "id_number": "11010519491231002X"}, 400),
        ({"actor": "citizen", "id_number": "990106199003070000"}, 400),
        ({"actor": "citizen", "id_number": "9" * 40}, 422),
        ({}, 422),
    ],
)
def test_what_is_no_invented_person_gets_no_token(
    client: Client, body: dict[str, str], status: int
) -> None:
    reply = client.post("/demo/token", json=body)
    assert reply.status_code == status
    assert body.get("id_number", "no number") not in reply.text


def test_a_citizens_number_is_not_in_the_token(hub: TinyHub) -> None:
    header = hub.bearer("citizen", EAST.number)["Authorization"]
    session = hub.services.verifier.verify(header.removeprefix("Bearer "))
    assert session.actor.binding is not None
    assert EAST.number not in json.dumps(session.actor.claims())


def test_production_has_none_of_it(hub: TinyHub) -> None:
    settings = hub.settings.model_copy(update={"profile": "production"})
    services = open_services(settings, CLOCK)
    try:
        assert services.provider is None
        client = hub.client(create_app(settings, services))
        for path in ("/demo/actors", "/demo/sign-in"):
            assert client.get(path).status_code == 404
        assert client.post("/demo/token", json={"actor": "officer.east"}).status_code == 404
        reply = client.get("/v1/officer/purposes", headers=hub.bearer("officer.east"))
        assert reply.status_code == 401
        assert "虚构" not in client.get("/", headers={"accept": "text/html"}).text
        client.close()
    finally:
        services.close()


def test_a_production_cookie_is_secure(hub: TinyHub) -> None:
    settings = hub.settings.model_copy(update={"profile": "production"})
    services = dataclasses.replace(hub.services, settings=settings)
    client = hub.client(create_app(settings, services))
    reply = client.post(
        "/demo/sign-in", data={"actor": "officer.east"}, headers={"origin": "http://hub.test"}
    )
    assert "secure" in reply.headers["set-cookie"].lower()
    client.close()


def test_people_of_the_demo_are_read_or_refused(hub: TinyHub, tmp_path: Path) -> None:
    settings = hub.settings.model_copy(update={"home": tmp_path})
    (tmp_path / "demo").mkdir()
    file = tmp_path / "demo" / "people.json"
    entry = {
        "id_number": EAST.number,
        "name": EAST.name,
        "birth_date": EAST.birth_date,
        "grid_code": EAST.grid_code,
        "note": "example",
    }
    file.write_text(json.dumps([entry]))
    assert hub.services.provider is not None
    tokens, bind = hub.services.provider._tokens, hub.services.guard.binding
    assert DemonstrationProvider.load(settings, tokens, bind).people[0].name == EAST.name
    file.write_text("[{}]")
    with pytest.raises(SourceError):
        DemonstrationProvider.load(settings, tokens, bind)
