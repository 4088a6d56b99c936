"""Errors at the door: every one a problem, none with a value, a trace or a foreign message."""

from __future__ import annotations

import logging
from collections.abc import Iterator

import pytest
from fastapi import FastAPI
from starlette.routing import Route

from api.app import create_app
from api.problems import REMEDIES, known_codes, problem_of
from hub import errors
from hub.errors import HubError, LedgerError, SourceError
from tests.api.hub import Client, TinyHub

SECRET = "99010619900307001X 张三"


@pytest.fixture
def breaking(hub: TinyHub) -> Iterator[Client]:
    """A client of an application with routes that break in every way."""
    app: FastAPI = create_app(hub.settings, hub.services)
    client = hub.client(app)

    async def bug(_: object) -> None:
        raise RuntimeError(SECRET)

    async def ledger(_: object) -> None:
        raise LedgerError("the ledger is away")

    async def source(_: object) -> None:
        raise SourceError("a source is away", findings=("first", "second"))

    for name, endpoint in (("bug", bug), ("ledger", ledger), ("source", source)):
        app.router.routes.append(Route(f"/v1/{name}", endpoint))
    yield client
    client.close()


def test_every_code_has_title_status_and_remedy() -> None:
    codes = {row["code"] for row in known_codes()}
    assert codes == set(REMEDIES)
    kinds = [k for k in vars(errors).values() if isinstance(k, type) and issubclass(k, HubError)]
    assert {kind.code for kind in kinds} <= codes


def test_what_breaks_inside_is_not_told() -> None:
    body = problem_of(errors.ConfigError("keyring /secret/place is open"))
    assert body["status"] == 500
    assert "secret" not in str(body)


def test_a_defect_says_and_logs_nothing_of_its_text(
    breaking: Client, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    # A linter that ran in this process may have switched off every logger it did not know.
    monkeypatch.setattr(logging.getLogger("mingjing.api"), "disabled", False)
    with caplog.at_level(logging.DEBUG):
        reply = breaking.get("/v1/bug")
    assert reply.status_code == 500
    assert reply.json()["code"] == "internal"
    assert SECRET not in reply.text + caplog.text
    assert "Traceback" not in reply.text + caplog.text
    assert "RuntimeError" in caplog.text
    assert "test_problems.py" in caplog.text


def test_a_defect_on_a_page_is_a_page(breaking: Client) -> None:
    reply = breaking.get("/v1/bug", headers={"accept": "text/html"})
    assert reply.headers["content-type"] == "application/problem+json"
    page = breaking.get("/nowhere", headers={"accept": "text/html"})
    assert page.status_code == 404
    assert page.headers["content-type"].startswith("text/html")
    assert "怎么办" in page.text


def test_hub_errors_keep_their_status_and_findings(breaking: Client) -> None:
    assert breaking.get("/v1/ledger").status_code == 503
    reply = breaking.get("/v1/source")
    assert reply.status_code == 502
    assert reply.json()["findings"] == ["first", "second"]


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("GET", "/v1/nowhere", 404, "not-found"),
        ("GET", "/v1/officer/lookup", 405, "method-not-allowed"),
        ("GET", "/nowhere", 404, "not-found"),
    ],
)
def test_the_framework_speaks_problems_too(
    client: Client, method: str, path: str, status: int, code: str
) -> None:
    reply = client.request(method, path)
    assert reply.status_code == status
    assert reply.headers["content-type"] == "application/problem+json"
    assert reply.json()["code"] == code


@pytest.mark.parametrize("body", [b"{", b"\xff\xfe", b"[1,2", b"{'by': 1}"])
def test_a_body_that_is_no_json_is_400(hub: TinyHub, client: Client, body: bytes) -> None:
    headers = {**hub.bearer("officer.east"), "content-type": "application/json"}
    reply = client.post("/v1/officer/lookup", content=body, headers=headers)
    assert reply.status_code in (400, 422)
    assert reply.headers["content-type"] == "application/problem+json"


def test_a_body_of_another_kind_is_refused(hub: TinyHub, client: Client) -> None:
    for content in (b"[]", b'"text"', b"null", b"7"):
        headers = {**hub.bearer("officer.east"), "content-type": "application/json"}
        reply = client.post("/v1/officer/lookup", content=content, headers=headers)
        assert reply.status_code == 422
