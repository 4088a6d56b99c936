"""Record first, release then: an answer stays locked until the ledger's receipt is there.

Coroutines share submissions: what one turn of the event loop prepares is recorded as one group, so
that many requests cost one commit. There is no timer: a lone request waits for nobody.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import TimeoutError as FutureTimeoutError
from dataclasses import dataclass, field
from threading import local
from typing import Generic, TypeVar

from access.answers import Receipt
from access.ports import LedgerLog
from hub.errors import HubError, LedgerError
from hub.ledger.committer import Receipt as LedgerReceipt
from hub.ledger.writer import Entry, PreparedEntry, prepare

RECEIPT_WAIT_SECONDS = 30.0

_NO_RECEIPT = "the ledger gave no receipt in time: nothing is released"
_NOT_RECORDED = "the use could not be recorded: nothing is released"
_OTHER_RECEIPT = "the ledger's receipt is not for these entries: nothing is released"

A = TypeVar("A")


@dataclass(frozen=True, slots=True)
class Prepared(Generic[A]):
    """An answer that nobody may see yet, and the entries that must be durable first."""

    entries: tuple[Entry, ...]
    complete: Callable[[Receipt], A]

    def release(self, receipt: LedgerReceipt) -> A:
        """Return the answer, for the receipt of exactly these entries.

        Raises:
            LedgerError: when the receipt is for another number of entries.
        """
        if len(receipt.leaves) != len(self.entries):
            raise LedgerError(_OTHER_RECEIPT)
        return self.complete(
            Receipt(
                index=receipt.index,
                indexes=tuple(receipt.indexes),
                leaf=receipt.leaves[0].hex(),
                checkpoint=receipt.checkpoint,
            )
        )


@dataclass(frozen=True, slots=True)
class _Turn:
    """What the requests of one turn of an event loop have prepared, and who waits for it."""

    loop: asyncio.AbstractEventLoop
    entries: list[PreparedEntry] = field(default_factory=list)
    waiters: list[tuple[int, asyncio.Future[LedgerReceipt]]] = field(default_factory=list)

    def join(self, entries: tuple[PreparedEntry, ...]) -> asyncio.Future[LedgerReceipt]:
        """Add a request's entries; the future is for their receipt."""
        waiter = self.loop.create_future()
        self.entries.extend(entries)
        self.waiters.append((len(entries), waiter))
        return waiter

    def hand_out(self, receipt: LedgerReceipt) -> None:
        """Give everyone who still waits the receipt of their own entries."""
        if len(receipt.leaves) != len(self.entries):
            self.fail(_OTHER_RECEIPT)
            return
        start = 0
        for count, waiter in self.waiters:
            leaves = receipt.leaves[start : start + count]
            if not waiter.done():
                waiter.set_result(LedgerReceipt(receipt.index + start, leaves, receipt.checkpoint))
            start += count

    def fail(self, message: str) -> None:
        """Give everyone who still waits an error of their own."""
        for _, waiter in self.waiters:
            if not waiter.done():
                waiter.set_exception(LedgerError(message))


class Recorder:
    """Releases prepared answers, each after its entries are durable."""

    def __init__(self, ledger: LedgerLog, wait_seconds: float = RECEIPT_WAIT_SECONDS) -> None:
        self._ledger = ledger
        self._wait_seconds = wait_seconds
        self._threads = local()  # an event loop belongs to one thread; `turn` is its open turn

    def release(self, prepared: Prepared[A], wait_seconds: float | None = None) -> A:
        """Record and wait, then return the answer.

        Args:
            wait_seconds: how long to wait for the receipt of very many entries.

        Raises:
            LedgerError: when the entries could not be recorded; nothing is released.
        """
        future = self._ledger.submit(prepared.entries)
        try:
            receipt = future.result(wait_seconds or self._wait_seconds)
        except FutureTimeoutError:
            raise LedgerError(_NO_RECEIPT) from None
        return prepared.release(receipt)

    async def release_async(self, prepared: Prepared[A]) -> A:
        """Do as `release`, together with the other requests of this turn of the event loop."""
        entries = tuple([prepare(entry) for entry in prepared.entries])
        return prepared.release(await self._turn().join(entries))

    def _turn(self) -> _Turn:
        loop = asyncio.get_running_loop()
        turn: _Turn | None = getattr(self._threads, "turn", None)
        if turn is None or turn.loop is not loop:
            turn = self._threads.turn = _Turn(loop)
            loop.call_soon(self._submit, turn)
        return turn

    def _submit(self, turn: _Turn) -> None:
        self._threads.turn = None
        try:
            future = self._ledger.submit(turn.entries)
        except HubError as exc:
            turn.fail(exc.message if isinstance(exc, LedgerError) else _NOT_RECORDED)
            return
        silence = turn.loop.call_later(self._wait_seconds, turn.fail, _NO_RECEIPT)

        def settled() -> None:
            silence.cancel()
            failure = future.exception()
            if failure is None:
                turn.hand_out(future.result())
            else:
                turn.fail(failure.message if isinstance(failure, LedgerError) else _NOT_RECORDED)

        future.add_done_callback(lambda _: _call(turn.loop, settled))


def _call(loop: asyncio.AbstractEventLoop, what: Callable[[], None]) -> None:
    if not loop.is_closed():  # else nobody waits any more
        loop.call_soon_threadsafe(what)
