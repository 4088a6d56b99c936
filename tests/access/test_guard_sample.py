"""A drawn sample: who may have it, what the ledger holds of it, and what a failure leaves."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from access.answers import SampleQuery
from access.guard import Guard
from access.model import Actor
from access.ports import GuardKeys
from hub.errors import RequestError, SourceError
from hub.ledger.log import Ledger
from tests.access.people import WEST, Person, invented_id

EAST_PERSON = Person(invented_id(sequence=1))
CHILD = Person(invented_id("2020-05-01", 2), birth_date="2020-05-01", grid=WEST)
QUERY = SampleQuery("population.resident", (EAST_PERSON.key, CHILD.key), "2026-77")


@pytest.fixture
def steward(actors: dict[str, Actor]) -> Actor:
    """The steward of the department that answers for the data."""
    return actors["partner.population"]


def test_the_owners_steward_gets_what_is_to_be_verified_of_everybody_drawn(
    guard_of: Callable[..., Guard], steward: Actor
) -> None:
    """In the order asked, wherever they live, children too: else nothing is proven of them."""
    answer = guard_of(EAST_PERSON, CHILD).sample(steward, QUERY)
    assert answer.allowed
    numbers = [s.records[0].values["resident_id"] for s in answer.subjects]
    assert numbers == [EAST_PERSON.number, CHILD.number]
    assert set(answer.subjects[1].records[0].values) == {
        "resident_id", "name", "birth_date", "person_status", "residence_address", "grid_code",
    }  # fmt: skip


def test_the_ledger_has_one_entry_for_each_person(
    guard_of: Callable[..., Guard], steward: Actor, ledger: Ledger, keys: GuardKeys
) -> None:
    answer = guard_of(EAST_PERSON, CHILD).sample(steward, QUERY)
    assert len(answer.receipt.indexes) == 2
    for person, index in zip((EAST_PERSON, CHILD), answer.receipt.indexes, strict=True):
        body = ledger.entry(index).body
        assert body is not None
        assert body["subject"] == keys.label.of(person.key).hex()
        assert (body["action"], body["road"]) == ("exported", "sample")
        assert body["purpose"] == "quality.field_check"
        assert body["case"] == keys.case.of("2026-77").hex()
        assert body["actor"]["id"] == keys.actor.of(steward.id).hex()
        assert person.number not in repr(body)


@pytest.mark.parametrize(
    "account",
    ["partner.housing", "steward", "analyst", "officer.east", "oversight", "admin.system"],
)
def test_nobody_else_gets_one_and_the_refusal_is_recorded(
    account: str, guard_of: Callable[..., Guard], actors: dict[str, Actor], ledger: Ledger
) -> None:
    answer = guard_of(EAST_PERSON, CHILD).sample(actors[account], QUERY)
    assert not answer.allowed
    assert answer.subjects == ()
    body = ledger.entry(answer.receipt.index).body
    assert body is not None
    assert (body["decision"], body["fields"]) == ("refused", {})


def test_without_a_case_there_is_no_sample(guard_of: Callable[..., Guard], steward: Actor) -> None:
    answer = guard_of(EAST_PERSON).sample(steward, replace(QUERY, case=" "))
    assert not answer.allowed
    assert "case" in answer.reason


def test_other_data_is_not_open_to_it(guard_of: Callable[..., Guard], steward: Actor) -> None:
    answer = guard_of(EAST_PERSON).sample(steward, replace(QUERY, dataset="police.case"))
    assert not answer.allowed


def test_more_than_the_policy_lets_and_nobody_are_no_sample(
    guard_of: Callable[..., Guard], steward: Actor
) -> None:
    guard = guard_of(EAST_PERSON)
    with pytest.raises(RequestError, match="at most 2,000"):
        guard.sample(steward, replace(QUERY, subjects=(EAST_PERSON.key,) * 2_001))
    with pytest.raises(RequestError, match="nobody"):
        guard.sample(steward, replace(QUERY, subjects=()))


def test_one_who_is_not_in_service_stops_the_whole(
    guard_of: Callable[..., Guard], steward: Actor, ledger: Ledger
) -> None:
    """All or none: a worksheet with a gap would be another sample."""
    guard = guard_of(EAST_PERSON)
    with pytest.raises(SourceError):
        guard.sample(steward, QUERY)
