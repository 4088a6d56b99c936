"""Subjects as a stream: every current record of one person after the other, opened.

The engine gathers and sorts, this module opens and groups; no more than one subject and one batch
of rows are in memory here. Gathering comes first and by itself, into a table that may spill: a
sort fed by joins over Parquet runs out of a small memory limit where a sort of a table does not.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import orjson

from assets.registers.register import open_row
from hub.catalog import Catalog, Dataset
from hub.keyring import Keyring
from hub.quoting import identifier, literal
from hub.sealing import Sealer
from hub.store import lake


@dataclass(slots=True)
class Held:
    """One record held about a subject.

    Only columns about this subject or the record as a whole are here.

    Args:
        since: day of the batch that brought this version, ISO.
        clear: columns that are stored in the clear.
        sealed: columns that are stored sealed.
        others: role of each other subject of the same record -> their identifier key, hexadecimal.
    """

    dataset: str
    role: str
    record_key: bytes
    batch: str
    since: str
    clear: dict[str, Any]
    sealed: dict[str, Any]
    others: dict[str, str]

    def value(self, column: str) -> Any:
        """Return a column's value, or None where there is none."""
        return self.clear[column] if column in self.clear else self.sealed.get(column)


@dataclass(slots=True)
class Subject:
    """One person: the subject key and all records about them."""

    key: bytes
    records: list[Held] = field(default_factory=list)

    def datasets(self) -> tuple[str, ...]:
        """Return the dataset of each record, in order."""
        return tuple([held.dataset for held in self.records])


def stream_subjects(
    con: lake.Connection, catalog: Catalog, keyring: Keyring, *, only: str | None = None
) -> Iterator[Subject]:
    """Yield every subject of the registers' current records, in subject-key order.

    Args:
        only: table with a column subject_key that names the subjects wanted; None wants all.
    """
    present = lake.registers(con)
    sources = [
        (dataset, role)
        for name, dataset in catalog.items()
        if name in present
        for role in dataset.subjects
    ]
    if not sources:
        return
    con.execute(f"CREATE OR REPLACE TABLE gathered AS {_records_sql(sources, only)}")
    try:
        yield from _grouped(con, Sealer(keyring, "row"))
    finally:
        con.execute("DROP TABLE gathered")


def _grouped(con: lake.Connection, sealer: Sealer) -> Iterator[Subject]:
    subject: Subject | None = None
    for rows in lake.batches(con, "FROM gathered ORDER BY subject_key, dataset, record_key, role"):
        for row in zip(*rows.values(), strict=True):
            held = _open(sealer, row)
            if subject is None or subject.key != row[0]:
                if subject is not None:
                    yield subject
                subject = Subject(row[0])
            subject.records.append(held)
    if subject is not None:
        yield subject


def _records_sql(sources: list[tuple[Dataset, str]], only: str | None) -> str:
    """Return the query of every current record of every subject, in no order.

    The map is joined once, after the union: a join in every part of the union would hold as many
    hash tables of the whole map in memory at the same time.
    """
    union = " UNION ALL ".join(_source_sql(dataset, role) for dataset, role in sources)
    wanted = f" JOIN {only} USING (subject_key)" if only else ""
    return (
        f"SELECT m.subject_key, r.* EXCLUDE (identifier_key) FROM ({union}) r "
        f"JOIN lake.identity.map m USING (identifier_key){wanted}"
    )


def _source_sql(dataset: Dataset, role: str) -> str:
    mine = _clear_of(dataset, role)
    pairs = ", ".join(f"{literal(c)}, {identifier(c)}" for c in mine)
    others = [other for other in dataset.subjects if other != role]
    present = ", ".join(
        f"{literal(f'{o}=')} || lower(hex({identifier(f'{o}_key')}))" for o in others
    )
    return (
        f"SELECT {identifier(f'{role}_key')} AS identifier_key, "
        f"{literal(dataset.name)} AS dataset, record_key, {literal(role)} AS role, "
        "batch_id, strftime(valid_from, '%Y-%m-%d') AS since, sealed, "
        f"json_object({pairs})::VARCHAR AS clear, concat_ws(',', {present or 'NULL'}) AS others "
        f"FROM {lake.register_table(dataset.name)} WHERE valid_to IS NULL"
    )


def _clear_of(dataset: Dataset, role: str) -> tuple[str, ...]:
    return tuple(
        c.name for c in dataset.columns if not c.sealed and (c.role is None or c.role == role)
    )


def _open(sealer: Sealer, row: tuple[Any, ...]) -> Held:
    _, dataset, record_key, role, batch, since, blob, clear_json, others = row
    sealed = open_row(sealer, dataset, record_key, blob)
    mine = sealed.get("") or {}
    mine.update(sealed.get(role) or {})
    return Held(
        dataset,
        role,
        record_key,
        batch,
        since,
        orjson.loads(clear_json),
        mine,
        dict(pair.split("=") for pair in others.split(",")) if others else {},
    )
