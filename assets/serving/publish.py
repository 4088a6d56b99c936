"""Make a snapshot from the lake and put it in service.

One pass over the subjects whose records have changed writes their documents and blind tokens and, on the side, the clear
columns of integrated persons and the conflicts between departments. A second, engine-only step
writes the clear columns of every register. Nothing is visible before the pointer moves.
"""

from __future__ import annotations

import hashlib
import random
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import pyarrow as pa

from assets.integrated.agreement import AGREEMENT_RULES, load_compared_fields, tally
from assets.integrated.pairs import find_pairs
from assets.integrated.persons import Integration, Person
from assets.integrated.rules import PERSON_RULES, load_person_rules
from assets.integrated.subjects import Subject, stream_subjects
from assets.serving import documents
from assets.serving.analytic import write_analytic
from hub.blind_index import BlindIndex
from hub.catalog import Catalog
from hub.config import Settings
from hub.documents import pack
from hub.keyring import Keyring
from hub.quoting import identifier, literal
from hub.sealing import Sealer
from hub.store import lake
from hub.store.facts import Agreement
from hub.store.snapshots import SnapshotStore, SubjectsWriter

_GROUP = 5_000
_PERSON = pa.schema(
    {
        "subject_key": pa.binary(),
        "sex": pa.string(),
        "birth_year": pa.int32(),
        "life_status": pa.string(),
        "grid_code": pa.string(),
        "sources": pa.int32(),
        "conflicts": pa.int32(),
    }
)
_CONFLICT = pa.schema(
    {
        "kind": pa.string(),
        "subject_key": pa.binary(),
        "other_key": pa.binary(),
        "likely_wrong": pa.string(),
        "datasets": pa.list_(pa.string()),
        "record_keys": pa.list_(pa.binary()),
        "batches": pa.list_(pa.string()),
    }
)
_AGREEMENT = pa.schema(
    {"subject_key": pa.binary(), "compared": pa.string(), "differing": pa.string()}
)


@dataclass(frozen=True, slots=True)
class PublishContext:
    """What publishing needs: where, under which keys, when, and who is told of progress."""

    settings: Settings
    keyring: Keyring
    catalog: Catalog
    now: datetime
    rng: random.Random
    progress: Callable[[int], None] = lambda _: None


@dataclass(frozen=True, slots=True)
class Published:
    """A snapshot in service: version, subjects, conflicts by kind, manifest, agreement."""

    version: str
    subjects: int
    conflicts: Mapping[str, int]
    manifest: Mapping[str, Any]
    agreements: tuple[Agreement, ...] = ()


def version_name(now: datetime) -> str:
    """Return the name of a version made at an instant: sortable, no personal data."""
    return now.strftime("%Y%m%dT%H%M%S.%fZ")


def publish(con: lake.Connection, batches: tuple[str, ...], context: PublishContext) -> Published:
    """Build a snapshot of the lake as it stands and switch to it.

    Only subjects whose records have changed since the version in service are made anew; all of
    them are when there is none, or when contracts or rules have changed.

    Args:
        con: a lake connection.
        batches: the batches whose rows this publication shows for the first time.
    """
    version = version_name(context.now)
    store = SnapshotStore(context.settings)
    made_with = _made_with(context.catalog)
    base = _base(store, made_with)
    folder = store.begin(version)
    if base is not None:
        _find_affected(con, context.catalog, base)
    subjects = _write_subjects(con, folder, base, context)
    _store_integrated(con, context, whole=base is None)
    write_analytic(con, folder / "analytic.duckdb", context.catalog, context.keyring)
    conflicts = _conflict_counts(con)
    manifest = store.publish(
        version,
        lake.lake_snapshot(con),
        {
            "created_at": context.now.isoformat(),
            "batches": list(batches),
            "contracts": {name: d.version for name, d in context.catalog.items()},
            "made_with": made_with,
            "subjects": subjects,
            "conflicts": conflicts,
        },
    )
    agreements = _agreements(con, context.catalog, version)
    return Published(version, subjects, conflicts, manifest, agreements)


@dataclass(frozen=True, slots=True)
class Base:
    """The version a new one starts from: its documents, and the lake snapshot it shows."""

    subjects: Path
    lake_snapshot: int


