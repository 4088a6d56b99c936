"""Counts: from a query to one SQL statement over clear columns, and from its rows to a table.

What is shown is safe twice over: small cells are suppressed together with what would give them
back within the table (`access.suppression`), and every count is rounded by a key of the records it
is of (`access.rounding`), so that two tables cannot be subtracted. A count over a range of months
is the sum of its months, each rounded as it is shown by itself: ranges that overlap tell nothing
that the months do not.

Only columns that the decision cleared and the catalogue keeps outside the sealed part are named,
always as quoted identifiers; every value is a parameter. Columns that name a record (keys, codes
of things) are refused: a count by them counts nothing.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from access.answers import StatsQuery
from access.model import CLEAR, Decision
from access.rounding import rounded
from access.suppression import Cell, suppress
from hub.catalog import Dataset
from hub.errors import RequestError
from hub.identifiers import DivisionCode
from hub.quoting import identifier

MOST_DIMENSIONS = 3
MOST_CELLS = 20_000
MOST_PARTS = 200_000
DEFAULT_THRESHOLD = 5

DIVISIONS = "division"  # the code set of places
AREAS = {"street": 9, "community": 12, "grid": 14}
_MONTH = re.compile(r"[0-9]{4}-(?:0[1-9]|1[0-2])")


@dataclass(frozen=True, slots=True)
class Dimension:
    """One breakdown of a count.

    Args:
        sql: expression over the clear columns.
        listed: True when every label comes from a public list (codes, areas, months, years), so
            that the label of a suppressed cell may be shown.
        codes: code set its labels come from, or None.
        prefixes: at how many characters a label names a wider place that can be counted by.
    """

    name: str
    sql: str
    listed: bool
    codes: str | None = None
    prefixes: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class StatsPlan:
    """A statement and how to read its rows.

    Args:
        dimensions: as asked for, in order; the rows name them d0, d1, ...
        by_part: True when the rows count each month of a range by itself.
    """

    sql: str
    parameters: tuple[str, ...]
    dimensions: tuple[Dimension, ...]
    by_part: bool = False

    @property
    def listed(self) -> bool:
        """Say whether the labels of suppressed cells may be shown."""
        return all(dimension.listed for dimension in self.dimensions)


@dataclass(frozen=True, slots=True)
class Table:
    """A table fit to be shown: rows of labels and count, None where suppressed."""

    rows: tuple[tuple[Any, ...], ...]
    suppressed: int = 0


def plan_statistics(dataset: Dataset, query: StatsQuery, decision: Decision) -> StatsPlan:
    """Return the statement that counts what a decision allows to be counted.

    Its rows have the dimensions, `n` records, and `mark`, the exclusive-or of their marks.

    Raises:
        RequestError: when a dimension, month or area is not one, or the decision does not clear it.
    """
    if not 1 <= len(query.by) <= MOST_DIMENSIONS or len(set(query.by)) != len(query.by):
        raise RequestError(f"count by one to {MOST_DIMENSIONS} different dimensions")
    dimensions = tuple(_dimension(dataset, decision, name) for name in query.by)
    conditions, parameters = _conditions(dataset, query, decision)
    in_range = query.first_month is not None or query.last_month is not None
    by_part = in_range and "month" not in query.by
    columns = [f"{dimension.sql} AS d{i}" for i, dimension in enumerate(dimensions)]
    if by_part:
        columns.append(f"{_month(dataset, decision)} AS part")
    where = f" WHERE {' AND '.join(conditions)}" if conditions else ""
    return StatsPlan(
        sql=f'SELECT {", ".join(columns)}, count(*) AS n, bit_xor("_mark") AS mark '
        f"FROM {identifier(dataset.name)}{where} "
        f"GROUP BY ALL ORDER BY ALL LIMIT {(MOST_PARTS if by_part else MOST_CELLS) + 1}",
        parameters=parameters,
        dimensions=dimensions,
        by_part=by_part,
    )


def count(rows: Sequence[Mapping[str, Any]], plan: StatsPlan) -> dict[Cell, int]:
    """Return the number of records of every cell that has one: exact, and not to be shown.

    Raises:
        RequestError: when there are more cells than a table may have.
    """
    counts: dict[Cell, int] = defaultdict(int)
    for row in rows:
        counts[_cell(row, plan)] += int(row["n"])
    if len(counts) > MOST_CELLS or len(rows) > MOST_PARTS:
        raise RequestError(
            f"more than {MOST_CELLS:,} cells, or {MOST_PARTS:,} with every month of a range: "
            "count by fewer dimensions or over fewer months"
        )
    return counts


def tabulate(rows: Sequence[Mapping[str, Any]], plan: StatsPlan, threshold: int) -> Table:
    """Return the table of a plan's rows with small cells suppressed and the others rounded.

    Raises:
        RequestError: when there are more cells than a table may have.
    """
    counts = count(rows, plan)
    hidden = suppress(counts, threshold, [dimension.prefixes for dimension in plan.dimensions])
    shown: dict[Cell, int] = defaultdict(int)
    for row in rows:
        shown[_cell(row, plan)] += rounded(int(row["n"]), int(row["mark"]), threshold)
    return Table(
        tuple(
            (*cell, None if cell in hidden else shown[cell])
            for cell in counts
            if plan.listed or cell not in hidden
        ),
        len(hidden),
    )


def _cell(row: Mapping[str, Any], plan: StatsPlan) -> Cell:
    return tuple([row[f"d{i}"] for i in range(len(plan.dimensions))])


def threshold_of(decision: Decision) -> int:
    """Return the smallest count a decision lets be shown."""
    for obligation in decision.obligations:
        name, _, number = obligation.partition("=")
        if name == "min_cell":
            return max(int(number), DEFAULT_THRESHOLD)
    return DEFAULT_THRESHOLD


def _dimension(dataset: Dataset, decision: Decision, name: str) -> Dimension:
    if name == "month":
        return Dimension(name, _month(dataset, decision), listed=True)
    if name in AREAS:
        length = AREAS[name]
        sql = f"left({_area(dataset, decision)}, {length})"
        wider = tuple(other for other in AREAS.values() if other < length)
        return Dimension(name, sql, listed=True, codes=DIVISIONS, prefixes=wider)
    _require_clear(dataset, decision, name)
    derived = {child for column in dataset.columns for child in column.clear_as}
    if name in derived:
        return Dimension(name, identifier(name), listed=True)
    column = dataset.column(name)
    listed = column.code_set is not None or column.logical_type == "boolean"
    is_place = name == dataset.area_column
    return Dimension(
        name,
        identifier(name),
        listed=listed,
        codes=column.code_set,
        prefixes=tuple(AREAS.values()) if is_place else (),
    )


def _require_clear(dataset: Dataset, decision: Decision, name: str) -> None:
    treatment = decision.fields.get(f"{dataset.name}.{name}")
    if treatment is None:
        raise RequestError(f"{dataset.name} has no such column to count by")
    if treatment != CLEAR:
        raise RequestError(
            f"{dataset.name} cannot be counted by {name}: it names persons or things"
        )


def _month(dataset: Dataset, decision: Decision) -> str:
    """Return the SQL of a record's month: from the clear date, else from its clear month."""
    if dataset.time_column is None:
        raise RequestError(f"{dataset.name} has no date to count by")
    column = dataset.column(dataset.time_column)
    if not column.sealed:
        _require_clear(dataset, decision, column.name)
        if column.logical_type == "string":  # a month or date as text: YYYY-MM...
            return f"left({identifier(column.name)}, 7)"
        return f"strftime({identifier(column.name)}, '%Y-%m')"
    for name, how in column.clear_as.items():
        if how == "month":
            _require_clear(dataset, decision, name)
            return identifier(name)
    raise RequestError(f"{dataset.name} keeps no month in the clear")


