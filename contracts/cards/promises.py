"""What a contract promises about time: update cycle, latency, correction, and who answers for it.

Source: ODCS v3.2 slaProperties (`latency`, `correction`).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

from contracts.model import Contract
from hub.calendar import WorkCalendar


@dataclass(frozen=True, slots=True)
class Term:
    """A stretch of time that a contract promises, in working days or in days."""

    count: int
    working: bool

    def after(self, day: date, calendar: WorkCalendar) -> date:
        """Return its last day, when it begins after a day."""
        if self.working:
            return calendar.add_working_days(day, self.count)
        return day + timedelta(days=self.count)


@dataclass(frozen=True, slots=True)
class Promise:
    """What a contract promises about time, and who answers for it; None: it promises nothing."""

    dataset: str
    title: str
    owner: str
    cycle: str
    is_whole: bool
    latency: Term | None
    correction: Term | None
    stewards: tuple[str, ...] = ()

    @classmethod
    def of(cls, contract: Contract) -> Promise:
        """Return the promise of a contract; a retired one promises nothing."""
        return cls(
            dataset=contract.name,
            title=contract.title,
            owner=contract.owner,
            cycle=contract.update_cycle,
            is_whole=contract.mode == "full",
            latency=_term(contract, "latency"),
            correction=_term(contract, "correction"),
            stewards=contract.stewards,
        )


def _term(contract: Contract, name: str) -> Term | None:
    if contract.is_retired:
        return None
    for level in contract.service_levels:
        if level.property == name and isinstance(level.value, int) and level.value >= 0:
            if level.unit == "workingDays":
                return Term(level.value, working=True)
            if level.unit in ("d", "day", "days"):
                return Term(level.value, working=False)
    return None
