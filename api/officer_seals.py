"""The officer's door to seals: order uses of the own agency to be sealed, renew, take back, lift."""

from __future__ import annotations

from typing import Literal

from fastapi import APIRouter
from starlette.responses import Response

from api import seals
from api.dependencies import CurrentServices, CurrentSession
from api.outcome import json_response
from api.unmask import Number
from api.wire.base import problems
from api.wire.oversight import AnswerBody
from api.wire.seals import OrderBody, RenewBody, Seal, SealList

router = APIRouter(prefix="/v1/officer/seals", tags=["officer"])

_PROBLEMS = problems(400, 401, 403, 404, 422, 503)


@router.get("", response_model=SealList, responses=problems(401, 403, 503))
def own_orders(session: CurrentSession, services: CurrentServices) -> Response:
    """List the orders of your agency, the newest first."""
    return json_response(seals.own_agency(services, session))


@router.post("", response_model=Seal, status_code=201, responses=_PROBLEMS)
def order_seal(body: OrderBody, session: CurrentSession, services: CurrentServices) -> Response:
    """Ask for the uses of your agency for a case to be kept from their subjects for a time.

    Nothing is sealed before a second person has approved it.
    """
    return json_response(seals.order(services, session, body))


@router.post("/{number}/renew", response_model=Seal, responses=_PROBLEMS)
def renew_seal(
    number: Number, body: RenewBody, session: CurrentSession, services: CurrentServices
) -> Response:
    """Ask for an order to hold longer; without an approval in time it ends as it would have."""
    return json_response(seals.renew(services, session, number, body))


@router.post("/{number}/{act}", response_model=Seal, responses=_PROBLEMS)
def end_seal(
    number: Number,
    act: Literal["decline", "lift"],
    body: AnswerBody,
    session: CurrentSession,
    services: CurrentServices,
) -> Response:
    """Take back what you asked for, or lift an order of your agency early."""
    return json_response(seals.do(services, session, number, act, body.reason))
