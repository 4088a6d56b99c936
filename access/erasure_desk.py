"""Where people act on erasures: ask, decline, approve; who approves is another person.

What is asked for is weighed when it is asked and again when it is approved. An erasure that was
approved and stopped half-way goes on when it is approved again; nothing is erased twice.

Source: 个人信息保护法 19, 47, 56; NIST SP 800-53 AC-5 (separation of duties).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from access.desk import Act
from access.duties import Duty, Official, Officials, Refusal, SecondPerson
from access.emergency_desk import barred
from access.erasing import (
    ERASABLE,
    ERASURE_TITLES,
    MOST_ENTRIES,
    WITHHELD,
    Bounds,
    ErasureStanding,
    ErasureState,
    ErasureStep,
    erasure_standings,
    kept_to,
    unerasable,
)
from access.erasure_grounds import ERASURE_GROUNDS
from access.keeper import InForce
from access.seal_release import releases, sealed_use_of
from access.seals import seal_standings
from hub.errors import NotFound, RequestError
from hub.events import AuditEvent, EventTag
from hub.ledger.entry import SEALED
from hub.ledger.log import Ledger, LoggedEntry
from hub.plain import require_reason
from hub.store.access_steps import STEPS, About, AccessStep, add_step, steps
from hub.store.erasures import Erasure, add_erasure, erasures
from hub.store.policies import looking, writing
from hub.store.records import Records
from hub.store.seals import orders

_AT_ONCE = 100
_PAGE = 1000
_MOST_NAMED = 20
_HUB = "hub"


@dataclass(frozen=True, slots=True)
class ErasureDesk:
    """What acting on erasures needs.

    Args:
        force: what is in force at an instant.
        name_of: keyed name of an account or person, as the ledger has it.
        officials: who has duties, by account.
        retention_days: so long this hub keeps uses.
    """

    records: Records
    log: Ledger
    force: Callable[[datetime], InForce]
    name_of: Callable[[bytes | str], bytes]
    officials: Officials = field(default_factory=dict)
    retention_days: int = 0

    def standings(self) -> tuple[ErasureStanding, ...]:
        """Return every request and where it stands."""
        with looking(self.records) as session:
            return _all(session)

    def find(self, number: int) -> ErasureStanding:
        """Return one by number.

        Raises:
            NotFound: when there is none.
        """
        return _find(self.standings(), number)

    def select(
        self, ground: str, before: datetime, event: str | None, now: datetime
    ) -> tuple[tuple[int, ...], Mapping[str, int]]:
        """Return the entries from before an instant that may be forgotten, the oldest first.

        Returns:
            Positions, `MOST_ENTRIES` at most; and, of the other uses met on the way, how many may
            not be, by why.

        Raises:
            RequestError: when there is no such ground, or the event is none that can be erased.
        """
        if event is not None and event not in ERASABLE:
            raise RequestError(f"--event: {', '.join(sorted(ERASABLE))}")
        bounds = self._bounds(ground, now)
        found: list[int] = []
        left: Counter[str] = Counter()
        for first in range(0, self.log.size, _PAGE):
            for entry in self.log.entries(first, first + _PAGE):
                if datetime.fromisoformat(entry.time) >= before or len(found) >= MOST_ENTRIES:
                    return tuple(found), left
                if entry.event not in ERASABLE or event not in (None, entry.event):
                    continue
                why = unerasable(entry, bounds)
                if why is None:
                    found.append(entry.index)
                else:
                    left[why] += 1
        return tuple(found), left

    def why_none(self, ground: str, before: datetime, event: str | None, now: datetime) -> str:
        """Return why `select` finds nothing that may be forgotten.

        Raises:
            RequestError: as `select`.
        """
        _, left = self.select(ground, before, event, now)
        bounds = self._bounds(ground, now)
        if not left:
            return "没有使用记录 / there are no uses from before that time"
        ends = self._first_end(bounds, event)
        if ends is None:
            return "；".join(f"{count:,} 条 / uses: {why}" for why, count in left.items())
        return (
            f"现在不可删除 / nothing may be erased yet: {sum(left.values()):,} uses are kept until "
            f"{ends.date()} or later"
        )

    def _first_end(self, bounds: Bounds, event: str | None) -> datetime | None:
        """Return when the first of the uses that are kept for their age may be forgotten."""
        for first in range(0, self.log.size, _PAGE):
            for entry in self.log.entries(first, first + _PAGE):
                if entry.event in ERASABLE and event in (None, entry.event):
                    ends = kept_to(entry, bounds)
                    if ends is not None:
                        return ends
        return None

    def request(
        self, entries: Iterable[int], ground: str, official: Official, act: Act
    ) -> ErasureStanding | Refusal:
        """Ask for entries to be forgotten, and what has to go with them.

        Raises:
            RequestError: when the reason is not plain, there is no such ground, or nothing to erase.
            NotFound: when the ledger has no such entry.
            LedgerError: when the ledger cannot be told; the request stands and is told later.
        """
        if refusal := self._barred(official, act, Duty.REQUEST_ERASURE):
            return refusal
        bounds = self._bounds(ground, act.at)
        positions = self._closed(entries)
        if not positions or len(positions) > 2 * MOST_ENTRIES:
            raise RequestError(f"1 至 {MOST_ENTRIES} 条 / between 1 and {MOST_ENTRIES} entries")
        if refusal := self._unfit(positions, bounds):
            return refusal
        person = self._second.name(official.person)
        wanted, size = Erasure(0, ground, official.agency, person, positions), self.log.size
        with writing(self.records) as session:
            wanted = replace(wanted, id=add_erasure(session, wanted))
            _step(self, session, wanted, ErasureStep.REQUESTED, act, size)
        return self._after(wanted.id)

    def approve(self, number: int, second: Official, act: Act) -> ErasureStanding | Refusal:
        """Approve a request as the second person, and carry it out; goes on with one that stopped.

        Raises:
            NotFound: when there is no such request.
            RequestError: when the reason is not plain.
            LedgerError: when an entry cannot be erased; approving again goes on from there.
        """
        if refusal := self._barred(second, act, Duty.APPROVE_ERASURE):
            return refusal
        found, size = self.find(number), self.log.size
        if found.state is ErasureState.REQUESTED:
            asked_by = found.steps[ErasureStep.REQUESTED].by
            if same := self._second.refusal(asked_by, found.erasure.person, second):
                return same
            if refusal := self._unfit(
                found.erasure.entries, self._bounds(found.erasure.ground, act.at)
            ):
                return refusal
            with writing(self.records) as session:
                if _find(_all(session), number).state is not ErasureState.REQUESTED:
                    return _not_now(_find(_all(session), number))
                _step(self, session, found.erasure, ErasureStep.APPROVED, act, size)
        elif found.state is not ErasureState.APPROVED:
            return _not_now(found)
        STEPS.tell(self.records, self.log)
        return self._carry_out(found.erasure, act)

    def decline(self, number: int, official: Official, act: Act) -> ErasureStanding | Refusal:
        """Decline a request; who asked may take it back.

        Raises:
            NotFound: when there is no such request.
            RequestError: when the reason is not plain.
        """
        own = self.find(number).steps[ErasureStep.REQUESTED].by == act.by
        duty = Duty.REQUEST_ERASURE if own else Duty.APPROVE_ERASURE
        if refusal := self._barred(official, act, duty):
            return refusal
        size = self.log.size
        with writing(self.records) as session:
            found = _find(_all(session), number)
            if found.state is not ErasureState.REQUESTED:
                return _not_now(found)
            _step(self, session, found.erasure, ErasureStep.DECLINED, act, size)
        return self._after(number)

    def entries(self, positions: Iterable[int]) -> list[LoggedEntry]:
        """Return entries as they stand, to say what is forgotten; whoever shows them leaves out bodies."""
        return [self.log.entry(position) for position in positions]

    @property
    def _second(self) -> SecondPerson:
        return SecondPerson(self.name_of, self.officials)

    def _barred(self, official: Official, act: Act, duty: Duty) -> Refusal | None:
        require_reason(act.reason)
        name = self.name_of(official.account).hex()
        return barred(self.force(act.at), name, official, duty)

    def _bounds(self, ground: str, now: datetime) -> Bounds:
        if ground not in ERASURE_GROUNDS:
            raise RequestError(
                f"没有该理由，可用 / no such ground: there are {', '.join(ERASURE_GROUNDS)}"
            )
        with looking(self.records) as session:
            seals = seal_standings(orders(session), steps(session, About.SEAL), now)
        withheld = frozenset(one.order.id for one in seals if not one.released)
        return Bounds(ground, self.retention_days, withheld, now)

    def _closed(self, entries: Iterable[int]) -> tuple[int, ...]:
        """Return positions together with those that have to go with them."""
        wanted = set(entries)
        sealed, twins = [], set()
        for entry in map(self.log.entry, wanted):
            use = sealed_use_of(entry) if entry.chain == SEALED else None
            if use is not None:
                sealed.append(use)
            elif entry.body is not None and entry.event == EventTag.ACCESS_SEAL_RELEASED:
                twins.add(int(entry.body["entry"]))
        released = releases(self.log, sealed)
        twins |= {released[use.index] for use in sealed if use.index in released}
        return tuple(sorted(wanted | twins))

    def _unfit(self, positions: Iterable[int], bounds: Bounds) -> Refusal | None:
        found = []
        entries = {position: self.log.entry(position) for position in positions}
        withheld = self._withheld(entries.values())
        for position, entry in entries.items():
            why = unerasable(entry, bounds) or (WITHHELD if position in withheld else None)
            if why is not None:
                found.append(f"第 {position} 号 / entry {position}: {why}")
        if not found:
            return None
        more = [f"… {len(found) - _MOST_NAMED} more"] if len(found) > _MOST_NAMED else []
        return Refusal("；".join((*found[:_MOST_NAMED], *more)))

    def _withheld(self, entries: Iterable[LoggedEntry]) -> set[int]:
        """Return the positions of sealed uses whose release is not in the ledger.

        Whatever the records say of their orders.
        """
        read = (sealed_use_of(entry) for entry in entries if entry.chain == SEALED)
        sealed = [use for use in read if use is not None]
        return {use.index for use in sealed} - releases(self.log, sealed).keys()

    def _carry_out(self, erasure: Erasure, act: Act) -> ErasureStanding:
        """Erase what is not erased yet; the write lock keeps a second process from doing the same."""
        for first in range(0, len(erasure.entries), _AT_ONCE):
            with writing(self.records):
                for position in erasure.entries[first : first + _AT_ONCE]:
                    if self.log.entry(position).erased_by is None:
                        self.log.erase(position, erasure.agency, erasure.ground)
        size = self.log.size
        with writing(self.records) as session:
            if _find(_all(session), erasure.id).state is ErasureState.APPROVED:
                _step(self, session, erasure, ErasureStep.DONE, replace(act, by=_HUB), size)
        return self._after(erasure.id)

    def _after(self, number: int) -> ErasureStanding:
        STEPS.tell(self.records, self.log)
        return self.find(number)


_TAGS = {
    ErasureStep.APPROVED: EventTag.ACCESS_ERASURE_APPROVED,
    ErasureStep.DECLINED: EventTag.ACCESS_ERASURE_DECLINED,
    ErasureStep.DONE: EventTag.ACCESS_ERASURE_DONE,
    ErasureStep.REQUESTED: EventTag.ACCESS_ERASURE_REQUESTED,
}


def _step(
    desk: ErasureDesk, session: Any, erasure: Erasure, key: ErasureStep, act: Act, size: int
) -> None:
    details = {
        "ground": erasure.ground,
        "agency": erasure.agency,
        "entries": len(erasure.entries),
        "by": desk.name_of(act.by).hex(),
    }
    event = AuditEvent(_TAGS[key], act.at, details)
    step = AccessStep(About.ERASURE, erasure.name, key, act.by, act.at, act.reason)
    add_step(session, step, event, size)


def _all(session: Any) -> tuple[ErasureStanding, ...]:
    return erasure_standings(erasures(session), steps(session, About.ERASURE))


def _find(found: tuple[ErasureStanding, ...], number: int) -> ErasureStanding:
    standing = next((one for one in found if one.erasure.id == number), None)
    if standing is None:
        raise NotFound(f"没有第 {number} 号删除申请 / there is no request {number}")
    return standing


def _not_now(found: ErasureStanding) -> Refusal:
    return Refusal(f"第 {found.erasure.id} 号删除申请：{ERASURE_TITLES[found.state]}")
