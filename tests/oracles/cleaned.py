"""Rows of the invented district as they are after cleaning: what both judges are given."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Any

import pyarrow as pa

from assets.demo.deliveries import generate_first
from assets.demo.district import District
from contracts.check import release, run_batch
from contracts.checks import plan
from contracts.codes import load_code_sets
from contracts.compile import SourceRelation, compile_batch
from contracts.model import Contract
from contracts.verdict import BatchVerdict
from hub.quoting import identifier
from tests.assets.demo.reading import contracts, rows_of

AS_OF = date(2026, 7, 3)
Row = Mapping[str, str | None]


def district(
    folder: Path, residents: int
) -> Iterator[tuple[Contract, list[dict[str, str | None]]]]:
    """Yield each dataset's contract and delivered rows, with the usual planted errors."""
    for delivery in generate_first(District(residents, seed=3), folder).deliveries:
        yield contracts()[delivery.dataset], rows_of(delivery)


def judged(con: Any, of: Contract, rows: Sequence[Row]) -> BatchVerdict:
    """Run our check over rows of text; what it finds stays in the connection."""
    release(con)
    names = [item.name for item in of.properties]
    table = pa.table({c: pa.array([row[c] for row in rows], pa.string()) for c in names})
    con.register("given", table)
    con.execute("CREATE OR REPLACE TABLE delivered AS SELECT * FROM given")
    con.unregister("given")
    compiled = compile_batch(
        of,
        plan(of),
        SourceRelation("SELECT * FROM delivered", tuple(names)),
        as_of=AS_OF,
        code_sets=load_code_sets(),
        partner=of.owner,
    )
    return run_batch(con, compiled)


def cleaned(con: Any, of: Contract, rows: Sequence[Row]) -> list[dict[str, str | None]]:
    """Return the rows as our check reads them: cleaned text, accepted and quarantined alike."""
    judged(con, of, rows)
    names = [item.name for item in of.properties]
    texts = ", ".join(f"CAST({identifier(name)} AS VARCHAR)" for name in names)
    cells = con.execute(
        f"SELECT * EXCLUDE (row_number) FROM (SELECT row_number, {texts} FROM accepted "
        f"UNION ALL SELECT row_number, {texts} FROM quarantine) ORDER BY row_number"
    ).fetchall()
    return [dict(zip(names, row, strict=True)) for row in cells]


def found(con: Any, key: str) -> dict[str, set[str]]:
    """Return check id -> keys of the rows our last check blames."""
    keys: dict[str, set[str]] = {}
    statement = f"""
        SELECT rule, CAST({identifier(key)} AS VARCHAR) FROM findings
        JOIN (SELECT rowid + 1 AS row_number, {identifier(key)} FROM checked) USING (row_number)
    """
    for rule, value in con.execute(statement).fetchall():
        keys.setdefault(rule, set()).add(str(value))
    return keys
