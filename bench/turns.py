"""Taking turns: every side runs once per round, so that a slow minute hits them all alike."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from statistics import median

from bench.settings import Say


def seconds(work: Callable[[], object]) -> float:
    """Return the wall time of one call, s."""
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def interleaved(
    sides: Mapping[str, Callable[[], float]], runs: int, say: Say
) -> dict[str, list[float]]:
    """Return each side's figures, one per round.

    Every other round goes backwards, so that no side always runs in another's warm cache.

    Args:
        sides: name -> a call that measures once and returns its figure.
        runs: rounds, 1 or more.
    """
    figures: dict[str, list[float]] = {name: [] for name in sides}
    for number in range(runs):
        names = list(sides)[:: 1 if number % 2 == 0 else -1]
        for name in names:
            figure = sides[name]()
            figures[name].append(figure)
            say(f"round {number + 1} of {runs}: {name} {figure:,.4g}")
    return figures


def medians(figures: Mapping[str, Sequence[float]]) -> dict[str, float]:
    """Return the median of each side."""
    return {name: median(values) for name, values in figures.items()}
