"""Outboxes: what the ledger is to be told is written down first, and told exactly once.

A step is written down, in the transaction that makes it true, with the size the ledger then had;
then it is told, then marked with its entry. Whoever is killed in between leaves a step that is not
marked; the next one to tell looks through the ledger from that size on and tells only what is not
there. Each kind of step has a table of its own, with the columns of `hub.store.models.StepColumns`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Generic, Protocol, TypeVar

from sqlalchemy import select

from hub.ledger.committer import Receipt
from hub.ledger.writer import Entry
from hub.store.models import StepColumns
from hub.store.records import Records

_CHUNK = 1000

R = TypeVar("R", bound=StepColumns)


class Log(Protocol):
    """What telling needs of a ledger."""

    @property
    def size(self) -> int:
        """Number of durable entries."""
        ...

    def append(self, entries: Sequence[Entry]) -> Receipt:
        """Record entries together, all or none."""
        ...

    def entries(self, start: int, stop: int) -> Sequence[Any]:
        """Return the entries at positions [start, stop)."""
        ...


@dataclass(frozen=True, slots=True)
class Outbox(Generic[R]):
    """One kind of step.

    Args:
        rows: its table.
        names: field of the event -> column of the table, which together name a step for ever.
        prefix: what the tags of all its events begin with, and of no other kind's.
    """

    rows: type[R]
    names: Mapping[str, str]
    prefix: str

    def tell(self, records: Records, log: Log) -> int:
        """Tell the ledger every step that it has not been told; return how many it now was told.

        The write lock of the records is held meanwhile, so that two processes never tell the same.

        Raises:
            LedgerError: when it cannot record; the steps stay written down and are told later.
        """
        waiting = select(self.rows).where(self.rows.entry.is_(None)).order_by(self.rows.id)
        with records.reading() as session:
            if session.scalars(waiting.limit(1)).first() is None:
                return 0
        with records.writing() as session:
            rows = session.scalars(waiting.with_for_update()).all()
            if not rows:
                return 0
            there = self._told(log, min(row.ledger_from for row in rows))
            for row in rows:
                row.entry = there.get(tuple(self._name(row).values()))
            fresh = [row for row in rows if row.entry is None]
            if fresh:
                receipt = log.append(
                    [Entry(None, {**row.body, **self._name(row)}) for row in fresh]
                )
                for row, index in zip(fresh, receipt.indexes, strict=True):
                    row.entry = index
            return len(fresh)

    def _name(self, row: R) -> dict[str, str]:
        return {field: getattr(row, column) for field, column in self.names.items()}

    def _told(self, log: Log, start: int) -> dict[tuple[str, ...], int]:
        """Return the ledger's entry of each step, by name, that it tells from a position on."""
        return {
            tuple(body[field] for field in self.names): index
            for index, body in _bodies(log, start)
            if str(body["event"]).startswith(self.prefix) and self.names.keys() <= body.keys()
        }


def _bodies(log: Log, start: int) -> Iterator[tuple[int, Mapping[str, Any]]]:
    size = log.size
    for first in range(start, size, _CHUNK):
        for entry in log.entries(first, min(first + _CHUNK, size)):
            if entry.body is not None:
                yield entry.index, entry.body
