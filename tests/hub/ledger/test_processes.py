"""Real processes: two that append at once, and one that is killed in the middle."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from hub.ledger.audit import Audit
from hub.ledger.note import open_checkpoint
from tests.hub.ledger import factories
from tests.hub.ledger.factories import ORIGIN, entry, open_ledger

pytestmark = pytest.mark.usefixtures("kind")

ROOT = Path(__file__).parents[3]


def start(folder: Path, label: str, threads: int, count: int) -> subprocess.Popen[str]:
    """Start a process that appends and prints each receipt once it has it."""
    command = [sys.executable, "-m", "tests.hub.ledger.appender"]
    place = folder if factories.KIND is factories.FILES else factories.KIND.place(folder)
    return subprocess.Popen(
        [*command, str(place), label, str(threads), str(count)],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
    )


def lines(process: subprocess.Popen[str]) -> Iterator[dict[str, object]]:
    assert process.stdout is not None
    for line in process.stdout:
        if not line.endswith("\n"):
            return  # cut off by the kill
        yield json.loads(line)


def check_receipts(folder: Path, receipts: list[dict[str, object]]) -> Audit:
    with open_ledger(folder) as ledger:
        for receipt in receipts:
            index = receipt["index"]
            assert isinstance(index, int)
            body = ledger.entry(index).body
            assert body is not None
            assert (body["subject"], body["request"]) == (receipt["label"], receipt["request"])
        head = open_checkpoint(ledger.head(), [ledger.key], ORIGIN)
        audit = ledger.verify_all()
        assert audit.findings == ()
        assert audit.size == head.size
        assert ledger.append([entry()]).index == head.size
        return audit


def test_two_processes_append_at_once(tmp_path: Path) -> None:
    running = [start(tmp_path, label * 16, 4, 60) for label in ("aa", "bb")]
    receipts = [receipt for process in running for receipt in lines(process)]
    assert [process.wait() for process in running] == [0, 0]
    for process in running:
        assert process.stdout is not None
        process.stdout.close()
    assert sorted(int(str(r["index"])) for r in receipts) == list(range(480))
    assert check_receipts(tmp_path, receipts).size == 480


@pytest.mark.parametrize("after", [1, 150])
def test_a_killed_writer_keeps_every_promise(tmp_path: Path, after: int) -> None:
    process = start(tmp_path, "cc" * 16, 8, 1_000_000)
    receipts = []
    for receipt in lines(process):
        receipts.append(receipt)
        if len(receipts) == after:
            os.kill(process.pid, signal.SIGKILL)
    assert process.wait() == -signal.SIGKILL
    assert process.stdout is not None
    process.stdout.close()
    assert len(receipts) >= after
    assert check_receipts(tmp_path, receipts).size >= len(receipts)
    assert [p.name for p in tmp_path.iterdir() if p.name.endswith(".new")] == []
