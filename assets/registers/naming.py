"""Keyed names of accepted rows: record key, content MAC, identifier keys.

A record key is the HMAC of a dataset's primary key, so that the same record has the same name in
every delivery though its key may be an identity number that never leaves the clear. The content
MAC says whether a record has changed without anyone opening it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow as pa

from hub.catalog import Dataset
from hub.keyring import Keyring
from hub.quoting import identifier, literal
from hub.sealing import Pseudonymiser
from hub.store import lake

_UNIT = "chr(31)"


@dataclass(frozen=True, slots=True)
class Names:
    """The pseudonymisers that naming needs."""

    record: Pseudonymiser
    identifier: Pseudonymiser

    @classmethod
    def of(cls, keyring: Keyring) -> Names:
        """Return the ones of a keyring."""
        return cls(Pseudonymiser(keyring, "record"), Pseudonymiser(keyring, "identifier"))


def key_text(dataset: Dataset, batch_id: str) -> str:
    """Return the SQL expression of a row's primary key as one text.

    A dataset without a key names each row by its batch and place; such rows are never changed by a
    later batch, only added to.
    """
    if not dataset.key:
        return f"concat_ws({_UNIT}, {literal(batch_id)}, row_number::VARCHAR)"
    parts = ", ".join(f"{identifier(name)}::VARCHAR" for name in dataset.key)
    return f"concat_ws({_UNIT}, {parts})"


def record_keys(dataset: Dataset, texts: Sequence[str], names: Names) -> list[bytes]:
    """Return the 16-byte record key of each primary-key text."""
    prefix = f"key\0{dataset.name}\0".encode()
    return names.record.many(prefix + text.encode() for text in texts)


def name_rows(
    con: lake.Connection, dataset: Dataset, batch_id: str, names: Names
) -> Iterator[pa.Table]:
    """Name the rows of `accepted`.

    Yields:
        Tables (one row per accepted row; row_number, record_key, content_mac, <role>_key...).
    """
    prefix = f"content\0{dataset.name}\0".encode()
    for rows in lake.batches(con, _naming_sql(dataset, batch_id)):
        table: dict[str, Any] = {
            "row_number": pa.array(rows["row_number"], pa.int64()),
            "record_key": pa.array(record_keys(dataset, rows["key_text"], names), pa.binary()),
            "content_mac": pa.array(
                names.record.many(prefix + text.encode() for text in rows["content"]), pa.binary()
            ),
        }
        for role in dataset.subjects:
            table[f"{role}_key"] = pa.array(
                [v and names.identifier.of(v) for v in rows[f"{role}_key"]], pa.binary()
            )
        yield pa.table(table)


def _naming_sql(dataset: Dataset, batch_id: str) -> str:
    content = ", ".join(
        f"coalesce({identifier(c.name)}::VARCHAR, chr(30))" for c in dataset.columns
    )
    columns = [
        "row_number",
        f"{key_text(dataset, batch_id)} AS key_text",
        f"concat_ws({_UNIT}, {content}) AS content",
        *(
            f"{identifier(column)} AS {identifier(f'{role}_key')}"
            for role, column in dataset.subjects.items()
        ),
    ]
    return f"SELECT {', '.join(columns)} FROM accepted"
