"""Conflicts between two persons: found by the engine over keys and tokens, no value is opened.

`joined` rules compare clear columns of two registers that name the same thing. `same_person` rules
take the pairs of subjects that the blind indexes show to be alike; which record of each is the
evidence follows from the order in which the field's sources are believed.

All of them are computed anew at every publication: either side of a pair may have changed.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

import pyarrow as pa

from assets.integrated.rules import ConflictRule, Pattern
from hub.catalog import Catalog
from hub.quoting import identifier, literal
from hub.store import lake

_PAIR = pa.schema({"one": pa.binary(), "two": pa.binary()})
_MAP = "lake.identity.map"


def find_pairs(
    con: lake.Connection,
    rules: Iterable[ConflictRule],
    catalog: Catalog,
    alike: Iterable[tuple[bytes, bytes]],
    today: date,
) -> None:
    """Add what the rules between two persons find to the table `conflict`.

    Args:
        alike: pairs of subject keys with the same name and birth date, and phone or address.
        today: tenancies and their like that ended before it are over.
    """
    present = lake.registers(con)
    for rule in rules:
        if rule.joined and all(p.dataset in present for p in rule.joined):
            con.execute(_joined_sql(rule, today))
        elif rule.same_person is not None:
            _stage_pairs(con, alike)
            con.execute(_same_person_sql(rule, catalog, present))


def _joined_sql(rule: ConflictRule, today: date) -> str:
    """The first record's person is asked about; where it has none, the second's."""
    left, right = rule.joined
    on = identifier(rule.same)
    datasets = f"[{literal(left.dataset)}, {literal(right.dataset)}]"
    return (
        "INSERT INTO conflict BY NAME "
        f"SELECT DISTINCT ON (l.record_key) {literal(rule.kind)} AS kind, "
        "coalesce(a.subject_key, b.subject_key) AS subject_key, "
        "CASE WHEN a.subject_key <> b.subject_key THEN b.subject_key END AS other_key, "
        f"{literal(rule.likely_wrong)} AS likely_wrong, {datasets} AS datasets, "
        "[l.record_key, r.record_key] AS record_keys, [l.batch_id, r.batch_id] AS batches "
        f"FROM {_current(left, today)} l JOIN {_current(right, today)} r ON l.{on} = r.{on} "
        f"LEFT JOIN {_MAP} a ON a.identifier_key = l.{_key(left)} "
        f"JOIN {_MAP} b ON b.identifier_key = r.{_key(right)} "
        "ORDER BY l.record_key, r.record_key"
    )


def _key(pattern: Pattern) -> str:
    return identifier(f"{pattern.role}_key")


def _current(pattern: Pattern, today: date) -> str:
    wanted = ["valid_to IS NULL"]
    for column, allowed in pattern.where.items():
        values = ", ".join(map(literal, allowed))
        wanted.append(f"{identifier(column)} IN ({values})")
    if pattern.until is not None:
        end = identifier(pattern.until)
        wanted.append(f"({end} IS NULL OR {end} >= DATE '{today.isoformat()}')")
    return f"(FROM {lake.register_table(pattern.dataset)} WHERE {' AND '.join(wanted)})"


def _stage_pairs(con: lake.Connection, alike: Iterable[tuple[bytes, bytes]]) -> None:
    pairs = list(alike)
    columns = {"one": [one for one, _ in pairs], "two": [two for _, two in pairs]}
    with lake.arrow_view(con, "incoming", pa.table(columns, _PAIR)):
        con.execute("CREATE OR REPLACE TABLE pair AS SELECT * FROM incoming")


def _same_person_sql(rule: ConflictRule, catalog: Catalog, present: frozenset[str]) -> str:
    """Of two persons the one whose record is believed less is the one asked about."""
    assert rule.same_person is not None
    ranked = []
    for rank, source in enumerate(rule.same_person.sources):
        dataset = catalog[source.dataset]
        for role, column in dataset.subjects.items():
            if column == source.column and source.dataset in present:
                ranked.append(
                    f"SELECT subject_key, {rank} AS rank, {literal(source.dataset)} AS dataset, "
                    f"{literal(dataset.owner)} AS owner, record_key, batch_id "
                    f"FROM {lake.register_table(source.dataset)} JOIN {_MAP} "
                    f"ON identifier_key = {identifier(f'{role}_key')} WHERE valid_to IS NULL "
                    "AND subject_key IN (SELECT one FROM pair UNION ALL SELECT two FROM pair)"
                )
    nobody = (
        "SELECT NULL::BLOB AS subject_key, 0 AS rank, '' AS dataset, '' AS owner, "
        "NULL::BLOB AS record_key, '' AS batch_id WHERE false"
    )
    return (
        "INSERT INTO conflict BY NAME WITH held AS (SELECT DISTINCT ON (subject_key) * FROM "
        f"({' UNION ALL '.join(ranked) or nobody}) ORDER BY subject_key, rank, record_key), "
        "ordered AS (SELECT * FROM pair UNION ALL SELECT two, one FROM pair) "
        f"SELECT {literal(rule.kind)} AS kind, a.subject_key, b.subject_key AS other_key, "
        "a.owner AS likely_wrong, [a.dataset, b.dataset] AS datasets, "
        "[a.record_key, b.record_key] AS record_keys, [a.batch_id, b.batch_id] AS batches "
        "FROM ordered o JOIN held a ON a.subject_key = o.one JOIN held b ON b.subject_key = o.two "
        "WHERE (a.rank, a.subject_key) > (b.rank, b.subject_key)"
    )
