"""The analyst's door: counts, never a person."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query
from starlette.responses import Response

from api import disclosures
from api.dependencies import CurrentServices, CurrentSession
from api.outcome import json_response
from api.wire.base import problems
from api.wire.statistics import Statistics, StatisticsQuery

router = APIRouter(prefix="/v1", tags=["statistics"])


@router.get(
    "/statistics", response_model=Statistics, responses=problems(400, 401, 403, 404, 422, 429, 503)
)
async def statistics(
    query: Annotated[StatisticsQuery, Query()],
    session: CurrentSession,
    services: CurrentServices,
) -> Response:
    """Count one dataset by up to three breakdowns; every count is rounded or has noise."""
    return json_response(await disclosures.count(services, session, query))
