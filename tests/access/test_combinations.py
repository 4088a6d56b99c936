"""What is shown together, or one answer after another, never gives back what is hidden."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from typing import Literal

import pytest

from access.answers import LookupQuery, SearchQuery
from access.decision import Decider
from access.files import POLICY_FOLDER
from access.guard import Guard
from access.masking import age_band, masks_of
from access.model import Action, Actor, CaseStanding, Request
from access.policy import Policy, load_policy
from access.ports import GuardKeys
from hub.catalog import Catalog
from hub.clock import FixedClock
from hub.ledger.log import Ledger
from hub.store.usage import Usage
from tests.access.conftest import NOW
from tests.access.keeping import keeper_of
from tests.access.people import MemorySnapshot, Person, invented_id
from tests.access.registers import MemoryRegisters

PURPOSES = ("residence.verify", "housing.rental_check", "elderly.service")


def fits(number: str, shown: str) -> bool:
    """Say whether a number could be what a mask shows of it."""
    return all(s in ("*", n) for n, s in zip(number, shown, strict=True))


@pytest.mark.parametrize("purpose", PURPOSES)
@pytest.mark.parametrize("way", ["name_birth", "phone", "address"])
def test_searching_and_looking_never_gives_the_number(
    purpose: str,
    way: Literal["name_birth", "phone", "address"],
    guard: Guard,
    actors: dict[str, Actor],
    person: Person,
) -> None:
    """Who knows name and birth date, and follows every handle, is left with hundreds of numbers.

    An address or telephone number seen in one answer finds the same person again: so every handle
    shows no more than 1+1.
    """
    east = actors["officer.east"]
    values = {
        "name_birth": person.name,
        "phone": person.phone,
        "address": "明镜区东街街道朝阳社区文化路12号3单元502室",
    }
    birth = person.birth_date if way == "name_birth" else None
    found = guard.search(east, SearchQuery(way, values[way], purpose, birth_date=birth))
    seen = [found, guard.lookup(east, LookupQuery("handle", found.subjects[0].handle, purpose))]
    shown = [
        str(value)
        for answer in seen
        for subject in answer.subjects
        for cells in (
            *(record.values for record in subject.records),
            {name: cell["value"] for name, cell in subject.golden.items()},
        )
        for column, value in cells.items()
        if column in ("resident_id", "owner_id") and value is not None
    ]
    assert shown
    candidates = [invented_id(person.birth_date, serial) for serial in range(1000)]
    left = [n for n in candidates if all(fits(n, mask) for mask in shown)]
    assert person.number in left
    assert len(left) > 50
    by_number = guard.lookup(east, LookupQuery("resident_id", person.number, purpose))
    assert by_number.subjects[0].records[0].values["resident_id"] == (
        f"{person.number[:6]}********{person.number[14:]}"
    )


def policy_with(folder: Path, catalog: Catalog, old: str, new: str) -> Policy:
    """Return the shipped policy, where no mask can be lifted, with one text replaced."""
    lines = (POLICY_FOLDER / "purposes.yaml").read_text().splitlines(keepends=True)
    text = "".join(line for line in lines if not line.startswith("      unmask:"))
    assert old in text
    (folder / "purposes.yaml").write_text(text.replace(old, new))
    return load_policy(catalog, folder)


NUMBER = "masked: [resident_id, phone, registered_address]"
MORE = "pseudonym: [resident_id]\n      masked: [phone, registered_address]"


@pytest.fixture
def naming(
    tmp_path: Path,
    catalog: Catalog,
    ledger: Ledger,
    keys: GuardKeys,
    clock: FixedClock,
    registers: MemoryRegisters,
    usage: Usage,
    person: Person,
) -> Callable[..., Guard]:
    """Make a guard whose residence checks show a pseudonym in place of the number."""

    def make(old: str = NUMBER, new: str = MORE) -> Guard:
        policy = policy_with(tmp_path, catalog, old, new)
        decider = Decider(policy, catalog, keys.recipient.of)
        snapshot = MemorySnapshot(keys, (person,))
        return Guard(keeper_of(decider), catalog, snapshot, ledger, keys, clock, usage, registers)

    return make


def resident_of(guard: Guard, actor: Actor, person: Person, purpose: str) -> dict[str, object]:
    """Return what is shown of the person's population record."""
    query = LookupQuery("resident_id", person.number, purpose)
    return dict(guard.lookup(actor, query).subjects[0].records[0].values)


def test_a_pseudonym_is_of_one_recipient_and_purpose(
    naming: Callable[..., Guard], actors: dict[str, Actor], person: Person
) -> None:
    """The same for two officers of an agency, another for another agency or purpose."""
    guard = naming("masked: [resident_id,", "pseudonym: [resident_id]\n      masked: [")
    east = actors["officer.east"]
    colleague = replace(east, id="officer.other", post="另一网格员")
    police = actors["officer.police"]

    def name(actor: Actor, purpose: str) -> object:
        return resident_of(guard, actor, person, purpose)["resident_id"]

    names = {
        name(east, "residence.verify"),
        name(police, "residence.verify"),
        name(east, "housing.rental_check"),
        name(police, "housing.rental_check"),
    }
    assert len(names) == 4
    assert name(colleague, "residence.verify") == name(east, "residence.verify")
    assert all(isinstance(n, str) and len(n) == 32 for n in names)


