"""Two workers behind one port: a session of a citizen is recorded once by both of them together."""

from __future__ import annotations

import logging
import socket
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import pytest

from api.app import create_app_from_environment
from api.server import serving
from api.supervisor import run_all
from hub.config import load_settings, save_settings
from hub.errors import ConfigError
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


def test_a_hub_that_cannot_be_opened_starts_no_worker(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """`hub up` says why at once; a worker by itself ends with uvicorn's code, and says why."""
    with pytest.raises(ConfigError):
        run_all(load_settings(home=tmp_path))
    monkeypatch.setenv("MINGJING_HOME", str(tmp_path))
    with pytest.raises(SystemExit) as ended, caplog.at_level(logging.CRITICAL):
        create_app_from_environment()
    assert ended.value.code == 3
    assert ConfigError.title in caplog.text
