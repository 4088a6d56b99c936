"""What a reading found wrong: exactly where, and how."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

FINDINGS_LIMIT = 1000


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong: at which entry (None: the ledger as a whole), which field, how."""

    index: int | None
    field: str
    problem: str

    def __str__(self) -> str:
        place = self.field if self.index is None else f"entry {self.index}, {self.field}"
        return f"{place}: {self.problem}"


class Findings:
    """Collects findings; keeps the first `FINDINGS_LIMIT` and counts them all.

    Args:
        kept: those of a reading that this one goes on with.
        total: how many those were.
    """

    def __init__(self, kept: Iterable[Finding] = (), total: int = 0) -> None:
        self.kept = list(kept)
        self.total = total

    def add(self, index: int | None, field: str, problem: str) -> None:
        """Note one thing that is wrong."""
        self.total += 1
        if len(self.kept) < FINDINGS_LIMIT:
            self.kept.append(Finding(index, field, problem))
