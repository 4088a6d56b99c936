"""The ledger: what was used, by whom, for what; appended durably, provable to anyone.

Writing goes through the committer's one thread. Reads go through one connection under a lock; what
they read never changes once written, so they need no transaction with the writer. Do not carry a
`Ledger` across `fork`.

Source: RFC 9162 §2.1, C2SP tlog-checkpoint.
"""

from __future__ import annotations

import base64
import json
import secrets
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from threading import Lock
from typing import Any

from hub.clock import Clock
from hub.errors import LedgerError, NotFound, RequestError, TamperDetected
from hub.ledger.audit import Audit, Progress, audit
from hub.ledger.committer import Committer, Receipt, receipt
from hub.ledger.merkle import (
    CompactRange,
    Node,
    consistency_path,
    fold,
    inclusion_path,
    verify_consistency,
)
from hub.ledger.note import Checkpoint, Note, Signer, VerifierKey, open_checkpoint
from hub.ledger.storage import Storage, StoredEntry, create
from hub.ledger.verify import FORMAT, Verdict
from hub.ledger.writer import (
    ERASED_EVENT,
    Entry,
    Identity,
    PreparedEntry,
    Writer,
    open_head,
    prepare,
)


@dataclass(frozen=True, slots=True)
class LoggedEntry:
    """One entry as it stands; `record` is None once entry `erased_by` has erased it."""

    index: int
    event: str
    time: str
    label: bytes | None
    record: bytes | None
    erased_by: int | None

    @property
    def body(self) -> Mapping[str, Any] | None:
        """The recorded JSON object, or None when erased."""
        return None if self.record is None else json.loads(self.record)


