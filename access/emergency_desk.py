"""Where masks are asked to be lifted and emergencies opened, approved, used and reviewed.

Each act is checked again and written down in one transaction that holds the write lock; the ledger
is told then, and whoever is killed in between is made up for by the next one who looks. What shows
a person is `access.roads.unmask`; here nobody is shown.

Source: NIST SP 800-53 AC-3(10) (audited override), AC-5 (separation of duties).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

from access.desk import Act
from access.duties import Duty, Official, Officials, Refusal, unfit
from access.emergency import (
    TITLES,
    Standing,
    State,
    Step,
    review_by,
    standing,
    standings,
    unusable,
    used_key,
)
from access.keeper import InForce
from access.model import Actor
from hub.calendar import WorkCalendar
from hub.errors import NotFound
from hub.events import AuditEvent, EventTag
from hub.plain import require_reason
from hub.store.access_steps import STEPS, About, AccessStep, add_step, steps
from hub.store.emergencies import Emergency, Kind, add_emergency, emergencies, emergency
from hub.store.outbox import Log
from hub.store.policies import looking, writing
from hub.store.records import Records

Name = Callable[[bytes | str], bytes]

_ALL_USED = (
    "本次可查人数已用完 / no more persons may be shown under it",
    "请同事办理，或待其结束后另开一次 / have a colleague do it, or open another once it has ended",
)
_OTHER_PERSON = (
    "不是申请时的人员 / this is not the person it was asked for",
    "请为此人另行申请 / ask for this person on their own",
)
_ONE_AT_A_TIME = Refusal("您已有一次紧急访问在进行 / you have an emergency open already")
_SECOND = Refusal(
    "须由另一人办理 / it takes a second person: nobody approves or reviews their own, under no account"
)


@dataclass(frozen=True, slots=True)
class Denied:
    """Why somebody is not shown under one, and what to do."""

    reason: str
    remedy: str


@dataclass(frozen=True, slots=True)
class EmergencyDesk:
    """What acting on masks and emergencies needs.

    Args:
        force: what is in force at an instant: who has which duty, who is suspended or blocked.
        name_of: keyed name of an account, as the ledger has it.
        subject_of: keyed name of a person; of a purpose that serves nothing else in the ledger.
        officials: who has duties, by account, where that is registered.
    """

    records: Records
    log: Log
    calendar: WorkCalendar
    force: Callable[[datetime], InForce]
    name_of: Name
    subject_of: Name
    officials: Officials = field(default_factory=dict)

    def standings(self, now: datetime) -> tuple[Standing, ...]:
        """Return every one and where it stands, in the order in which they were asked for."""
        with looking(self.records) as session:
            return standings(emergencies(session), steps(session, About.EMERGENCY), now)

    def find(self, number: int, now: datetime) -> Standing:
        """Return one by number.

        Raises:
            NotFound: when there is none.
        """
        with looking(self.records) as session:
            return _find(session, number, now)

    def own(self, number: int, actor: Actor, now: datetime) -> Standing:
        """Return one that an actor asked for.

        Raises:
            NotFound: when there is none, or somebody else asked for it.
        """
        found = self.find(number, now)
        if found.emergency.actor != self.account(actor):
            raise _missing(number)
        return found

    def account(self, actor: Actor) -> str:
        """Return the keyed name of an actor's account."""
        return self.name_of(actor.id).hex()

    def person(self, actor: Actor) -> str:
        """Return the keyed name of the person behind an account, of the account where none is."""
        return self.name_of(actor.id if actor.binding is None else actor.binding).hex()

    def official(self, actor: Actor) -> Official:
        """Return an actor as somebody with duties."""
        return Official(actor.id, actor.agency, actor.roles, self.person(actor))

    def subject(self, opened: Emergency, key: bytes) -> bytes:
        """Return the keyed name of a person for one of these; another one's is another name."""
        seed = f"{opened.actor}\0{opened.opened_at.astimezone(UTC).isoformat()}\0".encode()
        return self.subject_of(seed + key)

    def is_for(self, opened: Emergency, key: bytes) -> bool:
        """Say whether one may be about a person; an emergency is about whoever it takes."""
        return opened.kind is Kind.EMERGENCY or self.subject(opened, key) == opened.subject

    def ask(self, wanted: Emergency, act: Act) -> Standing:
        """Ask for a mask to be lifted.

        Raises:
            RequestError: when the reason is not plain.
            LedgerError: when the ledger cannot be told; the request stands and is told later.
        """
        require_reason(act.reason)
        size = self.log.size
        with writing(self.records) as session:
            number = add_emergency(session, wanted)
            details = _details(wanted)
            self._step(
                session, number, Step.REQUESTED, act, EventTag.ACCESS_UNMASK_REQUESTED,
                details, size=size,
            )  # fmt: skip
        return self._after(number, act)

    def open(self, wanted: Emergency, working_days: int, act: Act) -> Standing | Refusal:
        """Open an emergency at once; a person has one at a time, under whichever account.

        Args:
            working_days: within how many it is to be reviewed.

        Raises:
            RequestError: when the reason is not plain.
            LedgerError: when the ledger cannot be told; nobody is shown before it is.
        """
        require_reason(act.reason)
        due = review_by(wanted.opened_at, working_days, self.calendar)
        wanted, size = replace(wanted, review_by=due), self.log.size
        with writing(self.records) as session:
            all_steps = steps(session, About.EMERGENCY)
            for found in standings(emergencies(session), all_steps, act.at):
                one = found.emergency
                own = one.actor == wanted.actor or one.person == wanted.person
                if own and found.state is State.OPEN:
                    return _ONE_AT_A_TIME
            number = add_emergency(session, wanted)
            self._step(
                session, number, Step.OPENED, act, EventTag.ACCESS_EMERGENCY_OPENED,
                _details(wanted), size=size,
            )  # fmt: skip
        return self._after(number, act)

    def take(self, number: int, key: bytes, act: Act) -> Standing | Denied:
        """Take the one release of a lifted mask, or a person's place in an emergency.

        A person who was shown before takes no further place.

        Args:
            key: subject key of the person.

        Raises:
            LedgerError: when the ledger cannot be told; what was taken stays taken.
        """
        size = self.log.size
        with writing(self.records) as session:
            now = _find(session, number, act.at)
            if not now.is_open:
                return Denied(*unusable(now))
            subject, opened = self.subject(now.emergency, key), now.emergency
            if opened.kind is Kind.UNMASK:
                if not self.is_for(opened, key):
                    return Denied(*_OTHER_PERSON)
                step, tag = str(Step.RELEASED), EventTag.ACCESS_UNMASK_RELEASED
            else:
                step, tag = used_key(subject), EventTag.ACCESS_EMERGENCY_USED
                if step in now.steps:
                    return now
                if now.persons >= opened.persons_max:
                    return Denied(*_ALL_USED)
            self._step(session, number, step, act, tag, {}, size=size)
        return self._after(number, act)

    def approve(self, number: int, second: Official, act: Act) -> Standing | Refusal:
        """Approve as the second person that a mask is lifted.

        Raises:
            NotFound: when there is no such request.
            RequestError: when the reason is not plain.
        """
        tag = EventTag.ACCESS_UNMASK_APPROVED
        return self._answer(number, second, act, Step.APPROVED, tag)

    def decline(self, number: int, second: Official, act: Act) -> Standing | Refusal:
        """Decline that a mask is lifted, as `approve`; who asked may take it back."""
        tag = EventTag.ACCESS_UNMASK_DECLINED
        return self._answer(number, second, act, Step.DECLINED, tag)

    def review(
        self, number: int, second: Official, act: Act, *, justified: bool
    ) -> Standing | Refusal:
        """Review an emergency as the second person; one still open ends with it.

        Raises:
            NotFound: when there is no such emergency.
            RequestError: when the reason is not plain.
        """
        require_reason(act.reason)
        name = self.name_of(second.account).hex()
        if refusal := barred(self.force(act.at), name, second, Duty.REVIEW_EMERGENCY):
            return refusal
        size = self.log.size
        with writing(self.records) as session:
            now = _find(session, number, act.at, Kind.EMERGENCY)
            if now.state in (State.JUSTIFIED, State.NOT_JUSTIFIED):
                return _not_now(now)
            if self._same(now, second):
                return _SECOND
            step = Step.JUSTIFIED if justified else Step.NOT_JUSTIFIED
            self._step(
                session, number, step, act, EventTag.ACCESS_EMERGENCY_REVIEWED,
                {"justified": justified}, size=size,
            )  # fmt: skip
        return self._after(number, act)

    def _answer(
        self, number: int, second: Official, act: Act, step: Step, tag: EventTag
    ) -> Standing | Refusal:
        require_reason(act.reason)
        force, size = self.force(act.at), self.log.size  # it may write itself: not within
        with writing(self.records) as session:
            now = _find(session, number, act.at, Kind.UNMASK)
            taken_back = step is Step.DECLINED and now.began.by == second.account
            if not taken_back:
                name = self.name_of(second.account).hex()
                refusal = barred(force, name, second, Duty.APPROVE_UNMASK)
                if refusal or second.agency != now.emergency.agency:
                    return refusal or Refusal(
                        "由申请人所在部门批准 / it is for the agency of who asked to decide"
                    )
                if self._same(now, second):
                    return _SECOND
            if now.state is not State.REQUESTED:
                return _not_now(now)
            self._step(session, number, step, act, tag, {}, size=size)
        return self._after(number, act)

    def _same(self, now: Standing, second: Official) -> bool:
        """Say whether who asked and a second person are one: by account, number or staff number.

        A door knows the second person by their own number, the register of officials by that among
        the staff: one of the two is enough.
        """
        asked, listed = self.officials.get(now.began.by), self.officials.get(second.account)
        persons = {second.person} | ({listed.person} if listed is not None else set())
        same_account = self.name_of(second.account).hex() == now.emergency.actor
        registered = asked is not None and asked.person in persons
        return same_account or registered or now.emergency.person in persons

    def _step(
        self,
        session: Any,
        number: int,
        key: str,
        act: Act,
        tag: EventTag,
        details: Mapping[str, Any],
        *,
        size: int,
    ) -> None:
        event = AuditEvent(tag, act.at, {**details, "by": self.name_of(act.by).hex()})
        step = AccessStep(About.EMERGENCY, str(number), key, act.by, act.at, act.reason)
        add_step(session, step, event, size)

    def _after(self, number: int, act: Act) -> Standing:
        STEPS.tell(self.records, self.log)
        return self.find(number, act.at)


