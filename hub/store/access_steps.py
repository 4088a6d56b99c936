"""What people did about access, in the records and, by an outbox, once each in the ledger.

A change of the policy, a grant, an emergency, an actor, a case, a protected person, a seal or an
erasure has its steps here; its state is derived from them and the clock by whoever asks.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from sqlalchemy import select
from sqlalchemy.orm import Session

from hub.events import AuditEvent
from hub.store.access_models import AccessStepRow
from hub.store.outbox import Outbox

STEPS = Outbox(AccessStepRow, {"about": "about", "name": "name", "step": "key"}, "access:")


class About(StrEnum):
    """What a step can be about."""

    ACTOR = "actor"
    CASE = "case"
    CHANGE = "change"
    EMERGENCY = "emergency"
    ERASURE = "erasure"
    GRANT = "grant"
    PROTECTED = "protected"
    SEAL = "seal"


@dataclass(frozen=True, slots=True)
class AccessStep:
    """What somebody did.

    Args:
        name: which of them by number; an actor, case or person by keyed name.
        key: unique among the steps of that name: each can be done once.
        by: the account that acts; never a person's name.
        reason: kept in the records; the ledger is not told.
        active_at: when it takes effect, None for at once.
    """

    about: About
    name: str
    key: str
    by: str
    at: datetime
    reason: str
    active_at: datetime | None = None


def add_step(session: Session, step: AccessStep, event: AuditEvent, ledger_size: int) -> None:
    """Write down a step and the event that the ledger is to be told of it.

    Args:
        ledger_size: size of the ledger before anybody could have told it.
    """
    session.add(
        AccessStepRow(
            about=step.about.value,
            name=step.name,
            key=step.key,
            by=step.by,
            at=step.at,
            active_at=step.active_at,
            reason=step.reason,
            body=event.body(),
            ledger_from=ledger_size,
        )
    )


def steps(session: Session, about: About, name: str | None = None) -> tuple[AccessStep, ...]:
    """Return the steps about one thing, or about all of its kind, in the order they were done."""
    query = select(AccessStepRow).where(AccessStepRow.about == about.value)
    if name is not None:
        query = query.where(AccessStepRow.name == name)
    return tuple(
        AccessStep(about, row.name, row.key, row.by, row.at, row.reason, row.active_at)
        for row in session.scalars(query.order_by(AccessStepRow.id))
    )
