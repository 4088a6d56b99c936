"""The checks of a contract as Great Expectations runs them natively, on a pandas frame.

What GX cannot compute (check digit, parts of the number) is given to it as ready columns. It
neither cleans nor splits. The check bench times it; the tests compare the keys it blames with ours.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Mapping
from datetime import date, datetime, time
from pathlib import Path
from typing import Any

from contracts.checks import CheckSpec, plan
from contracts.codes import CodeSets
from contracts.model import Contract
from contracts.shapes import RESIDENT_ID
from hub.errors import SourceError

#: What a spreadsheet makes of a long number.
FLOAT = r"^(?:[0-9](?:\.[0-9]+)?[Ee]\+?[0-9]{1,2}|[0-9]{15,18}\.0*|[0-9]{15}000)$"
_EITHER = "either_value_is_missing"


def failing_keys(
    path: Path, contract: Contract, code_sets: CodeSets, as_of: date
) -> Mapping[str, set[str]]:
    """Return check id -> the keys GX blames, for each check GX can express.

    Args:
        path: CSV or Parquet, all text; its columns are the contract's. The key is one column.

    Raises:
        SourceError: when an expectation broke; GX itself would only leave its keys out.
    """
    gx = engine()
    import pandas as pd  # type: ignore[import-untyped]  # comes with GX, and costs as much

    frame = (
        pd.read_parquet(path)
        if path.suffix == ".parquet"
        else pd.read_csv(path, dtype=str, keep_default_na=False, na_values=[""])
    )
    _prepare(frame, contract)
    context: Any = gx.get_context(mode="ephemeral")
    context.variables.progress_bars = {"globally": False, "metric_calculations": False}
    batch = (
        context.data_sources.add_pandas("frames")
        .add_dataframe_asset("file")
        .add_batch_definition_whole_dataframe("whole")
        .get_batch({"dataframe": frame})
    )
    asked = expectations(contract, code_sets, as_of)
    result = batch.validate(
        gx.ExpectationSuite("check", expectations=list(asked.values())),
        result_format={
            "result_format": "COMPLETE",
            "unexpected_index_column_names": list(contract.key),
        },
    )
    found: dict[str, set[str]] = {name: set() for name in asked}
    for item in result.results:
        name = item.expectation_config.meta["check"]
        if _raised(item.exception_info):
            raise SourceError(f"Great Expectations could not run {name}")
        for row in item.result.get("unexpected_index_list") or ():
            found[name].add(str(row[contract.key[0]]))
    return found


def _raised(info: Mapping[str, Any]) -> bool:
    """Say whether an expectation broke: GX tells it for the whole or per metric."""
    return any(
        told is True if name == "raised_exception" else isinstance(told, dict) and _raised(told)
        for name, told in info.items()
    )


def engine() -> Any:
    """Return Great Expectations, imported now: it takes seconds, and only who asks pays."""
    import contracts.expectations  # sees to telemetry and to warnings of the import

    gx: Any = contracts.expectations.gx  # type: ignore[attr-defined]

    logging.getLogger("great_expectations").setLevel(logging.ERROR)
    return gx


def _prepare(frame: Any, of: Contract) -> None:
    """Add the columns that hold what GX cannot compute: dates, parts of a resident's number."""
    import pandas as pd  # as in failing_keys

    for item in of.properties:
        if item.logical_type == "date":
            day = pd.to_datetime(frame[item.name], format="%Y-%m-%d", errors="coerce")
            frame[f"{item.name}:day"] = day
            frame[f"{item.name}:iso"] = day.dt.strftime("%Y-%m-%d")
    whole = frame["resident_id"]
    formed = whole.where(whole.str.fullmatch(RESIDENT_ID).fillna(value=False)).str
    frame["area"], born = formed.slice(0, 6), formed.slice(6, 14)
    frame["born"] = born.str.slice(0, 4) + "-" + born.str.slice(4, 6) + "-" + born.str.slice(6, 8)
    odd = {str(n): "21"[n % 2] for n in range(10)}
    frame["sex:said"] = frame["sex"].where(frame["sex"].isin(["1", "2"]))
    frame["sex:number"] = formed.slice(16, 17).map(odd)
    exists = pd.to_datetime(born, format="%Y%m%d", errors="coerce").notna()
    frame["last"] = whole.str.slice(17, 18)
    frame["check"] = _check_characters(whole).where(exists | whole.isna(), "?")
    frame["suspect"] = whole.where(frame["check"] != frame["last"])


