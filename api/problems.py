"""Every error as the caller may see it: RFC 9457 JSON, or a page for a browser.

The only translator of errors at the HTTP door. No value of the request, no stack trace and no
foreign message ever leaves through here; a defect is logged by its place in the code alone.

Source: RFC 9457 (problem details for HTTP APIs).
"""

from __future__ import annotations

import logging
import traceback
from collections.abc import Iterator, Mapping, Sequence
from http import HTTPStatus
from pathlib import Path
from typing import Any, cast

import orjson
from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from api.pages.rendering import page
from hub import errors
from hub.errors import HubError

MEDIA_TYPE = "application/problem+json"

#: What a caller can do about each code; the same text on every door.
REMEDIES: Mapping[str, str] = {
    "access-denied": "申请相应权限，或改用有权使用的事由。 / Ask for the permission, or name a purpose you may use.",
    "clock": "请联系运维人员校准时钟。 / Tell the operator: the clock must be set right.",
    "config": "请联系运维人员。 / Tell the operator.",
    "content-too-large": "请缩小请求内容。 / Send less in one request.",
    "contract": "请按清单逐条修改数据合同。 / Mend the contract finding by finding.",
    "delivery-refused": "请按原因修改文件后重新报送。 / Mend the file as the reason says and send it again.",
    "internal": "请稍后重试；仍有问题请联系运维人员并提供问题编号。 / Try again; if it stays, give the operator the number.",
    "key-missing": "请联系运维人员恢复密钥环。 / Tell the operator: the keyring must be restored.",
    "ledger": "账本不可用时不会提供任何数据；请稍后重试。 / Nothing is released while the ledger is away; try again.",
    "method-not-allowed": "请查看接口说明。 / See the API reference for the method.",
    "not-found": "请核对后重试。 / Check what you asked for.",
    "not-possible": "请按当前状态办理。 / Do what it permits as it stands.",
    "policy": "请按清单修改策略。 / Mend the policy finding by finding.",
    "policy-unavailable": "策略读取恢复前不会提供任何数据；请联系运维人员。 / Nothing is released until it can; tell the operator.",
    "request": "请按提示修改请求。 / Mend the request as it says.",
    "source": "请稍后重试。 / Try again in a while.",
    "tamper": "立即停止使用并报告监督机构。 / Stop at once and tell the oversight body.",
    "too-much": "请到提示的时间后再查。 / Ask again when the answer says.",
    "unauthenticated": "请先登录。 / Sign in first.",
    "unsupported-media-type": "请查看接口说明。 / See the API reference for the media type.",
    "validation": "请按清单逐项修改。 / Mend the request field by field.",
}

#: Kinds of validation findings whose message holds nothing the caller sent.
_SAFE_FINDINGS = frozenset(
    {
        "bool_parsing", "bool_type", "date_from_datetime_parsing", "date_parsing", "date_type",
        "dict_type", "enum", "extra_forbidden", "greater_than", "greater_than_equal",
        "int_from_float", "int_parsing", "int_type", "json_type", "less_than", "less_than_equal",
        "list_type", "literal_error", "missing", "model_attributes_type", "string_pattern_mismatch",
        "string_too_long", "string_too_short", "string_type", "too_long", "too_short",
    }
)  # fmt: skip

_LOG = logging.getLogger("mingjing.api")


class ProblemResponse(Response):
    """A problem details body."""

    media_type = MEDIA_TYPE


def problem(status: int, code: str, title: str, detail: str = "", **members: Any) -> dict[str, Any]:
    """Return the members of a problem details object.

    Args:
        members: extension members; those that are None are left out.
    """
    body = {
        "type": f"/problems#{code}",
        "title": title,
        "status": status,
        "detail": detail,
        "code": code,
        "remedy": REMEDIES.get(code, REMEDIES["internal"]),
    }
    return body | {name: value for name, value in members.items() if value is not None}


def problem_of(exc: HubError) -> dict[str, Any]:
    """Return the problem details of an error the hub raised on purpose.

    What went wrong inside (status 500) is not told, only that it did.
    """
    if exc.status == HTTPStatus.INTERNAL_SERVER_ERROR:
        return problem(
            exc.status, exc.code, exc.title, "服务内部问题。 / A problem of the hub itself."
        )
    findings = list(exc.findings) or None
    return problem(exc.status, exc.code, exc.title, exc.message, findings=findings)


