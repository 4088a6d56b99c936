"""Tables of the operational records: deliveries and publications, contracts, cards, worklist.

No table holds a value of a record about a person: batches are counted, never copied. The same
tables serve SQLite and PostgreSQL; their history is in `migrations/`.
"""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

from sqlalchemy import (
    JSON,
    BigInteger,
    DateTime,
    ForeignKey,
    Index,
    LargeBinary,
    String,
    UniqueConstraint,
)
from sqlalchemy.engine import Dialect
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column
from sqlalchemy.types import TypeDecorator


class Instant(TypeDecorator[datetime]):
    """A point in time, time zone aware on both sides; UTC in the database."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Return the instant as UTC; SQLite keeps no zone of its own."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("an instant without time zone cannot be recorded")
        utc = value.astimezone(UTC)
        return utc.replace(tzinfo=None) if dialect.name == "sqlite" else utc

    def process_result_value(
        self,
        value: datetime | None,
        dialect: Dialect,  # noqa: ARG002  # SQLAlchemy's signature
    ) -> datetime | None:
        """Return the instant time zone aware, in UTC."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


class Base(DeclarativeBase):
    """Base of every table; the map says which Python type is kept as what."""

    type_annotation_map = {  # noqa: RUF012  # read by SQLAlchemy as it stands
        datetime: Instant,
        dict[str, Any]: JSON,
        list[str]: JSON,
        str: String(200),
    }


class BatchRow(Base):
    """One thing a partner sent; the same bytes for the same dataset are one batch."""

    __tablename__ = "batch"
    __table_args__ = (
        UniqueConstraint("partner", "dataset", "sha256", name="batch_content"),
        Index("batch_dataset_status", "dataset", "status"),
    )

    id: Mapped[str] = mapped_column(primary_key=True)
    dataset: Mapped[str]
    partner: Mapped[str]
    period: Mapped[str | None]
    file_name: Mapped[str]
    sha256: Mapped[str] = mapped_column(String(64))
    size_bytes: Mapped[int] = mapped_column(BigInteger)
    mode: Mapped[str]
    declared: Mapped[dict[str, Any]]
    attempt: Mapped[int]
    begun: Mapped[int] = mapped_column(default=0)
    status: Mapped[str] = mapped_column(String(20))
    reason: Mapped[str | None] = mapped_column(String(4000))
    format: Mapped[str | None]
    encoding: Mapped[str | None]
    rows: Mapped[int | None] = mapped_column(BigInteger)
    accepted: Mapped[int | None] = mapped_column(BigInteger)
    quarantined: Mapped[int | None] = mapped_column(BigInteger)
    key_accuracy: Mapped[float | None]
    overall: Mapped[float | None]
    accuracy_failing: Mapped[int | None] = mapped_column(BigInteger)
    passed: Mapped[bool | None]
    verdict: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))
    landed_at: Mapped[datetime]
    delivered_at: Mapped[datetime]
    recorded_at: Mapped[datetime | None]
    checked_at: Mapped[datetime | None]
    loaded_at: Mapped[datetime | None]
    published_at: Mapped[datetime | None]
    published_version: Mapped[str | None]


class CheckResultRow(Base):
    """What one rule found in one batch."""

    __tablename__ = "batch_check"

    batch_id: Mapped[str] = mapped_column(
        ForeignKey("batch.id", ondelete="CASCADE"), primary_key=True
    )
    position: Mapped[int] = mapped_column(primary_key=True)
    rule: Mapped[str]
    columns: Mapped[list[str]]
    severity: Mapped[str] = mapped_column(String(20))
    dimension: Mapped[str] = mapped_column(String(40))
    title: Mapped[str] = mapped_column(String(1000))
    remedy: Mapped[str] = mapped_column(String(1000))
    failing: Mapped[int] = mapped_column(BigInteger)
    evaluated: Mapped[int] = mapped_column(BigInteger)
    kind: Mapped[str | None]
    key_field: Mapped[bool | None]
    by_row: Mapped[bool | None]
    passed: Mapped[bool | None]


class ChangeCountRow(Base):
    """How often one named transform changed one column of one batch."""

    __tablename__ = "batch_change"

    batch_id: Mapped[str] = mapped_column(
        ForeignKey("batch.id", ondelete="CASCADE"), primary_key=True
    )
    column: Mapped[str] = mapped_column("column_name", primary_key=True)
    transform: Mapped[str] = mapped_column(primary_key=True)
    count: Mapped[int] = mapped_column("changed", BigInteger)


class PublicationRow(Base):
    """One snapshot that was put into service."""

    __tablename__ = "publication"

    version: Mapped[str] = mapped_column(primary_key=True)
    published_at: Mapped[datetime]
    lake_snapshot: Mapped[int | None] = mapped_column(BigInteger)


class PublicationBatchRow(Base):
    """A batch that a publication was the first to show."""

    __tablename__ = "publication_batch"

    version: Mapped[str] = mapped_column(
        ForeignKey("publication.version", ondelete="CASCADE"), primary_key=True
    )
    batch_id: Mapped[str] = mapped_column(ForeignKey("batch.id"), primary_key=True)


class ContractVersionRow(Base):
    """A version of a dataset's contract that data was loaded under; the newest has the highest id."""

    __tablename__ = "contract_version"
    __table_args__ = (UniqueConstraint("dataset", "version", name="contract_version_once"),)

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=True)
    dataset: Mapped[str]
    version: Mapped[str]
    digest: Mapped[str] = mapped_column(String(64))
    document: Mapped[dict[str, Any]]
    first_used_at: Mapped[datetime]


