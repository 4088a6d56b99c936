"""People: everyone of a block with numbers, names and standing; who is born and who dies."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np
import pyarrow as pa

from assets.demo import names, numbers
from assets.demo.columns import Column, Flags, Ints, nothing, where
from assets.demo.district import Block, District
from assets.demo.households import CHILD, HEAD, MOTHER, SPOUSE, Households

ACTIVE, DEAD = 0, 9
SINGLE, MARRIED, FIRST_MARRIAGE, REMARRIED, WIDOWED, DIVORCED = 10, 20, 21, 22, 30, 40


@dataclass(frozen=True, slots=True)
class People:
    """Everyone of a block, one row per person, by household; day numbers since 1900-01-01.

    Args:
        household: index of the household in the block.
        place: head, spouse, child … as in `households`.
        sex: 1 male, 2 female.
        status: 0 active, 9 dead.
        marital: GB/T 2261.2 code.
        died: day of death, -1 for the living.
        collected: day the record was last verified.
    """

    household: Ints
    place: Ints
    sex: Ints
    birth: Ints
    ethnicity: Ints
    surname: Ints
    status: Ints
    marital: Ints
    died: Ints
    collected: Ints
    number: Column
    name: Column
    phone: Column

    def __len__(self) -> int:
        return len(self.household)

    def age(self, day: int) -> Ints:
        """Return ages in years on a day."""
        years: Ints = ((day - self.birth) / 365.2425).astype(np.int64)
        return years

    def joined(self, other: People) -> People:
        """Return these people followed by the others."""
        return People(
            *(_joined(getattr(self, f.name), getattr(other, f.name)) for f in fields(self))
        )


def _joined(first: Any, second: Any) -> Any:
    if isinstance(first, np.ndarray):
        return np.concatenate([first, second])
    return pa.concat_arrays([first, second])


def settle(district: District, block: Block, frame: Households, issuer: numbers.Issuer) -> People:
    """Return the people of a block as they are at the end of the first month."""
    random = district.random("people", block.index)
    household, place = np.nonzero(frame.ages >= 0)
    rows = len(household)
    today = district.last_day()
    birth = today - (frame.ages[household, place] * 365.2425).astype(np.int64)
    birth = birth - random.integers(0, 365, rows)
    sex = _sexes(frame, household, place)
    surname = _surnames(random, frame, household, place)
    people = _ethnic_groups(random, len(frame))[household]
    mobile = numbers.phones(block.first + np.arange(rows))
    silent = (today - birth < 12 * 365) | (random.random(rows) < 0.22)
    silent[0] = False
    marital = _marital(random, frame, household, place)
    return People(
        household,
        place,
        sex,
        birth,
        people,
        surname,
        np.zeros(rows, np.int64),
        marital,
        np.full(rows, -1),
        np.maximum(birth, today - random.integers(0, 365, rows)),
        issuer.residents(birth, sex),
        names.full_names(random, sex, surname, people),
        where(silent, None, mobile),
    )


def _sexes(frame: Households, household: Ints, place: Ints) -> Ints:
    head = frame.head_male[household]
    child = frame.child_male[household, np.clip(place - CHILD, 0, 1)]
    male = np.select(
        [place == HEAD, place == SPOUSE, place < 4, place == MOTHER],
        [head, ~head, child, False],
        True,
    )
    sex: Ints = np.where(male, 1, 2).astype(np.int64)
    return sex


def _surnames(random: np.random.Generator, frame: Households, household: Ints, place: Ints) -> Ints:
    """Give children their father's surname; the head's father has the head's."""
    of_head = names.surname_indexes(random, len(frame))
    of_spouse = names.surname_indexes(random, len(frame))
    father_is_spouse = ~frame.head_male & (frame.ages[:, SPOUSE] >= 0)
    of_child = np.where(father_is_spouse, of_spouse, of_head)
    own = names.surname_indexes(random, len(household))
    choices = [of_head[household], of_spouse[household], of_child[household], own]
    cases = [(place == HEAD) | (place == 4), place == SPOUSE, place < 4, place == MOTHER]
    surnames: Ints = np.select(cases, choices)
    return surnames


def _ethnic_groups(random: np.random.Generator, count: int) -> Ints:
    minority = random.choice([2, 3, 4, 5, 6, 8, 11, 15, 17, 41], count, p=_MINORITIES)
    groups: Ints = np.where(random.random(count) < 0.93, 1, minority).astype(np.int64)
    groups[0] = 1
    return groups


