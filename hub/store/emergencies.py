"""Masks to be lifted and emergencies in the records: what was asked for, and for how long.

What state each is in follows from its steps (`hub.store.access_steps`) and the clock. Who asked and
the person asked about stand here by keyed names only.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from sqlalchemy import String, cast, select
from sqlalchemy.orm import Session

from hub.store.access_models import AccessStepRow, EmergencyRow
from hub.store.access_steps import About


class Kind(StrEnum):
    """What it is, alphabetical."""

    EMERGENCY = "emergency"
    UNMASK = "unmask"


@dataclass(frozen=True, slots=True)
class Emergency:
    """A mask to be lifted for one person, or an emergency for a few.

    Args:
        id: its number, 0 before it is recorded.
        actor: keyed name of the account that asked, as the ledger has it.
        person: keyed name of the person behind the account.
        columns: dataset -> columns asked for; none are all that the purpose needs.
        subject: keyed name of the person it is about, of this row only; None for an emergency.
        persons_max: so many persons may be shown.
        expires_at: first instant at which it is no longer open, or a request no longer answered.
        review_by: first instant at which it is overdue.
    """

    id: int
    kind: Kind
    actor: str
    person: str
    agency: str
    purpose: str
    case_name: str
    columns: Mapping[str, tuple[str, ...]]
    subject: bytes | None
    persons_max: int
    opened_at: datetime
    expires_at: datetime
    review_by: datetime

    @property
    def name(self) -> str:
        """What its steps call it."""
        return str(self.id)


def add_emergency(session: Session, wanted: Emergency) -> int:
    """Record what is asked for; return its number."""
    row = EmergencyRow(
        kind=wanted.kind.value,
        actor=wanted.actor,
        person=wanted.person,
        agency=wanted.agency,
        purpose=wanted.purpose,
        case_name=wanted.case_name,
        columns={name: list(columns) for name, columns in wanted.columns.items()},
        subject=wanted.subject,
        persons_max=wanted.persons_max,
        opened_at=wanted.opened_at,
        expires_at=wanted.expires_at,
        review_by=wanted.review_by,
    )
    session.add(row)
    session.flush()
    return row.id


def emergencies(session: Session) -> tuple[Emergency, ...]:
    """Return all of both kinds, in the order in which they were asked for."""
    return tuple(
        _read(row) for row in session.scalars(select(EmergencyRow).order_by(EmergencyRow.id))
    )


def emergency(session: Session, number: int) -> Emergency | None:
    """Return one by number, None when there is none."""
    row = session.get(EmergencyRow, number)
    return None if row is None else _read(row)


def without_step(session: Session, kind: Kind, steps: Iterable[str]) -> tuple[Emergency, ...]:
    """Return those of a kind about which none of some steps was done."""
    done = select(AccessStepRow.name).where(
        AccessStepRow.about == About.EMERGENCY.value, AccessStepRow.key.in_(tuple(steps))
    )
    query = (
        select(EmergencyRow)
        .where(EmergencyRow.kind == kind.value, cast(EmergencyRow.id, String).not_in(done))
        .order_by(EmergencyRow.id)
    )
    return tuple(_read(row) for row in session.scalars(query))


def _read(row: EmergencyRow) -> Emergency:
    return Emergency(
        id=row.id,
        kind=Kind(row.kind),
        actor=row.actor,
        person=row.person,
        agency=row.agency,
        purpose=row.purpose,
        case_name=row.case_name,
        columns={name: tuple(columns) for name, columns in row.columns.items()},
        subject=row.subject,
        persons_max=row.persons_max,
        opened_at=row.opened_at,
        expires_at=row.expires_at,
        review_by=row.review_by,
    )