def expectations(contract: Contract, code_sets: CodeSets, as_of: date) -> dict[str, Any]:
    """Return check id -> expectation, for each check of the contract that GX can express."""
    asked = {spec.id: _expectation(code_sets, as_of, spec) for spec in plan(contract)}
    for name, item in asked.items():
        if item is not None:
            item.meta = {"check": name}
    return {name: item for name, item in asked.items() if item is not None}


def _expectation(code_sets: CodeSets, as_of: date, spec: CheckSpec) -> Any:
    """Return the expectation that asks what a check asks, or None when there is none."""
    from great_expectations import expectations as untyped  # as in engine

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
            codes = list(code_sets[spec.arguments["code_set"]].valid_on(as_of))
            return gxe.ExpectColumnValuesToBeInSet(column=column, value_set=codes)
        case "division_known":
            codes = list(code_sets["division"].valid_on(as_of))
            return gxe.ExpectColumnValuesToBeInSet(column=column, value_set=codes)
        case "resident_id_area_known":
            codes = [c.code for c in code_sets["division"].codes if len(c.code) == 6]
            return gxe.ExpectColumnValuesToBeInSet(column="area", value_set=codes)
        case "type":
            form = "%Y-%m-%d"
            return gxe.ExpectColumnValuesToMatchStrftimeFormat(column=column, strftime_format=form)
        case "pattern":
            regex = re.sub(
                r"(?<!\\)\((?!\?)", "(?:", spec.arguments["pattern"]
            )  # pandas frowns on (
            return gxe.ExpectColumnValuesToMatchRegex(column=column, regex=regex)
        case "length":
            low, high = spec.arguments["min"], spec.arguments["max"]
            return gxe.ExpectColumnValueLengthsToBeBetween(
                column=column, min_value=low, max_value=high
            )
        case "resident_id_check_digit":
            return _equal("check", "last")
        case "resident_id_float_damage":
            return gxe.ExpectColumnValuesToNotMatchRegex(column="suspect", regex=FLOAT)
        case "resident_id_matches_birth_date":
            return _equal("birth_date:iso", "born")
        case "resident_id_matches_sex":
            return _equal("sex:said", "sex:number")
        case "range":
            low = datetime.fromisoformat(spec.arguments["≥"])
            return gxe.ExpectColumnValuesToBeBetween(column=f"{column}:day", min_value=low)
        case "not_future":
            high = datetime.combine(as_of, time())
            return gxe.ExpectColumnValuesToBeBetween(column=f"{column}:day", max_value=high)
        case "ordered":
            return gxe.ExpectColumnPairValuesAToBeGreaterThanB(
                column_A=f"{spec.columns[1]}:day",
                column_B=f"{column}:day",
                or_equal=True,
                ignore_row_if=_EITHER,
            )
        case "rowCount":
            return gxe.ExpectTableRowCountToBeBetween(min_value=1)
    return None


def _equal(first: str, second: str) -> Any:
    from great_expectations import expectations as untyped  # as in engine

    gxe: Any = untyped
    return gxe.ExpectColumnPairValuesToBeEqual(
        column_A=first, column_B=second, ignore_row_if=_EITHER
    )


def _check_characters(numbers: Any) -> Any:
    """Return the check character each number should end in, where its first 17 are digits."""
    import numpy as np  # as in engine

    formed = numbers.str.fullmatch(RESIDENT_ID).fillna(value=False)
    digits = np.frombuffer("".join(numbers[formed]).encode(), np.uint8).reshape(-1, 18)[:, :17] - 48
    weights = np.array([pow(2, 17 - place, 11) for place in range(17)])
    expected = numbers.where(numbers.isna(), "?").copy()  # which no number ends in
    expected[formed] = np.array(list("10X98765432"))[digits @ weights % 11]
    return expected