def _made_with(catalog: Catalog) -> str:
    """Return a digest of everything that shapes a document beside the records."""
    shape = repr(tuple(catalog.values())).encode() + PERSON_RULES.read_bytes()
    return hashlib.sha256(shape + AGREEMENT_RULES.read_bytes()).hexdigest()


def _base(store: SnapshotStore, made_with: str) -> Base | None:
    found = store.in_service()
    if found is None or found[1].get("made_with") != made_with:
        return None
    folder, manifest = found
    return Base(folder / "subjects.sqlite", int(manifest["lake_snapshot"]))


def _find_affected(con: lake.Connection, catalog: Catalog, base: Base) -> None:
    """Fill `affected` with the subjects of records brought or closed since the base was made."""
    con.execute(
        "CREATE OR REPLACE TABLE news AS "
        "SELECT batch_id FROM lake.meta.batch WHERE what = 'register' AND batch_id NOT IN "
        f"(SELECT batch_id FROM lake.meta.batch AT (VERSION => {base.lake_snapshot}) "
        "WHERE what = 'register')"
    )
    present = lake.registers(con)
    touched = [
        f"SELECT {identifier(f'{role}_key')} AS identifier_key FROM {lake.register_table(name)} "
        "WHERE batch_id IN (FROM news) OR ended_by IN (FROM news)"
        for name, dataset in catalog.items()
        if name in present
        for role in dataset.subjects
    ]
    nobody = "SELECT NULL::BLOB AS identifier_key WHERE false"
    con.execute(
        "CREATE OR REPLACE TABLE affected AS SELECT DISTINCT subject_key "
        f"FROM ({' UNION ALL '.join(touched) or nobody}) JOIN lake.identity.map "
        "USING (identifier_key)"
    )


def _write_subjects(
    con: lake.Connection, folder: Path, base: Base | None, context: PublishContext
) -> int:
    writer = SubjectsWriter(folder / "subjects.sqlite", base.subjects if base else None)
    only = "affected" if base else None
    if base:
        writer.forget(
            key
            for rows in lake.batches(con, "SELECT subject_key FROM affected")
            for key in rows["subject_key"]
        )
    sealer, index = Sealer(context.keyring, "document"), BlindIndex(context.keyring)
    rules = load_person_rules(context.catalog)
    compared = load_compared_fields(context.catalog, rules.golden)
    persons = Integration(rules, context.catalog, compared)
    _reset(con, "person", _PERSON)
    _reset(con, "conflict", _CONFLICT)
    _reset(con, "agreement", _AGREEMENT)
    count = 0
    with ThreadPoolExecutor(max_workers=1) as sealing:  # compressing and writing free this thread
        written: Future[None] | None = None
        for group in _groups(stream_subjects(con, context.catalog, context.keyring, only=only)):
            whole = [persons.of(subject) for subject in group]
            _append(con, "person", pa.table(_persons(whole), _PERSON))
            _append(con, "conflict", pa.Table.from_pylist(_conflicts(whole), _CONFLICT))
            _append(con, "agreement", pa.table(_patterns(whole), _AGREEMENT))
            if written is not None:
                written.result()
            written = sealing.submit(_write_group, writer, whole, sealer, index)
            count += len(group)
            context.progress(count)
        if written is not None:
            written.result()
    _write_identities(con, writer, only)
    between_two = [rule for rule in rules.conflicts if rule.between_two]
    find_pairs(con, between_two, context.catalog, writer.alike(), context.now.date())
    return writer.close()


def _write_group(
    writer: SubjectsWriter, persons: list[Person], sealer: Sealer, index: BlindIndex
) -> None:
    writer.documents(
        (p.subject.key, sealer.seal(pack(documents.document(p)), p.subject.key)) for p in persons
    )
    writer.tokens(token for p in persons for token in documents.tokens(p, index))


def _write_identities(con: lake.Connection, writer: SubjectsWriter, only: str | None) -> None:
    wanted = f" JOIN {only} USING (subject_key)" if only else ""
    sql = f"SELECT identifier_key, subject_key FROM lake.identity.map{wanted}"
    for rows in lake.batches(con, sql):
        writer.identities(zip(rows["identifier_key"], rows["subject_key"], strict=True))


