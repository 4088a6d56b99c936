"""What one run of the bench is told, and what it is told with."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class BenchSettings:
    """Size, place and listener of a run.

    Args:
        residents: size of the invented district, persons; rows about one file scale with it.
        runs: interleaved runs of each side; a row's figures are their medians.
        folder: scratch folder, empty at the start, removed by whoever made it.
        say: is told what is being done; progress goes to standard error.
    """

    residents: int
    runs: int
    folder: Path
    say: Say

    def scratch(self, name: str) -> Path:
        """Return a fresh folder of that name under the scratch folder."""
        folder = self.folder / name
        folder.mkdir(parents=True)
        return folder
