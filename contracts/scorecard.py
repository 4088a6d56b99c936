"""The quality table: one row per dataset, its accuracy against the target, its worst rules.

Source: DOMAIN quality; GB/T 36344-2018 (a figure over nothing is not applicable).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from contracts.verdict import BatchVerdict, CheckResult

TARGET_PERCENT = 99.0
Light = Literal["green", "yellow", "red", "none"]


@dataclass(frozen=True, slots=True)
class WorstRule:
    """A rule that many rows fail, and how many percent of those it was evaluated on."""

    rule: str
    title: str
    severity: str
    failing: int
    percent: float


@dataclass(frozen=True, slots=True)
class QualityRow:
    """One dataset's line of the quality table; percentages are None when there are no rows.

    Args:
        light: green at or above the target, yellow below it, red when the batch was stopped.
    """

    dataset: str
    rows: int
    quarantined: int
    warnings: int
    key_accuracy_percent: float | None
    overall_percent: float | None
    target_percent: float
    light: Light
    passed: bool
    reason: str
    worst: tuple[WorstRule, ...]


def quality_rows(
    verdicts: Sequence[BatchVerdict], *, target_percent: float = TARGET_PERCENT, most: int = 3
) -> tuple[QualityRow, ...]:
    """Return the quality table in the order of the verdicts.

    Args:
        most: how many of each dataset's worst rules are listed.
    """
    return tuple(_row(verdict, target_percent, most) for verdict in verdicts)


def worst_rules(results: Sequence[CheckResult], most: int) -> tuple[WorstRule, ...]:
    """Return the rules most rows fail, errors before warnings, then by share, then by name."""
    failed = [item for item in results if item.failing and not item.passed]
    failed.sort(key=lambda i: (i.spec.severity, -(i.failing_percent or 0), i.spec.id))
    return tuple(
        WorstRule(
            i.spec.id, i.spec.title, i.spec.severity, i.failing, round(i.failing_percent or 0, 4)
        )
        for i in failed[:most]
    )


def _row(verdict: BatchVerdict, target: float, most: int) -> QualityRow:
    key = _percent(verdict.key_accuracy)
    return QualityRow(
        dataset=verdict.dataset,
        rows=verdict.rows,
        quarantined=verdict.quarantined,
        warnings=verdict.warnings,
        key_accuracy_percent=key,
        overall_percent=_percent(verdict.overall),
        target_percent=target,
        light=_light(verdict, key, target),
        passed=verdict.passed,
        reason=verdict.reason,
        worst=worst_rules(verdict.results, most),
    )


def _light(verdict: BatchVerdict, key: float | None, target: float) -> Light:
    if key is None:
        return "none"
    if not verdict.passed:
        return "red"
    return "green" if key >= target else "yellow"


def _percent(share: float | None) -> float | None:
    return None if share is None else 100 * share
