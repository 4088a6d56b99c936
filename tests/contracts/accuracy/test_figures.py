"""Figures and headlines: the worst measure speaks, the same facts give the same figures."""

from __future__ import annotations

import doctest
import json
from dataclasses import asdict

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.accuracy import figures, measures
from contracts.accuracy.figures import Figures
from contracts.accuracy.measures import (
    Measure,
    batch_measures,
    cut_percent,
    estimates,
    standing,
    worst,
)
from hub.errors import NotFound
from hub.store.batches import BatchStatus
from hub.store.facts import Agreement
from tests.contracts.accuracy.quality_facts import batch, check, facts, sample

TENANCY = "housing.tenancy"


def measure(share: float | None, code: str = "rule_accuracy") -> Measure:
    return Measure(code, code, 0, 0, share)


def agreement(version: str, agreeing: int, scope: str = "dataset", one: str = TENANCY) -> Agreement:
    return Agreement(version, scope, "", one, "", 100, agreeing)


def test_the_examples_hold() -> None:
    assert doctest.testmod(measures).failed == 0
    assert doctest.testmod(figures).failed == 0


@given(st.lists(st.none() | st.floats(0, 1)))
def test_the_headline_is_the_lowest_that_applies(shares: list[float | None]) -> None:
    found = worst(measure(share) for share in shares)
    applicable = [share for share in shares if share is not None]
    assert (found.share if found else None) == min(applicable, default=None)


def test_rule_accuracy_counts_rows_once_and_key_accuracy_every_error() -> None:
    rule, key, _ = batch_measures([batch(rows=1_000, accuracy_failing=3, key_failing=8)])
    assert (rule.code, rule.right, rule.of, rule.share) == ("rule_accuracy", 997, 1_000, 0.997)
    assert (key.code, key.right, key.share) == ("key_accuracy", 992, 0.992)


def test_a_delivery_from_before_the_count_gives_no_rule_accuracy() -> None:
    rule, key, _ = batch_measures([batch(accuracy_failing=None, key_failing=2)])
    assert rule.share is None
    assert key.share == 0.98


def test_no_rows_is_not_applicable() -> None:
    assert [m.share for m in batch_measures([batch(rows=0, accepted=0)])] == [None, None, None]
    assert [m.share for m in batch_measures([])] == [None, None, None]


@pytest.mark.parametrize(
    ("more", "code"),
    [
        ({"accuracy_failing": 5, "key_failing": 5}, "rule_accuracy"),
        ({"key_failing": 5}, "key_accuracy"),
        ({"checks": (check("key_duplicate", 5),)}, "dimension_03"),
    ],
)
def test_the_headline_says_which_measure_it_is(more: dict[str, object], code: str) -> None:
    headline = Figures(facts(batch(**more))).headline(TENANCY)
    assert headline.measure is not None
    assert (headline.measure.code, headline.share) == (code, 0.95)


def test_cross_source_and_field_sample_speak_when_they_are_worst() -> None:
    joined = Figures(facts(batch(), agreements=(agreement("v1", 90),), versions=("v1",)))
    headline = joined.headline(TENANCY)
    assert headline.measure is not None
    assert (headline.measure.code, headline.share) == ("cross_source", 0.9)
    checked = Figures(facts(batch(), samples=(sample(1_500, 21),))).headline(TENANCY)
    assert checked.measure is not None
    assert checked.measure.code == "field_sample"
    assert checked.share is not None
    assert checked.share < 1_500 / 1_521


def test_a_failed_delivery_that_was_made_good_does_not_stand() -> None:
    stopped = batch("B1", status=BatchStatus.STOPPED, key_failing=40)
    corrected = batch("B2")
    assert standing([stopped, corrected]) == (corrected,)
    assert standing([corrected, batch("B3", status=BatchStatus.STOPPED)])[0].batch == "B3"


def test_additions_stand_together_and_whole_deliveries_alone() -> None:
    one, two = batch("B1", mode="append"), batch("B2", mode="append", key_failing=10)
    assert standing([one, two]) == (one, two)
    assert batch_measures(standing([one, two]))[1].share == 0.95
    assert standing([batch("B1"), batch("B2")]) == (batch("B2"),)


