"""Recorded facts of quality: what is read back, and that samples keep counts only."""

from __future__ import annotations

import doctest
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from hub.errors import NotFound, RequestError
from hub.events import AuditEvent, EventTag
from hub.ledger.writer import Entry
from hub.store import facts as module
from hub.store.batches import Arrival, BatchStatus, CheckRow, Verdict
from hub.store.facts import Agreement, read_facts, save_agreements
from hub.store.records import Records
from hub.store.samples import FieldSample, Samples, Stratum, seed_of
from tests.factories import settings_in
from tests.hub.ledger.factories import open_ledger

NOW = datetime(2026, 2, 3, 4, 5, tzinfo=UTC)
CHECK = CheckRow(
    "required.name", ("name",), "error", "completeness", "t", "r", 3, 100, "required", True, True,
    False,
)  # fmt: skip
SAMPLE = FieldSample(
    "S1", "population.resident", "population", "2026-01", "v1", 12, "seed", "aa", "bb", 100, 10,
    NOW, None, (Stratum("990106001001", 60, 6), Stratum("990106001002", 40, 4)),
)  # fmt: skip
BACK = (
    Stratum("990106001001", 60, 6, 5, 1, 0, {"name": 1}),
    Stratum("990106001002", 40, 4, 3, 0, 1, {}),
)


@pytest.fixture
def records(tmp_path: Path) -> Iterator[Records]:
    with Records.open(settings_in(tmp_path)) as opened:
        yield opened


def delivered(records: Records, sha: str, period: str | None = "2026-01") -> str:
    arrival = Arrival("population.resident", "population", "f.csv", sha * 64, 1, "full", period)
    return records.register_batch(arrival, NOW).batch.id


def test_the_examples_hold() -> None:
    assert doctest.testmod(module).failed == 0


def test_a_verdict_is_read_back_with_every_fact(records: Records) -> None:
    name = delivered(records, "a")
    verdict = Verdict(100, 95, 5, 0.96, 0.95, True, "good", (CHECK,), accuracy_failing=2)
    records.save_verdict(name, verdict, NOW)
    (found,) = read_facts(records).batches
    assert (found.rows, found.key_failing, found.accuracy_failing) == (100, 4, 2)
    assert found.checks == (CHECK,)
    assert (found.month, found.is_accepted, found.is_readable) == ("2026-01", True, True)
    assert records.batch(name).accuracy_failing == 2
    assert records.verdict(name) == verdict


def test_what_was_not_checked_is_no_fact_and_what_was_refused_is(records: Records) -> None:
    delivered(records, "a")
    refused = delivered(records, "b", None)
    records.advance(refused, BatchStatus.REFUSED, NOW, reason="no header")
    (found,) = read_facts(records).batches
    assert (found.batch, found.is_readable, found.month) == (refused, False, "2026-02")


def test_a_batch_without_rows_keeps_no_failing_row(records: Records) -> None:
    name = delivered(records, "a")
    records.save_verdict(name, Verdict(0, 0, 0, None, None, False, "no rows"), NOW)
    (found,) = read_facts(records).batches
    assert (found.rows, found.key_failing, found.accuracy_failing) == (0, 0, None)


def test_agreement_is_replaced_by_what_is_said_again(records: Records) -> None:
    first = Agreement("v1", "pair", "name", "housing", "population", 10, 9)
    save_agreements(records, "v1", [first])
    save_agreements(records, "v1", [replace(first, agreeing=10)])
    save_agreements(records, "v2", [replace(first, version="v2")])
    found = read_facts(records)
    assert [(a.version, a.agreeing) for a in found.agreements] == [("v1", 10), ("v2", 9)]
    assert found.versions == ("v1", "v2")


