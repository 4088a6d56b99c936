"""Samples drawn to be checked in the field: when, by which seed, and how many were right.

No row says who was in a sample or what was found of whom: counts per stratum only. Who asked and
for which case are the ledger's keyed pseudonyms.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from hub.errors import NotFound, RequestError
from hub.store.models import FieldSampleRow, FieldStratumRow
from hub.store.records import Records


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


class Samples:
    """The samples of one installation."""

    def __init__(self, records: Records) -> None:
        self._records = records

    def add(self, sample: FieldSample) -> None:
        """Record a sample that is being drawn."""
        with self._records.writing() as session:
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
                raise NotFound("no such sample: `hub quality show DATASET` lists those drawn")
            return _sample(row, _strata(session, sample_id))

    def save_result(self, sample_id: str, strata: Sequence[Stratum], at: datetime) -> FieldSample:
        """Record what the field found, once.

        Raises:
            NotFound: when there is no such sample.
            RequestError: when its worksheet has been returned already.
        """
        with self._records.writing() as session:
            row = session.get(FieldSampleRow, sample_id, with_for_update=True)
            if row is None:
                raise NotFound("no such sample: `hub quality show DATASET` lists those drawn")
            if row.returned_at is not None:
                raise RequestError(
                    f"sample {sample_id} was returned on {row.returned_at:%Y-%m-%d}; "
                    "a result is not replaced: draw a new sample"
                )
            row.returned_at = at
            for found in strata:
                kept = session.get_one(FieldStratumRow, (sample_id, found.stratum))
                kept.agreed, kept.wrong = found.agreed, found.wrong
                kept.unreachable = found.unreachable
                kept.wrong_by_field = dict(found.wrong_by_field)
            session.flush()
            return _sample(row, _strata(session, sample_id))


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
