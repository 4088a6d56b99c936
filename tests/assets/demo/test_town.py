"""The people of the district hang together before any error is planted."""

from __future__ import annotations

import numpy as np
import pytest

from assets.demo.district import Block, District
from assets.demo.homes import OWNED
from assets.demo.households import CHILD, HEAD, SPOUSE
from assets.demo.population import DEAD, SINGLE, WIDOWED
from assets.demo.residents import resident_rows
from assets.demo.town import Town, open_registry, settle

DISTRICT = District(6_000, seed=5)


def _town(later: int = 0) -> tuple[Block, Town]:
    block = next(iter(DISTRICT.blocks()))
    return block, settle(open_registry(DISTRICT, later), block)


@pytest.fixture(scope="module")
def town() -> Town:
    return _town()[1]


def test_every_household_has_one_head_who_is_alive_or_alone(town: Town) -> None:
    people = town.people
    heads = people.place == HEAD

    assert len(people) == 6_000
    assert np.array_equal(people.household[heads], np.arange(people.household.max() + 1))
    size = np.bincount(people.household)
    assert (size[people.household[heads & (people.status == DEAD)]] == 1).all()


def test_couples_are_of_two_sexes_and_married_or_bereaved(town: Town) -> None:
    people = town.people
    spouses = np.flatnonzero(people.place == SPOUSE)
    heads = np.flatnonzero(people.place == HEAD)[people.household[spouses]]

    assert (people.sex[spouses] != people.sex[heads]).all()
    assert set(people.marital[spouses]) <= {20, 21, 22}
    bereaved = people.status[spouses] == DEAD
    assert (people.marital[heads[bereaved]] == WIDOWED).all()
    assert set(people.marital[heads[~bereaved]]) <= {20, 21, 22}


def test_children_are_single_and_young_enough_to_have_their_parents(town: Town) -> None:
    people = town.people
    children = np.flatnonzero((people.place == CHILD) | (people.place == CHILD + 1))
    heads = np.flatnonzero(people.place == HEAD)[people.household[children]]

    assert (people.marital[children] == SINGLE).all()
    assert (people.birth[children] - people.birth[heads]).min() > 15 * 365


def test_all_ages_live_here(town: Town) -> None:
    age = town.people.age(DISTRICT.last_day())

    assert age.min() >= 0
    assert age.max() < 105
    assert 0.08 < (age < 14).mean() < 0.25
    assert 0.10 < (age >= 65).mean() < 0.30
    assert 0.45 < (town.people.sex == 1).mean() < 0.55


def test_latest_registration_agrees_with_marital_status(town: Town) -> None:
    people, acts = town.people, town.acts
    married = acts.kind != 1
    partners = np.concatenate([acts.person[married], acts.other[married]])

    assert set(people.marital[partners]) <= {20, 21, 22, WIDOWED}
    assert set(people.marital[acts.person[~married]]) == {40}
    assert (acts.day < DISTRICT.last_day()).all()


def test_rented_homes_belong_to_owners_who_live_in_their_own(town: Town) -> None:
    landlords = town.homes.landlord[town.homes.landlord >= 0]

    assert (town.homes.tenure[landlords] == OWNED).all()
    assert (town.lettings.tenant != town.lettings.landlord).all()


def test_addresses_are_distinct_and_in_the_grid_of_their_code(town: Town) -> None:
    ids, names = town.homes.address_id.to_pylist(), town.homes.address.to_pylist()

    assert len(set(ids)) == len(set(names)) == len(ids)


def test_names_hold_what_real_registers_hold() -> None:
    names = _town()[1].people.name.to_pylist()

    assert any(name.startswith("欧阳") for name in names)
    assert any("·" in name for name in names)
    assert any(ord(c) > 0xFFFF for name in names for c in name)


def test_a_month_later_some_moved_were_born_and_died(town: Town) -> None:
    block, later = _town(1)
    rows = resident_rows(DISTRICT, block, later.people, later.homes, 1)

    assert len(later.people) > 6_000
    assert later.people.number.slice(0, 6_000) == town.people.number
    assert (later.people.status == DEAD).sum() > (town.people.status == DEAD).sum()
    assert (later.homes.slot_of != town.homes.slot_of).any()
    moved = len(later.lettings.slot) - len(town.lettings.slot)
    assert moved > 0
    assert len(set(rows["resident_id"].to_pylist())) == len(later.people)
    assert (later.people.birth[6_000:] > DISTRICT.last_day()).all()
