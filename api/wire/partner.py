"""Bodies of the partner's door."""

from __future__ import annotations

from datetime import date, datetime

from pydantic import Field

from api.wire.base import Wire, example
from api.wire.card import Card

_BATCH = {
    "id": "20260602-5e1f00aa11bb22cc",
    "dataset": "housing.tenancy",
    "title": "房屋租赁",
    "partner": "housing",
    "partner_title": "住房管理部门",
    "period": "2026-06",
    "file_name": "tenancy-2026-06.csv",
    "size_bytes": 1048576,
    "sha256": "9b74c9897bac770ffc029102a200c5de8d0a1b8f5f4f9d3b7a6c5e4d3f2b1a09",
    "status": "stopped",
    "status_title": "已拦下",
    "reason": "关键字段准确率 93.10 %，低于发布线 97 %",
    "rows": 18000,
    "accepted": 16758,
    "quarantined": 1242,
    "key_accuracy": 93.1,
    "overall": 93.1,
    "delivered_at": "2026-06-02T02:00:00Z",
    "checked_at": "2026-06-02T02:00:04Z",
    "published_at": None,
}


class Batch(Wire):
    """One delivery and what became of it; percentages 0 to 100."""

    id: str
    dataset: str
    title: str
    partner: str
    partner_title: str
    period: str | None
    file_name: str
    size_bytes: int
    sha256: str
    status: str
    status_title: str
    reason: str | None
    rows: int | None
    accepted: int | None
    quarantined: int | None
    key_accuracy: float | None = Field(description="Rows right in every key field, percent.")
    overall: float | None = Field(description="Rows right in every field, percent.")
    delivered_at: datetime
    checked_at: datetime | None
    published_at: datetime | None


class Batches(Wire):
    """The partner's deliveries, newest first."""

    model_config = example({"batches": [_BATCH]})

    batches: list[Batch]


class CheckResult(Wire):
    """One rule and how many rows broke it."""

    rule: str
    title: str
    columns: list[str]
    severity: str
    dimension: str
    failing: int
    evaluated: int
    failing_percent: float | None = Field(description="Null when no row was evaluated.")
    remedy: str = Field(description="What to do about it.")


class Change(Wire):
    """How often a cleaning rule changed a column."""

    column: str
    title: str
    transform: str
    count: int


class BatchDetail(Batch):
    """One delivery with its verdict, rule by rule."""

    model_config = example(
        {
            **_BATCH,
            "next": "请按反馈文件逐行修改后重新报送；此前发布的数据继续使用。",
            "checks": [
                {
                    "rule": "resident_id_check_digit.tenant_id",
                    "title": "租客身份号码校验位",
                    "columns": ["tenant_id"],
                    "severity": "error",
                    "dimension": "accuracy",
                    "failing": 900,
                    "evaluated": 18000,
                    "failing_percent": 5.0,
                    "remedy": "请与证件核对后更正。",
                }
            ],
            "changes": [
                {
                    "column": "tenant_phone",
                    "title": "租客电话",
                    "transform": "phone_separators_removed",
                    "count": 12,
                }
            ],
            "feedback": "/v1/partner/batches/20260602-5e1f00aa11bb22cc/feedback",
        }
    )

    next: str = Field(description="What to do now.")
    checks: list[CheckResult]
    changes: list[Change]
    feedback: str | None = Field(description="The feedback file, for the partner itself.")


class Cards(Wire):
    """The department's quality cards, red ones first."""

    model_config = example(
        {
            "cards": [
                {
                    "id": "5e1f00aa11bb22cc",
                    "kind": "below_mark",
                    "kind_title": "数据质量不达标 / below the mark",
                    "colour": "red",
                    "colour_title": "红牌 / red",
                    "state": "issued",
                    "state_title": "已发出 / issued",
                    "dataset": "housing.tenancy",
                    "title": "房屋租赁",
                    "department": "housing",
                    "period": "2026-06",
                    "batch": "20260602-5e1f00aa11bb22cc",
                    "issued_at": "2026-06-02T02:00:04Z",
                    "due": "2026-06-02",
                    "remedy_by": "2026-06-16",
                    "waived_until": None,
                    "what_to_do": "请按反馈文件更正后重新报送达标的一批；限期 2026-06-16。",
                    "evidence": {
                        "rows": 18000,
                        "quarantined": 1242,
                        "key_accuracy_percent": 93.1,
                        "overall_percent": 93.1,
                        "reason": "关键字段准确率 93.10 %，低于发布线 97 %",
                    },
                }
            ]
        }
    )

    cards: list[Card]


class Dropped(Wire):
    """A file that was taken; the next run lands and checks it."""

    model_config = example(
        {
            "dataset": "housing.tenancy",
            "file": "tenancy-2026-06.csv",
            "size_bytes": 1048576,
            "sha256": "9b74c9897bac770ffc029102a200c5de8d0a1b8f5f4f9d3b7a6c5e4d3f2b1a09",
            "next": "文件已收到，等待核查；请稍后查看批次列表。",
        }
    )

    dataset: str
    file: str
    size_bytes: int
    sha256: str
    next: str


class WorklistFigure(Wire):
    """How many conflicts of a kind stand where."""

    department: str
    kind: str
    title: str
    state: str = Field(description="open, in_review, explained, resolved or reopened.")
    items: int
    oldest: date = Field(description="Day on which the oldest of them was found.")


class WorklistFigures(Wire):
    """The department's conflicts with other departments, in figures."""

    model_config = example(
        {
            "rows": [
                {
                    "department": "housing",
                    "kind": "name_conflict",
                    "title": "姓名不一致",
                    "state": "open",
                    "items": 12,
                    "oldest": "2026-06-02",
                }
            ]
        }
    )

    rows: list[WorklistFigure]
