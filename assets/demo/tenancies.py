"""Tenancies: who rents which home from whom, and the moves of a month."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pyarrow as pa

from assets.demo.columns import Column, Ints, days, join, nothing, padded, pick, text, where
from assets.demo.district import Block, District, places
from assets.demo.homes import OWNED, Homes, dwelling_ids, heads
from assets.demo.population import People


@dataclass(frozen=True, slots=True)
class Tenancies:
    """Who rents which slot; tenant and landlord are person indexes.

    Args:
        end: day the tenancy ends, -1 when open.
        key: number that names the tenancy within the block, the same in every month.
    """

    slot: Ints
    tenant: Ints
    landlord: Ints
    start: Ints
    end: Ints
    registered: Ints
    key: Ints


def let(district: District, block: Block, people: People, homes: Homes) -> Tenancies:
    """Return the tenancies of the first month: running ones and some that have ended."""
    random = district.random("tenancies", block.index)
    today = district.last_day()
    household = np.flatnonzero(homes.is_tenant)
    former = household[random.random(len(household)) < 0.12]
    rented = np.concatenate([household, former])
    running = np.arange(len(rented)) < len(household)
    start = today - random.integers(20, 1_100, len(rented))
    start = np.where(running, start, start - 1_200)
    open_ended = running & (random.random(len(rented)) < 0.25)
    rest = np.where(running, today + random.integers(1, 700, len(rented)), start + 365)
    head = heads(people)
    earlier = np.flatnonzero(homes.tenure == OWNED)[
        random.integers(0, (homes.tenure == OWNED).sum(), len(former))
    ]
    tenant = np.concatenate([head[household], head[earlier]])
    return Tenancies(
        homes.slot_of[rented],
        tenant,
        head[homes.landlord[homes.slot_of[rented]]],
        start,
        np.where(open_ended, -1, rest),
        np.minimum(start + random.integers(0, 15, len(rented)), today),
        np.arange(len(rented)),
    )


def move(
    district: District, block: Block, people: People, homes: Homes, lettings: Tenancies, later: int
) -> tuple[Homes, Tenancies]:
    """Return homes and tenancies after a month in which some tenants moved into empty homes."""
    random = district.random("moves", block.index, later)
    first, last = district.first_day(later), district.last_day(later)
    free = np.arange(homes.empty, homes.shops)
    candidates = np.flatnonzero(homes.is_tenant)[1:]
    count = min(len(free), len(candidates), max(1, len(homes.slot_of) // 250))
    movers = np.sort(random.choice(candidates, count, replace=False)) if count else candidates[:0]
    to = random.choice(free, len(movers), replace=False)
    slot_of = homes.slot_of.copy()
    day = random.integers(first, last - 3, len(movers))
    running = (lettings.end == -1) | (lettings.end > first)
    leaving = running & np.isin(lettings.slot, slot_of[movers])
    left = np.zeros(homes.shops, np.int64)
    left[slot_of[movers]] = day
    end = np.where(leaving, left[lettings.slot], lettings.end)
    slot_of[movers] = to
    head = heads(people)
    new = Tenancies(
        to,
        head[movers],
        head[homes.landlord[to]],
        day,
        np.full(len(movers), -1),
        np.minimum(day + 2, last),
        500_000 + np.arange(len(movers)),
    )
    return replace(homes, slot_of=slot_of), _added(replace(lettings, end=end), new)


def _added(old: Tenancies, new: Tenancies) -> Tenancies:
    names = ("slot", "tenant", "landlord", "start", "end", "registered", "key")
    return Tenancies(*(np.concatenate([getattr(old, n), getattr(new, n)]) for n in names))


def tenancy_rows(
    district: District, block: Block, people: People, homes: Homes, lettings: Tenancies
) -> dict[str, Column]:
    """Return the rows of housing.tenancy, one per tenancy."""
    random = district.random("rents", block.index)
    rows = len(lettings.slot)
    tenant, landlord = pa.array(lettings.tenant), pa.array(lettings.landlord)
    code = pick([place.code for place in places()], homes.grid[lettings.slot])
    open_ended = lettings.end < 0
    area = (lettings.key * 7_919 + block.index * 104_729) % 900 + 150
    responsible = people.name.take(landlord)
    return {
        "tenancy_id": join("Z990106", f"{block.index:04d}", padded(lettings.key, 6)),
        "dwelling_id": dwelling_ids(block, lettings.slot),
        "tenant_id": people.number.take(tenant),
        "tenant_name": people.name.take(tenant),
        "tenant_phone": people.phone.take(tenant),
        "rented_area_sqm": join(text(area // 10), ".", text(area % 10)),
        "rent_yuan": text(area * 2 + 400),
        "start_date": days(lettings.start),
        "end_date": where(open_ended, None, days(np.maximum(lettings.end, 0))),
        "responsible_person": where(random.random(rows) < 0.9, responsible, nothing(rows)),
        "grid_code": code,
        "registered_on": days(lettings.registered),
    }
