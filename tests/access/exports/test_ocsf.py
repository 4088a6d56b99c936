"""Usage records as OCSF events, held against the schema of API Activity."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given

from access.exports.ocsf import VERSION, event
from access.usage_record import UsageRecord
from tests.access.exports.goldens import SOURCE, agrees, schema, validator
from tests.access.used import KINDS, USE, WORDS, records

NAME = f"ocsf_{VERSION}_api_activity"
OCSF = validator(NAME)


def test_each_kind_is_what_it_was() -> None:
    agrees("ocsf", event)


@given(records(WORDS))
def test_every_record_is_an_event(use: UsageRecord) -> None:
    OCSF.validate(event(2**40, use, SOURCE))


@pytest.mark.parametrize("name", schema(NAME)["required"])
def test_what_the_class_requires_is_there_and_missed(name: str) -> None:
    whole = event(1, USE, SOURCE)
    assert not OCSF.is_valid({key: value for key, value in whole.items() if key != name})


@pytest.mark.parametrize(
    "change",
    [
        {"severity_id": 7},
        {"activity_id": 5},
        {"class_uid": 6005},
        {"time": "2026-03-07"},
        {"actor": {}},
        {"api": {"operation": 1}},
        {"resources": [{"columns": {}}]},
        {"purpose": "residence.verify"},
    ],
)
def test_the_schema_refuses_what_is_none(change: dict[str, Any]) -> None:
    assert not OCSF.is_valid(event(1, USE, SOURCE) | change)


def test_the_type_is_class_and_activity() -> None:
    for use in KINDS.values():
        made = event(1, use, SOURCE)
        assert made["type_uid"] == made["class_uid"] * 100 + made["activity_id"]
        assert made["time"] == 1_772_875_800_000
