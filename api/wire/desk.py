"""Bodies of what partners do: acts about cards, worklists and field samples."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Any, Literal

from pydantic import Field

from api.wire.base import CaseReference, DatasetName, Wire, example
from api.wire.card import Card

Reason = Annotated[
    str,
    Field(min_length=1, max_length=500, description="Why; it may hold no person's number."),
]
ActName = Literal["acknowledge", "appeal", "waive", "decide", "close"]


class ActBody(Wire):
    """Acknowledge, appeal or close."""

    model_config = example({"reason": "已通知报送人员核对源系统。"})

    reason: Reason


class WaiveBody(Wire):
    """Ask for a waiver."""

    model_config = example({"reason": "系统迁移期间无法按时更正。", "until": "2026-06-30"})

    reason: Reason
    until: date = Field(description="Last day of the waiver.")


class DecideBody(Wire):
    """Decide the appeal or waiver that is open."""

    model_config = example({"reason": "核实为系统故障，同意。", "granted": True})

    reason: Reason
    granted: bool


class CardStep(Wire):
    """One step of a card's life."""

    at: datetime
    step: str
    colour: str
    why: str = Field(description="The reason given, or what made it happen.")
    by: str | None = Field(description="Account that acted; null when nobody did.")
    until: date | None = Field(description="Last day of the waiver that was asked for.")
    granted: bool | None = Field(description="The decision, where it is one.")
    ledger_entry: int | None = Field(description="Null until the ledger has been told.")


_CARD: dict[str, Any] = {
    "id": "5e1f00aa11bb22cc",
    "kind": "below_mark",
    "kind_title": "数据质量不达标 / below the mark",
    "colour": "yellow",
    "colour_title": "黄牌 / yellow",
    "state": "acknowledged",
    "state_title": "已签收 / acknowledged",
    "dataset": "housing.dwelling",
    "title": "实有房屋",
    "department": "housing",
    "period": "2026-06",
    "batch": "20260602-5e1f00aa11bb22cc",
    "issued_at": "2026-06-02T02:00:04Z",
    "due": "2026-06-02",
    "remedy_by": "2026-06-16",
    "waived_until": None,
    "what_to_do": "请按反馈文件更正后重新报送达标的一批；2026-06-16 前未整改将升级为红牌。",
    "evidence": {"rows": 9000, "quarantined": 171, "key_accuracy_percent": 98.1},
    "marks": {
        "yellow_key_accuracy_percent": 99.0,
        "yellow_overall_percent": 95.0,
        "red_key_accuracy_percent": 97.0,
        "red_overall_percent": 90.0,
    },
    "steps": [
        {
            "at": "2026-06-02T02:00:04Z",
            "step": "发出 / issued",
            "colour": "黄牌 / yellow",
            "why": "",
            "by": None,
            "until": None,
            "granted": None,
            "ledger_entry": 41,
        },
        {
            "at": "2026-06-02T03:10:00Z",
            "step": "签收 / acknowledged",
            "colour": "黄牌 / yellow",
            "why": "已通知报送人员核对源系统。",
            "by": "housing.steward",
            "until": None,
            "granted": None,
            "ledger_entry": 42,
        },
    ],
    "acts": ["appeal", "waive"],
}


class Marks(Wire):
    """Below which shares of rows, in percent, a batch gets which colour."""

    yellow_key_accuracy_percent: float
    yellow_overall_percent: float
    red_key_accuracy_percent: float
    red_overall_percent: float


class CardDetail(Card):
    """One card with its steps, oldest first, and what you could do about it now."""

    model_config = example(_CARD)

    marks: Marks | None = Field(description="Of a card below the mark.")
    steps: list[CardStep]
    acts: list[ActName] = Field(description="What you could do about it now, with a reason.")


class ExportBody(Wire):
    """Ask for the worklist as a workbook."""

    model_config = example({"case": "JH-2026-07"})

    case: CaseReference
    limit: int = Field(5_000, ge=1, le=5_000, description="Items, the oldest first.")


class WorklistReturned(Wire):
    """What a returned workbook said."""

    model_config = example(
        {"department": "housing", "answers": {"own_wrong": 7, "both_right": 1}, "unanswered": 4}
    )

    department: str
    answers: dict[str, int] = Field(
        description="Conclusion -> answers; gone: about items resolved or elsewhere by now."
    )
    unanswered: int


class SampleBody(Wire):
    """Draw a field sample."""

    model_config = example({"dataset": "population.resident", "case": "2026-77"})

    dataset: DatasetName
    case: CaseReference
    level: Literal["community", "street"] = Field(
        "community", description="The divisions that are its strata."
    )


_SAMPLE: dict[str, Any] = {
    "id": "S20260601T040000-a0b1c2",
    "dataset": "population.resident",
    "title": "实有人口",
    "department": "population",
    "month": "2026-05",
    "drawn_at": "2026-06-01T04:00:00Z",
    "returned_at": "2026-06-20T08:30:00Z",
    "size": 1521,
    "population": 119570,
    "strata": 12,
    "seed": "a0b1c2d3e4f50617",
    "seed_chosen": False,
    "right_percent": 99.6,
    "lower_bound_percent": 99.13,
    "proven": True,
    "reached_lower_bound_percent": 99.2,
}


class Sample(Wire):
    """A field sample; the figures are null until its worksheet is back."""

    model_config = example(_SAMPLE)

    id: str
    dataset: str
    title: str
    department: str
    month: str
    drawn_at: datetime
    returned_at: datetime | None
    size: int
    population: int
    strata: int
    seed: str
    seed_chosen: bool = Field(description="A sample of a chosen seed proves nothing.")
    right_percent: float | None = Field(description="Those not reached counted as wrong.")
    lower_bound_percent: float | None = Field(description="Wilson's lower bound, 95 %.")
    proven: bool | None = Field(description="Whether 99 % is proven.")
    reached_lower_bound_percent: float | None = Field(description="Of those reached only.")


class SampleList(Wire):
    """Field samples, newest first."""

    model_config = example({"samples": [_SAMPLE]})

    samples: list[Sample]
