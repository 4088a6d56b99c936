"""Civil affairs: marriages and divorces, assistance, disability certificates, deaths."""

from __future__ import annotations

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
    months,
    nothing,
    padded,
    pick,
    text,
    where,
)
from assets.demo.district import Block, District, places
from assets.demo.homes import OWNED, Homes, heads
from assets.demo.households import SPOUSE
from assets.demo.population import ACTIVE, DEAD, DIVORCED, People

_OFFICE = ("990106CA01", "明镜区民政局婚姻登记处")
_HOME = ("990106BZ01", "明镜区殡仪馆")
_ADULT = round(22 * 365.2425)


@dataclass(frozen=True, slots=True)
class Registrations:
    """Marriages and divorces, one row each; `other` is -1 where the partner lives elsewhere.

    Args:
        person, other: person indexes; a divorced person's former partner is an outsider.
        kind: 0 marriage, 1 divorce, 2 marriage certificate issued again.
    """

    person: Ints
    other: Ints
    kind: Ints
    day: Ints

    def __len__(self) -> int:
        return len(self.person)


def register(district: District, block: Block, people: People) -> Registrations:
    """Return the registrations made in the district, of couples and of divorced people."""
    random = district.random("marriages", block.index)
    today = district.last_day()
    spouse = np.flatnonzero(people.place == SPOUSE)
    head = heads(people)[people.household[spouse]]
    grown = np.maximum(people.birth[spouse], people.birth[head]) + _ADULT
    day = grown + random.integers(0, 9 * 365, len(spouse))
    here = (random.random(len(spouse)) < 0.7) | (spouse == 1)
    kept = np.flatnonzero(here & (day < today - 30))
    again = kept[random.random(len(kept)) < 0.03]
    single = np.flatnonzero((people.marital == DIVORCED) & (people.status == ACTIVE))
    apart = people.birth[single] + _ADULT + random.integers(365, 9 * 365, len(single))
    left = np.flatnonzero((apart < today - 30) & (random.random(len(single)) < 0.6))
    counts = (len(kept), len(again), len(left))
    return Registrations(
        np.concatenate([head[kept], head[again], single[left]]),
        np.concatenate([spouse[kept], spouse[again], np.full(len(left), -1)]),
        np.repeat([0, 2, 1], counts),
        np.concatenate([day[kept], np.minimum(day[again] + 400, today - 1), apart[left]]),
    )


def marriage_rows(
    district: District, block: Block, people: People, acts: Registrations, issuer: numbers.Issuer
) -> dict[str, Column]:
    """Return the rows of civil_affairs.marriage, one per registration."""
    random = district.random("marriage rows", block.index)
    first = _party(people, acts.person)
    second = _partners(random, people, acts, issuer)
    man_first = people.sex[acts.person] == 1
    rows = len(acts)
    year = pc.utf8_slice_codeunits(days(acts.day), 0, 4)
    serial = join(f"{block.index:04d}", padded(np.arange(rows), 5))
    return {
        "registration_no": join("HY990106", year, serial),
        "man_id": where(man_first, first[0], second[0]),
        "man_name": where(man_first, first[1], second[1]),
        "man_birth_date": where(man_first, first[2], second[2]),
        "woman_id": where(man_first, second[0], first[0]),
        "woman_name": where(man_first, second[1], first[1]),
        "woman_birth_date": where(man_first, second[2], first[2]),
        "op_type": pick(("IA", "IB", "ICA"), acts.kind),
        "op_date": days(acts.day),
        "certificate_no": join("J990106-", year, "-", serial),
        "office_code": pick(_OFFICE[:1], acts.kind * 0),
        "office_name": pick(_OFFICE[1:], acts.kind * 0),
    }


def _party(people: People, index: Ints) -> tuple[Column, Column, Column]:
    rows = pa.array(index)
    return people.number.take(rows), people.name.take(rows), days(people.birth[index])


def _partners(
    random: np.random.Generator, people: People, acts: Registrations, issuer: numbers.Issuer
) -> tuple[Column, Column, Column]:
    """Return the other party: a person of the block, or an outsider invented here."""
    known = acts.other >= 0
    inside = _party(people, np.maximum(acts.other, 0))
    sex = 3 - people.sex[acts.person]
    birth = people.birth[acts.person] + random.integers(-300, 300, len(acts))
    number = nothing(len(acts))
    strangers = np.flatnonzero(~known)
    issued = issuer.outsiders(birth[strangers], sex[strangers])
    index = np.zeros(len(acts), np.int64)
    index[strangers] = np.arange(len(strangers))
    if len(strangers):
        number = issued.take(pa.array(index))
    name = join(
        pick(names.SURNAMES, names.surname_indexes(random, len(acts))),
        names.given_names(random, sex),
    )
    return (
        where(known, inside[0], number),
        where(known, inside[1], name),
        where(known, inside[2], days(birth)),
    )


def recipients(district: District, block: Block, people: People, homes: Homes) -> tuple[Ints, Ints]:
    """Return who receives assistance and in which category (11, 12, 20 or 30 for the very old)."""
    random = district.random("assistance", block.index)
    age = people.age(district.last_day())
    alive = people.status == ACTIVE
    poor = (people.place == 0) & (homes.tenure[people.household] != OWNED) & (age >= 35)
    old = (age >= 80) & (random.random(len(people)) < 0.18)
    chosen = alive & ((poor & (random.random(len(people)) < 0.09)) | old)
    chosen[0] = block.index == 0
    persons = np.flatnonzero(chosen)
    category = np.select(
        [(age[persons] >= 80), persons % 7 == 1, persons % 4 == 1], [30, 20, 12], 11
    )
    return persons, category


