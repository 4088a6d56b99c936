"""Front page, display preferences, sign-out, and the pages that explain the API."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Annotated, Any

from fastapi import APIRouter, Form, Request
from starlette.responses import RedirectResponse, Response

from api import seals
from api.dependencies import COOKIE, CurrentServices, SameSite
from api.pages.rendering import LOOK_COOKIE, LOOKS, page
from api.problems import known_codes
from api.publicity import publicity
from hub.errors import NotFound

router = APIRouter(include_in_schema=False)

_DOORS = (
    ("/citizen", "我的数据", "Citizens", "登记了我的哪些数据、来自哪个部门；谁用过、为什么用。"),
    ("/officer", "查询", "Officers", "按岗位、区域和事由查询居民，只看到该看的部分，留下回执。"),
    ("/statistics", "统计", "Analysts", "按网格和月份统计，不涉及任何个人。"),
    ("/partner", "报送", "Partner departments", "我的批次、逐行原因和质量成绩。"),
    ("/oversight", "监督", "Oversight", "每一次紧急访问和解除遮盖；紧急访问由第二人复核。"),
    ("/board", "质量公告", "Everyone", "各数据集对照 99 % 目标的质量，以及被拦下的批次。"),
    ("/reference", "接口说明", "Developers", "全部接口、示例和错误代码。"),
)
_TAGS = {
    "officer": "查询",
    "statistics": "统计",
    "citizen": "本人",
    "partner": "报送部门",
    "oversight": "监督",
    "public": "公开",
    "demonstration": "演示身份",
}
_YEAR_SECONDS = 31_536_000


@router.get("/")
def home(request: Request, services: CurrentServices) -> Response:
    """Show what this is and its doors."""
    try:
        snapshot = services.snapshots.current().version
    except NotFound:
        snapshot = None
    context = {
        "doors": _DOORS,
        "snapshot": snapshot,
        "datasets": len(services.vocabulary.catalog),
        "ledger": publicity(services),
        "sealed": seals.totals(services).body,
    }
    return page(request, "home.html", context)


@router.post("/preferences", dependencies=[SameSite])
async def preferences(look: Annotated[str, Form(max_length=20)]) -> Response:
    """Keep how the reader wants pages to look, and go back to the front page."""
    response = RedirectResponse("/", 303)
    response.set_cookie(
        LOOK_COOKIE,
        look if look in LOOKS else LOOKS[0],
        max_age=_YEAR_SECONDS,
        httponly=True,
        samesite="strict",
    )
    return response


@router.post("/sign-out", dependencies=[SameSite])
async def sign_out() -> Response:
    """Forget the session."""
    response = RedirectResponse("/", 303)
    response.delete_cookie(COOKIE, path="/", httponly=True, samesite="strict")
    return response


@router.get("/problems")
async def problem_codes(request: Request) -> Response:
    """Show what each error code means."""
    return page(request, "problems.html", {"problems": known_codes()})


@router.get("/reference")
async def reference(request: Request) -> Response:
    """Show the API from its own OpenAPI description."""
    described = request.app.openapi()
    tags = [
        {"name": name, "title": title, "operations": list(_operations(described, name))}
        for name, title in _TAGS.items()
    ]
    shown = [tag for tag in tags if tag["operations"]]
    return page(request, "reference.html", {"version": described["openapi"], "tags": shown})


def _operations(described: Mapping[str, Any], tag: str) -> Iterator[dict[str, Any]]:
    for path, methods in described["paths"].items():
        for method, operation in methods.items():
            if tag in operation.get("tags", ()):
                yield _operation(described, path, method.upper(), operation)


def _operation(
    described: Mapping[str, Any], path: str, method: str, operation: Mapping[str, Any]
) -> dict[str, Any]:
    body = operation.get("requestBody", {}).get("content", {})
    return {
        "method": method,
        "path": path,
        "summary": operation["summary"],
        "description": operation.get("description", ""),
        "secured": bool(operation.get("security")),
        "parameters": [
            {
                "name": parameter["name"],
                "place": parameter["in"],
                "required": parameter.get("required", False),
                "description": parameter.get("description", ""),
            }
            for parameter in operation.get("parameters", ())
        ],
        "requests": [
            sample for content in body.values() for sample in _samples(described, content)
        ],
        "responses": [
            {
                "status": status,
                "description": response.get("description", ""),
                "sample": next(
                    (
                        sample
                        for kind, content in response.get("content", {}).items()
                        if kind != "application/problem+json"
                        for sample in _samples(described, content)
                    ),
                    "",
                ),
            }
            for status, response in operation["responses"].items()
        ],
    }


def _samples(described: Mapping[str, Any], content: Mapping[str, Any]) -> Iterator[str]:
    if "example" in content:
        yield str(content["example"])
        return
    schema = content.get("schema", {})
    if "$ref" in schema:
        schema = described["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
    for sample in schema.get("examples", ()):
        yield json.dumps(sample, ensure_ascii=False, indent=2)
