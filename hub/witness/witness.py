"""The witness itself: what it answers a log that asks for a cosignature.

It cosigns a tree only when the log signed it, when it extends the last tree cosigned, and in full
mode when every entry, tile and index row of it was read and is right. The new head is durable
before a cosignature is made, and moves only from where the proof began: so no two requests, no
crash and no log can make it cosign backwards or beside.

Source: C2SP tlog-witness (`add-checkpoint` and its status codes), tlog-cosignature.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from threading import BoundedSemaphore, Lock

from hub.clock import Clock
from hub.errors import NotFound, RequestError, SourceError
from hub.ledger.add_checkpoint import AddCheckpoint
from hub.ledger.merkle import verify_consistency
from hub.ledger.note import Checkpoint, Note, Signer, sign_text, verify_note
from hub.witness.alarms import Kind, Wrong
from hub.witness.comparing import compare
from hub.witness.files import LogFiles
from hub.witness.reading import FullReading
from hub.witness.state import Head, Mode, WatchedLog, WitnessState

PLAIN = "text/plain; charset=utf-8"
SIZE = "text/x.tlog.size"

AT_ONCE = (
    4  # requests of one log: anybody may send again what it has signed, to keep others waiting
)

Connect = Callable[[str], LogFiles]


@dataclass(frozen=True, slots=True)
class Reply:
    """What goes back to who asked: an HTTP status, a body and its type."""

    status: int
    body: str
    content_type: str = PLAIN


@dataclass(frozen=True, slots=True)
class Patience:
    """How long a request may wait, in seconds, and where time comes from.

    Attributes:
        seconds: for its turn, and again for reading; then it is told to come again.
        again: before what was found wrong is looked at a second time.
    """

    seconds: float = 10.0
    again: float = 1.0
    elapsed: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep

    def pause(self) -> None:
        """Wait before what was found wrong is looked at a second time."""
        self.sleep(self.again)


class Witness:
    """A witness over its state, for many requests at once.

    Args:
        folder: of the index runs of each log.
        connect: opens the files under a log's address.
    """

    def __init__(
        self,
        state: WitnessState,
        signers: Sequence[Signer],
        folder: Path,
        clock: Clock,
        connect: Connect = LogFiles,
        patience: Patience | None = None,
    ) -> None:
        self._state = state
        self._signers = signers
        self._folder = folder
        self._clock = clock
        self._connect = connect
        self._patience = patience or Patience()
        self._locks: dict[str, Lock] = {}
        self._doors: dict[str, BoundedSemaphore] = {}
        self._guard = Lock()

    def add_checkpoint(self, body: bytes) -> Reply:
        """Answer a request to cosign a checkpoint.

        Raises:
            LedgerError: when the state cannot be read or written; nothing was signed then.
        """
        try:
            request = AddCheckpoint.parse(body)
            checkpoint = Checkpoint.parse(Note.parse(request.checkpoint).text)
        except RequestError as refusal:
            return Reply(400, refusal.message + "\n")
        try:
            log = self._state.log(checkpoint.origin)
        except NotFound as refusal:
            return Reply(404, refusal.message + "\n")
        try:
            verify_note(request.checkpoint, log.keys)
        except RequestError as refusal:
            return Reply(403, refusal.message + "\n")
        if request.old_size > checkpoint.size:
            return Reply(400, "the old size is larger than the checkpoint's\n")
        try:
            with self._admitted(log.origin):
                return self._judged(log, request, checkpoint)
        except SourceError as later:
            return Reply(503, later.message + "\n")

    def checkpoint(self, origin_hash: str) -> Reply:
        """Answer a request for the last checkpoint cosigned of a log, with the cosignatures.

        Args:
            origin_hash: SHA-256 of the log's origin, in lower-case hexadecimal.
        """
        for log in self._state.logs():
            if sha256(log.origin.encode()).hexdigest() == origin_hash:
                head = self._state.head(log.origin)
                if head.note:
                    return Reply(200, str(self._note(log, head)))
        return Reply(404, "no checkpoint of such a log was cosigned here\n")

    def read(self, log: WatchedLog, checkpoint: Checkpoint, note: str) -> None:
        """Read a log in full up to a signed tree, in a log's turn.

        Raises:
            Wrong: when something was found false, and again at a second look.
            SourceError: when a file could not be read, or time was short.
        """
        deadline = self._patience.elapsed() + self._patience.seconds

        def hurry() -> bool:
            return self._patience.elapsed() > deadline

        with self._connect(log.url) as files:
            try:
                self._read(files, log, checkpoint, note, hurry)
            except Wrong:
                self._patience.pause()
                self._read(files, log, checkpoint, note, hurry)

    @contextmanager
    def _admitted(self, origin: str) -> Iterator[None]:
        """Let few requests of a log be at work or wait at once; the others come again."""
        with self._guard:
            door = self._doors.setdefault(origin, BoundedSemaphore(AT_ONCE))
        if not door.acquire(blocking=False):
            raise SourceError("other requests of this log are being answered", retryable=True)
        try:
            yield
        finally:
            door.release()

    @contextmanager
    def turn(self, origin: str) -> Iterator[None]:
        """Wait for a log's turn: one at a time reads or cosigns it.

        Raises:
            SourceError: when it takes too long.
        """
        with self._guard:
            lock = self._locks.setdefault(origin, Lock())
        if not lock.acquire(timeout=self._patience.seconds):
            raise SourceError("the log is being read: ask again", retryable=True)
        try:
            yield
        finally:
            lock.release()

    def _read(
        self,
        files: LogFiles,
        log: WatchedLog,
        checkpoint: Checkpoint,
        note: str,
        hurry: Callable[[], bool],
    ) -> None:
        known = self._state.reading(log.origin)
        folder = self._folder / sha256(log.origin.encode()).hexdigest()
        reading = FullReading(files, checkpoint, note, known, folder)
        reading.run(lambda done: self._state.save_reading(log.origin, done), hurry)

    def _judged(self, log: WatchedLog, request: AddCheckpoint, checkpoint: Checkpoint) -> Reply:
        """Answer a checkpoint that the log has signed; what is refused at once waits for no turn."""
        refusal = _refusal(self._state.head(log.origin), request, checkpoint)
        if refusal is None:
            with self.turn(log.origin):
                head = self._state.head(log.origin)
                refusal = _refusal(head, request, checkpoint)
                if refusal is None:
                    return self._cosigned(log, head, request.checkpoint, checkpoint)
        if refusal.status == 422 or self._state.head(log.origin).size == checkpoint.size:
            self._look_for_fork(log, request.checkpoint, checkpoint)
        return refusal

    def _look_for_fork(self, log: WatchedLog, note: str, checkpoint: Checkpoint) -> None:
        """See whether what was refused is a second history, or only a false proof of the first."""
        tree = Head(checkpoint.size, checkpoint.root, note)
        try:
            with self._connect(log.url) as files:
                compare(files, self._state.head(log.origin), tree, self._patience.pause)
        except Wrong as wrong:
            if wrong.kind is Kind.FORK:
                self._state.raise_alarm(log.origin, wrong)
        except SourceError:
            return  # the refusal stands; anybody may have sent it

    def _cosigned(self, log: WatchedLog, head: Head, note: str, checkpoint: Checkpoint) -> Reply:
        if log.mode is Mode.FULL:
            try:
                self.read(log, checkpoint, note)
            except Wrong as wrong:
                self._state.raise_alarm(log.origin, wrong)
                return Reply(422, f"{wrong.kind}: {wrong.what}\n")
        return self._signed(log, head, note, checkpoint)

    def _signed(self, log: WatchedLog, head: Head, note: str, checkpoint: Checkpoint) -> Reply:
        now = max(int(self._clock.now().timestamp()), head.time, 1)
        new = Head(checkpoint.size, checkpoint.root, note, now)
        if not self._state.advance(log.origin, head, new):  # another process on the same file
            return Reply(409, f"{self._state.head(log.origin).size}\n", SIZE)
        text = Note.parse(note).text
        lines = (str(sign_text(text, signer, now)) for signer in self._signers)
        return Reply(200, "".join(lines))

    def _note(self, log: WatchedLog, head: Head) -> Note:
        verified = verify_note(head.note, log.keys)
        cosigned = (sign_text(verified.text, signer, head.time) for signer in self._signers)
        return Note(verified.text, (*verified.signatures, *cosigned))


def _refusal(head: Head, request: AddCheckpoint, checkpoint: Checkpoint) -> Reply | None:
    """Return why a checkpoint does not follow on what was cosigned, None when it does."""
    if request.old_size != head.size:
        return Reply(409, f"{head.size}\n", SIZE)
    if not checkpoint.is_possible:
        return Reply(422, "an empty tree has another root\n")
    if not verify_consistency(
        head.size, checkpoint.size, request.proof, head.root, checkpoint.root
    ):
        return Reply(422, "the consistency proof does not lead from the old tree to the new\n")
    return None
