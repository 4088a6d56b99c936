"""Looking one person up: who is shown what, who is refused, and what the ledger then holds."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from access.answers import Answer, LookupQuery, SearchQuery
from access.guard import Guard
from access.model import Actor
from access.ports import GuardKeys
from hub.errors import RequestError
from hub.ledger.log import Ledger
from hub.ledger.statement import Statements
from tests.access.people import WEST, MemorySnapshot, Person, invented_id
from tests.hub.ledger.factories import report_of

PURPOSE = "residence.verify"


def number_query(person: Person) -> LookupQuery:
    """Return the plainest question about a person."""
    return LookupQuery("resident_id", person.number, PURPOSE)


def body_of(ledger: Ledger, answer: Answer) -> Mapping[str, Any]:
    """Return the recorded body of an answer's first entry."""
    body = ledger.entry(answer.receipt.index).body
    assert body is not None
    return body


def test_an_officer_of_the_area_sees_what_the_purpose_needs(
    guard: Guard, actors: dict[str, Actor], person: Person
) -> None:
    """Clear, masked, generalised and absent columns, in records and in the integrated person."""
    answer = guard.lookup(
        actors["officer.east"], LookupQuery("resident_id", person.number, PURPOSE)
    )
    assert answer.allowed
    (subject,) = answer.subjects
    records = {record.dataset: record for record in subject.records}
    assert set(records) == {"population.resident", "housing.dwelling"}
    resident = records["population.resident"].values
    assert resident["name"] == "欧阳明日"
    assert resident["resident_id"] == f"990106********{person.number[-4:]}"
    assert resident["birth_date"] == "1990"
    assert resident["phone"] == "138****5678"
    assert resident["registered_address"] == "明镜区西街街道南门社区***"
    assert resident["residence_address"].endswith("502室")
    assert not {"marital_status", "ethnicity", "workplace", "birth_year"} & set(resident)
    assert subject.golden["birth_date"]["value"] == "1990"
    assert subject.golden["resident_id"]["treatment"] == "id_6_4"
    assert person.number not in repr(answer)
    assert person.birth_date not in repr(answer)


def test_the_ledger_entry_says_everything_but_who(
    guard: Guard, actors: dict[str, Actor], person: Person, ledger: Ledger, keys: GuardKeys
) -> None:
    """Pseudonyms for actor, case and subject; columns and how they were shown; no value."""
    query = LookupQuery("resident_id", person.number, PURPOSE, case="2026-0311", request_id="r1")
    answer = guard.lookup(actors["officer.east"], query)
    body = body_of(ledger, answer)
    assert body["event"] == "officer:subject:disclosed"
    assert body["time"] == "2026-03-07T09:30:00.000Z"
    assert body["actor"] == {
        "id": keys.actor.of("officer.east").hex(),
        "agency": "population",
        "post": "东街街道网格员",
        "roles": ["grid_officer"],
        "area": ["990106001"],
        "clearance": actors["officer.east"].clearance.name,
    }
    assert body["asked"] is None
    assert body["rules"] == ["grid-residence"]
    assert body["grants"] == []
    assert body["subject"] == keys.label.of(person.key).hex()
    assert body["case"] == keys.case.of("2026-0311").hex()
    assert body["dataset"] == ["population.resident", "housing.dwelling"]
    assert body["fields"]["population.resident.resident_id"] == "masked"
    assert body["fields"]["population.resident.birth_date"] == "generalised"
    assert body["fields"]["population.resident.name"] == "clear"
    assert set(body["fields"]) == {
        f"{record.dataset}.{column}"
        for record in answer.subjects[0].records
        for column in record.values
    }
    assert body["purpose"] == PURPOSE
    assert "个人信息保护法" in body["legal_basis"]
    assert body["decision"] == "allowed"
    assert body["request"] == "r1"
    assert body["policy"] == answer.policy_version
    assert body["snapshot"] == answer.snapshot_version == "20260301T000000Z"
    for secret in (person.number, person.name, person.phone, "officer.east", "2026-0311"):
        assert secret not in str(body)


def test_an_entry_says_what_was_asked(
    guard: Guard, actors: dict[str, Actor], person: Person, ledger: Ledger
) -> None:
    """As the catalogue knows it: whatever else was typed stays out of what cannot be erased."""
    east = actors["officer.east"]
    resident = ("population.resident",)
    query = replace(number_query(person), datasets=resident)
    assert body_of(ledger, guard.lookup(east, query))["asked"] == list(resident)
    for typed in ((*resident, "310101...", "x"), ("x",) * 9 + resident):
        refusal = guard.lookup(east, replace(query, datasets=typed))
        body = body_of(ledger, refusal)
        assert not refusal.allowed
        assert set(body["asked"]) == {"unknown", *resident}
        assert len(body["asked"]) == 2


