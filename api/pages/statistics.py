"""The analyst's page: a table of counts, months across where two breakdowns are asked for."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from fastapi import APIRouter, Request
from pydantic import ValidationError
from starlette.responses import Response

from api import disclosures
from api.dependencies import CurrentServices, PageActor
from api.outcome import Outcome, outcome_of
from api.pages.rendering import number, page
from api.services import Services
from api.tokens import Session
from api.wire.statistics import StatisticsQuery
from hub.errors import LedgerError, NotFound, RequestError

router = APIRouter(include_in_schema=False)

_BREAKDOWNS = (
    ("community,month", "社区 × 月份"),
    ("street,month", "街道 × 月份"),
    ("grid,month", "网格 × 月份"),
    ("community", "社区"),
    ("grid", "网格"),
    ("month", "月份"),
    ("category,month", "类别 × 月份"),
    ("category", "类别"),
)
SUPPRESSED = "＊"
_PROTECTIONS = (
    ("rounding", "取整 / Rounded"),
    ("noise", "加噪 / With noise"),
)
_FIELDS = ("dataset", "by", "first_month", "last_month", "protection")


@router.get("/statistics")
async def statistics(request: Request, session: PageActor, services: CurrentServices) -> Response:
    """Show the form, and the table when it was filled in."""
    filled = {name: request.query_params.get(name, "").strip() for name in _FIELDS}
    outcome = await _answer(services, session, filled) if filled["dataset"] else None
    answered = outcome is not None and not outcome.is_problem
    context: dict[str, Any] = {
        "form": filled,
        "datasets": [
            {"dataset": name, "title": dataset.title}
            for name, dataset in services.vocabulary.catalog.items()
        ],
        "breakdowns": _BREAKDOWNS,
        "protections": _PROTECTIONS,
        "answer": outcome.body if outcome and answered else None,
        "problem": outcome.body if outcome and not answered else None,
        "table": table(outcome.body) if outcome and answered else None,
    }
    outcome = outcome or Outcome(200)
    return page(request, "statistics.html", context, outcome.status, outcome.headers)


async def _answer(services: Services, session: Session, filled: Mapping[str, str]) -> Outcome:
    try:
        wanted = {key: text for key, text in filled.items() if text}
        query = StatisticsQuery.model_validate(wanted)
        return await disclosures.count(services, session, query)
    except (ValidationError, RequestError, NotFound, LedgerError) as exc:
        return outcome_of(exc)


def table(body: Mapping[str, Any]) -> dict[str, Any]:
    """Return head and rows to show: months become columns when they are the second breakdown."""
    titles = [column["title"] for column in body["columns"]]
    names = [column["name"] for column in body["columns"]]
    labels = body["labels"]

    def label(position: int, value: Any) -> str:
        if value is None:
            return "—"
        found = labels.get(names[position], {}).get(str(value))
        return f"{found}（{value}）" if found else str(value)

    def count(value: int | None) -> str:
        return SUPPRESSED if value is None else number(value)

    if names[1:2] != ["month"] or len(names) != 3:
        rows = [
            [*(label(i, value) for i, value in enumerate(row[:-1])), count(row[-1])]
            for row in body["rows"]
        ]
        return {"head": titles, "rows": rows, "key_columns": len(names) - 1}
    months = sorted({row[1] for row in body["rows"] if row[1] is not None})
    lines: dict[Any, dict[Any, str]] = {}
    for first, month, counted in body["rows"]:
        lines.setdefault(first, {})[month] = count(counted)
    rows = [
        [label(0, first), *(cells.get(month, "0") for month in months)]
        for first, cells in lines.items()
    ]
    return {"head": [titles[0], *months], "rows": rows, "key_columns": 1}
