"""The ledger: what was used, by whom, for what; appended durably, provable to anyone.

Writing goes through the committer's one thread. Reads go through one connection under a lock; what
they read never changes once written, so they need no transaction with the writer. Do not carry a
`Ledger` across `fork`.

Source: RFC 9162 §2.1, C2SP tlog-checkpoint.
"""

from __future__ import annotations

import hmac
import json
import secrets
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from threading import Lock
from typing import Any

from hub.clock import Clock, stamp_of
from hub.errors import LedgerError, NotFound, RequestError, TamperDetected
from hub.ledger.audit import Audit, Mark, audit
from hub.ledger.committer import Committer, Receipt, receipt
from hub.ledger.entry import NO_PREVIOUS, SEALED, Chain, ChainKind, Opening
from hub.ledger.lines import NUMBER_LIMIT
from hub.ledger.merkle import CompactRange, Node, consistency_path, cover, fold, inclusion_path
from hub.ledger.note import Checkpoint, Note, Signer, VerifierKey
from hub.ledger.store import Store, StoredEntry, StoredPublication, opening_of, previous_of
from hub.ledger.writer import (
    ERASED_EVENT,
    RELEASED_EVENT,
    Entry,
    Identity,
    LastEntry,
    PreparedEntry,
    Writer,
    load_tree,
    open_own,
    prepare,
    require_continued,
)
from hub.progress import Progress

_PAGE = 1000
_NO_CHAIN = b"\xffmemory"  # no kind of chain begins so: its key is used for nothing else


@dataclass(frozen=True, slots=True)
class LoggedEntry:
    """One entry as it stands; `record` is None once entry `erased_by` has erased it."""

    index: int
    event: str
    time: str
    chain: Chain
    record: bytes | None
    erased_by: int | None

    @property
    def label(self) -> bytes | None:
        """The subject in whose chain it stands, None in every other chain."""
        return self.chain.label if self.chain.kind is ChainKind.SUBJECT else None

    @property
    def body(self) -> Mapping[str, Any] | None:
        """The recorded JSON object, or None when erased."""
        return None if self.record is None else json.loads(self.record)


