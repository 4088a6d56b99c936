"""Count first, record then, release last: an answer stays locked until the ledger's receipt is there.

What is more than an actor may is refused when it is counted; the refusal is what gets recorded and
released then. Alarms go into the ledger together with the request that raised them.

Coroutines share submissions: what one turn of the event loop prepares is counted and recorded as
one group, so that many requests cost one commit. There is no timer: a lone request waits for nobody.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence
from concurrent.futures import TimeoutError as FutureTimeoutError
from dataclasses import dataclass, field
from threading import local
from typing import Any, Generic, TypeVar

from access.alarms import Alarm
from access.answers import Receipt
from access.limits import Limits, Over
from access.ports import LedgerLog
from access.usage_record import UsageRecord
from hub.errors import LedgerError
from hub.ledger.committer import Receipt as LedgerReceipt
from hub.ledger.writer import Entry, PreparedEntry, prepare

_LOG = logging.getLogger("mingjing.access")

RECEIPT_WAIT_SECONDS = 30.0

_NO_RECEIPT = "the ledger gave no receipt in time: nothing is released"
_NOT_RECORDED = "the use could not be recorded: nothing is released"
_OTHER_RECEIPT = "the ledger's receipt is not for these entries: nothing is released"

A = TypeVar("A")


@dataclass(frozen=True, slots=True)
class Prepared(Generic[A]):
    """An answer that nobody may see yet, and the records that must be durable first.

    Args:
        records: of each person asked about, then of those who stand beside them.
        over: makes the refusal that takes its place when it is more than the actor may; None for
            what is not counted, as that refusal itself.
        commits: entries that are recorded right after the records, and together with them.
    """

    records: tuple[UsageRecord, ...]
    complete: Callable[[Receipt], A]
    over: Callable[[Over], Prepared[A]] | None = None
    commits: tuple[Entry, ...] = ()

    def release(self, receipt: LedgerReceipt) -> A:
        """Return the answer, for the receipt of exactly these records.

        Who asked is told where the persons asked about stand, and not how many stand beside them.

        Raises:
            LedgerError: when the receipt is for another number of entries.
        """
        if len(receipt.leaves) != len(self.records) + len(self.commits):
            raise LedgerError(_OTHER_RECEIPT)
        told = zip(receipt.indexes, self.records, strict=False)  # commits come after them
        return self.complete(
            Receipt(
                index=receipt.index,
                indexes=tuple([index for index, record in told if not record.incidental]),
                leaf=receipt.leaves[0].hex(),
                checkpoint=receipt.checkpoint,
            )
        )


@dataclass(frozen=True, slots=True)
class _Ready(Generic[A]):
    """A request whose entries are found fit to record, so that it cannot fail those beside it."""

    prepared: Prepared[A]
    entries: tuple[PreparedEntry, ...]

    @classmethod
    def of(cls, prepared: Prepared[A]) -> _Ready[A]:
        """Return a prepared request with the exact bytes of its entries.

        Raises:
            RequestError: when one is not fit to record.
        """
        entries = (*[record.entry() for record in prepared.records], *prepared.commits)
        return cls(prepared, tuple([prepare(entry) for entry in entries]))

    def counted(self) -> Sequence[UsageRecord]:
        """Return what it is counted by; nothing where it is not counted."""
        return () if self.prepared.over is None else self.prepared.records

    def within(self, over: Over | None) -> _Ready[A]:
        """Return it as it is, or refused where it is too much."""
        refusal = self.prepared.over
        return self if over is None or refusal is None else _Ready.of(refusal(over))


@dataclass(frozen=True, slots=True)
class _Group:
    """Requests that were counted together, to be recorded together, and the alarms they raised."""

    requests: tuple[_Ready[Any], ...]
    alarms: tuple[Alarm, ...]

    def entries(self) -> list[Entry | PreparedEntry]:
        """Return everything to record: each request's entries in order, then the alarms."""
        entries = [entry for request in self.requests for entry in request.entries]
        return [*entries, *(alarm.entry for alarm in self.alarms)]

    def answers(self, receipt: LedgerReceipt) -> list[Any]:
        """Return the answer of each request, for the receipt of all of them.

        Raises:
            LedgerError: when the receipt is for another number of entries.
        """
        counts = [len(request.entries) for request in self.requests]
        if len(receipt.leaves) != sum(counts) + len(self.alarms):
            raise LedgerError(_OTHER_RECEIPT)
        answers, start = [], 0
        for count, request in zip(counts, self.requests, strict=True):
            leaves = receipt.leaves[start : start + count]
            part = LedgerReceipt(receipt.index + start, leaves, receipt.checkpoint)
            answers.append(request.prepared.release(part))
            start += count
        return answers


