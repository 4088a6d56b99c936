"""Makes the ledger public: a tree that ends with its own index root, its files, its checkpoint.

Appending and publishing are apart: whoever appends waits for nobody but the disk. One publisher at
a time takes what has become durable and

1. builds the index over all entries and appends the entry that says its root, so that every
   signature on the checkpoint covers the index as well;
2. writes the files that follow from the ledger (tiles, bundles, tags, the entry's opening);
3. has the checkpoint cosigned, where a policy of witnesses is kept;
4. remembers what it makes public, and only then replaces the public checkpoint.

A step that fails leaves the former checkpoint in its place, and the next turn goes on from what is
there: a tree that ends with its index root, but is not public yet, is offered again as it is.

Source: C2SP tlog-checkpoint, tlog-tiles, tlog-witness.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from hub.canonical import canonical_json
from hub.clock import Clock, stamp_of
from hub.errors import RequestError, TamperDetected
from hub.events import AuditEvent, EventTag
from hub.file_lock import FileLock
from hub.ledger.entry import Opening
from hub.ledger.index.folder import IndexFolder, Tags
from hub.ledger.log import Ledger
from hub.ledger.note import Note, VerifierKey, open_checkpoint, sign_text
from hub.ledger.public_files import (
    CHECKPOINT,
    KEYS,
    PublicFiles,
    files_between,
    opening_path,
)
from hub.ledger.store import StoredPublication
from hub.ledger.tiles import new_bundles, new_tiles
from hub.ledger.writer import Entry
from hub.progress import Progress

HEARTBEAT = timedelta(hours=1)

Consistency = Callable[[int], tuple[bytes, ...]]


@dataclass(frozen=True, slots=True)
class Cosigned:
    """What the witnesses made of a checkpoint.

    Attributes:
        note: the checkpoint with every cosignature that holds.
        has_quorum: whether they are enough to make it public.
        answers: what each witness said, by its name in the policy.
    """

    note: str
    has_quorum: bool
    answers: tuple[tuple[str, str], ...] = ()


class Cosigner(Protocol):
    """Asks the witnesses of a policy."""

    def cosign(self, note: str, consistency: Consistency) -> Cosigned:
        """Have a checkpoint cosigned.

        Args:
            consistency: returns the proof from a smaller tree to the checkpoint's.
        Raises:
            TamperDetected: when a witness has cosigned a larger tree of this log.
        """
        ...

    def is_enough(self, note: str) -> bool:
        """Say whether the cosignatures that a checkpoint has are a quorum of the policy."""
        ...


class NoWitness:
    """For a hub that nobody watches: every checkpoint is made public as the log signed it."""

    def cosign(self, note: str, consistency: Consistency) -> Cosigned:
        """Return the checkpoint as it is."""
        del consistency
        return Cosigned(note, has_quorum=True)

    def is_enough(self, note: str) -> bool:
        """Say that nobody's cosignature is asked for."""
        del note
        return True


@dataclass(frozen=True, slots=True)
class Turn:
    """What one turn of the publisher came to.

    Attributes:
        size: number of entries of the tree that is public now, 0 when none is.
        published: whether this turn made it public.
        answers: what each witness said, by its name.
        waiting: why a newer tree could not be made public; empty when none waits.
    """

    size: int
    published: bool
    answers: tuple[tuple[str, str], ...] = ()
    waiting: str = ""


