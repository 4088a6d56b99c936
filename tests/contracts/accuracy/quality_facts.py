"""Small recorded facts for tests of figures."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from hub.store.batches import BatchStatus, CheckRow
from hub.store.facts import BatchFacts, QualityFacts
from hub.store.samples import FieldSample, Stratum, seed_of

START = datetime(2026, 1, 5, tzinfo=UTC)


def check(kind: str, failing: int = 0, evaluated: int = 100, **more: Any) -> CheckRow:
    """Return what a row rule of a kind found."""
    values: dict[str, Any] = {
        "rule": f"{kind}.x", "columns": ("x",), "severity": "error", "dimension": "accuracy",
        "title": kind, "remedy": "", "failing": failing, "evaluated": evaluated, "kind": kind,
        "passed": failing == 0,
    }  # fmt: skip
    return CheckRow(**{**values, **more})


def batch(name: str = "B1", **more: Any) -> BatchFacts:
    """Return a published full delivery of 100 rows with nothing wrong."""
    values: dict[str, Any] = {
        "batch": name, "dataset": "housing.tenancy", "department": "housing", "period": "2026-01",
        "month": "2026-01", "mode": "full", "status": BatchStatus.PUBLISHED,
        "delivered_at": START + timedelta(hours=int(name[1:])), "rows": 100, "accepted": 100,
        "quarantined": 0, "key_failing": 0, "accuracy_failing": 0, "version": "v1",
    }  # fmt: skip
    return BatchFacts(**{**values, **more})


def sample(right: int, wrong: int, **more: Any) -> FieldSample:
    """Return a returned sample with one stratum."""
    values: dict[str, Any] = {
        "id": "S1", "dataset": "housing.tenancy", "department": "housing", "month": "2026-01",
        "version": "v1", "digits": 12, "seed": "", "drawn_by": "", "case_ref": "",
        "population": 10_000, "size": right + wrong, "drawn_at": START, "returned_at": START,
        "strata": (Stratum("990106001001", 10_000, right + wrong, right, wrong, 0),),
    }  # fmt: skip
    values |= more
    values["seed"] = values["seed"] or seed_of(values["dataset"], values["version"])
    return FieldSample(**values)


def facts(*batches: BatchFacts, **more: Any) -> QualityFacts:
    """Return facts of deliveries in the order given."""
    return QualityFacts(batches, **more)