def known_codes() -> list[dict[str, Any]]:
    """Return every problem code with title, status and remedy, in code order."""
    kinds = {kind.code: (kind.title, kind.status) for kind in _kinds(HubError)} | {
        "validation": ("The request does not fit", 422),
        "content-too-large": ("The request is too large", 413),
        "method-not-allowed": ("Not that method", 405),
        "unsupported-media-type": ("Not that media type", 415),
        "not-possible": ("Not possible as it stands", 409),
    }
    return [
        {"code": code, "title": title, "status": status, "remedy": REMEDIES[code]}
        for code, (title, status) in sorted(kinds.items())
    ]


def _kinds(kind: type[HubError]) -> Iterator[type[HubError]]:
    yield kind
    for below in kind.__subclasses__():
        if below.__module__ == errors.__name__:
            yield from _kinds(below)


def answer(request: Request, body: Mapping[str, Any]) -> Response:
    """Return a problem as JSON, or as a page when a browser asked for a page."""
    status = int(body["status"])
    headers = {"WWW-Authenticate": 'Bearer realm="mingjing"'} if status == 401 else None
    if is_page(request):
        return page(request, "problem.html", {"problem": body}, status, headers)
    return ProblemResponse(orjson.dumps(body), status, headers)


def is_page(request: Request) -> bool:
    """Say whether the request came for a page rather than for the API."""
    if request.url.path.startswith("/v1/"):
        return False
    return "text/html" in request.headers.get("accept", "")


def install(app: FastAPI) -> None:
    """Make an application answer every error through this module."""
    app.add_exception_handler(HubError, _on_hub_error)
    app.add_exception_handler(RequestValidationError, _on_validation_error)
    app.add_exception_handler(HTTPException, _on_http_exception)


def defect(request: Request, exc: BaseException) -> Response:
    """Return the answer to an exception nobody expected, and log where it happened.

    The exception's own text may hold personal data, so only its kind and place are logged.
    """
    frames = traceback.extract_tb(exc.__traceback__)
    last = frames[-1] if frames else None
    place = f"{Path(last.filename).name}:{last.lineno} {last.name}" if last else "unknown"
    _LOG.error("unexpected %s in %s", type(exc).__name__, place)
    return answer(
        request,
        problem(
            500, HubError.code, HubError.title, "服务内部问题。 / A problem of the hub itself."
        ),
    )


async def _on_hub_error(request: Request, exc: Exception) -> Response:
    error = cast("HubError", exc)
    if error.status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        _LOG.error("%s: %s", error.code, error.message)
    return answer(request, problem_of(error))


async def _on_validation_error(request: Request, exc: Exception) -> Response:
    return answer(request, validation_problem(cast("RequestValidationError", exc).errors()))


def validation_problem(items: Sequence[Any]) -> dict[str, Any]:
    """Return the problem details of validation findings; fields are named, values never."""
    findings = [_finding(item) for item in items]
    if any(finding["kind"] == "json_invalid" for finding in findings):
        detail = "请求正文不是合法的 JSON。 / The body is not JSON."
        return problem(400, "request", errors.RequestError.title, detail)
    return problem(
        422,
        "validation",
        "The request does not fit",
        "请求有不合要求之处。 / Some fields do not fit.",
        fields=findings,
    )


def _finding(item: Mapping[str, Any]) -> dict[str, str]:
    """Return one validation finding without anything the caller sent."""
    kind = str(item["type"])
    place: Sequence[Any] = item["loc"]
    if kind == "extra_forbidden":
        place = (*place[:-1], "(unknown)")
    message = str(item["msg"]) if kind in _SAFE_FINDINGS else "does not fit"
    return {"field": ".".join(str(step) for step in place), "kind": kind, "message": message}


async def _on_http_exception(request: Request, exc: Exception) -> Response:
    error = cast("HTTPException", exc)
    code, title = {
        404: ("not-found", errors.NotFound.title),
        405: ("method-not-allowed", "Not that method"),
        413: ("content-too-large", "The request is too large"),
        415: ("unsupported-media-type", "Not that media type"),
    }.get(error.status_code, ("request", errors.RequestError.title))
    reply = answer(
        request, problem(error.status_code, code, title, HTTPStatus(error.status_code).phrase)
    )
    for name, value in (error.headers or {}).items():
        reply.headers[name] = value
    return reply
