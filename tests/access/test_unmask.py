"""A person shown in clear: with a second person's approval, or in an emergency; by the guard."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from access.answers import Answer, EmergencyQuery, LookupQuery, UnderQuery, UnmaskQuery
from access.desk import Act
from access.emergency import WINDOW, Standing, State
from access.guard import Guard
from access.keeper import Keeper
from access.limits import NOBODY_AN_HOUR
from access.model import Actor
from access.ports import GuardKeys
from hub.catalog import Catalog
from hub.clock import FixedClock
from hub.errors import LedgerError, NotFound, RequestError
from hub.ledger.log import Ledger
from hub.store.usage import Usage
from tests.access.conftest import NOW
from tests.access.keeping import Counting
from tests.access.people import WEST, MemorySnapshot, Person, invented_id
from tests.access.registers import MemoryRegisters
from tests.access.test_changes import House, house
from tests.access.test_emergency import OVERSIGHT, REVIEW_BY, STEWARD, desk_of

__all__ = ["house"]

CASE = "R-7"
REASON = "核对身份 / to verify who it is"
ID, PHONE = "population.resident.resident_id", "population.resident.phone"

At = Callable[..., Guard]


@pytest.fixture
def at(
    house: House, catalog: Catalog, ledger: Ledger, keys: GuardKeys, person: Person,
    registers: MemoryRegisters, usage: Usage,
) -> At:  # fmt: skip
    """Return the guard as it is at a time, over given people."""
    keeper = Keeper(house.records, catalog, ledger, elapsed=Counting())

    def guard(time: datetime = NOW, *people: Person) -> Guard:
        snapshot = MemorySnapshot(keys, people or (person,))
        return Guard(
            keeper, catalog, snapshot, ledger, keys, FixedClock(time), usage, registers,
            emergencies=desk_of(house), longest_lag=timedelta(days=365),
        )  # fmt: skip

    return guard


@pytest.fixture
def east(actors: dict[str, Actor]) -> Actor:
    return actors["officer.east"]


def query(person: Person, *columns: str, **more: Any) -> UnmaskQuery:
    wanted: dict[str, Any] = {
        "by": "resident_id", "value": person.number, "columns": columns or (PHONE,),
        "purpose": "residence.verify", "case": CASE, "reason": REASON,
    }  # fmt: skip
    return UnmaskQuery(**{**wanted, **more})


def under(number: int, person: Person, case: str = CASE) -> UnderQuery:
    return UnderQuery(number, "resident_id", person.number, case)


def rescue(**more: Any) -> EmergencyQuery:
    return EmergencyQuery(**{"purpose": "emergency.rescue", "case": CASE, "reason": REASON, **more})


def number_of(outcome: Standing | Answer) -> int:
    assert isinstance(outcome, Standing), outcome
    return outcome.emergency.id


def approved(house: House, at: At, east: Actor, asked: UnmaskQuery) -> int:
    number = number_of(at().request_unmask(east, asked))
    done = desk_of(house).approve(number, STEWARD, Act(STEWARD.account, REASON, NOW))
    assert isinstance(done, Standing), done
    return number


def refused(outcome: object) -> Answer:
    assert isinstance(outcome, Answer)
    assert not outcome.allowed
    assert not outcome.subjects
    return outcome


def values(answer: Answer) -> dict[str, Any]:
    assert answer.allowed, answer.reason
    (subject,) = answer.subjects
    return {f"{r.dataset}.{c}": v for r in subject.records for c, v in r.values.items()}


def test_what_was_approved_is_shown_in_clear_and_nothing_else(
    house: House, at: At, east: Actor, person: Person, ledger: Ledger, keys: GuardKeys
) -> None:
    masked = at().lookup(east, LookupQuery("resident_id", person.number, "residence.verify", CASE))
    assert values(masked)[PHONE] != person.phone
    number = approved(house, at, east, query(person, PHONE, ID))
    answer = at().unmasked(east, under(number, person))
    assert values(answer) == {PHONE: person.phone, ID: person.number}
    body = ledger.entry(answer.receipt.index).body
    assert body is not None
    assert body["event"] == "officer:subject:disclosed"
    assert (body["action"], body["road"], body["emergency"]) == ("unmasked", "unmask", number)
    assert body["fields"] == {PHONE: "clear", ID: "clear"}
    before = [e.event for e in ledger.entries(0, answer.receipt.index)]
    assert before[-3:] == [
        "access:unmask:requested", "access:unmask:approved", "access:unmask:released",
    ]  # fmt: skip
    assert keys.label.of(person.key).hex() not in str(
        [e.body for e in ledger.entries(0, answer.receipt.index) if e.event.startswith("access:")]
    )


def test_before_the_approval_and_after_the_release_nothing_is_shown(
    house: House, at: At, east: Actor, person: Person
) -> None:
    number = number_of(at().request_unmask(east, query(person)))
    assert "waits for its approval" in refused(at().unmasked(east, under(number, person))).reason
    desk_of(house).approve(number, STEWARD, Act(STEWARD.account, REASON, NOW))
    assert values(at().unmasked(east, under(number, person)))
    assert "released" in refused(at().unmasked(east, under(number, person))).reason


def test_an_approval_that_nobody_used_runs_out(
    house: House, at: At, east: Actor, person: Person
) -> None:
    number = approved(house, at, east, query(person))
    late = at(NOW + WINDOW)
    assert "run out" in refused(late.unmasked(east, under(number, person))).reason


def test_it_is_for_that_person_case_and_officer(
    house: House, at: At, east: Actor, person: Person, actors: dict[str, Actor]
) -> None:
    other = Person(invented_id("1985-01-02", 7), name="东方既白", home=("H9", "A9"))
    number = approved(house, at, east, query(person))
    guard = at(NOW, person, other)
    elsewhere = Person(invented_id("1980-01-02", 5))
    missed = [refused(guard.unmasked(east, under(number, p))) for p in (other, elsewhere)]
    assert missed[0].reason == missed[1].reason
    assert "not the case" in refused(guard.unmasked(east, under(number, person, "R-8"))).reason
    with pytest.raises(NotFound):
        guard.unmasked(actors["officer.west"], under(number, person))
    assert values(guard.unmasked(east, under(number, person)))


@pytest.mark.parametrize(
    ("more", "reason"),
    [
        ({"columns": ("population.resident.registered_address",)}, "seen in clear"),
        ({"columns": ("police.incident.reporter_phone",)}, "does not need"),
        ({"purpose": "elderly.service"}, "not for unmask"),
        ({"purpose": "emergency.rescue"}, "in this way"),
        ({"purpose": "nothing"}, "not in the purpose register"),
        ({"case": " "}, "unmask it for this purpose"),
    ],
)
def test_what_the_policy_does_not_let_be_lifted_is_refused_and_recorded(
    at: At, east: Actor, person: Person, ledger: Ledger, more: dict[str, Any], reason: str
) -> None:
    answer = refused(at().request_unmask(east, query(person, **more)))
    assert reason in answer.reason
    assert answer.remedy
    body = ledger.entry(answer.receipt.index).body
    assert body is not None
    assert (body["event"], body["decision"]) == ("officer:subject:refused", "refused")


@pytest.mark.parametrize(
    "more",
    [
        {"columns": ("population.resident.nothing",)},
        {"columns": ()},
        {"reason": "电话 13812345678"},
        {"value": "123"},
    ],
)
def test_what_is_not_well_formed_is_no_request(
    at: At, east: Actor, person: Person, more: dict[str, Any]
) -> None:
    asked = replace(query(person), **more)
    with pytest.raises(RequestError):
        at().request_unmask(east, asked)


def test_asking_tells_nobody_who_is_held(
    house: House, at: At, east: Actor, person: Person, registers: MemoryRegisters
) -> None:
    """Here, elsewhere, protected or nowhere: the request is taken, and the approval shows who."""
    west = Person(invented_id("1985-01-02", 7), grid=WEST)
    hidden = Person(invented_id("1979-05-06", 3))
    registers.protect(hidden)
    guard = at(NOW, person, west, hidden)
    nowhere = query(person, value=invented_id("1980-01-02", 5))
    for asked in (query(person), query(west), query(hidden), nowhere):
        assert number_of(guard.request_unmask(east, asked))
    there, gone = (number_of(guard.request_unmask(east, q)) for q in (query(west), nowhere))
    for number in (there, gone):
        desk_of(house).approve(number, STEWARD, Act(STEWARD.account, REASON, NOW))
    missing = Person(invented_id("1980-01-02", 5))
    answers = [
        refused(guard.unmasked(east, under(there, west))),
        refused(guard.unmasked(east, under(gone, missing))),
    ]
    assert (answers[0].reason, answers[0].remedy) == (answers[1].reason, answers[1].remedy)


def test_what_stays_masked_of_a_child_is_not_shown_by_an_approval(
    house: House, at: At, east: Actor
) -> None:
    child = Person(invented_id("2018-01-02", 7), birth_date="2018-01-02")
    guard = at(NOW, child)
    number = number_of(guard.request_unmask(east, query(child)))
    desk_of(house).approve(number, STEWARD, Act(STEWARD.account, REASON, NOW))
    answer = refused(guard.unmasked(east, under(number, child)))
    assert "seen in clear" in answer.reason


def test_nobody_lifts_the_mask_of_their_own(
    house: House, at: At, east: Actor, person: Person
) -> None:
    mine = replace(east, binding=at().binding(person.number))
    refused(at().unmasked(mine, under(approved(house, at, mine, query(person)), person)))
    number = number_of(at().open_emergency(mine, rescue()))
    refused(at().unmasked(mine, under(number, person)))


def test_protected_persons_take_an_approval_also_in_an_emergency(
    house: House, at: At, east: Actor, person: Person, registers: MemoryRegisters
) -> None:
    registers.protect(person)
    number = number_of(at().open_emergency(east, rescue()))
    assert not at().unmasked(east, under(number, person)).subjects
    assert desk_of(house).find(number, NOW).persons == 0
    asked = approved(house, at, east, query(person))
    assert values(at().unmasked(east, under(asked, person))) == {PHONE: person.phone}


def test_an_emergency_shows_at_once_and_everywhere(at: At, east: Actor, ledger: Ledger) -> None:
    west = Person(invented_id("1985-01-02", 7), grid=WEST)
    guard = at(NOW, west)
    number = number_of(guard.open_emergency(east, rescue(persons=1)))
    answer = guard.unmasked(east, under(number, west))
    assert values(answer)[ID] == west.number
    events = [e.event for e in ledger.entries(0, ledger.size)][-3:]
    assert events == [
        "access:emergency:opened", "access:emergency:used", "officer:subject:disclosed",
    ]  # fmt: skip


@pytest.mark.parametrize("more", [{"persons": 6}, {"persons": 0}, {"minutes": 61}, {"minutes": 0}])
def test_an_emergency_is_small_and_short(at: At, east: Actor, more: dict[str, int]) -> None:
    with pytest.raises(RequestError):
        at().open_emergency(east, rescue(**more))


def test_what_takes_an_approval_is_no_emergency(at: At, east: Actor) -> None:
    assert (
        "in this way"
        in refused(at().open_emergency(east, rescue(purpose="residence.verify"))).reason
    )


def test_who_was_not_reviewed_in_time_is_shown_nothing_until_it_is(
    house: House, at: At, east: Actor, person: Person, actors: dict[str, Actor]
) -> None:
    number = number_of(at().open_emergency(east, rescue()))
    second = timedelta(seconds=1)
    look = LookupQuery("resident_id", person.number, "residence.verify", CASE)
    assert at(REVIEW_BY - second).lookup(east, look).allowed
    blocked = refused(at(REVIEW_BY).lookup(east, look))
    assert f"emergency {number} was not reviewed" in blocked.reason
    assert "review" in blocked.remedy
    refused(at(REVIEW_BY).open_emergency(east, rescue()))
    assert at(REVIEW_BY).lookup(replace(east, id="another"), look).allowed
    done = desk_of(house).review(
        number, OVERSIGHT, Act("oversight", REASON, REVIEW_BY), justified=True
    )
    assert isinstance(done, Standing)
    assert at(REVIEW_BY).lookup(east, look).allowed


def test_the_person_sees_it_at_once_and_what_came_of_it(
    house: House, at: At, east: Actor, person: Person, actors: dict[str, Actor]
) -> None:
    citizen = replace(actors["citizen"], binding=at().binding(person.number))
    number = number_of(at().open_emergency(east, rescue()))
    at().unmasked(east, under(number, person))
    (use,) = at().own_uses(citizen)
    assert (use.action, use.under, use.purpose) == ("emergency", State.OPEN, "emergency.rescue")
    desk_of(house).review(number, OVERSIGHT, Act("oversight", REASON, NOW), justified=False)
    (use,) = at().own_uses(citizen)
    assert use.under == State.NOT_JUSTIFIED
    assert REASON not in str(use)


def test_a_ledger_that_does_not_record_releases_nothing(
    house: House, at: At, east: Actor, person: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    number = number_of(at().open_emergency(east, rescue()))

    def fails(*_: object) -> object:
        raise LedgerError("full")

    monkeypatch.setattr(house.ledger, "append", fails)
    with pytest.raises(LedgerError):
        at().unmasked(east, under(number, person))


def test_an_emergency_is_no_way_to_try_numbers(at: At, east: Actor, person: Person) -> None:
    """Nobody takes no place in it, so its five persons limit no guess."""
    guard = at()
    number = number_of(guard.open_emergency(east, rescue()))
    for n in range(NOBODY_AN_HOUR):
        missed = UnderQuery(number, "resident_id", invented_id(sequence=n), CASE)
        assert guard.unmasked(east, missed).wait_seconds is None
    assert refused(guard.unmasked(east, under(number, person))).wait_seconds == 1800


def test_another_account_of_the_same_person_helps_nobody(
    at: At, east: Actor, person: Person, keys: GuardKeys
) -> None:
    """Neither to a second emergency at a time, nor past the block of one that nobody reviewed."""
    bound = keys.identifier.of("a number of their own")
    first, other = replace(east, binding=bound), replace(east, id="officer.other", binding=bound)
    number = number_of(at().open_emergency(first, rescue()))
    assert "open already" in refused(at().open_emergency(other, rescue())).reason
    look = LookupQuery("resident_id", person.number, "residence.verify", CASE)
    assert at().lookup(other, look).allowed
    blocked = refused(at(REVIEW_BY).lookup(other, look))
    assert f"emergency {number} was not reviewed" in blocked.reason
