"""The invented district: its size, seed, month, places, and the blocks it is generated in.

A block is some grids, or a part of a large one, small enough to be held whole; blocks are
generated one after the other, each from random streams of its own, so that ten million people
need no more memory than a hundred thousand.
"""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from zlib import crc32

import numpy as np

from assets.demo.columns import Ints, day_of
from contracts.codes import DIVISIONS, Code, load_code_sets
from hub.errors import RequestError

MAX_RESIDENTS = 10_000_000
_BLOCK = 24_000  # persons aimed at in one block
ROADS = tuple(
    a + b
    for b in ("路", "巷")
    for a in (
        *("学士", "清泉", "明德", "和平", "新民", "文昌", "柳荫", "望月", "渔歌", "松岭", "长春"),
        *("北辰", "东升", "西园", "南屏", "桂花", "梅林", "竹影", "兰溪", "槐树", "石桥", "古井"),
        *("钟楼", "书院", "采薇", "听雨", "锦绣", "康宁", "乐业", "育才", "向阳", "星河", "云栖"),
        *("枫桥", "荷塘", "银杏", "海棠", "青禾", "白鹭", "丹霞", "碧波", "紫薇", "金穗"),
    )
)


@dataclass(frozen=True, slots=True)
class Grid:
    """One grid: 14-digit code, names of its community and street, its own road."""

    code: str
    street_name: str
    community_name: str
    road: str


@dataclass(frozen=True, slots=True)
class Block:
    """What is generated in one go.

    Args:
        index: position among the blocks, part of every identifier made in it.
        first: number of persons in the blocks before.
        grids: indexes of its grids.
        quotas: persons per grid, in the same order.
        part: which part of a grid too large for one block, from 0.
    """

    index: int
    first: int
    grids: tuple[int, ...]
    quotas: tuple[int, ...]
    part: int

    @property
    def persons(self) -> int:
        """Persons generated in this block."""
        return sum(self.quotas)


@dataclass(frozen=True, slots=True)
class District:
    """An invented district, wholly determined by these four values.

    Args:
        residents: persons in the first month, 100 to 10 million.
        seed: any non-negative number.
        month: YYYY-MM of the first delivery; the second is the month after.
        errors: whether planted errors and cleanable oddities are written.

    Raises:
        RequestError: when one of them is out of range.
    """

    residents: int = 120_000
    seed: int = 990_106
    month: str = "2026-06"
    errors: bool = True

    def __post_init__(self) -> None:
        if not 100 <= self.residents <= MAX_RESIDENTS:
            raise RequestError(
                f"a district has 100 to {MAX_RESIDENTS:,} residents, not {self.residents:,}"
            )
        if self.seed < 0:
            raise RequestError(f"a seed is not negative, unlike {self.seed}")
        try:
            year = date.fromisoformat(f"{self.month}-01").year
        except ValueError:
            year = 0
        if not 2000 <= year <= 2090:
            raise RequestError(f"month must be YYYY-MM from 2000 to 2090, not {self.month!r}")

    def random(self, noun: str, *numbers: int) -> np.random.Generator:
        """Return the random stream of one noun, the same for the same seed and numbers."""
        return np.random.default_rng([self.seed, crc32(noun.encode()), *numbers])

    def last_day(self, months_later: int = 0) -> int:
        """Return the day number of the last day of the first month or a later one."""
        year, month = _month_after(self.month, months_later)
        return day_of(date(year, month, monthrange(year, month)[1]))

    def first_day(self, months_later: int = 0) -> int:
        """Return the day number of the first day of that month."""
        return day_of(date(*_month_after(self.month, months_later), 1))

    def period(self, months_later: int = 0) -> str:
        """Return YYYY-MM of the first month or a later one."""
        year, month = _month_after(self.month, months_later)
        return f"{year:04d}-{month:02d}"

    def scaled(self, per_120_000: int) -> int:
        """Return a count given for 120,000 residents, in proportion."""
        return round(per_120_000 * self.residents / 120_000)

    def blocks(self) -> Iterator[Block]:
        """Give the blocks in order; their persons add up to `residents`."""
        index = first = 0
        for grids, quotas, part in self._groups():
            yield Block(index, first, grids, quotas, part)
            index, first = index + 1, first + sum(quotas)

    def _groups(self) -> Iterator[tuple[tuple[int, ...], tuple[int, ...], int]]:
        grids: list[int] = []
        held: list[int] = []
        for grid, persons in enumerate(self._grid_sizes().tolist()):
            if persons > _BLOCK:
                parts = -(-persons // _BLOCK)
                for part in range(parts):
                    size = persons * (part + 1) // parts - persons * part // parts
                    yield (grid,), (size,), part
                continue
            if sum(held) + persons > _BLOCK:
                yield tuple(grids), tuple(held), 0
                grids, held = [], []
            grids.append(grid)
            held.append(persons)
        if grids:
            yield tuple(grids), tuple(held), 0

    def _grid_sizes(self) -> Ints:
        count = len(places())
        weight = self.random("grids").uniform(0.8, 1.2, count)
        edges = np.r_[0, np.round(np.cumsum(weight) / weight.sum() * self.residents)]
        sizes: Ints = np.diff(edges).astype(np.int64)
        return sizes


def _month_after(month: str, months_later: int) -> tuple[int, int]:
    number = int(month[:4]) * 12 + int(month[5:]) - 1 + months_later
    return number // 12, number % 12 + 1


@lru_cache(maxsize=1)
def _divisions() -> tuple[Code, ...]:
    return load_code_sets()[DIVISIONS].codes


@lru_cache(maxsize=1)
def places() -> tuple[Grid, ...]:
    """Return the grids in code order, as the division table has them today."""
    current = [item for item in _divisions() if item.valid_to is None]
    names = {item.code: item.label for item in current}
    codes = sorted(item.code for item in current if item.level == "grid")
    return tuple(
        Grid(code, names[code[:9]], names[code[:12]], ROADS[i]) for i, code in enumerate(codes)
    )


def abolished_communities() -> tuple[str, ...]:
    """Return the codes of communities that no longer exist."""
    return tuple(i.code for i in _divisions() if i.valid_to and i.level == "community")
