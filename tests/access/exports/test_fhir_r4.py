"""Usage records as FHIR AuditEvents, held against FHIR 4.0.1."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given

from access.exports import fhir
from access.exports.fhir_r4 import MEDIA_TYPE, VERSION, audit_event
from access.usage_record import UsageRecord
from tests.access.conftest import NOW
from tests.access.exports.goldens import SOURCE, agrees, validator
from tests.access.used import KINDS, USE, WORDS, records

FHIR = validator("fhir_4.0.1_audit_event")


def test_each_kind_is_what_it_was() -> None:
    agrees("fhir_r4", audit_event)


@given(records(WORDS))
def test_every_record_is_an_audit_event(use: UsageRecord) -> None:
    FHIR.validate(audit_event(2**40, use, SOURCE))


@pytest.mark.parametrize("name", ["type", "recorded", "agent", "source"])
def test_what_is_required_is_there_and_missed(name: str) -> None:
    whole = audit_event(1, USE, SOURCE)
    assert not FHIR.is_valid({key: value for key, value in whole.items() if key != name})


@pytest.mark.parametrize(
    "change", [{"outcome": {"code": "0"}}, {"severity": "notice"}, {"patient": {}}, {"entity": []}]
)
def test_the_schema_refuses_what_is_none(change: dict[str, Any]) -> None:
    """What R5 has and R4 has not, above all."""
    assert not FHIR.is_valid(audit_event(1, USE, SOURCE) | change)


def test_nothing_that_r5_says_is_lost() -> None:
    """But for the severity, and a time that is that of the recording."""
    for index, use in enumerate(KINDS.values()):
        newer, older = fhir.audit_event(index, use, SOURCE), audit_event(index, use, SOURCE)
        lost = leaves(newer) - leaves(older)
        assert lost <= {newer["severity"], *column_words(newer), *words_of_codes(newer)}


def leaves(value: Any) -> set[str]:
    """Return every text, number and truth of a JSON value, as text."""
    if isinstance(value, dict):
        return set().union(*map(leaves, value.values()))
    if isinstance(value, list):
        return set().union(*map(leaves, value))
    return {str(value).lower() if isinstance(value, bool) else str(value)}


def column_words(event: Any) -> set[str]:
    """Return what details are called beside their codes: R4 has the code alone."""
    details = [d for entity in event["entity"] for d in entity.get("detail", ())]
    return {
        text
        for detail in details
        for name in ("system", "display")
        for text in [detail["type"]["coding"][0].get(name, "")]
    }


def words_of_codes(event: Any) -> set[str]:
    """Return what the outcome's code is called: R4 has the code alone."""
    code = event["outcome"]["code"]
    return {code["system"], code["display"]}


def test_a_bundle_of_them_is_one() -> None:
    made = fhir.bundle([audit_event(1, USE, SOURCE)], SOURCE, NOW)
    FHIR.validate(made)


def test_it_says_for_which_version_it_is() -> None:
    assert VERSION.startswith(MEDIA_TYPE.rpartition("=")[2])
