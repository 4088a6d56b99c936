"""Landing: nothing is lost and nothing is doubled, whenever the run is killed."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from assets.delivery.arrivals import scan
from assets.delivery.landing import Landed, land_all, open_raw, raw_path, refuse
from assets.delivery.work import sweep, work_folder
from hub import sealing
from hub.errors import DeliveryRefused, KeyMissing, LedgerError, SourceError
from hub.events import AuditEvent, EventTag
from hub.keyring import Keyring
from hub.store.batches import Batch, BatchStatus
from hub.store.drop import Manifest, manifest_path
from hub.store.records import Records
from tests.assets.delivery.samples import Hub, text
from tests.factories import NOW

DATA = text().encode()
SHA256 = hashlib.sha256(DATA).hexdigest()


class Killed(BaseException):
    """The process is killed here."""


def dropped_files(hub: Hub) -> list[str]:
    """Return what is left in the drop folder."""
    return sorted(p.name for p in hub.settings.drop.rglob("*") if p.is_file())


def tags(hub: Hub) -> list[str]:
    """Return what the ledger was told."""
    return [event.tag.value for event in hub.events]


def test_a_file_lands_sealed_recorded_and_gone_from_the_drop_folder(hub: Hub) -> None:
    hub.drop("tenancy_2026-05.csv", DATA, rows=3)
    (landed,) = hub.land()
    batch = landed.batch
    assert (landed.is_new, landed.refusal) == (True, None)
    assert (batch.sha256, batch.size_bytes, batch.period) == (SHA256, len(DATA), "2026-05")
    assert batch.declared == {"rows": 3}
    assert dropped_files(hub) == []
    sealed = raw_path(hub.settings, SHA256)
    assert sealed.stat().st_mode & 0o077 == 0
    assert b"990106" not in sealed.read_bytes()
    assert hub.records.batch(batch.id).recorded_at == NOW
    assert [p.name for p in hub.settings.landing.iterdir()] == [sealed.name]


def test_the_ledger_is_told_what_landed_and_nothing_about_anybody(hub: Hub) -> None:
    batch = hub.landed("张三.csv", DATA)
    (event,) = hub.events
    assert event.tag is EventTag.PARTNER_BATCH_LANDED
    assert event.details == {
        "batch": batch.id,
        "partner": "housing",
        "dataset": "housing.tenancy",
        "period": "2026-05",
        "sha256": SHA256,
        "size_bytes": len(DATA),
        "attempt": 1,
    }


def test_the_raw_bytes_come_back_as_they_were(hub: Hub, tmp_path: Path) -> None:
    batch = hub.landed("a.csv", DATA)
    target = tmp_path / "clear"
    open_raw(batch, hub.settings, hub.keyring, target)
    assert target.read_bytes() == DATA
    assert target.stat().st_mode & 0o077 == 0


def test_the_same_file_again_is_recognised_and_not_told_twice(hub: Hub) -> None:
    first = hub.landed("a.csv", DATA)
    hub.drop("b.csv", DATA)
    (again,) = hub.land()
    assert (again.is_new, again.batch.id) == (False, first.id)
    assert tags(hub) == ["partner:batch:landed"]
    assert dropped_files(hub) == []


@pytest.mark.parametrize("number", ["990106199003071234", "19912345678"])
def test_a_file_that_was_put_there_under_a_persons_number_lands_without_it(
    hub: Hub, number: str
) -> None:
    hub.drop_bare(DATA, "housing", "housing.tenancy", f"tenancy_{number}.csv")
    (landed,) = hub.land()
    assert (landed.batch.file_name, landed.refusal) == ("tenancy_x.csv", None)
    assert number not in repr((hub.events, hub.records.batches()))
    assert dropped_files(hub) == []


def test_a_wrong_digest_is_refused_and_the_bytes_stay_in_landing(hub: Hub) -> None:
    path = hub.drop("a.csv", b"other")
    path.write_bytes(DATA)
    (landed,) = hub.land()
    assert landed.refusal is not None
    assert "digest" in landed.refusal.message
    assert landed.batch.status is BatchStatus.REFUSED
    assert landed.batch.reason == str(landed.refusal)
    assert tags(hub) == ["partner:batch:landed", "partner:batch:refused"]
    assert raw_path(hub.settings, SHA256).exists()
    assert dropped_files(hub) == []


def test_a_young_file_that_is_not_yet_what_its_manifest_promises_waits(hub: Hub) -> None:
    path = hub.drop("a.csv", DATA)
    path.write_bytes(DATA[:50])  # still being copied
    hub.settings = hub.settings.model_copy(update={"settle_seconds": 1e12})
    assert hub.land() == ()
    assert list(hub.settings.landing.iterdir()) == []
    path.write_bytes(DATA)
    assert hub.land()[0].refusal is None


def test_refused_bytes_with_a_mended_manifest_are_taken(hub: Hub) -> None:
    path = hub.drop("a.csv", DATA)
    manifest_path(path).write_bytes(Manifest("housing.tenancy", "housing", mode="append").to_json())
    (first,) = hub.land()
    assert first.refusal is not None
    assert "mode append, the contract says full" in first.refusal.message
    hub.drop("a.csv", DATA)
    (second,) = hub.land()
    assert (second.is_new, second.refusal) == (True, None)
    assert (second.batch.id, second.batch.attempt) == (first.batch.id, 2)
    assert tags(hub)[-1] == "partner:batch:landed"


@pytest.mark.parametrize(
    ("place", "said"),
    [
        (("water", "housing.tenancy"), "unknown partner"),
        (("housing", "housing.garage"), "unknown dataset"),
        (("张三", "李四"), "unknown partner"),
    ],
)
def test_an_unknown_place_is_refused_and_its_bytes_stay(
    hub: Hub, place: tuple[str, str], said: str
) -> None:
    hub.drop_bare(DATA, *place, "a.csv")
    (landed,) = hub.land()
    assert landed.batch.status is BatchStatus.REFUSED
    assert landed.refusal is not None
    assert said in landed.refusal.message
    assert "张三" not in str(hub.events)
    assert raw_path(hub.settings, SHA256).exists()
    assert dropped_files(hub) == []


def test_a_refusal_is_told_and_recorded_with_every_finding(hub: Hub) -> None:
    batch = hub.landed("a.csv", DATA)
    error = DeliveryRefused("a.csv: the columns", findings=("one", "two"))
    refused = refuse(batch, error, hub.records, NOW, hub.events.append)
    assert refused.reason == "a.csv: the columns\n  - one\n  - two"
    assert hub.events[-1].details["findings"] == ["one", "two"]


def test_a_file_that_changes_while_it_is_read_stays(
    hub: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = hub.drop_bare(DATA, "housing", "housing.tenancy", "a.csv")
    real = sealing.seal_stream

    def growing(*args: object) -> None:
        real(*args)  # type: ignore[arg-type]
        path.write_bytes(DATA * 2)

    monkeypatch.setattr("assets.delivery.landing.seal_stream", growing)
    assert hub.land() == ()
    assert dropped_files(hub) == ["a.csv"]


def test_a_new_file_under_the_same_name_is_not_removed(hub: Hub) -> None:
    path = hub.drop("a.csv", DATA)

    def replace_file(event: AuditEvent) -> None:
        hub.events.append(event)
        path.unlink()
        path.write_bytes(b"the next delivery")

    land_all(hub.settings, hub.contracts, hub.records, hub.keyring, NOW, replace_file)
    assert path.read_bytes() == b"the next delivery"


def test_a_file_that_is_gone_before_it_is_read_is_passed_over(
    hub: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = hub.drop("a.csv", DATA)
    found = scan(hub.settings, hub.contracts, NOW)
    monkeypatch.setattr("assets.delivery.landing.scan", lambda *_: found)
    path.unlink()
    path.symlink_to(hub.settings.keyring)
    assert hub.land() == ()


@pytest.mark.parametrize("moment", ["register_batch", "mark_recorded"])
@pytest.mark.parametrize("is_done", [False, True])
def test_a_killed_run_is_finished_by_the_next_one(
    hub: Hub, monkeypatch: pytest.MonkeyPatch, moment: str, *, is_done: bool
) -> None:
    hub.drop("a.csv", DATA)
    real = getattr(Records, moment)

    def kill(self: Records, *args: object) -> object:
        if is_done:
            real(self, *args)
        raise Killed

    monkeypatch.setattr(Records, moment, kill)
    with pytest.raises(Killed):
        hub.land()
    monkeypatch.undo()
    assert dropped_files(hub) == ["a.csv", "a.csv.manifest.json"]
    _finish(hub)


def test_a_run_killed_before_the_file_is_cleared_is_finished(
    hub: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    hub.drop("a.csv", DATA)

    def kill(*_: object) -> None:
        raise Killed

    monkeypatch.setattr("assets.delivery.landing._clear", kill)
    with pytest.raises(Killed):
        hub.land()
    monkeypatch.undo()
    landed = _finish(hub)
    assert not landed.is_new


def _finish(hub: Hub) -> Landed:
    """Run again and see that there is one batch, told at least once, and a clean folder."""
    (landed,) = hub.land()
    assert [b.status for b in hub.records.batches()] == [BatchStatus.LANDED]
    assert hub.records.batch(landed.batch.id).recorded_at == NOW
    assert set(tags(hub)) == {"partner:batch:landed"}
    assert dropped_files(hub) == []
    return landed


def test_a_run_killed_while_refusing_refuses_again(
    hub: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    hub.drop_bare(DATA, "water", "housing.tenancy", "a.csv")

    def kill(*_: object, **__: object) -> Batch:
        raise Killed

    monkeypatch.setattr(Records, "advance", kill)
    with pytest.raises(Killed):
        hub.land()
    monkeypatch.undo()
    (landed,) = hub.land()
    assert landed.batch.status is BatchStatus.REFUSED
    assert dropped_files(hub) == []


def test_without_a_ledger_nothing_leaves_the_drop_folder(hub: Hub) -> None:
    hub.drop("a.csv", DATA)

    def no_ledger(_: AuditEvent) -> None:
        raise LedgerError("the ledger is away")

    with pytest.raises(LedgerError):
        land_all(hub.settings, hub.contracts, hub.records, hub.keyring, NOW, no_ledger)
    assert dropped_files(hub) == ["a.csv", "a.csv.manifest.json"]
    _finish(hub)


def test_damaged_or_missing_bytes_in_landing_are_found(hub: Hub, tmp_path: Path) -> None:
    batch = hub.landed("a.csv", DATA)
    other = hub.landed("b.csv", DATA * 2)
    place = raw_path(hub.settings, batch.sha256)
    place.write_bytes(raw_path(hub.settings, other.sha256).read_bytes())
    with pytest.raises(SourceError, match="other bytes"):
        open_raw(batch, hub.settings, hub.keyring, tmp_path / "a")
    place.write_bytes(place.read_bytes()[:-1])
    with pytest.raises(SourceError, match="damaged"):
        open_raw(batch, hub.settings, hub.keyring, tmp_path / "b")
    place.unlink()
    with pytest.raises(SourceError, match="lacks the bytes"):
        open_raw(batch, hub.settings, hub.keyring, tmp_path / "c")


def test_a_key_that_is_missing_is_named(hub: Hub, tmp_path: Path) -> None:
    hub.keyring.rotate("landing")
    batch = hub.landed("a.csv", DATA)
    older = Keyring.create(tmp_path / "older.json")
    with pytest.raises(KeyMissing, match="'landing' version 2"):
        open_raw(batch, hub.settings, older, tmp_path / "a")


def test_a_full_disk_leaves_the_file_where_it_is(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    hub.drop("a.csv", DATA)
    monkeypatch.setattr("assets.delivery.landing._SPARE_BYTES", 1 << 62)
    with pytest.raises(SourceError, match="make room") as caught:
        hub.land()
    assert caught.value.retryable
    assert dropped_files(hub) == ["a.csv", "a.csv.manifest.json"]


def test_what_a_killed_run_has_left_is_swept(hub: Hub) -> None:
    batch = hub.landed("a.csv", DATA)
    with work_folder(hub.settings) as folder:
        assert folder.stat().st_mode & 0o077 == 0
        (folder / "rows").write_bytes(b"clear")
        (hub.settings.landing / ".123.part").write_bytes(b"half")
        assert sweep(hub.settings) == 2
        assert not folder.exists()
    assert raw_path(hub.settings, batch.sha256).exists()
    assert sweep(hub.settings) == 0


def test_half_written_deliveries_are_removed_after_a_day(hub: Hub) -> None:
    draft = hub.drop_bare(b"half", "housing", "housing.tenancy", f".{'a' * 32}.part")
    other = hub.drop_bare(b"not ours", "housing", "housing.tenancy", ".rsync.part")
    now = datetime.now(UTC)
    for later, is_left in ((timedelta(hours=1), True), (timedelta(hours=25), False)):
        at = now + later
        land_all(hub.settings, hub.contracts, hub.records, hub.keyring, at, hub.events.append)
        assert draft.exists() == is_left
    assert other.exists()
