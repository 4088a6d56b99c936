"""The usage record: what is written is read back, and nothing else is taken for one."""

from __future__ import annotations

import json
from dataclasses import fields, replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given

from access.model import Action
from access.usage_record import (
    Bulk,
    SubjectRole,
    Tabulated,
    UsageAction,
    UsageRecord,
    is_use,
    released,
    usage_of,
)
from hub.canonical import canonical_json
from hub.errors import LedgerError
from hub.events import EventTag
from hub.ledger.log import LoggedEntry
from tests.access.used import ANY_WORDS, USE, records


@given(records(ANY_WORDS))
def test_what_is_recorded_is_read_back(record: UsageRecord) -> None:
    """Through the very bytes that the ledger keeps."""
    assert UsageRecord.parse(json.loads(canonical_json(record.body()))) == record
    assert record.entry().label == record.subject


def test_every_member_of_a_record_is_told() -> None:
    """A member that were left out of the body would be lost without a sound."""
    other: dict[str, Any] = {
        "time": USE.time + timedelta(seconds=1),
        "actor": replace(USE.actor, id="ef" * 16),
        "action": UsageAction.EMERGENCY,
        "road": Action.SEARCH,
        "role": SubjectRole.INCIDENTAL,
        "decision": "refused",
        "subject": bytes(16),
        "asked": ("housing.tenancy",),
        "datasets": (),
        "fields": {},
        "case": None,
        "lake_snapshot": None,
        "emergency": 3,
        "nobody": True,
        "limit": "per_minute",
        "counted": Tabulated(("sex",), 1, 0, 10),
        "bulk": Bulk(bytes(16), 2, 3, "csv", "00" * 32, ("990106",)),
        "rules": (),
        "grants": ("grant-1",),
    }
    for name in (member.name for member in fields(UsageRecord)):
        changed = replace(USE, **{name: other.get(name, "another")})
        assert changed.body() != USE.body(), name


@pytest.mark.parametrize("name", sorted(USE.body()))
def test_a_record_without_one_of_its_members_is_none(name: str) -> None:
    """Whatever is missing: nothing is made up."""
    body = {key: value for key, value in USE.body().items() if key != name}
    with pytest.raises(LedgerError, match="does not say"):
        UsageRecord.parse(body)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("event", "officer:subject:refused"),
        ("event", "hub:ledger:opened"),
        ("time", "yesterday"),
        ("time", 5),
        ("actor", "ab"),
        ("actor", {}),
        ("action", "looked"),
        ("action", "refused"),
        ("road", "door"),
        ("decision", "perhaps"),
        ("subject", "zz"),
        ("subject", None),
        ("role", "neighbour"),
        ("role", None),
        ("rules", None),
        ("fields", ["name"]),
    ],
)
def test_a_member_that_does_not_fit_is_refused_without_its_value(name: str, value: object) -> None:
    with pytest.raises(LedgerError) as caught:
        UsageRecord.parse(USE.body() | {name: value})
    assert "zz" not in str(caught.value)
    assert caught.value.__cause__ is None


@pytest.mark.parametrize(
    ("road", "disclosed", "refused"),
    [
        (Action.OWN, "citizen:record:opened", "citizen:record:opened"),
        (Action.AGGREGATE, "officer:statistics:disclosed", "officer:statistics:refused"),
        (Action.LOOKUP, "officer:subject:disclosed", "officer:subject:refused"),
        (Action.UNMASK, "officer:subject:disclosed", "officer:subject:refused"),
    ],
)
def test_the_event_follows_from_what_was_done(road: Action, disclosed: str, refused: str) -> None:
    assert replace(USE, road=road, action=released(road)).event == disclosed
    assert replace(USE, road=road, action=UsageAction.REFUSED).event == refused


def test_every_question_has_a_word_for_what_it_shows() -> None:
    """And no word is without a question, but for what was refused or shown in an emergency."""
    words = {released(road) for road in Action}
    assert set(UsageAction) - words == {UsageAction.REFUSED, UsageAction.EMERGENCY}


def test_an_entry_is_a_use_or_not_by_its_event() -> None:
    def logged(event: str, record: bytes | None) -> LoggedEntry:
        return LoggedEntry(0, event, "2026-03-07T09:30:00.000Z", None, record, None)

    body = canonical_json(USE.body())
    assert usage_of(logged(EventTag.OFFICER_SUBJECT_DISCLOSED, body)) == USE
    assert usage_of(logged(EventTag.OFFICER_SUBJECT_DISCLOSED, None)) is None
    assert is_use(logged(EventTag.OFFICER_SUBJECT_DISCLOSED, None))
    assert usage_of(logged(EventTag.HUB_LEDGER_OPENED, b'{"event":"hub:ledger:opened"}')) is None
    with pytest.raises(LedgerError):
        usage_of(logged(EventTag.OFFICER_SUBJECT_DISCLOSED, b"{}"))