_MINORITIES = (0.10, 0.24, 0.06, 0.12, 0.10, 0.10, 0.14, 0.08, 0.04, 0.02)


def _marital(random: np.random.Generator, frame: Households, household: Ints, place: Ints) -> Ints:
    ages = frame.ages[household, place]
    both_parents = (frame.ages[:, 4] >= 0) & (frame.ages[:, 5] >= 0)
    wed = np.where(place < 2, frame.ages[household, SPOUSE] >= 0, both_parents[household])
    draw = random.random(len(household))
    married = np.select([draw < 0.25, draw < 0.93], [MARRIED, FIRST_MARRIAGE], REMARRIED)
    widowed_at = np.interp(ages, (30, 60, 80), (0.0, 0.3, 0.85))
    never_at = np.interp(ages, (22, 30, 45), (1.0, 0.75, 0.35))
    alone = np.select(
        [draw < widowed_at, draw < widowed_at + (1 - widowed_at) * never_at],
        [WIDOWED, SINGLE],
        DIVORCED,
    )
    lone_parent = (place == HEAD) & (frame.ages[household, CHILD] >= 0) & ~wed
    alone = np.where(lone_parent & (alone == SINGLE), DIVORCED, alone)
    alone = np.where((place > 3) & (alone != WIDOWED), WIDOWED, alone)
    is_child = (place == CHILD) | (place == CHILD + 1)
    codes: Ints = np.select([is_child, wed], [SINGLE, married], alone).astype(np.int64)
    return codes


def bury(
    district: District, block: Block, people: People, spared: Flags, months_later: int = 0
) -> People:
    """Return the people with the month's deaths; the first month holds those of the whole year.

    Only the widowed elderly, elderly people living alone and the spouses of elderly heads die, so
    that every household keeps its head; the surviving partner is widowed.

    Args:
        spared: households of which nobody dies.
    """
    random = district.random("deaths", block.index, months_later)
    today = district.last_day(months_later)
    start = district.first_day(months_later) if months_later else today - 364
    age = people.age(today)
    size = np.bincount(people.household)[people.household]
    may = (age >= 66) & ((people.place != HEAD) | (size == 1)) & (people.status == ACTIVE)
    may &= ~spared[people.household]
    yearly = np.interp(age, (66, 80, 95), (0.055, 0.13, 0.42))
    dead = may & (random.random(len(people)) < yearly * ((today - start) / 364))
    day = random.integers(start, today - 4, len(people))
    status = np.where(dead, DEAD, people.status)
    died = np.where(dead, day, people.died)
    bereaved = np.isin(people.household, people.household[dead & (people.place == SPOUSE)])
    parents = np.isin(people.household, people.household[dead & (people.place > 3)])
    widow = (bereaved & (people.place == HEAD)) | (parents & (people.place > 3) & ~dead)
    marital = np.where(widow, WIDOWED, people.marital)
    collected = np.where(dead, np.minimum(died + 3, today), people.collected)
    return replace(people, status=status, died=died, marital=marital, collected=collected)


def newborn(
    district: District, block: Block, people: People, issuer: numbers.Issuer, months_later: int
) -> People:
    """Return the children born in a later month to young couples of the block."""
    random = district.random("births", block.index, months_later)
    first, last = district.first_day(months_later), district.last_day(months_later)
    mother = (people.sex == 2) & (people.place < 2) & (people.marital != SINGLE)
    age = people.age(last)
    gives_birth = mother & (age >= 22) & (age <= 39) & (random.random(len(people)) < 0.009)
    household = people.household[gives_birth]
    heads = np.flatnonzero(people.place == HEAD)[household]
    rows = len(household)
    sex = random.integers(1, 3, rows)
    birth = random.integers(first, last + 1, rows)
    surname, group = people.surname[heads], people.ethnicity[heads]
    zeros = np.zeros(rows, np.int64)
    return People(
        household,
        np.full(rows, CHILD),
        sex,
        birth,
        group,
        surname,
        zeros,
        zeros + SINGLE,
        zeros - 1,
        np.full(rows, last),
        issuer.residents(birth, sex),
        names.full_names(random, sex, surname, group),
        nothing(rows),
    )
