"""The oversight door: every emergency as soon as it is opened, and its review."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query
from starlette.responses import Response

from api import emergencies
from api.dependencies import CurrentServices, CurrentSession
from api.outcome import json_response
from api.unmask import Number
from api.wire.base import problems
from api.wire.oversight import Emergency, EmergencyList, ReviewBody

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
