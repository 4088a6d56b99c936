"""A route without the framework's walk through dependencies, for the one path that must be fast.

Declared, described and tested like any other route; only how a request is handled differs: the
session first, then the body straight from its bytes, then the endpoint. The walk it leaves out
costs as much as the guard's decision.

Source: FastAPI, "Custom Request and APIRoute class".
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, cast

from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from pydantic import BaseModel, ValidationError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from api.dependencies import bearer_session
from api.services import Services
from api.tokens import Session

Endpoint = Callable[[Any, Session, Services], Awaitable[Response]]


class LeanRoute(APIRoute):
    """Handles an endpoint of exactly (body, session, services); others as the framework does."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """Return what answers a request."""
        field = self.body_field
        if field is None:
            return super().get_route_handler()
        model = cast("type[BaseModel]", field.field_info.annotation)
        endpoint = cast("Endpoint", self.endpoint)

        async def handle(request: Request) -> Response:
            services: Services = request.app.state.services
            session = bearer_session(request)
            body = _read(model, request.headers.get("content-type", ""), await request.body())
            return await endpoint(body, session, services)

        return handle


def _read(model: type[BaseModel], content_type: str, raw: bytes) -> BaseModel:
    """Return the body of a request.

    Raises:
        HTTPException: 415, when it is not sent as JSON.
        RequestValidationError: every field that does not fit.
    """
    kind = content_type.partition(";")[0].strip().lower()
    if kind != "application/json":
        raise HTTPException(415)
    try:
        return model.model_validate_json(raw)
    except ValidationError as exc:
        found = exc.errors(include_url=False, include_context=False, include_input=False)
        raise RequestValidationError(
            [{**item, "loc": ("body", *item["loc"])} for item in found]
        ) from None
