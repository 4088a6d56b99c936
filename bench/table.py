"""The bench's one table, for people and for programs."""

from __future__ import annotations

import json
from collections.abc import Sequence

from rich.console import Console
from rich.table import Table

from bench.machine import Machine
from bench.row import Row

_NUMBERS = ("ours", "theirs", "ratio")
_NONE = "–"


def as_json(machine: Machine, rows: Sequence[Row]) -> str:
    """Return machine and rows as one JSON document."""
    document = {"machine": machine.to_json(), "rows": [row.to_json() for row in rows]}
    return json.dumps(document, ensure_ascii=False, indent=2)


def print_table(machine: Machine, rows: Sequence[Row], console: Console) -> None:
    """Print machine and rows."""
    console.print(str(machine), soft_wrap=True)
    table = Table(header_style="bold", show_lines=False)
    for name in ("name", "ours", "peer and its version", "theirs", "ratio", "mark", "holds"):
        table.add_column(name, justify="right" if name in _NUMBERS else "left", no_wrap=True)
    for row in rows:
        table.add_row(*cells(row))
    console.print(table)
    for row in rows:
        console.print(f"{row.name}: {row.measures}; {row.size}; {_runs(row)}", soft_wrap=True)


def cells(row: Row) -> tuple[str, ...]:
    """Return the table cells of a row."""
    return (
        row.name,
        f"{_shown(row.ours)} {row.unit}",
        f"{row.peer.name} {row.peer.version}".strip(),
        f"{_shown(row.theirs)} {row.unit}" if row.theirs is not None else "not run",
        _shown(row.ratio),
        _mark(row),
        {True: "[green]yes[/]", False: "[red]no[/]", None: _NONE}[row.holds],
    )


def _mark(row: Row) -> str:
    if row.mark is None:
        return _NONE
    unit = f" {row.unit}" if row.mark.of == "ours" else ""
    of = "ours " if row.mark.of == "ours" else ""
    return f"{of}{'≤' if row.mark.sense == '<=' else '≥'} {_shown(row.mark.bound)}{unit}"


def _runs(row: Row) -> str:
    return "one run" if row.runs == 1 else f"medians of {row.runs} interleaved runs"


def _shown(value: float | None) -> str:
    if value is None:
        return _NONE
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3g}"
