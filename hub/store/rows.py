"""Between the tables of the records and the values everybody else reads."""

from __future__ import annotations

import hashlib
from dataclasses import fields
from datetime import datetime
from typing import Any

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from hub.store.batches import (
    Arrival,
    Batch,
    BatchStatus,
    ChangeRow,
    CheckRow,
    Publication,
    Quality,
    Verdict,
    safe_file_name,
)
from hub.store.models import (
    BatchRow,
    ChangeCountRow,
    CheckResultRow,
    PublicationBatchRow,
    PublicationRow,
)


def new_row(arrival: Arrival, at: datetime) -> BatchRow:
    """Return the row of bytes that have not been here before."""
    content = "\0".join((arrival.partner, arrival.dataset, arrival.sha256))
    digest = hashlib.sha256(content.encode()).hexdigest()
    return BatchRow(
        id=f"{at:%Y%m%d}-{digest[:16]}",
        dataset=arrival.dataset,
        partner=arrival.partner,
        sha256=arrival.sha256,
        size_bytes=arrival.size_bytes,
        attempt=1,
        status=BatchStatus.LANDED.value,
        landed_at=at,
        delivered_at=at,
        **_told(arrival),
    )


def _told(arrival: Arrival) -> dict[str, Any]:
    """Return what the partner may tell differently about the same bytes."""
    return {
        "file_name": safe_file_name(arrival.file_name, (arrival.dataset, arrival.partner)),
        "mode": arrival.mode,
        "period": arrival.period,
        "declared": dict(arrival.declared),
    }


def restart(row: BatchRow, arrival: Arrival) -> None:
    """Give refused or stopped bytes another attempt, with what is now told about them."""
    for name, value in _told(arrival).items():
        setattr(row, name, value)
    row.attempt += 1
    row.begun = 0
    row.status = BatchStatus.LANDED.value
    row.reason = row.recorded_at = None


def replace_details(session: Session, batch_id: str, verdict: Verdict) -> None:
    """Keep a verdict's counts in place of those of an earlier check."""
    for table in (CheckResultRow, ChangeCountRow):
        session.execute(delete(table).where(table.batch_id == batch_id))
    session.add_all(
        CheckResultRow(
            batch_id=batch_id,
            position=position,
            rule=check.rule,
            columns=list(check.columns),
            severity=check.severity,
            dimension=check.dimension,
            title=check.title[:1000],
            remedy=check.remedy[:1000],
            failing=check.failing,
            evaluated=check.evaluated,
            kind=check.kind or None,
            key_field=check.key_field,
            by_row=check.by_row,
            passed=check.passed,
        )
        for position, check in enumerate(verdict.checks)
    )
    session.add_all(
        ChangeCountRow(batch_id=batch_id, column=c.column, transform=c.transform, count=c.count)
        for c in verdict.changes
    )


def _checks(session: Session, batch_id: str) -> tuple[CheckRow, ...]:
    query = select(CheckResultRow).where(CheckResultRow.batch_id == batch_id)
    rows = session.scalars(query.order_by(CheckResultRow.position))
    return tuple(check_of(row) for row in rows)


def check_of(row: CheckResultRow) -> CheckRow:
    """Return what one rule found as a value."""
    return CheckRow(
        rule=row.rule,
        columns=tuple(row.columns),
        severity=row.severity,
        dimension=row.dimension,
        title=row.title,
        remedy=row.remedy,
        failing=row.failing,
        evaluated=row.evaluated,
        kind=row.kind or "",
        key_field=bool(row.key_field),
        by_row=row.by_row is not False,
        passed=row.passed,
    )


def _changes(session: Session, batch_id: str) -> tuple[ChangeRow, ...]:
    query = select(ChangeCountRow).where(ChangeCountRow.batch_id == batch_id)
    ordered = query.order_by(ChangeCountRow.column, ChangeCountRow.transform)
    rows = session.scalars(ordered)
    return tuple(ChangeRow(row.column, row.transform, row.count) for row in rows)


def batch_of(row: BatchRow) -> Batch:
    """Return a batch as a value."""
    values = {field.name: getattr(row, field.name) for field in fields(Batch)}
    return Batch(**{**values, "status": BatchStatus(row.status)})


def verdict_of(session: Session, row: BatchRow) -> Verdict:
    """Return the verdict on a checked batch as a value."""
    return Verdict(
        rows=row.rows or 0,
        accepted=row.accepted or 0,
        quarantined=row.quarantined or 0,
        key_accuracy=row.key_accuracy,
        overall=row.overall,
        passed=bool(row.passed),
        reason=row.reason or "",
        checks=_checks(session, row.id),
        changes=_changes(session, row.id),
        document=row.verdict or {},
        accuracy_failing=row.accuracy_failing,
    )


def quality_of(row: BatchRow) -> Quality:
    """Return a checked batch as a line of the quality table."""
    return Quality(
        dataset=row.dataset,
        partner=row.partner,
        batch_id=row.id,
        period=row.period,
        status=BatchStatus(row.status),
        checked_at=row.checked_at,
        rows=row.rows or 0,
        accepted=row.accepted or 0,
        quarantined=row.quarantined or 0,
        key_accuracy=row.key_accuracy,
        overall=row.overall,
        passed=bool(row.passed),
        reason=row.reason,
    )


def publication_of(session: Session, row: PublicationRow) -> Publication:
    """Return a publication as a value."""
    query = select(PublicationBatchRow.batch_id).where(PublicationBatchRow.version == row.version)
    batches = tuple(session.scalars(query.order_by(PublicationBatchRow.batch_id)))
    return Publication(row.version, row.published_at, batches, row.lake_snapshot)
