"""What an exported record needs beside itself: where it stands, and what its codes are called."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from access.titles import Titles
from access.usage_record import UsageRecord

#: What the hub is called as a system.
SYSTEM = "明镜 Mingjing"


@dataclass(frozen=True, slots=True)
class Source:
    """The ledger that records are exported of.

    Args:
        origin: its public name, which is a host and a path; identifiers of the hub's own are named
            under it.
    """

    origin: str
    titles: Titles

    def names(self, what: str) -> str:
        """Return the URI of the hub's own names of a kind."""
        return f"https://{self.origin}/{what}"


def by_dataset(use: UsageRecord) -> Iterator[tuple[str, dict[str, str]]]:
    """Yield (dataset, column -> clear, masked or generalised) of what a use is about, in order.

    A dataset of which no column was shown is there too, with none.
    """
    found: dict[str, dict[str, str]] = {name: {} for name in use.datasets}
    for key, how in use.fields.items():
        dataset, _, column = key.rpartition(".")
        found.setdefault(dataset, {})[column] = how
    yield from found.items()
