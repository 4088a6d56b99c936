"""What a request counts as, read off the ledger entries it makes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from hub.catalog import Classification

Body = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Charge:
    """What one request counts as.

    Args:
        time: RFC 3339, UTC, as in its entries.
        guess: whether it asked for a person.
        persons: label -> how sensitive the most sensitive thing is that would be shown in clear.
    """

    actor: str
    purpose: str
    time: str
    guess: bool
    nobody: bool
    persons: Mapping[bytes, Classification]
    body: Body

    @property
    def day(self) -> str:
        """The slot of its day."""
        return self.time[:10]

    @property
    def hour(self) -> str:
        """The slot of its hour."""
        return self.time[:13]

    @property
    def minute(self) -> str:
        """The slot of its minute."""
        return self.time[:16]

    @property
    def at(self) -> datetime:
        """The instant of its entries."""
        return datetime.fromisoformat(self.time)

    def left(self, seconds: int) -> int:
        """Return the seconds until the next slot of a length begins, 1 or more."""
        return seconds - int(self.at.timestamp()) % seconds
