"""Seals at the doors: what JSON and pages show and do about orders, and what they sealed.

Who may order sees the orders of their agency; who approves or oversees sees all. Persons and cases
are named to nobody.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any, Literal

from access.desk import Act
from access.duties import Duty, Refusal, unfit
from access.seal_desk import WantedSeal
from access.seal_grounds import SEAL_GROUNDS
from access.seal_release import SealedUse
from access.seal_totals import THRESHOLD
from access.seals import SEAL_TITLES, SealStanding, SealState
from api.outcome import Outcome
from api.services import Services
from api.tokens import Session
from api.vocabulary import Vocabulary
from api.wire.seals import OrderBody, RenewBody
from hub.clock import stamp_of
from hub.errors import AccessDenied, RequestError

SealAct = Literal["approve", "decline", "lift"]

STEP_TITLES = {
    "asked": "申请 / asked for",
    "approved": "批准 / approved",
    "declined": "未批准 / declined",
    "lifted": "提前解除 / lifted early",
    "ended": "已全部公开 / all released",
}
_SEES_ALL = (Duty.APPROVE_SEAL, Duty.READ_LEDGER)


def order(services: Services, session: Session, body: OrderBody) -> Outcome:
    """Ask for an order.

    Raises:
        AccessDenied: when the actor may not, or nothing may be sealed so.
        RequestError: when the reason is not plain, or a time names no zone.
    """
    now = services.clock.now()
    wanted = WantedSeal(
        ground=body.ground,
        purposes=body.purposes,
        case=body.case,
        valid_from=now if body.valid_from is None else _instant(body.valid_from),
        valid_to=_instant(body.until),
    )
    done = services.seals.order(
        wanted, _official(services, session), Act(session.actor.id, body.reason, now)
    )
    return _done(services, session, done, 201)


def renew(services: Services, session: Session, number: int, body: RenewBody) -> Outcome:
    """Ask for an order to hold longer.

    Raises:
        AccessDenied: when the actor may not, or it cannot be renewed.
        NotFound: when there is no such order.
    """
    act = Act(session.actor.id, body.reason, services.clock.now())
    official = _official(services, session)
    done = services.seals.renew(number, _instant(body.until), official, act)
    return _done(services, session, done)


def do(services: Services, session: Session, number: int, act: SealAct, reason: str) -> Outcome:
    """Approve or decline an order or its renewal, or lift it.

    Raises:
        AccessDenied: when the actor may not, or it does not wait for that.
        NotFound: when there is no such order.
    """
    desk = services.seals
    doing = {"approve": desk.approve, "decline": desk.decline, "lift": desk.lift}[act]
    acting = Act(session.actor.id, reason, services.clock.now())
    return _done(services, session, doing(number, _official(services, session), acting))


def own_agency(services: Services, session: Session) -> Outcome:
    """Return the orders of the actor's agency, the newest first.

    Raises:
        AccessDenied: when the actor may not order any.
    """
    _require(services, session, Duty.ORDER_SEAL)
    found = services.seals.standings(services.clock.now())
    mine = [one for one in found if one.order.agency == session.actor.agency]
    return _listed(services, session, mine)


def listing(services: Services, session: Session) -> Outcome:
    """Return all orders, the newest first.

    Raises:
        AccessDenied: when the actor neither approves nor oversees them.
    """
    _require(services, session, *_SEES_ALL)
    return _listed(services, session, list(services.seals.standings(services.clock.now())))


def detail(services: Services, session: Session, number: int) -> Outcome:
    """Return one order.

    Raises:
        AccessDenied: as `listing`.
        NotFound: when there is none.
    """
    _require(services, session, *_SEES_ALL)
    found = services.seals.find(number, services.clock.now())
    return Outcome(200, _body(services, session, found))


def uses(services: Services, session: Session, number: int) -> Outcome:
    """Return what was sealed under an order, once the reading of it is recorded.

    Raises:
        AccessDenied: when the actor may not read the ledger.
        NotFound: when there is no such order.
    """
    act = Act(session.actor.id, "", services.clock.now())
    found = services.seals.uses(number, _official(services, session), act)
    if isinstance(found, Refusal):
        raise AccessDenied(found.reason)
    sealed, released = found
    bodies = [_use(use, released.get(use.index), services.vocabulary) for use in sealed]
    return Outcome(200, {"uses": bodies})


def totals(services: Services) -> Outcome:
    """Return how much was sealed in every closed year, for everybody."""
    bodies = [
        {
            "year": total.year,
            "ground": total.ground,
            "ground_title": SEAL_GROUNDS[total.ground].title,
            "legal_basis": SEAL_GROUNDS[total.ground].legal_basis,
            "orders": total.orders,
            "uses": total.uses,
        }
        for total in services.seal_totals.until(services.clock.now())
    ]
    return Outcome(200, {"threshold": THRESHOLD, "totals": bodies})


def _instant(time: datetime) -> datetime:
    if time.tzinfo is None:
        raise RequestError("时间须写明时区，如 2026-08-31T16:00:00Z / a time names its zone")
    return time.astimezone(UTC)


def _official(services: Services, session: Session) -> Any:
    return services.emergencies.official(session.actor)


def _has(services: Services, session: Session, duty: Duty) -> bool:
    return unfit(_official(services, session), duty, services.vocabulary.roles) is None


def _require(services: Services, session: Session, *duties: Duty) -> None:
    if not any(_has(services, session, duty) for duty in duties):
        refusal = unfit(_official(services, session), duties[0], services.vocabulary.roles)
        raise AccessDenied(refusal.reason if refusal else "—")


def _done(
    services: Services, session: Session, outcome: SealStanding | Refusal, status: int = 200
) -> Outcome:
    if isinstance(outcome, Refusal):
        raise AccessDenied(outcome.reason)
    return Outcome(status, _body(services, session, outcome))


def _listed(services: Services, session: Session, found: list[SealStanding]) -> Outcome:
    return Outcome(200, {"seals": [_body(services, session, one) for one in reversed(found)]})


def seal_body(one: SealStanding, words: Vocabulary) -> dict[str, Any]:
    """Return an order and where it stands, as a body; it says nothing of what its reader may do."""
    order, ground = one.order, SEAL_GROUNDS[one.order.ground]
    purposes = {code: words.purpose(code) for code in order.purposes}
    return {
        "id": order.id,
        "state": one.state.value,
        "state_title": SEAL_TITLES[one.state],
        "ground": order.ground,
        "ground_title": ground.title,
        "legal_basis": ground.legal_basis,
        "by": one.began.by,
        "agency": order.agency,
        "agency_title": words.agency(order.agency),
        "purposes": [
            {"code": code, "title": found.title if found else code}
            for code, found in purposes.items()
        ],
        "begins": one.begins,
        "ends": one.ends,
        "asked_until": one.open_term.valid_to if one.open_term else None,
        "renewals": one.renewals,
        "released": one.released,
        "reason": one.began.reason,
        "steps": [
            {
                "at": step.at,
                "step": step.key.partition("-")[0],
                "step_title": STEP_TITLES[step.key.partition("-")[0]],
                "by": step.by,
                "reason": step.reason,
            }
            for step in one.steps.values()
        ],
    }


def _body(services: Services, session: Session, one: SealStanding) -> dict[str, Any]:
    acts = list(_acts(services, session, one))
    return {**seal_body(one, services.vocabulary), "acts": acts}


def _acts(services: Services, session: Session, one: SealStanding) -> Iterator[str]:
    """Yield what the actor can do about an order now."""
    orders = _has(services, session, Duty.ORDER_SEAL) and one.order.agency == session.actor.agency
    approves = _has(services, session, Duty.APPROVE_SEAL)
    asked_by = one.steps[f"asked-{one.open_term.number}"].by if one.open_term else None
    if one.open_term is not None and asked_by != session.actor.id and approves:
        yield "approve"
        yield "decline"
    elif one.open_term is not None and asked_by == session.actor.id:
        yield "decline"
    if one.state is SealState.IN_FORCE and one.open_term is None and orders:
        yield "renew"
    if one.state in (SealState.IN_FORCE, SealState.WAITING) and (orders or approves):
        yield "lift"


def _use(sealed: SealedUse, released: int | None, words: Vocabulary) -> dict[str, Any]:
    use = sealed.use
    purpose = words.purpose(use.purpose)
    return {
        "index": sealed.index,
        "time": stamp_of(use.time),
        "outcome": use.decision,
        "agency": use.actor.agency,
        "agency_title": words.agency(use.actor.agency),
        "post": use.actor.post,
        "actor": use.actor.id,
        "purpose": use.purpose,
        "purpose_title": purpose.title if purpose else use.purpose,
        "action": use.action.value,
        "datasets": [words.dataset_title(name) for name in use.datasets],
        "released": released,
    }
