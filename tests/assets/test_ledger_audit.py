"""The daily verification of the ledger in Dagster: recorded when intact, failed when not."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import dagster as dg

from api.commands.ledger import open_ledger
from api.setup import make_hub
from assets.definitions import build_definitions
from assets.ledger_audit import BY
from hub.config import Settings
from tests.factories import settings_in


def run(settings: Settings) -> dg.ExecuteInProcessResult:
    job = build_definitions(settings).resolve_job_def("ledger_audit")
    return job.execute_in_process(raise_on_error=False)


def test_the_daily_run_is_recorded_and_reads_what_came_since(tmp_path: Path) -> None:
    settings = settings_in(tmp_path / "home")
    make_hub(settings)
    assert [run(settings).success for _ in range(2)] == [True, True]
    with open_ledger(settings) as ledger:
        runs = [
            entry.body
            for entry in ledger.entries(0, ledger.size)
            if entry.event == "hub:ledger:verified"
        ]
    assert [body and (body["by"], body["findings"]) for body in runs] == [(BY, 0)] * 2
    first, second = (body["size"] for body in runs if body)
    assert [body and body["from"] for body in runs] == [0, first]
    assert second == first + 1


def test_the_daily_run_fails_when_something_is_wrong(tmp_path: Path) -> None:
    settings = settings_in(tmp_path / "home")
    make_hub(settings)
    with closing(sqlite3.connect(settings.ledger, isolation_level=None)) as connection:
        connection.execute("UPDATE entry SET salt = zeroblob(32) WHERE position = 0")
    failed = run(settings)
    assert not failed.success
    (event,) = [e for e in failed.all_events if e.is_step_failure]
    error = event.step_failure_data.error
    assert error is not None
    assert error.cause is not None
    assert "1 findings" in error.cause.message
    assert "entry 0, record or salt" in error.cause.message


def test_it_is_run_every_day(tmp_path: Path) -> None:
    definitions = build_definitions(settings_in(tmp_path / "home"))
    schedule = definitions.resolve_schedule_def("daily__ledger_audit")
    assert (schedule.cron_schedule, schedule.execution_timezone) == ("15 1 * * *", "Asia/Shanghai")
