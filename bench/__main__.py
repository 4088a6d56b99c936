"""`python -m bench`: run the benches that are named, or all that run unasked, and print one table.

Exit 0 when every row was measured and its mark holds, 1 when a mark does not hold, 64 for a name
that is no bench's, 70 when a bench broke (the others still ran and stand in the table).
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import traceback
from collections.abc import Sequence
from pathlib import Path
from typing import NoReturn

from rich.console import Console

from bench.machine import this_machine
from bench.registry import BENCHES, default_names
from bench.row import Row
from bench.settings import BenchSettings, Say
from bench.table import as_json, print_table

_USAGE, _BROKEN = 64, 70


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, print, and return the exit code."""
    given = _parser().parse_args(arguments)
    names = given.names or default_names()
    unknown = sorted(set(names) - set(BENCHES))
    if unknown:
        _say(f"no bench is called {', '.join(unknown)}; there are:")
        for name, bench in BENCHES.items():
            _say(f"  {name:<14}{bench.about}")
        return _USAGE
    machine = this_machine()
    rows, broken = _measure(list(dict.fromkeys(names)), given)
    if given.json:
        sys.stdout.write(as_json(machine, rows) + "\n")
    else:
        print_table(machine, rows, Console(width=None if sys.stdout.isatty() else 150))
    if broken:
        _say(f"not measured: {', '.join(broken)}")
        return _BROKEN
    return 1 if any(row.holds is False for row in rows) else 0


class _Parser(argparse.ArgumentParser):
    """An argument parser whose usage errors end with the code of sysexits.h."""

    def exit(self, status: int = 0, message: str | None = None) -> NoReturn:
        """End the process; argparse's own 2 becomes EX_USAGE."""
        super().exit(_USAGE if status else 0, message)


def _parser() -> argparse.ArgumentParser:
    known = "; ".join(f"{name}: {bench.about}" for name, bench in BENCHES.items())
    parser = _Parser(prog="python -m bench", description="What is measured against whom.")
    parser.add_argument("names", nargs="*", metavar="NAME", help=known)
    parser.add_argument("--json", action="store_true", help="print the rows as JSON")
    parser.add_argument(
        "--residents", type=_count, default=120_000, help="size of the invented district"
    )
    parser.add_argument("--runs", type=_count, default=5, help="interleaved runs of each side")
    return parser


def _count(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError("a whole number from 1")
    return number


def _measure(names: Sequence[str], given: argparse.Namespace) -> tuple[list[Row], list[str]]:
    """Return the rows of the benches in order, and the names of those that broke."""
    rows: list[Row] = []
    broken: list[str] = []
    for name in names:
        with tempfile.TemporaryDirectory(prefix=f"bench-{name}-") as folder:
            settings = BenchSettings(given.residents, given.runs, Path(folder), _saying(name))
            try:
                rows.extend(BENCHES[name].load()(settings))
            except Exception:  # noqa: BLE001 - the table's door: one broken bench must not hide the rest
                traceback.print_exc()
                broken.append(name)
    return rows, broken


def _saying(name: str) -> Say:
    return lambda text: _say(f"{name}: {text}")


def _say(text: str) -> None:
    sys.stderr.write(text + "\n")
    sys.stderr.flush()


if __name__ == "__main__":
    sys.exit(main())
