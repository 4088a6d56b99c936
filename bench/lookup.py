"""Governed look-up against an empty FastAPI endpoint: what guard, seals, limits and ledger cost.

Ours is two uvicorn workers over one home, as `hub up` runs them; the peer is one, for the client is
the limit of two of it. Both are sent the same bytes by the same client from another process over 16
keep-alive connections, taking turns. In a run nobody is looked up twice; every look-up is counted,
and durable in the ledger, before it is answered.
"""

from __future__ import annotations

import json
import os
import re
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from statistics import median
from typing import Any

import httpx

from access.demo import load_demo_actors
from access.files import POLICY_FOLDER
from access.purposes import FILE as PURPOSES
from bench import invented
from bench.machine import installed
from bench.row import Mark, Peer, Row, allowance
from bench.settings import BenchSettings
from bench.turns import interleaved
from contracts.loader import load_catalog, load_contracts
from hub.clock import SystemClock
from hub.config import load_settings
from hub.keyring import Keyring
from hub.ledger.composition import create_ledger

CONNECTIONS = 16
WORKERS = 2
SECONDS = 4.0
RATE = 0.25
P99_MS = 30.0
TEN_MILLION = 10_000_000

_HOST = "127.0.0.1"
_ASKED = 40_000
_START_SECONDS = 60.0


def rows(settings: BenchSettings) -> Iterator[Row]:
    """Yield throughput against the empty endpoint, and the 99th percentile against its limit."""
    yield from _measure(settings, "lookup", settings.residents)


def rows_10m(settings: BenchSettings) -> Iterator[Row]:
    """Yield the same with ten million persons in the snapshot, which is built once."""
    yield from _measure(settings, "lookup-10m", TEN_MILLION)


def _measure(settings: BenchSettings, name: str, residents: int) -> Iterator[Row]:
    home = settings.scratch(name)
    settings.say(f"publishing {residents:,} invented persons")
    make_home(home / "hub", residents)
    with ExitStack() as stack:
        ours = stack.enter_context(_serving(_OURS, home / "hub", WORKERS))
        theirs = stack.enter_context(_serving(_PEER, home, 1))
        requests = _lookups(ours, residents)
        sides = {
            "ours": _Side(home / "ours.json", ours, requests),
            "peer": _Side(home / "peer.json", theirs, requests),
        }
        figures = interleaved(
            {name: side.per_second for name, side in sides.items()}, settings.runs, settings.say
        )
    rate = {name: median(values) for name, values in figures.items()}
    size = f"{residents:,} persons, {CONNECTIONS} connections, {WORKERS} workers"
    yield Row(
        name=f"{name}-rate",
        measures="requests of ours / requests of the peer",
        size=size,
        runs=settings.runs,
        ours=rate["ours"],
        peer=Peer("empty FastAPI endpoint", installed("fastapi")),
        theirs=rate["peer"],
        unit="requests/s",
        ratio=rate["ours"] / rate["peer"],
        mark=Mark(">=", RATE),
    )
    peer, limit = allowance(P99_MS)
    slowest = median(sides["ours"].p99_ms)
    yield Row(
        name=f"{name}-p99",
        measures="99th percentile of ours / allowance",
        size=size,
        runs=settings.runs,
        ours=slowest,
        peer=peer,
        theirs=limit,
        unit="ms",
        ratio=slowest / limit,
        mark=Mark("<=", 1.0),
    )


def make_home(home: Path, residents: int) -> None:
    """Make a hub of the demonstration profile with a published snapshot of invented persons.

    One officer asks for everybody there, so its purposes have limits that nobody reaches.
    """
    settings = load_settings(home=home, profile="demonstration")
    keyring = Keyring.create(settings.keyring)
    create_ledger(settings, keyring, SystemClock()).close()
    catalog = load_catalog(load_contracts(settings.contract_folders))
    invented.publish(settings, keyring, catalog, map(invented.person, range(residents)))
    policies = home / "policies"
    policies.mkdir()
    purposes = (POLICY_FOLDER / PURPOSES).read_text()
    (policies / PURPOSES).write_text(_LIMIT.sub(r"\1 1000000000", purposes))


_LIMIT = re.compile(r"^(  (?:per_minute|persons_a_day):) \d+$", re.MULTILINE)


class _Side:
    """One server under load; remembers the latencies of its runs."""

    def __init__(self, plan: Path, port: int, requests: Sequence[str]) -> None:
        self._plan = plan
        self.p99_ms: list[float] = []
        body = {
            "host": _HOST,
            "port": port,
            "connections": CONNECTIONS,
            "seconds": SECONDS,
            "requests": list(requests),
        }
        plan.write_text(json.dumps(body))

    def per_second(self) -> float:
        """Return the requests answered in a second of one run.

        Raises:
            RuntimeError: when an answer was not 200.
        """
        found = self._drive()
        if set(found["statuses"]) != {"200"}:
            raise RuntimeError(f"answers that were not 200: {found['statuses']}")
        self.p99_ms.append(found["p99_ms"])
        return float(found["completed"] / found["seconds"])

    def _drive(self) -> dict[str, Any]:
        command = [sys.executable, "-m", "bench.http_load", str(self._plan)]
        done = subprocess.run(command, check=True, capture_output=True, timeout=60)
        found: dict[str, Any] = json.loads(done.stdout)
        return found


def _lookups(port: int, residents: int) -> list[str]:
    """Return the texts of look-ups of different persons, by an officer of their street."""
    body = {"actor": "officer.east"}
    reply = httpx.post(f"http://{_HOST}:{port}/demo/token", json=body).raise_for_status()
    token = reply.json()["access_token"]
    area = load_demo_actors()["officer.east"].area
    step = max(1, residents // _ASKED)
    people = map(invented.person, range(0, residents, step))
    return [_request(token, who.number) for who in people if who.grid_code.startswith(area)]


def _request(token: str, number: str) -> str:
    question = {
        "by": "resident_id",
        "value": number,
        "purpose": "residence.verify",
        "case": "2026-0311",
    }
    body = json.dumps(question)
    return (
        f"POST /v1/officer/lookup HTTP/1.1\r\nHost: {_HOST}\r\nAuthorization: Bearer {token}\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n{body}"
    )


_OURS = "api.app:create_app_from_environment"
_PEER = "bench.empty_app:create"


@contextmanager
def _serving(application: str, home: Path, workers: int) -> Iterator[int]:
    """Run an application in uvicorn for a while and yield its port once it answers."""
    port = _free_port()
    command = [
        *(sys.executable, "-m", "uvicorn", application, "--factory", "--host", _HOST),
        *("--port", str(port), "--no-access-log", "--log-level", "warning"),
        *("--workers", str(workers)),
    ]
    environment: Mapping[str, str] = {
        **os.environ,
        "MINGJING_HOME": str(home.absolute()),
        "MINGJING_PROFILE": "demonstration",
    }
    process = subprocess.Popen(command, env=environment)
    try:
        _wait(process, port)
        yield port
    finally:
        process.terminate()
        process.wait(timeout=20)


def _wait(process: subprocess.Popen[bytes], port: int) -> None:
    deadline = time.monotonic() + _START_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        try:
            httpx.get(f"http://{_HOST}:{port}/", timeout=2.0)
        except httpx.TransportError:
            time.sleep(0.1)
        else:
            return
    raise RuntimeError("a web server did not start")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind((_HOST, 0))
        port: int = probe.getsockname()[1]
        return port
