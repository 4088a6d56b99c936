"""Making the ledger public, once or again and again beside the hub's other processes.

What a seal kept from its subject is released first, when its time has come.
"""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from threading import Event

from access.seal_release import release_due
from api.console import counted, err
from hub.clock import Clock, SystemClock
from hub.config import Settings
from hub.errors import HubError
from hub.keyring import Keyring
from hub.ledger.opening import open_ledger, publisher_of
from hub.ledger.publisher import Publisher, Turn
from hub.progress import Progress
from hub.store.records import Records


@dataclass(frozen=True, slots=True)
class Publication:
    """The publisher of a hub, and what it does before each turn.

    Args:
        release: shows subjects what has been sealed long enough.
    """

    publisher: Publisher
    release: Callable[[], int]

    def turn(self, progress: Progress | None = None) -> Turn:
        """Release what is due, then make public what is recorded.

        Raises:
            HubError: when either failed; the other was done all the same.
        """
        try:
            self.release()
        finally:
            turn = self.publisher.turn(progress)
        return turn


@contextmanager
def publication(settings: Settings, clock: Clock | None = None) -> Iterator[Publication]:
    """Open a hub for making its ledger public.

    Raises:
        HubError: when ledger, keyring or records cannot be opened.
    """
    clock = clock or SystemClock()
    keyring = Keyring.open(settings.keyring, settings.passphrase)
    with (
        open_ledger(settings, keyring, clock) as ledger,
        Records.open(settings) as records,
        closing(publisher_of(settings, ledger, clock)) as opened,
    ):
        yield Publication(opened, lambda: release_due(records, ledger, clock.now()))


def publish_once(hub: Publication) -> Turn:
    """Take one turn, with progress where many files are to be written.

    Raises:
        HubError: when what is recorded cannot be made public; what was public stays.
    """
    with counted("publishing") as told:
        return hub.turn(told)


def follow(hub: Publication, seconds: float, ended: Event | None = None) -> None:
    """Take turns until a signal comes; what goes wrong is said once, and tried again.

    Args:
        seconds: between two turns.
        ended: ends it as a signal does.
    """
    stop = ended or _ended_by_signal()
    said = ""
    while not stop.is_set():
        problem = _problem(hub)
        if problem and problem != said:
            err.print(f"[yellow]the ledger is not made public[/]: {problem}")
        elif said and not problem:
            err.print("the ledger is made public again")
        said = problem
        stop.wait(seconds)


def _problem(hub: Publication) -> str:
    """Take a turn and return what is in its way, empty when nothing is."""
    try:
        return hub.turn().waiting
    except HubError as exc:
        return exc.message


def _ended_by_signal() -> Event:
    stop = Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    return stop
