"""The officer's door to what is masked: by a second person's approval, or in an emergency."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path
from starlette.responses import Response

from api import emergencies
from api.dependencies import CurrentServices, CurrentSession
from api.outcome import json_response
from api.wire.base import problems
from api.wire.officer import Disclosure
from api.wire.oversight import (
    AnswerBody,
    Emergency,
    EmergencyBody,
    EmergencyList,
    UnderBody,
    UnmaskBody,
)

router = APIRouter(prefix="/v1/officer", tags=["officer"])

Number = Annotated[int, Path(ge=1, lt=10**9, examples=[3], description="Its number.")]

_PROBLEMS = problems(400, 401, 403, 404, 422, 503)


@router.get("/unmask", response_model=EmergencyList, responses=problems(401, 503))
def mine(session: CurrentSession, services: CurrentServices) -> Response:
    """List what you asked for, and the requests of your agency that you may answer."""
    return json_response(emergencies.at_work(services, session))


@router.post("/unmask", response_model=Emergency, status_code=201, responses=_PROBLEMS)
def ask(body: UnmaskBody, session: CurrentSession, services: CurrentServices) -> Response:
    """Ask for columns of one person in clear; somebody else of your agency decides.

    An approval is good for one release within the hour.
    """
    return json_response(emergencies.request_unmask(services, session, body))


@router.post("/unmask/{number}/approve", response_model=Emergency, responses=_PROBLEMS)
def approve(
    number: Number, body: AnswerBody, session: CurrentSession, services: CurrentServices
) -> Response:
    """Approve as the second person; never what you asked for, under no account."""
    return json_response(emergencies.answer(services, session, number, body.reason, approve=True))


@router.post("/unmask/{number}/decline", response_model=Emergency, responses=_PROBLEMS)
def decline(
    number: Number, body: AnswerBody, session: CurrentSession, services: CurrentServices
) -> Response:
    """Decline; who asked may take their own request back."""
    return json_response(emergencies.answer(services, session, number, body.reason, approve=False))


@router.post("/unmask/{number}/release", response_model=Disclosure, responses=_PROBLEMS)
def release(
    number: Number, body: UnderBody, session: CurrentSession, services: CurrentServices
) -> Response:
    """Show what was approved, once."""
    return json_response(emergencies.release(services, session, number, body))


@router.post("/emergency", response_model=Emergency, status_code=201, responses=_PROBLEMS)
def open_emergency(
    body: EmergencyBody, session: CurrentSession, services: CurrentServices
) -> Response:
    """Open an emergency at once: a few persons, an hour at most.

    The oversight body sees it at once and reviews it within working days; while that is overdue
    you are shown nothing. The persons learn of it as of every other use.
    """
    return json_response(emergencies.open_emergency(services, session, body))


@router.post("/emergency/{number}/lookup", response_model=Disclosure, responses=_PROBLEMS)
def look_up_in_emergency(
    number: Number, body: UnderBody, session: CurrentSession, services: CurrentServices
) -> Response:
    """Show one person in an emergency of your own."""
    return json_response(emergencies.release(services, session, number, body))
