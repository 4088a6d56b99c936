"""Who is asked about, towards who asks: own record, own household, protected persons."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from access.answers import Answer, LookupQuery, SampleQuery, SearchQuery
from access.decision import Decider
from access.files import POLICY_FOLDER
from access.guard import Guard
from access.model import Actor
from access.policy import load_policy
from access.ports import GuardKeys
from hub.catalog import Catalog
from hub.clock import FixedClock
from hub.errors import SourceError
from hub.ledger.log import Ledger
from hub.store.usage import Usage
from tests.access.keeping import keeper_of
from tests.access.people import MemorySnapshot, Person, invented_id
from tests.access.registers import MemoryRegisters

PURPOSE = "residence.verify"
Make = Callable[..., Guard]


def lookup(guard: Guard, actor: Actor, person: Person, case: str | None = None) -> Answer:
    """Look a person up."""
    query = LookupQuery("resident_id", person.number, PURPOSE, case, request_id="r")
    return guard.lookup(actor, query)


def bound(guard: Guard, actor: Actor, person: Person) -> Actor:
    """Return an officer who is a person of the district."""
    return replace(actor, binding=guard.binding(person.number))


def living(household: str, dwelling: str | None, number: int) -> Person:
    """Return a person of a household in a dwelling."""
    home = (household, dwelling)
    return Person(invented_id(sequence=number), name=f"王{number}", home=home)


@pytest.fixture
def officer_and(guard_of: Make, actors: dict[str, Actor]) -> Callable[..., tuple[Guard, Actor]]:
    """Make a guard over an officer and others, and return it with the officer."""

    def make(me: Person, *others: Person) -> tuple[Guard, Actor]:
        guard = guard_of(me, *others)
        return guard, bound(guard, actors["officer.east"], me)

    return make


def test_nobody_looks_up_their_own_record_at_work(
    officer_and: Callable[..., tuple[Guard, Actor]], actors: dict[str, Actor], ledger: Ledger
) -> None:
    """Refused with the way to go; the citizen's door shows everything; a colleague may look."""
    me = living("H1", "A1", 201)
    guard, officer = officer_and(me)
    answer = lookup(guard, officer, me)
    assert not answer.allowed
    assert answer.subjects == ()
    assert "own record" in answer.reason
    assert "citizen's door" in answer.remedy
    entry = ledger.entry(answer.receipt.index)
    body = entry.body or {}
    assert body["decision"] == "refused"
    assert "own" not in body["reason"]  # it would say who the officer is
    assert entry.label is not None
    citizen = replace(actors["citizen"], binding=officer.binding)
    assert guard.own_records(citizen, "s").subjects[0].records
    assert lookup(guard, actors["officer.east"], me).subjects


@pytest.mark.parametrize(
    ("mine", "theirs", "refused"),
    [
        (("H1", "A1"), ("H1", "A1"), True),
        (("H1", "A1"), ("H2", "A1"), False),  # lodgers under one roof
        (("H9", "A1"), ("H9", "A2"), False),  # a dormitory: one household, many rooms
        (("H1", "A1"), ("H1", None), True),  # as far as is known
        (("H1", None), ("H1", "A1"), True),
        (("H1", None), ("H2", None), False),
        (("", "A1"), ("", "A1"), False),
    ],
)
def test_nobody_looks_up_their_own_household_at_work(
    mine: tuple[str, str | None],
    theirs: tuple[str, str | None],
    refused: bool,
    officer_and: Callable[..., tuple[Guard, Actor]],
) -> None:
    """A household in a dwelling is a home; either alone is none."""
    me, other = living(*mine, 201), living(*theirs, 202)
    guard, officer = officer_and(me, other)
    answer = lookup(guard, officer, other)
    assert answer.allowed is not refused
    assert ("own household" in answer.reason) is refused


def test_own_people_leave_no_trace_in_a_list(
    officer_and: Callable[..., tuple[Guard, Actor]], ledger: Ledger
) -> None:
    """Somebody else under the same telephone number is shown, alone."""
    me, family, other = living("H1", "A1", 201), living("H1", "A1", 202), living("H2", "A2", 203)
    guard, officer = officer_and(me, family, other)
    answer = guard.search(officer, SearchQuery("phone", me.phone, PURPOSE))
    assert len(answer.subjects) == len(answer.receipt.indexes) == 1
    assert ledger.size == 1


def test_an_unbound_account_has_no_home(guard_of: Make, actors: dict[str, Actor]) -> None:
    """Nobody is nobody's family; and no document but the one asked for is opened."""
    person = living("H1", "A1", 201)
    guard = guard_of(person)
    assert lookup(guard, actors["officer.east"], person).subjects
    other = replace(actors["officer.east"], binding=b"\0" * 16)  # of a number that is not held
    assert lookup(guard, other, person).subjects


