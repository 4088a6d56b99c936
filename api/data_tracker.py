"""The Data Tracker's three questions, answered to the citizen who has signed in.

Source: e-gov/AJ, kasutusteabe esitamise protokoll 1.6, dumonitor-openapi.yaml 2.1.0.
"""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import AwareDatetime
from starlette.responses import Response

from access.exports import find_usage
from access.usage_record import UsageRecord
from api.dependencies import CurrentServices, CurrentSession
from api.exports import source_of
from api.outcome import Outcome, json_response
from api.wire.base import problems
from api.wire.data_tracker import FindUsageResponse, HeartbeatResponse, UsagePeriodResponse
from hub.errors import NotFound, RequestError

router = APIRouter(prefix="/v1/me/data-tracker/v2", tags=["citizen"])

_NO_NUMBERS = (
    "证件号码不写在网址里，查询的是登录者本人 / userCode is not taken: a person's number does not belong "
    "into an address, and the data subject is who has signed in"
)

Instant = Annotated[AwareDatetime | None, Query(examples=["2026-06-01T00:00:00Z"])]


@router.get("/findUsage", response_model=FindUsageResponse, responses=problems(400, 401, 403, 422))
def find(
    session: CurrentSession,
    services: CurrentServices,
    period_start: Annotated[Instant, Query(alias="periodStart")] = None,
    period_end: Annotated[Instant, Query(alias="periodEnd")] = None,
    offset: Annotated[int, Query(ge=0, lt=2**31)] = 0,
    limit: Annotated[int, Query(ge=1, le=find_usage.LIMIT)] = find_usage.LIMIT,
    user_code: Annotated[
        str | None, Query(alias="userCode", max_length=64, deprecated=True)
    ] = None,
) -> Response:
    """Return the uses of your data in a period, newest first; refused attempts are none."""
    if user_code is not None:
        raise RequestError(_NO_NUMBERS)
    source = source_of(services)

    def wanted(use: UsageRecord) -> bool:
        begun = period_start is None or use.time >= period_start
        return find_usage.is_usage(use) and begun and (period_end is None or use.time <= period_end)

    found = [use for _, use in services.guard.own_usage(session.actor) if wanted(use)]
    page = [find_usage.usage(use, source) for use in found[offset : offset + limit]]
    return json_response(Outcome(200, find_usage.response(len(found), page)))


@router.get("/usagePeriod", response_model=UsagePeriodResponse, responses=problems(401, 404))
def period(_: CurrentSession, services: CurrentServices) -> Response:
    """Return since when uses are recorded; they are up to now."""
    first = services.ledger.entries(0, 1)
    if not first:
        raise NotFound("nothing is recorded yet")
    return json_response(Outcome(200, {"periodStart": first[0].time}))


@router.get("/heartbeat", response_model=HeartbeatResponse, responses=problems(401))
def heartbeat(_: CurrentSession) -> Response:
    """Say that the service answers."""
    return json_response(Outcome(200, {"status": "OK", "message": "findUsage is answered"}))
