"""Counts: from a query to one SQL statement over clear columns, and from its rows to a table.

Only columns that the decision cleared and the catalogue keeps outside the sealed part are named,
always as quoted identifiers; every value is a parameter. Columns that name a record (keys, codes
of things) are refused: a count by them counts nothing.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from access.answers import StatsQuery
from access.model import CLEAR, Decision
from access.suppression import suppress
from hub.catalog import Dataset
from hub.errors import RequestError
from hub.identifiers import DivisionCode
from hub.quoting import identifier

MOST_DIMENSIONS = 3
MOST_CELLS = 20_000
DEFAULT_THRESHOLD = 5

_AREAS = {"street": 9, "community": 12, "grid": 14}
_MONTH = re.compile(r"[0-9]{4}-(?:0[1-9]|1[0-2])")


@dataclass(frozen=True, slots=True)
class StatsPlan:
    """A statement and how to read its rows.

    Args:
        labels: result columns that are dimensions, as asked for, in order.
        listed: True when every label comes from a public list (codes, areas, months, years), so
            that the label of a suppressed cell may be shown.
    """

    sql: str
    parameters: tuple[str, ...]
    labels: tuple[str, ...]
    listed: bool


@dataclass(frozen=True, slots=True)
class Table:
    """A table fit to be shown: rows of labels and count, None where suppressed."""

    rows: tuple[tuple[Any, ...], ...]
    suppressed: int


def plan_statistics(dataset: Dataset, query: StatsQuery, decision: Decision) -> StatsPlan:
    """Return the statement that counts what a decision allows to be counted.

    Raises:
        RequestError: when a dimension, month or area is not one, or the decision does not clear it.
    """
    if not 1 <= len(query.by) <= MOST_DIMENSIONS or len(set(query.by)) != len(query.by):
        raise RequestError(f"count by one to {MOST_DIMENSIONS} different dimensions")
    dimensions = [_dimension(dataset, decision, name) for name in query.by]
    conditions, parameters = _conditions(dataset, query, decision)
    select = ", ".join(f"{sql} AS d{i}" for i, (sql, _) in enumerate(dimensions))
    where = f" WHERE {' AND '.join(conditions)}" if conditions else ""
    return StatsPlan(
        sql=f"SELECT {select}, count(*) AS n FROM {identifier(dataset.name)}{where} "
        f"GROUP BY ALL ORDER BY ALL LIMIT {MOST_CELLS + 1}",
        parameters=parameters,
        labels=query.by,
        listed=all(listed for _, listed in dimensions),
    )


def tabulate(rows: Sequence[Mapping[str, Any]], plan: StatsPlan, threshold: int) -> Table:
    """Return the table of a plan's rows with small cells suppressed.

    Raises:
        RequestError: when there are more cells than a table may have.
    """
    if len(rows) > MOST_CELLS:
        raise RequestError(f"more than {MOST_CELLS} cells: count by fewer dimensions")
    width = range(len(plan.labels))
    counts = {tuple(row[f"d{i}"] for i in width): int(row["n"]) for row in rows}
    hidden = suppress(counts, threshold)
    shown = tuple(
        (*cell, None if cell in hidden else count)
        for cell, count in counts.items()
        if plan.listed or cell not in hidden
    )
    return Table(shown, len(hidden))


def threshold_of(decision: Decision) -> int:
    """Return the smallest count a decision lets be shown."""
    for obligation in decision.obligations:
        name, _, number = obligation.partition("=")
        if name == "min_cell":
            return max(int(number), DEFAULT_THRESHOLD)
    return DEFAULT_THRESHOLD


def _dimension(dataset: Dataset, decision: Decision, name: str) -> tuple[str, bool]:
    """Return (SQL expression, whether its labels come from a public list)."""
    if name == "month":
        return _month(dataset, decision), True
    if name in _AREAS:
        return f"left({_area(dataset, decision)}, {_AREAS[name]})", True
    _require_clear(dataset, decision, name)
    derived = {child for column in dataset.columns for child in column.clear_as}
    if name in derived:
        return identifier(name), True
    column = dataset.column(name)
    return identifier(name), column.code_set is not None or column.logical_type == "boolean"


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
