"""What is wrong with one entry: which of its fields contradicts what was signed.

An entry's values say the same thing several times: the leaf in the stored tree, tag and link, and
the record with its place in its chain from which both can be computed. Where they disagree, the
one that leads to the signed root is right, and the others are named.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import suppress
from itertools import product

from hub.ledger.checks.chains import Heads, is_hash, is_place
from hub.ledger.checks.columns import body_of, column_problems
from hub.ledger.checks.erasures import Erasures
from hub.ledger.checks.findings import Findings
from hub.ledger.entry import (
    BULK,
    SALT_BYTES,
    SEALED,
    SYSTEM,
    Chain,
    ChainKeys,
    ChainKind,
    content_of,
    entry_of,
    link_of,
    tag_of,
)
from hub.ledger.merkle import leaf_hash
from hub.ledger.store import StoredEntry
from hub.ledger.writer import ERASED_EVENT

#: Says whether a leaf hash at an index leads to the signed root along the stored tree.
Leads = Callable[[int, bytes], bool]

_CHANGED = "changed after it was signed"


class Suspect:
    """Names what is wrong with single entries of one ledger."""

    def __init__(
        self,
        keys: ChainKeys,
        heads: Heads,
        erasures: Erasures,
        findings: Findings,
        leads: Leads,
    ) -> None:
        self._keys = keys
        self._heads = heads
        self._erasures = erasures
        self._findings = findings
        self._leads = leads

    def leaf(self, index: int, entry: StoredEntry | None, stored: bytes | None) -> bytes | None:
        """Name what is wrong with an entry; return the leaf hash that was signed, None if unknown.

        Args:
            stored: what the stored tree has as its leaf hash, None when it has none.
        """
        if entry is None:
            self._findings.add(index, "entry", "missing")
            return stored
        entry = self._without_returned(entry)
        pairs = {leaf_hash(entry_of(*pair)): pair for pair in reversed(list(self._pairs(entry)))}
        right = self._right(index, [*pairs, *([] if stored is None else [stored])])
        if right is None:
            return self._unsigned(index, entry, stored if stored in pairs else None)
        if stored is not None and stored != right:
            self._findings.add(index, "leaf hash", "changed in the stored tree")
        if right in pairs:
            self._fields(index, entry, *pairs[right])
        else:
            self._unlike(index, entry)
            self._heads.forget(entry.chain)
        return right

    def reread(self, entry: StoredEntry) -> None:
        """Check an entry that was read before and has been erased since."""
        entry = self._without_returned(entry)
        if not is_hash(entry.content):
            self._findings.add(entry.position, "content", "missing, though it was erased")
        elif entry.link not in self._links(entry):
            self._findings.add(entry.position, "content", _CHANGED)

    def _without_returned(self, entry: StoredEntry) -> StoredEntry:
        """Return an erased entry as it was left, after naming what was put back into it."""
        if entry.record is None and entry.salt is None:
            return entry
        if not (is_hash(entry.content) and self._erasures.is_recorded(entry)):
            return entry
        for field, value in (("record", entry.record), ("salt", entry.salt)):
            if value is not None:
                self._findings.add(entry.position, field, "stands here, though it was erased")
        return entry._replace(record=None, salt=None)

    def _pairs(self, entry: StoredEntry) -> Iterator[tuple[bytes, bytes]]:
        """Yield tag and link as they are stored, then as they follow from the other fields."""
        tags = [entry.tag] if is_hash(entry.tag) else []
        if is_place(entry.chain, entry.number):
            tags.append(tag_of(self._keys.of_name(entry.chain), entry.number))
        links = [entry.link] if is_hash(entry.link) else []
        yield from product(tags, [*links, *self._links(entry)])

    def _links(self, entry: StoredEntry) -> list[bytes]:
        """Return the links that an entry's record and place may make."""
        content = _content(entry)
        if content is None or not is_place(entry.chain, entry.number):
            return []
        before = self._heads.before(entry.chain, entry.number)
        return [link_of(previous, entry.number, content) for previous in before]

    def _right(self, index: int, candidates: list[bytes]) -> bytes | None:
        if len(set(candidates)) == 1:
            return candidates[0]  # nothing contradicts it; the tree decides above it
        return next((leaf for leaf in candidates if self._leads(index, leaf)), None)

    def _unsigned(self, index: int, entry: StoredEntry, held: bytes | None) -> bytes | None:
        """Name an entry of which nothing leads to the root; return what the tree may go on with.

        Where the tree holds what tag and link make, something beside it in the tree may be what
        was changed; that is for the tree to say.
        """
        if held is None:
            problem = "record, link and tree disagree; none leads to the root that was signed"
        else:
            problem = "does not follow from the one before it in its chain; one of both is false"
        self._findings.add(index, "entry", problem)
        self._heads.forget(entry.chain)
        return held

    def _unlike(self, index: int, entry: StoredEntry) -> None:
        """Name what is wrong with an entry of which the tree holds another."""
        if entry.link in self._links(entry):
            self._findings.add(index, "entry", "another one stands here than was signed")
            return
        self._findings.add(index, "tag or link", _CHANGED)
        self._findings.add(index, *_record_problem(entry))

    def _fields(self, index: int, entry: StoredEntry, tag: bytes, link: bytes) -> None:
        """Name each field that contradicts the signed tag and link."""
        for field, value, signed in (("tag", entry.tag, tag), ("link", entry.link, link)):
            if value != signed:
                self._findings.add(index, field, _CHANGED)
        place = self._place(index, entry, tag)
        if place is None:
            self._heads.forget(entry.chain)
            return
        placed = entry._replace(chain=place[0], number=place[1])
        links = self._links(placed)
        is_known = self._is_known(placed)
        self._heads.set(*place, entry_of(tag, link))
        if link in links:
            if is_known and (self._heads.place(place[0], place[1] - 1) or 0) > index:
                self._findings.add(index, "number", "its chain has it after one that comes later")
            self._columns(entry, place[0])
        elif entry.record is None and entry.salt is None and entry.content is None:
            self._without_content(entry)
        elif _content(entry) is None or is_known:
            self._findings.add(index, *_record_problem(entry))
        else:
            problem = "missing or changed, so that record and salt cannot be held against the link"
            self._findings.add(index, "entry before it in its chain", problem)

    def _is_known(self, entry: StoredEntry) -> bool:
        """Say whether what stands before an entry in its chain is known to be what was signed."""
        if entry.number == 0:
            return True
        at = self._heads.place(entry.chain, entry.number - 1)
        before = self._heads.before(entry.chain, entry.number)
        return at is not None and any(self._leads(at, leaf_hash(one)) for one in before)

    def _place(self, index: int, entry: StoredEntry, tag: bytes) -> tuple[bytes, int] | None:
        """Return chain and number that the signed tag is of, after naming the one that is not."""
        is_one = is_place(entry.chain, entry.number)
        if is_one and tag == tag_of(self._keys.of_name(entry.chain), entry.number):
            return entry.chain, entry.number
        for field, chain, number in self._places(entry):
            if is_place(chain, number) and tag == tag_of(self._keys.of_name(chain), number):
                self._findings.add(index, field, "not the one whose tag was signed")
                return chain, number
        self._findings.add(index, "chain or number", "not those whose tag was signed")
        return None

    def _places(self, entry: StoredEntry) -> Iterator[tuple[str, bytes, int]]:
        """Yield which field may be wrong, and chain and number as they would be right."""
        if isinstance(entry.chain, bytes):
            yield "number", entry.chain, self._heads.expected(entry.chain)
        chains = [SYSTEM, SEALED, BULK]
        subject = (body_of(entry.record) or {}).get("subject")
        if isinstance(subject, str):
            with suppress(ValueError):  # the record is damaged as well, and is named
                chains.append(Chain(ChainKind.SUBJECT, bytes.fromhex(subject)))
        for chain in chains:
            yield "chain", chain.name, entry.number

    def _without_content(self, entry: StoredEntry) -> None:
        if self._erasures.is_recorded(entry):
            self._findings.add(entry.position, "content", "missing, though record and salt are")
        self._erasures.erased(entry)

    def _columns(self, entry: StoredEntry, chain: bytes) -> None:
        if entry.record is None:
            self._erasures.erased(entry)
            return
        for problem in column_problems(entry, chain):
            self._findings.add(entry.position, *problem)
        if (body_of(entry.record) or {}).get("event") == ERASED_EVENT:
            self._erasures.recorded(entry)


def _content(entry: StoredEntry) -> bytes | None:
    """Return what record and salt commit to, or what stands in for them; None if neither does."""
    record, salt, content = entry.record, entry.salt, entry.content
    if record is None and salt is None:
        return content if is_hash(content) else None
    if isinstance(record, bytes) and isinstance(salt, bytes) and len(salt) == SALT_BYTES:
        return content_of(salt, record)
    return None


def _record_problem(entry: StoredEntry) -> tuple[str, str]:
    """Return field and problem of an entry whose record and salt do not make its link."""
    if entry.record is None and entry.salt is None:
        return "content", _CHANGED
    for field, value in (("record", entry.record), ("salt", entry.salt)):
        if value is None:
            return field, "missing, though it was not erased"
        if not isinstance(value, bytes):
            return field, "not of the kind the ledger writes"
    if entry.salt is not None and len(entry.salt) != SALT_BYTES:
        return "salt", f"not of {SALT_BYTES} bytes"
    return "record or salt", _CHANGED