class Publisher:
    """Makes one ledger public."""

    def __init__(
        self,
        ledger: Ledger,
        index: IndexFolder,
        files: PublicFiles,
        cosigner: Cosigner,
        clock: Clock,
    ) -> None:
        self._ledger = ledger
        self._index = index
        self._files = files
        self._cosigner = cosigner
        self._clock = clock
        self._lock = FileLock(files.folder)

    def turn(self, progress: Progress | None = None) -> Turn:
        """Make public what has become durable, if there is anything, or it has long been silent.

        Raises:
            TamperDetected: when the ledger is behind what is public, or not what was signed.
            LedgerError: when store or disk fail.
        """
        self._files.folder.mkdir(parents=True, exist_ok=True)
        with self._lock.held():
            return self._turn(progress or (lambda _done, _all: None))

    def close(self) -> None:
        """Let go of the publisher's lock."""
        self._lock.close()

    def _turn(self, progress: Progress) -> Turn:
        now, last = self._clock.now(), self._ledger.published()
        self._require_last(last)
        if last is not None and not self._is_due(last, now):
            return Turn(last.size, published=False)
        opening = self._end()
        size = opening.position + 1
        self._write(0 if last is None else last.size, opening, progress)
        note = self._signed(size)
        cosigned = self._cosigner.cosign(note, lambda old: self._ledger.consistency(old, size))
        if not cosigned.has_quorum:
            known = 0 if last is None else last.size
            reason = "not enough witnesses have cosigned"
            return Turn(known, published=False, answers=cosigned.answers, waiting=reason)
        self._ledger.publish(StoredPublication(cosigned.note, size, stamp_of(now)))
        self._files.write(CHECKPOINT, cosigned.note.encode())
        sizes = [size] if last is None else [last.size, size]
        self._files.prune(sizes)
        self._index.forget([one - 1 for one in sizes])
        return Turn(size, published=True, answers=cosigned.answers)

    def _signed(self, size: int) -> str:
        note = self._ledger.signed(size)
        text = Note.parse(note).text
        return note + "".join(str(sign_text(text, signer)) for signer in self._ledger.further)

    def _require_last(self, last: StoredPublication | None) -> None:
        """Put the public checkpoint back that a crash has kept from being replaced.

        One that the policy in force asks for more witnesses of is not: it is to be followed anew.

        Raises:
            TamperDetected: when another is public than the ledger remembers, and not an older one.
        """
        public = self._files.read(CHECKPOINT)
        if last is None:
            if public is not None:
                raise TamperDetected(
                    "a checkpoint is public that the ledger does not remember: an old backup was "
                    "restored"
                )
            return
        if public == last.note.encode():
            return
        older = 0 if public is None else self._size_of(public)
        if older > last.size:
            raise TamperDetected(
                f"the public checkpoint is of more entries than the {last.size} that the ledger "
                "remembers to have made public: an old backup was restored"
            )
        self._write(older, self._ledger.opening(last.size - 1), lambda _done, _all: None)
        if self._cosigner.is_enough(last.note):
            self._files.write(CHECKPOINT, last.note.encode())

    def _size_of(self, note: bytes) -> int:
        try:
            ledger = self._ledger
            return open_checkpoint(note.decode(), ledger.keys, ledger.origin).size
        except (RequestError, UnicodeDecodeError) as exc:
            raise TamperDetected("the public checkpoint is not this ledger's own") from exc

    def _is_due(self, last: StoredPublication, now: datetime) -> bool:
        return (
            self._ledger.size > last.size
            or now - datetime.fromisoformat(last.time) >= HEARTBEAT
            or not self._cosigner.is_enough(last.note)  # another policy was in force then
        )

    def _end(self) -> Opening:
        """Return the opening of the index entry that the tree to make public ends with.

        A tree that ends with one already, whose turn failed before, is taken as it is.
        """
        size, last = self._ledger.size, self._ledger.published()
        if size > (0 if last is None else last.size) and self._ends_with_index(size):
            opening = self._ledger.opening(size - 1)
            self._index.advance(size - 1, self._ledger.tags)
            return opening
        self._index.advance(size, self._ledger.tags)  # the longest part, before anybody must wait
        receipt = self._ledger.append_last(self._index_entry)
        return self._ledger.opening(receipt.index)

    def _ends_with_index(self, size: int) -> bool:
        entry = self._ledger.entry(size - 1)
        return entry.event == EventTag.HUB_INDEX_PUBLISHED.value and entry.body is not None

    def _index_entry(self, size: int, tags: Tags) -> Entry:
        self._index.advance(size, tags)
        root = self._index.root(size).hex()
        details = {"index": {"size": size, "root": root}}
        return Entry.of(AuditEvent(EventTag.HUB_INDEX_PUBLISHED, self._clock.now(), details))

    def _write(self, old: int, opening: Opening, progress: Progress) -> None:
        size = opening.position + 1
        total = sum(1 for _ in new_tiles(old, size)) + 2 * sum(1 for _ in new_bundles(old, size))
        done = 0

        def step() -> None:
            nonlocal done
            done += 1
            progress(done, total)

        with closing(self._ledger.connect()) as store:
            self._files.write_all(files_between(store, old, size), step)
        self._files.write(opening_path(opening.position), canonical_json(opening.body()))
        further = map(VerifierKey.of, self._ledger.further)
        keys = "".join(f"{key}\n" for key in (*self._ledger.keys, *further)).encode()
        if self._files.read(KEYS) != keys:
            self._files.write(KEYS, keys)