def barred(force: InForce, name: str, official: Official, duty: Duty) -> Refusal | None:
    """Return why somebody may not do this by now, None when they may.

    Args:
        name: keyed name of their account.
    """
    if name in force.suspended:
        return Refusal("该账号已停用 / the account is suspended")
    for known in (name, official.person):
        if known in force.blocked:
            return Refusal(block_of(force.blocked[known])[0])
    return unfit(official, duty, force.decider.policy.roles)


def block_of(number: int) -> tuple[str, str]:
    """Return reason and remedy of who is blocked by an emergency that nobody reviewed."""
    reason = (
        f"您的第 {number} 号紧急访问逾期未复核，复核前不能查询"
        f" / your emergency {number} was not reviewed in time: nothing is shown until it is"
    )
    return (
        reason,
        "请监督部门复核，复核后立即恢复 / ask the oversight body to review it; that lifts it at once",
    )


def _find(session: Any, number: int, now: datetime, kind: Kind | None = None) -> Standing:
    found = emergency(session, number)
    if found is None or kind not in (None, found.kind):
        raise _missing(number)
    done = {step.key: step for step in steps(session, About.EMERGENCY, found.name)}
    return standing(found, done, now)


def _missing(number: int) -> NotFound:
    return NotFound(f"没有第 {number} 号 / there is no number {number} here")


def _not_now(now: Standing) -> Refusal:
    return Refusal(f"第 {now.emergency.id} 号：{TITLES[now.state]}")


def _details(wanted: Emergency) -> dict[str, Any]:
    """Return what the ledger is told; never the reason, never the person."""
    return {
        "agency": wanted.agency,
        "purpose": wanted.purpose,
        "case": wanted.case_name,
        "columns": {name: list(columns) for name, columns in wanted.columns.items()},
        "persons": wanted.persons_max,
        "expires_at": wanted.expires_at.isoformat(),
        "review_by": wanted.review_by.isoformat(),
    }
