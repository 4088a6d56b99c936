"""Bulk disclosures: what an entry commits to, and each person's part of it."""

from __future__ import annotations

import hmac
import stat
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hub.errors import LedgerError, RequestError
from hub.ledger.bulk import BulkFolder, bulk_key, token_of
from hub.ledger.entry import BULK
from hub.ledger.index.tree import Absence, Place
from tests.hub.ledger.factories import CLOCK, INDEX_KEY
from tests.hub.ledger.test_merkle import mth

BULK_ID = bytes(range(16))


def label(number: int) -> bytes:
    return number.to_bytes(16)


def token(number: int, bulk_id: bytes = BULK_ID) -> bytes:
    """The token by the definition."""
    key = hmac.digest(INDEX_KEY, b"mingjing/bulk-key/v1\n" + label(number), "sha256")
    return hmac.digest(key, b"mingjing/bulk/v1\n" + bulk_id, "sha256")


@pytest.fixture
def folder(tmp_path: Path) -> BulkFolder:
    return BulkFolder(tmp_path / "bulk", INDEX_KEY)


def test_a_token_is_made_as_the_format_says(folder: BulkFolder) -> None:
    assert token_of(bulk_key(INDEX_KEY, label(5)), BULK_ID) == token(5)
    assert folder.key(label(5)) == bulk_key(INDEX_KEY, label(5))
    assert token(5) != token(5, bytes(16))


@settings(
    max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.lists(st.integers(0, 200), min_size=1, max_size=100))
def test_everybody_is_in_it_once_and_nobody_else(
    tmp_path_factory: pytest.TempPathFactory, people: list[int]
) -> None:
    folder = BulkFolder(tmp_path_factory.mktemp("bulk"), INDEX_KEY)
    committed = folder.commit(BULK_ID, map(label, people))
    tokens = sorted({token(number) for number in people})
    assert (committed.count, committed.root) == (len(tokens), mth(tokens))
    entry = committed.entry(CLOCK.now())
    assert entry.chain == BULK
    assert entry.body == {
        "event": "hub:bulk:committed",
        "time": "2026-03-01T08:00:00.000Z",
        "bulk": "000102030405060708090a0b0c0d0e0f",
        "count": len(tokens),
        "root": mth(tokens).hex(),
    }
    for number in range(0, 201, 3):
        found = folder.find(BULK_ID, label(number))
        if number in people:
            assert isinstance(found, Place)
            assert found.row == token(number)
            assert found.stands(committed.root, committed.count)
        else:
            assert isinstance(found, Absence)
            assert found.holds(token(number), committed.root, committed.count)


def test_an_id_serves_once(folder: BulkFolder) -> None:
    folder.commit(BULK_ID, [label(1)])
    with pytest.raises(RequestError, match="of this id already"):
        folder.commit(BULK_ID, [label(2)])
    assert isinstance(folder.find(BULK_ID, label(1)), Place)


def test_nobody_is_no_disclosure(folder: BulkFolder, tmp_path: Path) -> None:
    with pytest.raises(RequestError, match="nobody"):
        folder.commit(BULK_ID, [])
    assert list((tmp_path / "bulk").iterdir()) == []


@pytest.mark.parametrize("bulk_id", [b"", bytes(15), bytes(17)])
def test_an_id_of_another_length_is_refused(folder: BulkFolder, bulk_id: bytes) -> None:
    with pytest.raises(RequestError, match="16 bytes"):
        folder.commit(bulk_id, [label(1)])


def test_a_missing_or_damaged_file_is_named(folder: BulkFolder, tmp_path: Path) -> None:
    with pytest.raises(LedgerError, match=f"{bytes(16).hex()} of the ledger is not there"):
        folder.find(bytes(16), label(1))
    folder.commit(BULK_ID, map(label, range(50)))
    path = tmp_path / "bulk" / BULK_ID.hex()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(LedgerError, match=r"damaged: .*Restore it from a backup"):
        BulkFolder(tmp_path / "bulk", INDEX_KEY).find(BULK_ID, label(1))