def test_the_receipt_can_be_verified(
    guard: Guard,
    actors: dict[str, Actor],
    person: Person,
    ledger: Ledger,
    statements: Statements,
    publish: Callable[[], None],
) -> None:
    """By the stand-alone verifier, with the public key only."""
    answer = guard.lookup(
        actors["officer.east"], LookupQuery("resident_id", person.number, PURPOSE)
    )
    assert answer.receipt.indexes == (answer.receipt.index,)
    publish()
    assert report_of(str(statements.proof(answer.receipt.index)), ledger.key).valid


def test_not_there_and_not_yours_are_one_answer(
    guard: Guard, actors: dict[str, Actor], person: Person, ledger: Ledger, keys: GuardKeys
) -> None:
    """An officer of another area learns nothing; the subject learns of the attempt."""
    west = actors["officer.west"]
    elsewhere = guard.lookup(west, LookupQuery("resident_id", person.number, PURPOSE))
    nobody = guard.lookup(west, LookupQuery("resident_id", invented_id(sequence=555), PURPOSE))
    for answer in (elsewhere, nobody):
        assert not answer.allowed
        assert answer.subjects == ()
        assert "990106002" in answer.reason
        assert answer.remedy
    assert told(elsewhere) == told(nobody)
    assert len(elsewhere.receipt.indexes) == len(nobody.receipt.indexes) == 1
    first, second = body_of(ledger, elsewhere), body_of(ledger, nobody)
    assert first["event"] == second["event"] == "officer:subject:refused"
    assert first["reason"] == second["reason"]
    assert first["subject"] == keys.label.of(person.key).hex()
    assert second.keys() == first.keys()
    assert {name for name in first if first[name] != second[name]} == {"request", "subject"}
    assert ledger.entries_of(keys.label.of(invented_id(sequence=555).encode()[-16:])) == []


def told(answer: Answer) -> Answer:
    """Return an answer without what differs between any two of them."""
    receipt = replace(answer.receipt, index=0, indexes=(), leaf="", checkpoint="")
    return replace(answer, receipt=receipt, request_id="")


def test_a_person_without_a_place_is_nobodys(
    guard_of: Callable[..., Guard], actors: dict[str, Actor]
) -> None:
    """An unknown grid lies in no area."""
    nowhere = Person(invented_id(), grid=None)
    answer = guard_of(nowhere).lookup(
        actors["officer.east"], LookupQuery("resident_id", nowhere.number, PURPOSE)
    )
    assert not answer.allowed


def test_where_any_area_is_open_nobody_is_told_plainly(
    guard: Guard, actors: dict[str, Actor], ledger: Ledger
) -> None:
    """Existence is not protected from a counter with a case; it is recorded all the same."""
    query = LookupQuery("resident_id", invented_id(sequence=555), "assistance.review", case="C1")
    answer = guard.lookup(actors["window"], query)
    assert answer.allowed
    assert answer.subjects == ()
    assert body_of(ledger, answer)["reason"] == "没有查到此人 / nobody was found"


def test_a_refusal_reads_nothing_and_is_recorded(
    guard: Guard,
    actors: dict[str, Actor],
    person: Person,
    snapshot: MemorySnapshot,
    ledger: Ledger,
) -> None:
    """The decision comes before the store."""
    for who, purpose in (
        ("analyst", PURPOSE),
        ("oversight", PURPOSE),
        ("admin.system", PURPOSE),
        ("citizen", PURPOSE),
        ("window", PURPOSE),
        ("officer.east", "my neighbour 张三"),
    ):
        answer = guard.lookup(actors[who], LookupQuery("resident_id", person.number, purpose))
        assert not answer.allowed
        assert answer.subjects == ()
        assert answer.snapshot_version == ""
        body = body_of(ledger, answer)
        assert body["decision"] == "refused"
        assert body["reason"] == answer.reason
        assert "subject" not in body
        assert "张三" not in str(body)
    assert snapshot.reads == 0


def test_the_name_of_a_dataset_that_is_none_is_not_recorded(
    guard: Guard, actors: dict[str, Actor], person: Person, ledger: Ledger
) -> None:
    """What a caller writes there could be anything."""
    query = LookupQuery("resident_id", person.number, PURPOSE, datasets=("张三.13812345678",))
    answer = guard.lookup(actors["officer.east"], query)
    assert not answer.allowed
    assert "13812345678" not in str(body_of(ledger, answer)) + answer.reason


