"""A person's statement: every entry about them up to a published checkpoint, and that no other is.

The statement is one canonical JSON object (RFC 8785), `mingjing-statement-1`; docs/ledger.md names
its fields. It proves completeness by what is not there: the person's chain key gives the tag of the
entry after their last, and in no run of the index does any entry carry it. The same is shown of
the chain of bulk disclosures, and for each of these whether the person was in it. Whoever was gets
its particulars laid open too: the entry right before it in the log.

Everything is proven against the published tree, whose last entry opens the index over all before.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from hub.canonical import canonical_json
from hub.errors import LedgerError, NotFound
from hub.events import EventTag
from hub.ledger.bulk import BulkFolder, Commitment
from hub.ledger.entry import BULK, Chain, Opening, tag_of
from hub.ledger.index.folder import IndexFolder
from hub.ledger.index.tree import Absence, Place
from hub.ledger.lines import encode64
from hub.ledger.store import StoredPublication
from hub.ledger.tlog_proof import TlogProof

FORMAT = "mingjing-statement-1"


class StatementSource(Protocol):
    """What a ledger gives to make a statement of."""

    @property
    def origin(self) -> str:
        """The log's public name."""
        ...

    def checkpoint(self) -> StoredPublication:
        """Return what is public: a tree whose last entry says the index root over all before.

        Raises:
            NotFound: when nothing is public yet.
        """
        ...

    def opening(self, index: int) -> Opening:
        """Return what the tree's 32 bytes of an entry are made of.

        Raises:
            NotFound: when the log has no such entry.
        """
        ...

    def chain_openings(self, chain: Chain, size: int) -> Sequence[Opening]:
        """Return all entries of a chain at positions below `size`, oldest first."""
        ...

    def chain_key(self, chain: Chain) -> bytes:
        """Return the 32-byte key of a chain."""
        ...

    def inclusion(self, index: int, size: int) -> Sequence[bytes]:
        """Return the inclusion proof of an entry in the tree of a size, leaf's sibling first."""
        ...


