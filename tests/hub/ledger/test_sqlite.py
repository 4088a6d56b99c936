"""The ledger in a file: what only a file can do, or have done to it."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from hub.errors import LedgerError
from hub.ledger.log import Ledger
from hub.ledger.sqlite import SqliteStore
from tests.hub.ledger.factories import CLOCK, entry, identity_of, open_ledger


def test_nobody_else_may_read_the_file(tmp_path: Path) -> None:
    open_ledger(tmp_path).close()
    assert stat.S_IMODE((tmp_path / "ledger.sqlite").stat().st_mode) == 0o600


def test_a_missing_file_is_not_silently_replaced_when_told_so(tmp_path: Path) -> None:
    path = tmp_path / "ledger.sqlite"
    with pytest.raises(LedgerError, match="no ledger file"):
        Ledger(lambda: SqliteStore(path), identity_of(), CLOCK)
    assert not path.exists()


def test_a_file_of_another_kind_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "ledger.sqlite"
    path.write_bytes(b"words" * 1000)
    with pytest.raises(LedgerError, match="cannot be used"):
        open_ledger(tmp_path)
    path.write_bytes(b"")
    with pytest.raises(LedgerError, match="no ledger of version"):
        open_ledger(tmp_path)


def test_a_file_that_vanishes_stops_the_ledger_instead_of_beginning_anew(tmp_path: Path) -> None:
    with open_ledger(tmp_path) as ledger:
        ledger.append([entry(0)])
    with open_ledger(tmp_path) as ledger:
        for path in tmp_path.iterdir():
            path.unlink()
        with pytest.raises(LedgerError, match="no ledger file"):
            ledger.append([entry(1)])
        assert [path.name for path in tmp_path.iterdir()] == ["ledger.sqlite.lock"]


def test_an_erased_record_is_gone_from_the_disk(tmp_path: Path) -> None:
    with open_ledger(tmp_path) as ledger:
        ledger.append([entry(0, reason="remember-me-not"), entry(1), entry(2)])
        ledger.erase(0, "oversight", "court order 7")
        files = b"".join(path.read_bytes() for path in tmp_path.iterdir())
        assert b"remember-me-not" not in files
