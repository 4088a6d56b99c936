"""What verifications remember, in a file beside the ledger: what was found intact, and when.

It saves work and is never believed on its own: the file carries a keyed hash, so that only who has
the keyring writes it; and what it says of a tree counts only where the signed tree begins with it.
A file that does not fit is as good as none: everything is read.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from hmac import compare_digest
from pathlib import Path
from typing import Any

from hub.canonical import canonical_json
from hub.clock import stamp_of
from hub.errors import LedgerError
from hub.files import write_over
from hub.ledger.audit import Mark
from hub.ledger.checks.findings import Finding
from hub.ledger.merkle import CompactRange

REMEMBERED = 400  # verifications; more than a year of daily ones
STALE = timedelta(hours=24)  # an unfinished reading older than this begins anew

KeyedHash = Callable[[bytes], bytes]


@dataclass(frozen=True, slots=True)
class Verified:
    """A tree that was found intact.

    Attributes:
        time: when the reading began; what was recorded later may not be in it.
        edge: the whole tree, as its perfect subtrees.
    """

    time: datetime
    edge: CompactRange


@dataclass(frozen=True, slots=True)
class Unfinished:
    """A reading that has not come to its end.

    Attributes:
        begun: when.
        start: the entry it began with.
        mark: how far it came in the store.
        public: entries whose public files were read.
    """

    begun: datetime
    start: int
    mark: Mark
    public: int = 0


@dataclass(frozen=True, slots=True)
class Remembered:
    """All that is remembered: intact trees, oldest first, and what is unfinished."""

    verified: tuple[Verified, ...] = ()
    unfinished: Unfinished | None = None


class Memory:
    """The file of what is remembered of one ledger.

    Args:
        keyed_hash: returns the keyed hash of bytes, under a key of this ledger's alone.
    """

    def __init__(self, path: Path, keyed_hash: KeyedHash) -> None:
        self._path = path
        self._keyed_hash = keyed_hash

    def load(self) -> Remembered:
        """Return what is remembered; nothing when the file is missing or not as it was left."""
        try:
            document = json.loads(self._path.read_bytes())
            kept = bytes.fromhex(document.pop("hash"))
            if compare_digest(kept, self._keyed_hash(canonical_json(document))):
                return _remembered(document)
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            pass  # as good as none; everything is read then
        return Remembered()

    def save(self, remembered: Remembered) -> None:
        """Replace the file, whole or not at all.

        Raises:
            LedgerError: when it cannot be written.
        """
        document = _document(remembered)
        document["hash"] = self._keyed_hash(canonical_json(document)).hex()
        try:
            self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            write_over(self._path, canonical_json(document))
        except OSError as exc:
            raise LedgerError(f"{self._path.name} cannot be written: {exc.strerror}") from exc


def _document(remembered: Remembered) -> dict[str, Any]:
    unfinished = remembered.unfinished
    return {
        "verified": [
            {"time": stamp_of(one.time), **_edge_document(one.edge)}
            for one in remembered.verified[-REMEMBERED:]
        ],
        "unfinished": None
        if unfinished is None
        else {
            "begun": stamp_of(unfinished.begun),
            "start": unfinished.start,
            "public": unfinished.public,
            **_edge_document(unfinished.mark.edge),
            "erased": unfinished.mark.erased,
            "total": unfinished.mark.total,
            "findings": [[f.index, f.field, f.problem] for f in unfinished.mark.findings],
        },
    }


def _remembered(document: dict[str, Any]) -> Remembered:
    one = document["unfinished"]
    return Remembered(
        tuple(
            Verified(datetime.fromisoformat(two["time"]), _edge(two))
            for two in document["verified"]
        ),
        None
        if one is None
        else Unfinished(
            datetime.fromisoformat(one["begun"]),
            one["start"],
            Mark(
                _edge(one),
                one["erased"],
                tuple(Finding(*three) for three in one["findings"]),
                one["total"],
            ),
            one["public"],
        ),
    )


def _edge_document(edge: CompactRange) -> dict[str, Any]:
    return {"size": edge.size, "hashes": [one.hex() for one in edge.hashes]}


def _edge(document: dict[str, Any]) -> CompactRange:
    return CompactRange(document["size"], tuple(map(bytes.fromhex, document["hashes"])))
