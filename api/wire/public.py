"""Bodies anyone may have."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from pydantic import Field

from api.wire.base import Wire, example
from api.wire.card import Card

_HEADLINE = {
    "percent": 99.3,
    "measure": "rule_accuracy",
    "measure_title": "规则准确率 rule accuracy",
    "dataset": "population.resident",
    "dataset_title": "实有人口",
    "month": "2026-06",
}

Light = Literal["green", "yellow", "red", "none"]


class QualityHeadline(Wire):
    """The worst measure of accuracy that exists, and which one it is."""

    percent: float | None
    measure: str
    measure_title: str
    dataset: str
    dataset_title: str
    month: str


class TrendPoint(Wire):
    """The headline of one month, 0 to 100; null where there is none."""

    month: str
    percent: float | None


class DepartmentQuality(Wire):
    """One department: as bad as its worst dataset and its worst open card."""

    department: str
    title: str
    light: Light
    light_title: str
    headline: QualityHeadline | None
    yellow_cards: int
    red_cards: int
    trend: list[TrendPoint]


class WorstRule(Wire):
    """A rule that rows of the newest deliveries fail."""

    dataset: str
    dataset_title: str
    rule: str
    title: str
    severity: str
    failing: int
    evaluated: int
    percent: float = Field(description="Of the rows it was evaluated on.")


class QualityRow(Wire):
    """The latest verdict on one dataset of one partner; percentages 0 to 100."""

    dataset: str
    title: str
    partner: str
    partner_title: str
    batch: str
    period: str | None
    status: str
    status_title: str
    checked_at: datetime | None
    rows: int
    accepted: int
    quarantined: int
    key_accuracy: float | None
    overall: float | None
    headline: QualityHeadline | None
    target: float
    light: Light
    light_title: str
    reason: str | None


class Stopped(Wire):
    """A delivery that was held back; what was published before it stays in service."""

    batch: str
    dataset: str
    title: str
    partner_title: str
    period: str | None
    status: str
    status_title: str
    at: datetime
    reason: str | None
    superseded: bool = Field(description="Whether a later delivery of the dataset passed.")


class Quality(Wire):
    """The quality board."""

    model_config = example(
        {
            "target": 99.0,
            "red": 97.0,
            "snapshot": "20260602T030000Z",
            "published_at": "2026-06-02T03:00:00Z",
            "departments": [
                {
                    "department": "population",
                    "title": "人口管理部门",
                    "light": "green",
                    "light_title": "达标",
                    "headline": _HEADLINE,
                    "yellow_cards": 0,
                    "red_cards": 0,
                    "trend": [{"month": "2026-06", "percent": 99.3}],
                }
            ],
            "rows": [
                {
                    "dataset": "population.resident",
                    "title": "实有人口",
                    "partner": "population",
                    "partner_title": "人口管理部门",
                    "batch": "20260602-00aa11bb22cc33dd",
                    "period": "2026-06",
                    "status": "published",
                    "status_title": "已发布",
                    "checked_at": "2026-06-02T02:00:04Z",
                    "rows": 120000,
                    "accepted": 119200,
                    "quarantined": 800,
                    "key_accuracy": 99.3,
                    "overall": 99.1,
                    "headline": _HEADLINE,
                    "target": 99.0,
                    "light": "green",
                    "light_title": "达标",
                    "reason": None,
                }
            ],
            "worst_rules": [
                {
                    "dataset": "population.resident",
                    "dataset_title": "实有人口",
                    "rule": "resident_id_check_digit",
                    "title": "公民身份号码须为有效的公民身份号码",
                    "severity": "error",
                    "failing": 331,
                    "evaluated": 120000,
                    "percent": 0.2758,
                }
            ],
            "cards": [],
            "stopped": [],
        }
    )

    target: float
    red: float = Field(description="Accuracy below which a light is red.")
    snapshot: str | None
    published_at: datetime | None
    departments: list[DepartmentQuality]
    rows: list[QualityRow]
    worst_rules: list[WorstRule]
    cards: list[Card]
    stopped: list[Stopped]


class DatasetColumn(Wire):
    """One column: its name and how sensitive it is."""

    name: str
    title: str
    type: str
    level: str = Field(description="L1 to L4 (GB/T 43697-2024).")


class CatalogEntry(Wire):
    """One dataset that the hub can hold."""

    dataset: str
    title: str
    description: str
    owner: str
    owner_title: str
    sharing: Literal["unconditional", "conditional", "not_shared"]
    sharing_title: str
    legal_basis: str
    update_cycle: str
    update_cycle_title: str
    level: str = Field(description="The highest level of its columns.")
    version: str
    columns: list[DatasetColumn]


class Datasets(Wire):
    """The catalogue."""

    model_config = example(
        {
            "datasets": [
                {
                    "dataset": "address.standard_address",
                    "title": "标准地址",
                    "description": "",
                    "owner": "address",
                    "owner_title": "地名管理部门",
                    "sharing": "unconditional",
                    "sharing_title": "无条件共享",
                    "legal_basis": "政务数据共享条例 第十条",
                    "update_cycle": "monthly",
                    "update_cycle_title": "每月",
                    "level": "L2",
                    "version": "1.0.0",
                    "columns": [
                        {"name": "address_id", "title": "地址编码", "type": "string", "level": "L1"}
                    ],
                }
            ]
        }
    )

    datasets: list[CatalogEntry]


class HashProof(Wire):
    """Hashes, hex, bottom up (RFC 9162 §2.1)."""

    model_config = example({"hashes": ["0a" * 32, "1b" * 32]})

    hashes: list[str]


class Health(Wire):
    """Whether the hub is well."""

    model_config = example(
        {
            "status": "ok",
            "profile": "demonstration",
            "demonstration": True,
            "snapshot": "20260602T030000Z",
            "ledger_size": 42,
            "ledger_published": 41,
            "ledger_lag_seconds": 3,
            "ledger_late": False,
        }
    )

    status: Literal["ok", "unpublished"]
    profile: Literal["demonstration", "production"]
    demonstration: bool
    snapshot: str | None = Field(description="Published version in service.")
    ledger_size: int
    ledger_published: int = Field(description="Entries that the public checkpoint covers.")
    ledger_lag_seconds: int = Field(
        description="How long the oldest entry that is not public yet has waited."
    )
    ledger_late: bool = Field(
        description="Whether that is longer than usual, as when witnesses do not answer."
    )


class ProblemCode(Wire):
    """One error code and what can be done about it."""

    code: str
    title: str
    status: int
    remedy: str


class ProblemCodes(Wire):
    """Every error code."""

    model_config = example(
        {
            "problems": [
                {
                    "code": "not-found",
                    "title": "Not found",
                    "status": 404,
                    "remedy": "请核对后重试。 / Check what you asked for.",
                }
            ]
        }
    )

    problems: list[ProblemCode]
