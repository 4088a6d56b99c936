"""A ledger, its public folder on a plain web server, and the oversight body's witness beside them.

All on loopback and nothing replaced: the witness is the command in a process of its own.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import httpx
import pytest
from typer.testing import CliRunner

from api.cli import app
from hub.clock import SystemClock
from hub.ledger.cosigning import cosigner_of
from hub.ledger.index.folder import IndexFolder
from hub.ledger.log import Ledger
from hub.ledger.note import Checkpoint, sign_checkpoint
from hub.ledger.policy import Policy
from hub.ledger.public_files import PublicFiles
from hub.ledger.publisher import Publisher
from tests.hub.ledger.factories import ORIGIN, InventedSigner, entry, open_ledger
from tests.journeys.conftest import free_port

pytestmark = pytest.mark.journey

PATIENCE_SECONDS = 60.0


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
        pass


@contextmanager
def served(folder: Path) -> Iterator[str]:
    folder.mkdir(parents=True, exist_ok=True)
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(folder)))
    thread = Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}/"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class Oversight:
    """The oversight body, at its own machine's command line."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._port = free_port()
        self._process: subprocess.Popen[bytes] | None = None

    def command(self, *words: str) -> tuple[int, str]:
        done = CliRunner().invoke(app, ["witness", *words, "--folder", str(self._folder)])
        return done.exit_code, done.output

    def asked(self, *words: str) -> Any:
        return json.loads(self.command(*words, "--json")[1])

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._port}"

    def start(self) -> None:
        words = ["witness", "run", "--port", str(self._port), "--poll-seconds", "0.2"]
        self._process = subprocess.Popen(
            [sys.executable, "-m", "api", *words, "--folder", str(self._folder)]
        )
        until(lambda: self._process is not None and answers(self.url))

    def kill(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def kinds(self) -> list[str]:
        return sorted(alarm["kind"] for alarm in self.asked("alarms"))


def answers(url: str) -> bool:
    try:
        return httpx.get(f"{url}/{'0' * 64}/checkpoint", timeout=2.0).status_code == 404
    except httpx.TransportError:
        return False


def until(there: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not there():
        assert time.monotonic() < deadline, "it did not come about"
        time.sleep(0.05)


@pytest.fixture
def oversight(tmp_path: Path) -> Iterator[Oversight]:
    body = Oversight(tmp_path / "oversight")
    yield body
    body.kill()


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    with open_ledger(tmp_path) as opened:
        yield opened


def test_from_a_new_witness_to_a_fork(tmp_path: Path, oversight: Oversight, ledger: Ledger) -> None:
    public = tmp_path / "public"
    code, printed = oversight.command("init", "--name", "oversight.example/witness")
    assert code == 0
    key = printed.splitlines()[0]
    policy_file = tmp_path / "witness.policy"
    policy_file.write_text(
        f"log {ledger.key}\nwitness oversight {key} {oversight.url}\nquorum oversight\n"
    )
    policy = Policy.parse(policy_file.read_bytes())

    def publisher() -> Publisher:
        return Publisher(
            ledger,
            IndexFolder(tmp_path / "runs"),
            PublicFiles(public),
            cosigner_of(policy_file, ledger.keys),
            SystemClock(),
        )

    with served(public) as address:
        code, printed = oversight.command("add-log", str(ledger.key), "--url", address)
        assert code == 0, printed

        # Nobody watches yet: nothing is made public.
        ledger.append([entry(number) for number in range(300)])
        with closing(publisher()) as one:
            turn = one.turn()
        assert (turn.published, turn.waiting != "") == (False, True)
        assert not (public / "checkpoint").exists()

        # With the witness it is, and what citizens get is cosigned.
        oversight.start()
        with closing(publisher()) as one:
            turn = one.turn()
        assert turn.published, turn
        judgement = policy.require((public / "checkpoint").read_text())
        assert set(judgement.times) == {"oversight"}
        until(lambda: oversight.asked("status")[0]["shown"] == turn.size)

        # Killed and started again it goes on from where it was.
        oversight.kill()
        oversight.start()
        ledger.append([entry(number) for number in range(40)])
        with closing(publisher()) as one:
            turn = one.turn()
        assert turn.published, turn
        status = oversight.asked("status")[0]
        assert (status["origin"], status["check"]) == (ORIGIN, "full")
        assert (status["cosigned"], status["read"]) == (turn.size, turn.size)
        assert oversight.command("alarms")[0] == 0

        # The log shows everybody another tree of the same size.
        honest = (public / "checkpoint").read_text()
        forged = sign_checkpoint(Checkpoint(ORIGIN, turn.size, bytes(32)), InventedSigner())
        (public / "checkpoint").write_text(forged)
        until(lambda: oversight.kinds() == ["fork"])
        code, printed = oversight.command("alarms", "--show", "1")
        assert code == 70
        evidence = oversight.asked("alarms")[0]["evidence"]
        assert forged in evidence
        assert honest.split("\n\n")[0] in evidence
