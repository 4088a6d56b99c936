"""Bodies of the Data Tracker's protocol, in its own names."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from pydantic import Field

from api.wire.base import Wire, example

_USAGE = {
    "logtime": "2026-06-05T01:02:03.000Z",
    "action": "居住核实：查看 / viewed 实有人口",
    "receiverCode": "population",
    "receiverName": "实有人口管理",
    "receiverSystem": "明镜 Mingjing",
}


class Usage(Wire):
    """One use of the citizen's data."""

    logtime: datetime
    action: str = Field(description="Why and what, in words.")
    receiver_code: str = Field(alias="receiverCode", description="Code of the agency.")
    receiver_name: str = Field(alias="receiverName")
    receiver_system: str = Field(alias="receiverSystem")


class FindUsageResponse(Wire):
    """Uses, newest first."""

    model_config = example({"totalUsages": 1, "usages": [_USAGE]})

    total_usages: int = Field(
        alias="totalUsages", description="How many there are in the period, given or not."
    )
    usages: list[Usage]


class UsagePeriodResponse(Wire):
    """Since when uses are recorded."""

    model_config = example({"periodStart": "2026-01-31T10:20:30Z"})

    period_start: datetime = Field(alias="periodStart")


class HeartbeatResponse(Wire):
    """Whether the service answers."""

    model_config = example({"status": "OK", "message": "findUsage is answered"})

    status: Literal["OK", "FAIL"]
    message: str
