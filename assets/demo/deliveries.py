"""Deliveries: the district generated block by block into the files departments would send.

The first month brings all twelve datasets. The month after brings four, with births, deaths and
moves; one of them can be spoilt below its publish bar, and delivered again correctly. Dwellings can
come with them, spoilt a little: good enough to be published, not to be without a yellow card.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from assets.demo.district import District
from assets.demo.outbox import FORMS, Delivery, Outbox
from assets.demo.planting import Planter
from assets.demo.tables import MAKERS, shown
from assets.demo.town import open_registry, settle
from assets.demo.truth import write_truth
from hub.config import Settings
from hub.progress import Progress
from hub.store.drop import deliver

MONTHLY = ("population.resident", "housing.tenancy", "civil_affairs.death", "police.incident")


@dataclass(frozen=True, slots=True)
class Summary:
    """What was generated: files in an order in which they can be loaded, and errors by kind."""

    folder: Path
    period: str
    residents: int
    deliveries: tuple[Delivery, ...]
    planted: Mapping[str, int]


def generate(
    folder: Path,
    residents: int = 120_000,
    seed: int = 990_106,
    month: str = "2026-06",
    errors: bool = True,
    progress: Progress | None = None,
) -> Summary:
    """Write the first month of a district and return what was made.

    Raises:
        RequestError: when residents or month are out of range.
    """
    return generate_first(District(residents, seed, month, errors), folder, progress)


def generate_first(district: District, folder: Path, progress: Progress | None = None) -> Summary:
    """Write FOLDER/PARTNER/DATASET/FILE for all datasets, and the truth to FOLDER/truth.

    Args:
        progress: called with (persons done, persons in all) after every block.
    """
    return _write(_Plan(district, folder, 0, tuple(FORMS)), progress)


def generate_second(
    district: District,
    folder: Path,
    spoiled: frozenset[str] = frozenset({"housing.tenancy"}),
    progress: Progress | None = None,
) -> Summary:
    """Write the month after; a spoiled dataset has one number in eight damaged by a spreadsheet.

    Args:
        spoiled: `housing.dwelling` among them comes as well, with one number in eighty damaged.
    """
    datasets = tuple(name for name in FORMS if name in MONTHLY or name in spoiled)
    return _write(_Plan(district, folder, 1, datasets, spoiled), progress)


def generate_correction(
    district: District,
    folder: Path,
    datasets: frozenset[str] = frozenset({"housing.tenancy"}),
    progress: Progress | None = None,
) -> Summary:
    """Write some datasets of the month after again, with no more errors than usual."""
    chosen = tuple(name for name in MONTHLY if name in datasets)
    return _write(_Plan(district, folder, 1, chosen, take=2), progress)


def send(deliveries: Iterable[Delivery], settings: Settings) -> None:
    """Put files into a hub's drop folder, each with what its department promises of it."""
    for d in deliveries:
        deliver(
            d.path,
            name=d.path.name,
            partner=d.partner,
            dataset=d.dataset,
            settings=settings,
            period=d.period,
            rows=d.rows,
            encoding=d.encoding,
            format=d.format,
            mode=d.mode,
        )


@dataclass(frozen=True, slots=True)
class _Plan:
    """Which files of which month are to be written.

    Args:
        later: months after the first.
        take: 1, or 2 for a corrected delivery, which gets -r2 in its names.
    """

    district: District
    folder: Path
    later: int
    datasets: tuple[str, ...]
    spoiled: frozenset[str] = frozenset()
    take: int = 1

    @property
    def suffix(self) -> str:
        return "" if self.take == 1 else f"-r{self.take}"


def _write(plan: _Plan, progress: Progress | None) -> Summary:
    district, period = plan.district, plan.district.period(plan.later)
    with Outbox(plan.folder, period, plan.datasets, plan.suffix) as outbox:
        planter = Planter(district, plan.later, plan.spoiled, plan.take)
        planter.files = outbox.files
        person = _fill(plan, outbox, planter, progress)
        deliveries = outbox.finish()
    kept = person if plan.later == 0 else {}
    write_truth(plan.folder / "truth", f"{period}{plan.suffix}", planter.truth, kept)
    planted = dict(sorted(Counter(row.kind for row in planter.truth).items()))
    return Summary(plan.folder, period, district.residents, deliveries, planted)


def _fill(
    plan: _Plan, outbox: Outbox, planter: Planter, progress: Progress | None
) -> dict[str, str]:
    """Write every block and return what is shown of the showcase person."""
    person: dict[str, str] = {}
    registry = open_registry(plan.district, plan.later)
    done = 0
    for block in plan.district.blocks():
        town = settle(registry, block)
        planter.begin(len(town.people))
        for dataset in (name for name in MAKERS if name in plan.datasets):
            rows = MAKERS[dataset](registry, town, planter)
            if town.is_first:
                person.update(shown(rows))
            outbox.write(dataset, planter.plant(rows, block.index))
        done += block.persons
        if progress is not None:
            progress(done, plan.district.residents)
    return person
