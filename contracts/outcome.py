"""After the scan: duplicates, the split into accepted and quarantine, changes, counts; pure text.

Source: ODCS v3.2 primaryKey, unique.
"""

from __future__ import annotations

from collections.abc import Sequence

from contracts.checks import CheckSpec, is_accuracy_rule
from contracts.frame import CHECKED, Frame
from contracts.ladder import ASIDE, Rung, raw_text, uncast_text
from contracts.masks import Masks
from contracts.metrics import repeated_table
from contracts.model import Contract
from contracts.sql_guard import OWN_TABLE
from hub.quoting import identifier, literal

ROW_BASED = ("required", "key_duplicate", "nullValues", "missingValues")


def repeated(columns: Sequence[str]) -> str:
    """Return the statement that counts the rows of every key occurring more than once, by hash."""
    keys, present = _keys(columns)
    return (
        f"CREATE OR REPLACE TABLE {repeated_table(columns)} AS SELECT hash({keys}) AS h, "
        f"count(*) AS n FROM {CHECKED} WHERE {present} GROUP BY h HAVING count(*) > 1"
    )


def duplicates(contract: Contract, spec: CheckSpec, masks: Masks) -> str:
    """Return the statement that blames every row whose key occurs more than once.

    Rows of a key that are the same in every column count once: the first stays, the others are
    blamed. A key with a NULL in it is never a duplicate. Candidates come by hash from
    `repeated`, then are compared by value.
    """
    keys, present = _keys(spec.columns)
    values = ", ".join(identifier(item.name) for item in contract.properties)
    word, value = masks.place(spec)
    name = masks.words[word]
    return f"""
UPDATE {CHECKED} SET {name} = {name} | {value} WHERE rowid IN (
    WITH candidates AS (
        SELECT rowid AS place, {keys}, row({values}) AS content
        FROM {CHECKED} WHERE {present}
        AND hash({keys}) IN (SELECT h FROM {repeated_table(spec.columns)})
    ), groups AS (
        SELECT {keys}, count(DISTINCT content) AS versions, min(place) AS first
        FROM candidates GROUP BY {keys} HAVING count(*) > 1
    )
    SELECT place FROM candidates JOIN groups USING ({keys}) WHERE versions > 1 OR place <> first
)"""


def _keys(columns: Sequence[str]) -> tuple[str, str]:
    """Return SQL of the columns' list, and of the condition that none is NULL."""
    names = [identifier(name) for name in columns]
    return ", ".join(names), " AND ".join(f"{name} IS NOT NULL" for name in names)


def look_up(frame: Frame, spec: CheckSpec, masks: Masks, fails: str) -> str:
    """Return the statement that blames the rows whose value another table does not hold."""
    texts = ", ".join(
        f"{frame.typed(name)}, CAST({frame.typed(name)} AS VARCHAR) AS {frame.text(name)}"
        for name in spec.columns
    )
    rows = f"SELECT rowid AS place, {texts} FROM {CHECKED}"
    return blame(spec, masks, f"SELECT place FROM ({rows}) WHERE {fails}")


def blame(spec: CheckSpec, masks: Masks, places: str) -> str:
    """Return the statement that sets a check's bit in the rows whose rowid a SELECT gives."""
    word, value = masks.place(spec)
    name = masks.words[word]
    return f"UPDATE {CHECKED} SET {name} = {name} | {value} WHERE rowid IN ({places})"


def results(
    contract: Contract, rungs: Sequence[Rung], masks: Masks, *, numbered: bool
) -> tuple[str, ...]:
    """Return the statements that create accepted, flawed, findings, quarantine and touched."""
    row = f"{'row_number' if numbered else 'rowid + 1'} AS row_number"
    typed = ", ".join(identifier(item.name) for item in contract.properties)
    errors = masks.any_of(lambda spec: spec.severity == "error")
    flaws = " OR ".join(f"{word} <> 0" for word in masks.words)
    rules, words = masks.failed_rules(), ", ".join(masks.words)
    rejected = f"{rules} AS failed_rules, {', '.join(_texts(rungs))}"
    selections = (
        ("VIEW accepted", f"SELECT {row}, {typed} FROM {CHECKED} WHERE NOT {errors}"),
        (f"VIEW {OWN_TABLE}", f"SELECT {typed} FROM {CHECKED}"),
        ("TABLE flawed", f"SELECT {row}, {words} FROM {CHECKED} WHERE {flaws}"),
        ("VIEW findings", f"SELECT row_number, unnest({rules}) AS rule FROM flawed"),
        (
            "VIEW quarantine",
            f"SELECT {row}, {rejected} FROM {CHECKED} WHERE ({flaws}) AND {errors}",
        ),
        ("TABLE touched", f"SELECT {row}, {ASIDE} FROM {CHECKED} WHERE {ASIDE} IS NOT NULL"),
    )
    return tuple(f"CREATE OR REPLACE {name} AS {sql}" for name, sql in selections)