def _groups(subjects: Iterator[Subject]) -> Iterator[list[Subject]]:
    group: list[Subject] = []
    for subject in subjects:
        group.append(subject)
        if len(group) == _GROUP:
            yield group
            group = []
    if group:
        yield group


def _persons(persons: list[Person]) -> dict[str, list[Any]]:
    births = [p.value("birth_date") for p in persons]
    return {
        "subject_key": [p.subject.key for p in persons],
        "sex": [p.value("sex") for p in persons],
        "birth_year": [int(birth[:4]) if birth else None for birth in births],
        "life_status": [p.value("life_status") for p in persons],
        "grid_code": [p.area for p in persons],
        "sources": [len(set(p.subject.datasets())) for p in persons],
        "conflicts": [len(p.conflicts) for p in persons],
    }


def _conflicts(persons: list[Person]) -> list[dict[str, Any]]:
    return [
        {
            "kind": conflict.rule.kind,
            "subject_key": p.subject.key,
            "likely_wrong": conflict.likely_wrong,
            "datasets": [held.dataset for held in conflict.evidence],
            "record_keys": [held.record_key for held in conflict.evidence],
            "batches": [held.batch for held in conflict.evidence],
        }
        for p in persons
        for conflict in p.conflicts
    ]


def _patterns(persons: list[Person]) -> dict[str, list[Any]]:
    found = [(p.subject.key, *p.agreement) for p in persons if p.agreement is not None]
    columns = zip(*found, strict=True) if found else ((), (), ())
    return dict(zip(_AGREEMENT.names, map(list, columns), strict=True))


def _reset(con: lake.Connection, name: str, schema: pa.Schema) -> None:
    with lake.arrow_view(con, "incoming", schema.empty_table()):
        con.execute(f"CREATE OR REPLACE TABLE {name} AS SELECT * FROM incoming")


def _append(con: lake.Connection, name: str, table: pa.Table) -> None:
    with lake.arrow_view(con, "incoming", table):
        con.execute(f"INSERT INTO {name} SELECT * FROM incoming")


def _store_integrated(con: lake.Connection, context: PublishContext, *, whole: bool) -> None:
    """Replace the rows of the subjects made anew; history is the lake's own snapshots.

    Conflicts between two persons are replaced whole, since either of them may have changed.
    """
    affected = "" if whole else " WHERE subject_key IN (SELECT subject_key FROM affected)"
    kinds = {r.kind for r in load_person_rules(context.catalog).conflicts if r.between_two}
    between_two = ", ".join(map(literal, sorted(kinds))) or "''"
    stale = {"person": affected, "conflict": affected, "agreement": affected}
    if not whole:
        stale["conflict"] += f" OR kind IN ({between_two})"

    def work(c: lake.Connection) -> None:
        for name, rows in stale.items():
            c.execute(
                f"CREATE TABLE IF NOT EXISTS lake.integrated.{name} AS FROM {name} WITH NO DATA"
            )
            if name == "conflict":  # tables of older versions know one person a conflict
                c.execute(
                    f"ALTER TABLE lake.integrated.{name} ADD COLUMN IF NOT EXISTS other_key BLOB"
                )
            c.execute(f"DELETE FROM lake.integrated.{name}{rows}")
            c.execute(f"INSERT INTO lake.integrated.{name} BY NAME FROM {name}")

    lake.in_transaction(con, work, rng=context.rng)


def _conflict_counts(con: lake.Connection) -> dict[str, int]:
    rows = con.execute(
        "SELECT kind, count(*) FROM lake.integrated.conflict GROUP BY kind ORDER BY kind"
    ).fetchall()
    return {kind: int(count) for kind, count in rows}


def _agreements(con: lake.Connection, catalog: Catalog, version: str) -> tuple[Agreement, ...]:
    patterns = con.execute(
        "SELECT compared, differing, count(*) FROM lake.integrated.agreement "
        "GROUP BY compared, differing"
    ).fetchall()
    fields = load_compared_fields(catalog, load_person_rules(catalog).golden)
    owners = {name: dataset.owner for name, dataset in catalog.items()}
    return tally(patterns, fields, owners, version)
