"""Conflicts as the lake keeps them, and the names under which departments work on them.

`lake.integrated.conflict` has one row per conflict that the last publication found: the persons by
subject key, the records that contradict each other by record key, no value at all. A worklist item
is named by a keyed hash of kind and persons: the same conflict has the same name at every
publication, and the name tells nothing to who has not the key.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass

from hub.keyring import Keyring
from hub.sealing import Pseudonymiser
from hub.store import lake

_COLUMNS = "kind, subject_key, other_key, likely_wrong, datasets, record_keys, batches"
_TABLE = "lake.integrated.conflict"


@dataclass(frozen=True, slots=True)
class Evidence:
    """One of the records that contradict each other, and the batch that brought its version."""

    dataset: str
    record_key: bytes
    batch: str


@dataclass(frozen=True, slots=True)
class Conflict:
    """One conflict as published.

    Args:
        other_key: the second person where the conflict is between two, else None.
        likely_wrong: code of the department that is asked first.
    """

    kind: str
    subject_key: bytes
    other_key: bytes | None
    likely_wrong: str
    evidence: tuple[Evidence, ...]

    @property
    def subjects(self) -> tuple[bytes, ...]:
        """The persons concerned, one or two."""
        return (self.subject_key,) if self.other_key is None else (self.subject_key, self.other_key)

    @property
    def fingerprint(self) -> str:
        """32 hexadecimal digits that change when a record of the evidence does."""
        parts = sorted(f"{e.dataset}\0{e.record_key.hex()}\0{e.batch}" for e in self.evidence)
        return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:32]


class ItemNames:
    """Names worklist items."""

    def __init__(self, keyring: Keyring) -> None:
        self._names = Pseudonymiser(keyring, "record")

    def of(self, conflict: Conflict) -> str:
        """Return the item's name: W and 32 hexadecimal digits, the same for a pair either way."""
        parts = [b"worklist", conflict.kind.encode(), *sorted(conflict.subjects)]
        return "W" + self._names.of(b"\0".join(parts)).hex()


def is_there(con: lake.Connection) -> bool:
    """Say whether anything was ever integrated in this lake."""
    row = con.execute(
        "SELECT count(*) FROM duckdb_tables() WHERE database_name = 'lake' "
        "AND schema_name = 'integrated' AND table_name = 'conflict'"
    ).fetchone()
    return row is not None and bool(row[0])


def read_conflicts(con: lake.Connection) -> Iterator[Conflict]:
    """Yield every conflict of the last publication, in a stable order."""
    sql = f"SELECT {_COLUMNS} FROM {_TABLE} ORDER BY kind, subject_key, other_key"
    for rows in lake.batches(con, sql):
        for kind, subject, other, wrong, datasets, keys, brought in zip(
            *rows.values(), strict=True
        ):
            found = zip(datasets, keys, brought, strict=True)
            yield Conflict(kind, subject, other, wrong, tuple(Evidence(*one) for one in found))
