"""Every route establishes an actor, or sits on the short public list with its reason."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi import FastAPI
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute, APIRouter
from starlette.routing import Mount

from api import app as application
from api.dependencies import PUBLIC_ROUTES, BearerSession, PageSession, same_site
from api.identity_provider import router as demonstration

ROUTERS: tuple[APIRouter, ...] = (
    *(module.router for module in (*application._DOORS, *application._PAGES)),
    demonstration,
)
MOST_PUBLIC = 22


def routes() -> Iterator[APIRoute]:
    for router in ROUTERS:
        for route in router.routes:
            assert isinstance(route, APIRoute), "a door or page has only described routes"
            yield route


def calls(dependant: Dependant) -> Iterator[object]:
    yield dependant.call
    for below in dependant.dependencies:
        yield from calls(below)


def establishes_actor(route: APIRoute) -> bool:
    return any(isinstance(call, BearerSession | PageSession) for call in calls(route.dependant))


def keys(route: APIRoute) -> set[tuple[str, str]]:
    return {(method, route.path) for method in route.methods or ()}


@pytest.mark.parametrize(
    "route", tuple(routes()), ids=lambda route: f"{route.methods} {route.path}"
)
def test_a_route_has_an_actor_or_a_reason(route: APIRoute) -> None:
    if not establishes_actor(route):
        assert keys(route) <= set(PUBLIC_ROUTES), f"{route.path} answers anyone, without a reason"


def test_the_public_list_is_short_and_names_only_what_is_there() -> None:
    open_routes = {key for route in routes() if not establishes_actor(route) for key in keys(route)}
    assert set(PUBLIC_ROUTES) == open_routes | {("GET", "/openapi.json")}
    assert len(PUBLIC_ROUTES) <= MOST_PUBLIC
    assert all(PUBLIC_ROUTES.values())


def test_pages_and_api_have_separate_ways_in() -> None:
    for route in routes():
        ways = {
            type(c) for c in calls(route.dependant) if isinstance(c, BearerSession | PageSession)
        }
        if route.path.startswith("/v1/"):
            assert PageSession not in ways, route.path
        else:
            assert BearerSession not in ways, route.path


def test_a_form_that_is_posted_comes_from_this_site() -> None:
    for route in routes():
        if ("POST", route.path) in keys(route) and not route.path.startswith("/v1/"):
            used = set(calls(route.dependant))
            guarded = same_site in used or any(isinstance(c, PageSession) for c in used)
            assert guarded or route.path == "/demo/token", route.path


def test_the_application_mounts_only_those_routers_and_the_style_sheets() -> None:
    text = Path(application.__file__).read_text(encoding="utf-8")
    assert text.count("include_router(") == 3
    assert text.count(".mount(") == 1
    plain = FastAPI(docs_url=None, redoc_url=None, openapi_url=None)
    assert not [route for route in plain.routes if not isinstance(route, Mount)]
