"""`hub witness` at the command line: it needs no hub, and says what is missing."""

from __future__ import annotations

import json
import stat
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from api.cli import app
from hub.clock import SystemClock
from hub.ledger.note import Checkpoint, VerifierKey, sign_checkpoint
from hub.witness.alarms import Kind, Wrong
from hub.witness.serving import alone
from hub.witness.state import open_state
from tests.hub.ledger.factories import ORIGIN, InventedSigner

KEY = str(VerifierKey.of(InventedSigner()))
URL = "https://hub.example/ledger"


class Desk:
    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def run(self, *words: str) -> tuple[int, str]:
        done = CliRunner().invoke(app, ["witness", *words, "--folder", str(self.folder)])
        return done.exit_code, done.output

    def asked(self, *words: str) -> Any:
        return json.loads(self.run(*words, "--json")[1])


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    made = Desk(tmp_path / "witness")
    assert made.run("init", "--name", "oversight.example/w")[0] == 0
    return made


def test_a_witness_is_made_once_and_its_keys_are_printed(desk: Desk) -> None:
    assert stat.S_IMODE(desk.folder.stat().st_mode) == 0o700
    assert stat.S_IMODE((desk.folder / "witness.key").stat().st_mode) == 0o600
    assert stat.S_IMODE((desk.folder / "witness.sqlite").stat().st_mode) == 0o600
    code, printed = desk.run("key")
    keys = [VerifierKey.parse(line) for line in printed.splitlines()]
    assert code == 0
    assert [key.name for key in keys] == ["oversight.example/w"] * 2
    assert [row["key"] for row in desk.asked("key")] == [str(key) for key in keys]
    assert desk.run("init", "--name", "other")[0] == 78
    assert desk.run("key")[1] == printed


@pytest.mark.parametrize(
    "words",
    [("key",), ("status",), ("alarms",), ("add-log", KEY, "--url", URL), ("run",)],
)
def test_without_a_witness_nothing_is_made(tmp_path: Path, words: tuple[str, ...]) -> None:
    code, printed = Desk(tmp_path / "none").run(*words)
    assert (code, "hub witness init" in printed) == (78, True)
    assert not (tmp_path / "none").exists()


def test_one_process_at_a_time_runs_a_witness(desk: Desk) -> None:
    with alone(desk.folder):
        code, printed = desk.run("run")
    assert (code, "another process" in printed) == (78, True)
    assert desk.run("status")[0] == 0


def test_a_log_is_watched_and_watched_otherwise(desk: Desk) -> None:
    assert desk.asked("status") == []
    assert desk.run("add-log", KEY, "--url", URL)[0] == 0
    status = desk.asked("status")[0]
    assert (status["origin"], status["check"], status["cosigned"]) == (ORIGIN, "full", 0)
    second = str(VerifierKey.of(InventedSigner(seed="two")))
    words = ("add-log", KEY, second, "--url", URL, "--check", "consistency")
    assert desk.run(*words, "--stalled-seconds", "60")[0] == 0
    with open_state(desk.folder, SystemClock()) as state:
        (log,) = state.logs()
    assert [str(key) for key in log.keys] == [KEY, second]
    assert (log.url, log.mode.value, log.stalled_seconds) == (URL + "/", "consistency", 60)


def test_what_cannot_be_watched_is_refused(desk: Desk) -> None:
    other = str(VerifierKey.of(InventedSigner("other.example/log")))
    for words in (
        ("add-log", "words", "--url", URL),
        ("add-log", KEY, "--url", "file:///etc"),
        ("add-log", KEY, other, "--url", URL),
    ):
        assert desk.run(*words)[0] == 64, words
    assert desk.run("add-log", KEY, "--url", URL, "--check", "some")[0] == 2
    assert desk.asked("status") == []


def test_alarms_are_listed_and_end_with_70(desk: Desk) -> None:
    assert desk.run("alarms")[0] == 0
    with open_state(desk.folder, SystemClock()) as state:
        state.raise_alarm(ORIGIN, Wrong(Kind.FORK, "two trees", "first note", "second note"))
        state.raise_alarm(ORIGIN, Wrong(Kind.STALLED, "nothing new"))
        state.end_passing(ORIGIN, Kind.STALLED, Kind.FORK)
    code, printed = desk.run("alarms")
    assert code == 70
    assert "two trees" in printed
    assert "nothing new" not in printed
    assert "first note" not in printed
    assert "first note" in desk.run("alarms", "--show", "1")[1]
    assert [alarm["kind"] for alarm in desk.asked("alarms")] == ["fork"]
    assert {alarm["kind"] for alarm in desk.asked("alarms", "--all")} == {"fork", "stalled"}
    assert desk.run("alarms", "--show", "9")[0] == 66


def test_an_alarm_that_was_looked_into_is_settled_until_it_is_found_again(desk: Desk) -> None:
    fork = Wrong(Kind.FORK, "two trees")
    with open_state(desk.folder, SystemClock()) as state:
        state.raise_alarm(ORIGIN, fork)
    assert desk.run("settle", "1", "--reason", "a test of the bureau's")[0] == 0
    assert desk.run("alarms")[0] == 0
    assert desk.asked("alarms", "--all")[0]["reason"] == "a test of the bureau's"
    assert desk.run("settle", "1", "--reason", "again")[0] == 66
    with open_state(desk.folder, SystemClock()) as state:
        state.raise_alarm(ORIGIN, fork)
    assert desk.run("alarms")[0] == 70


def test_a_checkpoint_of_no_watched_log_is_not_compared(desk: Desk, tmp_path: Path) -> None:
    file = tmp_path / "checkpoint"
    note = sign_checkpoint(Checkpoint(ORIGIN, 1, bytes(32)), InventedSigner())
    statement = json.dumps({"format": "any", "checkpoint": note})
    for text, code in ((note, 66), (statement, 66), ("c2sp.org/tlog-proof@v1\n", 64)):
        file.write_text(text)
        assert desk.run("compare", str(file))[0] == code


@pytest.mark.parametrize(
    "text",
    ["", "words", "{", "{}", '{"checkpoint": 1}', '{"checkpoint": "words"}', '{"a":' * 100_000],
)
def test_what_is_no_checkpoint_is_said_to_be_none(desk: Desk, tmp_path: Path, text: str) -> None:
    file = tmp_path / "given"
    file.write_text(text)
    code, printed = desk.run("compare", str(file))
    assert (code, "neither a checkpoint, a proof nor a statement" in printed) == (64, True)
