"""One small invented district, taken down the whole road once for all journeys."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from api.server import environment, serving
from api.setup import make_hub
from assets.demo.deliveries import (
    generate_correction,
    generate_first,
    generate_second,
    send,
)
from assets.demo.district import District
from assets.demo.truth import showcase
from hub.config import Settings, load_settings, save_settings
from hub.store.records import Batch, Records

DISTRICT = District(residents=3_000, month="2025-11")
SPOILED = frozenset({"housing.tenancy"})


def hub_command(settings: Settings, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run a `hub` command in a process of its own."""
    return subprocess.run(
        [sys.executable, "-m", "api", *arguments],
        env=environment(settings),
        capture_output=True,
        text=True,
        check=False,
        timeout=600,
    )


def new_hub(home: Path) -> Settings:
    """Make a hub of the demonstration profile."""
    settings = load_settings(home=home, profile="demonstration", memory_limit="512MB")
    make_hub(settings)
    save_settings(settings)
    return settings


def change_policy(settings: Settings) -> None:
    """Have the policy files put in force: one administrator proposes, another approves."""
    why = ("--reason", "for this journey")
    for step in (("propose", "--by", "admin.system"), ("approve", "1", "--by", "admin.security")):
        done = hub_command(settings, "access", *step, *why)
        assert done.returncode == 0, done.stdout + done.stderr


def run(settings: Settings) -> str:
    """Run `hub run` and return what it said."""
    done = hub_command(settings, "run")
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def batches(settings: Settings, dataset: str) -> tuple[Batch, ...]:
    """Return a dataset's batches, oldest first."""
    with Records.open(settings) as records:
        found = [b for b in records.batches(limit=1_000) if b.dataset == dataset]
    return tuple(sorted(found, key=lambda b: b.landed_at))


@dataclass(frozen=True)
class Story:
    """What the district went through, and what each run said."""

    settings: Settings
    mail: Path
    first: str
    second: str
    served_after_second: str
    correction: str
    person: dict[str, str]


@pytest.fixture(scope="session")
def story(tmp_path_factory: pytest.TempPathFactory) -> Story:
    """First delivery, a spoiled second one, its correction."""
    home = tmp_path_factory.mktemp("journey")
    settings, mail = new_hub(home / "hub"), home / "mail"
    send(generate_first(DISTRICT, mail).deliveries, settings)
    first = run(settings)
    send(generate_second(DISTRICT, mail, SPOILED).deliveries, settings)
    second = run(settings)
    with Records.open(settings) as records:
        served = records.latest_accepted("housing.tenancy")
    assert served is not None
    send(generate_correction(DISTRICT, mail, SPOILED).deliveries, settings)
    correction = run(settings)
    return Story(
        settings, mail, first, second, served.period or "", correction, showcase(mail / "truth")
    )


@pytest.fixture(scope="session")
def web(story: Story) -> Iterator[httpx.Client]:
    """The real web server on loopback, with a client."""
    with (
        serving(story.settings, free_port()) as base,
        httpx.Client(base_url=base, timeout=30) as client,
    ):
        yield client


def free_port() -> int:
    """Return a port of loopback that nobody listens on."""
    import socket

    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def headers(web: httpx.Client, actor: str, **more: str) -> dict[str, str]:
    """Return the authorization header of an invented actor."""
    reply = web.post("/demo/token", json={"actor": actor, **more})
    assert reply.status_code == 200, reply.text
    return {"Authorization": f"Bearer {reply.json()['access_token']}"}
