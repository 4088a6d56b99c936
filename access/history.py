"""The ledger's uses as questions that can be put again: to another policy, or to count what is used.

A usage record names the actor and the case by pseudonym and the person by a label; nothing here goes
beyond that. A record that cannot be put again is counted, and said why.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from access.usage_record import UsageRecord, is_use, usage_of
from hub.ledger.log import LoggedEntry

_AT_ONCE = 1_000


class Lost(StrEnum):
    """Why a use cannot be put again, alphabetical."""

    ERASED = "erased"
    UNKNOWN = "unknown"  # the purpose or a dataset was none of the registers


class LedgerReader(Protocol):
    """A ledger, read in order."""

    @property
    def size(self) -> int:
        """Number of entries."""
        ...

    def entries(self, start: int, stop: int) -> list[LoggedEntry]:
        """Return the entries at positions [start, stop)."""
        ...


def first_since(ledger: LedgerReader, since: datetime) -> int:
    """Return the position of the first entry of that time or later; entries are in order of time."""
    low, high = 0, ledger.size
    while low < high:
        middle = (low + high) // 2
        (entry,) = ledger.entries(middle, middle + 1)
        if datetime.fromisoformat(entry.time) < since:
            low = middle + 1
        else:
            high = middle
    return low


def logged(ledger: LedgerReader, start: int, stop: int) -> Iterator[LoggedEntry]:
    """Yield the entries at positions [start, stop), in order, a page at a time."""
    for first in range(start, stop, _AT_ONCE):
        yield from ledger.entries(first, min(first + _AT_ONCE, stop))


def uses(ledger: LedgerReader, start: int, stop: int) -> Iterator[tuple[int, UsageRecord | Lost]]:
    """Yield (position, use) of every question at positions [start, stop), in order.

    Entries about anything else are passed over, and so are those of persons who stood beside the one
    asked about: that one has the question.

    Raises:
        LedgerError: when an entry about a use does not say what a use says.
    """
    for entry in logged(ledger, start, stop):
        if not is_use(entry):
            continue
        use = usage_of(entry)
        if use is None:
            yield entry.index, Lost.ERASED
        elif not use.incidental:
            unknown = use.purpose == "unknown" or "unknown" in (use.asked or ())
            yield entry.index, Lost.UNKNOWN if unknown else use
