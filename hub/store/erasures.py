"""Entries of the ledger that somebody wants forgotten, in the records: which, and on what ground.

What state a request is in follows from its steps (`hub.store.access_steps`); whether an entry was
erased stands in the ledger.
"""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from hub.store.access_models import ErasureRow


@dataclass(frozen=True, slots=True)
class Erasure:
    """A request to forget entries.

    Args:
        id: its number, 0 before it is recorded.
        ground: code of the closed register of grounds.
        agency: of whoever asked.
        person: keyed name of the person who asked.
        entries: positions in the ledger, ascending.
    """

    id: int
    ground: str
    agency: str
    person: str
    entries: tuple[int, ...]

    @property
    def name(self) -> str:
        """What its steps call it."""
        return str(self.id)


def add_erasure(session: Session, wanted: Erasure) -> int:
    """Record a request; return its number."""
    row = ErasureRow(
        ground=wanted.ground,
        agency=wanted.agency,
        person=wanted.person,
        entries=list(wanted.entries),
    )
    session.add(row)
    session.flush()
    return row.id


def erasures(session: Session) -> tuple[Erasure, ...]:
    """Return every request, in the order in which they were made."""
    return tuple(
        Erasure(row.id, row.ground, row.agency, row.person, tuple(row.entries))
        for row in session.scalars(select(ErasureRow).order_by(ErasureRow.id))
    )