def test_a_sample_comes_back_once(records: Records) -> None:
    samples = Samples(records)
    samples.add(SAMPLE)
    assert samples.of("S1") == SAMPLE
    found = samples.save_result("S1", BACK, NOW, 0)
    assert (found.returned_at, found.strata) == (NOW, BACK)
    assert samples.all() == read_facts(records).samples == (found,)
    with pytest.raises(RequestError, match="returned"):
        samples.save_result("S1", BACK, NOW, 0)


def test_one_sample_of_a_publication_is_in_the_field_at_a_time(records: Records) -> None:
    samples = Samples(records)
    samples.add(SAMPLE)
    with pytest.raises(RequestError, match="S1 of this publication is still in the field"):
        samples.add(replace(SAMPLE, id="S2"))
    samples.add(replace(SAMPLE, id="S3", version="v2"))
    samples.save_result("S1", BACK, NOW, 0)
    samples.require_drawable(SAMPLE.dataset, SAMPLE.version, SAMPLE.seed)


def test_the_sample_that_the_facts_give_is_not_drawn_again_when_it_is_back(
    records: Records,
) -> None:
    samples, seed = Samples(records), seed_of(SAMPLE.dataset, SAMPLE.version)
    samples.add(replace(SAMPLE, seed=seed))
    samples.save_result("S1", BACK, NOW, 0)
    for again in (
        replace(SAMPLE, id="S2", seed=seed),
        replace(SAMPLE, id="S2", seed=seed, digits=9),
    ):
        with pytest.raises(RequestError, match="S1 of this publication was returned"):
            samples.add(again)
    samples.add(replace(SAMPLE, id="S2"))  # a chosen seed proves nothing


def test_a_result_that_the_ledger_does_not_have_counts_for_nothing(
    records: Records, tmp_path: Path
) -> None:
    event = AuditEvent(EventTag.PARTNER_SAMPLE_RETURNED, NOW, {"sample": "S1"})
    samples = Samples(records)
    samples.add(SAMPLE)
    with open_ledger(tmp_path / "ledger.db") as ledger:
        assert not samples.save_result("S1", BACK, NOW, ledger.size).is_back
        samples.tell_return("S1", event, ledger)
    assert samples.of("S1").is_back


@pytest.mark.parametrize("killed", ["before it was told", "after it was told"])
def test_the_ledger_has_a_return_once_however_often_it_is_told(
    records: Records, tmp_path: Path, killed: str
) -> None:
    event = AuditEvent(EventTag.PARTNER_SAMPLE_RETURNED, NOW, {"sample": "S1"})
    other = AuditEvent(EventTag.PARTNER_SAMPLE_RETURNED, NOW, {"sample": "S2"})
    with open_ledger(tmp_path / "ledger.db") as ledger:
        samples = Samples(records)
        samples.add(SAMPLE)
        assert not samples.is_untold("S1")
        samples.save_result("S1", BACK, NOW, ledger.size)
        assert samples.is_untold("S1")
        ledger.append([Entry.of(other)])
        if killed == "after it was told":
            ledger.append([Entry.of(event)])
        for _ in range(2):
            samples.tell_return("S1", event, ledger)
            assert not samples.is_untold("S1")
            assert ledger.size == 2


def test_a_sample_nobody_drew_is_not_found(records: Records) -> None:
    samples = Samples(records)
    with pytest.raises(NotFound):
        samples.of("S9")
    with pytest.raises(NotFound):
        samples.save_result("S9", BACK, NOW, 0)


def test_records_from_before_are_migrated_and_read(tmp_path: Path) -> None:
    """A check recorded without its kind is read as such; its batch has no rule accuracy."""
    with Records.open(settings_in(tmp_path)) as records:
        name = delivered(records, "a")
        old = CheckRow("required.name", ("name",), "error", "completeness", "t", "r", 3, 100)
        records.save_verdict(name, Verdict(100, 97, 3, 0.97, 0.97, True, "", (old,)), NOW)
    with Records.open(settings_in(tmp_path)) as records:
        (found,) = read_facts(records).batches
        assert (found.accuracy_failing, found.key_failing) == (None, 3)
        assert found.checks[0].passed is None
