"""Columns of text, built whole: the small vocabulary every noun of the district is written in.

A column is an Arrow string array; a missing value is null. All functions are pure.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date
from functools import lru_cache
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

Ints: TypeAlias = npt.NDArray[np.int64]
Flags: TypeAlias = npt.NDArray[np.bool_]
Column: TypeAlias = Any  # pyarrow publishes no types: a pa.StringArray

EPOCH = date(1900, 1, 1)
DAYS = 73_414  # to the last day of 2100


def day_of(value: date) -> int:
    """Return a date as days since 1900-01-01, the day number used throughout the district."""
    return (value - EPOCH).days


@lru_cache(maxsize=1)
def calendar() -> npt.NDArray[np.str_]:
    """Return YYYY-MM-DD of every day number up to the end of 2100."""
    return np.datetime_as_string(np.datetime64(EPOCH) + np.arange(DAYS))


@lru_cache(maxsize=1)
def _date_table() -> Column:
    return pa.array(calendar().tolist())


@lru_cache(maxsize=1)
def _clock_table() -> Column:
    return pa.array([f"{m // 60:02d}:{m % 60:02d}" for m in range(1440)])


def pick(words: Sequence[str], index: npt.NDArray[Any]) -> Column:
    """Return words[index] as a column."""
    return pa.array(words, pa.string()).take(pa.array(index))


def days(numbers: Ints) -> Column:
    """Return day numbers as YYYY-MM-DD."""
    return _date_table().take(pa.array(numbers))


def months(numbers: Ints) -> Column:
    """Return day numbers as YYYY-MM."""
    return pc.utf8_slice_codeunits(days(numbers), 0, 7)


def moments(numbers: Ints, seconds: Ints) -> Column:
    """Return day numbers and seconds of the day as YYYY-MM-DD HH:MM:SS."""
    minute = _clock_table().take(pa.array(seconds // 60))
    return join(days(numbers), " ", minute, ":", padded(seconds % 60, 2))


def text(numbers: npt.NDArray[Any]) -> Column:
    """Return numbers as plain decimal text."""
    return pa.array(numbers).cast(pa.string())


def padded(numbers: Ints, width: int) -> Column:
    """Return numbers as text with leading zeros to a width."""
    return pc.utf8_lpad(text(numbers), width, "0")


def join(*parts: Column | str) -> Column:
    """Return the parts of each row run together; a null part makes the row null."""
    return pc.binary_join_element_wise(*parts, "")


def where(mask: Flags, yes: Column | str | None, no: Column | str | None) -> Column:
    """Return `yes` in the rows of the mask and `no` in the others."""
    return pc.if_else(pa.array(mask), _operand(yes), _operand(no))


def _operand(value: Column | str | None) -> Column:
    return pa.scalar(value, pa.string()) if value is None or isinstance(value, str) else value


def nothing(rows: int) -> Column:
    """Return a column of nulls."""
    return pa.nulls(rows, pa.string())


def put(column: Column, rows: Ints, values: Sequence[str | None] | Column) -> Column:
    """Return the column with other values in some rows."""
    if len(rows) == 0:
        return column
    index = np.arange(len(column))
    index[rows] = len(column) + np.arange(len(rows))
    return pa.concat_arrays([column, pa.array(values, pa.string())]).take(pa.array(index))


def change(column: Column, rows: Ints, alter: Callable[[str], str | None]) -> Column:
    """Return the column with `alter` applied to some rows; nulls stay null."""
    old = column.take(pa.array(rows)).to_pylist()
    return put(column, rows, [None if value is None else alter(value) for value in old])


def table(index: Ints) -> Ints:
    """Return indexes as a table of one row per record, also when each record has only one."""
    return index if index.ndim == 2 else index[:, None]
