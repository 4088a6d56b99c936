"""Small invented things for tests: identity numbers, datasets, settings, lakes."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from hub.catalog import Classification, Column, Dataset, SharingType
from hub.config import Settings
from hub.identifiers import resident_check_character
from hub.store import lake

NOW = datetime(2026, 6, 1, 4, 0, tzinfo=UTC)


def id_number(serial: int, birth: str = "19900307") -> str:
    """Return a valid invented number; the area 990106 exists nowhere."""
    body = f"990106{birth}{serial:03d}"
    return body + resident_check_character(body)


def settings_in(folder: Path) -> Settings:
    """Return settings of a hub in a folder."""
    return Settings(home=folder, memory_limit="256MB", settle_seconds=0.0)


def tenancy_dataset(mode: str = "full", *, keyed: bool = True) -> Dataset:
    """Return a dataset with a subject, sealed and clear columns."""
    l1, l3, l4 = Classification.L1, Classification.L3, Classification.L4
    return Dataset(
        name="housing.tenancy",
        title="房屋租赁",
        owner="housing",
        version="1.0.0",
        sharing=SharingType.CONDITIONAL,
        legal_basis="test",
        update_cycle="monthly",
        mode=mode,
        key=("tenancy_id",) if keyed else (),
        columns=(
            Column("tenancy_id", "编号", "string", l1),
            Column("tenant_id", "身份证号", "string", l4, "resident_id", "tenant", sealed=True),
            Column("tenant_name", "姓名", "string", l3, "person_name", "tenant", sealed=True),
            Column(
                "start_date",
                "起始",
                "date",
                l3,
                sealed=True,
                clear_as={"start_month": "month"},
            ),
            Column("rent_yuan", "租金", "number", l3, sealed=True),
            Column("grid_code", "网格", "string", l1),
        ),
        subjects={"tenant": "tenant_id"},
        area_column="grid_code",
    )


def resident_dataset() -> Dataset:
    """Return a small population.resident."""
    l1, l2, l3, l4 = Classification
    return Dataset(
        name="population.resident",
        title="实有人口",
        owner="population",
        version="1.0.0",
        sharing=SharingType.CONDITIONAL,
        legal_basis="test",
        update_cycle="monthly",
        mode="full",
        key=("resident_id",),
        columns=(
            Column("resident_id", "身份证号", "string", l4, "resident_id", "resident", sealed=True),
            Column("name", "姓名", "string", l3, "person_name", "resident", sealed=True),
            Column("sex", "性别", "string", l2, None, "resident"),
            Column(
                "birth_date",
                "出生日期",
                "date",
                l3,
                "birth_date",
                "resident",
                sealed=True,
                clear_as={"birth_year": "year"},
            ),
            Column("person_status", "状态", "string", l2, None, "resident"),
            Column("marital_status", "婚姻", "string", l4, None, "resident", sealed=True),
            Column("phone", "电话", "string", l3, "phone", "resident", sealed=True),
            Column("grid_code", "网格", "string", l1),
        ),
        subjects={"resident": "resident_id"},
        area_column="grid_code",
    )


def marriage_dataset() -> Dataset:
    """Return a small civil_affairs.marriage: two subjects in one row."""
    l1, _, l3, l4 = Classification
    return Dataset(
        name="civil_affairs.marriage",
        title="婚姻登记",
        owner="civil_affairs",
        version="1.0.0",
        sharing=SharingType.CONDITIONAL,
        legal_basis="test",
        update_cycle="monthly",
        mode="full",
        key=("registration_no",),
        columns=(
            Column("registration_no", "编号", "string", l1),
            Column("man_id", "男身份证", "string", l4, "resident_id", "man", sealed=True),
            Column("man_name", "男姓名", "string", l3, "person_name", "man", sealed=True),
            Column("woman_id", "女身份证", "string", l4, "resident_id", "woman", sealed=True),
            Column("woman_name", "女姓名", "string", l3, "person_name", "woman", sealed=True),
            Column("op_type", "类型", "string", l1),
            Column("op_date", "日期", "date", l3, sealed=True, clear_as={"op_month": "month"}),
        ),
        subjects={"man": "man_id", "woman": "woman_id"},
    )


def accepted_table(con: lake.Connection, dataset: Dataset, rows: list[dict[str, object]]) -> None:
    """Leave the tables that the check pass leaves: `accepted` with rows, `quarantine` empty."""
    types = {"date": "DATE", "number": "DOUBLE", "integer": "BIGINT"}
    columns = ", ".join(f"{c.name} {types.get(c.logical_type, 'VARCHAR')}" for c in dataset.columns)
    con.execute(f"CREATE OR REPLACE TABLE accepted (row_number BIGINT, {columns})")
    texts = ", ".join(f"{c.name} VARCHAR" for c in dataset.columns)
    con.execute(
        f"CREATE OR REPLACE TABLE quarantine (row_number BIGINT, {texts}, failed_rules VARCHAR[])"
    )
    marks = ", ".join("?" for _ in dataset.columns)
    for i, row in enumerate(rows, 1):
        con.execute(
            f"INSERT INTO accepted VALUES (?, {marks})",
            [i, *(row.get(c.name) for c in dataset.columns)],
        )
