"""A real ledger and publisher at work while a witness looks on: nothing is ever called false."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path
from threading import Event, Thread

import httpx

from hub.clock import SystemClock
from hub.ledger.cosigning import PolicyCosigner
from hub.ledger.index.folder import IndexFolder
from hub.ledger.log import Ledger
from hub.ledger.note import VerifierKey, open_checkpoint
from hub.ledger.policy import Policy
from hub.ledger.public_files import PublicFiles
from hub.ledger.publisher import Publisher
from hub.witness.files import LogFiles
from hub.witness.state import Mode, WatchedLog, WitnessState
from hub.witness.watch import Watcher
from hub.witness.witness import Witness
from tests.hub.ledger.factories import CLOCK, ORIGIN, entry, open_ledger
from tests.hub.witness.invented import SIGNERS, URL

TURNS = 25


def folder_transport(folder: Path) -> httpx.MockTransport:
    """Serve a folder as any web server does."""

    def answer(request: httpx.Request) -> httpx.Response:
        try:
            data = (folder / request.url.path.removeprefix("/ledger/")).read_bytes()
        except OSError:
            return httpx.Response(404)
        return httpx.Response(200, stream=httpx.ByteStream(data))

    return httpx.MockTransport(answer)


def witness_transport(witness: Witness) -> httpx.MockTransport:
    def answer(request: httpx.Request) -> httpx.Response:
        reply = witness.add_checkpoint(request.content)
        headers = {"Content-Type": reply.content_type}
        body = httpx.ByteStream(reply.body.encode())
        return httpx.Response(reply.status, headers=headers, stream=body)

    return httpx.MockTransport(answer)


def publish(ledger: Ledger, folder: Path, witness: Witness) -> list[str]:
    """Append and publish again and again; return what was in the way."""
    key = VerifierKey.of(SIGNERS[1])
    policy = Policy.parse(f"witness W {key} http://w.example\nquorum W\n".encode())
    cosigner = PolicyCosigner(policy, ledger.keys, witness_transport(witness))
    files = PublicFiles(folder / "public")
    waiting = []
    with closing(
        Publisher(ledger, IndexFolder(folder / "runs"), files, cosigner, SystemClock())
    ) as publisher:
        for turn in range(TURNS):
            ledger.append([entry(number) for number in range(1 + 37 * (turn % 5))])
            waiting.append(publisher.turn().waiting)
    return waiting


def test_a_busy_log_raises_no_alarm(tmp_path: Path) -> None:
    transport = folder_transport(tmp_path / "public")
    state = WitnessState(tmp_path / "witness.sqlite", CLOCK)

    def connect(url: str) -> LogFiles:
        return LogFiles(url, transport)

    witness = Witness(state, SIGNERS, tmp_path / "index", CLOCK, connect)
    watcher = Watcher(state, witness, CLOCK, connect)
    over = Event()

    def look() -> None:
        while not over.is_set():
            watcher.look()

    with open_ledger(tmp_path) as ledger:
        state.add_log(WatchedLog(ORIGIN, (ledger.key,), URL, Mode.FULL, 100))
        looking = Thread(target=look)
        looking.start()
        try:
            waiting = publish(ledger, tmp_path, witness)
        finally:
            over.set()
            looking.join()
        public = open_checkpoint(
            (tmp_path / "public" / "checkpoint").read_text(), ledger.keys, ORIGIN
        )
    assert [alarm.what for alarm in state.alarms()] == []
    assert waiting[-1] == ""
    watcher.look()
    seen, head, read = state.seen(ORIGIN), state.head(ORIGIN), state.reading(ORIGIN)
    assert seen.problem == ""
    assert seen.size == head.size == read.size == public.size
