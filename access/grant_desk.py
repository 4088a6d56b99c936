"""Where people act on grants: ask for one, give or decline it, revoke it.

Who asks and who gives are two persons. A grant that is wider than its purpose, or than its owner
shares, is refused when it is asked for and again when it is given.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from access.desk import Act, Desk
from access.duties import Duty, Refusal, same_person
from access.grants import (
    GrantState,
    GrantStep,
    Standing,
    standings,
    too_wide,
)
from hub.errors import NotFound
from hub.events import EventTag
from hub.plain import require_plain
from hub.store.access_steps import STEPS, About, steps
from hub.store.grants import Grant, add_grant, grants
from hub.store.policies import looking


@dataclass(frozen=True, slots=True)
class GrantDesk:
    """Grants over the same means as changes of the policy."""

    desk: Desk

    def standings(self, now: datetime) -> tuple[Standing, ...]:
        """Return every grant and where it stands."""
        with looking(self.desk.records) as session:
            return standings(grants(session), steps(session, About.GRANT), now)

    def request(self, grant: Grant, act: Act) -> Standing | Refusal:
        """Ask for a grant.

        Raises:
            RequestError: when account or reason are not plain.
            LedgerError: when the ledger cannot be told; the request stands and is told later.
        """
        may = self.desk.may(act, Duty.REQUEST_GRANT)
        if isinstance(may, Refusal):
            return may
        require_plain(act.by, grant.basis)
        if refusal := self._refusal(grant):
            return refusal
        size = self.desk.log.size
        with self.desk.records.writing() as session:
            number = add_grant(session, grant)
            self.desk.step(
                session, About.GRANT, str(number), GrantStep.REQUESTED, act,
                EventTag.ACCESS_GRANT_REQUESTED, _details(grant), size=size,
            )  # fmt: skip
        return self._after(number, act)

    def give(self, number: int, act: Act) -> Standing | Refusal:
        """Approve a grant as the second person.

        Raises:
            NotFound: when there is no such grant.
        """
        official = self.desk.may(act, Duty.APPROVE_GRANT)
        if isinstance(official, Refusal):
            return official
        size = self.desk.log.size
        with self.desk.records.writing() as session:
            found = standings(grants(session), steps(session, About.GRANT), act.at)
            standing = _find(found, number)
            if standing.state is not GrantState.REQUESTED:
                return _not_now(standing)
            asked_by = standing.steps[GrantStep.REQUESTED].by
            refusal = same_person(asked_by, official, self.desk.officials)
            if refusal := refusal or self._refusal(standing.grant):
                return refusal
            self.desk.step(
                session, About.GRANT, str(number), GrantStep.GIVEN, act,
                EventTag.ACCESS_GRANT_GIVEN, _details(standing.grant), size=size,
            )  # fmt: skip
        return self._after(number, act)

    def decline(self, number: int, act: Act) -> Standing | Refusal:
        """Decline a grant that is asked for; who asked may take it back."""
        asked_by = _find(self.standings(act.at), number).steps[GrantStep.REQUESTED].by
        duty = Duty.REQUEST_GRANT if asked_by == act.by else Duty.APPROVE_GRANT
        ends = (GrantState.REQUESTED,)
        tag = EventTag.ACCESS_GRANT_DECLINED
        return self._end(number, act, duty, ends, GrantStep.DECLINED, tag)

    def revoke(self, number: int, act: Act) -> Standing | Refusal:
        """Take a grant back that was given; one person is enough to close something."""
        ends = (GrantState.GIVEN, GrantState.WAITING)
        tag = EventTag.ACCESS_GRANT_REVOKED
        return self._end(number, act, Duty.APPROVE_GRANT, ends, GrantStep.REVOKED, tag)

    def _end(
        self,
        number: int,
        act: Act,
        duty: Duty,
        ends: tuple[GrantState, ...],
        step: GrantStep,
        tag: EventTag,
    ) -> Standing | Refusal:
        may = self.desk.may(act, duty)
        if isinstance(may, Refusal):
            return may
        size = self.desk.log.size
        with self.desk.records.writing() as session:
            found = standings(grants(session), steps(session, About.GRANT), act.at)
            standing = _find(found, number)
            if standing.state not in ends:
                return _not_now(standing)
            self.desk.step(session, About.GRANT, str(number), step, act, tag, {}, size=size)
        return self._after(number, act)

    def _refusal(self, grant: Grant) -> Refusal | None:
        found = too_wide(grant, self.desk.keeper.policy.sources, self.desk.catalog)
        return Refusal("；".join(("授权过宽 / the grant is too wide", *found))) if found else None

    def _after(self, number: int, act: Act) -> Standing:
        STEPS.tell(self.desk.records, self.desk.log)
        self.desk.keeper.look(act.at)
        return _find(self.standings(act.at), number)


def _find(found: tuple[Standing, ...], number: int) -> Standing:
    standing = next((s for s in found if s.grant.id == number), None)
    if standing is None:
        raise NotFound(f"没有 {number} 号授权 / there is no grant {number}")
    return standing


def _not_now(standing: Standing) -> Refusal:
    return Refusal(f"该授权状态为 {standing.state} / the grant is {standing.state}")


def _details(grant: Grant) -> dict[str, object]:
    return {
        "agency": grant.agency,
        "role": grant.role,
        "purpose": grant.purpose,
        "actions": list(grant.actions),
        "columns": {name: list(columns) for name, columns in grant.columns.items()},
        "area": list(grant.area),
        "case": grant.case_name,
        "valid_from": grant.valid_from.isoformat(),
        "valid_to": grant.valid_to.isoformat(),
        "uses": grant.uses_left,
    }
