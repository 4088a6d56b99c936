"""Operational records: which batch came when, what was found, what was published.

The only maker of database engines. SQLite in WAL mode by default; any other SQLAlchemy URL
works too, because nothing here is written in one database's own dialect. Times are arguments.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from alembic import command
from alembic.config import Config
from alembic.util import CommandError
from sqlalchemy import URL, Connection, Engine, create_engine, event, func, make_url, select
from sqlalchemy.exc import DBAPIError, IntegrityError
from sqlalchemy.orm import Session

from hub.config import Settings
from hub.errors import ConfigError, NotFound, RequestError
from hub.store.attempts import judge_attempt, open_attempt, settle_attempt
from hub.store.batches import (
    ACCEPTED,
    STEPS,
    Arrival,
    Batch,
    BatchStatus,
    ChangeRow,
    CheckRow,
    Publication,
    Quality,
    Registered,
    Verdict,
)
from hub.store.models import BatchRow, PublicationBatchRow, PublicationRow
from hub.store.rows import (
    batch_of,
    new_row,
    publication_of,
    quality_of,
    replace_details,
    restart,
    verdict_of,
)

__all__ = [
    "ACCEPTED",
    "STEPS",
    "Arrival",
    "Batch",
    "BatchStatus",
    "ChangeRow",
    "CheckRow",
    "Publication",
    "Quality",
    "Records",
    "Registered",
    "Verdict",
]

_STAMPS = {
    BatchStatus.CHECKED: "checked_at",
    BatchStatus.STOPPED: "checked_at",
    BatchStatus.LOADED: "loaded_at",
    BatchStatus.PUBLISHED: "published_at",
}
_FIGURES = (
    "rows", "accepted", "quarantined", "key_accuracy", "overall", "passed", "accuracy_failing",
)  # fmt: skip
_LOCK_SECONDS = 30


class Records:
    """The records of one installation; safe for several threads and processes at once."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._reading = engine.execution_options(reads_only=True)
        self._file = _file_of(engine.url)

    @classmethod
    def open(cls, settings: Settings) -> Records:
        """Return the records of the settings' home, made or migrated where needed."""
        settings.records.parent.mkdir(parents=True, exist_ok=True)
        _touch_private(settings.records)
        records = cls.connect(URL.create("sqlite", database=str(settings.records)))
        records.upgrade()
        return records

    @classmethod
    def connect(cls, url: str | URL) -> Records:
        """Return the records behind a database URL, as they stand (see `upgrade`)."""
        return cls(_engine(make_url(url)))

    def upgrade(self) -> None:
        """Bring the tables to the newest revision; does nothing when they are.

        Raises:
            ConfigError: when the database cannot be opened or is newer than this version.
        """
        config = Config()
        folder = str(Path(__file__).parent / "migrations")
        config.set_main_option("script_location", folder.replace("%", "%%"))
        config.set_main_option("path_separator", "os")
        try:
            with self._engine.begin() as connection:
                config.attributes["connection"] = connection
                command.upgrade(config, "head")
        except (DBAPIError, CommandError) as exc:
            raise ConfigError(
                "the operational records cannot be opened or migrated: check that the disk is "
                "writable and that no newer version of the hub has used them"
            ) from exc

    def is_there(self) -> bool:
        """Say whether the records' file is still the one that was opened.

        A connection goes on reading a file that was deleted or replaced. Always true of another
        database than SQLite, which then does not answer.
        """
        return _file_of(self._engine.url) == self._file

    def close(self) -> None:
        """Let go of every connection."""
        self._engine.dispose()

    @contextmanager
    def reading(self) -> Iterator[Session]:
        """Yield a session that only reads; for the stores that keep their tables here too."""
        with Session(self._reading) as session:
            yield session

    @contextmanager
    def writing(self) -> Iterator[Session]:
        """Yield a session in one transaction that holds the write lock; committed on leaving."""
        with Session(self._engine) as session, session.begin():
            yield session

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    # -- batches

    def register_batch(self, arrival: Arrival, at: datetime) -> Registered:
        """Record an arrival; the same bytes of a partner for a dataset are one batch.

        Bytes that were refused or stopped get a new attempt when they are sent again (their
        manifest or the contract may have been mended); all others are recognised and stay.
        """
        try:
            return self._register(arrival, at)
        except IntegrityError:  # another process was first between our look and our insert
            return self._register(arrival, at)

    def _register(self, arrival: Arrival, at: datetime) -> Registered:
        with self.writing() as session:
            same = select(BatchRow).where(
                BatchRow.partner == arrival.partner,
                BatchRow.dataset == arrival.dataset,
                BatchRow.sha256 == arrival.sha256,
            )
            row = session.scalars(same.with_for_update()).one_or_none()
            if row is None:
                row = new_row(arrival, at)
                session.add(row)
                session.flush()
                open_attempt(session, row, at)
                return Registered(batch_of(row), is_new=True)
            again = BatchStatus.LANDED in STEPS[BatchStatus(row.status)]
            row.delivered_at = at
            if again:
                restart(row, arrival)
                open_attempt(session, row, at)
            session.flush()
            return Registered(batch_of(row), is_new=again)

    def mark_recorded(self, batch_id: str, at: datetime) -> None:
        """Note that the ledger has the landing of this attempt."""
        with self.writing() as session:
            _row(session, batch_id).recorded_at = at

    def batch(self, batch_id: str) -> Batch:
        """Return a batch.

        Raises:
            NotFound: when there is none of that id.
        """
        with self.reading() as session:
            return batch_of(_row(session, batch_id, lock=False))

    def begin(self, batch_id: str) -> int:
        """Note, durably, that the check of a batch begins; return how often it was begun by now.

        Whoever is killed in the middle leaves the count, and so a trace of it.
        """
        with self.writing() as session:
            row = _row(session, batch_id)
            row.begun += 1
            return row.begun

    def put_off(self, batch_id: str) -> None:
        """Take one beginning back: what stopped it was not the batch."""
        with self.writing() as session:
            row = _row(session, batch_id)
            row.begun = max(0, row.begun - 1)

    def advance(
        self,
        batch_id: str,
        status: BatchStatus,
        at: datetime,
        *,
        reason: str | None = None,
        **details: str | int | None,
    ) -> Batch:
        """Take a batch one step further.

        Args:
            reason: why, free of personal data.
            details: further facts learnt: rows, format, encoding, published_version.

        Raises:
            RequestError: when `STEPS` has no such step.
        """
        with self.writing() as session:
            row = _row(session, batch_id)
            _step(row, status, at)
            if reason is not None:
                row.reason = reason[:4000]
            for name, value in details.items():
                if name not in ("rows", "format", "encoding", "published_version"):
                    raise RequestError(f"a batch keeps no {name!r} on a step")
                setattr(row, name, value)
            if status is BatchStatus.LOADED:
                settle_attempt(session, row, status, row.checked_at or at)
            elif status is BatchStatus.REFUSED:
                settle_attempt(session, row, status, at)
            return batch_of(row)

    def pending(
        self,
        dataset: str | None = None,
        statuses: Sequence[BatchStatus] = (BatchStatus.LANDED,),
    ) -> tuple[Batch, ...]:
        """Return the batches that stand at these statuses, oldest delivery first."""
        query = select(BatchRow).where(BatchRow.status.in_([s.value for s in statuses]))
        if dataset is not None:
            query = query.where(BatchRow.dataset == dataset)
        return self._batches(query.order_by(BatchRow.delivered_at, BatchRow.id))

    def batches(self, limit: int = 100) -> tuple[Batch, ...]:
        """Return batches of all partners, newest delivery first."""
        newest = select(BatchRow).order_by(BatchRow.delivered_at.desc(), BatchRow.id.desc())
        return self._batches(newest.limit(limit))

    def batches_of(
        self, partner: str, limit: int = 100, dataset: str | None = None
    ) -> tuple[Batch, ...]:
        """Return one partner's batches, newest delivery first."""
        query = select(BatchRow).where(BatchRow.partner == partner)
        if dataset is not None:
            query = query.where(BatchRow.dataset == dataset)
        newest = query.order_by(BatchRow.delivered_at.desc(), BatchRow.id.desc())
        return self._batches(newest.limit(limit))

    def latest_accepted(self, dataset: str, partner: str | None = None) -> Batch | None:
        """Return the batch delivered last among those that passed their checks, or None."""
        query = select(BatchRow).where(
            BatchRow.dataset == dataset, BatchRow.status.in_([s.value for s in ACCEPTED])
        )
        if partner is not None:
            query = query.where(BatchRow.partner == partner)
        newest = query.order_by(BatchRow.landed_at.desc(), BatchRow.id.desc())
        return next(iter(self._batches(newest.limit(1))), None)

    def _batches(self, query: Any) -> tuple[Batch, ...]:
        with self.reading() as session:
            return tuple(batch_of(row) for row in session.scalars(query))

    # -- verdicts

    def save_verdict(self, batch_id: str, verdict: Verdict, at: datetime) -> Batch:
        """Record what the checks found and take the batch to `checked` or `stopped`.

        One transaction: either the whole verdict is there and the step is taken, or neither.
        """
        status = BatchStatus.CHECKED if verdict.passed else BatchStatus.STOPPED
        with self.writing() as session:
            row = _row(session, batch_id)
            _step(row, status, at)
            for name in _FIGURES:
                setattr(row, name, getattr(verdict, name))
            row.reason = verdict.reason[:4000] or None
            row.verdict = dict(verdict.document)
            replace_details(session, batch_id, verdict)
            judge_attempt(session, row, verdict)
            if status is BatchStatus.STOPPED:
                settle_attempt(session, row, status, at)
            return batch_of(row)

    def verdict(self, batch_id: str) -> Verdict | None:
        """Return the latest verdict on a batch, or None before its first check."""
        with self.reading() as session:
            row = _row(session, batch_id, lock=False)
            if row.passed is None:
                return None
            return verdict_of(session, row)

    def quality(self) -> tuple[Quality, ...]:
        """Return the latest verdict per dataset and partner, by dataset."""
        rank = func.row_number().over(
            partition_by=(BatchRow.dataset, BatchRow.partner),
            order_by=(BatchRow.checked_at.desc(), BatchRow.id.desc()),
        )
        ranked = select(BatchRow.id, rank.label("rank")).where(BatchRow.passed.is_not(None))
        latest = ranked.subquery()
        query = (
            select(BatchRow)
            .join(latest, (latest.c.id == BatchRow.id) & (latest.c.rank == 1))
            .order_by(BatchRow.dataset, BatchRow.partner)
        )
        with self.reading() as session:
            return tuple(quality_of(row) for row in session.scalars(query))

    # -- publications

    def add_publication(
        self,
        version: str,
        batches: Iterable[str],
        at: datetime,
        lake_snapshot: int | None = None,
    ) -> Publication:
        """Record a publication and take its batches to `published`, in one transaction.

        The same version again changes nothing: a killed run may say it twice.
        """
        with self.writing() as session:
            if (known := session.get(PublicationRow, version)) is not None:
                return publication_of(session, known)
            row = PublicationRow(version=version, published_at=at, lake_snapshot=lake_snapshot)
            session.add(row)
            session.flush()
            for batch_id in batches:
                batch = _row(session, batch_id)
                _step(batch, BatchStatus.PUBLISHED, at)
                batch.published_version = version
                session.add(PublicationBatchRow(version=version, batch_id=batch_id))
            session.flush()
            return publication_of(session, row)

    def publications(self, limit: int = 20) -> tuple[Publication, ...]:
        """Return publications, newest first."""
        newest = select(PublicationRow).order_by(
            PublicationRow.published_at.desc(), PublicationRow.version.desc()
        )
        with self.reading() as session:
            rows = session.scalars(newest.limit(limit))
            return tuple(publication_of(session, row) for row in rows)


