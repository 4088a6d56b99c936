"""Two workers behind one port: a session of a citizen is recorded once by both of them together."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest

from api.server import serving
from hub.config import save_settings
from tests.api.hub import EAST, make_home

_ATTEMPTS = 40


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Address of a hub that is served as `hub up` serves it."""
    settings = make_home(tmp_path_factory.mktemp("workers") / "hub")
    assert settings.workers == 2
    save_settings(settings)
    with socket.socket() as probe:
        probe.bind((settings.host, 0))
        port = probe.getsockname()[1]
    with serving(settings, port) as address:
        yield address


def test_a_session_is_recorded_once(base: str) -> None:
    body = {"actor": "citizen", "id_number": EAST.number}
    token = httpx.post(f"{base}/demo/token", json=body).raise_for_status().json()["access_token"]

    def records(_: int = 0) -> dict[str, Any]:
        headers = {"Authorization": f"Bearer {token}"}
        reply = httpx.get(f"{base}/v1/me/records", headers=headers, timeout=30.0)
        found: dict[str, Any] = reply.raise_for_status().json()
        return found

    answers = [records()]
    with ThreadPoolExecutor(8) as pool:
        for _ in range(_ATTEMPTS):  # until both have answered: which one does is not ours to say
            answers += pool.map(records, range(8))
            workers = {answer["request_id"][:12] for answer in answers}
            if len(workers) == 2:
                break
    assert len(workers) == 2
    assert len({answer["receipt"]["leaf"] for answer in answers}) == 1
    assert answers[-1]["subjects"] == answers[0]["subjects"]