@pytest.mark.parametrize(
    ("by", "value"),
    [
        ("resident_id", "990106199003071230"),  # wrong check digit
        ("resident_id", "99010619900307"),
        ("resident_id", ""),
        ("resident_id", "990106199013401234"),
        ("handle", "00"),
        ("handle", "not hexadecimal"),
        ("name", "张三"),
    ],
)
def test_a_malformed_question_is_an_error_without_the_value(
    by: Any, value: str, guard: Guard, actors: dict[str, Actor], ledger: Ledger
) -> None:
    """Nothing is read or recorded, and the message does not repeat the value."""
    with pytest.raises(RequestError) as caught:
        guard.lookup(actors["officer.east"], LookupQuery(by, value, PURPOSE))
    assert not value or value not in str(caught.value)
    assert ledger.size == 0


def test_an_endless_case_reference_is_an_error(
    guard: Guard, actors: dict[str, Actor], person: Person
) -> None:
    """A case reference is a reference."""
    query = LookupQuery("resident_id", person.number, PURPOSE, case="x" * 65)
    with pytest.raises(RequestError):
        guard.lookup(actors["officer.east"], query)


def test_a_15_digit_number_and_small_x_find_the_same_person(
    guard_of: Callable[..., Guard], actors: dict[str, Actor]
) -> None:
    """Numbers are normalised before they are hashed."""
    number = next(n for i in range(100, 300) if (n := invented_id(sequence=i)).endswith("X"))
    guard = guard_of(Person(number))
    for written in (number.lower(), f" {number[:6]} {number[6:]}", number[:6] + number[8:17]):
        answer = guard.lookup(actors["officer.east"], LookupQuery("resident_id", written, PURPOSE))
        assert len(answer.subjects) == 1


def test_a_corrected_number_is_still_found_by_the_map(
    guard: Guard, snapshot: MemorySnapshot, actors: dict[str, Actor], person: Person
) -> None:
    """The map knows every number a subject ever had, not only the golden one."""
    former = invented_id(sequence=778)
    snapshot.also_known_as(former, person.key)
    answer = guard.lookup(actors["officer.east"], LookupQuery("resident_id", former, PURPOSE))
    assert len(answer.subjects) == 1


def test_records_outside_the_area_leave_no_trace(
    guard_of: Callable[..., Guard], actors: dict[str, Actor], person: Person
) -> None:
    """A home in another street is that street's."""
    dwelling = {**person.records[0], "clear": {**person.records[0]["clear"], "grid_code": WEST}}
    owner = replace(person, records=(dwelling,))
    answer = guard_of(owner).lookup(
        actors["officer.east"], LookupQuery("resident_id", owner.number, PURPOSE)
    )
    (subject,) = answer.subjects
    assert [record.dataset for record in subject.records] == ["population.resident"]
    assert "dwelling" not in repr(answer.subjects)


def test_a_child_is_masked_whole(guard_of: Callable[..., Guard], actors: dict[str, Actor]) -> None:
    """Under fourteen; welfare at the counter, where the rule lifts it, sees the name."""
    child = Person(invented_id("2015-06-01"), name="童小", birth_date="2015-06-01")
    guard = guard_of(child)
    answer = guard.lookup(actors["officer.east"], LookupQuery("resident_id", child.number, PURPOSE))
    values = answer.subjects[0].records[0].values
    assert {values[c] for c in ("name", "resident_id", "phone", "birth_date")} == {"***"}
    assert values["sex"] == "1"
    assert "童小" not in repr(answer)
    assert "2015" not in repr(answer.subjects)
    query = LookupQuery("resident_id", child.number, "assistance.review", case="C1")
    assert guard.lookup(actors["window"], query).subjects[0].records[0].values["name"] == "童小"


def test_whose_age_is_unknown_is_treated_as_a_child(
    guard_of: Callable[..., Guard], actors: dict[str, Actor]
) -> None:
    """The careful way round."""
    unknown = Person(invented_id(), birth_date="unknown")
    answer = guard_of(unknown).lookup(
        actors["officer.east"], LookupQuery("resident_id", unknown.number, PURPOSE)
    )
    assert answer.subjects[0].records[0].values["name"] == "***"


def test_police_see_parties_only_in_an_open_case(
    guard: Guard, actors: dict[str, Actor], person: Person
) -> None:
    """With the case the incident is shown; for any other purpose there is none."""
    police = actors["officer.police"]
    purpose = "public_safety.investigation"
    query = LookupQuery("resident_id", person.number, purpose, case="A1")
    records = {r.dataset: r for r in guard.lookup(police, query).subjects[0].records}
    assert records["police.incident"].values["reporter_name"] == "欧阳明日"
    assert not guard.lookup(police, replace(query, case=None)).allowed
    other = guard.lookup(police, LookupQuery("resident_id", person.number, PURPOSE))
    assert "police.incident" not in {r.dataset for r in other.subjects[0].records}


