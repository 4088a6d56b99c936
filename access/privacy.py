"""Counts with noise: differential privacy by OpenDP. The only module that imports opendp.

Every cell that the public lists of labels make is counted, those of nobody too, so that no label
says that somebody is there; each count gets discrete Laplace noise. Adding or taking away **one
record** changes one cell by one, so an answer costs its epsilon for that record. A person with
several records in a dataset is protected several times less.

Noise may make a count negative: a sum of many stays right on average, which cutting off at zero
would spoil.

Source: Dwork and Roth, "The Algorithmic Foundations of Differential Privacy" (2014), 3.3; OpenDP.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import product

from access.answers import StatsQuery
from access.model import Decision
from access.statistics import AREAS, MOST_CELLS, Dimension, StatsPlan
from access.suppression import Cell
from hub.errors import RequestError, SourceError
from hub.store.budgets import Budgets

#: Counts and thousandths of epsilon -> the counts with noise.
Draw = Callable[[Sequence[int], int], list[int]]

NO_TERMS = "该用途没有加噪统计的预算 / this purpose has no budget for counts with noise"
NO_LIBRARY = "本系统没有安装加噪组件，不能提供加噪统计 / this installation lacks the library that draws noise"
ASK_ROUNDED = "请改用取整统计 / ask for rounded counts instead"
ASK_NEXT_PERIOD = "请在下一周期再问，或改用取整统计 / ask in the next period, or for rounded counts"


@dataclass(frozen=True, slots=True)
class Noise:
    """What counts with noise need.

    Args:
        codes: code set -> its codes: the labels that a dimension can have.
        draw: None where the library is not installed.
    """

    budgets: Budgets
    codes: Mapping[str, tuple[str, ...]]
    draw: Draw | None


def spent_up(period: str, budget: int) -> str:
    """Return the reason why a budget refuses."""
    return (
        f"您在 {period} 对该数据集的隐私预算 {budget / 1000:g} 不够再问一次 / your privacy budget of "
        f"{budget / 1000:g} for this dataset in {period} does not pay for another query"
    )


def universe(
    plan: StatsPlan, query: StatsQuery, decision: Decision, codes: Mapping[str, tuple[str, ...]]
) -> list[Cell]:
    """Return every cell a table can have, whatever the data; None stands for "not on the list".

    Raises:
        RequestError: when a dimension has no public list of labels, or there are too many cells.
    """
    labels = [tuple(_labels(dimension, query, decision, codes)) for dimension in plan.dimensions]
    cells: list[Cell] = list(product(*labels)) if _product(map(len, labels)) <= MOST_CELLS else []
    if not cells:
        raise RequestError(f"more than {MOST_CELLS:,} cells: count by fewer dimensions")
    return cells


def fill(cells: Sequence[Cell], counts: Mapping[Cell, int]) -> list[int]:
    """Return the count of every cell; labels on no list are counted under None."""
    known = [frozenset(labels) for labels in zip(*cells, strict=True)]
    filled: dict[Cell, int] = defaultdict(int)
    for cell, number in counts.items():
        placed = (label if label in some else None for label, some in zip(cell, known, strict=True))
        filled[tuple(placed)] += number
    return [filled[cell] for cell in cells]


def load_draw() -> Draw | None:
    """Return what draws noise, or None where OpenDP is not installed."""
    try:
        import opendp.prelude as dp  # the extra "privacy"; heavy, and absent in most installations
    except ModuleNotFoundError:
        return None
    dp.enable_features("contrib")
    space = dp.vector_domain(dp.atom_domain(T=int)), dp.l1_distance(T=int)

    def draw(counts: Sequence[int], epsilon: int) -> list[int]:
        measurement = dp.m.make_laplace(*space, scale=_scale(epsilon))
        if measurement.map(1) > epsilon / 1000:
            raise SourceError("the noise would cost more than was charged")
        return [int(count) for count in measurement(list(counts))]

    return draw


def _scale(epsilon: int) -> float:
    """Return the scale whose cost is never above the epsilon, whichever way it is rounded."""
    return 1000 / epsilon * (1 + 1e-9)


def _labels(
    dimension: Dimension,
    query: StatsQuery,
    decision: Decision,
    codes: Mapping[str, tuple[str, ...]],
) -> Iterator[str | None]:
    if dimension.name == "month":
        yield from _months(query)
        return
    known = codes.get(dimension.codes or "")
    if known is None:
        raise RequestError(f"{dimension.name} has no public list of labels to count with noise by")
    length = AREAS.get(dimension.name)
    yield from (code for code in known if length is None or _lies_in(code, length, query, decision))
    yield None


def _lies_in(code: str, length: int, query: StatsQuery, decision: Decision) -> bool:
    wanted = (query.area or "",)
    return len(code) == length and all(
        any(code.startswith(area) or area.startswith(code) for area in areas)
        for areas in (wanted, decision.row_filter or ("",))
    )


def _months(query: StatsQuery) -> Iterator[str]:
    if query.first_month is None or query.last_month is None:
        raise RequestError("months are counted with noise from a first to a last one: name both")
    first, last = (int(month[:4]) * 12 + int(month[5:]) - 1 for month in
                   (query.first_month, query.last_month))  # fmt: skip
    if last - first >= MOST_CELLS:
        raise RequestError("that are more months than a table may have")
    for month in range(first, last + 1):
        yield f"{month // 12:04d}-{month % 12 + 1:02d}"


def _product(numbers: Iterator[int]) -> int:
    whole = 1
    for number in numbers:
        whole *= number
    return whole
