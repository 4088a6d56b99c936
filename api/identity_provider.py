"""The embedded identity provider: tokens of invented actors, profile demonstration only.

`api.app` mounts it in no other profile; JSON and page both say what it is.
"""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Form, Request
from starlette.responses import RedirectResponse, Response

from access.model import Actor
from api.dependencies import CurrentServices, SameSite, remember
from api.outcome import Outcome, json_response
from api.pages.rendering import page
from api.people import NOTICE, DemonstrationProvider
from api.services import Services
from api.vocabulary import Vocabulary
from api.wire.base import problems
from api.wire.identity import DemoActors, Token, TokenBody
from hub.errors import HubError, NotFound

router = APIRouter(prefix="/demo", tags=["demonstration"])

#: Role -> the page its holder wants first.
_DOORS = {
    "citizen": "/citizen",
    "analyst": "/statistics",
    "department_steward": "/partner",
    "data_steward": "/partner",
    "oversight": "/board",
}


@router.get("/actors", response_model=DemoActors)
async def actors(services: CurrentServices) -> Response:
    """List the invented actors and some invented residents worth looking at."""
    return json_response(Outcome(200, listing(services)))


@router.post("/token", response_model=Token, responses=problems(400, 404, 422))
async def token(body: TokenBody, services: CurrentServices) -> Response:
    """Return a signed token of an invented actor."""
    text, session = _provider(services).sign_in(body.actor, body.id_number)
    seconds = int((session.expires - services.clock.now()).total_seconds())
    return json_response(
        Outcome(
            200,
            {
                "access_token": text,
                "token_type": "Bearer",
                "expires_in": seconds,
                "expires": session.expires,
                "actor": _actor(session.actor, services.vocabulary),
                "demonstration": True,
                "notice": NOTICE,
            },
        )
    )


@router.get("/sign-in", include_in_schema=False)
async def sign_in_page(request: Request, services: CurrentServices) -> Response:
    """Show the invented actors to choose from."""
    return page(request, "sign_in.html", listing(services))


@router.post("/sign-in", include_in_schema=False, dependencies=[SameSite])
async def sign_in(
    request: Request,
    services: CurrentServices,
    actor: Annotated[str, Form(max_length=60)],
    id_number: Annotated[str | None, Form(max_length=18)] = None,
) -> Response:
    """Put an invented actor into the page cookie and open the right page."""
    number = (id_number or "").strip().upper() or None
    try:
        text, session = _provider(services).sign_in(actor, number)
    except HubError as exc:
        context = {**listing(services), "failure": exc.message, "chosen": actor}
        return page(request, "sign_in.html", context, exc.status)
    doors = (_DOORS[role] for role in session.actor.roles if role in _DOORS)
    response = RedirectResponse(next(doors, "/officer"), 303)
    remember(request, response, text)
    return response


def listing(services: Services) -> dict[str, Any]:
    """Return the invented actors and residents as a body."""
    provider = _provider(services)
    return {
        "demonstration": True,
        "notice": NOTICE,
        "actors": [
            {**_actor(actor, services.vocabulary), "id": name}
            for name, actor in provider.actors.items()
        ],
        "people": [
            {
                "id_number": person.id_number,
                "name": person.name,
                "birth_date": person.birth_date,
                "grid_code": person.grid_code,
                "note": person.note,
            }
            for person in provider.people
        ],
    }


def _provider(services: Services) -> DemonstrationProvider:
    if services.provider is None:
        raise NotFound("the embedded identity provider runs in the demonstration profile only")
    return services.provider


def _actor(actor: Actor, vocabulary: Vocabulary) -> dict[str, Any]:
    return {
        "id": actor.id,
        "name": actor.name,
        "agency": actor.agency,
        "agency_title": vocabulary.agency(actor.agency),
        "post": actor.post,
        "roles": actor.roles,
        "role_titles": vocabulary.role_titles(actor),
        "area": actor.area,
        "clearance": actor.clearance.name,
    }
