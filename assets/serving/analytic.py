"""The analytic database of a snapshot: what is counted, and nothing that names a record.

Beside its clear columns every record has a mark: 64 bits of a keyed hash of its record key. The
marks of the records of a count, put together, decide how the count is rounded when it is shown
(`access.rounding`), so that the same records round alike in every table and every publication.
No answer holds one, and without the key nobody can tell whose it is.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa

from hub.catalog import Catalog, Dataset
from hub.keyring import Keyring
from hub.quoting import identifier, literal
from hub.sealing import Pseudonymiser
from hub.store import lake

#: No column of a contract begins with an underscore.
MARK = "_mark"
_MARK_BYTES = 8


def names_record(dataset: Dataset, column: str) -> bool:
    """Say whether a clear column names single records: keys, and numbers of things."""
    return column in dataset.key or column.endswith(("_id", "_no"))


def write_analytic(con: lake.Connection, path: Path, catalog: Catalog, keyring: Keyring) -> None:
    """Write the clear columns of every register's current records, and of integrated persons.

    No record key, no subject key, no number of a record goes with them: nobody can join the rows
    of this file to a person by a list they have elsewhere.
    """
    names = Pseudonymiser(keyring, "release")

    def marks(record_keys: Sequence[bytes]) -> pa.Array:
        whole = b"".join([name[:_MARK_BYTES] for name in names.many(record_keys)])
        return pa.array(np.frombuffer(whole, ">u8").astype(np.uint64))

    con.execute(f"ATTACH {literal(str(path))} AS analytic")
    try:
        present = lake.registers(con)
        for name, dataset in catalog.items():
            clear = [c for c, _, _ in lake.clear_columns(dataset) if not names_record(dataset, c)]
            if name not in present or not clear:
                continue
            columns = ", ".join(map(identifier, clear))
            with lake.marking(con, "mark_of", marks):
                con.execute(
                    f"CREATE TABLE analytic.{identifier(name)} AS "
                    f"SELECT {columns}, mark_of(record_key) AS {identifier(MARK)} "
                    f"FROM {lake.register_table(name)} WHERE valid_to IS NULL ORDER BY ALL"
                )
        con.execute(
            "CREATE TABLE analytic.person AS "
            "SELECT sex, birth_year, life_status, grid_code, sources, conflicts "
            "FROM lake.integrated.person ORDER BY ALL"
        )
    finally:
        con.execute("DETACH analytic")
