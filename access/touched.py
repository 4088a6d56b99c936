"""How many actors and how many persons' records a change of policy touches; numbers only.

Actors are those of a register that is handed in, each asked for by their own roles, area and
clearance. Records are counted in the snapshot in service, by the area in which the change reaches
them; it is not opened for that, and small numbers are told as such.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from access.cells import opened
from access.decision import Decider
from access.diff import term_turns, turns
from access.model import Actor
from access.ports import SnapshotReader
from hub.catalog import Catalog
from hub.quoting import identifier

#: Counts below this are told as "fewer than".
SMALL = 10
_EVERYWHERE = ""  # begins every code
_PERSONS = "person"  # the table of integrated persons


@dataclass(frozen=True, slots=True)
class Touched:
    """What a change reaches.

    Args:
        actors: how many of the register it opens something to, or closes or changes.
        of: how many there are.
        areas: dataset -> area codes in which it reaches records; "" for all.
    """

    actors: int
    opens: int
    closes: int
    of: int
    areas: Mapping[str, frozenset[str]]


@dataclass(frozen=True, slots=True)
class Reached:
    """How many current records of a dataset are reached, None where it is small; of how many persons.

    Args:
        roles: in how many roles a record is about a person; 0 for a dataset about no person.
    """

    dataset: str
    records: int | None
    roles: int


def touched(before: Decider, after: Decider, actors: Iterable[Actor], at: datetime) -> Touched:
    """Return which actors get another answer to anything, and about which records."""
    everybody = tuple(actors)
    areas: dict[str, set[str]] = defaultdict(set)
    found = opens = closes = 0
    for actor in everybody:
        one, other = opened(before, actor, at), opened(after, actor, at)
        cells, terms = turns(one, other), term_turns(one, other)
        for cell in cells:
            own = cell.circumstance.area == "own"
            areas[cell.dataset] |= set(actor.area) if own else {_EVERYWHERE}
        for term in terms:
            areas[term.dataset] |= set(actor.area) or {_EVERYWHERE}
        ways = {turn.way for turn in cells.values()} | {turn.way for turn in terms.values()}
        found += bool(ways)
        opens += bool(ways - {"closes"})
        closes += bool(ways - {"opens"})
    return Touched(
        found, opens, closes, len(everybody), {n: frozenset(a) for n, a in areas.items()}
    )


def reached(change: Touched, snapshot: SnapshotReader, catalog: Catalog) -> tuple[Reached, ...]:
    """Return how many records of each dataset a change reaches, in name order.

    Raises:
        SourceError: when they cannot be counted.
    """
    return tuple(
        Reached(name, _shown(_records(snapshot, catalog, name, areas)), len(catalog[name].subjects))
        for name, areas in sorted(change.areas.items())
        if name in catalog
    )


def persons_reached(change: Touched, snapshot: SnapshotReader, catalog: Catalog) -> int | None:
    """Return how many persons live where a change reaches records about persons, None for few.

    Raises:
        SourceError: when they cannot be counted.
    """
    about = (n for n in change.areas if n in catalog and catalog[n].subjects)
    areas = frozenset(area for name in about for area in change.areas[name])
    if not areas or not snapshot.has_counts(_PERSONS):
        return 0
    return _shown(_counted(snapshot, _PERSONS, "grid_code", areas))


def _records(snapshot: SnapshotReader, catalog: Catalog, name: str, areas: frozenset[str]) -> int:
    if not snapshot.has_counts(name):
        return 0
    return _counted(snapshot, name, catalog[name].area_column, areas)


def _counted(
    snapshot: SnapshotReader, table: str, column: str | None, areas: frozenset[str]
) -> int:
    sql = f"SELECT count(*) AS n FROM {identifier(table)}"
    if column is None or _EVERYWHERE in areas:
        return int(snapshot.analytic(sql)[0]["n"])
    tests = " OR ".join(f"starts_with({identifier(column)}, ?)" for _ in areas)
    return int(snapshot.analytic(f"{sql} WHERE {tests}", sorted(areas))[0]["n"])


def _shown(count: int) -> int | None:
    return None if 0 < count < SMALL else count
