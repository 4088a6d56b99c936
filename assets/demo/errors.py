"""The kinds of error that can be planted: how each looks, and who can find it.

A check error makes its own row fail a contract rule. A cross-source error leaves every row valid
and only shows when departments are compared. Some can be found by nobody: known misses.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
import pyarrow as pa

from assets.demo.columns import Column, Ints, change, put
from assets.demo.district import abolished_communities
from assets.demo.names import WOMEN
from hub.identifiers import ResidentId, resident_check_character

Detectable = Literal["check", "cross-source", "none"]
Columns = Mapping[str, Column]
Alter = Callable[[Columns, Ints, np.random.Generator], dict[str, Column]]


@dataclass(frozen=True, slots=True)
class Recipe:
    """One kind of error in one dataset.

    Args:
        kind: name of the error, also the conflict's name when it is one between sources.
        column: column it is seen in.
        rate: share of the dataset's rows; of a conflict, share of the rows of its mask.
        rule: id of the contract rule that must catch it, or the conflict's name.
        alter: makes some rows wrong; returns the columns it changed.
        detectable_by: who can find it.
        among: name of the row mask it is drawn from, "" for any row.
        subject: column with the number of the person concerned, read after the change.
    """

    kind: str
    column: str
    rate: float
    rule: str
    alter: Alter
    detectable_by: Detectable = "check"
    among: str = ""
    subject: str | None = None


def _cells(column: str, alter: Callable[[str], str | None]) -> Alter:
    def apply(columns: Columns, rows: Ints, random: np.random.Generator) -> dict[str, Column]:
        del random
        return {column: change(columns[column], rows, alter)}

    return apply


def _next_check_character(number: str) -> str:
    return number[:-1] + "0123456789X"["0123456789X".index(number[-1]) - 3]


def wrong_check_digit(column: str, rate: float, *, among: str = "") -> Recipe:
    """The last character is not the one the others ask for."""
    rule = f"{column}_check_digit"
    return Recipe(
        "wrong_check_digit", column, rate, rule, _cells(column, _next_check_character), among=among
    )


def damaged(number: str) -> str:
    """Return what a spreadsheet leaves of an identity number: digits 16 to 18 lost, or worse."""
    exponent = f"{float(number[:17]) * 10:.2E}"
    return exponent if number[13] in "05" else f"{number[:15]}000"


def float_damage(column: str, rate: float, *, among: str = "") -> Recipe:
    """The number went through a spreadsheet's floating point."""
    rule = f"{column}_float_damage"
    return Recipe("float_damage", column, rate, rule, _cells(column, damaged), among=among)


def wrong_birth_date(birth: str, number: str, rate: float, *, among: str = "") -> Recipe:
    """The date of birth is earlier than the number says: by a day, a month or a year."""

    def apply(columns: Columns, rows: Ints, random: np.random.Generator) -> dict[str, Column]:
        back = iter(random.choice([1, 31, 366], len(rows)).tolist())
        return {birth: change(columns[birth], rows, lambda value: _earlier(value, next(back)))}

    return Recipe("wrong_birth_date", birth, rate, f"{number}_matches_{birth}", apply, among=among)


def _earlier(value: str, days: int) -> str:
    return str(np.datetime64(value) - np.timedelta64(days))


def wrong_sex(number: str, rate: float, *, among: str = "") -> Recipe:
    """The sex is the other one."""
    flip = _cells("sex", lambda value: "2" if value == "1" else "1")
    return Recipe("wrong_sex", "sex", rate, f"{number}_matches_sex", flip, among=among)


def missing(column: str, rate: float, *, among: str = "") -> Recipe:
    """A required value is not there, or a word for nothing stands in its place."""

    def apply(columns: Columns, rows: Ints, random: np.random.Generator) -> dict[str, Column]:
        nothing = [(None, "无", "不详")[i] for i in random.integers(3, size=len(rows)).tolist()]
        return {column: put(columns[column], rows, nothing)}

    return Recipe("missing_required", column, rate, f"required.{column}", apply, among=among)


def future_date(column: str, rate: float, *, among: str = "") -> Recipe:
    """The year is sixty years ahead."""
    ahead = _cells(column, lambda value: f"{int(value[:4]) + 60}{value[4:8]}01{value[10:]}")
    return Recipe("future_date", column, rate, f"{column}_not_future", ahead, among=among)


