"""The file every side of the check bench reads, and the 26 rules it is held against.

The file is an invented one of `population.resident`, some two rows in a hundred of it faulty. The
contract is that of `population.resident` narrowed to `RULES`. A rule is one entry of
`contracts.checks.plan`: what the schema implies for a column (required, type, length, ...) counts
one each, so does every entry of `quality`.
"""

from __future__ import annotations

from contextlib import closing
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Literal

import duckdb

from contracts.arithmetic import check_character
from contracts.checks import plan
from contracts.codes import CodeSets
from contracts.loader import load_contracts
from contracts.model import Contract, Property, TypeOptions
from hub.quoting import identifier, literal

DATASET = "population.resident"
AS_OF = date(2026, 6, 30)
THREADS = 2
Format = Literal["csv", "parquet"]
FORMATS: tuple[Format, ...] = ("csv", "parquet")
RULES = (
    "required.resident_id",
    "required.name",
    "length.name",
    "required.sex",
    "codes.sex",
    "codes.ethnicity",
    "required.birth_date",
    "type.birth_date",
    "range.birth_date",
    "codes.person_status",
    "codes.relation_to_head",
    "codes.marital_status",
    "codes.education",
    "pattern.phone",
    "required.residence_address",
    "length.residence_address",
    "required.grid_code",
    "type.collected_on",
    "key_duplicate",
    "phone_mostly_present",
    "has_rows",
    "resident_id_check_digit",
    "resident_id_matches_birth_date",
    "resident_id_matches_sex",
    "grid_code_known",
    "born_before_collected",
)
_READ = "header = true, auto_detect = false, delim = ',', quote = '\"'"
_TYPES = {"date": "DATE", "timestamp": "TIMESTAMP", "integer": "BIGINT", "number": "DOUBLE"}


def contract() -> Contract:
    """Return the contract of `population.resident` with `RULES` and no other rule."""
    whole = next(item for item in load_contracts() if item.name == DATASET)
    narrowed = replace(
        whole,
        properties=tuple(map(_narrowed, whole.properties)),
        rules=tuple(rule for rule in whole.rules if rule.name in RULES),
    )
    planned = [spec.id for spec in plan(narrowed)]
    if sorted(planned) != sorted(RULES):
        raise ValueError(f"the contract plans other rules: {set(planned) ^ set(RULES)}")
    return narrowed


def _narrowed(item: Property) -> Property:
    kept = {
        kind
        for kind in ("required", "length", "pattern", "range", "codes")
        if f"{kind}.{item.name}" in RULES
    }
    given, none = item.options, TypeOptions()
    length = given if "length" in kept else none
    pattern = given if "pattern" in kept else none
    bounds = given if "range" in kept else none
    return replace(
        item,
        required="required" in kept,
        code_set=item.code_set if "codes" in kept else None,
        options=replace(
            bounds,
            min_length=length.min_length,
            max_length=length.max_length,
            pattern=pattern.pattern,
        ),
    )


def relation(path: Path, of: Contract) -> str:
    """Return the SQL relation of a file, all text."""
    if path.suffix == ".parquet":
        return f"read_parquet({literal(str(path))})"
    return _csv(path, dict.fromkeys((item.name for item in of.properties), "VARCHAR"))


def typed_relation(path: Path, of: Contract) -> str:
    """Return the SQL relation of a file in the contract's types.

    A row of a CSV that does not cast is left out by the reader; a cell of a Parquet file becomes
    NULL.
    """
    columns = {item.name: _TYPES.get(item.logical_type, "VARCHAR") for item in of.properties}
    if path.suffix == ".csv":
        return _csv(path, columns, ", ignore_errors = true")
    cells = (
        f"TRY_CAST({identifier(name)} AS {kind}) AS {identifier(name)}"
        for name, kind in columns.items()
    )
    return f"(SELECT {', '.join(cells)} FROM {relation(path, of)})"


def _csv(path: Path, columns: dict[str, str], more: str = "") -> str:
    typed = ", ".join(f"{literal(name)}: {literal(kind)}" for name, kind in columns.items())
    return f"read_csv({literal(str(path))}, {_READ}, columns = {{{typed}}}{more})"


