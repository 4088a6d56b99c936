"""Operational records: one batch per content, only the steps there are, one transaction each."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest
from sqlalchemy import inspect
from sqlalchemy.dialects import postgresql
from sqlalchemy.schema import CreateTable

from hub.errors import ConfigError, NotFound, RequestError
from hub.store.access_steps import STEPS as ACCESS_STEPS
from hub.store.batches import STEPS, safe_file_name
from hub.store.models import Base
from hub.store.records import (
    Arrival,
    Batch,
    BatchStatus,
    ChangeRow,
    CheckRow,
    Records,
    Verdict,
)
from tests.factories import NOW, settings_in
from tests.postgresql import Server

HOUR = timedelta(hours=1)


@pytest.fixture
def records(tmp_path: Path) -> Iterator[Records]:
    """Records in a new home."""
    with Records.open(settings_in(tmp_path / "home")) as opened:
        yield opened


def arrival(number: int = 1, **changes: object) -> Arrival:
    """Return an arrival whose bytes differ by number."""
    sent = Arrival(
        "housing.tenancy", "housing", "tenancy_2026-05.csv", f"{number:064x}", 1000, "full",
        "2026-05", {"rows": 3},
    )  # fmt: skip
    return replace(sent, **changes)  # type: ignore[arg-type]


def verdict(*, passed: bool = True, overall: float = 0.99) -> Verdict:
    """Return a verdict on 100 rows."""
    return Verdict(
        rows=100,
        accepted=99,
        quarantined=1,
        key_accuracy=0.985,
        overall=overall,
        passed=passed,
        reason="" if passed else "overall 80 % is below the bar of 90 %",
        checks=(
            CheckRow(
                "required.tenant_id", ("tenant_id",), "error", "completeness", "t", "r", 1, 100
            ),
            CheckRow("ordered.dates", ("start", "end"), "warning", "consistency", "t", "r", 0, 90),
        ),
        changes=(ChangeRow("", "total_row_dropped", 1), ChangeRow("tenant_id", "trim", 7)),
        document={"rows": 100, "passed": passed},
    )


def published(records: Records, number: int, at: datetime, version: str) -> Batch:
    """Take a new batch all the way."""
    batch = records.register_batch(arrival(number), at).batch
    records.save_verdict(batch.id, verdict(), at)
    records.advance(batch.id, BatchStatus.LOADED, at)
    records.add_publication(version, (batch.id,), at)
    return records.batch(batch.id)


def test_a_batch_comes_back_as_it_was_registered(records: Records) -> None:
    registered = records.register_batch(arrival(), NOW)
    batch = records.batch(registered.batch.id)
    assert registered.is_new
    assert batch == registered.batch
    assert batch.status is BatchStatus.LANDED
    assert batch.declared == {"rows": 3}
    assert (batch.landed_at, batch.landed_at.tzinfo) == (NOW, UTC)
    assert batch.attempt == 1


def test_the_same_bytes_are_recognised(records: Records) -> None:
    first = records.register_batch(arrival(), NOW).batch
    again = records.register_batch(arrival(file_name="other.csv"), NOW + HOUR)
    assert not again.is_new
    assert again.batch.id == first.id
    assert again.batch.landed_at == NOW
    assert again.batch.delivered_at == NOW + HOUR
    assert again.batch.file_name == first.file_name
    assert len(records.batches()) == 1


@pytest.mark.parametrize(
    "change", [{"partner": "market"}, {"dataset": "housing.dwelling"}, {"sha256": "f" * 64}]
)
def test_other_bytes_partner_or_dataset_is_another_batch(
    records: Records, change: dict[str, str]
) -> None:
    first = records.register_batch(arrival(), NOW).batch
    other = records.register_batch(arrival(**change), NOW)
    assert other.is_new
    assert other.batch.id != first.id


def test_refused_bytes_sent_again_are_tried_again_with_the_new_promises(records: Records) -> None:
    batch = records.register_batch(arrival(), NOW).batch
    records.mark_recorded(batch.id, NOW)
    records.advance(batch.id, BatchStatus.REFUSED, NOW, reason="wrong number of rows")
    again = records.register_batch(arrival(declared={"rows": 4}), NOW + HOUR)
    assert again.is_new
    assert again.batch.id == batch.id
    assert again.batch.attempt == 2
    assert again.batch.status is BatchStatus.LANDED
    assert again.batch.reason is None
    assert again.batch.recorded_at is None
    assert again.batch.declared == {"rows": 4}


def test_a_published_batch_is_not_tried_again(records: Records) -> None:
    published(records, 1, NOW, "v1")
    again = records.register_batch(arrival(1), NOW + HOUR)
    assert not again.is_new
    assert again.batch.status is BatchStatus.PUBLISHED


@pytest.mark.parametrize("target", list(BatchStatus))
@pytest.mark.parametrize("origin", list(BatchStatus))
def test_only_the_steps_of_the_machine_are_taken(
    records: Records, origin: BatchStatus, target: BatchStatus
) -> None:
    batch = records.register_batch(arrival(), NOW).batch
    for status in _way_to(origin):
        records.advance(batch.id, status, NOW)
    if target in STEPS[origin]:
        assert records.advance(batch.id, target, NOW).status is target
    else:
        with pytest.raises(RequestError, match=f"is {origin} and cannot become {target}"):
            records.advance(batch.id, target, NOW)
        assert records.batch(batch.id).status is origin


def _way_to(status: BatchStatus) -> tuple[BatchStatus, ...]:
    long = (BatchStatus.CHECKED, BatchStatus.LOADED, BatchStatus.PUBLISHED)
    if status is BatchStatus.LANDED:
        return ()
    return long[: long.index(status) + 1] if status in long else (status,)


def test_a_step_keeps_time_reason_and_details(records: Records) -> None:
    batch = records.register_batch(arrival(), NOW).batch
    records.advance(
        batch.id, BatchStatus.CHECKED, NOW + HOUR, rows=3, format="csv", encoding="gb18030"
    )
    loaded = records.advance(batch.id, BatchStatus.LOADED, NOW + 2 * HOUR, reason="all well")
    assert (loaded.checked_at, loaded.loaded_at) == (NOW + HOUR, NOW + 2 * HOUR)
    assert (loaded.rows, loaded.format, loaded.encoding) == (3, "csv", "gb18030")
    assert loaded.reason == "all well"


def test_an_unknown_detail_is_refused(records: Records) -> None:
    batch = records.register_batch(arrival(), NOW).batch
    with pytest.raises(RequestError, match="partner"):
        records.advance(batch.id, BatchStatus.CHECKED, NOW, partner="market")
    assert records.batch(batch.id).status is BatchStatus.LANDED


def test_a_missing_batch_is_not_found(records: Records) -> None:
    for ask in (records.batch, records.verdict):
        with pytest.raises(NotFound):
            ask("20260601-none")
    with pytest.raises(NotFound):
        records.advance("20260601-none", BatchStatus.CHECKED, NOW)


def test_pending_gives_the_oldest_delivery_first(records: Records) -> None:
    late = records.register_batch(arrival(1), NOW + HOUR).batch
    early = records.register_batch(arrival(2), NOW).batch
    other = records.register_batch(arrival(3, dataset="housing.dwelling"), NOW).batch
    refused = records.register_batch(arrival(4), NOW).batch
    records.advance(refused.id, BatchStatus.REFUSED, NOW, reason="x")
    waiting = records.pending("housing.tenancy")
    assert [b.id for b in waiting] == [early.id, late.id]
    assert other.id in [b.id for b in records.pending()]
    assert [b.id for b in records.pending(statuses=(BatchStatus.REFUSED,))] == [refused.id]


def test_a_verdict_comes_back_as_rows_and_as_json(records: Records) -> None:
    batch = records.register_batch(arrival(), NOW).batch
    assert records.verdict(batch.id) is None
    checked = records.save_verdict(batch.id, verdict(), NOW + HOUR)
    assert checked.status is BatchStatus.CHECKED
    assert (checked.rows, checked.quarantined, checked.overall) == (100, 1, 0.99)
    assert records.verdict(batch.id) == verdict()


def test_a_failing_verdict_stops_the_batch(records: Records) -> None:
    batch = records.register_batch(arrival(), NOW).batch
    stopped = records.save_verdict(batch.id, verdict(passed=False, overall=0.8), NOW)
    assert stopped.status is BatchStatus.STOPPED
    assert stopped.reason == "overall 80 % is below the bar of 90 %"
    assert records.latest_accepted("housing.tenancy") is None


def test_a_second_check_replaces_the_first(records: Records) -> None:
    batch = records.register_batch(arrival(), NOW).batch
    records.save_verdict(batch.id, verdict(), NOW)
    fewer = replace(verdict(), checks=verdict().checks[:1], changes=())
    records.save_verdict(batch.id, fewer, NOW + HOUR)
    assert records.verdict(batch.id) == fewer


def test_a_verdict_that_cannot_be_kept_changes_nothing(records: Records) -> None:
    batch = records.register_batch(arrival(), NOW).batch
    doubled = replace(verdict(), changes=(ChangeRow("a", "trim", 1), ChangeRow("a", "trim", 2)))
    with pytest.raises(Exception, match="UNIQUE"):
        records.save_verdict(batch.id, doubled, NOW)
    assert records.batch(batch.id).status is BatchStatus.LANDED
    assert records.verdict(batch.id) is None


def test_the_latest_accepted_batch_is_the_one_delivered_last(records: Records) -> None:
    assert records.latest_accepted("housing.tenancy") is None
    published(records, 1, NOW, "v1")
    newer = records.register_batch(arrival(2), NOW + HOUR).batch
    records.save_verdict(newer.id, verdict(), NOW + HOUR)
    stopped = records.register_batch(arrival(3), NOW + 2 * HOUR).batch
    records.save_verdict(stopped.id, verdict(passed=False), NOW + 2 * HOUR)
    latest = records.latest_accepted("housing.tenancy")
    assert latest is not None
    assert latest.id == newer.id
    assert records.latest_accepted("housing.tenancy", "market") is None


def test_a_partner_sees_its_own_batches_newest_first(records: Records) -> None:
    for number in range(3):
        records.register_batch(arrival(number), NOW + number * HOUR)
    records.register_batch(arrival(9, partner="market"), NOW)
    own = records.batches_of("housing", limit=2)
    assert [b.sha256[-1] for b in own] == ["2", "1"]
    assert records.batches_of("housing", dataset="housing.dwelling") == ()


def test_quality_is_the_latest_verdict_of_each_dataset(records: Records) -> None:
    first = records.register_batch(arrival(1), NOW).batch
    records.save_verdict(first.id, verdict(), NOW)
    second = records.register_batch(arrival(2), NOW + HOUR).batch
    records.save_verdict(second.id, verdict(passed=False, overall=0.8), NOW + HOUR)
    other = records.register_batch(arrival(3, dataset="housing.dwelling"), NOW).batch
    records.save_verdict(other.id, verdict(), NOW)
    records.register_batch(arrival(4, dataset="address.standard_address"), NOW)
    table = records.quality()
    assert [(q.dataset, q.batch_id, q.passed) for q in table] == [
        ("housing.dwelling", other.id, True),
        ("housing.tenancy", second.id, False),
    ]
    assert table[1].overall == 0.8
    assert table[1].checked_at == NOW + HOUR


def test_a_publication_takes_its_batches_along(records: Records) -> None:
    batch = published(records, 1, NOW, "v1")
    assert batch.status is BatchStatus.PUBLISHED
    assert (batch.published_version, batch.published_at) == ("v1", NOW)
    latest = published(records, 2, NOW + HOUR, "v2")
    versions = [(p.version, p.batches) for p in records.publications()]
    assert versions == [("v2", (latest.id,)), ("v1", (batch.id,))]


def test_the_same_publication_twice_is_one(records: Records) -> None:
    batch = published(records, 1, NOW, "v1")
    again = records.add_publication("v1", (batch.id,), NOW + HOUR, lake_snapshot=7)
    assert again.published_at == NOW
    assert len(records.publications()) == 1


def test_a_publication_with_a_batch_that_is_not_loaded_records_nothing(records: Records) -> None:
    batch = records.register_batch(arrival(), NOW).batch
    with pytest.raises(RequestError):
        records.add_publication("v1", (batch.id,), NOW)
    assert records.publications() == ()


def test_instants_come_back_in_utc_whatever_zone_they_came_in(records: Records) -> None:
    beijing = NOW.astimezone(timezone(8 * HOUR))
    batch = records.register_batch(arrival(), beijing).batch
    assert records.batch(batch.id).landed_at == NOW
    assert records.batch(batch.id).landed_at.utcoffset() == timedelta(0)


def test_an_instant_without_zone_is_not_recorded(records: Records) -> None:
    with pytest.raises(Exception, match="without time zone"):
        records.register_batch(arrival(), NOW.replace(tzinfo=None))
    assert records.batches() == ()


def test_a_name_in_a_file_name_is_never_kept(records: Records) -> None:
    sent = arrival(file_name="张三_990106199003071234.xlsx")
    assert records.register_batch(sent, NOW).batch.file_name == "x_x.xlsx"


@pytest.mark.parametrize(
    ("name", "kept"),
    [
        ("tenancy_2026-05.csv", "tenancy_2026-05.csv"),
        ("housing.tenancy.full.v2.csv.gz", "housing.tenancy.full.v2.csv.gz"),
        ("export_20260601120000.xlsx", "export_20260601120000.xlsx"),
        ("zhangsan.csv", "x.csv"),
        ("李四的合同.xls", "x.xls"),
        ("990106199003071234.csv", "x.csv"),
        ("13900000000.csv", "x.csv"),
        ("139 0000 1234.csv", "xxxxx.csv"),
        ("2026-05/../x.csv", "2026-05x..xx.csv"),
    ],
)
def test_file_names_keep_only_harmless_parts(name: str, kept: str) -> None:
    assert safe_file_name(name, ("housing.tenancy", "housing")) == kept


def test_two_processes_registering_the_same_bytes_make_one_batch(tmp_path: Path) -> None:
    settings = settings_in(tmp_path)
    with Records.open(settings) as one, Records.open(settings) as two:
        with ThreadPoolExecutor(8) as pool:
            found = list(
                pool.map(lambda i: (one, two)[i % 2].register_batch(arrival(), NOW), range(16))
            )
        assert sum(item.is_new for item in found) == 1
        assert len({item.batch.id for item in found}) == 1


def test_reading_does_not_wait_for_a_writer(tmp_path: Path) -> None:
    settings = settings_in(tmp_path)
    with Records.open(settings) as records:
        records.register_batch(arrival(), NOW)
        writer = sqlite3.connect(settings.records, isolation_level=None)
        writer.execute("BEGIN IMMEDIATE")
        try:
            assert len(records.batches()) == 1
        finally:
            writer.close()


def test_upgrading_twice_changes_nothing_and_keeps_everything(tmp_path: Path) -> None:
    settings = settings_in(tmp_path)
    with Records.open(settings) as records:
        batch = records.register_batch(arrival(), NOW).batch
        records.upgrade()
        assert records.batch(batch.id) == batch
    assert settings.records.stat().st_mode & 0o077 == 0


def test_the_migrations_make_the_tables_of_the_models(records: Records) -> None:
    found = inspect(records._engine)
    assert ACCESS_STEPS.rows.__table__ in Base.metadata.tables.values()
    for table in Base.metadata.tables.values():
        made = {c["name"]: c["nullable"] for c in found.get_columns(table.name)}
        wanted = {c.name: bool(c.nullable) for c in table.columns}
        assert made == wanted, table.name
    assert {"batch_content"} == {u["name"] for u in found.get_unique_constraints("batch")}


def test_a_newer_database_is_not_touched(tmp_path: Path) -> None:
    settings = settings_in(tmp_path)
    Records.open(settings).close()
    with sqlite3.connect(settings.records) as con:
        con.execute("UPDATE alembic_version SET version_num = '9999'")
    con.close()
    with pytest.raises(ConfigError, match="newer version"):
        Records.open(settings)


def test_a_file_that_is_no_database_is_named_as_such(tmp_path: Path) -> None:
    settings = settings_in(tmp_path)
    settings.records.write_bytes(b"not a database" * 100)
    with pytest.raises(ConfigError, match="records"):
        Records.open(settings)


def test_the_tables_can_be_made_in_postgresql() -> None:
    for table in Base.metadata.sorted_tables:
        text = str(CreateTable(table).compile(dialect=postgresql.dialect()))
        assert f"CREATE TABLE {table.name}" in text
    batch = str(CreateTable(Base.metadata.tables["batch"]).compile(dialect=postgresql.dialect()))
    assert "TIMESTAMP WITH TIME ZONE" in batch


@pytest.mark.xdist_group("postgresql")
def test_the_whole_life_of_a_batch_in_postgresql(server: Server, tmp_path: Path) -> None:
    url = server.database(tmp_path).replace("postgresql:", "postgresql+psycopg:")
    with Records.connect(url) as records:
        records.upgrade()
        batch = records.register_batch(arrival(sha256=os.urandom(32).hex()), NOW).batch
        records.save_verdict(batch.id, verdict(), NOW)
        records.advance(batch.id, BatchStatus.LOADED, NOW)
        version = os.urandom(4).hex()
        records.add_publication(version, (batch.id,), NOW)
        done = records.batch(batch.id)
        assert (done.status, done.landed_at) == (BatchStatus.PUBLISHED, NOW)
        assert records.verdict(batch.id) == verdict()
        assert batch.id in {q.batch_id for q in records.quality()}
