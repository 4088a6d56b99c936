"""Usage records as FHIR AuditEvents, held against FHIR 5.0.0."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given

from access.exports.fhir import MEDIA_TYPE, VERSION, audit_event, bundle
from access.usage_record import UsageRecord
from tests.access.conftest import NOW
from tests.access.exports.goldens import SOURCE, agrees, validator
from tests.access.used import KINDS, USE, WORDS, records

FHIR = validator("fhir_5.0.0_audit_event")


def test_each_kind_is_what_it_was() -> None:
    agrees("fhir", audit_event)


@given(records(WORDS))
def test_every_record_is_an_audit_event(use: UsageRecord) -> None:
    FHIR.validate(audit_event(2**40, use, SOURCE))


@pytest.mark.parametrize(
    "change",
    [
        {"recorded": "2026-03-07"},
        {"code": None},
        {"agent": []},
        {"entity": []},
        {"severity": "dire"},
        {"patient": {"type": "Practitioner"}},
        {"subject": "1"},
    ],
)
def test_the_schema_refuses_what_is_none(change: dict[str, Any]) -> None:
    """So that a test that passes says something."""
    event = audit_event(1, USE, SOURCE)
    FHIR.validate(event)
    assert not FHIR.is_valid(event | change)
    assert not FHIR.is_valid(
        {key: value for key, value in event.items() if key not in change}
        | ({"agent": None} if "agent" not in change else {})
    )


def test_a_bundle_holds_them_in_order_and_may_be_empty() -> None:
    events = [audit_event(n, use, SOURCE) for n, use in enumerate(KINDS.values())]
    made = bundle(events, SOURCE, NOW)
    FHIR.validate(made)
    assert [entry["resource"]["id"] for entry in made["entry"]] == [
        str(n) for n in range(len(KINDS))
    ]
    assert made["entry"][3]["fullUrl"] == "https://mingjing.example/ledger/AuditEvent/3"
    empty = bundle([], SOURCE, NOW)
    FHIR.validate(empty)
    assert "entry" not in empty


def test_a_reason_that_is_empty_is_left_out() -> None:
    """FHIR knows no empty text."""
    event = audit_event(1, replace(USE, reason="", legal_basis=""), SOURCE)
    FHIR.validate(event)
    assert "detail" not in event["outcome"]


def test_it_says_for_which_version_it_is() -> None:
    assert VERSION.startswith(MEDIA_TYPE.rpartition("=")[2])
