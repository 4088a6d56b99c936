"""Peak resident memory of a process and everything it starts, watched from outside."""

from __future__ import annotations

import threading
from pathlib import Path
from types import TracebackType

_INTERVAL_SECONDS = 0.05


class MemoryWatch:
    """Samples the resident memory of a process tree until the `with` ends.

    Reads /proc, so the figure stays 0 where there is none; shared pages count once per process.
    """

    def __init__(self, pid: int) -> None:
        self._pid = pid
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self.peak_bytes = 0

    def __enter__(self) -> MemoryWatch:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._done.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._done.wait(_INTERVAL_SECONDS):
            self.peak_bytes = max(self.peak_bytes, sum(map(resident_bytes, tree(self._pid))))


def tree(pid: int) -> list[int]:
    """Return a process and its descendants, those that still live."""
    found, waiting = [], [pid]
    while waiting:
        current = waiting.pop()
        found.append(current)
        for task in Path(f"/proc/{current}/task").glob("*/children"):
            try:
                waiting.extend(map(int, task.read_text().split()))
            except OSError:  # it has ended since it was listed
                continue
    return found


def resident_bytes(pid: int) -> int:
    """Return the resident memory of a process, 0 when it has ended."""
    return _status(pid, "VmRSS")


def own_peak_bytes() -> int:
    """Return the largest resident memory this process has had, 0 where it cannot be told."""
    return _status("self", "VmHWM")


def _status(pid: int | str, field: str) -> int:
    try:
        text = Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return 0
    for line in text.splitlines():
        if line.startswith(f"{field}:"):
            return int(line.split()[1]) * 1024
    return 0
