"""Registers of cases and protected persons held in memory."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from access.ports import GuardKeys
from hub.store.registers import CaseFile, Protection, Registers
from tests.access.people import Person

LONG = timedelta(days=3650)


@dataclass
class MemoryRegisters:
    """A source of registers that tests write to."""

    keys: GuardKeys
    now: datetime
    registers: Registers = field(default_factory=Registers)

    def current(self) -> Registers:
        """Return the registers."""
        return self.registers

    def open_case(
        self,
        reference: str,
        agency: str,
        *purposes: str,
        members: Iterable[Person] = (),
        since: timedelta = timedelta(0),
        lasts: timedelta = LONG,
    ) -> None:
        """Enter a case, or another in its place; it lasts from `since` on."""
        name, begins = self.keys.case.of(reference).hex(), self.now + since
        people = frozenset(self.keys.protected.of(person.key) for person in members)
        case = CaseFile(name, agency, frozenset(purposes), begins, begins + lasts, people)
        self.registers = replace(self.registers, cases={**self.registers.cases, name: case})

    def protect(self, person: Person, lasts: timedelta | None = None) -> None:
        """Enter a protected person."""
        subject = self.keys.protected.of(person.key)
        until = None if lasts is None else self.now + lasts
        protection = Protection(subject, self.now, until, "admin")
        protected = {**self.registers.protected, subject: protection}
        self.registers = replace(self.registers, protected=protected)
