"""Making the ledger public, once or again and again beside the hub's other processes."""

from __future__ import annotations

import signal
from collections.abc import Callable
from threading import Event

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

from api.console import err
from hub.errors import HubError
from hub.ledger.publisher import Publisher, Turn


def publish_once(publisher: Publisher) -> Turn:
    """Take one turn, with progress where many files are to be written.

    Raises:
        LedgerError: when what is recorded cannot be made public; what was public stays.
    """
    bar = Progress(
        TextColumn("publishing"), BarColumn(), MofNCompleteColumn(), console=err, transient=True
    )
    with bar:
        task = bar.add_task("publish", total=None)
        return publisher.turn(lambda done, total: bar.update(task, completed=done, total=total))


def follow(publisher: Publisher, seconds: float, ended: Event | None = None) -> None:
    """Take turns until a signal comes; what goes wrong is said once, and tried again.

    Args:
        seconds: between two turns.
        ended: ends it as a signal does.
    """
    stop = ended or _ended_by_signal()
    said = ""
    while not stop.is_set():
        problem = _problem(publisher.turn)
        if problem and problem != said:
            err.print(f"[yellow]the ledger is not made public[/]: {problem}")
        elif said and not problem:
            err.print("the ledger is made public again")
        said = problem
        stop.wait(seconds)


def _problem(turn: Callable[[], Turn]) -> str:
    """Take a turn and return what is in its way, empty when nothing is."""
    try:
        return turn().waiting
    except HubError as exc:
        return exc.message


def _ended_by_signal() -> Event:
    stop = Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    return stop
