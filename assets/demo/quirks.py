"""Oddities of real files that cleaning undoes: never counted as errors.

Full-width digits, stray apostrophes, a multiplication sign for X, spaces inside names, dates in
several notations, units in numbers, labels for codes, words for nothing, two phones in one cell.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import pyarrow as pa

from assets.demo.columns import Column, Flags, Ints, put
from contracts.codes import load_code_sets

_WIDE = str.maketrans("0123456789X", "０１２３４５６７８９Ｘ")
_NOTHING = ("无", "不详", "—", "/")
_DOTS = "•・‧．"
_FORMS = ("{0}{1:02d}{2:02d}", "{0}.{1}.{2}", "{0}/{1}/{2}", "{0}年{1}月{2}日")


@dataclass(frozen=True, slots=True)
class Quirk:
    """One way of writing a column oddly.

    Args:
        column: which column.
        rate: share of the rows tried; a row the alteration does not fit stays as it is.
        alter: (value, any number) -> the odd way of writing the same value.
        empty: whether it is for rows that hold nothing.
    """

    column: str
    rate: float
    alter: Callable[[str, int], str]
    empty: bool = False


def apply(
    random: np.random.Generator,
    columns: Mapping[str, Column],
    quirks: tuple[Quirk, ...],
    spared: Flags,
) -> dict[str, Column]:
    """Return the columns with their oddities; spared rows stay as they are."""
    odd = dict(columns)
    for quirk in quirks:
        column = odd[quirk.column]
        rows = np.flatnonzero((random.random(len(column)) < quirk.rate) & ~spared)
        number = random.integers(0, 1_000, len(rows))
        odd[quirk.column] = _altered(column, rows, number.tolist(), quirk)
    return odd


def _altered(column: Column, rows: Ints, number: list[int], quirk: Quirk) -> Column:
    values = column.take(pa.array(rows)).to_pylist()
    pairs = zip(values, number, strict=True)
    if quirk.empty:
        return put(column, rows, [v if v is not None else quirk.alter("", n) for v, n in pairs])
    return put(column, rows, [None if v is None else quirk.alter(v, n) for v, n in pairs])


def _last_x(value: str, number: int) -> str:
    return value[:-1] + "xＸ×Х"[number % 4] if value.endswith("X") else value


def _wide(value: str, _number: int) -> str:
    return value.translate(_WIDE)


def _apostrophe(value: str, number: int) -> str:
    return f"'{value}" if number % 2 else f"{value}\u00a0"


def _spaced(value: str, _number: int) -> str:
    return f"{value[:6]} {value[6:14]} {value[14:]}"


def _old_number(value: str, _number: int) -> str:
    """Write a number of the twentieth century as it was before 1999: 15 digits."""
    return value[:6] + value[8:17] if value[6:8] == "19" else value


def _name(value: str, number: int) -> str:
    if "·" in value:
        return value.replace("·", _DOTS[number % 4])
    if len(value) == 2:
        return f"{value[0]}\u3000{value[1]}" if number % 2 else f"{value[0]} {value[1]}"
    return f"{value}\u00a0" if number % 2 else f" {value}"


def _date(value: str, number: int) -> str:
    year, month, day = (int(part) for part in value.split("-"))
    return _FORMS[number % 4].format(year, month, day)


def _phone(value: str, number: int) -> str:
    second = f"154{(int(value[3:]) * 7 + number) % 100_000_000:08d}"
    return (
        f"{value}/{second}",
        f"{value}、{second}",
        f"{value[:3]}-{value[3:7]}-{value[7:]}",
        f"{value[:3]} {value[3:7]} {value[7:]}",
    )[number % 4]


def _unit(suffix: str) -> Callable[[str, int], str]:
    return lambda value, _number: f"{value}{suffix}"


def _ten_thousands(value: str, _number: int) -> str:
    yuan = int(value)
    return f"{yuan // 10_000}.{yuan % 10_000 // 100:02d}万元" if yuan % 100 == 0 else f"{value}元"


def _nothing(_value: str, number: int) -> str:
    return _NOTHING[number % 4]


@lru_cache(maxsize=32)
def labels(code_set: str) -> Mapping[str, str]:
    """Return code -> label of a code set that ships with the contracts."""
    return {item.code: item.label for item in load_code_sets()[code_set].codes}


def _code(code_set: str) -> Callable[[str, int], str]:
    def alter(value: str, number: int) -> str:
        label = labels(code_set)[value]
        return f"{value}-{label}" if number % 2 else label

    return alter


def _ids(column: str) -> tuple[Quirk, ...]:
    shares = (
        (_last_x, 0.2),
        (_wide, 0.002),
        (_apostrophe, 0.004),
        (_spaced, 0.001),
        (_old_number, 0.003),
    )
    return tuple(Quirk(column, rate, alter) for alter, rate in shares)


def _codes(**code_sets: str) -> tuple[Quirk, ...]:
    return tuple(Quirk(column, 0.01, _code(name)) for column, name in code_sets.items())


QUIRKS: Mapping[str, tuple[Quirk, ...]] = {
    "address.standard_address": (
        Quirk("updated_on", 0.02, _date),
        Quirk("room", 0.02, _nothing, empty=True),
    ),
    "population.resident": (
        *_ids("resident_id"),
        Quirk("name", 0.01, _name),
        Quirk("birth_date", 0.02, _date),
        Quirk("collected_on", 0.02, _date),
        Quirk("phone", 0.01, _phone),
        Quirk("workplace", 0.05, _nothing, empty=True),
        Quirk("former_name", 0.02, _nothing, empty=True),
        *_codes(
            sex="sex", marital_status="marital_status", ethnicity="ethnicity", education="education"
        ),
    ),
    "housing.dwelling": (
        *_ids("owner_id"),
        Quirk("area_sqm", 0.08, _unit("㎡")),
        Quirk("area_sqm", 0.01, _wide),
        Quirk("rooms", 0.03, _unit("间")),
        Quirk("owner_phone", 0.02, _phone),
        Quirk("owner_name", 0.01, _name),
        Quirk("updated_on", 0.03, _date),
        *_codes(is_rented="yes_no", ownership="ownership"),
    ),
    "housing.tenancy": (
        *_ids("tenant_id"),
        Quirk("tenant_name", 0.02, _name),
        Quirk("tenant_phone", 0.04, _phone),
        Quirk("rented_area_sqm", 0.05, _unit("平方米")),
        Quirk("rent_yuan", 0.05, _unit("元")),
        Quirk("start_date", 0.03, _date),
        Quirk("end_date", 0.3, _nothing, empty=True),
    ),
    "enterprise.unit": (
        *_ids("legal_representative_id"),
        Quirk("credit_code", 0.003, _wide),
        Quirk("employees", 0.03, _unit("人")),
        Quirk("established_on", 0.03, _date),
        *_codes(status="unit_status"),
    ),
    "civil_affairs.marriage": (
        *_ids("man_id"),
        *_ids("woman_id"),
        Quirk("man_name", 0.01, _name),
        Quirk("woman_name", 0.01, _name),
        *_codes(op_type="marriage_op"),
    ),
    "civil_affairs.assistance": (
        *_ids("recipient_id"),
        Quirk("recipient_name", 0.02, _name),
        Quirk("monthly_amount_yuan", 0.03, _unit("元")),
        *_codes(category="assistance_category", status="assistance_status"),
    ),
    "civil_affairs.disability": (
        *_ids("holder_id"),
        Quirk("holder_name", 0.02, _name),
        Quirk("issued_on", 0.05, _date),
        Quirk("guardian_name", 0.1, _nothing, empty=True),
        *_codes(category="disability_category", grade="disability_grade"),
    ),
    "civil_affairs.death": (
        *_ids("deceased_id"),
        Quirk("deceased_name", 0.02, _name),
        Quirk("died_on", 0.05, _date),
        *_codes(sex="sex"),
    ),
    "police.incident": (
        *_ids("reporter_id"),
        Quirk("reporter_phone", 0.02, _phone),
        *_codes(risk_level="risk_level"),
    ),
    "police.case": (
        *_ids("victim_id"),
        Quirk("filed_on", 0.04, _date),
        Quirk("loss_yuan", 0.1, _ten_thousands),
        *_codes(category="case_category"),
    ),
    "police.dispute": (
        *_ids("party_a_id"),
        Quirk("reported_on", 0.04, _date),
        *_codes(category="dispute_category"),
    ),
}
