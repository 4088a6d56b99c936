"""Rounding: multiples of the base, unbiased, the same for the same records."""

from __future__ import annotations

import random

from hypothesis import given
from hypothesis import strategies as st

from access.rounding import rounded

KEYS = st.integers(0, 2**64 - 1)


@given(st.integers(0, 10_000), KEYS, st.integers(1, 20))
def test_a_count_becomes_one_of_the_two_nearest_multiples(count: int, key: int, base: int) -> None:
    shown = rounded(count, key, base)
    assert shown % base == 0
    assert abs(shown - count) < base


@given(st.integers(0, 1_000), KEYS, st.integers(1, 20))
def test_a_multiple_stays_whatever_its_key(times: int, key: int, base: int) -> None:
    assert rounded(times * base, key, base) == times * base


def test_on_average_nothing_is_added_or_lost() -> None:
    rng = random.Random(20260307)
    for count in (1, 2, 3, 4, 7, 13, 149):
        shown = [rounded(count, rng.getrandbits(64), 5) for _ in range(20_000)]
        assert abs(sum(shown) / len(shown) - count) < 0.08  # four deviations of the mean


def test_overlapping_sets_round_independently() -> None:
    """The key of a whole is the exclusive-or of its parts' keys; its rounding tells none of them."""
    rng = random.Random(7)
    alike = 0
    for _ in range(20_000):
        one, other = rng.getrandbits(64), rng.getrandbits(64)
        ups = [rounded(5, key, 10) > 5 for key in (one, other, one ^ other)]
        alike += (ups[0] ^ ups[1]) == ups[2]
    assert abs(alike / 20_000 - 0.5) < 0.02