def assistance_rows(
    district: District, block: Block, people: People, homes: Homes, persons: Ints, category: Ints
) -> dict[str, Column]:
    """Return the rows of civil_affairs.assistance, one per recipient."""
    random = district.random("assistance rows", block.index)
    rows = len(persons)
    size = np.bincount(people.household)[people.household[persons]]
    members = np.where(category < 20, size, 1)
    amount = np.where(
        category == 30,
        random.integers(10, 51, rows) * 10,
        members * random.integers(52, 95, rows) * 10,
    )
    who = pa.array(persons)
    code = pick([p.code for p in places()], homes.grid[homes.slot_of[people.household[persons]]])
    bank = pick(("虚设农村商业银行明镜支行", "虚设银行东街支行", "虚设邮政储蓄所"), persons % 3)
    serial = padded(np.arange(rows), 5)
    paused = random.random(rows)
    return {
        "assistance_no": join("JZ990106", f"{block.index:04d}", serial),
        "recipient_id": people.number.take(who),
        "recipient_name": people.name.take(who),
        "category": text(category),
        "reason": where(
            category == 30, "9", pick(("1", "2", "3", "4", "5"), random.integers(5, size=rows))
        ),
        "members": text(members),
        "monthly_amount_yuan": text(amount),
        "start_month": months(district.last_day() - random.integers(40, 2_500, rows)),
        "bank_name": bank,
        "account_name": people.name.take(who),
        "account_no": join("990106", f"{block.index:04d}", padded(persons * 7 + 11, 9)),
        "status": where((paused < 0.04) & (persons > 0), "2", "1"),
        "grid_code": code,
    }


def holders(district: District, block: Block, people: People) -> Ints:
    """Return who holds a disability certificate, older people more often."""
    random = district.random("disability", block.index)
    age = people.age(district.last_day())
    share = np.interp(age, (3, 40, 80), (0.004, 0.018, 0.07))
    persons: Ints = np.flatnonzero(
        (random.random(len(people)) < share) & (people.status == ACTIVE) & (age >= 2)
    )
    return persons


def disability_rows(
    district: District, block: Block, people: People, homes: Homes, persons: Ints
) -> dict[str, Column]:
    """Return the rows of civil_affairs.disability, one per certificate."""
    random = district.random("disability rows", block.index)
    rows = len(persons)
    today = district.last_day()
    kind = random.choice(7, rows, p=(0.14, 0.22, 0.03, 0.38, 0.08, 0.11, 0.04)) + 1
    grade = random.choice(4, rows, p=(0.15, 0.25, 0.3, 0.3)) + 1
    who = pa.array(persons)
    needs = np.isin(kind, (5, 6)) | (people.age(today)[persons] < 18)
    guardian = pa.array(heads(people)[people.household[persons]])
    oldest = np.minimum(today - people.birth[persons] - 30, 3_400)
    issued = today - 15 - (random.random(rows) * np.maximum(oldest, 1)).astype(np.int64)
    code = pick([p.code for p in places()], homes.grid[homes.slot_of[people.household[persons]]])
    again = where(random.random(rows) < 0.03, "B1", "")
    return {
        "certificate_no": join(people.number.take(who), text(kind), text(grade), again),
        "holder_id": people.number.take(who),
        "holder_name": people.name.take(who),
        "category": text(kind),
        "grade": text(grade),
        "issued_on": days(issued),
        "valid_until": days(issued + 3_652),
        "guardian_name": where(needs, people.name.take(guardian), None),
        "guardian_phone": where(needs, people.phone.take(guardian), None),
        "grid_code": code,
    }


def departed(people: People, first_day: int, last_day: int) -> Ints:
    """Return the persons who died between two days, both included."""
    within = (people.died >= first_day) & (people.died <= last_day)
    persons: Ints = np.flatnonzero((people.status == DEAD) & within)
    return persons


def death_rows(
    district: District, block: Block, people: People, homes: Homes, persons: Ints, later: int = 0
) -> dict[str, Column]:
    """Return the rows of civil_affairs.death, one per cremation."""
    random = district.random("death rows", block.index, later)
    rows = len(persons)
    who = pa.array(persons)
    day = people.died[persons]
    cremated = moments(
        day + random.integers(1, 4, rows), random.integers(6 * 3_600, 17 * 3_600, rows)
    )
    slot = pa.array(homes.slot_of[people.household[persons]])
    return {
        "cremation_no": join(
            "HH",
            pc.utf8_slice_codeunits(days(day), 0, 4),
            f"{block.index:04d}",
            f"{later:02d}",
            padded(np.arange(rows), 5),
        ),
        "deceased_id": people.number.take(who),
        "deceased_name": people.name.take(who),
        "sex": text(people.sex[persons]),
        "birth_date": days(people.birth[persons]),
        "former_address": homes.address.take(slot),
        "died_on": days(day),
        "cremated_at": cremated,
        "funeral_home_name": pick(_HOME[1:], day * 0),
        "funeral_home_code": pick(_HOME[:1], day * 0),
    }