def _engine(url: URL) -> Engine:
    if url.get_backend_name() != "sqlite":
        return create_engine(url, pool_pre_ping=True)
    engine = create_engine(url, connect_args={"timeout": _LOCK_SECONDS})
    event.listen(engine, "connect", _prepare_sqlite)
    event.listen(engine, "begin", _begin_sqlite)
    return engine


def _prepare_sqlite(connection: Any, _: Any) -> None:
    connection.isolation_level = None  # the driver must not begin transactions of its own
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON"):
        connection.execute(f"PRAGMA {pragma}").close()


def _begin_sqlite(connection: Connection) -> None:
    """Take the write lock at once: a transaction that reads before it writes would fail, not wait.

    Those that only read take none, so that no reader waits for a writer.
    """
    reads_only = connection.get_execution_options().get("reads_only", False)
    connection.exec_driver_sql("BEGIN" if reads_only else "BEGIN IMMEDIATE")


def _file_of(url: URL) -> tuple[int, int] | None:
    """Return what tells a database's file from every other, None where there is no file."""
    if url.get_backend_name() != "sqlite" or url.database in (None, "", ":memory:"):
        return None
    try:
        found = Path(str(url.database)).stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino


def _touch_private(path: Path) -> None:
    if not path.exists():
        path.touch(mode=0o600)


def _row(session: Session, batch_id: str, *, lock: bool = True) -> BatchRow:
    row = session.get(BatchRow, batch_id, with_for_update=True if lock else None)
    if row is None:
        raise NotFound("no such batch: `hub status` lists them")
    return row


def _step(row: BatchRow, status: BatchStatus, at: datetime) -> None:
    if status not in STEPS[BatchStatus(row.status)]:
        raise RequestError(f"batch {row.id} is {row.status} and cannot become {status}")
    row.status = status.value
    if (stamp := _STAMPS.get(status)) is not None:
        setattr(row, stamp, at)
