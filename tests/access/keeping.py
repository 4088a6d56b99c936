"""A keeper for tests under whom nothing ever changes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from access.decision import Decider
from access.granting import Granting
from access.keeper import InForce


class Counting:
    """A counter by which a second passes at every reading, so that a keeper always looks."""

    def __init__(self) -> None:
        self.count = 0.0

    def __call__(self) -> float:
        """Return the seconds so far."""
        self.count += 1
        return self.count


@dataclass(frozen=True, slots=True)
class Unchanging:
    """A keeper under whom nothing ever changes."""

    force: InForce

    def current(self, now: datetime) -> InForce:
        """Return what it was made with."""
        return self.force

    def spend(self, numbers: Sequence[int], now: datetime) -> bool:
        """No grant is given under it."""
        return False


def keeper_of(decider: Decider, *suspended: str) -> Unchanging:
    """Return a keeper of one decider.

    Args:
        suspended: keyed names of the actors who may do nothing.
    """
    return Unchanging(InForce(Granting(decider, ()), "0" * 64, frozenset(suspended), None))
