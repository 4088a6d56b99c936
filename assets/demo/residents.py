"""The rows of population.resident: what the population office holds about each person."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from assets.demo import names
from assets.demo.columns import Column, Flags, Ints, days, join, padded, pick, text, where
from assets.demo.district import Block, District, places
from assets.demo.homes import Homes
from assets.demo.households import HEAD, SPOUSE
from assets.demo.population import People

_EMPLOYERS = (
    *(
        "明镜精密机械厂",
        "东门百货",
        "清泉食品公司",
        "区第一中学",
        "区实验小学",
        "南湖医院",
        "北苑客运",
    ),
    *("学士书店", "望月软件公司", "松岭建材市场", "文昌印务", "柳荫家政", "新风物业", "渔歌饭店"),
    *("虚设银行明镜支行", "明镜供水公司", "区环卫所", "锦绣服装厂", "云栖物流", "丹霞装饰公司"),
)
_FAR_ROADS = ("滨江路", "渡口街", "船厂路", "码头巷", "临江大道", "沙洲路")


def resident_rows(
    district: District, block: Block, people: People, homes: Homes, months_later: int = 0
) -> dict[str, Column]:
    """Return the rows of population.resident, one per person, before any oddity or error."""
    random = district.random("residents", block.index)
    rows = len(people)
    today = district.last_day(months_later)
    age = people.age(today)
    slot = homes.slot_of[people.household]
    residence = homes.address.take(pa.array(slot))
    grid = pick([place.code for place in places()], homes.grid[slot])
    mobile = homes.is_tenant[people.household] & (homes.draw[people.household] < 0.6)
    away = join(
        "虚设省虚设市望江区",
        pick(_FAR_ROADS, people.surname % 6),
        text(people.household % 900 + 1),
        "号",
    )
    works = (age >= 19) & (age < 60) & (random.random(rows) < 0.7)
    return {
        "resident_id": people.number,
        "name": people.name,
        "former_name": _former_names(random, people),
        "sex": text(people.sex),
        "ethnicity": padded(people.ethnicity, 2),
        "birth_date": days(people.birth),
        "person_status": text(people.status),
        "residence_type": where(mobile, "3", where(random.random(rows) < 0.02, "2", "1")),
        "household_id": household_ids(block, people.household),
        "relation_to_head": _relations(people),
        "marital_status": text(people.marital),
        "education": text(_education(random, age)),
        "phone": people.phone,
        "registered_address": where(mobile, away, residence),
        "residence_address": residence,
        "address_id": homes.address_id.take(pa.array(slot)),
        "division_code": pc.utf8_slice_codeunits(grid, 0, 12),
        "grid_code": grid,
        "workplace": where(works, pick(_EMPLOYERS, random.integers(20, size=rows)), None),
        "collected_on": days(people.collected),
    }


def household_ids(block: Block, household: Ints) -> Column:
    """Return the household numbers of a block."""
    return join("H990106", f"{block.index:04d}", padded(household, 6))


def _former_names(random: np.random.Generator, people: People) -> Column:
    has: Flags = random.random(len(people)) < 0.015
    old = join(pick(names.SURNAMES, people.surname), names.given_names(random, people.sex))
    return where(has & ~np.isin(people.ethnicity, names.DOTTED_PEOPLES), old, None)


def _relations(people: People) -> Column:
    child = np.where(people.sex == 1, 20, 30)
    codes = np.select(
        [people.place == HEAD, people.place == SPOUSE, people.place < 4], [2, 10, child], 50
    )
    return padded(codes, 2)


def _education(random: np.random.Generator, age: Ints) -> Ints:
    adult = random.choice(
        [10, 20, 30, 40, 60, 70, 80], len(age), p=(0.04, 0.19, 0.18, 0.13, 0.16, 0.2, 0.1)
    )
    codes: Ints = np.select([age < 7, age < 13, age < 16, age < 19], [90, 80, 70, 60], adult)
    return codes
