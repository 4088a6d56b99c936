"""The registers of cases and of protected persons, in the records.

Cases and persons stand in them by keyed names. Every entry and removal is a step of
`hub.store.access_steps`, written in the same transaction; so the number of the last step tells
whether a copy of the registers is still what they say.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from hub.errors import NotFound, RequestError, SourceError
from hub.store.access_models import AccessStepRow, CaseFileRow, CaseMemberRow, ProtectedRow
from hub.store.access_steps import About
from hub.store.records import Records

_SECONDS = 0.2  # so long an entry may take to be seen by a process that serves


@dataclass(frozen=True, slots=True)
class CaseFile:
    """A case that may be referred to from `opened_at` until before `closes_at`.

    Args:
        name: keyed name of its reference, hexadecimal.
        purposes: purposes it may be referred to for.
        members: keyed names of the persons it is about.
    """

    name: str
    agency: str
    purposes: frozenset[str]
    opened_at: datetime
    closes_at: datetime
    members: frozenset[bytes] = frozenset()


@dataclass(frozen=True, slots=True)
class Protection:
    """That a person is protected, from `since` until before `until`, or without an end."""

    subject: bytes
    since: datetime
    until: datetime | None
    by: str

    def holds(self, at: datetime) -> bool:
        """Say whether it holds at an instant."""
        return self.since <= at and (self.until is None or at < self.until)


@dataclass(frozen=True, slots=True)
class Registers:
    """Both registers at one moment, by keyed name."""

    cases: Mapping[str, CaseFile] = field(default_factory=dict)
    protected: Mapping[bytes, Protection] = field(default_factory=dict)


class RegisterReader:
    """Keeps both registers in memory and reads them again soon after a step was taken.

    Thread safe: what is kept is replaced whole.

    Args:
        seconds: what tells the time that has gone by.
    """

    def __init__(self, records: Records, seconds: Callable[[], float] = time.monotonic) -> None:
        self._records = records
        self._seconds = seconds
        self._kept: tuple[float, int, Registers] | None = None

    def current(self) -> Registers:
        """Return the registers as they were a fifth of a second ago, or later.

        Raises:
            SourceError: when the records cannot be read; older registers are not served then.
        """
        kept, now = self._kept, self._seconds()
        if kept is None or now - kept[0] >= _SECONDS:
            kept = self._kept = (now, *self._read(kept))
        return kept[2]

    def _read(self, kept: tuple[float, int, Registers] | None) -> tuple[int, Registers]:
        try:
            with self._records.reading() as session:
                step = last_step(session)
                if kept is not None and step == kept[1]:
                    return step, kept[2]
                return step, read_registers(session)
        except SQLAlchemyError:
            raise SourceError(
                "the registers of cases and protected persons cannot be read", retryable=True
            ) from None


def last_step(session: Session) -> int:
    """Return the number of the last step about the registers, 0 before the first."""
    ours = AccessStepRow.about.in_([About.CASE.value, About.PROTECTED.value])
    return session.scalar(select(func.max(AccessStepRow.id)).where(ours)) or 0


def read_registers(session: Session) -> Registers:
    """Return both registers."""
    members: dict[str, set[bytes]] = {}
    for case, subject in session.execute(select(CaseMemberRow.case_name, CaseMemberRow.subject)):
        members.setdefault(case, set()).add(subject)
    cases = {
        row.name: CaseFile(
            row.name,
            row.agency,
            frozenset(row.purposes),
            row.opened_at,
            row.closes_at,
            frozenset(members.get(row.name, ())),
        )
        for row in session.scalars(select(CaseFileRow).order_by(CaseFileRow.opened_at))
    }
    protected = {
        row.subject: Protection(row.subject, row.since, row.until, row.by)
        for row in session.scalars(select(ProtectedRow).order_by(ProtectedRow.since))
    }
    return Registers(cases, protected)


def add_case(session: Session, case: CaseFile) -> None:
    """Enter a case without its members.

    Raises:
        RequestError: when its reference is in the register already; it is never used twice.
    """
    if session.get(CaseFileRow, case.name) is not None:
        raise RequestError(
            "该案件编号已经登记过，不能重复使用 / the reference is in the register already"
        )
    session.add(
        CaseFileRow(
            name=case.name,
            agency=case.agency,
            purposes=sorted(case.purposes),
            opened_at=case.opened_at,
            closes_at=case.closes_at,
        )
    )


def close_case(session: Session, name: str, at: datetime) -> None:
    """Have a case end at an instant.

    Raises:
        NotFound: when the register has no such case.
        RequestError: when it has ended before.
    """
    row = _case(session, name, at)
    row.closes_at = at


def add_members(session: Session, name: str, subjects: Iterable[bytes], at: datetime) -> int:
    """Enter persons a case is about; return how many it had not had.

    Raises:
        NotFound: when the register has no such case.
        RequestError: when it has ended.
    """
    _case(session, name, at)
    fresh = [s for s in set(subjects) if session.get(CaseMemberRow, (name, s)) is None]
    session.add_all(CaseMemberRow(case_name=name, subject=subject) for subject in fresh)
    return len(fresh)


def _case(session: Session, name: str, at: datetime) -> CaseFileRow:
    row = session.get(CaseFileRow, name)
    if row is None:
        raise NotFound("案件登记册中没有该案件 / the register of cases has no such case")
    if row.closes_at <= at:
        raise RequestError("该案件已办结或已到期 / the case is closed or has run out")
    return row


def protect(session: Session, protection: Protection) -> None:
    """Enter a protected person, or have another time hold for one who is there."""
    session.merge(
        ProtectedRow(
            subject=protection.subject,
            since=protection.since,
            until=protection.until,
            by=protection.by,
        )
    )


def release(session: Session, subject: bytes) -> None:
    """Take a person off the register of protected persons.

    Raises:
        NotFound: when they are not on it.
    """
    row = session.get(ProtectedRow, subject)
    if row is None:
        raise NotFound("保护登记册中没有此人 / the register of protected persons has nobody so")
    session.delete(row)