def test_a_pseudonym_is_keyed_and_tells_whose_it_is_to_nobody(
    naming: Callable[..., Guard], actors: dict[str, Actor], person: Person
) -> None:
    """The number stands nowhere beside it, in clear or masked, in whatever dataset."""
    guard = naming()
    answer = guard.lookup(
        actors["officer.east"], LookupQuery("resident_id", person.number, "residence.verify")
    )
    numbers = {
        column: value
        for held in answer.subjects[0].records
        for column, value in held.values.items()
        if column in ("resident_id", "owner_id")
    }
    assert set(numbers) == {"resident_id", "owner_id"}
    assert len(set(numbers.values())) == 1
    assert "*" not in numbers["resident_id"]
    assert person.number[:6] not in numbers["resident_id"]
    kinds = {cell["treatment"] for cell in answer.subjects[0].golden.values()}
    assert "pseudonym" in kinds


def test_without_a_key_no_pseudonym_is_shown(
    tmp_path: Path, catalog: Catalog, actors: dict[str, Actor]
) -> None:
    """Explanations and the matrix have none."""
    decider = Decider(policy_with(tmp_path, catalog, NUMBER, MORE), catalog)
    request = Request(actors["officer.east"], Action.LOOKUP, None, "residence.verify", at=NOW)
    plan = decider.plan(request)
    assert plan.decision.fields["population.resident.resident_id"] == "pseudonym"
    assert "population.resident.resident_id" not in plan.own.cells


@pytest.mark.parametrize("hidden", ["age_band", "pseudonym", "generalised"])
def test_a_number_in_clear_does_not_stand_beside_a_hidden_birth_date(
    hidden: str, tmp_path: Path, catalog: Catalog, actors: dict[str, Actor]
) -> None:
    """The number holds it."""
    old = "clear: [resident_id, name, former_name, sex, birth_date,"
    new = f"{hidden}: [birth_date]\n      clear: [resident_id, name, former_name, sex,"
    decider = Decider(policy_with(tmp_path, catalog, old, new), catalog)
    purpose, police = "public_safety.investigation", actors["officer.police"]
    request = Request(police, Action.LOOKUP, None, purpose, "c", CaseStanding.OPEN, at=NOW)
    fields = decider.decide(request).fields
    assert fields["population.resident.resident_id"] == "id_6_4"
    assert fields["police.case.suspect_id"] == "id_6_4"


def test_an_age_band_does_not_tell_the_birthday(
    guard_in: Callable[[timedelta], Guard], actors: dict[str, Actor], person: Person
) -> None:
    """Asked every day of three years, it changes at New Year; a kept decision does not outlive it."""
    bands: dict[str, date] = {}
    for day in range(3 * 365):
        today = NOW.date() + timedelta(days=day)
        bands.setdefault(age_band("1987-05-20", today), today)
    assert bands == {"30–39": NOW.date(), "40–49": date(2027, 1, 1)}

    def seen(day: date) -> object:
        guard = guard_in(timedelta(days=(day - NOW.date()).days))
        return resident_of(guard, actors["officer.east"], person, "elderly.service")["birth_date"]

    assert person.birth_date == "1990-03-07"
    assert seen(date(2029, 12, 31)) == "30–39"
    assert seen(date(2030, 1, 1)) == "40–49"


@pytest.mark.parametrize(
    ("birth", "band"),
    [
        ("2026-03-07", "0–9"),
        ("2017-12-31", "0–9"),
        ("2016-12-31", "10–19"),
        ("1937-01-01", "80–89"),
        ("1936-12-31", "90+"),
        ("1900-01-01", "90+"),
        ("2027-01-01", "***"),
        ("unknown", "***"),
    ],
)
def test_age_bands(birth: str, band: str) -> None:
    """Ten years each; the oldest are one band, and what is no birth date is nothing."""
    assert masks_of(date(2026, 3, 7), "a", "p")["generalised_age_band"](birth) == band


def test_a_disability_certificate_goes_with_the_number(
    naming: Callable[..., Guard], actors: dict[str, Actor]
) -> None:
    """It begins with it: where one has a pseudonym, so has the other."""
    old, new = "masked: [certificate_no, holder_id]", "pseudonym: [holder_id]\n      masked: ["
    guard = naming(old, f"{new}certificate_no]")
    east = actors["officer.east"]
    request = Request(east, Action.LOOKUP, None, "elderly.service", at=NOW)
    fields = guard.decider.decide(request).fields
    assert fields["civil_affairs.disability.certificate_no"] == "pseudonym"
    assert fields["population.resident.resident_id"] == "pseudonym"