@dataclass(frozen=True, slots=True)
class _Turn:
    """What the requests of one turn of an event loop have prepared, and who waits for it."""

    loop: asyncio.AbstractEventLoop
    requests: list[_Ready[Any]] = field(default_factory=list)
    waiters: list[asyncio.Future[Any]] = field(default_factory=list)

    def join(self, request: _Ready[A]) -> asyncio.Future[A]:
        """Add a request; the future is for its answer."""
        waiter = self.loop.create_future()
        self.requests.append(request)
        self.waiters.append(waiter)
        return waiter

    def hand_out(self, answers: Sequence[Any]) -> None:
        """Give everyone who still waits the answer of their own request."""
        for waiter, answer in zip(self.waiters, answers, strict=True):
            if not waiter.done():
                waiter.set_result(answer)

    def fail(self, message: str) -> None:
        """Give everyone who still waits an error of their own."""
        for waiter in self.waiters:
            if not waiter.done():
                waiter.set_exception(LedgerError(message))


class Recorder:
    """Releases prepared answers, each after it was counted and its entries are durable."""

    def __init__(
        self, ledger: LedgerLog, limits: Limits, wait_seconds: float = RECEIPT_WAIT_SECONDS
    ) -> None:
        self._ledger = ledger
        self._limits = limits
        self._wait_seconds = wait_seconds
        self._threads = local()  # an event loop belongs to one thread; `turn` is its open turn

    def release(self, prepared: Prepared[A], wait_seconds: float | None = None) -> A:
        """Count, record and wait, then return the answer.

        Args:
            wait_seconds: how long to wait for the receipt of very many entries.

        Raises:
            LedgerError: when it could not be counted or recorded; nothing is released.
        """
        released: A = self._recorded(self._counted([_Ready.of(prepared)]), wait_seconds)
        return released

    def admit(self, prepared: Prepared[A]) -> A | None:
        """Count a request that shows nobody and is recorded as something else.

        Returns:
            Its refusal, recorded, where it is more than the actor may; else None.

        Raises:
            LedgerError: when it could not be counted, or the refusal not be recorded.
        """
        asked = _Ready.of(prepared)
        group = self._counted([asked])
        if group.requests == (asked,):
            return None
        refusal: A = self._recorded(group, None)
        return refusal

    def _recorded(self, group: _Group, wait_seconds: float | None) -> Any:
        """Record a group of one request and return its answer."""
        future = self._ledger.submit(group.entries())
        try:
            receipt = future.result(wait_seconds or self._wait_seconds)
        except FutureTimeoutError:
            raise LedgerError(_NO_RECEIPT) from None
        (answer,) = group.answers(receipt)
        self._limits.confirm(group.alarms)
        return answer

    async def release_async(self, prepared: Prepared[A]) -> A:
        """Do as `release`, together with the other requests of this turn of the event loop."""
        ready = _Ready.of(prepared)
        return await self._turn().join(ready)

    def _counted(self, asked: Sequence[_Ready[Any]]) -> _Group:
        """Return what is to be recorded of requests: those that are too much are refused.

        Raises:
            LedgerError: when they could not be counted.
        """
        overs, alarms = self._limits.count([request.counted() for request in asked])
        within = [request.within(over) for request, over in zip(asked, overs, strict=True)]
        return _Group(tuple(within), alarms)

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
            group = self._counted(turn.requests)
            future = self._ledger.submit(group.entries())
        except LedgerError as exc:
            turn.fail(exc.message)
            return
        except Exception as exc:  # noqa: BLE001  whoever waits must hear of it
            _LOG.error("requests were not recorded: %s", type(exc).__name__)  # no values
            turn.fail(_NOT_RECORDED)
            return
        silence = turn.loop.call_later(self._wait_seconds, turn.fail, _NO_RECEIPT)

        def settled() -> None:
            silence.cancel()
            failure = future.exception()
            if failure is not None:
                turn.fail(failure.message if isinstance(failure, LedgerError) else _NOT_RECORDED)
                return
            try:
                turn.hand_out(group.answers(future.result()))
            except LedgerError as exc:
                turn.fail(exc.message)
            else:
                self._limits.confirm(group.alarms)

        future.add_done_callback(lambda _: _call(turn.loop, settled))


def _call(loop: asyncio.AbstractEventLoop, what: Callable[[], None]) -> None:
    if not loop.is_closed():  # else nobody waits any more
        loop.call_soon_threadsafe(what)
