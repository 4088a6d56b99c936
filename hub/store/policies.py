"""Policies in the records: their texts by digest, the changes proposed, and how far all has come.

A text once stored is never changed; what state a change is in follows from its steps
(`hub.store.access_steps`). What cannot be read is said as such, never as "no policy".
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from hub.errors import PolicyUnavailable
from hub.store.access_models import AccessStepRow, PolicyChangeRow, PolicyVersionRow
from hub.store.records import Records

Texts = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Change:
    """A version put forward to take the place of another.

    Args:
        id: its number; 0 is what the hub began with, -1 before it has one.
        digest: of the version put forward.
        base: digest of the version it is to replace, None for the first.
        why: kept in the records; the ledger is not told.
        by: the account that proposed it.
    """

    id: int
    digest: str
    base: str | None
    why: str
    by: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Revision:
    """How far everything about access has come; it moves with every step.

    Args:
        last: number of the newest step, 0 before the first.
        untold: number of the oldest step that the ledger may not have been told, None for none.
    """

    last: int
    untold: int | None


@contextmanager
def looking(records: Records) -> Iterator[Session]:
    """Yield a session that only reads what is in force.

    Raises:
        PolicyUnavailable: when the records cannot be read, or are not the file that was opened.
    """
    _require_there(records)
    try:
        with records.reading() as session:
            yield session
    except SQLAlchemyError as exc:
        raise PolicyUnavailable(
            "the policy in force cannot be read from the operational records: see to their disk"
        ) from exc


@contextmanager
def writing(records: Records) -> Iterator[Session]:
    """Yield a session in one transaction that holds the write lock, as `looking` does.

    Raises:
        PolicyUnavailable: when the records cannot be written, or are not the file that was opened.
    """
    _require_there(records)
    try:
        with records.writing() as session:
            yield session
    except SQLAlchemyError as exc:
        raise PolicyUnavailable(
            "the operational records cannot be written: see to their disk"
        ) from exc


def _require_there(records: Records) -> None:
    if not records.is_there():
        raise PolicyUnavailable(
            "the operational records are gone or have been replaced: put them back, start again"
        )


def revision(session: Session) -> Revision:
    """Return how far everything about access has come."""
    untold = select(func.min(AccessStepRow.id)).where(AccessStepRow.entry.is_(None))
    last = session.scalar(select(func.max(AccessStepRow.id)))
    return Revision(last or 0, session.scalar(untold))


def keep_version(session: Session, digest: str, texts: Texts, at: datetime) -> None:
    """Store a version's texts unless they are there."""
    if session.get(PolicyVersionRow, digest) is None:
        session.add(PolicyVersionRow(digest=digest, files=dict(texts), made_at=at))
        session.flush()


def version_texts(session: Session, digest: str) -> dict[str, str] | None:
    """Return the texts of a version, None when there is none of that digest."""
    row = session.get(PolicyVersionRow, digest)
    return None if row is None else dict(row.files)


def add_change(session: Session, change: Change) -> int:
    """Record a proposed change; return its number, which is 0 for the one that replaces none."""
    row = PolicyChangeRow(
        digest=change.digest,
        base_digest=change.base,
        why=change.why,
        proposed_by=change.by,
        proposed_at=change.at,
    )
    if change.base is None:
        row.id = 0
    session.add(row)
    session.flush()
    return row.id


def changes(session: Session) -> tuple[Change, ...]:
    """Return every change, in the order in which they were proposed."""
    rows = session.scalars(select(PolicyChangeRow).order_by(PolicyChangeRow.id))
    return tuple(
        Change(row.id, row.digest, row.base_digest, row.why, row.proposed_by, row.proposed_at)
        for row in rows
    )
