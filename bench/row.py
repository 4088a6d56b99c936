"""One line of the bench: what was measured, against whom, and whether the mark holds."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Literal


@dataclass(frozen=True, slots=True)
class Mark:
    """The bound a row has to keep.

    Args:
        sense: "<=" when smaller is better, ">=" when larger is.
        bound: the number itself.
        of: what is held against it: the row's "ratio", or "ours" where an absolute figure counts.
    """

    sense: Literal["<=", ">="]
    bound: float
    of: Literal["ratio", "ours"] = "ratio"

    def holds(self, value: float) -> bool:
        """Say whether a value keeps the bound."""
        return value <= self.bound if self.sense == "<=" else value >= self.bound


@dataclass(frozen=True, slots=True)
class Peer:
    """Whom we are held against: a name and the version that ran."""

    name: str
    version: str = ""


@dataclass(frozen=True, slots=True)
class Row:
    """One ratio.

    Args:
        name: unique, kebab-case, begins with the bench's name.
        measures: what the ratio is, in words ("time of ours / time of the peer").
        size: data size and concurrency, in words ("120,000 rows, 23 MB CSV").
        runs: interleaved runs that each figure is the median of.
        ours: our median, in `unit`.
        peer: whom it is held against.
        theirs: the peer's median, or the allowance where there is no peer, in `unit`; None when
            the peer could not run, and `size` says why.
        unit: s, ms, µs, GiB, appends/s, requests/s.
        ratio: as `measures` says; None when the peer could not run.
        mark: what has to hold; None when the row is for information.
    """

    name: str
    measures: str
    size: str
    runs: int
    ours: float
    peer: Peer
    theirs: float | None
    unit: str
    ratio: float | None
    mark: Mark | None

    @property
    def holds(self) -> bool | None:
        """Whether the mark is kept; None when there is none or its figure was not measured."""
        if self.mark is None:
            return None
        figure = self.ratio if self.mark.of == "ratio" else self.ours
        return None if figure is None else self.mark.holds(figure)

    def to_json(self) -> dict[str, Any]:
        """Return the row as one JSON object."""
        return {
            "name": self.name,
            "measures": self.measures,
            "size": self.size,
            "runs": self.runs,
            "ours": _rounded(self.ours),
            "peer": self.peer.name,
            "peer_version": self.peer.version,
            "theirs": _rounded(self.theirs),
            "unit": self.unit,
            "ratio": _rounded(self.ratio),
            "mark": asdict(self.mark) if self.mark else None,
            "holds": self.holds,
        }


def allowance(limit: float) -> tuple[Peer, float]:
    """Return the peer and figure of a row that is held against a limit instead of a program."""
    return Peer("the allowance"), limit


def _rounded(value: float | None) -> float | None:
    return None if value is None else float(f"{value:.4g}")
