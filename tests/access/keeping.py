"""A keeper for tests under whom nothing ever changes."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from access.decision import Decider
from access.keeper import InForce


@dataclass(frozen=True, slots=True)
class Unchanging:
    """A keeper under whom nothing ever changes."""

    force: InForce

    def current(self, now: datetime) -> InForce:
        """Return what it was made with."""
        return self.force


def keeper_of(decider: Decider, *suspended: str) -> Unchanging:
    """Return a keeper of one decider.

    Args:
        suspended: keyed names of the actors who may do nothing.
    """
    return Unchanging(InForce(decider, "0" * 64, frozenset(suspended), None))
