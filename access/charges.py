"""What a request counts as, read off the usage records it makes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from access.usage_record import RecordedActor
from hub.catalog import Classification


@dataclass(frozen=True, slots=True)
class Charge:
    """What one request counts as.

    Args:
        at: the instant of its records.
        guess: whether it asked for a person.
        persons: label -> how sensitive the most sensitive thing is that would be shown in clear.
        in_bulk: how many persons beside these are in a file, and how sensitive that is.
    """

    actor: RecordedActor
    purpose: str
    request: str
    at: datetime
    guess: bool
    nobody: bool
    persons: Mapping[bytes, Classification]
    in_bulk: tuple[int, Classification] = (0, Classification.L1)

    @property
    def account(self) -> str:
        """The pseudonym it is counted under."""
        return self.actor.id

    @property
    def day(self) -> str:
        """The slot of its day."""
        return self.at.isoformat()[:10]

    @property
    def hour(self) -> str:
        """The slot of its hour."""
        return self.at.isoformat()[:13]

    @property
    def minute(self) -> str:
        """The slot of its minute."""
        return self.at.isoformat()[:16]

    def left(self, seconds: int) -> int:
        """Return the seconds until the next slot of a length begins, 1 or more."""
        return seconds - int(self.at.timestamp()) % seconds
