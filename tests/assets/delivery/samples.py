"""A hub in a folder, a small contract, and files to deliver to it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import duckdb

from assets.delivery.landing import Landed, land_all
from assets.delivery.limits import DEFAULT_LIMITS, Limits
from assets.delivery.parsing import Parsed, parse
from contracts.model import Contract, Property, SourceMap
from hub.catalog import Classification, SharingType
from hub.config import Settings
from hub.events import AuditEvent
from hub.keyring import Keyring
from hub.store.batches import Batch
from hub.store.drop import deliver
from hub.store.records import Records
from tests.factories import NOW, settings_in

L1, L3, L4 = Classification.L1, Classification.L3, Classification.L4

#: The headers of `contract`, in its order.
HEADERS = ("合同编号", "承租人身份证号", "承租人姓名", "租金", "起始日期", "备注")
COLUMNS = ("tenancy_id", "tenant_id", "tenant_name", "rent_yuan", "start_date", "note")

Row = tuple[str | None, ...]

ROWS: tuple[Row, ...] = (
    ("T1", "990106199003071234", "张三", "1200", "2026-01-05", None),
    ("T2", "990106198507121238", "李𠮷", "80.5", "2026-02-01", "含,逗号"),
    ("T3", "990106197001010012", "王 五", None, "2026年3月1日", "两\n行"),
)


def contract(name: str = "housing.tenancy", mode: str = "full") -> Contract:
    """Return a contract of six columns, of which the first three are required."""
    types = ("string", "string", "string", "number", "date", "string")
    properties = tuple(
        Property(column, title, kind, L1, required=i < 3, key_position=1 if i == 0 else None)
        for i, (column, title, kind) in enumerate(zip(COLUMNS, HEADERS, types, strict=True))
    )
    return Contract(
        name=name,
        version="1.0.0",
        title="房屋租赁",
        owner="housing",
        sharing=SharingType.CONDITIONAL,
        legal_basis="test",
        update_cycle="monthly",
        mode=mode,
        properties=properties,
        sources=(SourceMap("market", {"月租": "rent_yuan"}),),
    )


def text(rows: Sequence[Sequence[str | None]] = ROWS, header: Sequence[str] = HEADERS) -> str:
    """Return rows as CSV with CR LF."""
    lines = [header, *rows]
    return "".join(",".join(_field(cell) for cell in line) + "\r\n" for line in lines)


def _field(cell: str | None) -> str:
    value = cell or ""
    return '"' + value.replace('"', '""') + '"' if set(value) & set(',"\n') else value


@dataclass
class Hub:
    """A hub without anything but delivery."""

    settings: Settings
    keyring: Keyring
    records: Records
    contracts: tuple[Contract, ...] = (contract(), contract("housing.dwelling", "append"))
    events: list[AuditEvent] = field(default_factory=list)
    limits: Limits = DEFAULT_LIMITS

    @classmethod
    def in_folder(cls, folder: Path) -> Hub:
        """Return a new hub."""
        settings = settings_in(folder / "home")
        return cls(settings, Keyring.create(settings.keyring), Records.open(settings))

    def drop(self, name: str, data: bytes, **promises: Any) -> Path:
        """Put a file into the drop folder as `hub deliver` would."""
        source = self.settings.home / "outgoing"
        source.write_bytes(data)
        place = {"partner": "housing", "dataset": "housing.tenancy", "period": "2026-05"}
        return deliver(source, name=name, settings=self.settings, **{**place, **promises})

    def drop_bare(self, data: bytes, *where: str) -> Path:
        """Put a file into the drop folder as a partner's own tool would, without manifest."""
        path = self.settings.drop.joinpath(*where)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
        return path

    def land(self) -> tuple[Landed, ...]:
        """Land everything."""
        return land_all(
            self.settings, self.contracts, self.records, self.keyring, NOW, self.events.append,
            self.limits,
        )  # fmt: skip

    def landed(self, name: str, data: bytes, **promises: Any) -> Batch:
        """Drop and land one file."""
        self.drop(name, data, **promises)
        (landed,) = self.land()
        return landed.batch

    def parsed(self, name: str, data: bytes, **promises: Any) -> Read:
        """Drop, land, parse and read one file."""
        batch = self.landed(name, data, **promises)
        of = next(c for c in self.contracts if c.name == batch.dataset)
        with parse(batch, of, self.settings, self.keyring, self.limits) as parsed:
            return Read(parsed, _rows(parsed))


@dataclass(frozen=True)
class Read:
    """A parsed delivery and its rows as (row number, values in contract order)."""

    parsed: Parsed
    numbered: tuple[tuple[int, Row], ...]

    @property
    def rows(self) -> tuple[Row, ...]:
        """Return the values only."""
        return tuple(row for _, row in self.numbered)


def _rows(parsed: Parsed) -> tuple[tuple[int, Row], ...]:
    source = parsed.source
    with duckdb.connect(config={"threads": 2}) as con:
        con.execute(f"CREATE TABLE t AS {source.sql}")
        types = {name: kind for name, kind, *_ in con.execute("DESCRIBE t").fetchall()}
        assert all(types[column] == "VARCHAR" for column in source.columns)
        assert set(types) == {*source.columns, *(["row_number"] if source.numbered else [])}
        number = "row_number" if source.numbered else "rowid + 1"
        wanted = ", ".join(c if c in source.columns else "NULL" for c in COLUMNS)
        found = con.execute(f"SELECT {number}, {wanted} FROM t ORDER BY 1").fetchall()
    return tuple((n, tuple(v or None for v in values)) for n, *values in found)


def with_limits(hub: Hub, **limits: int) -> Hub:
    """Return the hub with other limits."""
    return replace(hub, limits=replace(DEFAULT_LIMITS, **limits))
