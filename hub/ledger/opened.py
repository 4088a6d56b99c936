"""An entry laid open: all that its 32 bytes in the tree were made of, for whom it concerns.

    {"number": …, "previous": …, "record": …, "salt": …, "tag": …}

canonical JSON (RFC 8785); bytes in base64, the number as it is. It stands in the `extra` line of a
proof, and with its `position` in the file that opens the newest index entry to everybody.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from hub.canonical import canonical_json
from hub.errors import NotFound
from hub.ledger.entry import content_of, entry_of, link_of
from hub.ledger.lines import encode64
from hub.ledger.store import StoredEntry
from hub.ledger.tlog_proof import TlogProof


@dataclass(frozen=True, slots=True)
class OpenedEntry:
    """Tag, link to the entry before, salt and record of one entry.

    Args:
        previous: the 32 bytes of the entry before it in its chain.
        number: its number in its chain.
    """

    position: int
    tag: bytes
    previous: bytes
    number: int
    salt: bytes
    record: bytes

    @classmethod
    def of(cls, stored: StoredEntry, previous: bytes) -> OpenedEntry:
        """Return a stored entry laid open.

        Raises:
            NotFound: when its record was erased.
        """
        if stored.salt is None or stored.record is None:
            raise NotFound(
                f"entry {stored.position} was erased by entry {stored.erased_by}, which has a proof"
            )
        return cls(stored.position, stored.tag, previous, stored.number, stored.salt, stored.record)

    @property
    def entry(self) -> bytes:
        """The 32 bytes that the tree holds."""
        content = content_of(self.salt, self.record)
        return entry_of(self.tag, link_of(self.previous, self.number, content))

    @property
    def body(self) -> dict[str, Any]:
        """The JSON object, without the position."""
        return {
            "number": self.number,
            "previous": encode64(self.previous),
            "record": encode64(self.record),
            "salt": encode64(self.salt),
            "tag": encode64(self.tag),
        }

    def proof(self, hashes: Sequence[bytes], checkpoint: str) -> TlogProof:
        """Return the file that proves this entry to whoever is given it.

        Args:
            hashes: the inclusion proof in the checkpoint's tree.
        """
        return TlogProof(self.position, tuple(hashes), checkpoint, canonical_json(self.body))
