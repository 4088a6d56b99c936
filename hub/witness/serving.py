"""A witness put together from its folder: keys, state, index, and who looks at the logs."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from hub.clock import Clock
from hub.errors import ConfigError
from hub.file_lock import FileLock
from hub.witness.keys import open_keys
from hub.witness.state import open_state
from hub.witness.watch import Watcher
from hub.witness.witness import Witness


@contextmanager
def open_witness(folder: Path, clock: Clock) -> Iterator[tuple[Witness, Watcher]]:
    """Return the witness of a folder, and its watcher.

    Raises:
        ConfigError: when there is none, or its key file is not fit to be used.
    """
    signers = open_keys(folder / "witness.key")
    with open_state(folder, clock) as state:
        witness = Witness(state, signers, folder / "index", clock)
        yield witness, Watcher(state, witness, clock)


@contextmanager
def alone(folder: Path) -> Iterator[None]:
    """Be the only one that runs the witness of a folder; two would undo each other's index.

    Raises:
        ConfigError: when another process runs it.
    """
    lock = FileLock(folder / "witness")
    with ExitStack() as held:
        held.callback(lock.close)
        try:
            held.enter_context(lock.held(wait=False))
        except BlockingIOError:
            raise ConfigError("another process runs the witness of this folder") from None
        yield