class Ledger:
    """One append-only log, shared by any number of threads and processes.

    Args:
        connect: opens a connection to where it is kept; whoever calls it closes it.
        identity: its origin, signer, chains and former keys.
        clock: dates erasures.
        random: source of salts.
        kept: returns the checkpoint that was last made public, from outside the store.
    Raises:
        LedgerError: when it is missing or of another kind.
    """

    def __init__(
        self,
        connect: Callable[[], Store],
        identity: Identity,
        clock: Clock,
        *,
        random: Callable[[int], bytes] = secrets.token_bytes,
        kept: Callable[[], Checkpoint | None] = lambda: None,
    ) -> None:
        if not identity.origin or "\n" in identity.origin:
            raise LedgerError("a ledger's origin is one line of text")
        self.connect = connect
        self._identity = identity
        self._clock = clock
        self._random = random
        self._kept = kept
        self._committer = Committer(self._writer)
        self._reading = Lock()  # guards _reader
        self._reader = connect()
        self._verified: tuple[str, Checkpoint] | None = None
        self._made_public: StoredPublication | None = None  # found to be signed
        with self._read() as reader:
            reader.note()

    def __enter__(self) -> Ledger:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def origin(self) -> str:
        """The log's public name."""
        return self._identity.origin

    @property
    def keys(self) -> tuple[VerifierKey, ...]:
        """The public keys its checkpoints are verified with, the current one first."""
        return self._identity.keys

    @property
    def further(self) -> tuple[Signer, ...]:
        """Signers beside its own, whose signatures public checkpoints carry too."""
        return self._identity.further

    @property
    def is_outdated(self) -> bool:
        """Whether its key was rotated since this process read the keys."""
        return self._identity.is_outdated()

    @property
    def key(self) -> VerifierKey:
        """The public key it signs with now; `str` of it is its `vkey`."""
        return self._identity.keys[0]

    def append(self, entries: Sequence[Entry]) -> Receipt:
        """Record entries together, all or none, and wait until they are durable.

        Raises:
            RequestError: when an entry is not fit to record; nothing was submitted.
            LedgerError: when they could not be recorded, or it is not known whether they were.
        """
        return self._committer.append(_prepared(entries))

    def submit(self, entries: Sequence[Entry | PreparedEntry]) -> Future[Receipt]:
        """Record entries together, all or none; the future has the receipt once they are durable.

        Entries get consecutive positions; what `prepare` made is taken as it is. The future fails
        with LedgerError when the commit does; the ledger itself stays usable. Cancelling works
        until the commit begins.

        Raises:
            RequestError: when there is no entry or one is not fit to record.
            LedgerError: after `close`.
        """
        return self._committer.submit(_prepared(entries))

    def append_last(self, build: LastEntry) -> Receipt:
        """Record one entry that is made, with the ledger locked, of all entries before it.

        Raises:
            RequestError: when the entry is not fit to record.
            LedgerError: when it could not be recorded.
        """
        self._committer.check_open()
        writer = self._writer()
        try:
            return receipt(writer.append_last(build))
        finally:
            writer.close()

    def erase(self, index: int, by: str, ground: str) -> Receipt:
        """Forget an entry's record and salt for good, and record that, by whom and why.

        The tree keeps the entry's commitment, so that every proof goes on to hold. The record of
        the erasure itself cannot be erased.

        Args:
            by: pseudonym or office of who erases; no direct identifier.
            ground: the lawful ground.
        Raises:
            NotFound: when there is no such entry.
            RequestError: when it was erased before, records an erasure, or is still sealed.
            LedgerError: when it could not be done.
        """
        self._committer.check_open()
        entry = self.entry(index)
        if entry.erased_by is not None or entry.event == ERASED_EVENT:
            raise RequestError(f"entry {index} is erased already or records an erasure")
        if entry.chain == SEALED and not self._is_released(entry):
            raise RequestError(f"entry {index} is sealed: its subject has not been shown it yet")
        note = {
            "event": ERASED_EVENT,
            "time": stamp_of(self._clock.now()),
            "entry": index,
            "of": {"event": entry.event, "time": entry.time},
            "by": by,
            "ground": ground,
        }
        erasure = _prepared((Entry(entry.label, note),))
        store = self.connect()
        try:
            appended = self._writer(store).append(erasure, erasing=index)
            store.scrub()
        finally:
            store.close()
        return receipt(appended)

    def _is_released(self, sealed: LoggedEntry) -> bool:
        """Say whether the subject of a sealed entry has been shown it."""
        label, before = bytes.fromhex((sealed.body or {})["subject"]), NUMBER_LIMIT - 1
        while page := self.entries_of(label, before=before):
            for entry in page:
                if entry.index < sealed.index:
                    return False
                body = entry.body if entry.event == RELEASED_EVENT else None
                if body is not None and body["entry"] == sealed.index:
                    return True
            before = page[-1].index
        return False

    def head(self) -> str:
        """Return the signed note over everything durable, under the current key.

        It covers what is not public yet; what was made public is `published`.

        Raises:
            TamperDetected: when the stored one is not this ledger's own.
        """
        note = self._note()
        key = self.key
        if not any(
            (s.name, s.key_id) == (key.name, key.key_id) for s in Note.parse(note).signatures
        ):
            writer = self._writer()
            try:
                return writer.resign()
            finally:
                writer.close()
        return note

    def signed(self, size: int) -> str:
        """Return the signed checkpoint of the tree of a size.

        Raises:
            RequestError: unless 0 <= size <= the log's size.
            TamperDetected: when the stored tree is not what was signed.
        """
        note = self.head()
        if self._head(note).size == size:
            return note
        if not 0 <= size <= self._head(note).size:
            raise RequestError(f"this ledger has no tree of size {size}")
        with self._read() as reader:
            hashes = reader.hashes(cover(0, size))
        return self._identity.sign(CompactRange(size, tuple(hashes[n] for n in cover(0, size))))

    def require_intact(self) -> None:
        """Refuse a store that nothing would be appended to.

        Raises:
            TamperDetected: when its head is not this ledger's own, its tree another one than was
                signed, or it does not continue what was made public.
        """
        with self._read() as reader, reader.transaction(write=False):
            tree = load_tree(reader, reader.note(), self._identity)
            require_continued(reader, tree.size, self._kept())

    def published(self) -> StoredPublication | None:
        """Return what was last made public; None before the first time.

        Raises:
            TamperDetected: when what is remembered is not what this ledger has signed.
        """
        with self._read() as reader:
            found = reader.published()
        if found is not None and found != self._made_public:
            if open_own(found.note, self._identity).size != found.size:
                raise TamperDetected("what is remembered to be public is of another size")
            self._made_public = found
        return found

    def checkpoint(self) -> StoredPublication:
        """Return what is public.

        Raises:
            NotFound: before the first time.
        """
        published = self.published()
        if published is None:
            raise NotFound("nothing of the ledger is public yet: `hub ledger publish` does it")
        return published

    def lag(self, now: datetime) -> timedelta:
        """Return how long the oldest entry that is not public yet has waited; zero for none."""
        published = self.published()
        first = 0 if published is None else published.size
        with self._read() as reader:
            waiting = reader.entry(first)
        if waiting is None:
            return timedelta()
        return max(now - datetime.fromisoformat(waiting.time), timedelta())

    def publish(self, publication: StoredPublication) -> None:
        """Remember what is made public, before it is."""
        store = self.connect()
        try:
            with store.transaction():
                store.write_published(publication)
        finally:
            store.close()

    @property
    def size(self) -> int:
        """Number of durable entries."""
        return self._head(self._note()).size

    def entry(self, index: int) -> LoggedEntry:
        """Return one entry.

        Raises:
            NotFound: when the log has no such entry.
        """
        with self._read() as reader:
            return _logged(_stored(reader, index))

    def entries(self, start: int, stop: int) -> list[LoggedEntry]:
        """Return the entries at positions [start, stop), in log order, whoever they are about."""
        with self._read() as reader:
            return [_logged(stored) for stored in reader.entries(start, stop)]

    def entries_of(
        self, label: bytes, *, before: int | None = None, limit: int = 1000
    ) -> list[LoggedEntry]:
        """Return a subject's entries, newest first; for the subject's own eyes and no one else's.

        Args:
            before: only entries below this position, to turn the page.
        """
        return self.chain(Chain(ChainKind.SUBJECT, label), before=before, limit=limit)

    def chain(
        self, chain: Chain, *, before: int | None = None, limit: int = 1000
    ) -> list[LoggedEntry]:
        """Return a chain's entries, newest first.

        Args:
            before: only entries below this position, to turn the page.
        """
        bound = NUMBER_LIMIT - 1 if before is None else before
        with self._read() as reader:
            return [_logged(stored) for stored in reader.chain(chain.name, bound, limit)]

    def opening(self, index: int) -> Opening:
        """Return what the tree's 32 bytes of an entry are made of.

        Raises:
            NotFound: when the log has no such entry.
        """
        with self._read() as reader:
            stored = _stored(reader, index)
            return opening_of(stored, previous_of(reader, stored))

    def chain_openings(self, chain: Chain, size: int) -> list[Opening]:
        """Return all entries of a chain at positions below `size`, oldest first."""
        stored: list[StoredEntry] = []
        before = size
        with self._read() as reader:
            while page := reader.chain(chain.name, before, _PAGE):
                stored += page
                before = page[-1].position
        openings: list[Opening] = []
        for entry in reversed(stored):
            previous = openings[-1].entry if openings else NO_PREVIOUS
            openings.append(opening_of(entry, previous))
        return openings

    def chain_key(self, chain: Chain) -> bytes:
        """Return the 32-byte key of a chain; whoever has it finds all its entries."""
        return self._identity.chains.of(chain)

    def tags(self, start: int, stop: int) -> list[bytes]:
        """Return the tags of the entries at positions [start, stop), in order."""
        with self._read() as reader:
            return reader.tags(start, stop)

    def inclusion(self, index: int, size: int) -> tuple[bytes, ...]:
        """Return the inclusion proof of an entry in the tree of a size, leaf's sibling first.

        Raises:
            RequestError: unless 0 <= index < size <= the log's size.
        """
        if not 0 <= index < size <= self.size:
            raise RequestError(f"there is no entry {index} in a tree of size {size} of this ledger")
        return self._proof(inclusion_path(index, size))

    def consistency(self, old: int, new: int) -> tuple[bytes, ...]:
        """Return the consistency proof between the trees of two sizes.

        Raises:
            RequestError: unless 0 <= old <= new <= the log's size.
        """
        if not 0 <= old <= new <= self.size:
            raise RequestError(f"sizes {old} and {new} are not in order or beyond this ledger")
        return self._proof(consistency_path(old, new))

    def verify_all(
        self,
        progress: Progress | None = None,
        *,
        mark: Mark | None = None,
        keep: Callable[[Mark], None] = lambda _mark: None,
        engine: bool = True,
    ) -> Audit:
        """Read everything again and return what is wrong, entry by entry. See `audit`."""
        store = self.connect()
        try:
            return audit(store, self._identity, progress, mark=mark, keep=keep, engine=engine)
        finally:
            store.close()

    def keyed_hash(self, data: bytes) -> bytes:
        """Return the keyed hash of what is kept outside of the ledger for nobody but itself."""
        return hmac.digest(self._identity.chains.of_name(_NO_CHAIN), data, "sha256")

    def close(self) -> None:
        """Commit what was submitted, then stop. Further appends raise; closing again does not."""
        self._committer.close()
        with self._reading:
            self._reader.close()

    def _writer(self, store: Store | None = None) -> Writer:
        return Writer(store or self.connect(), self._identity, self._random, self._kept)

    @contextmanager
    def _read(self) -> Iterator[Store]:
        with self._reading:
            yield self._reader

    def _note(self) -> str:
        with self._read() as reader:
            return reader.note()

    def _head(self, note: str) -> Checkpoint:
        """Return what a note of ours says; the latest is remembered, for pages of many proofs."""
        known = self._verified
        if known is None or known[0] != note:
            head = open_own(note, self._identity)
            self._verified = known = (note, head)
        return known[1]

    def _proof(self, path: Sequence[tuple[Node, ...]]) -> tuple[bytes, ...]:
        with self._read() as reader:
            hashes = reader.hashes(node for nodes in path for node in nodes)
        return tuple(fold([hashes[node] for node in nodes]) for nodes in path)


def _prepared(entries: Sequence[Entry | PreparedEntry]) -> tuple[PreparedEntry, ...]:
    """Return entries ready to append, prepared before anybody has to wait for them."""
    if not entries:
        raise RequestError("there is nothing to record")
    return tuple([e if isinstance(e, PreparedEntry) else prepare(e) for e in entries])


def _stored(reader: Store, index: int) -> StoredEntry:
    stored = reader.entry(index) if 0 <= index < NUMBER_LIMIT else None
    if stored is None:
        raise NotFound(f"the ledger has no entry {index}")
    return stored


def _logged(stored: StoredEntry) -> LoggedEntry:
    if not isinstance(stored.record, bytes | None) or not isinstance(stored.salt, bytes | None):
        raise TamperDetected(f"entry {stored.position} is not of the kind the ledger writes")
    try:
        chain = Chain.parse(stored.chain)
    except (TypeError, ValueError, IndexError):
        raise TamperDetected(f"entry {stored.position} stands in no chain there is") from None
    return LoggedEntry(
        stored.position, stored.event, stored.time, chain, stored.record, stored.erased_by
    )
