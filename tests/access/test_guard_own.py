"""The citizen's own: what is held, who used it, and the proof."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from access.answers import LookupQuery
from access.guard import Guard
from access.model import Actor
from hub.errors import NotFound
from hub.ledger.log import Ledger
from tests.access.people import EAST, Person, invented_id, record
from tests.hub.ledger.factories import report_of

PURPOSE = "residence.verify"


@pytest.fixture
def citizen(guard: Guard, actors: dict[str, Actor], person: Person) -> Actor:
    """The person of the snapshot, signed in."""
    return replace(actors["citizen"], id="c1", binding=guard.binding(person.number))


def test_everything_held_is_shown_in_clear(guard: Guard, citizen: Actor, person: Person) -> None:
    """Own columns and those of the record; narratives, which name others, are not."""
    answer = guard.own_records(citizen, "s1")
    records = {record.dataset: record.values for record in answer.subjects[0].records}
    assert set(records) == {"population.resident", "housing.dwelling", "police.incident"}
    assert records["population.resident"]["resident_id"] == person.number
    assert records["population.resident"]["marital_status"] == "20"
    assert records["housing.dwelling"]["certificate_no"] == "权证0001"
    assert records["police.incident"]["reporter_name"] == person.name
    assert "detail" not in records["police.incident"]
    assert "王某某" not in repr(answer)


def test_an_open_investigation_is_not_shown_to_the_suspect(
    guard_of: Callable[..., Guard], actors: dict[str, Actor]
) -> None:
    """个人信息保护法 35; a victim sees the same case."""

    def case(role: str) -> Person:
        sealed = {f"{role}_id": invented_id(), f"{role}_name": "欧阳明日", "address": "某处"}
        clear = {"case_no": "C1", "category": "theft", "grid_code": EAST}
        return Person(invented_id(), records=(record("police.case", role, clear, sealed),))

    for role, shown in (("suspect", False), ("victim", True)):
        guard = guard_of(case(role))
        citizen = replace(actors["citizen"], binding=guard.binding(invented_id()))
        answer = guard.own_records(citizen, role)
        datasets = {record.dataset for record in answer.subjects[0].records}
        assert ("police.case" in datasets) is shown


def test_a_child_sees_the_own_record(
    guard_of: Callable[..., Guard], actors: dict[str, Actor]
) -> None:
    """Protection is not turned against the person it protects."""
    child = Person(invented_id("2015-06-01"), name="童小", birth_date="2015-06-01")
    guard = guard_of(child)
    citizen = replace(actors["citizen"], binding=guard.binding(child.number))
    assert guard.own_records(citizen, "s").subjects[0].records[0].values["name"] == "童小"


def test_opening_is_recorded_once_a_session(guard: Guard, citizen: Actor, ledger: Ledger) -> None:
    """The second page of a session adds no entry; the next session does."""
    first = guard.own_records(citizen, "s1")
    second = guard.own_records(citizen, "s1")
    assert first.receipt == second.receipt
    assert ledger.size == 1
    guard.own_records(citizen, "s2")
    assert ledger.size == 2
    body = ledger.entry(0).body
    assert body is not None
    assert body["event"] == "citizen:record:opened"
    assert body["actor"]["post"] == ""


def test_nobody_else_reads_as_a_citizen(
    guard: Guard, actors: dict[str, Actor], person: Person
) -> None:
    """Not an officer with a binding, not a citizen without one, not one of another agency."""
    binding = guard.binding(person.number)
    for actor in (
        replace(actors["officer.east"], binding=binding),
        replace(actors["admin.system"], binding=binding),
        replace(actors["citizen"], binding=binding, active=False),
        replace(actors["citizen"], binding=binding, agency="population"),
    ):
        answer = guard.own_records(actor, "s")
        assert not answer.allowed
        assert answer.subjects == ()
        assert guard.own_uses(actor) == ()
        with pytest.raises(NotFound):
            guard.own_proof(actor, 0)
    for unknown in (None, guard.binding(invented_id(sequence=777))):
        stranger = replace(actors["citizen"], binding=unknown)
        assert guard.own_records(stranger, "s").subjects == ()
        assert guard.own_uses(stranger) == ()


def test_uses_say_who_why_on_what_basis_and_what(
    guard: Guard, citizen: Actor, actors: dict[str, Actor], person: Person
) -> None:
    """Newest first, in plain words; an attempt from another area is there as well."""
    query = LookupQuery("resident_id", person.number, PURPOSE, case="2026-0311")
    shown = guard.lookup(actors["officer.east"], query)
    guard.lookup(actors["officer.west"], query)
    refused, allowed = guard.own_uses(citizen)
    assert refused.outcome == "refused"
    assert refused.fields == ()
    assert allowed.outcome == "allowed"
    assert allowed.index == shown.receipt.index
    assert allowed.agency_title == "实有人口管理"
    assert allowed.post == "东街街道网格员"
    assert allowed.purpose_title == "居住核实"
    assert "个人信息保护法" in allowed.legal_basis
    assert allowed.with_case
    assert "实有人口" in allowed.datasets
    number = next(field for field in allowed.fields if field["column"] == "resident_id")
    assert number["title"] == "公民身份号码"
    assert number["how"] == "masked"
    assert guard.own_uses(citizen, limit=1) == (refused,)
    for policy_word in ("grid-residence", "990106001", "clearance"):
        assert policy_word not in repr((refused, allowed))


def test_each_use_is_proved_to_its_subject_and_to_nobody_else(
    guard_of: Callable[..., Guard],
    actors: dict[str, Actor],
    ledger: Ledger,
    publish: Callable[[], None],
) -> None:
    """The file verifies offline; another citizen gets what a wrong index gets."""
    one, other = Person(invented_id(sequence=101)), Person(invented_id(sequence=103))
    guard = guard_of(one, other)
    guard.lookup(actors["officer.east"], LookupQuery("resident_id", other.number, PURPOSE))
    publish()
    answer = guard.lookup(actors["officer.east"], LookupQuery("resident_id", one.number, PURPOSE))
    index = answer.receipt.index
    mine = replace(actors["citizen"], binding=guard.binding(one.number))
    theirs = replace(actors["citizen"], binding=guard.binding(other.number))
    with pytest.raises(NotFound, match="几秒后"):  # told to whom it is about, and to nobody else
        guard.own_proof(mine, index)
    with pytest.raises(NotFound, match="没有这条记录 / there is no such entry of yours"):
        guard.own_proof(theirs, index)
    publish()
    report = report_of(guard.own_proof(mine, index), ledger.key)
    assert report.valid, report.why
    (use,) = report.uses
    assert use.record is not None
    assert use.record["purpose"] == PURPOSE
    nobody = replace(mine, binding=None)
    for actor, position in ((theirs, index), (mine, 99), (mine, -1), (nobody, index)):
        with pytest.raises(NotFound, match="没有这条记录 / there is no such entry of yours"):
            guard.own_proof(actor, position)


def test_a_statement_has_every_use_and_those_of_nobody_else(
    guard_of: Callable[..., Guard],
    actors: dict[str, Actor],
    ledger: Ledger,
    publish: Callable[[], None],
) -> None:
    """Of one who was never looked up it proves just that; who is not held gets none."""
    one, other = Person(invented_id(sequence=101)), Person(invented_id(sequence=103))
    guard = guard_of(one, other)
    query = LookupQuery("resident_id", one.number, PURPOSE)
    indexes = [guard.lookup(actors["officer.east"], query).receipt.index for _ in range(3)]
    publish()
    later = guard.lookup(actors["officer.east"], query).receipt.index
    found = []
    for person in (one, other):
        mine = replace(actors["citizen"], binding=guard.binding(person.number))
        report = report_of(guard.own_statement(mine), ledger.key)
        assert report.valid, report.why
        found.append([use.position for use in report.uses])
    assert found == [indexes, []]
    publish()
    mine = replace(actors["citizen"], binding=guard.binding(one.number))
    report = report_of(guard.own_statement(mine), ledger.key)
    assert [use.position for use in report.uses] == [*indexes, later]
    for actor in (actors["officer.east"], replace(actors["citizen"], binding=None)):
        with pytest.raises(NotFound):
            guard.own_statement(actor)


def test_an_investigation_is_shown_at_once(
    guard: Guard, citizen: Actor, actors: dict[str, Actor], person: Person
) -> None:
    """Where no order seals it, there is no delay."""
    query = LookupQuery("resident_id", person.number, "public_safety.investigation", case="A1")
    answer = guard.lookup(actors["officer.police"], query)
    (use,) = guard.own_uses(citizen)
    assert (use.index, use.purpose) == (answer.receipt.index, query.purpose)


def test_many_uses_are_paged(
    guard: Guard, citizen: Actor, actors: dict[str, Actor], person: Person, ledger: Ledger
) -> None:
    """More than one page of the ledger, and never more than asked for."""
    query = LookupQuery("resident_id", person.number, PURPOSE)
    guard.lookup(actors["officer.east"], query)
    prepared = [guard.prepare_lookup(actors["officer.east"], query) for _ in range(230)]
    for waiting in [
        ledger.submit([use.entry() for use in item.records]) for item in prepared
    ]:  # past the limits
        waiting.result(30)
    assert len(guard.own_uses(citizen, limit=220)) == 220
    assert len(guard.own_uses(citizen, limit=1000)) == 231


def test_an_erased_use_says_when_by_whom_and_why(
    guard: Guard, citizen: Actor, actors: dict[str, Actor], person: Person, ledger: Ledger
) -> None:
    """Its record is gone; its place in the tree, and that it was there, is not."""
    query = LookupQuery("resident_id", person.number, PURPOSE)
    erased, kept = (guard.lookup(actors["officer.east"], query).receipt.index for _ in range(2))
    ledger.erase(erased, "operations", "court_order")
    first, second = guard.own_uses(citizen)
    assert (first.index, first.outcome) == (kept, "allowed")
    assert (second.index, second.outcome) == (erased, "erased")
    assert second.erased is not None
    assert (second.erased.by, second.erased.ground) == ("operations", "court_order")
    assert second.erased.at >= second.time
    assert (second.agency, second.purpose, second.fields) == ("", "", ())
    with pytest.raises(NotFound):
        guard.own_proof(citizen, erased)
