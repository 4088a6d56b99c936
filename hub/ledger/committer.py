"""Group commit: one thread that appends whatever was submitted while it was last at the disk.

No timer: a lone writer waits for nobody, and many share one sync. A receipt exists only for what is
durable and signed.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass
from queue import Empty, SimpleQueue
from threading import Lock, Thread
from typing import NamedTuple

from hub.errors import LedgerError, TamperDetected
from hub.ledger.writer import Appended, PreparedEntry, Writer

GROUP_ENTRIES = 8192  # one commit takes no further submission beyond this


@dataclass(frozen=True, slots=True)
class Receipt:
    """Proof that entries were recorded: where they stand and the checkpoint that covers them.

    Args:
        index: position of the first entry; the others follow it.
        leaves: RFC 9162 leaf hash of each entry, in order.
        checkpoint: signed note over a tree that holds them all.
    """

    index: int
    leaves: tuple[bytes, ...]
    checkpoint: str

    @property
    def indexes(self) -> range:
        """Position of every entry."""
        return range(self.index, self.index + len(self.leaves))


class _Waiter:
    """What a `Future` is to one thread that waits at once, at a third of its cost."""

    __slots__ = ("_lock", "_outcome")

    def __init__(self) -> None:
        self._lock = Lock()
        self._lock.acquire()
        self._outcome: Receipt | LedgerError | None = None

    def set_running_or_notify_cancel(self) -> bool:
        return True

    def set_result(self, receipt: Receipt) -> None:
        self._outcome = receipt
        self._lock.release()

    def set_exception(self, failure: LedgerError) -> None:
        self._outcome = failure
        self._lock.release()

    def result(self) -> Receipt:
        self._lock.acquire()
        if isinstance(self._outcome, Receipt):
            return self._outcome
        raise self._outcome or LedgerError("the ledger's writer gave no answer")


class _Submission(NamedTuple):
    entries: tuple[PreparedEntry, ...]
    future: Future[Receipt] | _Waiter


class Committer:
    """Takes submissions from any thread; its own thread begins with the first of them."""

    def __init__(self, writer: Callable[[], Writer]) -> None:
        self._writer = writer
        self._queue: SimpleQueue[_Submission | None] = SimpleQueue()
        self._gate = Lock()  # guards _closed and _thread, and that nothing is queued once closed
        self._closed = False
        self._thread: Thread | None = None

    def submit(self, entries: tuple[PreparedEntry, ...]) -> Future[Receipt]:
        """Queue entries to be appended together; cancelling works until the commit begins.

        Raises:
            LedgerError: after `close`.
        """
        future: Future[Receipt] = Future()
        self._put(_Submission(entries, future))
        return future

    def append(self, entries: tuple[PreparedEntry, ...]) -> Receipt:
        """Queue entries to be appended together and wait until they are durable.

        Raises:
            LedgerError: after `close`, or when the commit fails.
        """
        waiter = _Waiter()
        self._put(_Submission(entries, waiter))
        return waiter.result()

    def check_open(self) -> None:
        """Raise LedgerError after `close`."""
        if self._closed:
            raise LedgerError("the ledger is closed")

    def close(self) -> None:
        """Commit what was submitted, then stop."""
        with self._gate:
            self._closed = True
            thread, self._thread = self._thread, None
            if thread is not None:
                self._queue.put(None)
        if thread is not None:
            thread.join()

    def _put(self, submission: _Submission) -> None:
        with self._gate:
            self.check_open()
            if self._thread is None:
                self._thread = Thread(target=self._run, name="ledger-writer", daemon=True)
                self._thread.start()
            self._queue.put(submission)

    def _run(self) -> None:
        writer = self._writer()
        while group := self._next_group():
            _commit(writer, group)
        writer.close()

    def _next_group(self) -> list[_Submission]:
        """Wait for a submission, then take all that are queued; empty when it is time to stop."""
        group: list[_Submission] = []
        item, entries = self._queue.get(), 0
        while item is not None:
            group.append(item)
            entries += len(item.entries)
            if entries >= GROUP_ENTRIES:
                return group
            try:
                item = self._taken()
            except Empty:
                return group
        if group:
            self._queue.put(None)  # the end is still to come
        return group

    def _taken(self) -> _Submission | None:
        """Take what is queued; give threads on the point of submitting one turn if nothing is.

        Without that turn, those whom the last commit woke would come too late for the next and
        half of them would always wait. It is no timer: with nobody about to run it takes no time.
        """
        try:
            return self._queue.get_nowait()
        except Empty:
            time.sleep(0)
            return self._queue.get_nowait()


def receipt(appended: Appended) -> Receipt:
    """Return the receipt of entries that were appended by themselves."""
    return Receipt(appended.first, appended.leaves, appended.note)


def _commit(writer: Writer, group: list[_Submission]) -> None:
    """Append a group and tell every submitter; never raises, so that nobody waits in vain."""
    group = [s for s in group if s.future.set_running_or_notify_cancel()]
    if not group:
        return
    try:
        appended = writer.append([entry for s in group for entry in s.entries])
    except BaseException as exc:  # noqa: BLE001  a thread's edge: whoever waits must hear of it
        for submission in group:
            submission.future.set_exception(_failure(exc))
    else:
        _deliver(group, appended)


def _deliver(group: list[_Submission], appended: Appended) -> None:
    offset = 0
    for submission in group:
        end = offset + len(submission.entries)
        leaves = appended.leaves[offset:end]
        submission.future.set_result(Receipt(appended.first + offset, leaves, appended.note))
        offset = end


def _failure(cause: BaseException) -> LedgerError:
    """Return an error of one's own for each waiting thread, with the cause attached."""
    if isinstance(cause, TamperDetected):
        failure: LedgerError = TamperDetected(cause.message)
    elif isinstance(cause, LedgerError):
        failure = LedgerError(cause.message)
    else:
        failure = LedgerError(f"the entries could not be recorded ({type(cause).__name__})")
    failure.__cause__ = cause
    return failure
