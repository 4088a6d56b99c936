"""The outermost step: bounds and headers on every answer, whatever it is."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from api.app import create_app
from api.door import MAX_BODY_BYTES
from tests.api.hub import Client, TinyHub

PATHS = ["/", "/board", "/v1/health", "/v1/nowhere", "/static/mingjing.css", "/v1/me/records"]


@pytest.mark.parametrize("path", PATHS)
def test_every_answer_is_guarded(client: Client, path: str) -> None:
    headers = client.get(path).headers
    policy = headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "script-src" not in policy
    assert "unsafe" not in policy
    assert "frame-ancestors 'none'" in policy
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "no-referrer"
    assert headers["cache-control"] == "no-store"


def test_transport_security_in_production_only(hub: TinyHub, client: Client) -> None:
    production = hub.settings.model_copy(update={"profile": "production"})
    strict = hub.client(create_app(production, hub.services))
    assert "strict-transport-security" in strict.get("/v1/health").headers
    assert "strict-transport-security" not in client.get("/v1/health").headers
    strict.close()


def test_a_body_that_is_too_large_is_not_read(hub: TinyHub, client: Client) -> None:
    reply = client.post("/v1/officer/lookup", content=b"x" * (MAX_BODY_BYTES + 1))
    assert reply.status_code == 413
    assert reply.json()["code"] == "content-too-large"
    assert "content-security-policy" in reply.headers


def test_a_body_without_length_is_counted(hub: TinyHub, client: Client) -> None:
    sent = 0

    async def endless() -> AsyncIterator[bytes]:
        nonlocal sent
        for _ in range(1000):
            sent += 4096
            yield b"x" * 4096

    headers = {**hub.bearer("officer.east"), "content-type": "application/json"}
    reply = client.post("/v1/officer/lookup", content=endless(), headers=headers)
    assert reply.status_code == 413
    assert sent <= MAX_BODY_BYTES + 2 * 4096


def test_a_length_that_is_no_number_is_too_large(client: Client) -> None:
    reply = client.post("/v1/officer/lookup", headers={"content-length": "-1"}, content=b"")
    assert reply.status_code == 413
