"""The witness's two addresses over HTTP: where logs ask, and where anybody reads what it cosigned.

    POST /add-checkpoint
    GET  /HASH/checkpoint     HASH being SHA-256 of the log's origin in hexadecimal

Source: C2SP tlog-witness.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route

from hub.errors import LedgerError
from hub.ledger.add_checkpoint import BODY_LIMIT
from hub.witness.looking import Looking
from hub.witness.watch import Watcher
from hub.witness.witness import Reply, Witness

BODY_SECONDS = 10.0
LAST_LOOK_SECONDS = 10.0  # that a look which has begun may take when the application ends

_log = logging.getLogger(__name__)


def create_app(witness: Witness, watcher: Watcher, poll_seconds: float) -> Starlette:
    """Return the ASGI application, which looks at the logs as long as it runs.

    Args:
        poll_seconds: from the end of one look to the next.
    """

    async def add_checkpoint(request: Request) -> Response:
        try:
            body = await asyncio.wait_for(_body(request), BODY_SECONDS)
        except (TimeoutError, ClientDisconnect):
            return _response(Reply(400, "the request did not arrive in time\n"))
        return await _answered(lambda: witness.add_checkpoint(body))

    async def checkpoint(request: Request) -> Response:
        return await _answered(lambda: witness.checkpoint(request.path_params["origin_hash"]))

    routes = [
        Route("/add-checkpoint", add_checkpoint, methods=["POST"]),
        Route("/{origin_hash}/checkpoint", checkpoint, methods=["GET"]),
    ]
    return Starlette(routes=routes, lifespan=_looking(watcher, poll_seconds))


def _looking(
    watcher: Watcher, seconds: float
) -> Callable[[Starlette], AbstractAsyncContextManager[None]]:
    """Return what keeps looking at the logs while the application runs."""

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        looking = Looking(watcher, seconds)
        looking.start()
        try:
            yield
        finally:
            await run_in_threadpool(looking.stop, LAST_LOOK_SECONDS)

    return lifespan


async def _body(request: Request) -> bytes:
    """Return a request's body, one byte more than may be at most."""
    body = bytearray()
    async for piece in request.stream():
        body += piece
        if len(body) > BODY_LIMIT:
            break
    return bytes(body[: BODY_LIMIT + 1])


async def _answered(answer: Callable[[], Reply]) -> Response:
    try:
        return _response(await run_in_threadpool(answer))
    except LedgerError as exc:
        _log.error("nothing was cosigned: %s", exc.message)
        return _response(Reply(500, "the witness cannot keep what it sees\n"))


def _response(reply: Reply) -> Response:
    headers = {"Content-Type": reply.content_type}
    if reply.status == 503:
        headers["Retry-After"] = "5"
    return Response(reply.body, reply.status, headers)
