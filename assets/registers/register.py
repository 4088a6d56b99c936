"""One accepted batch into its register, in one lake transaction.

Rows that are new or have changed are sealed and added; the version before is closed; in a full
delivery a record that is no longer in it is closed too, unless its row is in quarantine: then the
version before stays, because nobody said that the record has ended.

The batch's mark in `lake.meta.batch` is written in the same transaction, so that a killed run
neither loses nor doubles a row.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any

import orjson
import pyarrow as pa

from assets.registers.naming import Names, key_text, name_rows, record_keys
from hub.catalog import Dataset
from hub.keyring import Keyring
from hub.quoting import identifier, literal
from hub.sealing import Sealer
from hub.store import lake


@dataclass(frozen=True, slots=True)
class Loaded:
    """What a batch changed in its register, in records."""

    added: int
    changed: int
    closed: int
    unchanged: int
    quarantined: int


@dataclass(frozen=True, slots=True)
class RegisterContext:
    """What loading needs beside the rows: keys, randomness for retries, the time."""

    keyring: Keyring
    rng: random.Random
    now: datetime


def row_aad(dataset: str, record_key: bytes) -> bytes:
    """Return the associated data that binds a sealed row to its dataset and record."""
    return _row_prefix(dataset) + record_key


@cache
def _row_prefix(dataset: str) -> bytes:
    return f"row\0{dataset}\0".encode()


def quarantine_aad(batch_id: str, row_number: int) -> bytes:
    """Return the associated data that binds a quarantined row to its batch and place."""
    return f"quarantine\0{batch_id}\0{row_number}".encode()


def load_batch(
    con: lake.Connection, dataset: Dataset, batch_id: str, context: RegisterContext
) -> Loaded:
    """Seal the `accepted` rows of a checked batch into the register.

    Args:
        con: a lake connection in which `accepted` and `quarantine` stand.

    Returns:
        The counts; all zero added and changed when the batch was already loaded.
    """
    lake.ensure_register(con, dataset)
    names = Names.of(context.keyring)
    _stage_names(con, dataset, batch_id, names)
    _stage_sealed(con, dataset, Sealer(context.keyring, "row"))
    return lake.in_transaction(
        con, lambda c: _merge(c, dataset, batch_id, context.now), rng=context.rng
    )


def is_loaded(con: lake.Connection, batch_id: str) -> bool:
    """Say whether the rows of a batch are in the lake already."""
    sql = "SELECT 1 FROM lake.meta.batch WHERE batch_id = ? AND what = 'register'"
    return con.execute(sql, [batch_id]).fetchone() is not None


def forget_staged(con: lake.Connection) -> None:
    """Drop what loading a batch left in the connection."""
    for table in ("named", "kept", "fresh", "sealed_rows"):
        con.execute(f"DROP TABLE IF EXISTS {table}")


def _fill(con: lake.Connection, name: str, schema: str, tables: Iterator[pa.Table]) -> None:
    con.execute(f"CREATE OR REPLACE TABLE {name} ({schema})")
    for table in tables:
        with lake.arrow_view(con, "incoming", table):
            con.execute(f"INSERT INTO {name} BY NAME SELECT * FROM incoming")


def _stage_names(con: lake.Connection, dataset: Dataset, batch_id: str, names: Names) -> None:
    roles = "".join(f", {identifier(f'{role}_key')} BLOB" for role in dataset.subjects)
    schema = f"row_number BIGINT, record_key BLOB, content_mac BLOB{roles}"
    _fill(con, "named", schema, name_rows(con, dataset, batch_id, names))
    _fill(con, "kept", "record_key BLOB", _quarantined_keys(con, dataset, batch_id, names))
    con.execute(
        f"""CREATE OR REPLACE TABLE fresh AS
        SELECT n.*, r.record_key IS NOT NULL AS known FROM named n
        LEFT JOIN {lake.register_table(dataset.name)} r
          ON r.record_key = n.record_key AND r.valid_to IS NULL
        WHERE r.record_key IS NULL OR r.content_mac <> n.content_mac"""
    )


def _quarantined_keys(
    con: lake.Connection, dataset: Dataset, batch_id: str, names: Names
) -> Iterator[pa.Table]:
    sql = f"SELECT {key_text(dataset, batch_id)} AS key_text FROM quarantine"
    for rows in lake.batches(con, sql):
        keys = record_keys(dataset, rows["key_text"], names)
        yield pa.table({"record_key": pa.array(keys, pa.binary())})


def _stage_sealed(con: lake.Connection, dataset: Dataset, sealer: Sealer) -> None:
    _fill(con, "sealed_rows", "row_number BIGINT, sealed BLOB", _sealed(con, dataset, sealer))


def _sealed(con: lake.Connection, dataset: Dataset, sealer: Sealer) -> Iterator[pa.Table]:
    sql = (
        f"SELECT f.row_number, f.record_key, {sealed_json(dataset)} AS plain "
        "FROM fresh f JOIN accepted USING (row_number)"
    )
    for rows in lake.batches(con, sql):
        blobs = [
            sealer.seal(plain.encode(), row_aad(dataset.name, key))
            for plain, key in zip(rows["plain"], rows["record_key"], strict=True)
        ]
        yield pa.table(
            {
                "row_number": pa.array(rows["row_number"], pa.int64()),
                "sealed": pa.array(blobs, pa.binary()),
            }
        )


def sealed_json(dataset: Dataset) -> str:
    """Return the SQL expression of a row's sealed columns as JSON, grouped by subject role.

    Columns about the record as a whole stand under "".
    """
    groups: dict[str, list[str]] = {}
    for column in lake.sealed_columns(dataset):
        groups.setdefault(column.role or "", []).append(column.name)
    members = ", ".join(
        f"{literal(role)}, json_object({_pairs(columns)})" for role, columns in groups.items()
    )
    return f"json_object({members})::VARCHAR"


def _pairs(columns: list[str]) -> str:
    return ", ".join(f"{literal(c)}, {identifier(c)}" for c in columns)


def _merge(con: lake.Connection, dataset: Dataset, batch_id: str, now: datetime) -> Loaded:
    if is_loaded(con, batch_id):
        return Loaded(0, 0, 0, _count(con, "FROM named"), 0)
    table = lake.register_table(dataset.name)
    changed = _count(con, "FROM fresh WHERE known")
    added = _count(con, "FROM fresh WHERE NOT known")
    ended = _close_ended(con, dataset, batch_id, now) if dataset.mode == "full" else 0
    if changed:
        con.execute(
            f"UPDATE {table} SET valid_to = ?, ended_by = ? WHERE valid_to IS NULL "
            "AND record_key IN (SELECT record_key FROM fresh WHERE known)",
            [now, batch_id],
        )
    if added or changed:
        _insert(con, dataset, batch_id, now)
    con.execute("INSERT INTO lake.meta.batch VALUES (?, 'register', ?)", [batch_id, now])
    unchanged = _count(con, "FROM named") - added - changed
    return Loaded(added, changed, ended, unchanged, _count(con, "FROM quarantine"))


def _close_ended(con: lake.Connection, dataset: Dataset, batch_id: str, now: datetime) -> int:
    table = lake.register_table(dataset.name)
    ended = (
        "valid_to IS NULL AND record_key NOT IN (SELECT record_key FROM named) "
        "AND record_key NOT IN (SELECT record_key FROM kept)"
    )
    count = _count(con, f"FROM {table} WHERE {ended}")
    if count:
        con.execute(f"UPDATE {table} SET valid_to = ?, ended_by = ? WHERE {ended}", [now, batch_id])
    return count


def _insert(con: lake.Connection, dataset: Dataset, batch_id: str, now: datetime) -> None:
    clear = lake.clear_columns(dataset)
    roles = [identifier(f"{role}_key") for role in dataset.subjects]
    names = ", ".join([*roles, *(identifier(name) for name, _, _ in clear)])
    values = ", ".join(
        [*(f"f.{role}" for role in roles), *(expression for _, _, expression in clear)]
    )
    separator = ", " if names else ""
    con.execute(
        f"INSERT INTO {lake.register_table(dataset.name)} "
        f"(record_key, content_mac, batch_id, valid_from{separator}{names}, sealed) "
        f"SELECT f.record_key, f.content_mac, ?, ?{separator}{values}, s.sealed "
        "FROM fresh f JOIN accepted USING (row_number) JOIN sealed_rows s USING (row_number)",
        [batch_id, now],
    )


def store_quarantine(
    con: lake.Connection, dataset: Dataset, batch_id: str, context: RegisterContext
) -> int:
    """Keep the `quarantine` rows of a checked batch, sealed, with the rules they failed.

    Returns:
        Rows kept; 0 when this batch's quarantine was kept before.
    """
    tables = list(_quarantine_tables(con, dataset, batch_id, context.keyring))

    def work(c: lake.Connection) -> int:
        done = c.execute(
            "SELECT 1 FROM lake.meta.batch WHERE batch_id = ? AND what = 'quarantine'", [batch_id]
        ).fetchone()
        if done:
            return 0
        for table in tables:
            with lake.arrow_view(c, "incoming", table):
                c.execute("INSERT INTO lake.quarantine.row BY NAME SELECT * FROM incoming")
        c.execute(
            "INSERT INTO lake.meta.batch VALUES (?, 'quarantine', ?)", [batch_id, context.now]
        )
        return sum(table.num_rows for table in tables)

    return lake.in_transaction(con, work, rng=context.rng)


def _quarantine_tables(
    con: lake.Connection, dataset: Dataset, batch_id: str, keyring: Keyring
) -> Iterator[pa.Table]:
    sealer, names = Sealer(keyring, "row"), Names.of(keyring)
    columns = [c.name for c in dataset.columns]
    sql = (
        f"SELECT row_number, failed_rules, {key_text(dataset, batch_id)} AS key_text, "
        f"json_object({_pairs(columns)})::VARCHAR AS plain FROM quarantine"
    )
    for rows in lake.batches(con, sql):
        sealed = [
            sealer.seal(plain.encode(), quarantine_aad(batch_id, number))
            for plain, number in zip(rows["plain"], rows["row_number"], strict=True)
        ]
        count = len(sealed)
        yield pa.table(
            {
                "dataset": pa.array([dataset.name] * count, pa.string()),
                "batch_id": pa.array([batch_id] * count, pa.string()),
                "row_number": pa.array(rows["row_number"], pa.int64()),
                "failed_rules": pa.array(rows["failed_rules"], pa.list_(pa.string())),
                "record_key": pa.array(record_keys(dataset, rows["key_text"], names), pa.binary()),
                "sealed": pa.array(sealed, pa.binary()),
            }
        )


def open_row(
    sealer: Sealer, dataset: str, record_key: bytes, blob: bytes
) -> dict[str, dict[str, Any]]:
    """Return the sealed columns of a row, grouped by subject role."""
    opened: dict[str, dict[str, Any]] = orjson.loads(
        sealer.open(blob, row_aad(dataset, record_key))
    )
    return opened


def _count(con: lake.Connection, tail: str) -> int:
    row = con.execute(f"SELECT count(*) {tail}").fetchone()
    assert row is not None
    return int(row[0])