class Ledger:
    """One append-only log in one file, shared by any number of threads and processes.

    Args:
        path: the ledger's file; made with an empty, signed tree when missing and `create`.
        signer: Ed25519 signer of the checkpoints; its name SHOULD be the origin.
        clock: dates erasures.
        origin: the log's public name, first line of every checkpoint.
        former: verifier keys of the log's earlier signers, after a key rotation.
        random: source of salts.
        storage: opens a connection to the file.
    Raises:
        LedgerError: when the file is missing and must not be made, or is of another kind.
    """

    def __init__(
        self,
        path: Path,
        signer: Signer,
        clock: Clock,
        origin: str,
        *,
        former: Sequence[VerifierKey] = (),
        create_missing: bool = True,
        random: Callable[[int], bytes] = secrets.token_bytes,
        storage: Callable[[Path], Storage] = Storage,
    ) -> None:
        if not origin or "\n" in origin:
            raise LedgerError("a ledger's origin is one line of text")
        self._path = path
        self._clock = clock
        self._random = random
        self._open = storage
        self._identity = Identity(origin, signer, tuple(former))
        if create_missing and not path.exists():
            create(path, self._identity.sign(CompactRange()))
        self._committer = Committer(self._writer)
        self._reading = Lock()  # guards _reader
        self._reader = storage(path)
        self._verified: tuple[str, Checkpoint] | None = None
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
    def key(self) -> VerifierKey:
        """The public key its checkpoints are verified with; `str` of it is its `vkey`."""
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

    def erase(self, index: int, by: str, ground: str) -> Receipt:
        """Forget an entry's record and salt for good, and record that, by whom and why.

        The tree keeps the entry's commitment, so that every proof goes on to hold. The record of
        the erasure itself cannot be erased.

        Args:
            by: pseudonym or office of who erases; no direct identifier.
            ground: the lawful ground.
        Raises:
            NotFound: when there is no such entry.
            RequestError: when it was erased before or records an erasure.
            LedgerError: when it could not be done.
        """
        self._committer.check_open()
        entry = self.entry(index)
        if entry.erased_by is not None or entry.event == ERASED_EVENT:
            raise RequestError(f"entry {index} is erased already or records an erasure")
        stamp = self._clock.now().isoformat(timespec="milliseconds").replace("+00:00", "Z")
        note = {
            "event": ERASED_EVENT,
            "time": stamp,
            "entry": index,
            "of": {"event": entry.event, "time": entry.time},
            "by": by,
            "ground": ground,
        }
        prepared = prepare(Entry(entry.label, note))
        storage = self._open(self._path)
        try:
            appended = self._writer(storage).append((prepared,), erasing=index)
            storage.truncate_log()
        finally:
            storage.close()
        return receipt(appended)

    def checkpoint(self) -> str:
        """Return the signed note over everything durable, under the current key.

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
            stored = reader.entry(index) if 0 <= index < 1 << 63 else None
        if stored is None:
            raise NotFound(f"the ledger has no entry {index}")
        return _logged(stored)

    def entries(self, start: int, stop: int) -> list[LoggedEntry]:
        """Return the entries at positions [start, stop), in log order, whoever they are about."""
        with self._read() as reader:
            return [_logged(stored) for stored in reader.entries(start, stop)]

    def entries_of(
        self, label: bytes, *, before: int | None = None, limit: int = 1000
    ) -> list[LoggedEntry]:
        """Return a label's entries, newest first; for the label's own subject and no one else.

        Args:
            before: only entries below this position, to turn the page.
        """
        bound = (1 << 63) - 1 if before is None else before
        with self._read() as reader:
            return [_logged(stored) for stored in reader.entries_of(label, bound, limit)]

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

    def proof_bundle(self, index: int) -> dict[str, Any]:
        """Return the proof of one entry, for its subject to keep and check offline.

        Returns:
            The JSON object that `hub.ledger.verify` reads: format, origin, index, size, record and
            salt (base64), inclusion (list of base64), checkpoint (signed note).
        Raises:
            NotFound: when there is no such entry, or its record was erased.
        """
        note = self.checkpoint()
        size = self._head(note).size
        with self._read() as reader:
            stored = reader.entry(index) if 0 <= index < size else None
        if stored is None:
            raise NotFound(f"the ledger has no entry {index}")
        if stored.record is None or stored.salt is None:
            raise NotFound(
                f"entry {index} was erased by entry {stored.erased_by}, which has a proof"
            )
        return {
            "format": FORMAT,
            "origin": self.origin,
            "index": index,
            "size": size,
            "record": _base64(stored.record),
            "salt": _base64(stored.salt),
            "inclusion": [_base64(h) for h in self._proof(inclusion_path(index, size))],
            "checkpoint": note,
        }

    def continues(self, earlier: str) -> Verdict:
        """Judge whether the log still holds all it held at a checkpoint that was kept elsewhere.

        False means rolled back, cut or rewritten since then, or that the note was never ours.
        """
        try:
            old = open_checkpoint(earlier, self._identity.keys, self.origin)
        except RequestError as exc:
            return Verdict(False, (exc.message,))
        new = self._head(self._note())
        if old.size > new.size:
            return Verdict(False, (f"rolled back from {old.size} to {new.size} entries",))
        proof = self._proof(consistency_path(old.size, new.size))
        if not verify_consistency(old.size, new.size, proof, old.root, new.root):
            return Verdict(False, (f"the first {old.size} entries are not what they were",))
        return Verdict(True, (f"{new.size} entries begin with the same {old.size} as before",))

    def verify_all(self, progress: Progress | None = None) -> Audit:
        """Read everything again and return what is wrong, entry by entry. See `audit`."""
        storage = self._open(self._path)
        try:
            return audit(storage, self._identity.keys, self.origin, progress)
        finally:
            storage.close()

    def close(self) -> None:
        """Commit what was submitted, then stop. Further appends raise; closing again does not."""
        self._committer.close()
        with self._reading:
            self._reader.close()

    def _writer(self, storage: Storage | None = None) -> Writer:
        return Writer(storage or self._open(self._path), self._identity, self._random)

    @contextmanager
    def _read(self) -> Iterator[Storage]:
        with self._reading:
            yield self._reader

    def _note(self) -> str:
        with self._read() as reader:
            return reader.note()

    def _head(self, note: str) -> Checkpoint:
        """Return what a note of ours says; the latest is remembered, for pages of many proofs."""
        known = self._verified
        if known is None or known[0] != note:
            head = open_head(note, self._identity.keys, self.origin)
            self._verified = known = (note, head)
        return known[1]

    def _proof(self, path: Sequence[tuple[Node, ...]]) -> tuple[bytes, ...]:
        with self._read() as reader:
            hashes = reader.hashes(node for nodes in path for node in nodes)
        return tuple(fold([hashes[node] for node in nodes]) for nodes in path)


def _prepared(entries: Sequence[Entry | PreparedEntry]) -> tuple[PreparedEntry, ...]:
    if not entries:
        raise RequestError("there is nothing to record")
    return tuple([e if isinstance(e, PreparedEntry) else prepare(e) for e in entries])


def _logged(stored: StoredEntry) -> LoggedEntry:
    if not isinstance(stored.record, bytes | None) or not isinstance(stored.salt, bytes | None):
        raise TamperDetected(f"entry {stored.position} is not of the kind the ledger writes")
    return LoggedEntry(
        stored.position, stored.event, stored.time, stored.label, stored.record, stored.erased_by
    )


def _base64(data: bytes) -> str:
    return base64.b64encode(data).decode()
