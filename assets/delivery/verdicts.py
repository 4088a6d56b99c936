"""From the verdict of a check to the form in which the records keep it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from contracts.verdict import BatchVerdict
from hub.store.batches import ChangeRow, CheckRow, Verdict


def to_record(verdict: BatchVerdict, file_changes: Iterable[tuple[str, str, int]] = ()) -> Verdict:
    """Return a verdict as the records keep it.

    Args:
        file_changes: what parsing changed, as `Parsed.changes`; kept beside the check's own.
    """
    return Verdict(
        rows=verdict.rows,
        accepted=verdict.accepted,
        quarantined=verdict.quarantined,
        key_accuracy=verdict.key_accuracy,
        overall=verdict.overall,
        passed=verdict.passed,
        reason=verdict.reason,
        checks=tuple(
            CheckRow(
                rule=result.spec.id,
                columns=tuple(result.spec.columns),
                severity=result.spec.severity,
                dimension=result.spec.dimension,
                title=result.spec.title,
                remedy=result.spec.remedy,
                failing=result.failing,
                evaluated=result.evaluated,
                kind=result.spec.kind,
                key_field=result.spec.key_field,
                by_row=result.spec.bit is not None,
                passed=result.passed,
            )
            for result in verdict.results
        ),
        changes=_counted((*file_changes, *verdict.changes)),
        document=verdict.to_json(),
        accuracy_failing=verdict.accuracy_failing,
    )


def _counted(changes: Iterable[tuple[str, str, int]]) -> tuple[ChangeRow, ...]:
    """Return one row per column and transform."""
    counts: Counter[tuple[str, str]] = Counter()
    for column, transform, count in changes:
        counts[column, transform] += count
    return tuple(ChangeRow(*key, count) for key, count in sorted(counts.items()))
