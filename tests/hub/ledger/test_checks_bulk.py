"""Verifying bulk disclosures: each has its persons' tokens, and says what it was."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from hub.ledger.bulk import BulkFolder
from hub.ledger.checks.bulk import check_bulk
from hub.ledger.checks.findings import Findings
from hub.ledger.entry import BULK
from hub.ledger.log import Ledger
from hub.ledger.writer import Entry
from tests.hub.ledger.factories import CLOCK, INDEX_KEY, entry, open_ledger
from tests.hub.ledger.test_inspection import fields, verified

ONE, OTHER = b"1" * 16, b"2" * 16
Give = Callable[..., None]


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    with open_ledger(tmp_path) as opened:
        yield opened


@pytest.fixture
def give(tmp_path: Path, ledger: Ledger) -> Give:
    """Record a bulk disclosure of three persons, or one that is wrong in some way."""
    tokens = BulkFolder(tmp_path / "bulk", INDEX_KEY)

    def record(bulk_id: bytes = ONE, said: dict[str, Any] | None = None, **wrong: Any) -> None:
        committed = tokens.commit(bulk_id, [bytes([n]) * 16 for n in range(3)])
        body = {
            "event": "officer:bulk:disclosed",
            "time": "2026-03-01T08:00:00.000Z",
            "bulk": {"id": bulk_id.hex(), "persons": 3, **(said or {})},
        }
        commits = committed.entry(CLOCK.now())
        ledger.append([Entry(None, body), Entry(None, {**commits.body, **wrong}, chain=BULK)])

    return record


def found(ledger: Ledger, folder: Path, start: int = 0) -> list[str]:
    findings = Findings()
    check_bulk(ledger, folder / "bulk", findings, start=start)
    return [str(one) for one in findings.kept]


def test_what_is_as_it_was_written_is_sound(ledger: Ledger, give: Give, tmp_path: Path) -> None:
    assert found(ledger, tmp_path) == []
    give(ONE)
    give(OTHER)
    assert found(ledger, tmp_path) == []
    ledger.close()
    assert verified(tmp_path).intact


def test_tokens_that_are_gone_or_damaged_are_named(
    ledger: Ledger, give: Give, tmp_path: Path
) -> None:
    give(ONE)
    give(OTHER)
    path = tmp_path / "bulk" / OTHER.hex()
    data = bytearray(path.read_bytes())
    data[0] ^= 1
    path.unlink()
    path.write_bytes(bytes(data))
    (tmp_path / "bulk" / ONE.hex()).unlink()
    damaged, gone = found(ledger, tmp_path)
    assert damaged.startswith("entry 3, persons: ")
    assert "is damaged" in damaged
    assert "is not there" in gone
    assert len(found(ledger, tmp_path, start=2)) == 1
    ledger.close()
    assert fields(verified(tmp_path)) == ["persons", "persons"]


def test_tokens_of_another_disclosure_are_named(ledger: Ledger, give: Give, tmp_path: Path) -> None:
    give(ONE)
    other = BulkFolder(tmp_path / "other", INDEX_KEY)
    other.commit(ONE, [b"x" * 16])
    shutil.copy(tmp_path / "other" / ONE.hex(), tmp_path / "bulk" / ONE.hex())
    assert found(ledger, tmp_path) == ["entry 1, persons: not those that it commits to"]


@pytest.mark.parametrize("said", [{"id": OTHER.hex()}, {"persons": 4}])
def test_what_says_something_else_is_named(
    ledger: Ledger, give: Give, tmp_path: Path, said: dict[str, Any]
) -> None:
    give(said=said)
    assert found(ledger, tmp_path) == ["entry 1, entry before: does not say what it was of"]


@pytest.mark.parametrize("bulk", [None, 7, "xx"])
def test_a_commitment_to_nothing_is_named(
    ledger: Ledger, give: Give, tmp_path: Path, bulk: object
) -> None:
    give(bulk=bulk)
    assert found(ledger, tmp_path) == ["entry 1, record: commits to no bulk disclosure"]


def test_a_commitment_that_nothing_stands_before_is_named(ledger: Ledger, tmp_path: Path) -> None:
    tokens = BulkFolder(tmp_path / "bulk", INDEX_KEY)
    ledger.append([tokens.commit(ONE, [b"x" * 16]).entry(CLOCK.now())])
    ledger.append([entry()])
    ledger.append([tokens.commit(OTHER, [b"x" * 16]).entry(CLOCK.now())])
    assert [text.partition(",")[0] for text in found(ledger, tmp_path)] == ["entry 2", "entry 0"]
