"""Registers: every version of every record, sealed, whole or not at all."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import orjson
import pytest

from assets.registers.register import (
    Loaded,
    RegisterContext,
    load_batch,
    open_row,
    quarantine_aad,
    store_quarantine,
)
from hub.catalog import Classification, Column
from hub.errors import SourceError
from hub.keyring import Keyring
from hub.sealing import Pseudonymiser, Sealer
from hub.store import lake
from tests.factories import NOW, id_number, settings_in, tenancy_dataset

Row = tuple[str, str | None, str, str, float, str]
DATASET = tenancy_dataset()
ALI: Row = ("T1", id_number(1), "张三", "2026-01-05", 900.0, "99010600100101")
BO: Row = ("T2", id_number(2), "欧阳四", "2026-02-05", 800.5, "99010600100102")


@pytest.fixture
def con(tmp_path: Path) -> Iterator[lake.Connection]:
    connection = lake.open_lake(settings_in(tmp_path))
    yield connection
    connection.close()


@pytest.fixture
def context(tmp_path: Path) -> RegisterContext:
    return RegisterContext(Keyring.create(tmp_path / "keyring.json"), random.Random(1), NOW)


def stage(con: lake.Connection, accepted: list[Row], quarantined: list[Row] = []) -> None:  # noqa: B006
    """Leave the tables that the check pass leaves."""
    types = "row_number BIGINT, tenancy_id VARCHAR, tenant_id VARCHAR, tenant_name VARCHAR, "
    con.execute(
        f"CREATE OR REPLACE TABLE accepted ({types} start_date DATE, rent_yuan DOUBLE, "
        "grid_code VARCHAR)"
    )
    con.execute(
        f"CREATE OR REPLACE TABLE quarantine ({types} start_date VARCHAR, rent_yuan VARCHAR, "
        "grid_code VARCHAR, failed_rules VARCHAR[])"
    )
    for i, row in enumerate(accepted, 1):
        con.execute("INSERT INTO accepted VALUES (?, ?, ?, ?, ?, ?, ?)", [i, *row])
    for i, row in enumerate(quarantined, 100):
        con.execute("INSERT INTO quarantine VALUES (?, ?, ?, ?, ?, ?, ?, ['id_check'])", [i, *row])


def load(con: lake.Connection, batch: str, context: RegisterContext, day: int = 0) -> Loaded:
    return load_batch(con, DATASET, batch, replace(context, now=NOW + timedelta(days=day)))


def current(con: lake.Connection) -> list[tuple[str, str]]:
    return con.execute(
        'SELECT tenancy_id, batch_id FROM lake.register."housing.tenancy" '
        "WHERE valid_to IS NULL ORDER BY 1"
    ).fetchall()


def test_new_rows_are_added_sealed(con: lake.Connection, context: RegisterContext) -> None:
    stage(con, [ALI, BO])
    assert load(con, "b1", context) == Loaded(2, 0, 0, 0, 0)
    row = con.execute(
        "SELECT record_key, tenant_key, start_month, sealed "
        "FROM lake.register.\"housing.tenancy\" WHERE tenancy_id = 'T1'"
    ).fetchone()
    assert row is not None
    assert row[1] == Pseudonymiser(context.keyring, "identifier").of(id_number(1))
    assert row[2] == "2026-01"
    opened = open_row(Sealer(context.keyring, "row"), DATASET.name, row[0], row[3])
    assert opened == {
        "tenant": {"tenant_id": id_number(1), "tenant_name": "张三"},
        "": {"start_date": "2026-01-05", "rent_yuan": 900.0},
    }


def test_no_sealed_value_is_a_column_or_lies_in_the_files(
    con: lake.Connection, context: RegisterContext, tmp_path: Path
) -> None:
    stage(con, [ALI, BO])
    load(con, "b1", context)
    names = {r[0] for r in con.execute('DESCRIBE lake.register."housing.tenancy"').fetchall()}
    assert not names & {"tenant_id", "tenant_name", "start_date", "rent_yuan"}
    for path in (p for p in tmp_path.rglob("*") if p.is_file()):
        data = path.read_bytes()
        assert id_number(1).encode() not in data
        assert "张三".encode() not in data


def test_a_full_delivery_changes_ends_and_keeps(
    con: lake.Connection, context: RegisterContext
) -> None:
    stage(con, [ALI, BO])
    load(con, "b1", context)
    changed = (*BO[:4], 950.0, BO[5])
    stage(con, [changed, ("T3", id_number(3), "王五", "2026-03-01", 1.0, "99010600100101")])
    assert load(con, "b2", context, day=30) == Loaded(
        added=1, changed=1, closed=1, unchanged=0, quarantined=0
    )
    assert current(con) == [("T2", "b2"), ("T3", "b2")]
    history = con.execute(
        'SELECT batch_id, valid_to - valid_from FROM lake.register."housing.tenancy" '
        "WHERE tenancy_id = 'T2' ORDER BY valid_from"
    ).fetchall()
    assert history == [("b1", timedelta(days=30)), ("b2", None)]


def test_the_same_content_again_changes_nothing(
    con: lake.Connection, context: RegisterContext
) -> None:
    stage(con, [ALI, BO])
    load(con, "b1", context)
    assert load(con, "b2", context, day=30) == Loaded(0, 0, 0, 2, 0)
    assert current(con) == [("T1", "b1"), ("T2", "b1")]


def test_a_record_whose_row_is_in_quarantine_stays_as_it_was(
    con: lake.Connection, context: RegisterContext
) -> None:
    stage(con, [ALI, BO])
    load(con, "b1", context)
    stage(con, [ALI], quarantined=[(*BO[:1], "damaged", *BO[2:])])
    assert load(con, "b2", context, day=30).closed == 0
    assert current(con) == [("T1", "b1"), ("T2", "b1")]


def test_append_deliveries_end_nothing(con: lake.Connection, context: RegisterContext) -> None:
    dataset = tenancy_dataset("append")
    stage(con, [ALI])
    load_batch(con, dataset, "b1", context)
    stage(con, [BO])
    assert load_batch(con, dataset, "b2", context) == Loaded(1, 0, 0, 0, 0)
    assert current(con) == [("T1", "b1"), ("T2", "b2")]


def test_a_batch_is_loaded_once(con: lake.Connection, context: RegisterContext) -> None:
    """A run killed after the lake's commit loads again; nothing is doubled."""
    stage(con, [ALI, BO])
    load(con, "b1", context)
    stage(con, [ALI])
    assert load(con, "b1", context, day=1).closed == 0
    assert current(con) == [("T1", "b1"), ("T2", "b1")]


