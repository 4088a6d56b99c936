"""A quality card on the wire, the same at every door: `contracts.cards.board.CardView`."""

from __future__ import annotations

from datetime import date, datetime
from typing import Literal

from pydantic import Field

from api.wire.base import Wire


class CardEvidence(Wire):
    """What a card stands on; members that do not apply are absent."""

    reason: str | None = Field(None, description="Why the file was refused or stopped.")
    rows: int | None = None
    quarantined: int | None = None
    key_accuracy_percent: float | None = None
    overall_percent: float | None = None
    feedback_at: date | None = Field(None, description="When the feedback file was there.")
    cycle_working_days: int | None = Field(None, description="Length of the period.")
    yellow_after: int | None = Field(None, description="Working days overdue until yellow.")
    red_after: int | None = Field(None, description="Working days overdue until red.")


class Card(Wire):
    """One quality card; days are those of Asia/Shanghai."""

    id: str
    kind: Literal["below_mark", "overdue_delivery", "overdue_correction", "contract_broken"]
    kind_title: str
    colour: Literal["yellow", "red"]
    colour_title: str
    state: Literal[
        "issued", "acknowledged", "appealed", "waiver_requested", "waived", "remedied", "closed"
    ]
    state_title: str
    dataset: str
    title: str
    department: str
    period: str
    batch: str | None = Field(description="The batch it is about; null for a missing delivery.")
    issued_at: datetime
    due: date = Field(description="The day that was missed, or the day of the verdict.")
    remedy_by: date = Field(description="A yellow card not remedied by then turns red.")
    waived_until: date | None
    what_to_do: str
    evidence: CardEvidence
