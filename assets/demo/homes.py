"""Homes: standard addresses, the dwellings on them, and who owns each."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from assets.demo.columns import Column, Flags, Ints, days, join, padded, pick, text, where
from assets.demo.district import Block, District, places
from assets.demo.households import Households
from assets.demo.population import People

OWNED, RENTED, PUBLIC = range(3)
_PER_BUILDING = 96  # three units of eight floors with four doors
_PART = 20_000  # serial numbers kept for one part of a large grid


@dataclass(frozen=True, slots=True)
class Homes:
    """Addresses of a block, one row per slot: households' homes, then empty homes, then shops.

    Args:
        grid: index of the grid.
        serial: number in the grid, unique there.
        address_id, address: code and full text.
        empty, shops: index of the first empty home and of the first shop.
        slot_of: slot each household lives in.
        tenure: owned, rented or public, one per household.
        landlord: household that owns the home of each slot below `shops`; -1 for public housing.
        draw: one random number per household, for standing choices.
    """

    grid: Ints
    serial: Ints
    address_id: Column
    address: Column
    empty: int
    shops: int
    slot_of: Ints
    tenure: Ints
    landlord: Ints
    draw: np.ndarray[tuple[int], np.dtype[np.float64]]

    @property
    def is_tenant(self) -> Flags:
        """Whether each household rents its home."""
        rented: Flags = self.tenure == RENTED
        return rented


def build(district: District, block: Block, frame: Households) -> Homes:
    """Return the homes of a block; the first household rents, for the demonstration."""
    random = district.random("homes", block.index)
    count = len(frame)
    vacant = np.sort(random.choice(frame.grid, max(1, count // 12)))
    shops = np.sort(random.choice(frame.grid, max(1, count // 14)))
    living = np.concatenate([frame.grid, vacant])
    serial = np.concatenate([_ranks(living), 500_000 + _ranks(shops)]) + block.part * _PART
    grid = np.concatenate([living, shops])
    draw = random.random(count)
    tenure = np.select([draw < 0.66, draw < 0.92], [OWNED, RENTED], PUBLIC).astype(np.int64)
    tenure[0], tenure[-1] = RENTED, OWNED
    code = pick([place.code for place in places()], grid)
    return Homes(
        grid,
        serial,
        join(code, padded(serial, 6)),
        _addresses(grid, serial),
        count,
        len(living),
        np.arange(count),
        tenure,
        _landlords(random, tenure, len(living)),
        random.random(count),
    )


def _ranks(grid: Ints) -> Ints:
    """Return each row's number among those of the same grid."""
    order = np.argsort(grid, kind="stable")
    ordered = grid[order]
    starts = np.flatnonzero(np.r_[True, ordered[1:] != ordered[:-1]])
    sizes = np.diff(np.r_[starts, len(grid)])
    ranks = np.empty(len(grid), np.int64)
    ranks[order] = np.arange(len(grid)) - np.repeat(starts, sizes)
    return ranks


def _landlords(random: np.random.Generator, tenure: Ints, homes: int) -> Ints:
    """Own homes belong to those who live there, rented and empty ones to other owners."""
    owners = np.flatnonzero(tenure == OWNED)
    others = random.choice(owners, homes)
    own = np.arange(len(tenure))
    lived = np.select([tenure == OWNED, tenure == PUBLIC], [own, -1], others[: len(tenure)])
    landlords: Ints = np.concatenate([lived, others[len(tenure) :]])
    return landlords


