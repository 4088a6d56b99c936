"""What became of each attempt to deliver a batch: written once, never rewritten.

A batch's own row shows its latest attempt only. Quality cards are a function of the past, so every
attempt leaves a row of its own here, in the transaction that takes the batch the step: opened when
its bytes land, judged with its figures, settled when it is stopped, refused or loaded. A settled
attempt stays as it is.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from hub.store.batches import BatchStatus, Verdict
from hub.store.models import AttemptRow, BatchRow


@dataclass(frozen=True, slots=True)
class Attempt:
    """One attempt to deliver a batch; shares of rows from 0 to 1.

    Args:
        outcome: stopped, refused or loaded; None while the hub has not come so far.
        settled_at: when the outcome was found (of a checked batch: the time of its verdict).
        meets_contract: whether the contract's own checks and bar were met, whatever else decided.
    """

    batch: str
    attempt: int
    dataset: str
    partner: str
    period: str | None
    landed_at: datetime
    settled_at: datetime | None = None
    outcome: BatchStatus | None = None
    rows: int | None = None
    quarantined: int | None = None
    key_accuracy: float | None = None
    overall: float | None = None
    meets_contract: bool | None = None
    reason: str | None = None


def open_attempt(session: Session, row: BatchRow, at: datetime) -> None:
    """Note that the bytes of an attempt have landed."""
    session.add(
        AttemptRow(
            batch_id=row.id,
            attempt=row.attempt,
            dataset=row.dataset,
            partner=row.partner,
            period=row.period,
            landed_at=at,
        )
    )


def judge_attempt(session: Session, row: BatchRow, verdict: Verdict) -> None:
    """Note what the checks found; an attempt that is checked again before it settles is corrected."""
    found = _unsettled(session, row)
    if found is None:
        return
    for name in ("rows", "quarantined", "key_accuracy", "overall"):
        setattr(found, name, getattr(verdict, name))
    found.meets_contract = verdict.meets_contract
    found.reason = verdict.reason[:1000] or None


def settle_attempt(session: Session, row: BatchRow, outcome: BatchStatus, at: datetime) -> None:
    """Note what became of an attempt, once."""
    found = _unsettled(session, row)
    if found is None:
        return
    found.outcome = outcome.value
    found.settled_at = at
    if outcome is BatchStatus.REFUSED:
        found.reason = (row.reason or "")[:1000] or None


def attempts(session: Session) -> tuple[Attempt, ...]:
    """Return every attempt, oldest first."""
    order = (AttemptRow.landed_at, AttemptRow.batch_id, AttemptRow.attempt)
    return tuple(_attempt(row) for row in session.scalars(select(AttemptRow).order_by(*order)))


def _unsettled(session: Session, row: BatchRow) -> AttemptRow | None:
    found = session.get(AttemptRow, (row.id, row.attempt))
    return found if found is not None and found.settled_at is None else None


def _attempt(row: AttemptRow) -> Attempt:
    names = {field.name for field in fields(Attempt)} - {"batch", "outcome"}
    return Attempt(
        batch=row.batch_id,
        outcome=None if row.outcome is None else BatchStatus(row.outcome),
        **{name: getattr(row, name) for name in names},
    )
