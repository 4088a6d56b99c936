"""The recorded facts that every figure of quality is derived from, read in few queries.

Figures are never stored: the same facts give the same figures, whenever they are asked for. What
the departments say of the same persons is counted once, at publication, and kept per version.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields
from datetime import datetime

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from hub.store.batches import ACCEPTED, BatchStatus, CheckRow
from hub.store.models import AgreementRow, BatchRow, CheckResultRow
from hub.store.records import Records
from hub.store.rows import check_of
from hub.store.samples import FieldSample, samples_of

_MONTH = re.compile(r"(20\d{2})-?(0[1-9]|1[0-2])")
_CHUNK = 500  # batches per query of their checks: databases bound the parameters of one


@dataclass(frozen=True, slots=True)
class BatchFacts:
    """What is recorded of one delivery that was checked, or could not be read.

    Args:
        department: who delivered it.
        month: YYYY-MM it is about; where its period names none, the month it arrived in.
        mode: "full" when it is the whole dataset, "append" when it adds to it.
        key_failing: rows with any error on a key field; None when it was not checked.
        accuracy_failing: rows failing an accuracy rule on a key field; None where not counted.
        version: the publication that was the first to show it, or None.
    """

    batch: str
    dataset: str
    department: str
    period: str | None
    month: str
    mode: str
    status: BatchStatus
    delivered_at: datetime
    rows: int
    accepted: int
    quarantined: int
    key_failing: int | None
    accuracy_failing: int | None
    version: str | None
    checks: tuple[CheckRow, ...] = ()

    @property
    def is_readable(self) -> bool:
        """Whether it could be read and checked at all."""
        return self.key_failing is not None

    @property
    def is_accepted(self) -> bool:
        """Whether it reached its publish bar."""
        return self.status in ACCEPTED


@dataclass(frozen=True, slots=True)
class Agreement:
    """Persons of whom two sides both say something, and of how many they say the same.

    Args:
        scope: "pair" of two departments on one field, "linked" where that is the field by which
            persons are linked; "dataset" or "department" against all other departments on every
            other field at once, `other` and `field` being empty.
    """

    version: str
    scope: str
    field: str
    one: str
    other: str
    compared: int
    agreeing: int


@dataclass(frozen=True, slots=True)
class QualityFacts:
    """Every recorded fact about quality.

    Args:
        batches: in order of delivery.
        agreements: of every publication.
        versions: publications, oldest first.
        samples: in order of drawing.
    """

    batches: tuple[BatchFacts, ...] = ()
    agreements: tuple[Agreement, ...] = ()
    versions: tuple[str, ...] = ()
    samples: tuple[FieldSample, ...] = ()


def read_facts(records: Records) -> QualityFacts:
    """Return every recorded fact about quality."""
    with records.reading() as session:
        seen = select(BatchRow).where(
            BatchRow.passed.is_not(None) | (BatchRow.status == BatchStatus.REFUSED.value)
        )
        rows = session.scalars(seen.order_by(BatchRow.delivered_at, BatchRow.id)).all()
        checks = _checks(session, [row.id for row in rows])
        agreements = session.scalars(
            select(AgreementRow).order_by(*AgreementRow.__mapper__.primary_key)
        )
        known = tuple(_agreement(row) for row in agreements)
        return QualityFacts(
            batches=tuple(_batch(row, tuple(checks.get(row.id, ()))) for row in rows),
            agreements=known,
            versions=tuple(sorted({row.version for row in known})),
            samples=samples_of(session),
        )


def save_agreements(records: Records, version: str, rows: Iterable[Agreement]) -> None:
    """Record what a publication found, in place of what was recorded of it before."""
    with records.writing() as session:
        session.execute(delete(AgreementRow).where(AgreementRow.version == version))
        session.add_all(
            AgreementRow(**{f.name: getattr(row, f.name) for f in fields(Agreement)})
            for row in rows
        )


def month_of(period: str | None, arrived: datetime) -> str:
    """Return the month, YYYY-MM, that a delivery is about.

    >>> month_of("2026-06-15", datetime(2026, 7, 2)), month_of("2026Q2", datetime(2026, 7, 2))
    ('2026-06', '2026-07')
    """
    found = _MONTH.match(period or "")
    return f"{found[1]}-{found[2]}" if found else f"{arrived:%Y-%m}"


def _checks(session: Session, batches: Sequence[str]) -> dict[str, list[CheckRow]]:
    found: dict[str, list[CheckRow]] = {}
    for start in range(0, len(batches), _CHUNK):
        some = batches[start : start + _CHUNK]
        query = select(CheckResultRow).where(CheckResultRow.batch_id.in_(some))
        ordered = query.order_by(CheckResultRow.batch_id, CheckResultRow.position)
        for row in session.scalars(ordered):
            found.setdefault(row.batch_id, []).append(check_of(row))
    return found


def _batch(row: BatchRow, checks: tuple[CheckRow, ...]) -> BatchFacts:
    refused = row.status == BatchStatus.REFUSED.value  # what an earlier attempt found is no fact
    rows = 0 if refused else row.rows or 0
    share = row.key_accuracy
    failing = None if refused else round((1 - share) * rows) if share is not None else 0
    return BatchFacts(
        batch=row.id,
        dataset=row.dataset,
        department=row.partner,
        period=row.period,
        month=month_of(row.period, row.delivered_at),
        mode=row.mode,
        status=BatchStatus(row.status),
        delivered_at=row.delivered_at,
        rows=rows,
        accepted=0 if refused else row.accepted or 0,
        quarantined=0 if refused else row.quarantined or 0,
        key_failing=failing,
        accuracy_failing=None if refused else row.accuracy_failing,
        version=row.published_version,
        checks=() if refused else checks,
    )


def _agreement(row: AgreementRow) -> Agreement:
    return Agreement(**{f.name: getattr(row, f.name) for f in fields(Agreement)})