@dataclass(frozen=True, slots=True)
class Statements:
    """Makes statements and proofs of what is public of a log.

    Args:
        index: of the log.
        bulk: the token files of its bulk disclosures.
    """

    log: StatementSource
    index: IndexFolder
    bulk: BulkFolder

    def proof(self, position: int) -> TlogProof:
        """Return the proof of one entry, for whom it is about.

        Raises:
            NotFound: when the entry is not public yet, does not exist, or was erased.
        """
        public = self.log.checkpoint()
        opening = self.log.opening(position)
        if position >= public.size:
            raise NotFound(
                "这次使用几秒后才公开，请稍后再取证明 / this use is made public within seconds: "
                "ask for its proof again"
            )
        if opening.record is None:
            raise NotFound(
                "这条记录已被删除，由谁删除见完整清单 / it was erased; the statement says by whom"
            )
        body = {name: value for name, value in opening.body().items() if name != "position"}
        hashes = tuple(self.log.inclusion(position, public.size))
        return TlogProof(position, hashes, public.note, canonical_json(body))

    def statement(self, person: Chain) -> bytes:
        """Return a person's statement, canonical JSON; for that person and no one else.

        Args:
            person: the chain of the person's label.
        Raises:
            NotFound: when nothing is public yet.
            LedgerError: when the index or a bulk disclosure cannot be read or has no particulars,
                or an entry was erased by one that is not public yet (the next publication mends
                that).
        """
        public = self.log.checkpoint()
        try:
            return self._statement(person, public)
        except LedgerError:
            newer = self.log.checkpoint()
            if newer == public:
                raise
            return self._statement(person, newer)  # a turn of the publisher removed what was read

    def _statement(self, person: Chain, public: StoredPublication) -> bytes:
        size = public.size - 1
        bulk = self.log.chain_openings(BULK, size)
        body = {
            "format": FORMAT,
            "origin": self.log.origin,
            "checkpoint": public.note,
            "index": {
                "opening": self.log.opening(size).body(),
                "inclusion": _hashes(self.log.inclusion(size, public.size)),
            },
            "runs": [
                {"level": run.level, "number": run.number, "root": encode64(root)}
                for run, root in self.index.roots(size)
            ],
            "chain_key": encode64(self.log.chain_key(person)),
            **self._account(person, self.log.chain_openings(person, size), size),
            "bulk": {
                "key": encode64(self.bulk.key(person.label)),
                **self._account(BULK, bulk, size),
                "persons": [self._person(entry, person.label, size) for entry in bulk],
            },
        }
        return canonical_json(body)

    def _account(self, chain: Chain, entries: Sequence[Opening], size: int) -> dict[str, Any]:
        """Return a chain's entries, the newest one's place in the index, and that none follows."""
        last = entries[-1] if entries else None
        newest = None if last is None else self.index.presence(last.tag, last.position, size)
        none_after = tag_of(self.log.chain_key(chain), len(entries))
        erased = _erased_by(entries)
        return {
            "entries": [self._entry(entry, size, erased) for entry in entries],
            "newest": newest and _place(newest),
            "none_after": [_absence(one) for one in self.index.absence(none_after, size)],
        }

    def _entry(self, entry: Opening, size: int, erased: set[int]) -> dict[str, Any]:
        if entry.record is None and entry.position not in erased:
            raise LedgerError(
                f"entry {entry.position} was erased by one that is not public yet: "
                "ask again in a few seconds"
            )
        body = entry.body()
        kept = ("content",) if entry.record is None else ("salt", "record")
        hashes = _hashes(self.log.inclusion(entry.position, size + 1))
        return {
            "position": entry.position,
            "inclusion": hashes,
            **{name: body[name] for name in kept},
        }

    def _person(self, entry: Opening, label: bytes, size: int) -> dict[str, Any]:
        """Return the proof that a person is in a bulk disclosure, or that they are not."""
        committed = _commitment(entry)
        if self.bulk.commitment(committed.bulk_id) != committed:
            raise LedgerError(
                f"entry {entry.position} does not commit to the persons kept for it; "
                "restore their file from a backup"
            )
        found = self.bulk.find(committed.bulk_id, label)
        if isinstance(found, Place):
            particulars = self._particulars(entry, committed, size)
            return {"presence": _place(found), "particulars": particulars}
        return {"absence": _absence(found)}

    def _particulars(self, entry: Opening, committed: Commitment, size: int) -> dict[str, Any]:
        """Lay open the entry right before a bulk disclosure, which says what it was."""
        if entry.position == 0:
            raise LedgerError("entry 0 is of a bulk disclosure that nothing is said of")
        before = self.log.opening(entry.position - 1)
        if before.record is None or not _is_of(json.loads(before.record), committed.bulk_id):
            raise LedgerError(
                f"entry {before.position} does not say what the bulk disclosure after it was"
            )
        body = {name: value for name, value in before.body().items() if name != "position"}
        return {**body, "inclusion": _hashes(self.log.inclusion(before.position, size + 1))}


def _erased_by(entries: Sequence[Opening]) -> set[int]:
    """Return the positions whose erasure these entries record."""
    bodies = (json.loads(entry.record) for entry in entries if entry.record is not None)
    return {body["entry"] for body in bodies if body["event"] == EventTag.HUB_ENTRY_ERASED.value}


def _commitment(entry: Opening) -> Commitment:
    if entry.record is None:
        raise LedgerError(f"entry {entry.position} is of a bulk disclosure and must not be erased")
    body = json.loads(entry.record)
    return Commitment(bytes.fromhex(body["bulk"]), body["count"], bytes.fromhex(body["root"]))


def _is_of(body: dict[str, Any], bulk_id: bytes) -> bool:
    """Say whether a record is that of the particulars of a bulk disclosure."""
    said = body.get("bulk")
    return (
        body["event"] == EventTag.OFFICER_BULK_DISCLOSED.value
        and isinstance(said, dict)
        and said.get("id") == bulk_id.hex()
    )


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