def test_history_keeps_what_each_month_was() -> None:
    january = batch("B1", key_failing=3, version="v1")
    february = batch("B2", period="2026-02", month="2026-02", key_failing=1, version="v2")
    known = (agreement("v1", 99), agreement("v2", 100))
    found = Figures(facts(january, february, agreements=known, versions=("v1", "v2")))
    newer, older = found.history(dataset=TENANCY)
    assert (newer.month, newer.headline.share) == ("2026-02", 0.99)
    assert (older.month, older.headline.share) == ("2026-01", 0.97)
    assert [m.share for m in older.measures if m.code == "cross_source"] == [0.99]
    assert [m.share for m in newer.measures if m.code == "cross_source"] == [1.0]


def test_now_is_what_the_newest_publication_found_of_old_data_too() -> None:
    """Another department's correction changes agreement without a new delivery of ours."""
    known = (agreement("v1", 90), agreement("v2", 100))
    found = Figures(facts(batch(), agreements=known, versions=("v1", "v2")))
    assert found.headline(TENANCY).share == 1.0
    assert found.headline(TENANCY, "2026-01").share == 0.9


def test_a_department_is_its_worst_dataset_and_never_an_average() -> None:
    good = batch("B1")
    bad = batch("B2", dataset="housing.dwelling", key_failing=7)
    other = batch("B3", dataset="police.case", department="police", key_failing=50)
    headline = Figures(facts(good, bad, other)).department("housing")
    assert (headline.dataset, headline.share) == ("housing.dwelling", 0.93)


def test_a_sample_speaks_for_a_year_and_not_backwards() -> None:
    old = batch("B1")
    later = batch("B2", period="2027-02", month="2027-02")
    found = Figures(facts(old, later, samples=(sample(1_000, 0),)))
    assert found.sample(TENANCY, "2026-12") is not None
    assert found.sample(TENANCY) is None
    assert found.sample(TENANCY, "2025-12") is None


def test_a_sample_that_is_not_back_says_nothing() -> None:
    found = Figures(facts(batch(), samples=(sample(10, 0, returned_at=None),)))
    assert found.sample(TENANCY) is None
    assert len(found.samples(TENANCY)) == 1


def test_worst_rules_put_errors_first_and_count_whole_deliveries() -> None:
    hint = check("codes", 60, severity="warning")
    error = check("type", 2)
    kept = check("missingValues", 50, by_row=False, passed=True)
    rules = Figures(facts(batch(checks=(hint, error, kept)))).worst_rules(10)
    assert [(r.rule, r.percent) for r in rules] == [("type.x", 2.0), ("codes.x", 60.0)]
    assert len(Figures(facts(batch(checks=(hint, error)))).worst_rules(1)) == 1


def test_what_was_never_delivered_is_not_found() -> None:
    found = Figures(facts(batch()))
    for ask in (found.headline, found.department, found.batch):
        with pytest.raises(NotFound):
            ask("nothing")
    with pytest.raises(NotFound):
        found.headline(TENANCY, "1999-01")
    with pytest.raises(NotFound):
        found.dimensions(batch="nothing")


def test_values_are_ready_for_json() -> None:
    found = Figures(facts(batch(checks=(check("type", 1),))))
    for value in (
        found.headline(TENANCY), *found.dimensions(batch="B1"), *found.history(), *found.batch("B1"),
        *found.worst_rules(),
    ):  # fmt: skip
        assert json.loads(json.dumps(asdict(value))) is not None


@given(st.floats(0, 1))
def test_a_shown_percentage_is_never_better_than_the_share(share: float) -> None:
    shown = cut_percent(share)
    assert shown is not None
    assert shown <= 100 * share + 1e-6
    assert (shown >= 99.0) == (share >= 0.99 - 1e-9)


def test_a_sample_of_a_chosen_seed_proves_nothing_and_enters_no_measure() -> None:
    """Who may try seeds may try until one draws only persons known to be right."""
    honest, lucky = sample(1_521, 0), sample(1_521, 0, id="S2", seed="abcdef")
    assert [e.proven for e in estimates(honest)] == [True, True]
    assert [e.proven for e in estimates(lucky)] == [False, False]
    found = Figures(facts(batch(), samples=(honest, lucky)))
    assert found.sample(TENANCY) == honest
    assert Figures(facts(batch(), samples=(lucky,))).sample(TENANCY) is None
