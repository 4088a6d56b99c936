"""A person's statement: every entry about them up to a published checkpoint, and that no other is.

The statement is one canonical JSON object (RFC 8785), `mingjing-statement-1`; docs/ledger.md names
its fields. It proves completeness by what is not there: the person's chain key gives the tag of the
entry after their last, and in no run of the index does any entry carry it. The same is shown of
the chain of bulk disclosures, and for each of these whether the person was in it.

Everything is proven against the published tree, whose last entry opens the index over all before.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from hub.canonical import canonical_json
from hub.errors import LedgerError
from hub.ledger.bulk import BulkFolder, Commitment
from hub.ledger.entry import BULK, Chain, tag_of
from hub.ledger.index.folder import IndexFolder
from hub.ledger.index.tree import Absence, Place
from hub.ledger.lines import encode64
from hub.ledger.opened import OpenedEntry
from hub.ledger.store import StoredEntry

FORMAT = "mingjing-statement-1"


@dataclass(frozen=True, slots=True)
class Published:
    """The published checkpoint: the cosigned note, and the last entry of its tree, laid open."""

    note: str
    index: OpenedEntry

    @property
    def size(self) -> int:
        """Number of entries in the published tree; the index is over all but the last."""
        return self.index.position + 1


class StatementSource(Protocol):
    """What a ledger gives to make a statement of."""

    @property
    def origin(self) -> str:
        """The log's public name."""
        ...

    @property
    def index(self) -> IndexFolder:
        """The index of the published tree."""
        ...

    @property
    def bulk(self) -> BulkFolder:
        """The token files of the bulk disclosures."""
        ...

    def published(self) -> Published:
        """Return the newest published checkpoint.

        Raises:
            LedgerError: when nothing was published yet.
        """
        ...

    def chain_key(self, chain: Chain) -> bytes:
        """Return the 32-byte key of a chain."""
        ...

    def chain_entries(self, chain: Chain, size: int) -> Sequence[StoredEntry]:
        """Return all entries of a chain at positions below `size`, oldest first."""
        ...

    def inclusion(self, index: int, size: int) -> Sequence[bytes]:
        """Return the inclusion proof of an entry in the tree of a size, leaf's sibling first."""
        ...


def statement(source: StatementSource, person: Chain) -> bytes:
    """Return a person's statement, canonical JSON; for that person and no one else.

    Args:
        person: the chain of the person's label.
    Raises:
        LedgerError: when nothing was published yet, the index cannot be read, or an entry was
            erased by one that is not published yet (the next publication mends that).
    """
    published = source.published()
    size = published.index.position
    entries = source.chain_entries(person, size)
    bulk = source.chain_entries(BULK, size)
    body = {
        "format": FORMAT,
        "origin": source.origin,
        "checkpoint": published.note,
        "index": {
            "opening": published.index.body | {"position": size},
            "inclusion": _hashes(source.inclusion(size, published.size)),
        },
        "runs": [
            {"level": run.level, "number": run.number, "root": encode64(root)}
            for run, root in source.index.roots(size)
        ],
        "chain_key": encode64(source.chain_key(person)),
        **_account(source, person, entries, published),
        "bulk": {
            "key": encode64(source.bulk.key(person.label)),
            **_account(source, BULK, bulk, published),
            "persons": [_person(source.bulk, entry, person.label) for entry in bulk],
        },
    }
    return canonical_json(body)


def _account(
    source: StatementSource, chain: Chain, entries: Sequence[StoredEntry], published: Published
) -> dict[str, Any]:
    """Return the entries of a chain, the newest one's place in the index, and that none follows."""
    size = published.index.position
    key = source.chain_key(chain)
    last = entries[-1] if entries else None
    newest = None if last is None else source.index.presence(last.tag, last.position, size)
    none_after = source.index.absence(tag_of(key, len(entries)), size)
    return {
        "entries": [_entry(source, entry, published) for entry in entries],
        "newest": newest and _place(newest),
        "none_after": [_absence(absence) for absence in none_after],
    }


def _entry(source: StatementSource, stored: StoredEntry, published: Published) -> dict[str, Any]:
    said = {
        "position": stored.position,
        "inclusion": _hashes(source.inclusion(stored.position, published.size)),
    }
    if stored.salt is not None and stored.record is not None:
        return said | {"salt": encode64(stored.salt), "record": encode64(stored.record)}
    if stored.content is None or stored.erased_by is None:
        raise LedgerError(f"entry {stored.position} has neither a record nor what is left of one")
    if stored.erased_by >= published.index.position:
        raise LedgerError(
            f"entry {stored.position} was erased by one that is not published yet: "
            "ask again after the next publication"
        )
    return said | {"content": encode64(stored.content)}


def _person(folder: BulkFolder, entry: StoredEntry, label: bytes) -> dict[str, Any]:
    """Return the proof that a person is in a bulk disclosure, or that they are not."""
    committed = _commitment(entry)
    if folder.commitment(committed.bulk_id) != committed:
        raise LedgerError(
            f"entry {entry.position} does not commit to the persons kept for it; restore their file"
        )
    found = folder.find(committed.bulk_id, label)
    if isinstance(found, Place):
        return {"presence": _place(found)}
    return {"absence": _absence(found)}


def _commitment(entry: StoredEntry) -> Commitment:
    if entry.record is None:
        raise LedgerError(f"entry {entry.position} is of a bulk disclosure and must not be erased")
    body = json.loads(entry.record)
    return Commitment(bytes.fromhex(body["bulk"]), body["count"], bytes.fromhex(body["root"]))


def _place(place: Place) -> dict[str, Any]:
    return {"index": place.index, "path": _hashes(place.path)}


def _absence(absence: Absence) -> dict[str, Any]:
    before, after = absence.before, absence.after
    return {
        "index": 0 if before is None else before.index + 1,
        "before": before and _neighbour(before),
        "after": after and _neighbour(after),
    }


def _neighbour(place: Place) -> dict[str, Any]:
    return {"row": encode64(place.row), "path": _hashes(place.path)}


def _hashes(hashes: Sequence[bytes]) -> list[str]:
    return [encode64(value) for value in hashes]