def test_a_failed_transaction_leaves_nothing(
    con: lake.Connection, context: RegisterContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    stage(con, [ALI])
    load(con, "b1", context)
    stage(con, [BO])
    from assets.registers import register

    def broken(*_: object) -> None:
        raise SourceError("the disk is full")

    monkeypatch.setattr(register, "_insert", broken)
    with pytest.raises(SourceError, match="disk"):
        load(con, "b2", context)
    assert current(con) == [("T1", "b1")]


def test_rows_without_a_key_are_named_by_batch_and_place(
    con: lake.Connection, context: RegisterContext
) -> None:
    dataset = tenancy_dataset("append", keyed=False)
    stage(con, [ALI, ALI])
    assert load_batch(con, dataset, "b1", context).added == 2
    assert load_batch(con, dataset, "b2", context).added == 2
    assert load_batch(con, dataset, "b2", context).added == 0


def test_a_new_column_of_a_contract_is_added(
    con: lake.Connection, context: RegisterContext
) -> None:
    stage(con, [ALI])
    load(con, "b1", context)
    column = Column("floor", "楼层", "integer", Classification.L1)
    lake.ensure_register(con, replace(DATASET, columns=(*DATASET.columns, column)))
    assert con.execute('SELECT floor FROM lake.register."housing.tenancy"').fetchall() == [(None,)]


def test_quarantined_rows_are_kept_sealed_with_their_reasons(
    con: lake.Connection, context: RegisterContext
) -> None:
    stage(con, [], quarantined=[ALI])
    assert store_quarantine(con, DATASET, "b1", context) == 1
    assert store_quarantine(con, DATASET, "b1", context) == 0
    rows = con.execute(
        "SELECT row_number, failed_rules, sealed FROM lake.quarantine.row"
    ).fetchall()
    ((number, rules, sealed),) = rows
    assert rules == ["id_check"]
    plain = Sealer(context.keyring, "row").open(sealed, quarantine_aad("b1", number))
    assert orjson.loads(plain)["tenant_name"] == "张三"


def test_a_locked_catalogue_is_tried_again_then_reported(con: lake.Connection) -> None:
    import duckdb

    waits: list[float] = []

    def locked(_: lake.Connection) -> None:
        raise duckdb.TransactionException("database is locked")

    with pytest.raises(SourceError) as caught:
        lake.in_transaction(con, locked, rng=random.Random(1), sleep=waits.append)
    assert caught.value.retryable
    assert len(waits) == 8
    assert waits[-1] > waits[0]
