"""Households: who lives together, how old, in which relation; the frame people are drawn into.

Six places per household: head, spouse, two children, the head's father and mother.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from assets.demo.columns import Flags, Ints
from assets.demo.district import Block

HEAD, SPOUSE, CHILD, SECOND_CHILD, FATHER, MOTHER = range(6)
SINGLE, COUPLE, FAMILY, LONE_PARENT, THREE_GENERATIONS = range(5)
_HEAD_AGES = np.arange(21, 95)
_AGE_KNOTS = (
    (21, 0.35),
    (27, 0.8),
    (33, 1.25),
    (45, 1.15),
    (55, 1.2),
    (68, 0.85),
    (80, 0.35),
    (94, 0.02),
)
# Below which age of the head: shares of the five kinds, in the order above.
_KINDS = (
    (30, (0.52, 0.20, 0.22, 0.06, 0.00)),
    (50, (0.15, 0.09, 0.57, 0.08, 0.11)),
    (64, (0.14, 0.44, 0.30, 0.06, 0.06)),
    (200, (0.34, 0.66, 0.00, 0.00, 0.00)),
)


@dataclass(frozen=True, slots=True)
class Households:
    """Households of a block, one row each; ages in years, -1 where a place is empty.

    Args:
        ages: one row per household, six places.
        head_male: whether the head is a man.
        child_male: one row per household, two children.
        grid: index of the grid it lives in.
    """

    ages: Ints
    head_male: Flags
    child_male: Flags
    grid: Ints

    def __len__(self) -> int:
        return len(self.ages)


def showcase_first(frame: Households) -> Households:
    """Return the households with the first one made the one the demonstration looks up."""
    frame.ages[0] = (41, 39, 13, 9, -1, -1)
    frame.head_male[0] = True
    return frame


def draw(random: np.random.Generator, block: Block, *, showcase: bool) -> Households:
    """Return households whose members number exactly `block.persons`, in grid order.

    What does not fit at the end is filled with people living alone.
    """
    wanted = block.persons
    frame = _free(random, wanted // 2 + 16)
    if showcase:
        frame = showcase_first(frame)
    sizes = (frame.ages >= 0).sum(axis=1)
    kept = int(np.searchsorted(np.cumsum(sizes), wanted, side="right"))
    alone = wanted - int(sizes[:kept].sum())
    ages = np.vstack([frame.ages[:kept], _alone(random, alone)])
    starts = np.r_[0, np.cumsum((ages >= 0).sum(axis=1))[:-1]]
    grid = np.asarray(block.grids)[np.searchsorted(np.cumsum(block.quotas), starts, side="right")]
    rows = len(ages)
    return Households(ages, frame.head_male[:rows], frame.child_male[:rows], grid)


def _alone(random: np.random.Generator, count: int) -> Ints:
    ages = np.full((count, 6), -1)
    ages[:, HEAD] = random.integers(25, 80, count)
    return ages


def _free(random: np.random.Generator, count: int) -> Households:
    """Draw households one by one, not yet bound to grids or to a total."""
    age = _head_ages(random, count)
    kind = _kinds(random, age)
    male = random.random(count) < 0.64
    ages = np.full((count, 6), -1)
    ages[:, HEAD] = age
    partnered = np.isin(kind, (COUPLE, FAMILY, THREE_GENERATIONS))
    spouse = np.clip(age + np.where(male, -2, 2) + random.integers(-4, 5, count), 22, 95)
    ages[partnered, HEAD] = np.maximum(ages[partnered, HEAD], 23)
    ages[partnered, SPOUSE] = spouse[partnered]
    _add_children(random, ages, kind, male)
    _add_parents(random, ages, kind)
    return Households(ages, male, random.random((count, 2)) < 0.53, np.zeros(count, np.int64))


def _head_ages(random: np.random.Generator, count: int) -> Ints:
    known, weight = zip(*_AGE_KNOTS, strict=True)
    weights = np.interp(_HEAD_AGES, known, weight)
    ages: Ints = random.choice(_HEAD_AGES, count, p=weights / weights.sum()).astype(np.int64)
    return ages


def _kinds(random: np.random.Generator, age: Ints) -> Ints:
    row = np.searchsorted([limit for limit, _ in _KINDS], age, side="right")
    shares = np.cumsum([share for _, share in _KINDS], axis=1)[row]
    kinds: Ints = np.minimum((random.random(len(age))[:, None] > shares).sum(axis=1), 4)
    return kinds


def _add_children(random: np.random.Generator, ages: Ints, kind: Ints, male: Flags) -> None:
    count = len(ages)
    mother = np.where(male & (ages[:, SPOUSE] >= 0), ages[:, SPOUSE], ages[:, HEAD])
    first = mother - random.integers(22, 35, count)
    first = np.where(first > 28, random.integers(16, 29, count), first)  # older ones moved out
    second = first - random.integers(1, 7, count)
    has = np.isin(kind, (FAMILY, LONE_PARENT, THREE_GENERATIONS)) & (mother <= 70) & (first >= 0)
    ages[has, CHILD] = first[has]
    more = has & (second >= 0) & (random.random(count) < 0.42) & (kind != LONE_PARENT)
    ages[more, SECOND_CHILD] = second[more]


def _add_parents(random: np.random.Generator, ages: Ints, kind: Ints) -> None:
    count = len(ages)
    old = ages[:, HEAD] + random.integers(21, 33, count)
    can = (kind == THREE_GENERATIONS) & (ages[:, HEAD] <= 62)
    with_mother = can & (random.random(count) < 0.8)
    with_father = can & (~with_mother | (random.random(count) < 0.5))
    ages[with_father, FATHER] = np.minimum(old + 2, 98)[with_father]
    ages[with_mother, MOTHER] = np.minimum(old, 98)[with_mother]
