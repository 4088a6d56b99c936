"""Real processes that are killed by SIGKILL at a named write, before or after it is done.

The child is forked: it opens everything anew, and what it leaves is what a power cut would, but for
what the kernel still holds.
"""

from __future__ import annotations

import os
import resource
import signal
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import ModuleType
from typing import Any

from hub.errors import HubError
from hub.keyring import Keyring
from hub.ledger import succession
from hub.ledger.checks.memory import Memory
from hub.ledger.index.folder import IndexFolder
from hub.ledger.public_files import PublicFiles
from hub.ledger.sqlite import SqliteStore
from hub.ledger.succession import _Succession

#: Name of a write -> where it is done.
WRITES: dict[str, tuple[type | ModuleType, str]] = {
    "entries": (SqliteStore, "append"),
    "erasure": (SqliteStore, "erase"),
    "head": (SqliteStore, "write_note"),
    "commit": (SqliteStore, "commit"),
    "scrub": (SqliteStore, "scrub"),
    "published": (SqliteStore, "write_published"),
    "index": (IndexFolder, "advance"),
    "files": (PublicFiles, "write_all"),
    "file": (PublicFiles, "_place"),
    "prune": (PublicFiles, "prune"),
    "keyring": (Keyring, "_write"),
    "memory": (Memory, "save"),
    "plan": (succession, "_write"),
    "build": (_Succession, "_build"),
    "aside": (_Succession, "_set_aside"),
}


def killed_at(write: str, number: int, work: Callable[[], object], *, done: bool) -> bool:
    """Run work in a process of its own that is killed at the number-th of a write; say if it was.

    Args:
        done: whether the write is done before the process is killed.
    """
    child = os.fork()
    if child == 0:
        try:
            _arm(*WRITES[write], number, done)
            work()
        except BaseException:  # noqa: BLE001  a process's edge: nothing may reach pytest's own
            traceback.print_exc()
            os._exit(1)
        os._exit(0)
    _, status = os.waitpid(child, 0)
    assert os.WIFSIGNALED(status) or os.WEXITSTATUS(status) == 0
    return os.WIFSIGNALED(status)


@contextmanager
def file_limit(room: int) -> Iterator[None]:
    """Let no file of this process grow beyond so many bytes: what is written further is cut short.

    Stands for a full disk; the error is EFBIG instead of ENOSPC.
    """
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    former = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (room, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, former)


def failed_within(room: int, work: Callable[[], object]) -> BaseException | None:
    """Run work where no file may grow beyond so many bytes; return what it raised."""
    with file_limit(room):
        try:
            work()
        except (HubError, OSError) as failure:
            return failure
    return None


def _arm(owner: type | ModuleType, name: str, number: int, done: bool) -> None:
    """Have the process die at the number-th call, counted from 1."""
    real, left = getattr(owner, name), [number]

    def dying(*values: Any, **named: Any) -> Any:
        left[0] -= 1
        if left[0]:
            return real(*values, **named)
        if done:
            real(*values, **named)
        os.kill(os.getpid(), signal.SIGKILL)
        return None

    setattr(owner, name, dying)
