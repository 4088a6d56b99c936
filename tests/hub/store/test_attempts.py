"""Attempts: one row each in the transaction of the step, settled once; what was before is kept."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import delete, text

from hub.store.attempts import Attempt, attempts
from hub.store.batches import Arrival, BatchStatus, Verdict
from hub.store.migrations.versions import r0003_cards
from hub.store.models import AttemptRow
from hub.store.records import Records
from tests.factories import NOW, settings_in

HOUR = timedelta(hours=1)
SENT = Arrival("housing.tenancy", "housing", "t.csv", "a" * 64, 10, "full", "2026-05")
GOOD = Verdict(100, 99, 1, 0.99, 0.99, passed=True, reason="fine")
BAD = replace(GOOD, key_accuracy=0.9, passed=False, reason="below")


@pytest.fixture
def records(tmp_path: Path) -> Iterator[Records]:
    with Records.open(settings_in(tmp_path / "home")) as opened:
        yield opened


def all_of(records: Records) -> list[Attempt]:
    with records.reading() as session:
        return list(attempts(session))


def test_an_attempt_is_open_until_its_batch_is_stopped_refused_or_loaded(records: Records) -> None:
    batch = records.register_batch(SENT, NOW).batch
    records.register_batch(SENT, NOW + HOUR)  # the same bytes once more are no other attempt
    (landed,) = all_of(records)
    assert (landed.landed_at, landed.settled_at, landed.outcome) == (NOW, None, None)
    records.save_verdict(batch.id, GOOD, NOW + HOUR)
    assert all_of(records)[0].settled_at is None
    records.advance(batch.id, BatchStatus.LOADED, NOW + 2 * HOUR)
    (loaded,) = all_of(records)
    assert loaded.outcome is BatchStatus.LOADED
    assert loaded.settled_at == NOW + HOUR  # the time of the verdict
    assert (loaded.key_accuracy, loaded.meets_contract) == (0.99, True)


def test_every_attempt_at_the_same_bytes_stays(records: Records) -> None:
    batch = records.register_batch(SENT, NOW).batch
    records.save_verdict(batch.id, BAD, NOW)
    records.register_batch(replace(SENT, period="2026-06"), NOW + HOUR)
    records.advance(batch.id, BatchStatus.REFUSED, NOW + HOUR, reason="no table")
    stopped, refused = all_of(records)
    assert (stopped.outcome, stopped.period, stopped.reason) == (
        BatchStatus.STOPPED,
        "2026-05",
        "below",
    )
    assert (refused.outcome, refused.period, refused.reason) == (
        BatchStatus.REFUSED,
        "2026-06",
        "no table",
    )


def test_a_verdict_that_was_let_through_keeps_what_the_contract_said(records: Records) -> None:
    batch = records.register_batch(SENT, NOW).batch
    records.save_verdict(batch.id, replace(BAD, passed=True, met=False), NOW)
    records.advance(batch.id, BatchStatus.LOADED, NOW)
    (loaded,) = all_of(records)
    assert (loaded.outcome, loaded.meets_contract) == (BatchStatus.LOADED, False)


def test_the_batches_of_an_older_hub_become_attempts(records: Records) -> None:
    """What the migration makes of batches is what the steps would have left."""
    for number, verdict in enumerate((GOOD, BAD)):
        sent = replace(SENT, sha256=f"{number:064x}")
        batch = records.register_batch(sent, NOW + number * HOUR).batch
        records.save_verdict(batch.id, verdict, NOW + 3 * HOUR)
        if verdict.passed:
            records.advance(batch.id, BatchStatus.LOADED, NOW + 4 * HOUR)
            records.add_publication("v1", [batch.id], NOW + 5 * HOUR)
    records.register_batch(replace(SENT, sha256="f" * 64), NOW + 6 * HOUR)
    before = all_of(records)
    with records.writing() as session:
        session.execute(delete(AttemptRow))
        session.execute(text(r0003_cards._SETTLED))
    assert all_of(records) == before
