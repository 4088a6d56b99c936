"""Bodies about lifted masks and emergencies: asked, approved, used, reviewed."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import Field

from api.wire.base import CaseReference, PurposeCode, Wire, example
from api.wire.desk import Reason

ColumnName = Annotated[
    str,
    Field(
        max_length=140,
        pattern=r"^[a-z][a-z0-9_]*\.[a-z][a-z0-9_]*\.[a-z][a-z0-9_]*$",
        description="DATASET.COLUMN",
    ),
]

_WHO = {"by": "resident_id", "value": "99010619900307123X", "case": "2026-0311"}
_WHY = "上门核实时本人出示的号码与登记不一致。"


class UnmaskBody(Wire):
    """Ask for columns of one person in clear; a second person decides."""

    model_config = example(
        {
            **_WHO,
            "columns": ["population.resident.resident_id"],
            "purpose": "residence.verify",
            "reason": _WHY,
        }
    )

    by: Literal["resident_id", "handle"]
    value: str = Field(min_length=1, max_length=400)
    columns: tuple[ColumnName, ...] = Field(min_length=1, max_length=20)
    purpose: PurposeCode
    case: CaseReference
    reason: Reason


class EmergencyBody(Wire):
    """Open an emergency: a few persons at once, reviewed by somebody else afterwards."""

    model_config = example(
        {
            "purpose": "emergency.rescue",
            "case": "120-0605",
            "reason": "老人昏迷，急救人员需要联系家属。",
            "persons": 2,
            "minutes": 30,
        }
    )

    purpose: PurposeCode
    case: CaseReference
    reason: Reason
    persons: int | None = Field(
        None, ge=1, le=100, description="So many persons; default as many as the policy allows."
    )
    minutes: int = Field(60, ge=1, le=60, description="So long.")


class UnderBody(Wire):
    """One person, under a lifted mask or an emergency of one's own."""

    model_config = example(_WHO)

    by: Literal["resident_id", "handle"]
    value: str = Field(min_length=1, max_length=400)
    case: CaseReference = Field(description="The case it was asked for.")


class AnswerBody(Wire):
    """Approve or decline."""

    model_config = example({"reason": "已核对办件材料，确有必要。"})

    reason: Reason


class ReviewBody(Wire):
    """Judge an emergency afterwards."""

    model_config = example({"justified": True, "reason": "与急救中心核实，属实。"})

    justified: bool
    reason: Reason


class EmergencyStep(Wire):
    """One step; each is an entry of the ledger, without the reason."""

    at: datetime
    step: str
    by: str = Field(description="Account that acted; hub where the clock did.")
    reason: str


_STANDING: dict[str, Any] = {
    "id": 3,
    "kind": "emergency",
    "state": "awaiting",
    "state_title": "待复核 / waits for its review",
    "by": "officer.east",
    "agency": "population",
    "agency_title": "实有人口管理",
    "purpose": "emergency.rescue",
    "purpose_title": "紧急救助",
    "columns": [],
    "persons": 1,
    "persons_max": 2,
    "opened_at": "2026-06-05T01:02:03Z",
    "until": "2026-06-05T01:32:03Z",
    "review_by": "2026-06-10T16:00:00Z",
    "reason": "老人昏迷，急救人员需要联系家属。",
    "steps": [
        {
            "at": "2026-06-05T01:02:03Z",
            "step": "opened",
            "by": "officer.east",
            "reason": "老人昏迷，急救人员需要联系家属。",
        }
    ],
    "acts": [],
}


class Emergency(Wire):
    """A lifted mask or an emergency, and where it stands. It names no person."""

    model_config = example(_STANDING)

    id: int
    kind: Literal["emergency", "unmask"]
    state: str
    state_title: str
    by: str = Field(description="Account that asked.")
    agency: str
    agency_title: str
    purpose: str
    purpose_title: str
    columns: list[str] = Field(description="What is asked for, in words; none: all it needs.")
    persons: int = Field(description="So many persons were shown.")
    persons_max: int
    opened_at: datetime
    until: datetime | None = Field(description="When its window ends; null before its approval.")
    review_by: datetime | None = Field(description="Overdue from then on; null for a lifted mask.")
    reason: str
    steps: list[EmergencyStep]
    acts: list[Literal["approve", "decline", "release", "review"]] = Field(
        description="What you can do about it now."
    )


class EmergencyList(Wire):
    """Lifted masks and emergencies, the newest first."""

    model_config = example({"emergencies": [_STANDING]})

    emergencies: list[Emergency]
