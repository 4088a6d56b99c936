"""A witness put together from its folder: keys, state, index, and who looks at the logs."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from hub.clock import Clock
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
