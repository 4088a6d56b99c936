"""What the command line prints: tables for people, JSON for programs, errors with exit codes."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from typing import Any, Literal, NoReturn

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, TextColumn
from rich.progress import Progress as Bar
from rich.table import Table

from hub.errors import HubError
from hub.progress import PartProgress, Progress

_PIPE_COLUMNS = 132  # where no terminal says how wide it is


def _console(*, stderr: bool) -> Console:
    console = Console(stderr=stderr, highlight=False)
    return (
        console
        if console.is_terminal
        else Console(stderr=stderr, highlight=False, width=_PIPE_COLUMNS)
    )


out = _console(stderr=False)
err = _console(stderr=True)


def print_json(value: object) -> None:
    """Print a value as JSON, one document, for programs."""
    sys.stdout.write(json.dumps(value, ensure_ascii=False, indent=2, default=str) + "\n")


def print_rows(
    title: str, rows: Sequence[Mapping[str, Any]], *, as_json: bool, empty: str = "nothing yet"
) -> None:
    """Print rows of equal members as a table, or as a JSON array."""
    if as_json:
        print_json(list(rows))
        return
    if not rows:
        out.print(f"{title}: {empty}")
        return
    table = Table(title=title, title_justify="left", header_style="bold")
    for name in rows[0]:
        numeric = all(isinstance(r[name], int | float | None) for r in rows)
        side: Literal["left", "right"] = "right" if numeric else "left"
        table.add_column(name.replace("_", " "), justify=side, overflow="fold")
    for row in rows:
        table.add_row(*(shown(value) for value in row.values()))
    out.print(table)


def shown(value: object) -> str:
    """Return a cell as people read it."""
    if value is None:
        return "–"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return f"{value:,}"
    if isinstance(value, float):
        return f"{value:.4g}"
    if isinstance(value, list | tuple):
        return ", ".join(map(str, value))
    return str(value)


@contextmanager
def door() -> Iterator[None]:
    """Turn a HubError into a message on standard error and its sysexits code."""
    try:
        yield
    except HubError as exc:
        fail(exc)


@contextmanager
def counted_parts(first: str) -> Iterator[PartProgress]:
    """Show how far each part of something long is, while it lasts.

    Yields:
        What is told which part is being done, how much of it is done, of how much.
    """
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    with Bar(*columns, console=err, transient=True) as bar:
        task = bar.add_task(first, total=None)
        yield lambda part, done, total: bar.update(
            task, description=part, completed=done, total=total
        )


@contextmanager
def counted(what: str) -> Iterator[Progress]:
    """Show how far something long is, while it lasts.

    Yields:
        What is told how much is done, of how much.
    """
    with counted_parts(what) as told:
        yield partial(told, what)


def show(error: HubError) -> None:
    """Print an error with its findings."""
    err.print(f"[bold red]{error.title}[/]: {error.message}", soft_wrap=True)
    for finding in error.findings:
        err.print(f"  • {finding}", markup=False, soft_wrap=True)


def fail(error: HubError) -> NoReturn:
    """Print an error and end with its exit code."""
    show(error)
    raise typer.Exit(error.exit_code)


class Watch:
    """Shows the steps of a run as they happen: a line for each, a counter for long ones."""

    def __init__(self, console: Console, elapsed: Callable[[], float] = time.monotonic) -> None:
        self._console = console
        self._elapsed = elapsed
        self._start = elapsed()
        self._status = console.status("working")
        self.steps: list[dict[str, Any]] = []

    def __enter__(self) -> Watch:
        self._status.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._status.stop()

    def step(self, stage: str, subject: str, detail: str, *, good: bool = True) -> None:
        """Print one line."""
        self.steps.append({"stage": stage, "subject": subject, "detail": detail, "good": good})
        mark = "[green]✔[/]" if good else "[red]✘[/]"
        seconds = self._elapsed() - self._start
        self._console.print(f"{seconds:6.1f} s  {mark} {stage:<8}{subject:<28}{detail}")

    def count(self, stage: str, done: int) -> None:
        """Update the counter of a long stage."""
        self._status.update(f"{stage}: {done:,}")
