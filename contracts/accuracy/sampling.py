"""Statistics of a sample that is checked in the field: size, allocation, estimate, lower bound; pure.

A stratified random sample, allocated in proportion, is checked record by record. A record is right
only if name, number, status and residence all agree with what is found on the spot.

Source: W. G. Cochran, Sampling Techniques (3rd ed.), 4.2-4.4 (size, finite population), 5.9
(proportional allocation), 5A (post-weighting); E. B. Wilson, J. Amer. Statist. Assoc. 22 (1927);
L. Kish, Survey Sampling, 8.2 (effective size). z = 1.96, p = 0.99, e = 0.005: this project's choice.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

Z = 1.96
EXPECTED = 0.99
MARGIN = 0.005
TARGET = 0.99


def sample_size(
    population: int, *, z: float = Z, expected: float = EXPECTED, margin: float = MARGIN
) -> int:
    """Return how many records are to be drawn: n0 = z² p (1 - p) / e², finite-population corrected.

    n = n0 / (1 + (n0 - 1) / N), to the nearest whole record.

    >>> sample_size(10**9), sample_size(120_000), sample_size(2_000), sample_size(0)
    (1521, 1502, 864, 0)
    """
    if population <= 0:
        return 0
    infinite = z * z * expected * (1 - expected) / (margin * margin)
    return min(population, round(infinite / (1 + (infinite - 1) / population)))


def allocate(strata: Mapping[str, int], size: int) -> dict[str, int]:
    """Return how many records each stratum gives, in proportion to what it holds.

    Largest remainders make up the sum; where the size allows it, every stratum with records gives
    at least one, so that none goes unlooked-at.

    >>> allocate({"east": 600, "south": 300, "west": 99, "hill": 1}, 100)
    {'east': 60, 'hill': 1, 'south': 30, 'west': 9}
    """
    held = {name: count for name, count in sorted(strata.items()) if count > 0}
    population = sum(held.values())
    size = min(size, population)
    if not size:
        return {}
    quota = {name: size * count / population for name, count in held.items()}
    least = 1 if size >= len(held) else 0
    given = {name: max(least, math.floor(share)) for name, share in quota.items()}
    while (short := size - sum(given.values())) != 0:
        step = 1 if short > 0 else -1
        movable = [n for n in held if least <= given[n] + step <= held[n]]
        chosen = max(movable, key=lambda n: (step * (quota[n] - given[n]), n))
        given[chosen] += step
    return given


def wilson_lower(right: float, size: float, z: float = Z) -> float | None:
    """Return the lower end of Wilson's score interval of a share, None when nothing was looked at.

        (p + z²/2n - z √(p(1-p)/n + z²/4n²)) / (1 + z²/n)

    Args:
        right: how many were right; not whole where it is weighted.
        size: out of how many.

    >>> round(wilson_lower(81, 263), 4)  # Newcombe 1998, table I, method 3
    0.2553
    """
    if size <= 0:
        return None
    share, z2 = right / size, z * z
    spread = z * math.sqrt(share * (1 - share) / size + z2 / (4 * size * size))
    return max(0.0, (share + z2 / (2 * size) - spread) / (1 + z2 / size))


@dataclass(frozen=True, slots=True)
class StratumCount:
    """What the field found in one stratum that holds so many records."""

    population: int
    right: int
    wrong: int
    unreachable: int


@dataclass(frozen=True, slots=True)
class Estimate:
    """The share of right records in the whole dataset, from a stratified sample.

    Args:
        size: records that count for it.
        share: weighted by what each stratum holds; None when no record counts.
        lower: Wilson's lower bound at 95 %.
        proven: whether the lower bound reaches the target.
        unseen: share of the dataset in strata of which no record counts; the estimate is silent
            about it.
    """

    size: int
    right: int
    share: float | None
    lower: float | None
    proven: bool
    unseen: float


def estimate(
    strata: Sequence[StratumCount], *, unreachable_as_wrong: bool, target: float = TARGET
) -> Estimate:
    """Return the estimate, with the unreachable counted as wrong or left out.

    p = Σ (N_h / N) p_h over the strata of which some record counts. The bound is Wilson's at the
    effective size n* = 1 / Σ (N_h / N)² / n_h, which is the sample's own size where every stratum
    gave its due and less where some gave little (Kish). The gain that stratifying brings is not
    claimed, so the bound is on the safe side. A bound over part of the dataset proves nothing
    about the rest: `proven` needs every stratum seen.
    """
    whole = sum(s.population for s in strata)
    seen = [
        (s.population, s.right, n)
        for s in strata
        if (n := s.right + s.wrong + (s.unreachable if unreachable_as_wrong else 0)) > 0
    ]
    size, right = sum(n for _, _, n in seen), sum(r for _, r, _ in seen)
    covered = sum(population for population, _, _ in seen)
    if not size or not covered:
        return Estimate(0, 0, None, None, proven=False, unseen=1.0 if whole else 0.0)
    weights = [population / covered for population, _, _ in seen]
    share = sum(w * r / n for w, (_, r, n) in zip(weights, seen, strict=True))
    effective = 1 / sum(w * w / n for w, (_, _, n) in zip(weights, seen, strict=True))
    share = min(share, 1.0)
    lower = wilson_lower(share * effective, effective)
    unseen = 1 - covered / whole
    proven = lower is not None and lower >= target and covered == whole
    return Estimate(size, right, share, lower, proven=proven, unseen=unseen)
