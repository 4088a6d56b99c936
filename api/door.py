"""The outermost step of every request: size bound, security headers, and no defect gets out.

Pure ASGI, one hop. The pages load nothing from elsewhere and run no script, so the content
security policy forbids both.

Source: OWASP Secure Headers; W3C CSP 3, Fetch Metadata.
"""

from __future__ import annotations

from math import inf

import orjson
from fastapi import HTTPException
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.problems import MEDIA_TYPE, defect, problem
from api.uploads import MOST_BYTES

#: What any request may send; deliveries are bounded by their own route while they stream.
MAX_BODY_BYTES = 64 * 1024
STREAMED = "/v1/partner/deliveries/"
#: Where a workbook comes back, as it is or as a part of a form.
WORKBOOKS = (
    "/v1/partner/worklist/return",
    "/v1/partner/samples/return",
    "/partner/worklist/return",
    "/partner/samples/return",
)

_POLICY = (
    "default-src 'none'; style-src 'self'; img-src 'self'; font-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
_HEADERS = (
    (b"content-security-policy", _POLICY.encode()),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"permissions-policy", b"camera=(), geolocation=(), microphone=()"),
    (b"referrer-policy", b"no-referrer"),
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
)
_NO_STORE = (b"cache-control", b"no-store")
_TRANSPORT = (b"strict-transport-security", b"max-age=31536000; includeSubDomains")


class Door:
    """Wraps the application; see the module."""

    def __init__(self, app: ASGIApp, *, secure: bool) -> None:
        self._app = app
        self._headers = (*_HEADERS, _TRANSPORT) if secure else _HEADERS

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started = False

        async def send_guarded(message: Message) -> None:
            nonlocal started
            if message["type"] == "http.response.start":
                started = True
                self._add_headers(message)
            await send(message)

        most, length = _most(scope["path"]), _announced(scope)
        bounded: Receive = receive
        if most is not None and length is None:
            bounded = _bounded(receive, most)
        elif most is not None and length is not None and length > most:
            await _too_large(send_guarded, most)
            return
        try:
            await self._app(scope, bounded, send_guarded)
        except Exception as exc:  # noqa: BLE001 - the door: nothing of a defect may get out
            reply = defect(Request(scope), exc)
            if not started:
                await reply(scope, receive, send_guarded)

    def _add_headers(self, message: Message) -> None:
        headers: list[tuple[bytes, bytes]] = message["headers"]
        if not any(name == b"cache-control" for name, _ in headers):
            headers.append(_NO_STORE)
        headers.extend(self._headers)


def _most(path: str) -> int | None:
    """Return how many bytes a request to an address may send, None where its route bounds it."""
    if path.startswith(STREAMED):
        return None
    return MOST_BYTES + MAX_BODY_BYTES if path in WORKBOOKS else MAX_BODY_BYTES


def _announced(scope: Scope) -> float | None:
    """Return the announced length of the body in bytes, or None when it is chunked."""
    chunked = False
    for name, value in scope["headers"]:
        if name == b"content-length":
            return int(value) if value.isdigit() else inf
        chunked = chunked or name == b"transfer-encoding"
    return None if chunked else 0


def _bounded(receive: Receive, most: int) -> Receive:
    total = 0

    async def receive_bounded() -> Message:
        nonlocal total
        message = await receive()
        total += len(message.get("body", b""))
        if total > most:
            raise HTTPException(413)  # answered by api.problems like any other
        return message

    return receive_bounded


async def _too_large(send: Send, most: int) -> None:
    detail = f"一次请求最多 {most} 字节。 / At most {most} bytes in one request."
    body = orjson.dumps(problem(413, "content-too-large", "The request is too large", detail))
    headers = [
        (b"content-type", MEDIA_TYPE.encode()),
        (b"content-length", str(len(body)).encode()),
        (b"connection", b"close"),
    ]
    await send({"type": "http.response.start", "status": 413, "headers": headers})
    await send({"type": "http.response.body", "body": body})
