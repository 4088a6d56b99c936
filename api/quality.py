"""The quality table: every checked batch against the target."""

from __future__ import annotations

from typing import Any

from hub.store.records import Records

TARGET = 0.99


def quality_rows(records: Records) -> list[dict[str, Any]]:
    """Return every checked batch with its accuracy against the target, newest first."""
    return [
        {
            "dataset": b.dataset,
            "period": b.period,
            "rows": b.rows,
            "quarantined": b.quarantined,
            "key_accuracy_%": None if b.key_accuracy is None else round(b.key_accuracy * 100, 2),
            "accepted_%": None if b.overall is None else round(b.overall * 100, 2),
            "target_99_%": "–"
            if b.key_accuracy is None
            else ("met" if b.key_accuracy >= 0.99 else "MISSED"),
            "batch": b.status.value,
        }
        for b in sorted(records.batches(), key=lambda b: (b.dataset, str(b.landed_at)))
    ]
