"""Pages of lifted masks and emergencies: the officer's to ask and use, the oversight body's to review.

Each shows the body of its JSON twin and posts to the same functions; nothing that was typed is
ever in an address.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Form, Request
from starlette.responses import Response

from access.model import Action
from api import emergencies
from api.dependencies import CurrentServices, PageActor
from api.outcome import Outcome, tried
from api.pages.rendering import page
from api.services import Services
from api.tokens import Session
from api.unmask import Number
from api.wire.oversight import AnswerBody, EmergencyBody, ReviewBody, UnderBody, UnmaskBody

router = APIRouter(include_in_schema=False)

Text = Annotated[str, Form(max_length=600)]
Words = Annotated[list[str], Form(max_length=20)]


@router.get("/officer/unmask")
def at_work(request: Request, session: PageActor, services: CurrentServices) -> Response:
    """Show what the reader asked for or may answer, and the forms to ask."""
    return _work_page(request, services, session, None)


@router.post("/officer/unmask")
def ask(
    request: Request,
    session: PageActor,
    services: CurrentServices,
    value: Text = "",
    purpose: Text = "",
    case: Text = "",
    reason: Text = "",
    columns: Words = [],  # noqa: B006  never changed: the form has none
) -> Response:
    """Ask for columns of one person in clear."""

    def do() -> Outcome:
        body = UnmaskBody(
            by="resident_id",
            value=value.strip(),
            columns=tuple(columns),
            purpose=purpose,
            case=case.strip(),
            reason=reason.strip(),
        )
        return emergencies.request_unmask(services, session, body)

    return _work_page(request, services, session, tried(do))


@router.post("/officer/emergency")
def open_emergency(
    request: Request,
    session: PageActor,
    services: CurrentServices,
    purpose: Text = "",
    case: Text = "",
    reason: Text = "",
    minutes: Text = "60",
) -> Response:
    """Open an emergency."""

    def do() -> Outcome:
        wanted = {
            "purpose": purpose,
            "case": case.strip(),
            "reason": reason.strip(),
            "minutes": minutes,
        }
        return emergencies.open_emergency(services, session, EmergencyBody.model_validate(wanted))

    return _work_page(request, services, session, tried(do))


@router.post("/officer/unmask/{number}/release")
def release(
    number: Number,
    request: Request,
    session: PageActor,
    services: CurrentServices,
    value: Text = "",
    case: Text = "",
) -> Response:
    """Show one person under a lifted mask or an emergency of the reader's own."""

    def do() -> Outcome:
        body = UnderBody(by="resident_id", value=value.strip(), case=case.strip())
        return emergencies.release(services, session, number, body)

    return _work_page(request, services, session, tried(do))


@router.post("/officer/unmask/{number}/{act}")
def answer(
    number: Number,
    act: Literal["approve", "decline"],
    request: Request,
    session: PageActor,
    services: CurrentServices,
    reason: Text = "",
) -> Response:
    """Approve or decline a request."""

    def do() -> Outcome:
        why = AnswerBody(reason=reason.strip()).reason
        return emergencies.answer(services, session, number, why, approve=act == "approve")

    return _work_page(request, services, session, tried(do))


@router.get("/oversight")
def listing(request: Request, session: PageActor, services: CurrentServices) -> Response:
    """Show every emergency and lifted mask, those first that wait for a review."""
    found = emergencies.listing(services, session, only_open=False).body["emergencies"]
    context = {
        "waiting": [one for one in found if "review" in one["acts"]],
        "others": [one for one in found if "review" not in one["acts"]],
    }
    return page(request, "oversight.html", context)


@router.get("/oversight/emergencies/{number}")
def detail(
    number: Number, request: Request, session: PageActor, services: CurrentServices
) -> Response:
    """Show one, with the form to review it."""
    return _detail_page(request, services, session, number, None)


@router.post("/oversight/emergencies/{number}/review")
def review(
    number: Number,
    request: Request,
    session: PageActor,
    services: CurrentServices,
    justified: Text = "",
    reason: Text = "",
) -> Response:
    """Review one; a refusal comes back on its page."""

    def do() -> Outcome:
        given = {"justified": justified or None, "reason": reason.strip()}
        body = ReviewBody.model_validate(given)
        return emergencies.review(services, session, number, body.reason, justified=body.justified)

    return _detail_page(request, services, session, number, tried(do))


def _work_page(
    request: Request, services: Services, session: Session, done: Outcome | None
) -> Response:
    good = done is not None and not done.is_problem
    lifts, rescues = _purposes(services, session)
    context = {
        "mine": emergencies.at_work(services, session).body["emergencies"],
        "lifts": lifts,
        "rescues": rescues,
        "problem": done.body if done and done.is_problem else None,
        "answer": done.body if done and good and "subjects" in done.body else None,
        "begun": done.body if done and good and "subjects" not in done.body else None,
    }
    return page(request, "unmask.html", context, done.status if done and done.is_problem else 200)


def _purposes(services: Services, session: Session) -> tuple[list[Any], list[Any]]:
    """Return the purposes under which the reader may ask for approval, and open emergencies."""
    words = services.vocabulary
    lifts: list[Any] = []
    rescues: list[Any] = []
    for purpose in words.purposes_of(session.actor):
        if Action.UNMASK not in purpose.actions:
            continue
        columns = [
            {
                "name": f"{name}.{column}",
                "title": f"{words.dataset_title(name)}：{words.column_title(name, column)}",
            }
            for name, needs in purpose.needs.items()
            for column, need in needs.items()
            if need == "unmask"
        ]
        body: Mapping[str, Any] = {
            "code": purpose.code,
            "title": purpose.title,
            "plain": purpose.plain,
            "legal_basis": purpose.legal_basis,
            "columns": columns,
        }
        (lifts if columns else rescues).append(body)
    return lifts, rescues


def _detail_page(
    request: Request, services: Services, session: Session, number: int, done: Outcome | None
) -> Response:
    one = emergencies.detail(services, session, number).body
    problem = done.body if done and done.is_problem else None
    context = {"one": one, "problem": problem}
    return page(request, "emergency.html", context, done.status if done and problem else 200)
