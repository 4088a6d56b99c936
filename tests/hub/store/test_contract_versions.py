"""Versions of contracts in use: kept in order, each once."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from hub.store.contract_versions import ContractVersion, ContractVersions
from hub.store.records import Records
from tests.factories import NOW, settings_in

FIRST = ContractVersion("test.thing", "1.0.0", "a" * 64, {"contract": {"name": "test.thing"}}, NOW)
SECOND = replace(FIRST, version="2.0.0", digest="b" * 64, first_used_at=NOW + timedelta(days=1))


@pytest.fixture
def versions(tmp_path: Path) -> Iterator[ContractVersions]:
    with Records.open(settings_in(tmp_path)) as records:
        yield ContractVersions(records)


def test_the_last_one_used_is_the_latest(versions: ContractVersions) -> None:
    assert versions.latest() == {}
    assert versions.adopt(FIRST)
    assert versions.adopt(SECOND)
    assert versions.latest() == {"test.thing": SECOND}
    assert versions.history("test.thing") == (SECOND, FIRST)
    assert versions.history("another.thing") == ()


def test_saying_it_twice_changes_nothing(versions: ContractVersions) -> None:
    versions.adopt(FIRST)
    assert not versions.adopt(replace(FIRST, first_used_at=SECOND.first_used_at))
    assert versions.history("test.thing") == (FIRST,)


def test_a_grown_list_takes_the_place_of_the_former(versions: ContractVersions) -> None:
    versions.adopt(FIRST)
    grown = replace(FIRST, digest="c" * 64, document={"codes": {"sex": ["1"]}})
    assert versions.adopt(grown)
    assert versions.history("test.thing") == (grown,)
