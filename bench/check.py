"""The batch check against DuckDB's own typed load of the same file, and against GX on pandas.

One invented file of `population.resident`, some two rows in a hundred of it faulty. Ours runs the
whole contract and leaves typed accepted rows, quarantined rows with every reason, changes and
counts, all failing keys fetched; the typed load only parses and casts. GX gets the same rules as
far as it has an expectation for them, natively on a pandas frame, what it cannot compute (check
digit, parts of the number) given to it as ready columns, and returns the failing keys too. It
neither cleans nor splits. Every side starts from the CSV with an engine or a frame of its own.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import date
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any

import duckdb

from bench.machine import installed
from bench.row import Mark, Peer, Row
from bench.settings import BenchSettings
from bench.turns import interleaved, seconds
from contracts.arithmetic import check_character
from contracts.check import run_batch
from contracts.checks import CheckSpec, plan
from contracts.codes import CodeSets, load_code_sets
from contracts.compile import SourceRelation, compile_batch
from contracts.loader import load_contracts
from contracts.model import Contract
from contracts.quoting import identifier, literal
from contracts.shapes import RESIDENT_ID

DATASET = "population.resident"
ROWS_PER_RESIDENT = 25 / 3  # a district of 120,000 stands for a file of a million rows
GX_SHARE = 4  # GX takes about a minute for a million rows; its file is shorter
AS_OF = date(2026, 6, 30)
THREADS = 2
MEMORY = "2GB"
_READ = "header = true, auto_detect = false, delim = ',', quote = '\"'"


def rows(settings: BenchSettings) -> Iterator[Row]:
    """Yield the check's time against the typed load's, and GX's against the check's."""
    folder = settings.scratch("check")
    contract = next(item for item in load_contracts() if item.name == DATASET)
    code_sets = load_code_sets()
    large, small = folder / "large.csv", folder / "small.csv"
    count = max(1000, round(settings.residents * ROWS_PER_RESIDENT))
    write_file(large, count, contract, code_sets)
    yield _against_typed_load(settings, contract, code_sets, large, count)
    write_file(small, count // GX_SHARE, contract, code_sets)
    yield _against_gx(settings, contract, code_sets, small, count // GX_SHARE)


def write_file(path: Path, count: int, contract: Contract, code_sets: CodeSets) -> None:
    """Write that many invented residents as CSV, the same ones each time.

    Of every thousand rows two each have a wrong check digit, a wrong birth date, an impossible
    date, an unknown code, a date without dashes, a label for a code, a spaced name, a phone with
    dashes, an apostrophe before the number, and a number that stands there twice.
    """
    with closing(_engine()) as con:
        cells = ", ".join(
            f"{sql} AS {identifier(name)}" for name, sql in _cells(contract, code_sets).items()
        )
        con.execute(
            f"COPY (SELECT {cells} FROM ({_people(count)})) TO {literal(str(path))} (HEADER)"
        )


def ours(path: Path, contract: Contract, code_sets: CodeSets) -> int:
    """Check and split a file, fetch all failing keys, and return how many there are."""
    columns = tuple(item.name for item in contract.properties)
    source = SourceRelation(
        f"SELECT * FROM {_csv(path, dict.fromkeys(columns, 'VARCHAR'))}", columns
    )
    with closing(_engine()) as con:
        compiled = compile_batch(contract, plan(contract), source, as_of=AS_OF, code_sets=code_sets)
        run_batch(con, compiled)
        keys = ", ".join(map(identifier, contract.key))
        return len(
            con.execute(f"SELECT row_number, {keys}, failed_rules FROM quarantine").fetchall()
        )


def typed_load(path: Path, contract: Contract) -> None:
    """Load a file into typed columns as DuckDB does it; rows that do not cast are left out."""
    types = {"date": "DATE", "timestamp": "TIMESTAMP", "integer": "BIGINT", "number": "DOUBLE"}
    columns = {p.name: types.get(p.logical_type, "VARCHAR") for p in contract.properties}
    with closing(_engine()) as con:
        con.execute(f"CREATE TABLE loaded AS SELECT * FROM {_csv(path, columns, skipping=True)}")


def gx_on_pandas(path: Path, contract: Contract, code_sets: CodeSets) -> int:
    """Validate a file with GX on a pandas frame and return how many keys it reports."""
    # GX takes seconds to import: here, so that only this bench pays, and before its clock runs.
    import great_expectations as gx
    import pandas as pd  # type: ignore[import-untyped]

    frame = pd.read_csv(path, dtype=str, keep_default_na=False, na_values=[""])
    number = frame["resident_id"].str
    frame["area"] = number.slice(0, 6)
    frame["born"] = number.slice(6, 10) + "-" + number.slice(10, 12) + "-" + number.slice(12, 14)
    frame["sex_by_number"] = number.slice(16, 17).map({str(n): "21"[n % 2] for n in range(10)})
    frame["check"] = _check_characters(frame["resident_id"])
    frame["last"] = number.slice(17, 18)
    context: Any = gx.get_context(mode="ephemeral")
    context.variables.progress_bars = {"globally": False, "metric_calculations": False}
    batch = (
        context.data_sources.add_pandas("frames")
        .add_dataframe_asset("file")
        .add_batch_definition_whole_dataframe("whole")
        .get_batch({"dataframe": frame})
    )
    suite = gx.ExpectationSuite("check", expectations=gx_rules(contract, code_sets))
    result = batch.validate(
        suite,
        result_format={
            "result_format": "COMPLETE",
            "unexpected_index_column_names": list(contract.key),
        },
    )
    return sum(len(item.result.get("unexpected_index_list") or ()) for item in result.results)


def gx_rules(contract: Contract, code_sets: CodeSets) -> list[Any]:
    """Return an expectation for each check of the contract that GX can express."""
    expectations = (_expectation(code_sets, spec) for spec in plan(contract))
    return [item for item in expectations if item is not None]


def _expectation(code_sets: CodeSets, spec: CheckSpec) -> Any:
    """Return the expectation that asks what a check asks, or None when there is none."""
    from great_expectations import expectations as untyped  # as in gx_on_pandas

    gxe: Any = untyped
    column = spec.columns[0] if spec.columns else ""
    match spec.kind:
        case "required":
            return gxe.ExpectColumnValuesToNotBeNull(column=column)
        case "missingValues":
            return gxe.ExpectColumnValuesToNotBeNull(column=column, mostly=0.4)
        case "key_duplicate" | "duplicateValues":
            return gxe.ExpectColumnValuesToBeUnique(column=column)
        case "codes":
            codes = list(code_sets[spec.arguments["code_set"]].valid_on(AS_OF))
            return gxe.ExpectColumnValuesToBeInSet(column=column, value_set=codes)
        case "division_known":
            codes = list(code_sets["division"].valid_on(AS_OF))
            return gxe.ExpectColumnValuesToBeInSet(column=column, value_set=codes)
        case "resident_id_area_known":
            codes = [c.code for c in code_sets["division"].codes if len(c.code) == 6]
            return gxe.ExpectColumnValuesToBeInSet(column="area", value_set=codes)
        case "type":
            form = "%Y-%m-%d"
            return gxe.ExpectColumnValuesToMatchStrftimeFormat(column=column, strftime_format=form)
        case "pattern":
            regex = spec.arguments["pattern"]
            return gxe.ExpectColumnValuesToMatchRegex(column=column, regex=regex)
        case "length":
            low, high = spec.arguments["min"], spec.arguments["max"]
            return gxe.ExpectColumnValueLengthsToBeBetween(
                column=column, min_value=low, max_value=high
            )
        case "resident_id_check_digit":
            return gxe.ExpectColumnPairValuesToBeEqual(column_A="check", column_B="last")
        case "resident_id_float_damage":
            return gxe.ExpectColumnValuesToMatchRegex(column=column, regex=f"^{RESIDENT_ID}$")
        case "resident_id_matches_birth_date":
            return gxe.ExpectColumnPairValuesToBeEqual(column_A="birth_date", column_B="born")
        case "resident_id_matches_sex":
            return gxe.ExpectColumnPairValuesToBeEqual(column_A="sex", column_B="sex_by_number")
        case "range":
            return gxe.ExpectColumnValuesToMatchRegex(column=column, regex="^(19|2)")
        case "not_future":
            return gxe.ExpectColumnValuesToNotMatchRegex(column=column, regex="^(202[7-9]|20[3-9])")
        case "ordered":
            return gxe.ExpectColumnPairValuesAToBeGreaterThanB(
                column_A=spec.columns[1], column_B=column, or_equal=True
            )
        case "rowCount":
            return gxe.ExpectTableRowCountToBeBetween(min_value=1)
    return None


def _check_characters(numbers: Any) -> Any:
    """Return the check character each number should end in, where its first 17 are digits."""
    import numpy as np  # as in gx_on_pandas

    formed = numbers.str.fullmatch(RESIDENT_ID).fillna(value=False)
    digits = np.frombuffer("".join(numbers[formed]).encode(), np.uint8).reshape(-1, 18)[:, :17] - 48
    weights = np.array([pow(2, 17 - place, 11) for place in range(17)])
    expected = numbers.where(numbers.isna(), "").copy()
    expected[formed] = np.array(list("10X98765432"))[digits @ weights % 11]
    return expected


def _against_typed_load(
    settings: BenchSettings, contract: Contract, code_sets: CodeSets, path: Path, count: int
) -> Row:
    figures = _figures(
        settings,
        ours=partial(ours, path, contract, code_sets),
        peer=partial(typed_load, path, contract),
    )
    return Row(
        name="check-typed-load",
        measures="time of check, split and failing keys / time of the peer",
        size=f"{count:,} rows, {path.stat().st_size / 1e6:.0f} MB CSV, {len(plan(contract))} rules",
        runs=settings.runs,
        ours=figures["ours"],
        peer=Peer("DuckDB typed load", installed("duckdb")),
        theirs=figures["peer"],
        unit="s",
        ratio=figures["ours"] / figures["peer"],
        mark=Mark("<=", 2.5),
    )


def _against_gx(
    settings: BenchSettings, contract: Contract, code_sets: CodeSets, path: Path, count: int
) -> Row:
    os.environ["GX_ANALYTICS_ENABLED"] = "false"
    logging.getLogger("great_expectations").setLevel(logging.ERROR)
    rules = len(gx_rules(contract, code_sets))
    figures = _figures(
        settings,
        ours=partial(ours, path, contract, code_sets),
        peer=partial(gx_on_pandas, path, contract, code_sets),
    )
    return Row(
        name="check-gx-pandas",
        measures="time of the peer / time of check, split and failing keys",
        size=f"{count:,} rows; ours {len(plan(contract))} rules, the peer {rules} of them",
        runs=settings.runs,
        ours=figures["ours"],
        peer=Peer("Great Expectations on pandas", installed("great-expectations")),
        theirs=figures["peer"],
        unit="s",
        ratio=figures["peer"] / figures["ours"],
        mark=Mark(">=", 8.0),
    )


def _figures(
    settings: BenchSettings, *, ours: Callable[[], object], peer: Callable[[], object]
) -> dict[str, float]:
    sides = {"ours": partial(seconds, ours), "peer": partial(seconds, peer)}
    taken = interleaved(sides, settings.runs, settings.say)
    return {name: median(values) for name, values in taken.items()}


def _engine() -> duckdb.DuckDBPyConnection:
    return duckdb.connect(config={"threads": THREADS, "memory_limit": MEMORY})


def _csv(path: Path, columns: dict[str, str], *, skipping: bool = False) -> str:
    typed = ", ".join(f"{literal(name)}: {literal(kind)}" for name, kind in columns.items())
    errors = ", ignore_errors = true" if skipping else ""
    return f"read_csv({literal(str(path))}, {_READ}, columns = {{{typed}}}{errors})"


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
