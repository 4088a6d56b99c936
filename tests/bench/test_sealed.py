"""The permutation test that tells whether times differ."""

from __future__ import annotations

import random

from bench.sealed import LEAST_P, p_value


def test_a_shift_is_found_and_none_is_not() -> None:
    chance = random.Random(1)
    noise = [chance.gauss(0, 1) for _ in range(40)]
    assert p_value([x - sum(noise) / 40 for x in noise], 2000, chance) > 0.5
    assert p_value([x + 3 for x in noise], 20_000, chance) < LEAST_P


def test_it_is_as_often_small_as_it_says() -> None:
    """Under no effect p is uniform: below 0.1 in about a tenth of all tries."""
    chance = random.Random(2)
    tries = [
        p_value([chance.gauss(0, 1) for _ in range(12)], 200, chance) < 0.1 for _ in range(400)
    ]
    assert 20 <= sum(tries) <= 62


def test_no_difference_at_all_is_as_likely_as_can_be() -> None:
    assert p_value([0.0] * 10, 100, random.Random(3)) == 1.0
