"""What a witness can find wrong with a log, each kind apart from the others.

An alarm is raised on evidence only. What may be no more than a slow disk, a network or a file that
is being replaced is no alarm: it is tried again, and while it lasts nothing is cosigned.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Kind(StrEnum):
    """What is wrong; docs/witness.md says of each what it means and what to do."""

    BAD_SIGNATURE = "bad-signature"
    FORK = "fork"
    ROLLBACK = "rollback"
    STALLED = "stalled"
    UNREACHABLE = "unreachable"
    WRONG_ENTRY = "wrong-entry"
    WRONG_INDEX = "wrong-index"
    WRONG_ORIGIN = "wrong-origin"
    WRONG_ROW = "wrong-row"
    WRONG_TILE = "wrong-tile"


#: These end by themselves; the others are evidence, and stay.
PASSING = frozenset({Kind.STALLED, Kind.UNREACHABLE})


@dataclass(frozen=True, slots=True)
class Alarm:
    """One thing found wrong with one log, as often as it was found.

    Attributes:
        what: a sentence; the same finding has the same sentence.
        evidence: the signed notes that prove it, or nothing.
        first, last: when it was found first and last (RFC 3339).
        times: how often.
        ended: when it was over or somebody had looked into it, None until then.
        reason: what that somebody said.
    """

    id: int
    origin: str
    kind: Kind
    what: str
    evidence: str
    first: str
    last: str
    times: int
    ended: str | None
    reason: str

    @property
    def is_open(self) -> bool:
        """Whether somebody has to look into it."""
        return self.ended is None


class Wrong(Exception):
    """Something is wrong with a log. It never leaves the witness: it becomes an alarm."""

    def __init__(self, kind: Kind, what: str, *notes: str) -> None:
        super().__init__(what)
        self.kind = kind
        self.what = what
        self.evidence = "\n".join(notes)
