"""Tables: what each department holds about a block, ready for planting.

One function per dataset, in MAKERS, in the order they must be written: residents last, because
only then is it known which persons carry an error elsewhere.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np

from assets.demo import civil_affairs, enterprises, homes, police, population, tenancies
from assets.demo.columns import Flags, Ints, put, table
from assets.demo.names import DOTTED_PEOPLES
from assets.demo.planting import Planter, Rows
from assets.demo.recipes import ASSISTED_BUT_DEAD, ASSISTED_BUT_DEAD_RATE
from assets.demo.residents import resident_rows
from assets.demo.town import SHOWCASE, Registry, Town

Maker = Callable[[Registry, Town, Planter], Rows]


def _first_slot(town: Town, rows: int) -> Flags:
    first: Flags = (np.arange(rows) == 0) & town.is_first
    return first


def _addresses(registry: Registry, town: Town, planter: Planter) -> Rows:
    del planter
    columns = homes.address_rows(registry.district, town.block, town.homes)
    count = len(town.homes.grid)
    shop = np.arange(count) >= town.homes.shops
    nobody = np.full(count, -1)
    return Rows(
        "address.standard_address", columns, nobody, {"shop": shop}, spared=_first_slot(town, count)
    )


def _dwellings(registry: Registry, town: Town, planter: Planter) -> Rows:
    del planter
    columns = homes.dwelling_rows(registry.district, town.block, town.people, town.homes)
    count = town.homes.shops
    never_let = np.zeros(count, np.bool_)
    never_let[: town.homes.empty] = ~town.homes.is_tenant
    nobody = np.full(count, -1)
    return Rows(
        "housing.dwelling",
        columns,
        nobody,
        {"never_let": never_let},
        spared=_first_slot(town, count),
    )


def _tenancies(registry: Registry, town: Town, planter: Planter) -> Rows:
    del planter
    people, lettings = town.people, town.lettings
    columns = tenancies.tenancy_rows(registry.district, town.block, people, town.homes, lettings)
    today = registry.district.last_day(registry.later)
    among = {
        "running": (lettings.end < 0) | (lettings.end >= today),
        "han": ~np.isin(people.ethnicity[lettings.tenant], DOTTED_PEOPLES),
    }
    spared = town.spares(lettings.tenant)
    return Rows("housing.tenancy", columns, lettings.tenant, among, spared=spared)


def _units(registry: Registry, town: Town, planter: Planter) -> Rows:
    del planter
    columns = enterprises.unit_rows(
        registry.district, town.block, town.people, town.homes, town.units
    )
    return Rows("enterprise.unit", columns, town.units, spared=town.spares(town.units))


def _deaths(registry: Registry, town: Town, planter: Planter) -> Rows:
    del planter
    district, later = registry.district, registry.later
    first = district.first_day(later) if later else 0
    persons = civil_affairs.departed(town.people, first, district.last_day(later))
    columns = civil_affairs.death_rows(
        district, town.block, town.people, town.homes, persons, later
    )
    return Rows("civil_affairs.death", columns, persons)


def _marriages(registry: Registry, town: Town, planter: Planter) -> Rows:
    del planter
    acts = town.acts
    columns = civil_affairs.marriage_rows(
        registry.district, town.block, town.people, acts, registry.issuer
    )
    persons = np.column_stack([acts.person, acts.other])
    return Rows("civil_affairs.marriage", columns, persons, spared=town.spares(persons))


def _assistance(registry: Registry, town: Town, planter: Planter) -> Rows:
    """Add recipients who are dead, when errors are planted: their rows are valid by themselves."""
    gone = np.flatnonzero((town.people.died >= 0) & ~planter.blocked)
    share = ASSISTED_BUT_DEAD_RATE * len(town.assisted) * registry.district.errors
    due = min(planter.due("civil_affairs.assistance", "assisted_but_dead", "", share), len(gone))
    random = registry.district.random("dead recipients", town.block.index)
    dead = np.sort(random.choice(gone, due, replace=False)) if due else gone[:0]
    persons = np.concatenate([town.assisted, dead])
    category = np.concatenate([town.assistance, np.full(due, 30)])
    columns = civil_affairs.assistance_rows(
        registry.district, town.block, town.people, town.homes, persons, category
    )
    added = np.arange(len(persons)) >= len(town.assisted)
    columns["status"] = put(columns["status"], np.flatnonzero(added), ["1"] * due)
    already = (ASSISTED_BUT_DEAD, added)
    return Rows(
        "civil_affairs.assistance", columns, persons, already=already, spared=town.spares(persons)
    )


def _disability(registry: Registry, town: Town, planter: Planter) -> Rows:
    del planter
    columns = civil_affairs.disability_rows(
        registry.district, town.block, town.people, town.homes, town.holders
    )
    return Rows("civil_affairs.disability", columns, town.holders, spared=town.spares(town.holders))


def _incidents(registry: Registry, town: Town, planter: Planter) -> Rows:
    del planter
    random = registry.district.random("incident rows", town.block.index, registry.later)
    columns = police.incident_rows(random, town.people, town.homes, town.reporters, town.incidents)
    return Rows("police.incident", columns, town.reporters, spared=town.spares(town.reporters))


def _cases(registry: Registry, town: Town, planter: Planter) -> Rows:
    del planter
    district = registry.district
    random = district.random("case rows", town.block.index)
    share = registry.year.cases.of(town.block, district)
    strangers = police.strangers(district, random, len(town.victims), registry.issuer)
    columns = police.case_rows(random, town.people, town.homes, town.victims, share, strangers)
    return Rows("police.case", columns, town.victims, spared=town.spares(town.victims))


def _disputes(registry: Registry, town: Town, planter: Planter) -> Rows:
    del planter
    random = registry.district.random("dispute rows", town.block.index)
    share = registry.year.disputes.of(town.block, registry.district)
    first, second = town.quarrelling[:, 0], town.quarrelling[:, 1]
    columns = police.dispute_rows(random, town.people, town.homes, first, second, share)
    return Rows("police.dispute", columns, town.quarrelling, spared=town.spares(town.quarrelling))


def _residents(registry: Registry, town: Town, planter: Planter) -> Rows:
    del planter
    people = town.people
    columns = resident_rows(registry.district, town.block, people, town.homes, registry.later)
    persons: Ints = np.arange(len(people))
    tenant = np.isin(persons, town.lettings.tenant)
    since = registry.district.first_day(registry.later) if registry.later else 0
    registered = np.isin(
        persons,
        np.r_[town.acts.person, town.acts.other][np.r_[town.acts.kind, town.acts.kind] != 1],
    )
    among = {
        "settled": ~tenant & (people.status == population.ACTIVE),
        "dead": people.died >= since,
        "wed": registered
        & np.isin(people.marital, (20, 21, 22))
        & (people.status == population.ACTIVE),
        "unknown_elsewhere": ~town.held_elsewhere(),
    }
    among["dead"] &= people.died >= 0
    return Rows("population.resident", columns, persons, among, spared=town.spares(persons))


MAKERS: Mapping[str, Maker] = {
    "address.standard_address": _addresses,
    "housing.dwelling": _dwellings,
    "housing.tenancy": _tenancies,
    "enterprise.unit": _units,
    "civil_affairs.death": _deaths,
    "civil_affairs.marriage": _marriages,
    "civil_affairs.assistance": _assistance,
    "civil_affairs.disability": _disability,
    "police.incident": _incidents,
    "police.case": _cases,
    "police.dispute": _disputes,
    "population.resident": _residents,
}

_SHOWN: Mapping[str, Mapping[str, str]] = {
    "population.resident": {
        "resident_id": "resident_id",
        "name": "name",
        "birth_date": "birth_date",
        "phone": "phone",
        "grid_code": "grid_code",
        "address_id": "address_id",
        "residence_address": "residence_address",
    },
    "housing.tenancy": {"tenancy_id": "tenancy_id", "dwelling_id": "dwelling_id"},
    "civil_affairs.marriage": {"registration_no": "registration_no", "spouse_id": "woman_id"},
    "civil_affairs.assistance": {"assistance_no": "assistance_no"},
    "police.incident": {"incident_no": "incident_no"},
}


def shown(rows: Rows) -> dict[str, str]:
    """Return what the showcase person's row of a dataset says, as the demonstration needs it."""
    own = np.flatnonzero((table(rows.persons) == SHOWCASE[0]).any(axis=1))
    wanted = _SHOWN.get(rows.dataset, {})
    if not len(own) or not wanted:
        return {}
    found = {name: rows.columns[column][int(own[0])].as_py() for name, column in wanted.items()}
    if "grid_code" in found:
        found["street_code"] = found["grid_code"][:9]
    return found
