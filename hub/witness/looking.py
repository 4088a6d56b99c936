"""Looking at every log again and again, each in a thread of its own.

A log whose server takes its time, or makes itself wait for on purpose, holds up nobody else's.
"""

from __future__ import annotations

import logging
from threading import Event, Thread
from time import monotonic

from hub.errors import LedgerError
from hub.witness.state import WatchedLog
from hub.witness.watch import Watcher

_log = logging.getLogger(__name__)


class Looking:
    """Looks until it is stopped.

    Args:
        seconds: from one look at a log to the next; one that takes longer is not doubled.
    """

    def __init__(self, watcher: Watcher, seconds: float) -> None:
        self._watcher = watcher
        self._seconds = seconds
        self._over = Event()
        self._looks: dict[str, Thread] = {}
        self._thread = Thread(target=self._run, name="witness-watch", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self, seconds: float) -> None:
        """End, and wait so long at most for looks that have begun."""
        self._over.set()
        deadline = monotonic() + seconds
        self._thread.join(seconds)
        for look in self._looks.values():
            look.join(max(deadline - monotonic(), 0))

    def _run(self) -> None:
        while not self._over.is_set():
            try:
                for log in self._watcher.logs():
                    self._begin(log)
            except LedgerError as exc:
                _log.error("the witness cannot read what it watches: %s", exc.message)
            self._over.wait(self._seconds)

    def _begin(self, log: WatchedLog) -> None:
        former = self._looks.get(log.origin)
        if former is None or not former.is_alive():
            look = Thread(target=self._look, args=(log,), daemon=True)
            self._looks[log.origin] = look
            look.start()

    def _look(self, log: WatchedLog) -> None:
        try:
            self._watcher.look_at(log)
        except LedgerError as exc:
            _log.error("the witness cannot keep what it sees: %s", exc.message)
