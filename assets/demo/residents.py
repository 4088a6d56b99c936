"""The rows of population.resident: what the population office holds about each person."""

from __future__ import annotations

from zlib import crc32

import numpy as np
import numpy.typing as npt
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
    draws = Draws(people.number, district.seed)
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
    works = (age >= 19) & (age < 60) & (draws.of("works") < 0.7)
    return {
        "resident_id": people.number,
        "name": people.name,
        "former_name": _former_names(draws, people),
        "sex": text(people.sex),
        "ethnicity": padded(people.ethnicity, 2),
        "birth_date": days(people.birth),
        "person_status": text(people.status),
        "residence_type": where(mobile, "3", where(draws.of("second home") < 0.02, "2", "1")),
        "household_id": household_ids(block, people.household),
        "relation_to_head": _relations(people),
        "marital_status": text(people.marital),
        "education": text(_education(draws, age)),
        "phone": people.phone,
        "registered_address": where(mobile, away, residence),
        "residence_address": residence,
        "address_id": homes.address_id.take(pa.array(slot)),
        "division_code": pc.utf8_slice_codeunits(grid, 0, 12),
        "grid_code": grid,
        "workplace": where(works, pick(_EMPLOYERS, draws.below("employer", len(_EMPLOYERS))), None),
        "collected_on": days(people.collected),
    }


def household_ids(block: Block, household: Ints) -> Column:
    """Return the household numbers of a block."""
    return join("H990106", f"{block.index:04d}", padded(household, 6))


class Draws:
    """Random numbers that belong to a person: the same in every month, whoever else comes or goes.

    Source: the output function of SplitMix64, on the first 17 digits of the identity number.
    """

    def __init__(self, numbers: Column, seed: int) -> None:
        bodies = pc.utf8_slice_codeunits(numbers, 0, 17).cast(pa.int64())
        self._state = bodies.to_numpy(zero_copy_only=False).astype(np.uint64)
        self._seed = seed

    def of(self, noun: str) -> npt.NDArray[np.float64]:
        """Return one number in [0, 1) a person."""
        salt = np.uint64(crc32(f"{self._seed} {noun}".encode()))
        with np.errstate(over="ignore"):
            mixed = self._state * np.uint64(0x9E3779B97F4A7C15) + salt * np.uint64(
                0xD1B54A32D192ED03
            )
            mixed = (mixed ^ (mixed >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
            mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
            mixed ^= mixed >> np.uint64(31)
        shares: npt.NDArray[np.float64] = (mixed >> np.uint64(11)).astype(np.float64) / 2**53
        return shares

    def below(self, noun: str, limit: int) -> Ints:
        """Return one integer in [0, limit) a person."""
        return (self.of(noun) * limit).astype(np.int64)


def _former_names(draws: Draws, people: People) -> Column:
    has: Flags = draws.of("former name") < 0.015
    given = where(
        people.sex == 1,
        pick(tuple(names.MEN), draws.below("given name", len(names.MEN))),
        pick(tuple(names.WOMEN), draws.below("given name", len(names.WOMEN))),
    )
    old = join(pick(names.SURNAMES, people.surname), given)
    return where(has & ~np.isin(people.ethnicity, names.DOTTED_PEOPLES), old, None)


def _relations(people: People) -> Column:
    child = np.where(people.sex == 1, 20, 30)
    codes = np.select(
        [people.place == HEAD, people.place == SPOUSE, people.place < 4], [2, 10, child], 50
    )
    return padded(codes, 2)


def _education(draws: Draws, age: Ints) -> Ints:
    shares = np.cumsum((0.04, 0.19, 0.18, 0.13, 0.16, 0.2))
    adult = np.array([10, 20, 30, 40, 60, 70, 80])[np.searchsorted(shares, draws.of("education"))]
    codes: Ints = np.select([age < 7, age < 13, age < 16, age < 19], [90, 80, 70, 60], adult)
    return codes
