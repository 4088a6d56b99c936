"""Where people act on what is in force: propose, approve, decline, go back, suspend, resume.

Everything is checked and written down in one transaction of the records, and the ledger is told
then; whoever is killed in between is made up for by the next one who looks. A refusal is a value.

Source: NIST SP 800-53 CM-3, AC-2(3) (disabling accounts), AC-5.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from access.changes import Course, Standing, State, StepKey, course
from access.duties import Duty, Official, Officials, Refusal, same_person, unfit
from access.files import Texts, digest_of
from access.keeper import InForce, Keeper, suspended_in
from access.policy import policy_of
from hub.catalog import Catalog
from hub.errors import NotFound, PolicyError
from hub.events import AuditEvent, EventTag
from hub.plain import require_plain
from hub.store.access_steps import STEPS, About, AccessStep, add_step, steps
from hub.store.outbox import Log
from hub.store.policies import (
    Change,
    add_change,
    changes,
    keep_version,
    looking,
    version_texts,
)
from hub.store.records import Records

_WHY_NOT = {
    State.ACTIVE: "已生效 / it is in force",
    State.APPROVED: "已批准，待生效 / it is approved already",
    State.DECLINED: "已被否决 / it was declined",
    State.OVERTAKEN: "所依据的策略已变，请重新提出 / another change was approved since: propose it again",
    State.PROPOSED: "尚未批准 / it is not approved yet",
    State.REPLACED: "已被后来的变更取代 / a later change has replaced it",
}


@dataclass(frozen=True, slots=True)
class Act:
    """Somebody doing something.

    Args:
        by: their account.
        reason: why, without a person's number; kept in the records.
    """

    by: str
    reason: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Desk:
    """What acting on access needs.

    Args:
        keeper: knows what is in force, and who has which duty.
        name_of: keyed name of an account, as the ledger has it.
    """

    records: Records
    log: Log
    catalog: Catalog
    keeper: Keeper
    officials: Officials
    name_of: Callable[[str], bytes]

    def course(self) -> Course:
        """Return every change and where it stands."""
        with looking(self.records) as session:
            return course(changes(session), steps(session, About.CHANGE))

    def texts(self, digest: str) -> dict[str, str]:
        """Return the texts of a version.

        Raises:
            NotFound: when there is none.
        """
        with looking(self.records) as session:
            found = version_texts(session, digest)
        if found is None:
            raise NotFound("there is no policy of that digest")
        return found

    def propose(self, texts: Texts, act: Act) -> int | Refusal:
        """Put a policy forward in the place of the one approved last; return the change's number.

        Raises:
            PolicyError: every finding, when it does not lint.
            RequestError: when account or reason are not plain.
            LedgerError: when the ledger cannot be told; the change stands and is told later.
        """
        may = self.may(act, Duty.PROPOSE_POLICY)
        if isinstance(may, Refusal):
            return may
        policy_of(texts, self.catalog)
        digest, size = digest_of(texts), self.log.size
        with self.records.writing() as session:
            head = course(changes(session), steps(session, About.CHANGE)).head
            if head is None or head.change.digest == digest:
                return Refusal("与现行策略相同 / it is what is approved already: nothing changes")
            keep_version(session, digest, texts, act.at)
            change = Change(-1, digest, head.change.digest, act.reason, act.by, act.at)
            number = add_change(session, change)
            details = {"digest": digest, "base": head.change.digest}
            self.step(
                session, About.CHANGE, str(number), StepKey.PROPOSED, act,
                EventTag.ACCESS_POLICY_PROPOSED, details, size=size,
            )  # fmt: skip
        STEPS.tell(self.records, self.log)
        return number

    def roll_back(self, number: int, act: Act) -> int | Refusal:
        """Put forward the policy of an earlier change, as every other proposal."""
        standing = self.find(self.course(), number)
        if standing.state is not State.REPLACED:
            return Refusal(
                f"只能回到曾生效的策略；{_WHY_NOT[standing.state]}; "
                "only what was in force can be gone back to"
            )
        return self.propose(self.texts(standing.change.digest), act)

    def approve(
        self, number: int, act: Act, active_at: datetime | None = None
    ) -> Standing | Refusal:
        """Approve a change as the second person.

        Args:
            active_at: when it takes effect, time zone aware; None for at once.

        Raises:
            NotFound: when there is no such change.
            PolicyError: when it does not lint with the contracts of by now.
        """
        official = self.may(act, Duty.APPROVE_POLICY)
        if isinstance(official, Refusal):
            return official
        size, at = self.log.size, active_at or act.at
        with self.records.writing() as session:
            way = course(changes(session), steps(session, About.CHANGE))
            standing = self.find(way, number)
            refusal = self._not_approvable(way, standing, official, at, act.at)
            if refusal is not None:
                return refusal
            texts = version_texts(session, standing.change.digest)
            if texts is None or digest_of(texts) != standing.change.digest:
                raise PolicyError("the texts of the change are not what was proposed")
            policy_of(texts, self.catalog)
            details = {"digest": standing.change.digest, "active_at": at.isoformat()}
            self.step(
                session, About.CHANGE, str(number), StepKey.APPROVED, act,
                EventTag.ACCESS_POLICY_APPROVED, details, size=size, active_at=at,
            )  # fmt: skip
        return self._after(number, act.at)

    def _not_approvable(
        self, way: Course, standing: Standing, official: Official, at: datetime, now: datetime
    ) -> Refusal | None:
        if standing.state is not State.PROPOSED:
            return Refusal(_WHY_NOT[standing.state])
        before = way.head.active_at if way.head else None
        if at < now or (before is not None and at < before):
            return Refusal(
                "生效时间早于现在或前一项变更 / it cannot take effect before now, nor before the "
                "change it builds on"
            )
        return same_person(standing.change.by, official, self.officials)

    def decline(self, number: int, act: Act) -> Standing | Refusal:
        """Decline a change that is not in force; who proposed it may take it back."""
        own = self.find(self.course(), number).change.by == act.by
        may = self.may(act, Duty.PROPOSE_POLICY if own else Duty.APPROVE_POLICY)
        if isinstance(may, Refusal):
            return may
        size = self.log.size
        with self.records.writing() as session:
            way = course(changes(session), steps(session, About.CHANGE))
            standing = self.find(way, number)
            last = way.head is not None and way.head.change.id == number
            if standing.state not in (State.PROPOSED, State.OVERTAKEN) and not (
                standing.state is State.APPROVED and last
            ):
                return Refusal(_WHY_NOT[standing.state])
            self.step(
                session, About.CHANGE, str(number), StepKey.DECLINED, act,
                EventTag.ACCESS_POLICY_DECLINED, {"digest": standing.change.digest}, size=size,
            )  # fmt: skip
        return self._after(number, act.at)

    def suspend(self, account: str, act: Act) -> InForce | Refusal:
        """Let an actor do nothing more, from the next request on."""
        return self._switch(account, act, EventTag.ACCESS_ACTOR_SUSPENDED, suspended=True)

    def resume(self, account: str, act: Act) -> InForce | Refusal:
        """Let a suspended actor work again; nobody does so for themselves."""
        return self._switch(account, act, EventTag.ACCESS_ACTOR_RESUMED, suspended=False)

    def _switch(
        self, account: str, act: Act, tag: EventTag, *, suspended: bool
    ) -> InForce | Refusal:
        require_plain(account, act.reason)
        official = self.may(act, Duty.SUSPEND_ACTOR)
        if isinstance(official, Refusal):
            return official
        if account in self.officials and same_person(account, official, self.officials):
            return Refusal("不能对本人操作 / nobody does this about themselves")
        name, size = self.name_of(account).hex(), self.log.size
        with self.records.writing() as session:
            done = steps(session, About.ACTOR, name)
            if (name in suspended_in(done)) == suspended:
                word = "已停用 / suspended" if suspended else "未停用 / not suspended"
                return Refusal(f"该账号{word} already")
            key = f"{'suspended' if suspended else 'resumed'}-{len(done) + 1}"
            self.step(session, About.ACTOR, name, key, act, tag, {}, size=size)
        STEPS.tell(self.records, self.log)
        return self.keeper.look(act.at)

    def may(self, act: Act, duty: Duty) -> Official | Refusal:
        """Return who acts, or why they may not.

        Raises:
            RequestError: when account or reason are not plain.
        """
        require_plain(act.by, act.reason)
        force = self.keeper.look(act.at)
        if self.name_of(act.by).hex() in force.suspended:
            return Refusal("该账号已停用 / the account is suspended")
        official = self.officials.get(act.by)
        refusal = unfit(official, duty, force.decider.policy.roles)
        if official is None or refusal is not None:
            return refusal or Refusal("—")
        return official

    def step(
        self,
        session: Any,
        about: About,
        name: str,
        key: str,
        act: Act,
        tag: EventTag,
        details: dict[str, Any],
        *,
        size: int,
        active_at: datetime | None = None,
    ) -> None:
        """Write down what somebody did, with the event that the ledger is to be told."""
        event = AuditEvent(tag, act.at, {**details, "by": self.name_of(act.by).hex()})
        step = AccessStep(about, name, key, act.by, act.at, act.reason, active_at)
        add_step(session, step, event, size)

    def find(self, way: Course, number: int) -> Standing:
        """Return a change by number.

        Raises:
            NotFound: when there is none.
        """
        if number not in way.standings:
            raise NotFound(f"没有第 {number} 号变更 / there is no change {number}")
        return way.standings[number]

    def _after(self, number: int, now: datetime) -> Standing:
        STEPS.tell(self.records, self.log)
        self.keeper.look(now)
        return self.find(self.course(), number)
