"""Emergencies that nobody reviewed in time: their actors are blocked, and the ledger is told once.

The block follows from the clock alone; the step only tells of it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from types import MappingProxyType

from access.emergency import REVIEWS, Step, blocked, next_overdue
from hub.events import AuditEvent, EventTag
from hub.store.access_steps import STEPS, About, AccessStep, add_step
from hub.store.emergencies import Kind, without_step
from hub.store.outbox import Log
from hub.store.policies import looking, writing
from hub.store.records import Records

_HUB = "hub"


@dataclass(frozen=True, slots=True)
class Overdue:
    """Who is blocked, and until when that holds.

    Args:
        actors: keyed name -> number of the emergency that blocks them.
        next_at: when the next one is overdue, None for never.
    """

    actors: Mapping[str, int] = field(default_factory=lambda: MappingProxyType({}))
    next_at: datetime | None = None


def overdue(records: Records, now: datetime) -> Overdue:
    """Return who is blocked now.

    Raises:
        PolicyUnavailable: when the records cannot be read.
    """
    with looking(records) as session:
        waiting = without_step(session, Kind.EMERGENCY, REVIEWS)
    return Overdue(blocked(waiting, now), next_overdue(waiting, now))


def escalate(records: Records, log: Log, now: datetime) -> None:
    """Write down every emergency that has become overdue, once in all processes.

    Raises:
        PolicyUnavailable: when the records cannot be written.
        LedgerError: when the ledger cannot be told; it is told later.
    """
    if not _due(records, now):
        return
    size = log.size
    with writing(records) as session:
        found = without_step(session, Kind.EMERGENCY, (*REVIEWS, Step.ESCALATED))
        for emergency in found:
            if now >= emergency.review_by:
                step = AccessStep(
                    About.EMERGENCY, emergency.name, Step.ESCALATED, _HUB, now, "not reviewed"
                )
                details = {"actor": emergency.actor, "review_by": emergency.review_by.isoformat()}
                event = AuditEvent(EventTag.ACCESS_EMERGENCY_ESCALATED, now, details)
                add_step(session, step, event, size)
    STEPS.tell(records, log)


def _due(records: Records, now: datetime) -> bool:
    with looking(records) as session:
        found = without_step(session, Kind.EMERGENCY, (*REVIEWS, Step.ESCALATED))
    return any(now >= emergency.review_by for emergency in found)
