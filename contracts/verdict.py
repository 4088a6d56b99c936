"""What a batch was found to be: counts per check, accuracy, and whether it may be published.

A verdict holds no value of any row, so it can be stored, shown and sent as it is.

Source: GB/T 36344-2018 (X = A / B; B = 0 is not applicable, never 100 %).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from contracts.checks import CheckSpec
from contracts.model import PublishBar, Threshold


@dataclass(frozen=True, slots=True)
class CheckResult:
    """One check on one batch.

    Args:
        failing: rows that fail it (for a batch-level number that counts no rows: 0).
        evaluated: rows it could be evaluated on; 0 when it was not evaluated.
        passed: whether the check holds for the batch.
        measured: the batch-level number, in the threshold's unit, or None.
        note: why it was not evaluated, or "".
    """

    spec: CheckSpec
    failing: int
    evaluated: int
    passed: bool
    measured: float | None = None
    note: str = ""

    @property
    def failing_percent(self) -> float | None:
        """Failing rows in percent of those evaluated; None when there are none."""
        return 100 * self.failing / self.evaluated if self.evaluated else None


@dataclass(frozen=True, slots=True)
class BatchVerdict:
    """The outcome of one batch.

    Args:
        warnings: rows that carry at least one warning, quarantined or not.
        changes: (column, transform, cells changed), in column and step order.
        key_accuracy: 1 - rows with any error on a key field / rows; None for no rows.
        overall: accepted / rows; None for no rows.
        reason: why it passed or not, in words.
        accuracy_failing: distinct rows that fail an accuracy rule on a key field (see
            `contracts.checks.is_accuracy_rule`); None in a verdict from before it was counted.
    """

    dataset: str
    rows: int
    accepted: int
    quarantined: int
    warnings: int
    results: tuple[CheckResult, ...]
    changes: tuple[tuple[str, str, int], ...]
    key_accuracy: float | None
    overall: float | None
    passed: bool
    reason: str
    accuracy_failing: int | None = None

    def result(self, check_id: str) -> CheckResult:
        """Return the result of a check; KeyError when the batch had no such check."""
        return {item.spec.id: item for item in self.results}[check_id]

    def to_json(self) -> dict[str, Any]:
        """Return a JSON value that `from_json` turns back into an equal verdict."""
        return asdict(self)

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> BatchVerdict:
        """Return the verdict that `to_json` wrote down."""
        results = tuple(_result(item) for item in value["results"])
        changes = tuple((str(c), str(t), int(n)) for c, t, n in value["changes"])
        return cls(**{**value, "results": results, "changes": changes})


def judge(
    rows: int,
    overall: float | None,
    key_accuracy: float | None,
    bar: PublishBar,
    stopped: tuple[str, ...],
) -> tuple[bool, str]:
    """Return whether a batch may be published, and why.

    Args:
        stopped: titles of batch-level errors that do not hold.
    """
    if not rows or overall is None or key_accuracy is None:
        return False, "没有数据行 / the batch has no rows"
    reasons = [f"未满足 / does not hold: {title}" for title in stopped]
    if 100 * key_accuracy < bar.key_accuracy_percent:
        reasons.append(
            f"关键字段准确率 {_percent(key_accuracy)} 低于 {bar.key_accuracy_percent:g} %"
            f" / key accuracy below the bar"
        )
    if 100 * overall < bar.overall_percent:
        reasons.append(
            f"整体合格率 {_percent(overall)} 低于 {bar.overall_percent:g} % / too few rows accepted"
        )
    if reasons:
        return False, "; ".join(reasons)
    return True, (
        f"关键字段准确率 {_percent(key_accuracy)}，整体合格率 {_percent(overall)}，达到发布线"
        " / both figures reach the publish bar"
    )


def _percent(share: float) -> str:
    """Two decimals, cut and not rounded: 98.996 % must not read as 99 %."""
    return f"{int(10_000 * share + 1e-9) / 100:.2f} %"


def _result(value: Mapping[str, Any]) -> CheckResult:
    spec = dict(value["spec"])
    threshold = spec["threshold"]
    if threshold is not None:
        spec["threshold"] = Threshold(**{**threshold, "values": tuple(threshold["values"])})
    return CheckResult(
        **{**value, "spec": CheckSpec(**{**spec, "columns": tuple(spec["columns"])})}
    )
