"""The witness over HTTP: its statuses and types as they are sent, and bodies beyond reason."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from hashlib import sha256
from pathlib import Path

import httpx
import pytest

from hub.ledger.add_checkpoint import BODY_LIMIT
from hub.witness.state import Mode
from hub.witness.web import create_app
from tests.hub.ledger.factories import ORIGIN
from tests.hub.witness.invented import Post, grown


@pytest.fixture
def post(tmp_path: Path) -> Post:
    return Post(tmp_path, grown(5), Mode.CONSISTENCY)


def send(
    post: Post, method: str, path: str, content: bytes | AsyncIterator[bytes] | None = None
) -> httpx.Response:
    async def sent() -> httpx.Response:
        app = create_app(post.witness, post.watcher, 1000.0)
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url="http://w.example") as client:
            return await client.request(method, path, content=content)

    return asyncio.run(sent())


def test_a_cosignature_and_the_checkpoint_with_it(post: Post) -> None:
    reply = send(post, "POST", "/add-checkpoint", post.log.request(0))
    assert reply.status_code == 200
    assert reply.text.startswith("\u2014 oversight.example/witness ")
    path = f"/{sha256(ORIGIN.encode()).hexdigest()}/checkpoint"
    shown = send(post, "GET", path)
    assert (shown.status_code, shown.headers["Content-Type"]) == (200, "text/plain; charset=utf-8")
    assert shown.text.startswith(f"{ORIGIN}\n6\n")


def test_a_conflict_is_sent_with_its_type(post: Post) -> None:
    reply = send(post, "POST", "/add-checkpoint", post.log.request(3))
    assert (reply.status_code, reply.text) == (409, "0\n")
    assert reply.headers["Content-Type"] == "text/x.tlog.size"


def test_ask_again_says_when(tmp_path: Path) -> None:
    post = Post(tmp_path, grown(5))
    post.log.files.clear()
    reply = send(post, "POST", "/add-checkpoint", post.log.request(0))
    assert (reply.status_code, reply.headers["Retry-After"]) == (503, "5")


def test_endless_bodies_are_cut_off(post: Post) -> None:
    sent = 0

    async def endless() -> AsyncIterator[bytes]:
        nonlocal sent
        while sent < 4 * BODY_LIMIT:
            sent += 1 << 14
            yield bytes(1 << 14)

    assert send(post, "POST", "/add-checkpoint", endless()).status_code == 400
    assert sent < 2 * BODY_LIMIT


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/", 404),
        ("GET", "/add-checkpoint", 405),
        ("PUT", "/add-checkpoint", 405),
        ("POST", "/sign-subtree", 404),
        ("GET", "/..%2fwitness.key/checkpoint", 404),
    ],
)
def test_there_is_nothing_else(post: Post, method: str, path: str, status: int) -> None:
    assert send(post, method, path).status_code == status


def test_when_nothing_can_be_kept_nothing_is_signed(post: Post) -> None:
    post.state.close()
    reply = send(post, "POST", "/add-checkpoint", post.log.request(0))
    assert (reply.status_code, "\u2014" in reply.text) == (500, False)
