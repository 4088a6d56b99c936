"""Query and body of the statistics door."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import Field

from api.wire.base import RECEIPT_EXAMPLE, DatasetName, PurposeCode, Receipt, Wire, example

_Month = Annotated[str, Field(pattern=r"^[0-9]{4}-(0[1-9]|1[0-2])$", examples=["2026-01"])]


class StatisticsQuery(Wire):
    """Ask for counts of one dataset."""

    dataset: DatasetName = Field(examples=["police.case"])
    by: str = Field(
        pattern=r"^[a-z][a-z0-9_]*(,[a-z][a-z0-9_]*){0,2}$",
        max_length=120,
        description="One to three of: month, street, community, grid, or clear columns.",
        examples=["grid,month"],
    )
    purpose: PurposeCode = "statistics.publish"
    first_month: _Month | None = None
    last_month: _Month | None = None
    area: str | None = Field(
        None,
        pattern=r"^([0-9]{6}|[0-9]{9}|[0-9]{12}|[0-9]{14})$",
        description="Only this street, community or grid.",
        examples=["990106001"],
    )
    protection: Literal["rounding", "noise"] = Field(
        "rounding",
        description=(
            "rounding: small counts are not shown, the others are rounded. noise: every count with "
            "noise (differential privacy), paid from the asker's budget."
        ),
    )

    @property
    def breakdowns(self) -> tuple[str, ...]:
        """Return the breakdowns in the order they were asked for."""
        return tuple(self.by.split(","))


class StatisticsColumn(Wire):
    """One column of the table."""

    name: str
    title: str


class NoiseSpent(Wire):
    """What counts with noise cost; a budget belongs to one asker, dataset and period."""

    epsilon: float = Field(description="What this answer cost.")
    spent: float = Field(description="Spent in the period, this answer included.")
    budget: float
    left: float
    period: str = Field(description="Calendar month or year.", examples=["2026-06"])
    unit: Literal["record"] = Field(description="What the noise hides: one record of the dataset.")


class Statistics(Wire):
    """Counts; the last column is the count, null where it was too small to show.

    Rounded counts are multiples of `rounded_to`; those with noise may be negative.
    """

    model_config = example(
        {
            "dataset": "police.case",
            "title": "刑事案件",
            "columns": [
                {"name": "community", "title": "社区"},
                {"name": "month", "title": "月份"},
                {"name": "count", "title": "数量"},
            ],
            "labels": {"community": {"990106001001": "朝阳社区"}},
            "rows": [["990106001001", "2026-01", 15], ["990106001002", "2026-01", None]],
            "protection": "rounding",
            "threshold": 5,
            "suppressed": 1,
            "rounded_to": 5,
            "noise": None,
            "reason": "分析员为统计发布汇总数据。",
            "request_id": "9f0c2d4b6a8e1357",
            "time": "2026-06-05T01:02:03Z",
            "policy": "2026-06-01.1",
            "snapshot": "20260602T030000Z",
            "receipt": RECEIPT_EXAMPLE,
        }
    )

    dataset: str
    title: str
    columns: list[StatisticsColumn]
    labels: dict[str, dict[str, str]] = Field(description="What the codes in the rows mean.")
    rows: list[list[Any]]
    protection: Literal["rounding", "noise"]
    threshold: int = Field(description="Counts below this are not shown.")
    suppressed: int = Field(description="How many counts were not shown.")
    rounded_to: int = Field(description="Every count is a multiple of this, up or down by chance.")
    noise: NoiseSpent | None = Field(description="What the noise cost; null where there is none.")
    reason: str
    request_id: str
    time: datetime
    policy: str
    snapshot: str | None
    receipt: Receipt
