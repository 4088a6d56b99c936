"""The benches by name. A module is imported only when its bench is asked for."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from importlib import import_module

from bench.row import Row
from bench.settings import BenchSettings

Rows = Callable[[BenchSettings], Iterable[Row]]


@dataclass(frozen=True, slots=True)
class Bench:
    """One bench.

    Args:
        module: where it is.
        function: name of the function there that measures and yields its rows.
        about: what it measures, one line.
        by_name_only: True when `python -m bench` without names leaves it out.
    """

    module: str
    function: str
    about: str
    by_name_only: bool = False

    def load(self) -> Rows:
        """Import the module and return its function."""
        rows: Rows = getattr(import_module(self.module), self.function)
        return rows


BENCHES: Mapping[str, Bench] = {
    "check": Bench(
        "bench.check", "rows", "batch check of 1 M rows against a typed load and four engines"
    ),
    "check-5m": Bench("bench.check", "rows_5m", "the same with 5 M rows, and its peak memory"),
    "decisions": Bench(
        "bench.decisions", "rows", "decisions by 100 to 10,000 rules against three policy engines"
    ),
    "ledger": Bench(
        "bench.ledger", "rows", "durable ledger appends against the disk, plain SQLite and pymerkle"
    ),
    "ledger-1m": Bench(
        "bench.ledger_size", "rows_1m", "reading a ledger of 1 M entries", by_name_only=True
    ),
    "ledger-10m": Bench(
        "bench.ledger_size", "rows_10m", "the same with 10 M entries", by_name_only=True
    ),
    "ledger-bulk": Bench(
        "bench.ledger_size", "rows_bulk", "committing to the 1 M persons of a bulk disclosure"
    ),
    "lookup": Bench("bench.lookup", "rows", "governed lookup against an empty FastAPI endpoint"),
    "lookup-10m": Bench(
        "bench.lookup", "rows_10m", "the same with 10 M persons in the snapshot", by_name_only=True
    ),
    "main-job": Bench("bench.main_job", "rows", "time and peak memory of the whole main job"),
    "main-job-1m": Bench(
        "bench.main_job", "rows_1m", "the same at 1,000,000 residents", by_name_only=True
    ),
    "masking": Bench("bench.masking", "rows", "masking a list of 100 persons"),
    "sealed": Bench(
        "bench.sealed", "rows", "whether the time of an answer tells of sealed uses: a p-value"
    ),
}


def default_names() -> tuple[str, ...]:
    """Return the benches that run when none is named."""
    return tuple(name for name, bench in BENCHES.items() if not bench.by_name_only)