def _area(dataset: Dataset, decision: Decision) -> str:
    if dataset.area_column is None:
        raise RequestError(f"{dataset.name} has no area to count by")
    _require_clear(dataset, decision, dataset.area_column)
    return identifier(dataset.area_column)


def _conditions(
    dataset: Dataset, query: StatsQuery, decision: Decision
) -> tuple[list[str], tuple[str, ...]]:
    conditions: list[str] = []
    parameters: list[str] = []
    for month, sign in ((query.first_month, ">="), (query.last_month, "<=")):
        if month is not None:
            if not _MONTH.fullmatch(month):
                raise RequestError("a month is written YYYY-MM")
            conditions.append(f"{_month(dataset, decision)} {sign} ?")
            parameters.append(month)
    if query.area is not None:
        if DivisionCode.parse(query.area) is None:
            raise RequestError("an area is a division or grid code of 6, 9, 12 or 14 digits")
        conditions.append(f"starts_with({_area(dataset, decision)}, ?)")
        parameters.append(query.area)
    if decision.row_filter is not None:
        area = _area(dataset, decision)
        within = " OR ".join(f"starts_with({area}, ?)" for _ in decision.row_filter)
        conditions.append(f"({within or 'false'})")
        parameters.extend(decision.row_filter)
    return conditions, tuple(parameters)
