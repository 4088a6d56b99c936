"""One at a time among threads and processes, by a lock on a side file.

SQLite waits for a writer by sleeping, up to a tenth of a second and in no order; the kernel wakes
whoever waits here at once. What guards the data is SQLite's own lock all the same.

Source: flock(2).
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


class FileLock:
    """The lock that belongs to a file, kept in `FILE.lock` beside it, mode 0600.

    The kernel lets go of it when the process ends, however it ends. One thread at a time uses an
    object; two objects exclude each other, in one process as well.
    """

    def __init__(self, path: Path) -> None:
        self._path = path.with_name(f"{path.name}.lock")
        self._handle: int | None = None

    @contextmanager
    def held(self, *, wait: bool = True) -> Iterator[None]:
        """Wait for the lock and hold it for a block.

        Raises:
            OSError: when the side file cannot be opened.
            BlockingIOError: when another holds it, and it is not to be waited for.
        """
        if self._handle is None:
            flags = os.O_CREAT | os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW
            self._handle = os.open(self._path, flags, 0o600)
        fcntl.flock(self._handle, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
        try:
            yield
        finally:
            fcntl.flock(self._handle, fcntl.LOCK_UN)

    def close(self) -> None:
        """Let go of the side file; the next use opens it again."""
        handle, self._handle = self._handle, None
        if handle is not None:
            os.close(handle)
