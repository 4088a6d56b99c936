"""Sizes, allocations and bounds of samples, against published values and against their laws."""

from __future__ import annotations

import doctest
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.accuracy import sampling
from contracts.accuracy.sampling import StratumCount, allocate, estimate, sample_size, wilson_lower

COUNTS = st.dictionaries(st.text(max_size=3), st.integers(0, 5_000), max_size=30)


def test_the_examples_hold() -> None:
    assert doctest.testmod(sampling).failed == 0


def test_the_size_is_the_guides() -> None:
    """z = 1.96, p = 0.99, e = 0.005: 1,521 of many; fewer of few; never more than there are."""
    assert sample_size(1_000_000_000) == 1_521
    assert sample_size(3_000) == 1_010
    assert [sample_size(n) for n in (0, 1, 10)] == [0, 1, 10]


@pytest.mark.parametrize(
    ("right", "size", "lower"),
    [(81, 263, 0.2553), (15, 148, 0.0624), (0, 20, 0.0), (1, 29, 0.0061)],
)
def test_wilson_gives_the_published_bounds(right: int, size: int, lower: float) -> None:
    """R. G. Newcombe, Statistics in Medicine 17 (1998), table I, method 3 (score interval)."""
    found = wilson_lower(right, size)
    assert found is not None
    assert round(found, 4) == lower


@given(st.integers(1, 3_000), st.data())
def test_the_bound_solves_the_score_equation(size: int, data: st.DataObject) -> None:
    """|p - L| = z √(L (1 - L) / n): what Wilson's interval is defined by."""
    right = data.draw(st.integers(1, size))
    low = wilson_lower(right, size)
    assert low is not None
    assert low <= right / size
    assert math.isclose(
        right / size - low, sampling.Z * math.sqrt(low * (1 - low) / size), abs_tol=1e-9
    )


def test_of_nothing_there_is_no_bound() -> None:
    assert wilson_lower(0, 0) is None


@given(COUNTS, st.integers(0, 4_000))
def test_an_allocation_adds_up_and_overdraws_nobody(strata: dict[str, int], size: int) -> None:
    given_ = allocate(strata, size)
    assert sum(given_.values()) == min(size, sum(strata.values()))
    assert all(0 <= count <= strata[name] for name, count in given_.items())
    if size >= len([n for n in strata.values() if n]):
        assert all(given_[name] >= 1 for name, count in strata.items() if count)


@given(COUNTS, st.integers(0, 4_000))
def test_the_order_of_strata_changes_nothing(strata: dict[str, int], size: int) -> None:
    assert allocate(strata, size) == allocate(dict(reversed(strata.items())), size)


def test_one_stratum_is_the_plain_share_with_wilsons_bound() -> None:
    found = estimate([StratumCount(100_000, 1_515, 6, 0)], unreachable_as_wrong=True)
    assert found.share == pytest.approx(1_515 / 1_521)
    assert found.lower == pytest.approx(wilson_lower(1_515, 1_521))
    assert found.proven


def test_a_large_stratum_weighs_more_than_its_few_answers() -> None:
    """Ninety of a hundred live where half is wrong: the estimate says so, the raw share does not."""
    strata = [StratumCount(900, 5, 5, 0), StratumCount(100, 90, 0, 0)]
    found = estimate(strata, unreachable_as_wrong=True)
    assert found.share == pytest.approx(0.55)
    assert found.lower is not None
    assert found.lower < 0.55
    assert found.right / found.size == 0.95


def test_the_unreachable_are_counted_as_wrong_or_left_out_and_never_dropped() -> None:
    strata = [StratumCount(10_000, 1_480, 0, 41)]
    strict = estimate(strata, unreachable_as_wrong=True)
    reached = estimate(strata, unreachable_as_wrong=False)
    assert (strict.size, reached.size) == (1_521, 1_480)
    assert not strict.proven
    assert reached.proven


def test_a_stratum_nobody_was_reached_in_proves_nothing() -> None:
    strata = [StratumCount(9_000, 1_400, 0, 0), StratumCount(1_000, 0, 0, 121)]
    reached = estimate(strata, unreachable_as_wrong=False)
    assert reached.share == 1.0
    assert reached.unseen == pytest.approx(0.1)
    assert not reached.proven
    nothing = estimate([StratumCount(10, 0, 0, 3)], unreachable_as_wrong=False)
    assert (nothing.share, nothing.lower, nothing.proven) == (None, None, False)
