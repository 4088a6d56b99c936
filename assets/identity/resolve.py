"""The identity map: every identifier key the registers hold stands for one subject key.

A valid number gets a subject key of its own until something better is known; corrections, twins
and merges change the map and not the history. The number itself is never seen here.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

import pyarrow as pa

from hub.catalog import Catalog
from hub.keyring import Keyring
from hub.quoting import identifier
from hub.sealing import Pseudonymiser
from hub.store import lake


@dataclass(frozen=True, slots=True)
class Resolved:
    """What resolution found, in identifier keys."""

    known: int
    new: int


def resolve(
    con: lake.Connection, catalog: Catalog, keyring: Keyring, *, now: datetime, rng: random.Random
) -> Resolved:
    """Give every identifier key in a register a subject key.

    Returns:
        How many keys the map held before and how many it gained.
    """
    present = lake.registers(con)
    sources = [
        f"SELECT {identifier(f'{role}_key')} AS identifier_key FROM {lake.register_table(name)}"
        for name, dataset in catalog.items()
        if name in present
        for role in dataset.subjects
    ]
    known = _count(con)
    if not sources:
        return Resolved(known, 0)
    con.execute(
        "CREATE OR REPLACE TABLE unmapped AS "
        f"SELECT DISTINCT identifier_key FROM ({' UNION ALL '.join(sources)}) "
        "WHERE identifier_key IS NOT NULL AND identifier_key NOT IN "
        "(SELECT identifier_key FROM lake.identity.map)"
    )
    con.execute("CREATE OR REPLACE TABLE mapped (identifier_key BLOB, subject_key BLOB)")
    for table in _first_keys(con, Pseudonymiser(keyring, "subject")):
        with lake.arrow_view(con, "incoming", table):
            con.execute("INSERT INTO mapped SELECT * FROM incoming")

    def work(c: lake.Connection) -> None:
        c.execute(
            "INSERT INTO lake.identity.map "
            "SELECT identifier_key, subject_key, ?, 'own number' FROM mapped "
            "WHERE identifier_key NOT IN (SELECT identifier_key FROM lake.identity.map)",
            [now],
        )

    lake.in_transaction(con, work, rng=rng)
    return Resolved(known, _count(con) - known)


def _first_keys(con: lake.Connection, names: Pseudonymiser) -> Iterator[pa.Table]:
    for rows in lake.batches(con, "SELECT identifier_key FROM unmapped"):
        keys = rows["identifier_key"]
        yield pa.table(
            {
                "identifier_key": pa.array(keys, pa.binary()),
                "subject_key": pa.array(names.many(keys), pa.binary()),
            }
        )


def _count(con: lake.Connection) -> int:
    row = con.execute("SELECT count(*) FROM lake.identity.map").fetchone()
    assert row is not None
    return int(row[0])
