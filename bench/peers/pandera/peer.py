"""pandera on polars: lazy validation of an eager frame, failing rows by index.

Run as `python peer.py JOB`; see the package this folder lies in for what a job is.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from typing import Any

import pandera.polars as pa
import polars as pl
from pandera.errors import SchemaErrors

_WEIGHTS = [pow(2, 17 - place, 11) for place in range(17)]
_BY_DIGIT = {str(n): "21"[n % 2] for n in range(10)}


def main(job: dict[str, Any]) -> dict[str, Any]:
    """Judge a job."""
    start = time.perf_counter()
    names = [column["name"] for column in job["columns"]]
    if job["format"] == "csv":  # noqa: SIM108 - one line of it would be too long
        frame = pl.read_csv(job["file"], schema=dict.fromkeys(names, pl.String))
    else:
        frame = pl.read_parquet(job["file"])
    asked = {rule["id"]: _check(rule) for rule in job["rules"]}
    columns: dict[str, list[pa.Check]] = {}
    whole: list[pa.Check] = []
    for rule in job["rules"]:
        found = asked[rule["id"]]
        if found is not None and found[0] == "column":
            columns.setdefault(rule["columns"][0], []).append(found[1])
        elif found is not None and found[0] == "frame":
            whole.append(found[1])
    required = {r["columns"][0] for r in job["rules"] if r["kind"] == "required"}
    unique = [job["key"]] if any(r["kind"] == "key_duplicate" for r in job["rules"]) else None
    schema = pa.DataFrameSchema(
        {
            name: pa.Column(pl.String, checks=columns.get(name, []), nullable=name not in required)
            for name in names
        },
        checks=whole,
        unique=unique,
    )
    keys: set[str] = set()
    try:
        schema.validate(frame, lazy=True)
    except SchemaErrors as errors:
        cases = errors.failure_cases.filter(pl.col("index").is_not_null())
        places = cases["index"].cast(pl.UInt32)
        keys = set(frame[job["key"]].gather(places.unique()).to_list())
    return {
        "seconds": time.perf_counter() - start,
        "expressed": [
            rule["id"]
            for rule in job["rules"]
            if asked[rule["id"]] or rule["kind"] in ("required", "key_duplicate")
        ],
        "keys": len(keys),
    }


def _check(rule: dict[str, Any]) -> tuple[str, pa.Check] | None:
    """Return whether a column or the frame is asked, and the check; None when there is none."""
    name, kind, given = rule["id"], rule["kind"], rule["arguments"]
    if "values" in given:
        return "column", pa.Check.isin(given["values"], name=name)
    if kind == "length":
        return "column", pa.Check.str_length(given["min"], given["max"], name=name)
    if kind == "pattern":
        return "column", pa.Check.str_matches(given["pattern"], name=name)
    cells = [pl.col(column) for column in rule["columns"]]
    if kind in ("type", "range"):
        holds = _date(cells[0]).is_not_null()
        if kind == "range":
            holds = _date(cells[0]) >= pl.lit(given["≥"]).str.to_date("%Y-%m-%d")
        return "column", _native(name, (cells[0].is_null() | holds))
    if kind == "resident_id_check_digit":
        return "column", _native(name, _right(cells[0]))
    if kind == "resident_id_matches_birth_date":
        same = cells[0].str.slice(6, 8) == cells[1].str.replace_all("-", "", literal=True)
        return "frame", _native(name, same)
    if kind == "resident_id_matches_sex":
        digit = cells[0].str.slice(16, 1).replace_strict(_BY_DIGIT, default=None)
        return "frame", _native(name, ~cells[1].is_in(["1", "2"]) | (digit == cells[1]))
    if kind == "ordered":
        return "frame", _native(name, _date(cells[0]) <= _date(cells[1]))
    if kind == "missingValues":
        share = cells[0].is_null().mean() * 100 < given["percent"]
        return "column", pa.Check(lambda data: data.lazyframe.select(share), name=name)
    if kind == "rowCount":
        return "frame", pa.Check(lambda data: data.lazyframe.select(pl.len() > 0), name=name)
    return None


def _native(name: str, holds: pl.Expr) -> pa.Check:
    """Return a check of an expression; a row it cannot be said of passes."""
    return pa.Check(lambda data: data.lazyframe.select(holds.fill_null(value=True)), name=name)


def _date(cell: pl.Expr) -> pl.Expr:
    return cell.str.to_date("%Y-%m-%d", strict=False)


def _right(number: pl.Expr) -> pl.Expr:
    digits = [number.str.slice(place, 1).cast(pl.Int32, strict=False) for place in range(17)]
    total = pl.sum_horizontal([w * d for w, d in zip(_WEIGHTS, digits, strict=True)]) % 11
    last = pl.lit("10X98765432").str.slice(total, 1)
    born = number.str.slice(6, 8).str.to_date("%Y%m%d", strict=False).is_not_null()
    return number.str.contains("^[0-9]{17}[0-9X]$") & born & (last == number.str.slice(17, 1))


if __name__ == "__main__":
    print(json.dumps(main(json.loads(Path(sys.argv[1]).read_text(encoding="utf-8")))))
