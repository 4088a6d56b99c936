"""The lock beside a file: between threads, between processes, and when its holder dies."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from threading import Event, Thread

import pytest

from hub.file_lock import FileLock

_HOLDER = """
import sys, time
from pathlib import Path
from hub.file_lock import FileLock
with FileLock(Path(sys.argv[1])).held():
    print("held", flush=True)
    time.sleep(60)
"""


def test_two_holders_take_turns(tmp_path: Path) -> None:
    """The second enters only when the first has left."""
    first, second = FileLock(tmp_path / "f"), FileLock(tmp_path / "f")
    told: list[str] = []
    started = Event()

    def wait() -> None:
        started.set()
        with second.held():
            told.append("second")

    with first.held():
        thread = Thread(target=wait)
        thread.start()
        started.wait()
        thread.join(0.05)
        told.append("first")
    thread.join()
    assert told == ["first", "second"]
    assert (tmp_path / "f.lock").stat().st_mode & 0o777 == 0o600


def test_who_does_not_wait_is_told(tmp_path: Path) -> None:
    first, second = FileLock(tmp_path / "f"), FileLock(tmp_path / "f")
    with first.held(), pytest.raises(BlockingIOError), second.held(wait=False):
        pass
    with second.held(wait=False):
        pass


def test_a_holder_that_is_killed_lets_go(tmp_path: Path) -> None:
    """Nothing has to be cleaned up by hand."""
    command = [sys.executable, "-c", _HOLDER, str(tmp_path / "f")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        holder.kill()
        with FileLock(tmp_path / "f").held():
            holder.wait()


def test_a_side_file_that_cannot_be_made_is_an_error(tmp_path: Path) -> None:
    """The lock never pretends to be held; a link in its place is not followed."""
    lock = FileLock(tmp_path / "none" / "f")
    with pytest.raises(FileNotFoundError), lock.held():
        pass
    (tmp_path / "f.lock").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(OSError, match="symbolic"), FileLock(tmp_path / "f").held():
        pass