def write_file(path: Path, count: int, of: Contract, code_sets: CodeSets) -> None:
    """Write that many invented residents as CSV or Parquet, all text, the same ones each time.

    Of every thousand rows two each have a wrong check digit, a wrong birth date, an impossible
    date, an unknown code, a date without dashes, a label for a code, a spaced name, a phone with
    dashes, an apostrophe before the number, and a number that stands there twice.
    """
    form = "FORMAT parquet" if path.suffix == ".parquet" else "HEADER"
    cells = ", ".join(
        f"CAST({sql} AS VARCHAR) AS {identifier(name)}"
        for name, sql in _cells(of, code_sets).items()
    )
    with closing(duckdb.connect(config={"threads": THREADS, "memory_limit": "2GB"})) as con:
        con.execute(
            f"COPY (SELECT {cells} FROM ({_people(count)})) TO {literal(str(path))} ({form})"
        )


def _people(count: int) -> str:
    """SELECT of one row per person: i, fault (0-9 or other), body, number, born."""
    return f"""
        SELECT *, CAST(body AS VARCHAR) || {check_character("body")} AS number
        FROM (
            SELECT i, hash(i) AS h, hash(i, 1) % 500 AS fault, born,
                CAST('990106' || strftime(born, '%Y%m%d') || lpad((i % 1000)::VARCHAR, 3, '0')
                    AS BIGINT) AS body
            FROM (
                SELECT i, DATE '1940-01-01' + CAST(i // 1000 % 29000 AS INTEGER) AS born
                FROM range(1, {count + 1}) AS r(i)
            )
        )
    """


def _cells(contract: Contract, code_sets: CodeSets) -> dict[str, str]:
    """Column -> SQL of its delivered text."""
    places = code_sets["division"].codes
    grids = [c.code for c in places if c.level == "grid" and c.is_valid_on(AS_OF)]
    grid = _picked(grids, "h // 7")
    name = f"{_picked(list('赵钱孙李周吴郑王'), 'h // 11')} || {_picked(list('明镜清正和安宁远'), 'h // 13')}"
    cells = {
        item.name: _picked(list(code_sets[item.code_set].valid_on(AS_OF)), f"hash(i, {number})")
        for number, item in enumerate(contract.properties)
        if item.code_set
    }
    cells["sex"] = "CASE WHEN body % 2 = 1 THEN '1' ELSE '2' END"
    return {item.name: "NULL" for item in contract.properties} | cells | {
        "resident_id": """CASE fault
            WHEN 0 THEN left(number, 17) || CASE right(number, 1) WHEN '1' THEN '2' ELSE '1' END
            WHEN 1 THEN '''' || number
            WHEN 2 THEN lag(number, 1, number) OVER (ORDER BY i) ELSE number END""",
        "name": f"CASE fault WHEN 3 THEN ' ' || {name} ELSE {name} END",
        "sex": f"CASE WHEN fault = 4 THEN '男' ELSE {cells['sex']} END",
        "ethnicity": f"CASE WHEN fault = 5 THEN '77' ELSE {cells['ethnicity']} END",
        "birth_date": """CASE fault WHEN 6 THEN strftime(born, '%Y%m%d') WHEN 7 THEN '1990-02-30'
            WHEN 8 THEN '1990-01-01' ELSE strftime(born, '%Y-%m-%d') END""",
        "phone": """CASE WHEN i % 3 = 0 THEN NULL WHEN fault = 9 THEN '139-' || lpad(i::VARCHAR, 8, '0')
            ELSE '139' || lpad(i::VARCHAR, 8, '0') END""",
        "household_id": "'H' || lpad(((i - 1) // 3)::VARCHAR, 9, '0')",
        "relation_to_head": "CASE (i - 1) % 3 WHEN 0 THEN '02' WHEN 1 THEN '10' ELSE '20' END",
        "registered_address": "'明镜区东街' || (h % 900) || '号' || (h % 30) || '单元' || (h % 2000) || '室'",
        "residence_address": "'明镜区西街' || (h % 700) || '号' || (h % 20) || '栋' || (h % 1500) || '室'",
        "address_id": "'A' || lpad((i // 3)::VARCHAR, 10, '0')",
        "division_code": f"left({grid}, 12)",
        "grid_code": grid,
        "workplace": "CASE WHEN h % 3 > 0 THEN '明镜制造厂' END",
        "collected_on": "strftime(DATE '2025-01-01' + CAST(h % 300 AS INTEGER), '%Y-%m-%d')",
    }  # fmt: skip


def _picked(texts: list[str], number: str) -> str:
    listed = ", ".join(map(literal, texts))
    return f"list_extract([{listed}], 1 + CAST(({number}) % {len(texts)} AS INTEGER))"