class AttemptRow(Base):
    """What became of one attempt to deliver a batch; a settled row is never rewritten."""

    __tablename__ = "batch_attempt"

    batch_id: Mapped[str] = mapped_column(
        ForeignKey("batch.id", ondelete="CASCADE"), primary_key=True
    )
    attempt: Mapped[int] = mapped_column(primary_key=True)
    dataset: Mapped[str]
    partner: Mapped[str]
    period: Mapped[str | None]
    landed_at: Mapped[datetime]
    settled_at: Mapped[datetime | None]
    outcome: Mapped[str | None] = mapped_column(String(20))
    rows: Mapped[int | None] = mapped_column(BigInteger)
    quarantined: Mapped[int | None] = mapped_column(BigInteger)
    key_accuracy: Mapped[float | None]
    overall: Mapped[float | None]
    meets_contract: Mapped[bool | None]
    reason: Mapped[str | None] = mapped_column(String(1000))


class WatchRow(Base):
    """The day from which a dataset's deliveries are expected."""

    __tablename__ = "dataset_watch"

    dataset: Mapped[str] = mapped_column(primary_key=True)
    since: Mapped[date]


class CardActRow(Base):
    """What somebody did about a quality card; only ever added to."""

    __tablename__ = "card_act"

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=True)
    card: Mapped[str] = mapped_column(String(40), index=True)
    act: Mapped[str] = mapped_column(String(20))
    actor: Mapped[str]
    reason: Mapped[str] = mapped_column(String(500))
    until: Mapped[date | None]
    granted: Mapped[bool | None]
    at: Mapped[datetime]


class StepColumns:
    """What every outbox keeps of a step that the ledger is told (see `hub.store.outbox`).

    `body` is the event, `ledger_from` the ledger's size before the entry was first tried, `entry`
    its index once it is known to be there.
    """

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=True)
    body: Mapped[dict[str, Any]]
    ledger_from: Mapped[int] = mapped_column(BigInteger)
    entry: Mapped[int | None] = mapped_column(BigInteger, index=True)


class CardStepRow(StepColumns, Base):
    """A step in a card's life and the ledger entry that tells it."""

    __tablename__ = "card_step"
    __table_args__ = (UniqueConstraint("card", "step_key", name="card_step_once"),)

    card: Mapped[str] = mapped_column(String(40))
    key: Mapped[str] = mapped_column("step_key", String(60))


class AgreementRow(Base):
    """How often departments say the same about the same persons, as of one publication."""

    __tablename__ = "agreement"

    version: Mapped[str] = mapped_column(primary_key=True)
    scope: Mapped[str] = mapped_column(String(20), primary_key=True)
    field: Mapped[str] = mapped_column(primary_key=True)
    one: Mapped[str] = mapped_column(primary_key=True)
    other: Mapped[str] = mapped_column(primary_key=True)
    compared: Mapped[int] = mapped_column(BigInteger)
    agreeing: Mapped[int] = mapped_column(BigInteger)


class FieldSampleRow(Base):
    """A sample drawn to be checked in the field; who is in it follows from its seed."""

    __tablename__ = "field_sample"
    __table_args__ = (Index("field_sample_dataset", "dataset", "returned_at"),)

    id: Mapped[str] = mapped_column(primary_key=True)
    dataset: Mapped[str]
    department: Mapped[str]
    month: Mapped[str] = mapped_column(String(7))
    version: Mapped[str]
    digits: Mapped[int]
    seed: Mapped[str]
    drawn_by: Mapped[str]
    case_ref: Mapped[str]
    population: Mapped[int] = mapped_column(BigInteger)
    size: Mapped[int]
    drawn_at: Mapped[datetime]
    returned_at: Mapped[datetime | None]
    ledger_from: Mapped[int | None] = mapped_column(BigInteger)
    ledger_entry: Mapped[int | None] = mapped_column(BigInteger)


class FieldStratumRow(Base):
    """One stratum of a sample: how many were drawn, and what was found; never about whom."""

    __tablename__ = "field_stratum"

    sample_id: Mapped[str] = mapped_column(
        ForeignKey("field_sample.id", ondelete="CASCADE"), primary_key=True
    )
    stratum: Mapped[str] = mapped_column(primary_key=True)
    population: Mapped[int] = mapped_column(BigInteger)
    drawn: Mapped[int]
    agreed: Mapped[int | None]
    wrong: Mapped[int | None]
    unreachable: Mapped[int | None]
    wrong_by_field: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))


class WorklistItemRow(Base):
    """One conflict between departments and where its review stands; it names nobody."""

    __tablename__ = "worklist_item"
    __table_args__ = (Index("worklist_department_state", "department", "state"),)

    id: Mapped[str] = mapped_column(String(40), primary_key=True)
    kind: Mapped[str] = mapped_column(String(60))
    title: Mapped[str]
    department: Mapped[str]
    state: Mapped[str] = mapped_column(String(20))
    evidence: Mapped[str] = mapped_column(String(32))
    datasets: Mapped[list[str]]
    batches: Mapped[list[str]]
    first_version: Mapped[str]
    first_seen_at: Mapped[datetime]
    last_version: Mapped[str]
    last_seen_at: Mapped[datetime]
    resolved_at: Mapped[datetime | None]
    times_reopened: Mapped[int]
    exported_at: Mapped[datetime | None]
    conclusion: Mapped[str | None] = mapped_column(String(20))
    concluded_by: Mapped[str | None]
    concluded_at: Mapped[datetime | None]
    handed_from: Mapped[str | None]
    remark: Mapped[bytes | None] = mapped_column(LargeBinary)


class WorklistCheckRow(Base):
    """A publication against which the worklist was checked, and what that changed."""

    __tablename__ = "worklist_check"

    version: Mapped[str] = mapped_column(primary_key=True)
    checked_at: Mapped[datetime]
    appeared: Mapped[int]
    resolved: Mapped[int]
    reopened: Mapped[int]
    standing: Mapped[int]
