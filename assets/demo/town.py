"""One block as it stands in the month that is written: its people, homes, and who is in what."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from assets.demo import (
    civil_affairs,
    enterprises,
    homes,
    households,
    matters,
    police,
    population,
    tenancies,
)
from assets.demo.civil_affairs import Registrations
from assets.demo.columns import Flags, Ints, table
from assets.demo.district import Block, District
from assets.demo.homes import Homes
from assets.demo.matters import Matters, Share, Year
from assets.demo.numbers import Issuer
from assets.demo.population import People
from assets.demo.tenancies import Tenancies

SHOWCASE = (0, 1)  # head and spouse of the first household of the first block


@dataclass(frozen=True, slots=True)
class Registry:
    """What one period's blocks have in common.

    Args:
        later: months after the first one.
        issuer: deals out identity numbers over all blocks.
        month: the incidents of a later month, None in the first.
    """

    district: District
    later: int
    issuer: Issuer
    year: Year
    month: Matters | None


def open_registry(district: District, later: int) -> Registry:
    """Return a registry that has dealt out nothing yet."""
    month = matters.incidents_of_month(district, later) if later else None
    return Registry(district, later, Issuer(), matters.year(district), month)


@dataclass(frozen=True, slots=True)
class Town:
    """One block: persons are indexes into `people`, one row per record of each dataset.

    Args:
        assisted, assistance: recipients and their categories.
        victims, quarrelling, reporters: persons of the block's police matters.
        incidents: the block's incidents and how many there were before.
    """

    block: Block
    people: People
    homes: Homes
    lettings: Tenancies
    acts: Registrations
    assisted: Ints
    assistance: Ints
    holders: Ints
    units: Ints
    victims: Ints
    quarrelling: Ints
    reporters: Ints
    incidents: Share

    @property
    def is_first(self) -> bool:
        """Whether the showcase household lives here."""
        return self.block.index == 0

    def spares(self, persons: Ints) -> Flags:
        """Return which rows must stay sound because they are about the showcase household."""
        spared: Flags = np.asarray(np.isin(table(persons), SHOWCASE).any(axis=1)) & self.is_first
        return spared

    def held_elsewhere(self) -> Flags:
        """Return the persons of whom some other department holds a record, too."""
        held = np.zeros(len(self.people), np.bool_)
        owners = homes.heads(self.people)[self.homes.landlord[self.homes.landlord >= 0]]
        parties = (self.acts.person, self.acts.other[self.acts.other >= 0], owners)
        lists = (self.lettings.tenant, self.lettings.landlord, self.assisted, self.holders)
        seen = (self.units, self.victims, self.quarrelling.ravel(), self.reporters)
        held[np.concatenate([*parties, *lists, *seen])] = True
        return held | (self.people.died >= 0)


def settle(registry: Registry, block: Block) -> Town:
    """Return a block as it stands at the end of the registry's month."""
    district = registry.district
    first = block.index == 0
    frame = households.draw(district.random("households", block.index), block, showcase=first)
    home = homes.build(district, block, frame)
    people = population.settle(district, block, frame, registry.issuer)
    people = population.bury(district, block, people, home.is_tenant)
    lettings = tenancies.let(district, block, people, home)
    assisted, assistance = civil_affairs.recipients(district, block, people, home)
    acts = civil_affairs.register(district, block, people)
    holders = civil_affairs.holders(district, block, people)
    units = enterprises.representatives(district, block, people)
    adults = police.adults(district, people)
    random = district.random("parties", block.index)
    crimes, quarrels = (
        m.of(block, district)[0] for m in (registry.year.cases, registry.year.disputes)
    )
    incidents = (registry.month or registry.year.incidents).of(block, district)
    victims = random.choice(adults, len(crimes))
    quarrelling = random.choice(adults, (len(quarrels), 2))
    reporters = district.random("reporters", block.index, registry.later).choice(
        adults, len(incidents[0])
    )
    if first:
        reporters[:1] = SHOWCASE[0]
    if registry.later:
        spared = home.is_tenant.copy()
        spared[people.household[assisted]] = True
        people = population.bury(district, block, people, spared, registry.later)
        home, lettings = tenancies.move(district, block, people, home, lettings, registry.later)
        people = people.joined(
            population.newborn(district, block, people, registry.issuer, registry.later)
        )
    return Town(
        block,
        people,
        home,
        lettings,
        acts,
        assisted,
        assistance,
        holders,
        units,
        victims,
        quarrelling,
        reporters,
        incidents,
    )
