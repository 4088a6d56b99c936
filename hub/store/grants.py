"""Grants in the records: permissions beyond the policy's rules, for a time and so many uses.

State follows from the steps about a grant and the clock; only the uses left are counted down, in
the transaction that takes one, so that two processes never take the same.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, cast

from sqlalchemy import CursorResult, select, update
from sqlalchemy.orm import Session

from hub.store.access_models import AccessGrantRow


@dataclass(frozen=True, slots=True)
class Grant:
    """A permission beyond the policy's rules.

    Args:
        id: its number, 0 before it is recorded.
        columns: dataset -> columns it opens.
        area: division or grid codes it is for; none is everywhere.
        case_name: keyed name of the case it is for, None for any.
        basis: the act or decision it rests on.
        valid_to: the first instant at which it no longer holds.
        uses_left: None where uses are not counted.
    """

    id: int
    agency: str
    role: str
    purpose: str
    actions: tuple[str, ...]
    columns: Mapping[str, tuple[str, ...]]
    area: tuple[str, ...]
    case_name: str | None
    basis: str
    valid_from: datetime
    valid_to: datetime
    uses_left: int | None


def add_grant(session: Session, grant: Grant) -> int:
    """Record a grant that is asked for; return its number."""
    row = AccessGrantRow(
        agency=grant.agency,
        role=grant.role,
        purpose=grant.purpose,
        actions=list(grant.actions),
        columns={name: list(columns) for name, columns in grant.columns.items()},
        area=list(grant.area),
        case_name=grant.case_name,
        basis=grant.basis,
        valid_from=grant.valid_from,
        valid_to=grant.valid_to,
        uses_left=grant.uses_left,
    )
    session.add(row)
    session.flush()
    return row.id


def grants(session: Session) -> tuple[Grant, ...]:
    """Return every grant, in the order in which they were asked for."""
    rows = session.scalars(select(AccessGrantRow).order_by(AccessGrantRow.id))
    return tuple(
        Grant(
            id=row.id,
            agency=row.agency,
            role=row.role,
            purpose=row.purpose,
            actions=tuple(row.actions),
            columns={name: tuple(columns) for name, columns in row.columns.items()},
            area=tuple(row.area),
            case_name=row.case_name,
            basis=row.basis,
            valid_from=row.valid_from,
            valid_to=row.valid_to,
            uses_left=row.uses_left,
        )
        for row in rows
    )


def take_use(session: Session, grant: int) -> int | None:
    """Take one of the uses left; return how many are left then, None where there was none."""
    there = AccessGrantRow.id == grant, AccessGrantRow.uses_left > 0
    taken = session.execute(
        update(AccessGrantRow).where(*there).values(uses_left=AccessGrantRow.uses_left - 1)
    )
    if cast("CursorResult[Any]", taken).rowcount != 1:
        return None
    left = select(AccessGrantRow.uses_left).where(AccessGrantRow.id == grant)
    return session.scalar(left)
