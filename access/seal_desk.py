"""Where people act on orders to seal: ask, approve or decline, renew, lift.

Each act is checked again and written down in one transaction that holds the write lock; the ledger
is told then, once. Who asks is of the agency whose uses are sealed; who approves is another person.
There is no act that takes an order back to before it, or away.

Source: NIST SP 800-53 AC-5 (separation of duties); 个人信息保护法 35.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from access.desk import Act
from access.duties import Duty, Official, Officials, Refusal, SecondPerson
from access.emergency_desk import barred
from access.keeper import InForce
from access.seal_release import SealedLog, SealedUse, releases, sealed_uses
from access.seals import (
    LIFTED,
    LIVE,
    SEAL_TITLES,
    SealStanding,
    SealState,
    approved_key,
    asked_key,
    declined_key,
    seal_standings,
    unsealable,
)
from hub.errors import NotFound
from hub.events import AuditEvent, EventTag
from hub.ledger.writer import Entry
from hub.plain import require_reason
from hub.store.access_steps import STEPS, About, AccessStep, add_step, steps
from hub.store.policies import looking, writing
from hub.store.records import Records
from hub.store.registers import read_registers
from hub.store.seals import SealOrder, Term, add_order, add_term, ledger_size_before, orders

_OTHER_AGENCY = Refusal("须由本部门办理 / it is for the agency whose uses they are")


@dataclass(frozen=True, slots=True)
class WantedSeal:
    """An order as it is asked for; the agency is that of who asks.

    Args:
        case: reference of the case, as whoever looks somebody up states it.
    """

    ground: str
    purposes: tuple[str, ...]
    case: str
    valid_from: datetime
    valid_to: datetime


@dataclass(frozen=True, slots=True)
class SealDesk:
    """What acting on orders needs.

    Args:
        force: what is in force at an instant.
        name_of: keyed name of an account or person, as the ledger has it.
        case_of: keyed name of a case reference.
        officials: who has duties, by account, where that is registered.
    """

    records: Records
    log: SealedLog
    force: Callable[[datetime], InForce]
    name_of: Callable[[bytes | str], bytes]
    case_of: Callable[[bytes | str], bytes]
    officials: Officials = field(default_factory=dict)

    def standings(self, now: datetime) -> tuple[SealStanding, ...]:
        """Return every order there ever was and where it stands."""
        with looking(self.records) as session:
            return _all(session, now)

    def find(self, number: int, now: datetime) -> SealStanding:
        """Return one by number.

        Raises:
            NotFound: when there is none.
        """
        return _find(self.standings(now), number)

    def order(self, wanted: WantedSeal, official: Official, act: Act) -> SealStanding | Refusal:
        """Ask for an order.

        Raises:
            RequestError: when the reason is not plain.
            LedgerError: when the ledger cannot be told; the request stands and is told later.
        """
        force, refusal = self._may(official, act, Duty.ORDER_SEAL)
        if refusal is not None:
            return refusal
        term = Term(0, self._second.name(official.person), wanted.valid_from, wanted.valid_to)
        purposes = tuple(dict.fromkeys(wanted.purposes))
        case_name = self.case_of(wanted.case.strip()).hex()
        order = SealOrder(0, wanted.ground, official.agency, purposes, case_name, (term,))
        size = self.log.size
        with writing(self.records) as session:
            if reason := self._unfit(session, force, order, term, act.at):
                return Refusal(reason)
            number = add_order(session, order)
            order = replace(order, id=number)
            details = {**_about(order), **_term(term), "from": term.valid_from.isoformat()}
            self._step(
                session, order, asked_key(0), act, EventTag.ACCESS_SEAL_ORDERED, details, size
            )
        return self._after(number, act)

    def renew(
        self, number: int, until: datetime, official: Official, act: Act
    ) -> SealStanding | Refusal:
        """Ask for an order to hold longer; it does once somebody else has approved that in time.

        Raises:
            NotFound: when there is no such order.
            RequestError: when the reason is not plain.
        """
        force, refusal = self._may(official, act, Duty.ORDER_SEAL)
        if refusal is not None:
            return refusal
        size = self.log.size
        with writing(self.records) as session:
            now = _find(_all(session, act.at), number)
            if now.order.agency != official.agency:
                return _OTHER_AGENCY
            if now.state is not SealState.IN_FORCE or now.ends is None:
                return _not_now(now)
            if now.open_term is not None:
                return Refusal("已有一次延期待批准 / a renewal waits for its approval already")
            person = self._second.name(official.person)
            term = Term(len(now.order.terms), person, now.ends, until)
            if reason := unsealable(now.order, term, force.decider.policy.purposes, act.at):
                return Refusal(reason)
            add_term(session, number, term)
            key, tag = asked_key(term.number), EventTag.ACCESS_SEAL_ORDERED
            self._step(session, now.order, key, act, tag, _term(term), size)
        return self._after(number, act)

    def approve(self, number: int, second: Official, act: Act) -> SealStanding | Refusal:
        """Approve, as the second person, an order or its renewal.

        Raises:
            NotFound: when there is no such order.
            RequestError: when the reason is not plain.
        """
        force, refusal = self._may(second, act, Duty.APPROVE_SEAL)
        if refusal is not None:
            return refusal
        size = self.log.size
        with writing(self.records) as session:
            now = _find(_all(session, act.at), number)
            term = now.open_term
            if term is None:
                return _not_now(now)
            asked_by = now.steps[asked_key(term.number)].by
            if same := self._second.refusal(asked_by, term.person, second):
                return same
            if reason := self._unfit(session, force, now.order, term, act.at):
                return Refusal(reason)
            key, tag = approved_key(term.number), EventTag.ACCESS_SEAL_APPROVED
            self._step(session, now.order, key, act, tag, _term(term), size)
        return self._after(number, act)

    def decline(self, number: int, official: Official, act: Act) -> SealStanding | Refusal:
        """Decline an order or its renewal; who asked may take it back.

        Raises:
            NotFound: when there is no such order.
            RequestError: when the reason is not plain.
        """
        asked = self.find(number, act.at)
        term = asked.open_term
        own = term is not None and asked.steps[asked_key(term.number)].by == act.by
        _, refusal = self._may(official, act, Duty.ORDER_SEAL if own else Duty.APPROVE_SEAL)
        if refusal is not None:
            return refusal
        size = self.log.size
        with writing(self.records) as session:
            now = _find(_all(session, act.at), number)
            if now.open_term is None or now.open_term != term:
                return _not_now(now)
            key, tag = declined_key(now.open_term.number), EventTag.ACCESS_SEAL_DECLINED
            self._step(session, now.order, key, act, tag, _term(now.open_term), size)
        return self._after(number, act)

    def uses(
        self, number: int, official: Official, act: Act
    ) -> tuple[tuple[SealedUse, ...], Mapping[int, int]] | Refusal:
        """Return what was sealed under an order, in log order, once the reading is recorded.

        Returns:
            The uses, and position of each that was released -> position of its release.

        Raises:
            NotFound: when there is no such order.
            LedgerError: when the reading cannot be recorded; nothing is shown then.
        """
        refusal = barred(
            self.force(act.at), self.name_of(official.account).hex(), official, Duty.READ_LEDGER
        )
        if refusal is not None:
            return refusal
        now = self.find(number, act.at)
        with looking(self.records) as session:
            start = ledger_size_before(session, now.order)
        uses = tuple(use for use in sealed_uses(self.log, start) if use.order == number)
        released = releases(self.log, uses)
        details = {
            "by": self.name_of(act.by).hex(),
            "agency": official.agency,
            "what": "sealed",
            "order": number,
            "entries": len(uses),
        }
        self.log.append([Entry.of(AuditEvent(EventTag.HUB_LEDGER_READ, act.at, details))])
        return uses, released

    def lift(self, number: int, official: Official, act: Act) -> SealStanding | Refusal:
        """End an order that holds, at once; one person is enough to let a person know.

        Raises:
            NotFound: when there is no such order.
            RequestError: when the reason is not plain.
        """
        _, refusal = self._may(official, act, Duty.ORDER_SEAL)
        if refusal is not None:
            _, refusal = self._may(official, act, Duty.APPROVE_SEAL)
        elif self.find(number, act.at).order.agency != official.agency:
            refusal = _OTHER_AGENCY
        if refusal is not None:
            return refusal
        size = self.log.size
        with writing(self.records) as session:
            now = _find(_all(session, act.at), number)
            if now.state not in (SealState.IN_FORCE, SealState.WAITING):
                return _not_now(now)
            self._step(session, now.order, LIFTED, act, EventTag.ACCESS_SEAL_LIFTED, {}, size)
        return self._after(number, act)

    @property
    def _second(self) -> SecondPerson:
        return SecondPerson(self.name_of, self.officials)

    def _may(self, official: Official, act: Act, duty: Duty) -> tuple[InForce, Refusal | None]:
        require_reason(act.reason)
        force = self.force(act.at)  # it may write itself: not within a transaction
        return force, barred(force, self.name_of(official.account).hex(), official, duty)

    def _unfit(
        self, session: Any, force: InForce, order: SealOrder, term: Term, now: datetime
    ) -> str | None:
        """Return why an order may not hold, by the policy, the register of cases, other orders."""
        purposes = force.decider.policy.purposes
        if reason := unsealable(order, term, purposes, now):
            return reason
        if any(purposes[code].goes_by_register for code in order.purposes):
            case = read_registers(session).cases.get(order.case_name)
            open_ = case is not None and case.agency == order.agency and now < case.closes_at
            if case is None or not open_ or not case.purposes.issuperset(order.purposes):
                return "案件登记册中没有本部门为此目的登记的在办案件 / the register of cases has no such open case"
        for other in _all(session, now):
            about, rest = other.order, (order.agency, order.case_name)
            if about.id == order.id or (about.agency, about.case_name) != rest:
                continue
            if other.state in LIVE and not set(about.purposes).isdisjoint(order.purposes):
                return (
                    f"第 {about.id} 号命令已涉及同一案件 / order {about.id} is about the same case"
                )
        return None

    def _step(
        self,
        session: Any,
        order: SealOrder,
        key: str,
        act: Act,
        tag: EventTag,
        details: Mapping[str, Any],
        size: int,
    ) -> None:
        event = AuditEvent(tag, act.at, {**details, "by": self.name_of(act.by).hex()})
        add_step(
            session,
            AccessStep(About.SEAL, order.name, key, act.by, act.at, act.reason),
            event,
            size,
        )

    def _after(self, number: int, act: Act) -> SealStanding:
        STEPS.tell(self.records, self.log)
        self.force(act.at)
        return self.find(number, act.at)


def _all(session: Any, now: datetime) -> tuple[SealStanding, ...]:
    return seal_standings(orders(session), steps(session, About.SEAL), now)


def _find(found: tuple[SealStanding, ...], number: int) -> SealStanding:
    standing = next((s for s in found if s.order.id == number), None)
    if standing is None:
        raise NotFound(f"没有第 {number} 号命令 / there is no order {number}")
    return standing


def _not_now(now: SealStanding) -> Refusal:
    return Refusal(f"第 {now.order.id} 号命令：{SEAL_TITLES[now.state]}")


def _about(order: SealOrder) -> dict[str, Any]:
    return {
        "ground": order.ground,
        "agency": order.agency,
        "purposes": list(order.purposes),
        "case": order.case_name,
    }


def _term(term: Term) -> dict[str, Any]:
    return {"term": term.number, "until": term.valid_to.isoformat()}
