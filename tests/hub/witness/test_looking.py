"""Looking at all logs: one that makes itself wait for holds up nobody else's."""

from __future__ import annotations

from pathlib import Path
from threading import Event

import httpx

from hub.witness.looking import Looking
from hub.witness.state import Mode, WatchedLog
from tests.hub.ledger.factories import ORIGIN, InventedSigner
from tests.hub.witness.invented import InventedLog, Post, grown

WAIT_SECONDS = 30.0


def test_a_slow_log_holds_up_no_other(tmp_path: Path) -> None:
    post = Post(tmp_path, grown(5), Mode.CONSISTENCY)
    slow = InventedLog(InventedSigner("aaa.example/log"))
    post.state.add_log(
        WatchedLog(slow.key.name, (slow.key,), "http://slow.example/", Mode.FULL, 100)
    )
    post.log.publish()
    honest, asked, released, seen = post.transport, Event(), Event(), Event()

    def answer(request: httpx.Request) -> httpx.Response:
        if request.url.host == "slow.example":
            asked.set()
            assert released.wait(WAIT_SECONDS)
            return httpx.Response(503)
        assert asked.wait(WAIT_SECONDS)
        if request.url.path.endswith("checkpoint"):
            seen.set()
        return honest.handle_request(request)

    post.transport = httpx.MockTransport(answer)
    looking = Looking(post.watcher, 0.01)
    looking.start()
    assert seen.wait(WAIT_SECONDS)
    released.set()
    looking.stop(WAIT_SECONDS)
    assert post.state.seen(ORIGIN).size == 6
    assert post.state.seen(slow.key.name).problem


def test_a_state_that_cannot_be_read_ends_nothing(tmp_path: Path) -> None:
    post = Post(tmp_path, grown(5), Mode.CONSISTENCY)
    post.log.publish()
    post.state._db.execute("ALTER TABLE log RENAME TO hidden")
    looking = Looking(post.watcher, 0.01)
    looking.start()
    post.state._db.execute("ALTER TABLE hidden RENAME TO log")
    done = Event()
    honest = post.transport

    def answer(request: httpx.Request) -> httpx.Response:
        done.set()
        return honest.handle_request(request)

    post.transport = httpx.MockTransport(answer)
    assert done.wait(WAIT_SECONDS)
    looking.stop(WAIT_SECONDS)
    assert post.state.seen(ORIGIN).size == 6
