"""Pages of seals: the officer's to order them, the oversight body's to approve and to read.

Each shows the body of its JSON twin and posts to the same functions; nothing that was typed is
ever in an address.
"""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter, Form, Request
from starlette.responses import Response

from access.seal_grounds import SEAL_GROUNDS
from api import seals
from api.dependencies import CurrentServices, PageActor
from api.outcome import Outcome, tried
from api.pages.rendering import page
from api.seals import SealAct
from api.services import Services
from api.tokens import Session
from api.unmask import Number
from api.vocabulary import Vocabulary
from api.wire.oversight import AnswerBody
from api.wire.seals import OrderBody, RenewBody

router = APIRouter(include_in_schema=False)

Text = Annotated[str, Form(max_length=600)]


@router.get("/oversight/seals")
def listing(request: Request, session: PageActor, services: CurrentServices) -> Response:
    """Show every order, those first that wait for an approval, and the totals anybody has."""
    found = seals.listing(services, session).body["seals"]
    context = {
        "waiting": [one for one in found if "approve" in one["acts"]],
        "others": [one for one in found if "approve" not in one["acts"]],
        "sealed": seals.totals(services).body,
    }
    return page(request, "seals.html", context)


@router.get("/oversight/seals/{number}")
def detail(
    number: Number, request: Request, session: PageActor, services: CurrentServices
) -> Response:
    """Show one order, with the forms to act on it."""
    return _detail_page(request, services, session, number, None)


@router.get("/oversight/seals/{number}/uses")
def sealed(
    number: Number, request: Request, session: PageActor, services: CurrentServices
) -> Response:
    """Show what an order sealed; the reading is recorded first."""
    one = seals.detail(services, session, number).body
    found = seals.uses(services, session, number).body["uses"]
    return page(request, "seal.html", {"one": one, "uses": found, "problem": None})


@router.post("/oversight/seals/{number}/{act}")
def act_on_seal(
    number: Number,
    act: SealAct,
    request: Request,
    session: PageActor,
    services: CurrentServices,
    reason: Text = "",
) -> Response:
    """Approve, decline or lift; a refusal comes back on the order's page."""

    def do() -> Outcome:
        why = AnswerBody(reason=reason.strip()).reason
        return seals.do(services, session, number, act, why)

    return _detail_page(request, services, session, number, tried(do))


@router.get("/officer/seals")
def mine(request: Request, session: PageActor, services: CurrentServices) -> Response:
    """Show the orders of the reader's agency, and the form to ask for one."""
    return _own_page(request, services, session, None)


@router.post("/officer/seals")
def order(
    request: Request,
    session: PageActor,
    services: CurrentServices,
    ground: Text = "",
    purpose: Text = "",
    case: Text = "",
    until: Text = "",
    reason: Text = "",
) -> Response:
    """Ask for an order."""

    def do() -> Outcome:
        wanted = {
            "ground": ground,
            "purposes": (purpose,),
            "case": case.strip(),
            "until": _end_of_day(until),
            "reason": reason.strip(),
        }
        return seals.order(services, session, OrderBody.model_validate(wanted))

    return _own_page(request, services, session, tried(do))


@router.post("/officer/seals/{number}/{act}")
def end(
    number: Number,
    act: Literal["renew", "decline", "lift"],
    request: Request,
    session: PageActor,
    services: CurrentServices,
    until: Text = "",
    reason: Text = "",
) -> Response:
    """Ask for a renewal, take back, or lift."""

    def do() -> Outcome:
        if act == "renew":
            wanted = {"until": _end_of_day(until), "reason": reason.strip()}
            return seals.renew(services, session, number, RenewBody.model_validate(wanted))
        why = AnswerBody(reason=reason.strip()).reason
        return seals.do(services, session, number, act, why)

    return _own_page(request, services, session, tried(do))


def _end_of_day(day: str) -> str:
    """Return the end of a day in Beijing, as a time; what is no day is left for the body to refuse."""
    return f"{day}T23:59:59+08:00"


def _detail_page(
    request: Request, services: Services, session: Session, number: int, done: Outcome | None
) -> Response:
    problem = done.body if done and done.is_problem else None
    one = seals.detail(services, session, number).body
    context = {"one": one, "uses": None, "problem": problem}
    return page(request, "seal.html", context, done.status if done and problem else 200)


def _own_page(
    request: Request, services: Services, session: Session, done: Outcome | None
) -> Response:
    problem = done.body if done and done.is_problem else None
    words = services.vocabulary
    context = {
        "mine": seals.own_agency(services, session).body["seals"],
        "purposes": [p for p in words.purposes_of(session.actor) if p.seal is not None],
        "grounds": _grounds(words),
        "problem": problem,
        "begun": done.body if done and not problem else None,
    }
    return page(request, "officer_seals.html", context, done.status if done and problem else 200)


def _grounds(words: Vocabulary) -> list[tuple[str, str]]:
    known = {
        code for purpose in words.purposes.values() if purpose.seal for code in purpose.seal.grounds
    }
    return [(code, ground.title) for code, ground in SEAL_GROUNDS.items() if code in known]
