"""The attack on statistics: every allowed query of a small population, and all their differences.

An analyst who knows the method asks everything there is to ask and subtracts. Whatever is known of
each count is an interval; a difference is the records in one count and not in others that lie
within it. No difference of at least one record may be known exactly, nor be known to be fewer than
the threshold and not none: not between two counts, nor between one and all that a table shows of
it. The same attack on counts that are only suppressed has to succeed, or it would prove nothing.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import reduce
from itertools import combinations, product
from operator import or_
from pathlib import Path

import numpy as np
import pytest

from access.answers import StatsQuery
from access.decision import Decider
from access.model import Action, Actor, Decision, Request
from access.statistics import plan_statistics, tabulate
from hub.catalog import Catalog, Dataset
from hub.config import load_settings
from hub.store import lake
from tests.factories import NOW

INCIDENT = "police.incident"
THRESHOLD = 5
RECORDS = 60  # one bit each of a 64-bit word
MONTHS = ("2026-01", "2026-02", "2026-03")
GRIDS = ("99010600100101", "99010600100102", "99010600100201", "99010600200101")
AREAS = (None, "990106001", "990106002", "990106001001", "99010600100101")
_FAR = 10**6


@dataclass(frozen=True, slots=True)
class Known:
    """What a shown count says: of which records it is (bits), and the least and most it can be."""

    records: int
    least: int
    most: int


def _population(con: lake.Connection, dataset: Dataset, seed: int) -> None:
    """Make sixty incidents, unevenly spread, so that most queries have small cells."""
    rng = random.Random(seed)
    rows = [
        (
            rng.choices(GRIDS, (6, 3, 3, 2))[0],
            f"{rng.choices(MONTHS, (5, 4, 1))[0]}-{rng.randint(1, 28):02d}T08:00:00",
            rng.choices(("010000", "020000", "030000"), (6, 3, 1))[0],
            rng.choices(("1", "2"), (5, 2))[0],
            rng.getrandbits(64),
            1 << position,
        )
        for position in range(RECORDS)
    ]
    con.execute(
        f'CREATE TABLE "{dataset.name}" (grid_code VARCHAR, reported_at TIMESTAMP, '
        'category VARCHAR, risk_level VARCHAR, "_mark" UBIGINT, "_bit" UBIGINT)'
    )
    con.executemany(f'INSERT INTO "{dataset.name}" VALUES (?, ?, ?, ?, ?, ?)', rows)


def _queries() -> Iterator[StatsQuery]:
    names = ("street", "community", "grid", "month", "category", "risk_level")
    ranges = [(None, None), *((a, b) for a, b in product(MONTHS, MONTHS) if a <= b)]
    for size in (1, 2, 3):
        for by, area, (first, last) in product(combinations(names, size), AREAS, ranges):
            yield StatsQuery(INCIDENT, by, first_month=first, last_month=last, area=area)


def _known(
    con: lake.Connection, dataset: Dataset, decision: Decision, slack: int
) -> list[tuple[Known, ...]]:
    """Return what every table says, each different table once.

    Args:
        slack: how far a shown count may be from the true one, per month that it was rounded in;
            0 plays the attack on counts that are not rounded.
    """
    tables: dict[tuple[Known, ...], None] = {}
    for query in _queries():
        plan = plan_statistics(dataset, query, decision)
        rows = lake.analytic_rows(
            con, plan.sql.replace(" AS mark ", ' AS mark, bit_or("_bit") AS bits '), plan.parameters
        )
        shown = {row[:-1]: row[-1] for row in tabulate(rows, plan, THRESHOLD).rows}
        bits: dict[tuple[object, ...], list[int]] = {}
        for row in rows:
            bits.setdefault(tuple(row[f"d{i}"] for i in range(len(query.by))), []).append(
                row["bits"]
            )
        tables[tuple(_says(bits[cell], shown[cell], slack) for cell in shown)] = None
    return list(tables)


def _says(parts: Sequence[int], shown: int | None, slack: int) -> Known:
    records = reduce(or_, parts)
    if shown is None:
        return Known(records, 1, _FAR)
    if not slack:
        return Known(records, records.bit_count(), records.bit_count())
    least, most = max(THRESHOLD, shown - len(parts) * slack), shown + len(parts) * slack
    assert least <= records.bit_count() <= most, "what somebody takes for known has to be true"
    return Known(records, least, most)


def _broken(tables: Sequence[tuple[Known, ...]]) -> int:
    """Return how many differences are known too well."""
    wholes = np.array(
        sorted({(k.records, k.least, k.most) for table in tables for k in table if k.most < _FAR}),
        dtype=np.uint64,
    )
    sets = wholes[:, 0]
    least, most = wholes[:, 1].astype(np.int64), wholes[:, 2].astype(np.int64)
    found = 0
    for parts in {(known,) for table in tables for known in table} | set(tables):
        covered = np.zeros_like(sets)
        low, high = np.zeros_like(least), np.zeros_like(most)
        for part in parts:
            if part.most == _FAR:
                continue
            inside = (np.uint64(part.records) & ~sets) == 0
            covered[inside] |= np.uint64(part.records)
            low[inside] += part.least
            high[inside] += part.most
        rest = (sets != covered) & (covered != 0)
        fewest, largest = np.maximum(0, least - high), most - low
        exact = fewest == largest
        small = (fewest >= 1) & (largest < THRESHOLD)
        found += int((rest & (exact | small)).sum())
    return found


@pytest.fixture
def decision(decider: Decider, actors: dict[str, Actor]) -> Decision:
    """The analyst's, who may count everything."""
    request = Request(
        actors["analyst"], Action.AGGREGATE, (INCIDENT,), "statistics.publish", at=NOW
    )
    return decider.decide(request)


@pytest.mark.parametrize("seed", [1, 2])
def test_no_difference_of_allowed_queries_says_too_much(
    tmp_path: Path, catalog: Catalog, decision: Decision, seed: int
) -> None:
    """Street against communities, three months against two, a table against another."""
    con = lake.open_workspace(load_settings(home=tmp_path))
    _population(con, catalog[INCIDENT], seed)
    tables = _known(con, catalog[INCIDENT], decision, THRESHOLD - 1)
    exact = _known(con, catalog[INCIDENT], decision, 0)
    con.close()
    assert len(tables) > 300
    assert _broken(exact) > 100
    assert _broken(tables) == 0


def test_ranges_of_months_tell_no_more_than_the_months(
    tmp_path: Path, catalog: Catalog, decision: Decision
) -> None:
    """Whatever range a month is taken out of, the difference is the same: nothing to average."""
    con = lake.open_workspace(load_settings(home=tmp_path))
    dataset = catalog[INCIDENT]
    _population(con, dataset, 4)

    def counted(first: str, last: str) -> dict[object, int | None]:
        query = StatsQuery(INCIDENT, ("risk_level",), first_month=first, last_month=last)
        plan = plan_statistics(dataset, query, decision)
        rows = lake.analytic_rows(con, plan.sql, plan.parameters)
        return {row[0]: row[1] for row in tabulate(rows, plan, THRESHOLD).rows}

    first, second, third = MONTHS
    whole, head = counted(first, third), counted(first, second)
    tail, middle = counted(second, third), counted(second, second)
    con.close()
    compared = [
        (whole[level], head[level], tail[level], middle[level])
        for level in whole
        if None not in (whole[level], head.get(level), tail.get(level), middle.get(level))
    ]
    assert compared
    for all_three, without_last, without_first, only in compared:
        assert all_three is not None
        assert all_three - (without_last or 0) == (without_first or 0) - (only or 0)
