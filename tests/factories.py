"""Small invented things for tests: identity numbers, datasets, settings, lakes."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from hub.catalog import Classification, Column, Dataset, SharingType
from hub.config import Settings
from hub.identifiers import resident_check_character

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