def totals(specs: Sequence[CheckSpec]) -> str:
    """Return the one-row count: rows, then rows each spec could be evaluated on."""
    counts = ["count(*)"]
    for spec in specs:
        present = [f"{identifier(name)} IS NOT NULL" for name in spec.columns]
        if not present or spec.kind in ROW_BASED:
            counts.append("count(*)")
        elif len(present) == 1:
            counts.append(f"count({identifier(spec.columns[0])})")
        else:
            counts.append(f"count(*) FILTER (WHERE {' AND '.join(present)})")
    return f"SELECT {', '.join(counts)} FROM {CHECKED}"


def failures(specs: Sequence[CheckSpec], masks: Masks) -> str:
    """Return the one-row count over flawed rows.

    Quarantined rows, rows with an error on a key field, rows failing an accuracy rule on one,
    rows with a warning, then rows failing each row check in bit order.
    """
    groups = (
        masks.any_of(lambda spec: spec.severity == "error"),
        masks.any_of(lambda spec: spec.severity == "error" and spec.key_field),
        masks.any_of(is_accuracy_rule),
        masks.any_of(lambda spec: spec.severity == "warning"),
    )
    tests = [*groups, *(masks.is_set(spec) for spec in specs if spec.bit is not None)]
    counts = ", ".join(f"count(*) FILTER (WHERE {test})" for test in tests)
    return f"SELECT {counts} FROM flawed"


def _texts(rungs: Sequence[Rung]) -> list[str]:
    """SQL of every column as cleaned text."""
    texts = []
    for rung in rungs:
        name, uncast = identifier(rung.item.name), uncast_text(rungs, rung)
        text = f"coalesce({uncast}, CAST({name} AS VARCHAR)) AS {name}" if uncast else name
        texts.append(text)
    return texts


def touched_columns(rungs: Sequence[Rung]) -> str:
    """Return the one-row query that says, per column, whether any of its cells was off shape."""
    counts = ", ".join(f"count({raw_text(rungs, rung)}) > 0" for rung in rungs)
    return f"SELECT {counts} FROM touched"


def changes(selections: Sequence[str]) -> str:
    """Return the statement that creates changes from the selections of the touched columns."""
    none = "SELECT NULL::BIGINT AS row_number, '' AS column_name, '' AS transform WHERE false"
    return "CREATE OR REPLACE TABLE changes AS " + "\nUNION ALL\n".join((none, *selections))


def changes_of(rungs: Sequence[Rung], rung: Rung) -> str:
    """Return the SELECT of one row per changed cell of a column and step."""
    raw = raw_text(rungs, rung)
    sql = f"SELECT row_number, {raw} AS s0 FROM touched WHERE {raw} IS NOT NULL"
    kept = "row_number, s0"
    for number, step in enumerate(rung.steps, start=1):
        sql = f"SELECT {kept}, {step.apply(f's{number - 1}')} AS s{number} FROM ({sql})"
        kept += f", s{number}"
    names = ", ".join(
        f"CASE WHEN s{number - 1} <> s{number} THEN {literal(step.name)} END"
        for number, step in enumerate(rung.steps, start=1)
    )
    column = literal(rung.item.name)
    return (
        f"SELECT row_number, {column} AS column_name, transform FROM "
        f"(SELECT row_number, unnest([{names}]::VARCHAR[]) AS transform FROM ({sql})) "
        "WHERE transform IS NOT NULL"
    )
