"""Record first, release then: an answer stays locked until the ledger's receipt is there."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import TimeoutError as FutureTimeoutError
from dataclasses import dataclass
from typing import Generic, TypeVar

from access.answers import Answer, Receipt, StatsAnswer
from access.ports import LedgerLog
from hub.errors import LedgerError
from hub.ledger.committer import Receipt as LedgerReceipt
from hub.ledger.writer import Entry

RECEIPT_WAIT_SECONDS = 30.0

_NO_RECEIPT = "the ledger gave no receipt in time: nothing is released"

A = TypeVar("A", Answer, StatsAnswer)


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
            raise LedgerError("the ledger's receipt is not for these entries: nothing is released")
        return self.complete(
            Receipt(
                index=receipt.index,
                indexes=tuple(receipt.indexes),
                leaf=receipt.leaves[0].hex(),
                checkpoint=receipt.checkpoint,
            )
        )


class Recorder:
    """Releases prepared answers, each after its entries are durable."""

    def __init__(self, ledger: LedgerLog, wait_seconds: float = RECEIPT_WAIT_SECONDS) -> None:
        self._ledger = ledger
        self._wait_seconds = wait_seconds

    def release(self, prepared: Prepared[A]) -> A:
        """Record and wait, then return the answer.

        Raises:
            LedgerError: when the entries could not be recorded; nothing is released.
        """
        future = self._ledger.submit(prepared.entries)
        try:
            receipt = future.result(self._wait_seconds)
        except FutureTimeoutError:
            raise LedgerError(_NO_RECEIPT) from None
        return prepared.release(receipt)

    async def release_async(self, prepared: Prepared[A]) -> A:
        """Do as `release`, awaiting the ledger."""
        future = asyncio.wrap_future(self._ledger.submit(prepared.entries))
        try:
            async with asyncio.timeout(self._wait_seconds):
                receipt = await future
        except TimeoutError:
            raise LedgerError(_NO_RECEIPT) from None
        return prepared.release(receipt)
