"""What the police hold: cases, disputes and incidents, with parties who live in the block."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from assets.demo import names, numbers
from assets.demo.columns import (
    Column,
    Ints,
    days,
    join,
    moments,
    nothing,
    padded,
    pick,
    text,
    where,
)
from assets.demo.district import District, places
from assets.demo.homes import Homes
from assets.demo.matters import Matters, Share
from assets.demo.population import ACTIVE, People

_CASE_DETAIL = {
    "theft": "报警人称家中财物被盗，门锁无撬压痕迹，损失 {} 元，已勘查现场。",
    "telecom_fraud": "受害人称接到自称“客服”的来电，按要求转账 {} 元后对方失联，已申请止付。",
}
_DISPUTE_DETAIL = {
    "neighbour": "双方因楼道堆物和夜间噪声发生争执,言辞激烈,经到场劝解。",
    "labour": '劳动者反映工资拖欠,用工方称"工程款未结清",约定限期答复。',
    "enterprise": "经营场所与周边居民因油烟排放产生矛盾，已约谈经营者。",
}


def adults(district: District, people: People) -> Ints:
    """Return the persons who can report or quarrel: alive and between 18 and 85."""
    age = people.age(district.last_day())
    chosen: Ints = np.flatnonzero((age >= 18) & (age <= 85) & (people.status == ACTIVE))
    return chosen


@dataclass(frozen=True, slots=True)
class Scene:
    """Where the matters of a block happened: station, address and grid of the first party."""

    station_code: Column
    station_name: Column
    address: Column
    grid_code: Column


def scene(people: People, homes: Homes, persons: Ints) -> Scene:
    """Return the place of each matter: the home of its first party."""
    slot = homes.slot_of[people.household[persons]]
    grid = homes.grid[slot]
    street = [place.code[8] for place in places()]
    return Scene(
        pick([f"9901065{number}0000" for number in street], grid),
        pick([f"{place.street_name[:2]}派出所" for place in places()], grid),
        homes.address.take(pa.array(slot)),
        pick([place.code for place in places()], grid),
    )


def case_rows(
    random: np.random.Generator,
    people: People,
    homes: Homes,
    persons: Ints,
    share: Share,
    strangers: tuple[Column, Column],
) -> dict[str, Column]:
    """Return the rows of police.case of a block; `persons` are the victims, one per case.

    Args:
        share: the block's cases and how many there were before.
        strangers: numbers and names of the suspects, where one is known.
    """
    matters, before = share
    place, rows = scene(people, homes, persons), len(matters)
    known = random.random(rows) < 0.4
    who, suspect = pa.array(persons), strangers
    loss = where(matters.loss >= 0, text(matters.loss), None)
    return {
        "case_no": _number("A", matters.day, before),
        "filed_on": days(matters.day),
        "category": pa.array(matters.category.tolist(), pa.string()),
        "victim_id": people.number.take(who),
        "victim_name": people.name.take(who),
        "suspect_id": where(known, suspect[0], None),
        "suspect_name": where(known, suspect[1], None),
        "loss_yuan": loss,
        "status": where(known, pick(("2", "3"), random.integers(2, size=rows)), "1"),
        "station_code": place.station_code,
        "station_name": place.station_name,
        "address": place.address,
        "grid_code": place.grid_code,
        "detail": _narrative(matters, _CASE_DETAIL, "接报后已开展调查取证，案件正在办理。"),
    }


def dispute_rows(
    random: np.random.Generator,
    people: People,
    homes: Homes,
    persons: Ints,
    others: Ints,
    share: Share,
) -> dict[str, Column]:
    """Return the rows of police.dispute of a block; `others` are the second parties."""
    matters, before = share
    place, rows = scene(people, homes, persons), len(matters)
    named = (random.random(rows) < 0.85) & (persons != others)
    first, second = pa.array(persons), pa.array(others)
    return {
        "dispute_no": _number("D", matters.day, before),
        "reported_on": days(matters.day),
        "category": pa.array(matters.category.tolist(), pa.string()),
        "party_a_id": people.number.take(first),
        "party_a_name": people.name.take(first),
        "party_b_id": where(named, people.number.take(second), None),
        "party_b_name": where(named, people.name.take(second), None),
        "mediator": pick(
            ("社区调解员甲", "社区调解员乙", "驻所调解员"), random.integers(3, size=rows)
        ),
        "result": pick(("1", "1", "1", "2", "3", "4"), random.integers(6, size=rows)),
        "station_code": place.station_code,
        "station_name": place.station_name,
        "grid_code": place.grid_code,
        "detail": _narrative(matters, _DISPUTE_DETAIL, "双方产生矛盾，已受理并安排调解。"),
    }


def incident_rows(
    random: np.random.Generator, people: People, homes: Homes, persons: Ints, share: Share
) -> dict[str, Column]:
    """Return the rows of police.incident of a block; `persons` are the reporters."""
    matters, before = share
    place, rows = scene(people, homes, persons), len(matters)
    anonymous = random.random(rows) < 0.12
    anonymous[:1] = False
    who = pa.array(persons)
    return {
        "incident_no": _number("J", matters.day, before),
        "reported_at": moments(matters.day, matters.second),
        "reporter_id": where(anonymous, None, people.number.take(who)),
        "reporter_name": where(anonymous, None, people.name.take(who)),
        "reporter_phone": where(anonymous, None, people.phone.take(who)),
        "category": pa.array(matters.category.tolist(), pa.string()),
        "station_code": place.station_code,
        "station_name": place.station_name,
        "result": pick(("1", "2", "3", "4", "5", "9"), random.integers(6, size=rows)),
        "risk_level": pick(("1", "1", "1", "2", "2", "3"), random.integers(6, size=rows)),
        "address": place.address,
        "grid_code": place.grid_code,
        "detail": where(
            anonymous,
            "匿名来电反映情况，民警到场核实。",
            "报警人反映情况，民警到场处置并告知权利义务。",
        ),
    }


def _number(letter: str, day: Ints, before: int) -> Column:
    date = pc.replace_substring(days(day), "-", "")
    return join(f"{letter}990106", date, padded(before + np.arange(len(day)), 7))


def _narrative(matters: Matters, known: Mapping[str, str], other: str) -> Column:
    pairs = zip(matters.category.tolist(), matters.loss.tolist(), strict=True)
    return pa.array([known.get(kind, other).format(loss) for kind, loss in pairs], pa.string())


def strangers(
    district: District, random: np.random.Generator, rows: int, issuer: numbers.Issuer
) -> tuple[Column, Column]:
    """Return numbers and names of people who do not live here."""
    sex = np.where(random.random(rows) < 0.85, 1, 2)
    birth = district.last_day() - random.integers(18 * 366, 60 * 365, rows)
    surname = names.surname_indexes(random, rows)
    name = join(pick(names.SURNAMES, surname), names.given_names(random, sex))
    return (issuer.outsiders(birth, sex) if rows else nothing(0)), name
