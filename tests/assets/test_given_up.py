"""A batch that brings its run down twice is given up; what waits behind it goes on."""

from __future__ import annotations

import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from api.commands.ledger import open_ledger
from api.server import environment
from api.setup import make_hub
from assets import steps
from assets.delivery.landing import raw_path
from assets.runtime import Promises, Quiet, Runtime, open_runtime
from hub.clock import SystemClock
from hub.config import Settings, load_settings
from hub.errors import LedgerError, SourceError
from hub.store.drop import deliver
from hub.store.records import Batch, BatchStatus, Records

CONTRACT = Path(__file__).parents[1] / "journeys" / "street_crime.yaml"
DATASET = "police.street_crime"
HEADER = (
    "Crime ID,Month,Reported by,Falls within,Longitude,Latitude,Location,LSOA code,LSOA name,"
    "Crime type,Last outcome category,Context"
)
LINE = ",2026-01,Invented Police,Invented Police,,,No Location,,,Drugs,Under investigation,"

#: One run, step by step; checking the larger file kills the process, as an engine's crash would.
CRASH = """
import os, signal, sys
from assets import steps
from assets.runtime import Promises, Quiet, open_runtime
from hub.clock import SystemClock
from hub.config import load_settings

check = steps._check

def poisoned(run, con, contract, batch, parsed):
    if parsed.rows == 3:
        os.kill(os.getpid(), signal.SIGKILL)
    return check(run, con, contract, batch, parsed)

steps._check = poisoned
settings = load_settings()
with open_runtime(settings, SystemClock(), Quiet(), Promises.of(settings)) as run:
    steps.land(run)
    steps.check_and_load(run, sys.argv[1])
    steps.resolve_identities(run)
    steps.publish_loaded(run)
"""


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """A hub with one dataset's two files in its drop folder, the poisonous one first."""
    made = load_settings(home=tmp_path / "hub", profile="demonstration", memory_limit="256MB")
    make_hub(made)
    (folder,) = made.contract_folders
    shutil.copyfile(CONTRACT, folder / CONTRACT.name)
    put(made, tmp_path / "a.csv", 3)
    put(made, tmp_path / "b.csv", 2)
    return made


def put(settings: Settings, path: Path, rows: int) -> None:
    path.write_text("\n".join([HEADER, *[LINE] * rows]) + "\n")
    deliver(path, name=path.name, partner="police", dataset=DATASET, settings=settings, rows=rows)


def crashing_run(settings: Settings) -> int:
    done = subprocess.run(
        [sys.executable, "-c", CRASH, DATASET],
        env=environment(settings),
        capture_output=True,
        check=False,
        timeout=300,
    )
    return done.returncode


def batches(settings: Settings) -> dict[int, Batch]:
    with Records.open(settings) as records:
        return {int(b.declared["rows"]): b for b in records.batches()}


@contextmanager
def running(settings: Settings) -> Iterator[Runtime]:
    with open_runtime(settings, SystemClock(), Quiet(), Promises.of(settings)) as run:
        yield run


def test_a_batch_that_kills_two_runs_is_refused_and_the_others_are_published(
    settings: Settings,
) -> None:
    assert [crashing_run(settings) for _ in range(2)] == [-signal.SIGKILL] * 2
    assert {b.status for b in batches(settings).values()} == {BatchStatus.LANDED}
    assert crashing_run(settings) == 0
    found = batches(settings)
    assert found[3].status is BatchStatus.REFUSED
    assert "did not end 2 times" in (found[3].reason or "")
    assert raw_path(settings, found[3].sha256).exists()
    assert found[2].status is BatchStatus.PUBLISHED
    with open_ledger(settings) as ledger:
        bodies = [ledger.entry(i).body or {} for i in range(ledger.size)]
    refusals = [b for b in bodies if b["event"] == "partner:batch:refused"]
    assert [b["batch"] for b in refusals] == [found[3].id]


def test_a_given_up_batch_that_is_sent_again_is_tried_again(
    settings: Settings, tmp_path: Path
) -> None:
    with running(settings) as run:
        steps.land(run)
    with Records.open(settings) as records:
        poison = batches(settings)[3].id
        for _ in range(steps.MOST_BEGINNINGS):
            records.begin(poison)
    with running(settings) as run:
        steps.check_and_load(run, DATASET)
        assert run.records.batch(poison).status is BatchStatus.REFUSED
        put(settings, tmp_path / "a.csv", 3)
        steps.land(run)
        steps.check_and_load(run, DATASET)
        assert run.records.batch(poison).status is BatchStatus.LOADED


@pytest.mark.parametrize(
    ("error", "counts"),
    [
        (LedgerError("no room"), False),
        (SourceError("locked", retryable=True), False),
        (SourceError("the engine refused it"), True),
        (ValueError("a defect"), True),
    ],
)
def test_what_is_not_the_batchs_fault_does_not_count(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, error: Exception, counts: bool
) -> None:
    def fail(*_: object) -> None:
        raise error

    with running(settings) as run:
        steps.land(run)
        monkeypatch.setattr(steps, "_check", fail)
        with pytest.raises(type(error)):
            steps.check_and_load(run, DATASET)
        first = run.records.pending(DATASET)[0].id
        assert run.records.begin(first) == (2 if counts else 1)


def test_a_batch_whose_rows_are_in_the_lake_is_finished_not_refused(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    with running(settings) as run:
        steps.land(run)
        with monkeypatch.context() as patched:
            patched.setattr(Records, "advance", _interrupted)
            with pytest.raises(ValueError, match="killed"):
                steps.check_and_load(run, DATASET)
        first = run.records.pending(DATASET, (BatchStatus.CHECKED,))[0].id
        run.records.begin(first)
        steps.check_and_load(run, DATASET)
        assert run.records.batch(first).status is BatchStatus.LOADED


def _interrupted(*_: object, **__: object) -> None:
    raise ValueError("killed after the load")
