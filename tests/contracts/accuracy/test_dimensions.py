"""The six dimensions: which rule feeds which indicator, and what A and B are."""

from __future__ import annotations

import pytest

from contracts.accuracy.dimensions import (
    BY_DIMENSION,
    BY_KIND,
    DIMENSIONS,
    INDICATORS,
    LOWER_IS_BETTER,
    Indicator,
    counts_of,
    dimensions_of,
    indicator_of,
)
from contracts.checks import ROW_METRICS, plan
from contracts.loader import load_contracts
from hub.store.batches import BatchStatus
from tests.contracts.accuracy.quality_facts import batch, check


def indicator(code: str, *batches: object) -> Indicator:
    found = dimensions_of(batches)  # type: ignore[arg-type]
    return next(i for d in found for i in d.indicators if i.code == code)


def test_every_indicator_belongs_to_a_dimension() -> None:
    assert {code[:2] for code in INDICATORS} == set(DIMENSIONS)
    assert set(BY_KIND.values()) | set(BY_DIMENSION.values()) <= set(INDICATORS)
    assert len(INDICATORS) == 20


def test_every_kind_of_rule_in_the_contracts_is_listed_by_name() -> None:
    kinds = {spec.kind for contract in load_contracts() for spec in plan(contract)}
    assert kinds - set(BY_KIND) == set()
    assert set(ROW_METRICS) <= set(BY_KIND)


def test_a_kind_nobody_listed_goes_by_its_dimension() -> None:
    assert indicator_of(check("made_up", dimension="timeliness")) == "0501"
    assert indicator_of(check("made_up", dimension="unheard_of")) == "0104"


def test_a_check_from_before_kinds_were_kept_is_found_by_its_id() -> None:
    old = check("", rule="required.name", dimension="completeness")
    assert indicator_of(old) == "0201"
    assert indicator_of(check("", rule="my_own", dimension="accuracy")) == "0301"


def test_x_is_conforming_over_evaluated_over_all_rules_and_deliveries() -> None:
    one = batch("B1", checks=(check("type", 10, 100), check("range", 0, 50)))
    two = batch("B2", checks=(check("type", 0, 150),))
    found = indicator("0302", one, two)
    assert (found.conforming, found.evaluated) == (290, 300)
    assert found.share == pytest.approx(290 / 300)


def test_nothing_evaluated_is_not_applicable_and_never_whole() -> None:
    found = indicator("0402", batch(checks=(check("reference", 0, 0),)))
    assert found.share is None
    assert found.goodness is None
    assert found.note


def test_duplicates_and_dirt_count_bad_items() -> None:
    rows = batch(checks=(check("key_duplicate", 3), check("resident_id_float_damage", 2)))
    duplicate, dirty = indicator("0303", rows), indicator("0305", rows)
    assert {duplicate.code, dirty.code} == LOWER_IS_BETTER
    assert (duplicate.conforming, duplicate.share) == (3, 0.03)
    assert dirty.goodness == pytest.approx(0.98)


def test_a_dimension_is_its_worst_indicator() -> None:
    rows = batch(checks=(check("resident_id_check_digit", 1), check("key_duplicate", 5)))
    accuracy = next(d for d in dimensions_of([rows]) if d.code == "03")
    assert (accuracy.share, accuracy.worst) == (0.95, "0303")


def test_a_threshold_that_holds_conforms_whole() -> None:
    """60 % of the telephones may be missing: 30 % missing breaks nothing."""
    assert counts_of(check("missingValues", 30, by_row=False, passed=True)) == (100, 100)
    assert counts_of(check("missingValues", 70, by_row=False, passed=False)) == (30, 100)
    assert counts_of(check("rowCount", 0, by_row=False, passed=False)) == (0, 100)


def test_what_was_stopped_is_not_usable_and_what_was_refused_not_accessible() -> None:
    good = batch("B1")
    stopped = batch("B2", status=BatchStatus.STOPPED, accepted=90)
    refused = batch("B3", status=BatchStatus.REFUSED, rows=0, accepted=0, key_failing=None)
    accessible, usable = (indicator(c, good, stopped, refused) for c in ("0601", "0602"))
    assert (accessible.conforming, accessible.evaluated) == (2, 3)
    assert (usable.conforming, usable.evaluated) == (100, 200)
