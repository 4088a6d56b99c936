"""Lifted masks and emergencies at the doors: what JSON and pages show and do, over one guard.

Who asked sees their own; who may approve those of their agency; the oversight body all of them,
and of nobody any data.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from access.answers import Answer, EmergencyQuery, UnderQuery, UnmaskQuery
from access.desk import Act
from access.duties import Duty, Refusal, unfit
from access.emergency import TITLES, Standing, State
from api import disclosures
from api.outcome import Outcome
from api.services import Services
from api.tokens import Session
from api.wire.oversight import EmergencyBody, UnderBody, UnmaskBody
from hub.errors import AccessDenied
from hub.store.emergencies import Kind

_REVIEWED = (State.JUSTIFIED, State.NOT_JUSTIFIED)


def request_unmask(services: Services, session: Session, body: UnmaskBody) -> Outcome:
    """Ask for columns of one person in clear."""
    query = UnmaskQuery(
        by=body.by,
        value=body.value,
        columns=body.columns,
        purpose=body.purpose,
        case=body.case,
        reason=body.reason,
        request_id=services.new_request_id(),
    )
    return _begun(services, session, services.guard.request_unmask(session.actor, query))


def open_emergency(services: Services, session: Session, body: EmergencyBody) -> Outcome:
    """Open an emergency."""
    query = EmergencyQuery(
        purpose=body.purpose,
        case=body.case,
        reason=body.reason,
        persons=body.persons,
        minutes=body.minutes,
        request_id=services.new_request_id(),
    )
    return _begun(services, session, services.guard.open_emergency(session.actor, query))


def release(services: Services, session: Session, number: int, body: UnderBody) -> Outcome:
    """Return one person under a lifted mask or an emergency of the actor's own."""
    query = UnderQuery(
        number=number,
        by=body.by,
        value=body.value,
        case=body.case,
        request_id=services.new_request_id(),
    )
    answer = services.guard.unmasked(session.actor, query)
    return disclosures.outcome_of(answer, services.vocabulary)


def answer(
    services: Services, session: Session, number: int, reason: str, *, approve: bool
) -> Outcome:
    """Approve or decline as the second person that a mask is lifted.

    Raises:
        AccessDenied: when the actor may not, or it does not wait for an answer.
        NotFound: when there is no such request.
    """
    desk = services.emergencies
    do = desk.approve if approve else desk.decline
    done = do(number, desk.official(session.actor), _act(services, session, reason))
    return _done(services, session, done)


def review(
    services: Services, session: Session, number: int, reason: str, *, justified: bool
) -> Outcome:
    """Review an emergency.

    Raises:
        AccessDenied: when the actor may not, or it is reviewed already.
        NotFound: when there is no such emergency.
    """
    desk, act = services.emergencies, _act(services, session, reason)
    done = desk.review(number, desk.official(session.actor), act, justified=justified)
    return _done(services, session, done)


def at_work(services: Services, session: Session) -> Outcome:
    """Return the actor's own, and the requests that the actor may answer, the newest first."""
    desk = services.emergencies
    mine, answers = desk.account(session.actor), _has(services, session, Duty.APPROVE_UNMASK)
    found = [
        standing
        for standing in desk.standings(services.clock.now())
        if standing.emergency.actor == mine
        or (
            answers
            and standing.emergency.kind is Kind.UNMASK
            and standing.emergency.agency == session.actor.agency
        )
    ]
    return _listed(services, session, found)


def listing(services: Services, session: Session, *, only_open: bool) -> Outcome:
    """Return all of them, the newest first.

    Args:
        only_open: only emergencies that nobody has reviewed.

    Raises:
        AccessDenied: when the actor has no duty to review.
    """
    _require_reviewer(services, session)
    found = [
        standing
        for standing in services.emergencies.standings(services.clock.now())
        if not only_open or _waits(standing)
    ]
    return _listed(services, session, found)


def detail(services: Services, session: Session, number: int) -> Outcome:
    """Return one of them.

    Raises:
        AccessDenied: when the actor has no duty to review.
        NotFound: when there is none.
    """
    _require_reviewer(services, session)
    standing = services.emergencies.find(number, services.clock.now())
    return Outcome(200, _body(services, session, standing))


def _waits(standing: Standing) -> bool:
    return standing.emergency.kind is Kind.EMERGENCY and standing.state not in _REVIEWED


def _begun(services: Services, session: Session, outcome: Standing | Answer) -> Outcome:
    if isinstance(outcome, Standing):
        return Outcome(201, _body(services, session, outcome))
    return disclosures.outcome_of(outcome, services.vocabulary)


def _done(services: Services, session: Session, outcome: Standing | Refusal) -> Outcome:
    if isinstance(outcome, Refusal):
        raise AccessDenied(outcome.reason)
    return Outcome(200, _body(services, session, outcome))


def _listed(services: Services, session: Session, found: list[Standing]) -> Outcome:
    bodies = [_body(services, session, standing) for standing in reversed(found)]
    return Outcome(200, {"emergencies": bodies})


def _act(services: Services, session: Session, reason: str) -> Act:
    return Act(session.actor.id, reason, services.clock.now())


def _has(services: Services, session: Session, duty: Duty) -> bool:
    official = services.emergencies.official(session.actor)
    return unfit(official, duty, services.vocabulary.roles) is None


def _require_reviewer(services: Services, session: Session) -> None:
    official = services.emergencies.official(session.actor)
    refusal = unfit(official, Duty.REVIEW_EMERGENCY, services.vocabulary.roles)
    if refusal is not None:
        raise AccessDenied(refusal.reason)


def _body(services: Services, session: Session, standing: Standing) -> dict[str, Any]:
    one, words = standing.emergency, services.vocabulary
    purpose = words.purpose(one.purpose)
    return {
        "id": one.id,
        "kind": one.kind.value,
        "state": standing.state.value,
        "state_title": TITLES[standing.state],
        "by": standing.began.by,
        "agency": one.agency,
        "agency_title": words.agency(one.agency),
        "purpose": one.purpose,
        "purpose_title": purpose.title if purpose else one.purpose,
        "columns": [
            f"{words.dataset_title(name)}：{words.column_title(name, column)}"
            for name, columns in one.columns.items()
            for column in columns
        ],
        "persons": standing.persons,
        "persons_max": one.persons_max,
        "opened_at": one.opened_at,
        "until": standing.until,
        "review_by": one.review_by if one.kind is Kind.EMERGENCY else None,
        "reason": standing.began.reason,
        "steps": [
            {
                "at": step.at,
                "step": step.key.partition("-")[0],
                "by": step.by,
                "reason": step.reason,
            }
            for step in standing.steps.values()
        ],
        "acts": list(_acts(services, session, standing)),
    }


def _acts(services: Services, session: Session, standing: Standing) -> Iterator[str]:
    """Yield what the actor can do about one now."""
    desk, one = services.emergencies, standing.emergency
    own = one.actor == desk.account(session.actor)
    if standing.state is State.REQUESTED:
        answers = one.agency == session.actor.agency and one.person != desk.person(session.actor)
        if answers and not own and _has(services, session, Duty.APPROVE_UNMASK):
            yield "approve"
            yield "decline"
        elif own:
            yield "decline"
    if own and standing.is_open:
        yield "release"
    if _waits(standing) and not own and _has(services, session, Duty.REVIEW_EMERGENCY):
        yield "review"
