"""The web application: the only place where doors, pages and services meet.

    uvicorn api.app:create_app_from_environment --factory

Nothing is sent anywhere: the framework's own tracing, metrics and exception logs are off, its
documentation pages, which load scripts from elsewhere, are not mounted.
"""

from __future__ import annotations

import gc
import logging
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from fastapi import FastAPI
from fastapi.routing import APIRoute
from starlette.staticfiles import StaticFiles
from uvicorn.config import STARTUP_FAILURE

from api import (
    bulk,
    citizen,
    data_tracker,
    desk,
    identity_provider,
    ledger_files,
    officer,
    officer_seals,
    oversight,
    partner,
    problems,
    public,
    statistics,
    unmask,
)
from api.door import Door
from api.pages import board as board_pages
from api.pages import citizen as citizen_pages
from api.pages import desk as desk_pages
from api.pages import home as home_pages
from api.pages import officer as officer_pages
from api.pages import oversight as oversight_pages
from api.pages import seals as seal_pages
from api.pages import statistics as statistics_pages
from api.pages.rendering import FOLDER
from api.services import Services, files_differ, open_services
from api.wire.base import Problem
from hub.config import Settings, load_settings
from hub.errors import HubError

VERSION = "0.1.0"

_LOG = logging.getLogger("mingjing.api")

_DESCRIPTION = (
    "One record of people, homes, welfare and police matters: collected once, shared under rule, "
    "every use on the record, visible to the person it is about. Errors are "
    "`application/problem+json` (RFC 9457)."
)
_QUIET: Any = {
    "tracing": False,
    "metrics": False,
    "logs": False,
    "operation_spans": False,
    "auto_configure": False,
}
_DOORS = (
    officer,
    unmask,
    bulk,
    officer_seals,
    statistics,
    citizen,
    data_tracker,
    partner,
    desk,
    oversight,
    public,
    ledger_files,
)
_PAGES = (
    home_pages,
    officer_pages,
    oversight_pages,
    seal_pages,
    citizen_pages,
    board_pages,
    desk_pages,
    statistics_pages,
)


def create_app(settings: Settings, services: Services | None = None) -> FastAPI:
    """Return the application over opened services.

    Args:
        services: what to stand on; opened from the settings, and closed at the end, when None.

    Raises:
        HubError: when the hub cannot be opened; nothing was started.
    """
    started = services or open_services(settings)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        yield
        if services is None:
            started.close()

    app = FastAPI(
        title="明镜 Mingjing",
        version=VERSION,
        description=_DESCRIPTION,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        lifespan=lifespan,
        telemetry=_QUIET,
        generate_unique_id_function=_operation_id,
    )
    app.state.services = started
    problems.install(app)
    app.add_middleware(Door, secure=settings.profile == "production")
    for door in _DOORS:
        app.include_router(door.router)
    if started.provider is not None:
        app.include_router(identity_provider.router)
    for pages in _PAGES:
        app.include_router(pages.router)
    app.mount("/static", StaticFiles(directory=FOLDER / "static"), name="static")
    _describe_problems(app)
    return app


def create_app_from_environment() -> FastAPI:
    """Return the application of the settings in the environment, for an ASGI server.

    What was opened stays for the life of the process, so the collector need not walk it again. Where
    it cannot be opened the process ends with uvicorn's own code for that, and says why.
    """
    try:
        settings = load_settings()
        app = create_app(settings)
        served = app.state.services
        if says := files_differ(settings, served.keeper, served.clock.now()):
            _LOG.warning("%s", says)
    except HubError as exc:
        _LOG.critical("%s: %s", exc.title, exc)
        sys.exit(STARTUP_FAILURE)
    gc.collect()
    gc.freeze()
    return app


def _operation_id(route: APIRoute) -> str:
    return f"{route.tags[0]}_{route.name}" if route.tags else route.name


def _describe_problems(app: FastAPI) -> None:
    """Add the problem schema that the routes refer to, in place of the framework's own."""
    describe = app.openapi

    def described() -> dict[str, Any]:
        document = describe()
        schemas = document["components"]["schemas"]
        schemas["Problem"] = Problem.model_json_schema()
        for methods in document["paths"].values():
            for operation in methods.values():
                refused = operation["responses"].get("422")
                if refused and "application/json" in refused.get("content", {}):
                    del refused["content"]["application/json"]
        for name in ("HTTPValidationError", "ValidationError"):
            schemas.pop(name, None)
        return document

    app.openapi = described  # type: ignore[method-assign]