def end_before_start(start: str, end: str, rule: str, rate: float) -> Recipe:
    """The later of two dates lies 40 days before the earlier."""

    def apply(columns: Columns, rows: Ints, random: np.random.Generator) -> dict[str, Column]:
        del random
        begins = columns[start].take(pa.array(rows)).to_pylist()
        return {end: put(columns[end], rows, [_earlier(value, 40) for value in begins])}

    return Recipe("end_before_start", end, rate, rule, apply)


def unknown_code(
    column: str, rate: float, *, code: str = "77", rule: str = "", among: str = ""
) -> Recipe:
    """The code is in no code set."""
    return Recipe(
        "unknown_code",
        column,
        rate,
        rule or f"codes.{column}",
        _cells(column, lambda _: code),
        among=among,
    )


def out_of_range(column: str, rate: float, value: str, *, among: str = "") -> Recipe:
    """The number is far outside what can be."""
    return Recipe(
        "out_of_range",
        column,
        rate,
        f"range.{column}",
        _cells(column, lambda _: value),
        among=among,
    )


def stale_division(column: str, rate: float, *, among: str = "") -> Recipe:
    """The community was abolished years ago."""

    def apply(columns: Columns, rows: Ints, random: np.random.Generator) -> dict[str, Column]:
        old = abolished_communities()
        chosen = [old[i] for i in random.integers(len(old), size=len(rows)).tolist()]
        return {column: put(columns[column], rows, chosen)}

    return Recipe("stale_division", column, rate, f"{column}_known", apply, among=among)


def bad_reference(column: str, rate: float, *, among: str = "") -> Recipe:
    """The key it refers to does not exist."""
    break_it = _cells(column, lambda value: f"{value[:-6]}999{value[-3:]}")
    return Recipe("bad_reference", column, rate, f"{column}_exists", break_it, among=among)


def _other_number(number: str) -> str:
    """Return another valid number of the same birth date and sex, in the outsiders' range."""
    body = f"{number[:14]}9{number[15:17]}"
    return body + resident_check_character(body)


def _other_name(name: str) -> str:
    last = WOMEN[(WOMEN.find(name[-1]) + 7) % len(WOMEN)]
    return name[:-1] + last


def other_name(
    column: str, rate: float, detectable: Detectable, among: str, subject: str
) -> Recipe:
    """The name is a different, perfectly possible one."""
    kind = "name_conflict" if detectable == "cross-source" else "wrong_name"
    return Recipe(
        kind,
        column,
        rate,
        kind if detectable != "none" else "",
        _cells(column, _other_name),
        detectable,
        among,
        subject,
    )


def other_number(column: str, rate: float, kind: str, detectable: Detectable, among: str) -> Recipe:
    """The number is a valid one that belongs to no resident."""
    rule = kind if detectable == "cross-source" else ""
    return Recipe(
        kind, column, rate, rule, _cells(column, _other_number), detectable, among, column
    )


def conflict(kind: str, column: str, rate: float, value: str, among: str, subject: str) -> Recipe:
    """The value is valid by itself and contradicted by another department."""
    return Recipe(
        kind, column, rate, kind, _cells(column, lambda _: value), "cross-source", among, subject
    )


def invalid_credit_code(rate: float) -> Recipe:
    """The last character of a unified social credit code is wrong."""
    break_it = _cells("credit_code", lambda code: code[:-1] + ("A" if code[-1] != "A" else "B"))
    return Recipe("invalid_credit_code", "credit_code", rate, "credit_code_valid", break_it)


def certificate_mismatch(rate: float) -> Recipe:
    """The certificate number names another grade than the certificate."""
    break_it = _cells("certificate_no", lambda no: no[:19] + str(int(no[19]) % 4 + 1) + no[20:])
    return Recipe(
        "certificate_mismatch", "certificate_no", rate, "certificate_matches_holder", break_it
    )


def seen_as(recipe: Recipe, value: str | None, sex: str | None) -> Recipe:
    """Return the recipe as it can be found on one row.

    One damaged number in eleven keeps a check digit that fits: then only a sex that contradicts
    it gives it away, and where there is none, nothing does.
    """
    number = ResidentId.parse(value or "") if recipe.kind == "float_damage" else None
    if number is None:
        return recipe
    if sex is not None and sex != number.sex:
        return replace(recipe, rule=f"{recipe.column}_matches_sex")
    return replace(recipe, rule="", detectable_by="none")


def duplicate(kind: str, key: str) -> Recipe:
    """A row that is there twice, word for word or with another value."""
    return Recipe(kind, key, 0.0, "key_duplicate", _cells(key, str))