def test_the_askers_own_document_is_opened_once_a_publication(
    snapshot: MemorySnapshot,
    guard: Guard,
    actors: dict[str, Actor],
    person: Person,
) -> None:
    """Not at every look-up."""
    officer = bound(guard, actors["officer.east"], person)
    lookup(guard, officer, person)
    assert snapshot.reads == 2
    lookup(guard, officer, person)
    assert snapshot.reads == 3
    snapshot.version = "20260401T000000Z"
    lookup(guard, officer, person)
    assert snapshot.reads == 5


def test_a_protected_person_is_answered_as_nobody(
    guard: Guard,
    actors: dict[str, Actor],
    person: Person,
    registers: MemoryRegisters,
    ledger: Ledger,
) -> None:
    """A refusal of its own would tell that they are; the entry is theirs, and tells no trait."""
    nobody = invented_id(sequence=555)
    for who in ("officer.east", "window"):
        before = guard.lookup(
            actors[who], LookupQuery("resident_id", nobody, PURPOSE, case="C1", request_id="r")
        )
        registers.protect(person)
        answer = lookup(guard, actors[who], person, "C1")
        assert replace(answer, receipt=before.receipt) == before
        entry = ledger.entry(answer.receipt.index)
        assert entry.label is not None
        assert "protected" not in str(entry.body)
    query = SearchQuery("phone", person.phone, PURPOSE)
    assert guard.search(actors["officer.east"], query).subjects == ()


def test_protection_ends_on_the_second(
    guard_in: Callable[[timedelta], Guard],
    actors: dict[str, Actor],
    person: Person,
    registers: MemoryRegisters,
) -> None:
    """It holds until before its end."""
    registers.protect(person, lasts=timedelta(hours=1))
    seconds = timedelta(seconds=1)
    assert not lookup(
        guard_in(timedelta(hours=1) - seconds), actors["officer.east"], person
    ).allowed
    assert lookup(guard_in(timedelta(hours=1)), actors["officer.east"], person).subjects


def test_who_is_protected_sees_everything_of_their_own(
    guard: Guard, actors: dict[str, Actor], person: Person, registers: MemoryRegisters
) -> None:
    """Protection is from others."""
    registers.protect(person)
    citizen = replace(actors["citizen"], binding=guard.binding(person.number))
    values = guard.own_records(citizen, "s").subjects[0].records[0].values
    assert values["resident_id"] == person.number


def test_a_drawn_sample_shows_protected_persons_masked(
    guard: Guard, actors: dict[str, Actor], person: Person, registers: MemoryRegisters
) -> None:
    """A worksheet goes from hand to hand; one person fewer would not be what was drawn."""
    steward = replace(actors["partner.population"], binding=guard.binding(person.number))
    query = SampleQuery("population.resident", (person.key,), "Q1")
    clear = guard.sample(steward, query).subjects[0].records[0].values
    assert clear["name"] == person.name  # one's own record may be drawn
    registers.protect(person)
    masked = guard.sample(steward, query).subjects[0].records[0].values
    for column in ("resident_id", "name", "birth_date", "residence_address"):
        assert masked[column] != clear[column]
    assert masked["person_status"] == clear["person_status"]


def test_registers_that_cannot_be_read_refuse_everything(
    guard: Guard, actors: dict[str, Actor], person: Person, registers: MemoryRegisters
) -> None:
    """An error, not an answer without them."""

    def broken() -> None:
        raise SourceError("gone")

    registers.current = broken  # type: ignore[method-assign,assignment]
    with pytest.raises(SourceError):
        lookup(guard, actors["officer.east"], person)


def test_a_policy_may_let_people_look_up_their_own(
    tmp_path: Path,
    catalog: Catalog,
    ledger: Ledger,
    keys: GuardKeys,
    clock: FixedClock,
    registers: MemoryRegisters,
    usage: Usage,
    actors: dict[str, Actor],
    person: Person,
) -> None:
    """The denials are rules of the policy, not of the code; what it says of part is kept to."""
    lines = (POLICY_FOLDER / "policy.csv").read_text().splitlines(keepends=True)
    shown = []
    for denied in ("population.resident", "housing.dwelling"):
        rule = (
            f"own-part,deny,*,*,lookup,{denied},*,any,optional,own_record,masked,L1,-,-,invented\n"
        )
        others = [line for line in lines if not line.startswith("no-own-")]
        (tmp_path / "policy.csv").write_text("".join([*others, rule]))
        decider = Decider(load_policy(catalog, tmp_path), catalog)
        snapshot = MemorySnapshot(keys, (person,))
        guard = Guard(keeper_of(decider), catalog, snapshot, ledger, keys, clock, usage, registers)
        answer = lookup(guard, bound(guard, actors["officer.east"], person), person)
        shown.append([record.dataset for record in answer.subjects[0].records])
    assert shown == [["housing.dwelling"], ["population.resident"]]
