"""Files of persons: where they lie until they are fetched, and who is in each.

Source: 个人信息保护法 23 (providing personal information to others), 45, 55-56.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Protocol

from access.usage_record import UsageRecord, usage_of
from hub.errors import LedgerError
from hub.events import EventTag
from hub.ledger.bulk import BulkFolder
from hub.ledger.entry import BULK, Chain
from hub.ledger.log import LoggedEntry
from hub.store.exports import ExportFolder

_PAGE = 200


@dataclass(frozen=True, slots=True)
class Bulks:
    """The tokens of who is in each bulk disclosure, and the files themselves."""

    tokens: BulkFolder
    files: ExportFolder


class BulkLog(Protocol):
    """A ledger with its chain of bulk disclosures."""

    def chain(
        self, chain: Chain, *, before: int | None = None, limit: int = 1000
    ) -> list[LoggedEntry]:
        """Return a chain's entries, newest first."""
        ...

    def entry(self, index: int) -> LoggedEntry:
        """Return one entry, or raise NotFound."""
        ...


def holding(
    log: BulkLog, tokens: BulkFolder, label: bytes
) -> Iterator[tuple[LoggedEntry, UsageRecord]]:
    """Yield the bulk disclosures that a person is in, newest first, as what was said of each.

    Raises:
        LedgerError: when tokens, or what was said, cannot be read.
    """
    before: int | None = None
    while page := log.chain(BULK, before=before, limit=_PAGE):
        for committed in page:
            if tokens.holds(_id_of(committed), label):
                said = log.entry(committed.index - 1)
                use = usage_of(said)
                if use is None or use.bulk is None:
                    raise LedgerError(f"entry {said.index} does not say what the next commits to")
                yield said, use
        before = page[-1].index


def says_of(said: LoggedEntry, holds: Callable[[bytes], bool]) -> bool:
    """Say whether an entry says what a bulk disclosure was, of a person who is in it.

    Args:
        holds: whether a disclosure of an id holds the person.
    """
    if said.event != EventTag.OFFICER_BULK_DISCLOSED:
        return False
    use = usage_of(said)
    return use is not None and use.bulk is not None and holds(use.bulk.id)


def _id_of(committed: LoggedEntry) -> bytes:
    body = committed.body
    if body is None:
        raise LedgerError(f"entry {committed.index} commits to persons and must not be erased")
    return bytes.fromhex(body["bulk"])
