"""The file of counters: shared, made anew when it is lost, and closed when it cannot be written."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

import pytest

from hub.errors import LedgerError
from hub.store.usage import Counters, Usage

ROOT = Path(__file__).parents[3]
DAY = "2026-03-07"
LABELS = [bytes([n]) * 16 for n in range(4)]

_COUNTER = """
import sys
from pathlib import Path
from hub.store.usage import Usage
usage = Usage(Path(sys.argv[1]))
for number in range(300):
    with usage.counting(lambda _: True, lambda _: None) as counters:
        counters.add("a", "asked", "2026-03-07T09:30")
        if not counters.level("a", "shown", "2026-03-07", number.to_bytes(16, "big")):
            counters.see("a", "shown", "2026-03-07", number.to_bytes(16, "big"))
            counters.add("a", "shown", "2026-03-07")
"""


def counting(usage: Usage, restored: int = 0) -> AbstractContextManager[Counters]:
    """Count in a file that, when it has to be made, begins with what was restored."""

    def restore(counters: Counters) -> None:
        if restored:
            counters.add("a", "asked", DAY, restored)

    return usage.counting(lambda _: True, restore)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where the file is to be."""
    return tmp_path / "usage.sqlite"


def test_sums_and_different_persons(path: Path) -> None:
    """By actor, by what, by slot."""
    with counting(Usage(path)) as counters:
        assert counters.add("a", "asked", DAY) == 1
        assert counters.add("a", "asked", DAY, 2) == 3
        assert counters.add("b", "asked", DAY) == counters.add("a", "told", DAY) == 1
        assert counters.total("a", "asked", DAY) == 3
        assert counters.total("a", "asked", "2026-03-08") == 0
        counters.see("a", "shown", DAY, LABELS[0])
        counters.see("a", "shown", DAY, LABELS[1], level=3)
        counters.see("a", "shown", DAY, LABELS[1], level=4)
        levels = [counters.level("a", "shown", DAY, label) for label in LABELS]
        assert levels == [1, 4, 0, 0]
        assert counters.level("b", "shown", DAY, LABELS[0]) == 0
    assert path.stat().st_mode & 0o777 == 0o600


def test_what_was_counted_stays_unless_the_block_failed(path: Path) -> None:
    with counting(Usage(path)) as counters:
        counters.add("a", "asked", DAY)
    usage = Usage(path)
    with pytest.raises(KeyError), counting(usage) as counters:
        raise KeyError(counters.add("a", "asked", DAY))
    with counting(usage) as counters:
        assert counters.total("a", "asked", DAY) == 1


def test_two_processes_lose_no_count(path: Path) -> None:
    """Sums add up; a person whom both have seen is one person."""
    command = [sys.executable, "-c", _COUNTER, str(path)]
    running = [subprocess.Popen(command, cwd=ROOT) for _ in range(2)]
    assert [process.wait() for process in running] == [0, 0]
    with counting(Usage(path)) as counters:
        assert counters.total("a", "asked", "2026-03-07T09:30") == 600
        assert counters.total("a", "shown", DAY) == 300


def _delete(path: Path) -> None:
    path.unlink()


def _garble(path: Path) -> None:
    path.write_bytes(b"no database at all" * 300)


def _tear(path: Path) -> None:
    whole = path.read_bytes()
    path.write_bytes(whole[:4096] + b"\xff" * (len(whole) - 4096))


@pytest.mark.parametrize("harm", [_delete, _garble, _tear])
def test_a_file_that_is_lost_is_restored(path: Path, harm: Callable[[Path], None]) -> None:
    """Whoever opens it next makes it anew; nothing of the old one comes back."""
    with counting(Usage(path)) as counters:
        counters.add("a", "asked", DAY, 5)
    harm(path)
    with counting(Usage(path), restored=7) as counters:
        assert counters.add("a", "asked", DAY) == 8


def test_a_file_replaced_by_another_process_is_noticed(path: Path) -> None:
    """Two that have it open go on with the same new one."""
    first, second = Usage(path), Usage(path)
    for usage in (first, second):
        with counting(usage) as counters:
            counters.add("a", "asked", DAY)
    path.unlink()
    with counting(first, restored=10) as counters:
        counters.add("a", "asked", DAY)
    with counting(second, restored=99) as counters:
        assert counters.add("a", "asked", DAY) == 12
    first.close()
    with counting(second) as counters:
        assert counters.total("a", "asked", DAY) == 12


def test_a_file_that_is_not_sound_is_restored(path: Path) -> None:
    """As one of a former day, put back from a backup."""
    with counting(Usage(path)) as counters:
        counters.add("a", "asked", "2026-03-06")
    with Usage(path).counting(lambda found: found.newest() >= DAY, lambda _: None) as counters:
        assert counters.newest() == ""


@pytest.mark.parametrize("name", ["usage.sqlite", "usage.sqlite.lock", "usage.sqlite.new"])
def test_a_file_that_cannot_be_written_stops_everything(path: Path, name: str) -> None:
    """A folder stands where the file, its lock or its draft would have to be."""
    path.with_name(name).mkdir()
    with pytest.raises(LedgerError, match="nothing is released"), counting(Usage(path)):
        raise AssertionError


def test_what_is_told_once_is_claimed_by_one_until_it_is_heard_of(path: Path) -> None:
    """A claim that nothing comes of falls to the next; what was told is never told again."""
    with counting(Usage(path)) as counters:
        assert counters.claim("a", "L4", DAY, 1000.0, 60.0)
        assert not counters.claim("a", "L4", DAY, 1059.0, 60.0)
        assert counters.claim("b", "L4", DAY, 1000.0, 60.0)
        assert counters.claim("a", "L4", DAY, 1060.0, 60.0)
        counters.confirm("a", "L4", DAY)
        assert not counters.claim("a", "L4", DAY, 9000.0, 60.0)


def test_the_first_receipt_stays(path: Path) -> None:
    with counting(Usage(path)) as counters:
        assert counters.receipt(b"s") is None
        counters.keep_receipt(b"s", DAY, "one")
        counters.keep_receipt(b"s", DAY, "two")
        assert counters.receipt(b"s") == "one"


def test_former_days_are_forgotten(path: Path) -> None:
    with counting(Usage(path)) as counters:
        for day in ("2026-03-06T10", DAY):
            counters.see("a", "shown", day, LABELS[0])
            counters.add("a", "shown", day)
            counters.keep_receipt(day.encode(), day, "one")
        counters.forget(DAY)
        assert counters.total("a", "shown", "2026-03-06T10") == 0
        assert counters.level("a", "shown", "2026-03-06T10", LABELS[0]) == 0
        assert counters.receipt(b"2026-03-06T10") is None
        assert (
            counters.total("a", "shown", DAY) == counters.level("a", "shown", DAY, LABELS[0]) == 1
        )
