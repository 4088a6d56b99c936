"""The officer's door: look one person up, search, and what may be asked for."""

from __future__ import annotations

from fastapi import APIRouter
from starlette.responses import Response

from api import disclosures
from api.dependencies import CurrentServices, CurrentSession
from api.lean import LeanRoute
from api.outcome import json_response
from api.wire.base import problems
from api.wire.officer import Disclosure, LookupBody, Purposes, SearchBody

router = APIRouter(prefix="/v1/officer", tags=["officer"], route_class=LeanRoute)

_PROBLEMS = problems(400, 401, 403, 404, 413, 415, 422, 429, 503)


@router.post("/lookup", response_model=Disclosure, responses=_PROBLEMS)
async def look_up(body: LookupBody, session: CurrentSession, services: CurrentServices) -> Response:
    """Look one person up by identity number, or by the handle of a search.

    What is released, and how much of each field, follows from your role, area, purpose and case.
    Every answer, refusals included, stands in the ledger before it reaches you.
    """
    return json_response(await disclosures.look_up(services, session, body))


@router.post("/search", response_model=Disclosure, responses=_PROBLEMS)
async def search(body: SearchBody, session: CurrentSession, services: CurrentServices) -> Response:
    """List who is held under a name and birth date, a telephone number or an address.

    A list shows less of each person than a look-up; use a person's handle for more.
    """
    return json_response(await disclosures.search(services, session, body))


@router.get("/purposes", response_model=Purposes, responses=problems(401))
async def purposes(session: CurrentSession, services: CurrentServices) -> Response:
    """List the purposes your roles may state, and what stating each takes."""
    return json_response(disclosures.purposes_of(services, session))
