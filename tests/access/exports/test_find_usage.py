"""Usage records as the Data Tracker reads them, held against its published OpenAPI."""

from __future__ import annotations

from hypothesis import given
from jsonschema import Draft202012Validator

from access.exports.find_usage import is_usage, response, usage
from access.exports.source import Source
from access.usage_record import UsageRecord
from tests.access.exports.goldens import SOURCE, agrees, schema
from tests.access.used import KINDS, USE, WORDS, records

PUBLISHED = schema("find_usage_2.1.0")


def answers(name: str) -> Draft202012Validator:
    """Return what holds a value against one of the published schemas."""
    return Draft202012Validator({**PUBLISHED, "$ref": f"#/components/schemas/{name}"})


def made(_index: int, use: UsageRecord, source: Source) -> object:
    """Return a record as it is given, None for one that is left out."""
    return usage(use, source) if is_usage(use) else None


def test_each_kind_is_what_it_was() -> None:
    agrees("find_usage", made)


@given(records(WORDS))
def test_every_record_of_something_used_is_a_usage(use: UsageRecord) -> None:
    if is_usage(use):
        answers("Usage").validate(usage(use, SOURCE))


def test_a_response_has_the_total_whatever_part_is_given() -> None:
    usages = [usage(use, SOURCE) for use in KINDS.values() if is_usage(use)]
    whole = response(50, usages)
    answers("FindUsageResponse").validate(whole)
    assert (whole["totalUsages"], len(whole["usages"])) == (50, len(KINDS) - 2)
    assert not answers("Usage").is_valid({"logtime": "2026-03-07T09:30:00Z"})


def test_it_names_nobody() -> None:
    """No label, no pseudonym, no case: who reads it knows whom they asked about."""
    assert USE.subject is not None
    for use in KINDS.values():
        said = str(usage(use, SOURCE)) if is_usage(use) else ""
        assert use.actor.id not in said
        assert USE.subject.hex() not in said
        assert "cd" * 16 not in said