def test_search_lists_masked_persons_with_a_leaf_each(
    guard_of: Callable[..., Guard], actors: dict[str, Actor], ledger: Ledger
) -> None:
    """Capped at twenty; a handle leads to the single look, for the same actor only."""
    people = [Person(invented_id(sequence=i), name=f"王{i}") for i in range(100, 125)]
    guard = guard_of(*people)
    east = actors["officer.east"]
    query = SearchQuery("phone", "138 1234 5678", PURPOSE)
    answer = guard.search(east, query)
    assert len(answer.subjects) == 20
    assert answer.more
    assert len(answer.receipt.indexes) == 20
    labels = {ledger.entry(i).label for i in answer.receipt.indexes}
    assert len(labels) == 20
    values = answer.subjects[0].records[0].values
    assert values["name"] == "王**"
    assert values["resident_id"].count("*") == 16
    assert not any(p.number in repr(answer) for p in people)
    handle = answer.subjects[0].handle
    seen = guard.lookup(east, LookupQuery("handle", handle, PURPOSE))
    assert seen.subjects[0].records[0].values["name"].startswith("王1")
    with pytest.raises(RequestError):
        guard.lookup(actors["officer.west"], LookupQuery("handle", handle, PURPOSE))


def test_a_handle_expires(
    guard: Guard, guard_in: Callable[[timedelta], Guard], actors: dict[str, Actor]
) -> None:
    """After an hour the search has to be asked, and recorded, again."""
    query = SearchQuery("name_birth", "欧阳明日", PURPOSE, birth_date="1990-03-07")
    handle = guard.search(actors["officer.east"], query).subjects[0].handle
    later = guard_in(timedelta(minutes=61))
    with pytest.raises(RequestError, match="expired"):
        later.lookup(actors["officer.east"], LookupQuery("handle", handle, PURPOSE))


def test_persons_of_other_areas_leave_no_trace_in_a_list(
    guard_of: Callable[..., Guard], actors: dict[str, Actor], ledger: Ledger
) -> None:
    """Neither shown nor counted nor among the entries."""
    here = Person(invented_id(sequence=101))
    others = [Person(invented_id(sequence=i), grid=WEST) for i in range(200, 230)]
    guard = guard_of(here, *others)
    answer = guard.search(actors["officer.east"], SearchQuery("phone", here.phone, PURPOSE))
    assert len(answer.subjects) == 1
    assert not answer.more
    assert ledger.size == 1
    none = guard_of(*others).search(
        actors["officer.east"], SearchQuery("phone", here.phone, PURPOSE)
    )
    assert not none.allowed
    assert none.subjects == ()


@pytest.mark.parametrize(
    ("by", "value", "birth"),
    [
        ("name_birth", "欧阳明日", None),
        ("name_birth", "欧阳明日", "1990-3-7"),
        ("phone", "", None),
        ("address", "x" * 300, None),
        ("plate", "浙A12345", None),
    ],
)
def test_malformed_searches(
    by: Any, value: str, birth: str | None, guard: Guard, actors: dict[str, Actor]
) -> None:
    """A name alone is no question: without a birth date it would list a district."""
    with pytest.raises(RequestError):
        guard.search(actors["officer.east"], SearchQuery(by, value, PURPOSE, birth_date=birth))


def test_a_counter_may_not_search(
    guard: Guard, actors: dict[str, Actor], snapshot: MemorySnapshot
) -> None:
    """One present applicant, one number, one case."""
    query = SearchQuery("phone", "13812345678", PURPOSE, case="c")
    assert not guard.search(actors["window"], query).allowed
    assert snapshot.reads == 0


def test_the_awaited_way_gives_the_same_answer(
    guard: Guard, actors: dict[str, Actor], person: Person
) -> None:
    """Sixteen at once, one entry each."""
    query = LookupQuery("resident_id", person.number, PURPOSE)

    async def many() -> list[Answer]:
        asked = (guard.lookup_async(actors["officer.east"], query) for _ in range(16))
        return list(await asyncio.gather(*asked))

    answers = asyncio.run(many())
    assert len({a.receipt.index for a in answers}) == 16
    alone = guard.lookup(actors["officer.east"], query)
    assert all(told(answer) == told(alone) for answer in answers)
