"""Batches as values: what arrived, what became of it, what the checks found.

One batch is one thing a partner sent. Its states and the steps between them are `STEPS`;
`hub.store.records` keeps them, everything else reads these values.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any


class BatchStatus(StrEnum):
    """Where a batch stands."""

    LANDED = "landed"
    CHECKED = "checked"
    STOPPED = "stopped"
    REFUSED = "refused"
    LOADED = "loaded"
    PUBLISHED = "published"


#: The steps a batch may take. Back to `landed` only by being sent again.
STEPS: Mapping[BatchStatus, frozenset[BatchStatus]] = {
    BatchStatus.LANDED: frozenset(
        {BatchStatus.CHECKED, BatchStatus.STOPPED, BatchStatus.REFUSED},
    ),
    BatchStatus.CHECKED: frozenset(
        {BatchStatus.LOADED, BatchStatus.CHECKED, BatchStatus.STOPPED, BatchStatus.REFUSED},
    ),
    BatchStatus.LOADED: frozenset({BatchStatus.PUBLISHED}),
    BatchStatus.PUBLISHED: frozenset({BatchStatus.PUBLISHED}),
    BatchStatus.STOPPED: frozenset({BatchStatus.LANDED}),
    BatchStatus.REFUSED: frozenset({BatchStatus.LANDED}),
}

#: A batch that passed its checks.
ACCEPTED = (BatchStatus.CHECKED, BatchStatus.LOADED, BatchStatus.PUBLISHED)


@dataclass(frozen=True, slots=True)
class Arrival:
    """What is known of a delivery when its bytes have landed.

    Args:
        file_name: as the partner wrote it; only its harmless parts are kept.
        sha256: 64 lower-case hexadecimal digits of the raw bytes.
        mode: "full" or "append".
        declared: what the manifest promises and parsing will verify (rows, encoding, format).
    """

    dataset: str
    partner: str
    file_name: str
    sha256: str
    size_bytes: int
    mode: str
    period: str | None = None
    declared: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Batch:
    """One batch as recorded; times are UTC, accuracies shares of the rows from 0 to 1.

    Args:
        delivered_at: when the same bytes were last sent.
        recorded_at: when the ledger had the landing, or None while it may not have it.
        attempt: 1, and one more for every time refused or stopped bytes were sent again.
    """

    id: str
    dataset: str
    partner: str
    period: str | None
    file_name: str
    sha256: str
    size_bytes: int
    mode: str
    declared: Mapping[str, Any]
    attempt: int
    status: BatchStatus
    reason: str | None
    format: str | None
    encoding: str | None
    rows: int | None
    accepted: int | None
    quarantined: int | None
    key_accuracy: float | None
    overall: float | None
    passed: bool | None
    landed_at: datetime
    delivered_at: datetime
    recorded_at: datetime | None
    checked_at: datetime | None
    loaded_at: datetime | None
    published_at: datetime | None
    published_version: str | None
    accuracy_failing: int | None = None


@dataclass(frozen=True, slots=True)
class Registered:
    """A registered arrival; `is_new` is False when the same bytes already count."""

    batch: Batch
    is_new: bool


@dataclass(frozen=True, slots=True)
class CheckRow:
    """What one rule found: `failing` of `evaluated` rows.

    Args:
        kind: which rule it is (see `contracts.checks.CheckSpec`); "" in records from before.
        by_row: whether it blames rows, or judges the batch as a whole.
        passed: whether it holds for the batch; None in records from before.
    """

    rule: str
    columns: tuple[str, ...]
    severity: str
    dimension: str
    title: str
    remedy: str
    failing: int
    evaluated: int
    kind: str = ""
    key_field: bool = False
    by_row: bool = True
    passed: bool | None = None


@dataclass(frozen=True, slots=True)
class ChangeRow:
    """How often a named transform changed a column; column "" is the file as a whole."""

    column: str
    transform: str
    count: int


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the checks of one batch found.

    Args:
        passed: False when the batch must not be published.
        reason: why, free of personal data.
        met: whether the contract's own checks and bar were met, where that is not `passed`.
        checks: one per rule, in the contract's order.
        document: the whole verdict as JSON.
        accuracy_failing: distinct rows that fail an accuracy rule on a key field.
    """

    rows: int
    accepted: int
    quarantined: int
    key_accuracy: float | None
    overall: float | None
    passed: bool
    reason: str
    checks: tuple[CheckRow, ...] = ()
    changes: tuple[ChangeRow, ...] = ()
    document: Mapping[str, Any] = field(default_factory=dict)
    met: bool | None = None
    accuracy_failing: int | None = None

    @property
    def meets_contract(self) -> bool:
        """Whether the contract's own checks and bar were met."""
        return self.passed if self.met is None else self.met


@dataclass(frozen=True, slots=True)
class Quality:
    """The latest verdict on what one partner delivers for one dataset."""

    dataset: str
    partner: str
    batch_id: str
    period: str | None
    status: BatchStatus
    checked_at: datetime | None
    rows: int
    accepted: int
    quarantined: int
    key_accuracy: float | None
    overall: float | None
    passed: bool
    reason: str | None


@dataclass(frozen=True, slots=True)
class Publication:
    """A snapshot put into service, and the batches it was the first to show."""

    version: str
    published_at: datetime
    batches: tuple[str, ...]
    lake_snapshot: int | None = None


#: Words a file name may keep; every other word might be a name.
_HARMLESS = """
append batch case corrected csv data day delivery export final full gz htm html incident json
jsonl month monthly ndjson new old parquet part quarter records register resend tsv txt update v v1
v2 v3 xls xlsm xlsx xml year zip
"""
_DATE = re.compile(r"20\d{2}((0[1-9]|1[0-2])([0-2]\d|3[01])?(\d{6})?)?|\d{1,2}|(20\d{2})?q[1-4]")


def safe_file_name(name: str, known: tuple[str, ...] = ()) -> str:
    """Return the file name with everything masked that could name a person.

    A department may put a person's name or number into a file name. Kept are dates since
    2000, numbers of two digits, format words and the words of `known` (dataset and partner names).

    >>> safe_file_name("resident_2026-01_张三.csv", ("population.resident",))
    'resident_2026-01_x.csv'
    """
    words = set(_HARMLESS.split()) | {
        word for text in known for word in re.split(r"[\W_]+", text.lower())
    }
    parts = re.split(r"([^\w]|_)", name[:200])
    return "".join(_safe_part(part, words) for part in parts) or "x"


def _safe_part(part: str, words: set[str]) -> str:
    if part in ("", "-", "_", "."):
        return part
    lower = part.lower()
    return part if lower in words or (part.isascii() and _DATE.fullmatch(lower)) else "x"
