"""One year of police matters in set proportions, dealt out over the district's blocks.

For 120,000 residents: 580 criminal cases (42 % theft, 128 telecom fraud that cost 5.6 million
yuan), 320 disputes (45 % neighbour, 25 % labour, 15 % enterprise), 9,600 incidents around them.
Other sizes get the same proportions.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from assets.demo.columns import (
    Ints,
)
from assets.demo.district import Block, District

CASES, THEFT_SHARE, FRAUDS, FRAUD_LOSS_YUAN = 580, 0.42, 128, 5_600_000
DISPUTES, DISPUTE_SHARES = 320, (("neighbour", 0.45), ("labour", 0.25), ("enterprise", 0.15))
INCIDENTS = 9_600
_OTHER_CASES = ("injury", "fraud", "dangerous_driving", "gambling", "robbery", "other")
_OTHER_DISPUTES = ("family", "consumer", "other")
_CASE_INCIDENT = {"theft": "010100", "telecom_fraud": "010200", "injury": "010300"}
_DISPUTE_INCIDENT = {"neighbour": "060100", "labour": "060200", "consumer": "060300"}
_DAILY = (
    "050000",
    "030100",
    "020200",
    "080000",
    "050200",
    "020100",
    "070000",
    "990000",
    "050100",
    "090000",
    "020300",
    "040000",
)
_DAILY_SHARES = (0.24, 0.2, 0.14, 0.1, 0.09, 0.06, 0.05, 0.04, 0.03, 0.03, 0.01, 0.01)


@dataclass(frozen=True, slots=True)
class Matters:
    """All matters of one kind in the district, one row each, in the order they are dealt out.

    Args:
        category: code of each.
        day, second: when it was reported.
        loss: yuan lost, -1 where nothing was.
    """

    category: npt.NDArray[np.str_]
    day: Ints
    second: Ints
    loss: Ints

    def __len__(self) -> int:
        return len(self.day)

    def of(self, block: Block, district: District) -> tuple[Matters, int]:
        """Return the block's share, in order of time, and the number of those before it."""
        total, people = len(self), district.residents
        first = total * block.first // people
        end = total * (block.first + block.persons) // people
        share = slice(first, end)
        order = np.lexsort((self.second[share], self.day[share]))
        mine = Matters(
            self.category[share][order],
            self.day[share][order],
            self.second[share][order],
            self.loss[share][order],
        )
        return mine, first


Share: TypeAlias = tuple[Matters, int]


@dataclass(frozen=True, slots=True)
class Year:
    """All police matters of the year that ends with the first month."""

    cases: Matters
    disputes: Matters
    incidents: Matters


def year(district: District) -> Year:
    """Return the year's matters: an incident for each case and dispute, and others around."""
    crimes, quarrels = cases(district), disputes(district)
    return Year(crimes, quarrels, _incidents(district, crimes, quarrels))


def cases(district: District) -> Matters:
    """Return the year's criminal cases; losses by telecom fraud add up exactly."""
    random = district.random("cases")
    total, frauds = district.scaled(CASES), district.scaled(FRAUDS)
    thefts = round(total * THEFT_SHARE)
    others = [_OTHER_CASES[i % 6] for i in range(total - thefts - frauds)]
    category = np.array(["telecom_fraud"] * frauds + ["theft"] * thefts + others)
    loss = np.full(total, -1)
    loss[:frauds] = shares_of(random, frauds, district.scaled(FRAUD_LOSS_YUAN))
    loss[frauds : frauds + thefts] = random.integers(3, 120, thefts) * 100
    return _year(district, random, category, loss)


def shares_of(random: np.random.Generator, count: int, total: int) -> Ints:
    """Split a whole number of yuan into uneven whole parts that add up to it."""
    if not count:
        return np.zeros(0, np.int64)
    weight = random.lognormal(0.0, 1.0, count)
    parts: Ints = np.maximum((weight / weight.sum() * total).astype(np.int64), 1)
    parts[np.argmax(parts)] += total - parts.sum()
    return parts


def disputes(district: District) -> Matters:
    """Return the year's disputes."""
    random = district.random("disputes")
    total = district.scaled(DISPUTES)
    named = [name for name, share in DISPUTE_SHARES for _ in range(round(total * share))]
    others = [_OTHER_DISPUTES[(i % 4) // 2 if i % 4 < 3 else 2] for i in range(total - len(named))]
    category = np.array(named + others)
    return _year(district, random, category, np.full(total, -1))


def _incidents(district: District, crimes: Matters, quarrels: Matters) -> Matters:
    random = district.random("incidents")
    total = max(district.scaled(INCIDENTS), len(crimes) + len(quarrels))
    rest = total - len(crimes) - len(quarrels)
    daily = random.choice(_DAILY, rest, p=_DAILY_SHARES)
    first = [_CASE_INCIDENT.get(c, "010900") for c in crimes.category.tolist()]
    second = [_DISPUTE_INCIDENT.get(c, "060000") for c in quarrels.category.tolist()]
    category = np.concatenate([np.array(first + second, dtype="U6"), daily])
    return _year(district, random, category, np.full(total, -1))


def incidents_of_month(district: District, later: int) -> Matters:
    """Return the incidents of one later month: a twelfth of a year's, without the cases' own."""
    random = district.random("incidents", later)
    total = max(1, district.scaled(INCIDENTS) // 12)
    first, last = district.first_day(later), district.last_day(later)
    category = random.choice(_DAILY, total, p=_DAILY_SHARES)
    day = random.integers(first, last + 1, total)
    return Matters(category, day, random.integers(0, 86_400, total), np.full(total, -1))


def _year(district: District, random: np.random.Generator, category: Any, loss: Ints) -> Matters:
    order = random.permutation(len(category))
    day = district.last_day() - random.integers(0, 365, len(order))
    return Matters(category[order], day, random.integers(0, 86_400, len(order)), loss[order])
