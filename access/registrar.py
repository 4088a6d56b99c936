"""Entering and removing: cases, the persons they are about, protected persons.

Every act is written down in the transaction that makes it true and told to the ledger once, by keyed
names only; numbers of persons are read, named by key, and forgotten.

Source: 个人信息保护法 51 (management of personal information), 55-56 (records of processing).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar

from access.ports import GuardKeys, Snapshots
from access.purposes import PurposeRegister
from access.roles import RoleRegister
from hub.clock import Clock
from hub.errors import NotFound, RequestError
from hub.events import AuditEvent, EventTag
from hub.identifiers import ResidentId
from hub.plain import require_plain
from hub.sealing import Pseudonymiser
from hub.store import registers
from hub.store.access_steps import STEPS, About, AccessStep, add_step, steps
from hub.store.outbox import Log
from hub.store.records import Records
from hub.store.registers import CaseFile, Protection

_LONGEST_REFERENCE = 64

_R = TypeVar("_R")


@dataclass(frozen=True, slots=True)
class Act:
    """Who acts, and why.

    Args:
        by: account; never a person's name.
        reason: kept in the records; the ledger is not told.
    """

    by: str
    reason: str


@dataclass(frozen=True, slots=True)
class NewCase:
    """A case as it is to be entered: it may be referred to at once, until before `closes_at`."""

    reference: str
    agency: str
    purposes: tuple[str, ...]
    closes_at: datetime


@dataclass(frozen=True, slots=True)
class _Telling:
    """What an act is about, and what the ledger is told of it."""

    about: About
    name: str
    key: str
    tag: EventTag
    details: Mapping[str, Any]


class Persons:
    """Keyed names of persons in the registers, by identity number.

    A person is named by their subject key; who is not published yet, by the one they will be given.

    Args:
        first: makes the first subject key of an identifier.
    """

    def __init__(self, keys: GuardKeys, first: Pseudonymiser, snapshots: Snapshots) -> None:
        self._keys = keys
        self._first = first
        self._snapshots = snapshots

    def named(self, number: str) -> bytes:
        """Return the keyed name of the person of an identity number.

        Raises:
            RequestError: when it is not a valid number.
        """
        parsed = ResidentId.parse("".join(number.split()).upper())
        if parsed is None:
            raise RequestError("身份号码无效 / this is not a valid identity number")
        identifier = self._keys.identifier.of(parsed.number)
        return self._keys.protected.of(self._published(identifier) or self._first.of(identifier))

    def _published(self, identifier: bytes) -> bytes | None:
        try:
            return self._snapshots.current().identity(identifier)
        except NotFound:  # nothing was published yet
            return None


@dataclass(frozen=True, slots=True)
class Registrar:
    """Does what is asked about the registers, and tells the ledger.

    Every act raises, and does nothing then:

    * RequestError: when account or reason is not plain, or the register does not let it.
    * NotFound: when what is to be changed is not there.

    LedgerError, when the ledger cannot record: the act stands and is told later.
    """

    records: Records
    log: Log
    keys: GuardKeys
    clock: Clock

    def open_case(
        self, case: NewCase, act: Act, purposes: PurposeRegister, roles: RoleRegister
    ) -> CaseFile:
        """Enter a case; a reference is never used twice."""
        _require_case(case, self.clock.now(), purposes, roles)

        def work(session: Any, now: datetime) -> CaseFile:
            name, needed = self._name(case.reference), frozenset(case.purposes)
            entered = CaseFile(name, case.agency, needed, now, case.closes_at)
            registers.add_case(session, entered)
            return entered

        details = {
            "agency": case.agency,
            "purposes": sorted(case.purposes),
            "until": case.closes_at.isoformat(),
        }
        name = self._name(case.reference)
        told = _Telling(About.CASE, name, "opened", EventTag.ACCESS_CASE_OPENED, details)
        return self._do(told, act, work)

    def close_case(self, reference: str, act: Act) -> None:
        """Have a case end now."""
        name = self._name(reference)
        told = _Telling(About.CASE, name, "closed", EventTag.ACCESS_CASE_CLOSED, {})
        self._do(told, act, lambda session, now: registers.close_case(session, name, now))

    def add_members(self, reference: str, subjects: Iterable[bytes], act: Act) -> int:
        """Enter persons a case is about; return how many it had not had."""
        name, people = self._name(reference), frozenset(subjects)
        if not people:
            raise RequestError("没有读到身份号码 / no identity number was read")
        details = {"persons": len(people)}
        told = _Telling(About.CASE, name, "extended", EventTag.ACCESS_CASE_EXTENDED, details)
        return self._do(
            told, act, lambda session, now: registers.add_members(session, name, people, now)
        )

    def protect(self, subject: bytes, until: datetime | None, act: Act) -> None:
        """Enter a protected person, or have another end hold for one who is there."""

        def work(session: Any, now: datetime) -> None:
            if until is not None and until <= now:
                raise RequestError("截止时间已过 / the end lies in the past")
            registers.protect(session, Protection(subject, now, until, act.by))

        details = {"until": until.isoformat() if until else None}
        tag = EventTag.ACCESS_PROTECTED_ADDED
        self._do(_Telling(About.PROTECTED, subject.hex(), "added", tag, details), act, work)

    def release(self, subject: bytes, act: Act) -> None:
        """Take a person off the register of protected persons."""
        tag = EventTag.ACCESS_PROTECTED_REMOVED
        told = _Telling(About.PROTECTED, subject.hex(), "removed", tag, {})
        self._do(told, act, lambda session, _now: registers.release(session, subject))

    def _name(self, reference: str) -> str:
        return self.keys.case.of(reference.strip()).hex()

    def _do(self, told: _Telling, act: Act, work: Callable[[Any, datetime], _R]) -> _R:
        """Do a piece of work and write down its step, in one transaction; then tell the ledger."""
        require_plain(act.by, act.reason)
        size = self.log.size
        with self.records.writing() as session:
            now = self.clock.now()
            done = work(session, now)
            key = f"{told.key}-{len(steps(session, told.about, told.name)) + 1}"
            step = AccessStep(told.about, told.name, key, act.by, now, act.reason)
            by = self.keys.actor.of(act.by).hex()
            add_step(session, step, AuditEvent(told.tag, now, {"by": by, **told.details}), size)
        STEPS.tell(self.records, self.log)
        return done


def _require_case(
    case: NewCase, now: datetime, purposes: PurposeRegister, roles: RoleRegister
) -> None:
    if not case.reference.strip() or len(case.reference.strip()) > _LONGEST_REFERENCE:
        raise RequestError(
            f"案件编号 1 至 {_LONGEST_REFERENCE} 个字符 / a reference has up to so many"
        )
    if case.agency not in roles.agencies:
        raise RequestError(f"没有该部门 / no such agency: there are {', '.join(roles.agencies)}")
    known = [code for code, purpose in purposes.items() if purpose.goes_by_register]
    if not case.purposes or not set(case.purposes) <= set(known):
        raise RequestError(
            f"请写须登记案件的目的 / name purposes that go by the register: {', '.join(known)}"
        )
    if case.closes_at <= now:
        raise RequestError("截止时间已过 / the end lies in the past")