def _parts(serial: Ints) -> tuple[Column, Column, Column, Column]:
    """Return house number, building, unit and room of residential serial numbers."""
    building = serial // _PER_BUILDING
    room = serial // 4 % 8 * 100 + serial % 4 + 101
    return (
        join(text(building // 4 + 1), "号"),
        join(text(building % 4 + 1), "幢"),
        join(text(serial // 32 % 3 + 1), "单元"),
        join(text(room), "室"),
    )


def _addresses(grid: Ints, serial: Ints) -> Column:
    area = pick([f"虚设市明镜区{p.street_name}{p.community_name}{p.road}" for p in places()], grid)
    shop = serial >= 500_000
    home = join(area, *_parts(serial))
    return where(shop, join(area, "临街", text(serial % 500_000 + 1), "号铺"), home)


def address_rows(district: District, block: Block, homes: Homes) -> dict[str, Column]:
    """Return the rows of address.standard_address, one per slot."""
    random = district.random("addresses", block.index)
    rows = len(homes.grid)
    shop: Flags = np.arange(rows) >= homes.shops
    number, building, unit, room = _parts(homes.serial)
    code = pick([place.code for place in places()], homes.grid)
    east = 118_300_000 + homes.grid % 10 * 9_000 + random.integers(0, 9_000, rows)
    north = 31_900_000 + homes.grid // 10 * 8_000 + random.integers(0, 8_000, rows)
    road = pick([place.road for place in places()], homes.grid)
    stopped = random.random(rows) < 0.01
    missing = random.random(rows) < 0.01
    return {
        "address_id": homes.address_id,
        "name": homes.address,
        "division_code": pc.utf8_slice_codeunits(code, 0, 12),
        "street": road,
        "building": where(shop, None, join(number, building)),
        "unit": where(shop, None, unit),
        "room": where(shop, None, room),
        "grid_code": code,
        "longitude": where(missing, None, millionths(east)),
        "latitude": where(missing, None, millionths(north)),
        "status": where(stopped & shop, "2", "1"),
        "updated_on": days(district.last_day() - random.integers(30, 2_000, rows)),
    }


def millionths(numbers: Ints) -> Column:
    """Return whole millionths as decimal text."""
    return join(text(numbers // 1_000_000), ".", padded(numbers % 1_000_000, 6))


def dwelling_ids(block: Block, slot: Ints) -> Column:
    """Return the dwelling numbers of slots."""
    return join("F990106", f"{block.index:04d}", padded(slot, 6))


def heads(people: People) -> Ints:
    """Return the person who heads each household."""
    return np.flatnonzero(people.place == 0)


def dwelling_rows(
    district: District, block: Block, people: People, homes: Homes
) -> dict[str, Column]:
    """Return the rows of housing.dwelling, one per home, lived in or empty."""
    random = district.random("dwellings", block.index)
    rows = homes.shops
    slot = np.arange(rows)
    private = homes.landlord >= 0
    owner = pa.array(heads(people)[np.maximum(homes.landlord, 0)])
    rented = np.concatenate([homes.is_tenant, np.zeros(rows - homes.empty, np.bool_)])
    area = random.integers(320, 1_650, rows)
    year = text(random.integers(1998, 2026, rows))
    certificate = join(
        "虚设(", year, ")明镜区不动产权第", f"{block.index:04d}", padded(slot, 6), "号"
    )
    code = pick([place.code for place in places()], homes.grid[:rows])
    return {
        "dwelling_id": dwelling_ids(block, slot),
        "address_id": homes.address_id.slice(0, rows),
        "category": pick(("1", "1", "1", "2", "3", "4"), random.integers(6, size=rows)),
        "ownership": where(private, "10", pick(("20", "30"), slot % 2)),
        "usage": where(slot >= homes.empty, "4", "1"),
        "rooms": text(np.clip(area // 330 + 1, 1, 5)),
        "area_sqm": join(text(area // 10), ".", text(area % 10)),
        "certificate_no": where(private, certificate, None),
        "owner_id": where(private, people.number.take(owner), None),
        "owner_name": where(private, people.name.take(owner), "明镜区房屋管理所"),
        "owner_phone": where(private, people.phone.take(owner), None),
        "is_rented": where(rented, "1", "0"),
        "address": homes.address.slice(0, rows),
        "grid_code": code,
        "updated_on": days(district.last_day() - random.integers(0, 900, rows)),
    }
