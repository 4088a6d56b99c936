"""Small contracts and batches for the tests of contracts: built as text, run on a real engine."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from datetime import date
from pathlib import Path
from typing import Any

import duckdb

from contracts.check import run_batch
from contracts.checks import plan
from contracts.codes import CodeSets, load_code_sets
from contracts.compile import SourceRelation, compile_batch
from contracts.loader import load_contracts
from contracts.model import Contract
from contracts.verdict import BatchVerdict
from hub.quoting import identifier

AS_OF = date(2026, 1, 15)
HEAD = """\
apiVersion: v3.1.0
kind: DataContract
id: test.thing
name: test.thing
version: 1.0.0
status: active
description: {purpose: test}
team: {name: test, members: [{username: test.steward, role: steward}]}
customProperties:
  - {property: title, value: 测试}
  - {property: ownerDepartment, value: housing}
  - {property: sharingType, value: conditional}
  - {property: legalBasis, value: test}
  - {property: updateCycle, value: monthly}
  - {property: deliveryMode, value: full}
"""
KEY = """\
- name: thing_id
  logicalType: string
  classification: L1
  primaryKey: true
  required: true
  criticalDataElement: true
"""


def contract_text(columns: str = "", quality: str = "", custom: str = "", key: str = KEY) -> str:
    """Return a contract of dataset test.thing: a key column, further columns, quality rules."""
    head = HEAD + textwrap.indent(textwrap.dedent(custom).rstrip(), "  ")
    head += "\n" if custom else ""
    body = textwrap.indent(textwrap.dedent(key) + textwrap.dedent(columns), "      ")
    rules = textwrap.indent(textwrap.dedent(quality), "      ")
    text = f"{head}schema:\n  - name: thing\n    properties:\n{body}"
    return text + (f"    quality:\n{rules}" if quality else "")


def write_contract(folder: Path, text: str, name: str = "thing.yaml") -> Path:
    """Write a contract file into a folder and return the folder."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_text(text, encoding="utf-8")
    return folder


def contract(folder: Path, columns: str = "", quality: str = "", custom: str = "") -> Contract:
    """Return such a contract, loaded."""
    write_contract(folder, contract_text(columns, quality, custom))
    return load_contracts([folder], built_in=False)[0]


@contextmanager
def engine(threads: int = 2) -> Iterator[duckdb.DuckDBPyConnection]:
    """Give an empty in-memory engine that is closed afterwards."""
    with closing(duckdb.connect(config={"threads": threads, "memory_limit": "512MB"})) as con:
        yield con


def delivered(
    con: duckdb.DuckDBPyConnection, columns: Sequence[str], rows: Sequence[Sequence[str | None]]
) -> SourceRelation:
    """Put rows of text into a table, in order, and return it as a source."""
    names = ", ".join(f"{identifier(name)} VARCHAR" for name in columns)
    con.execute(f"CREATE OR REPLACE TABLE delivered ({names})")
    if rows:
        places = ", ".join("?" for _ in columns)
        con.executemany(f"INSERT INTO delivered VALUES ({places})", [list(row) for row in rows])
    return SourceRelation("SELECT * FROM delivered", tuple(columns))


def check(
    con: duckdb.DuckDBPyConnection,
    of: Contract,
    rows: Sequence[Sequence[str | None]],
    *,
    columns: Sequence[str] | None = None,
    code_sets: CodeSets | None = None,
    references: Mapping[str, str] | None = None,
    partner: str | None = None,
    sql_seconds: float = 60.0,
) -> BatchVerdict:
    """Run a batch of rows of text, by default one cell per column of the contract."""
    names = columns or [item.name for item in of.properties]
    compiled = compile_batch(
        of,
        plan(of),
        delivered(con, names, rows),
        as_of=AS_OF,
        code_sets=code_sets or load_code_sets(),
        references=references,
        partner=partner,
    )
    return run_batch(con, compiled, sql_seconds=sql_seconds)


def failed(con: duckdb.DuckDBPyConnection) -> dict[int, list[str]]:
    """Return the rules every row failed, warnings included, by row number."""
    found: dict[int, list[str]] = {}
    for number, rule in con.execute("FROM findings ORDER BY row_number, rule").fetchall():
        found.setdefault(number, []).append(rule)
    return found


def accepted(con: duckdb.DuckDBPyConnection, columns: str = "*") -> list[Any]:
    """Return accepted rows by row number; the first cell is the row number."""
    chosen = columns if columns == "*" else f"row_number, {columns}"
    return con.execute(f"SELECT {chosen} FROM accepted ORDER BY row_number").fetchall()
