"""Bodies about seals: orders that keep uses from their subjects for a time, and what is sealed."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

from pydantic import Field

from api.wire.base import CaseReference, PurposeCode, Wire, example
from api.wire.desk import Reason

_WHY = "告知可能导致证据毁灭。"


class OrderBody(Wire):
    """Ask for the uses of your agency for a case to be sealed; a second person decides."""

    model_config = example(
        {
            "ground": "criminal_inquiry",
            "purposes": ["public_safety.investigation"],
            "case": "AJ-2026-0311",
            "until": "2026-08-31T16:00:00Z",
            "reason": _WHY,
        }
    )

    ground: str = Field(max_length=40, pattern=r"^[a-z][a-z_]*$", description="Code of a ground.")
    purposes: tuple[PurposeCode, ...] = Field(min_length=1, max_length=20)
    case: CaseReference
    valid_from: datetime | None = Field(None, alias="from", description="Default now.")
    until: datetime = Field(description="The first instant at which it no longer holds.")
    reason: Reason


class RenewBody(Wire):
    """Ask for an order to hold longer."""

    model_config = example({"until": "2026-11-30T16:00:00Z", "reason": "侦查尚未终结。"})

    until: datetime
    reason: Reason


class SealStep(Wire):
    """One step; each is an entry of the ledger, without the reason."""

    at: datetime
    step: str
    step_title: str
    by: str = Field(description="Account that acted; hub where the clock did.")
    reason: str


class SealPurpose(Wire):
    """A purpose whose uses are sealed."""

    code: str
    title: str


_ORDER: dict[str, Any] = {
    "id": 2,
    "state": "in_force",
    "state_title": "有效 / in force",
    "ground": "criminal_inquiry",
    "ground_title": "告知将妨碍刑事侦查 / notice would hinder a criminal inquiry",
    "legal_basis": "《个人信息保护法》第三十五条、第四十五条第一款；《刑事诉讼法》第一百一十五条",
    "by": "officer.police",
    "agency": "police",
    "agency_title": "公安",
    "purposes": [{"code": "public_safety.investigation", "title": "公安调查"}],
    "begins": "2026-06-05T01:02:03Z",
    "ends": "2026-08-31T16:00:00Z",
    "asked_until": None,
    "renewals": 0,
    "released": False,
    "reason": _WHY,
    "steps": [
        {
            "at": "2026-06-05T01:02:03Z",
            "step": "asked",
            "step_title": "申请 / asked for",
            "by": "officer.police",
            "reason": _WHY,
        }
    ],
    "acts": ["lift"],
}


class Seal(Wire):
    """An order and where it stands. It names no person and no case."""

    model_config = example(_ORDER)

    id: int
    state: str
    state_title: str
    ground: str
    ground_title: str
    legal_basis: str
    by: str = Field(description="Account that asked.")
    agency: str
    agency_title: str
    purposes: list[SealPurpose]
    begins: datetime | None = Field(description="Null before its approval.")
    ends: datetime | None = Field(description="When it ends or ended; null before its approval.")
    asked_until: datetime | None = Field(
        description="Until when what waits for its approval would hold; null for nothing."
    )
    renewals: int
    released: bool = Field(description="Whether all that it sealed has been released.")
    reason: str
    steps: list[SealStep]
    acts: list[Literal["approve", "decline", "renew", "lift"]] = Field(
        description="What you can do about it now."
    )


class SealList(Wire):
    """Orders, the newest first."""

    model_config = example({"seals": [_ORDER]})

    seals: list[Seal]


class SealedUse(Wire):
    """One use, or refusal, that is or was sealed."""

    index: int
    time: datetime
    outcome: Literal["allowed", "refused"]
    agency: str
    agency_title: str
    post: str
    actor: str = Field(description="Keyed pseudonym, as in the ledger.")
    purpose: str
    purpose_title: str
    action: str
    datasets: list[str]
    released: int | None = Field(description="Index of its release; null before it.")


class SealedUses(Wire):
    """What was sealed under one order, in order of time. Your reading it is in the ledger."""

    model_config = example(
        {
            "uses": [
                {
                    "index": 77,
                    "time": "2026-06-05T02:03:04Z",
                    "outcome": "allowed",
                    "agency": "police",
                    "agency_title": "公安",
                    "post": "东街派出所社区民警",
                    "actor": "5f1c0ad7a9b0e3f2",
                    "purpose": "public_safety.investigation",
                    "purpose_title": "公安调查",
                    "action": "opened",
                    "datasets": ["实有人口"],
                    "released": None,
                }
            ]
        }
    )

    uses: list[SealedUse]


class SealedTotal(Wire):
    """What was sealed on one ground in one year; null is fewer than the threshold, or none."""

    year: int
    ground: str
    ground_title: str
    legal_basis: str
    orders: int | None
    uses: int | None


class SealedTotals(Wire):
    """Totals of closed years, the newest first; they never change."""

    model_config = example(
        {
            "threshold": 5,
            "totals": [
                {
                    "year": 2025,
                    "ground": "criminal_inquiry",
                    "ground_title": "告知将妨碍刑事侦查 / notice would hinder a criminal inquiry",
                    "legal_basis": "《个人信息保护法》第三十五条、第四十五条第一款",
                    "orders": None,
                    "uses": 31,
                }
            ],
        }
    )

    threshold: int = Field(description="Counts below it are null.")
    totals: list[SealedTotal]
