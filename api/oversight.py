"""The oversight door: every emergency and its review; every order to seal, and what it sealed."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query
from starlette.responses import Response

from api import emergencies, seals
from api.dependencies import CurrentServices, CurrentSession
from api.outcome import json_response
from api.seals import SealAct
from api.unmask import Number
from api.wire.base import problems
from api.wire.oversight import AnswerBody, Emergency, EmergencyList, ReviewBody
from api.wire.seals import Seal, SealedUses, SealList

router = APIRouter(prefix="/v1/oversight", tags=["oversight"])


@router.get("/emergencies", response_model=EmergencyList, responses=problems(401, 403, 422, 503))
def listing(
    session: CurrentSession,
    services: CurrentServices,
    only_open: Annotated[
        bool, Query(alias="open", description="Only emergencies nobody has reviewed.")
    ] = False,
) -> Response:
    """List emergencies and lifted masks, the newest first; they name nobody."""
    return json_response(emergencies.listing(services, session, only_open=only_open))


@router.get(
    "/emergencies/{number}",
    response_model=Emergency,
    responses=problems(401, 403, 404, 422, 503),
)
def detail(number: Number, session: CurrentSession, services: CurrentServices) -> Response:
    """Return one with everything that was done about it."""
    return json_response(emergencies.detail(services, session, number))


@router.post(
    "/emergencies/{number}/review",
    response_model=Emergency,
    responses=problems(400, 401, 403, 404, 422, 503),
)
def review(
    number: Number, body: ReviewBody, session: CurrentSession, services: CurrentServices
) -> Response:
    """Judge an emergency; that ends one that is still open, and lifts the block of an overdue one."""
    return json_response(
        emergencies.review(services, session, number, body.reason, justified=body.justified)
    )


@router.get("/seals", response_model=SealList, responses=problems(401, 403, 503))
def list_seals(session: CurrentSession, services: CurrentServices) -> Response:
    """List the orders under which uses are kept from their subjects, the newest first."""
    return json_response(seals.listing(services, session))


@router.get("/seals/{number}", response_model=Seal, responses=problems(401, 403, 404, 422, 503))
def seal(number: Number, session: CurrentSession, services: CurrentServices) -> Response:
    """Return one order with everything that was done about it."""
    return json_response(seals.detail(services, session, number))


@router.get(
    "/seals/{number}/uses", response_model=SealedUses, responses=problems(401, 403, 404, 422, 503)
)
def sealed(number: Number, session: CurrentSession, services: CurrentServices) -> Response:
    """Return every use that an order sealed; your reading them is recorded first."""
    return json_response(seals.uses(services, session, number))


@router.post(
    "/seals/{number}/{act}",
    response_model=Seal,
    responses=problems(400, 401, 403, 404, 422, 503),
)
def act_on_seal(
    number: Number,
    act: SealAct,
    body: AnswerBody,
    session: CurrentSession,
    services: CurrentServices,
) -> Response:
    """Approve or decline an order or its renewal as the second person, or lift it early."""
    return json_response(seals.do(services, session, number, act, body.reason))
