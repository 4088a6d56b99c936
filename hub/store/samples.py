"""Samples drawn to be checked in the field: when, by which seed, and how many were right.

No row says who was in a sample or what was found of whom: counts per stratum only. Who asked and
for which case are the ledger's keyed pseudonyms.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from hub.errors import NotFound, RequestError
from hub.events import AuditEvent, EventTag
from hub.ledger.writer import Entry
from hub.store.models import FieldSampleRow, FieldStratumRow
from hub.store.outbox import Log
from hub.store.records import Records

_CHUNK = 1000
#: What is said of a sample that there is not, and of one that is not the asker's.
NO_SAMPLE = "没有这个样本。 / No such sample: `hub quality show DATASET` lists those drawn."


@dataclass(frozen=True, slots=True)
class Stratum:
    """One stratum of a sample; the counts are None until the worksheet is back.

    Args:
        stratum: division code that all its records lie in.
        population: records it was drawn from.
        agreed: drawn records that were right in every field.
        wrong: drawn records that were wrong in some field.
        unreachable: drawn records that could not be verified.
        wrong_by_field: field -> records wrong in it; one record may be wrong in several.
    """

    stratum: str
    population: int
    drawn: int
    agreed: int | None = None
    wrong: int | None = None
    unreachable: int | None = None
    wrong_by_field: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class FieldSample:
    """One sample.

    Args:
        month: YYYY-MM of the newest delivery it was drawn from.
        version: the publication it was drawn from.
        digits: length of the division codes that are its strata.
        seed: from which, with the version, the drawing can be repeated.
        drawn_by: keyed pseudonym of who asked, hexadecimal.
        case_ref: keyed commitment to the case reference, hexadecimal.
        ledger_from: size of the ledger when the result was written down.
        ledger_entry: the entry that tells the result.
    """

    id: str
    dataset: str
    department: str
    month: str
    version: str
    digits: int
    seed: str
    drawn_by: str
    case_ref: str
    population: int
    size: int
    drawn_at: datetime
    returned_at: datetime | None = None
    strata: tuple[Stratum, ...] = ()
    ledger_from: int | None = None
    ledger_entry: int | None = None

    @property
    def has_chosen_seed(self) -> bool:
        """Whether somebody picked the seed: whoever can try seeds can try until one flatters."""
        return self.seed != seed_of(self.dataset, self.version)

    @property
    def is_untold(self) -> bool:
        """Whether a result is written down that the ledger may not have."""
        return self.ledger_from is not None and self.ledger_entry is None

    @property
    def is_back(self) -> bool:
        """Whether there is a result that counts: returned, and told to the ledger."""
        return self.returned_at is not None and not self.is_untold


def seed_of(dataset: str, version: str) -> str:
    """Return the seed that the facts themselves give, one for all strata: nobody picks it."""
    return hashlib.sha256(f"{dataset}\0{version}".encode()).hexdigest()[:16]


class Samples:
    """The samples of one installation."""

    def __init__(self, records: Records) -> None:
        self._records = records

    def add(self, sample: FieldSample) -> None:
        """Record a sample that is being drawn.

        Raises:
            RequestError: as `require_drawable`.
        """
        with self._records.writing() as session:
            _require_drawable(session, sample.dataset, sample.version, sample.seed)
            values = {f.name: getattr(sample, f.name) for f in fields(FieldSample)}
            strata: Sequence[Stratum] = values.pop("strata")
            session.add(FieldSampleRow(**values))
            session.flush()
            session.add_all(
                FieldStratumRow(
                    sample_id=sample.id,
                    stratum=s.stratum,
                    population=s.population,
                    drawn=s.drawn,
                )
                for s in strata
            )

    def require_drawable(self, dataset: str, version: str, seed: str) -> None:
        """Refuse where a sample of a dataset and publication is in the field or has its result.

        The facts give one sample of a publication; were it drawn again when it is back, it could
        be answered until it flatters. One of a chosen seed proves nothing and may follow.

        Raises:
            RequestError: with the sample's id and the remedy.
        """
        with self._records.reading() as session:
            _require_drawable(session, dataset, version, seed)

    def all(self) -> tuple[FieldSample, ...]:
        """Return every sample, in order of drawing."""
        with self._records.reading() as session:
            return samples_of(session)

    def of(self, sample_id: str) -> FieldSample:
        """Return a sample.

        Raises:
            NotFound: when there is none of that id.
        """
        with self._records.reading() as session:
            row = session.get(FieldSampleRow, sample_id)
            if row is None:
                raise NotFound(NO_SAMPLE)
            return _sample(row, _strata(session, sample_id))

    def save_result(
        self, sample_id: str, strata: Sequence[Stratum], at: datetime, ledger_size: int
    ) -> FieldSample:
        """Record what the field found, once; the ledger is told next (`tell_return`).

        Args:
            ledger_size: size of the ledger before anybody could have told it.

        Raises:
            NotFound: when there is no such sample.
            RequestError: when its worksheet has been returned already.
        """
        with self._records.writing() as session:
            row = session.get(FieldSampleRow, sample_id, with_for_update=True)
            if row is None:
                raise NotFound(NO_SAMPLE)
            if row.returned_at is not None:
                raise RequestError(
                    f"sample {sample_id} was returned on {row.returned_at:%Y-%m-%d}; "
                    "a result is not replaced: draw from the next publication"
                )
            row.returned_at, row.ledger_from = at, ledger_size
            for found in strata:
                kept = session.get_one(FieldStratumRow, (sample_id, found.stratum))
                kept.agreed, kept.wrong = found.agreed, found.wrong
                kept.unreachable = found.unreachable
                kept.wrong_by_field = dict(found.wrong_by_field)
            session.flush()
            return _sample(row, _strata(session, sample_id))

    def is_untold(self, sample_id: str) -> bool:
        """Say whether a sample was returned and the ledger may not have it."""
        with self._records.reading() as session:
            row = session.get(FieldSampleRow, sample_id)
            return row is not None and _sample(row, ()).is_untold

    def tell_return(self, sample_id: str, event: AuditEvent, log: Log) -> None:
        """Tell the ledger of a sample's return, unless it has it: killed or twice, it has it once.

        The write lock of the records is held meanwhile.

        Raises:
            LedgerError: when it cannot record; the result stays written down and is told later.
        """
        with self._records.writing() as session:
            row = session.get_one(FieldSampleRow, sample_id, with_for_update=True)
            if not _sample(row, ()).is_untold:
                return
            index = _told_at(log, row.ledger_from or 0, sample_id)
            if index is None:
                (index,) = log.append([Entry.of(event)]).indexes
            row.ledger_entry = index


def _told_at(log: Log, start: int, sample_id: str) -> int | None:
    """Return the ledger's entry of a sample's return, looked for from a position on."""
    size = log.size
    for first in range(start, size, _CHUNK):
        for entry in log.entries(first, min(first + _CHUNK, size)):
            if entry.event == EventTag.PARTNER_SAMPLE_RETURNED.value:
                body = entry.body
                if body is not None and body["sample"] == sample_id:
                    return int(entry.index)
    return None


def _require_drawable(session: Session, dataset: str, version: str, seed: str) -> None:
    query = select(FieldSampleRow).where(
        FieldSampleRow.dataset == dataset, FieldSampleRow.version == version
    )
    for row in session.scalars(query):
        if row.returned_at is None:
            raise RequestError(
                f"本次发布的样本 {row.id} 尚在核查，请先退回核查表。 / Sample {row.id} of this "
                "publication is still in the field: return its worksheet, or draw from the next "
                "publication."
            )
        if row.seed == seed == seed_of(dataset, version):
            day = f"{row.returned_at:%Y-%m-%d}"
            raise RequestError(
                f"本次发布的样本 {row.id} 已于 {day} 退回，结果有效；请待下次发布再抽。 / Sample "
                f"{row.id} of this publication was returned on {day} and its result stands: draw "
                "from the next publication; --seed draws others for practice."
            )


def samples_of(session: Session) -> tuple[FieldSample, ...]:
    """Return every sample with its strata, in order of drawing."""
    rows = session.scalars(
        select(FieldSampleRow).order_by(FieldSampleRow.drawn_at, FieldSampleRow.id)
    ).all()
    return tuple(_sample(row, _strata(session, row.id)) for row in rows)


def _strata(session: Session, sample_id: str) -> tuple[Stratum, ...]:
    query = select(FieldStratumRow).where(FieldStratumRow.sample_id == sample_id)
    return tuple(
        Stratum(
            stratum=row.stratum,
            population=row.population,
            drawn=row.drawn,
            agreed=row.agreed,
            wrong=row.wrong,
            unreachable=row.unreachable,
            wrong_by_field=row.wrong_by_field or {},
        )
        for row in session.scalars(query.order_by(FieldStratumRow.stratum))
    )


def _sample(row: FieldSampleRow, strata: tuple[Stratum, ...]) -> FieldSample:
    names = (f.name for f in fields(FieldSample) if f.name != "strata")
    return FieldSample(**{name: getattr(row, name) for name in names}, strata=strata)
