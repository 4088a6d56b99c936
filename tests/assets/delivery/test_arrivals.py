"""The drop folder as it is found: what is whole, what waits, what is not touched."""

from __future__ import annotations

import os
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from assets.delivery.arrivals import Scan, scan
from assets.delivery.limits import DEFAULT_LIMITS, Limits
from hub.store.drop import Manifest, manifest_path
from tests.assets.delivery.samples import Hub

PLACE = ("housing", "housing.tenancy")


def look(
    hub: Hub, *, settle: float = 0.0, later: float = 0.0, limits: Limits = DEFAULT_LIMITS
) -> Scan:
    """Scan the drop folder some seconds from now."""
    settings = hub.settings.model_copy(update={"settle_seconds": settle})
    return scan(settings, hub.contracts, datetime.now(UTC) + timedelta(seconds=later), limits)


def reason(hub: Hub) -> str:
    """Return why the only file is refused."""
    (dropped,) = look(hub).ready
    assert dropped.refusal is not None
    return str(dropped.refusal)


def test_an_empty_or_missing_folder_has_nothing(hub: Hub) -> None:
    assert look(hub) == Scan()
    (hub.settings.drop / "housing" / "housing.tenancy").mkdir(parents=True)
    assert look(hub) == Scan()


def test_a_file_with_manifest_is_whole_at_once(hub: Hub) -> None:
    hub.drop("a.csv", b"x")
    (dropped,) = look(hub, settle=60).ready
    assert (dropped.partner, dropped.dataset, dropped.refusal) == (*PLACE, None)
    assert dropped.manifest is not None
    assert dropped.manifest.period == "2026-05"
    assert not dropped.settled


def test_a_file_without_manifest_waits_until_it_has_settled(hub: Hub) -> None:
    path = hub.drop_bare(b"x", *PLACE, "a.csv")
    os.utime(path, (0, 0))  # a copying tool may set the old time; that is not arrival
    assert look(hub, settle=60).waiting == 1
    assert look(hub, settle=60, later=61).ready[0].path == path


def test_files_come_oldest_first(hub: Hub) -> None:
    for age, name in enumerate(("new.csv", "mid.csv", "old.csv")):
        path = hub.drop_bare(b"x", *PLACE, name)
        os.utime(path, (1000 - age, 1000 - age))
    assert [d.path.name for d in look(hub).ready] == ["old.csv", "mid.csv", "new.csv"]


def test_dot_files_and_manifests_alone_are_not_seen(hub: Hub) -> None:
    hub.drop_bare(b"x", *PLACE, ".a.csv.part")
    hub.drop_bare(b"x", *PLACE, "a.csv.manifest.json")
    hub.drop_bare(b"x", "housing", ".partial", "a.csv")
    assert look(hub) == Scan()


def test_an_unknown_partner_is_told_which_exist(hub: Hub) -> None:
    hub.drop_bare(b"x", "water", "housing.tenancy", "a.csv")
    assert "unknown partner; existing: housing, market" in reason(hub)


def test_an_unknown_dataset_is_told_which_exist(hub: Hub) -> None:
    hub.drop_bare(b"x", "housing", "housing.garage", "a.csv")
    assert (
        "unknown dataset of partner housing; existing: housing.dwelling, housing.tenancy"
        in reason(hub)
    )


def test_a_retired_dataset_takes_no_deliveries(hub: Hub) -> None:
    hub.contracts = tuple(replace(contract, status="retired") for contract in hub.contracts)
    hub.drop_bare(b"x", "housing", "housing.tenancy", "a.csv")
    assert "housing.tenancy 已停用" in reason(hub)


def test_a_dataset_of_another_partner_is_unknown(hub: Hub) -> None:
    contracts = (*hub.contracts[:1],)
    hub.contracts = contracts
    hub.drop_bare(b"x", "market", "housing.dwelling", "a.csv")
    assert "unknown dataset of partner market; existing: housing.tenancy" in reason(hub)


def test_a_folder_name_that_is_no_code_is_not_repeated(hub: Hub) -> None:
    hub.drop_bare(b"x", "张三的文件", "990106199003071234", "a.csv")
    (dropped,) = look(hub).ready
    assert (dropped.partner, dropped.dataset) == ("unrecognised", "unrecognised")
    assert "张三" not in reason(hub)


def test_a_folder_name_that_holds_a_number_is_not_repeated(hub: Hub) -> None:
    hub.drop_bare(b"x", "p19912345678", "housing.n990106199003071234", "a.csv")
    (dropped,) = look(hub).ready
    assert (dropped.partner, dropped.dataset) == ("unrecognised", "unrecognised")


def test_a_manifest_that_names_another_place_is_refused(hub: Hub) -> None:
    path = hub.drop_bare(b"x", *PLACE, "a.csv")
    manifest_path(path).write_bytes(Manifest("housing.dwelling", "housing").to_json())
    assert "another partner or dataset" in reason(hub)


def test_a_manifest_that_cannot_be_read_waits_then_is_refused(hub: Hub) -> None:
    path = hub.drop_bare(b"x", *PLACE, "a.csv")
    manifest_path(path).write_bytes(b'{"dataset": "hou')
    assert look(hub, settle=60).waiting == 1
    assert "not JSON" in reason(hub)


def test_a_manifest_that_is_a_link_or_huge_is_not_read(hub: Hub, tmp_path: Path) -> None:
    path = hub.drop_bare(b"x", *PLACE, "a.csv")
    manifest_path(path).symlink_to(tmp_path)
    assert "not a plain small file" in reason(hub)
    manifest_path(path).unlink()
    manifest_path(path).write_bytes(b" " * 100_000)
    assert "not a plain small file" in reason(hub)


def test_links_pipes_and_deeper_folders_are_not_touched(hub: Hub, tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_bytes(b"x")
    folder = hub.drop_bare(b"x", *PLACE, "deep", "a.csv").parent.parent
    (folder / "link.csv").symlink_to(secret)
    (folder / "broken.csv").symlink_to(tmp_path / "nowhere")
    (folder.parent / "linked").symlink_to(tmp_path, target_is_directory=True)
    os.mkfifo(folder / "pipe.csv")
    found = look(hub)
    assert found.ready == ()
    assert {item.path.name for item in found.unfit} == {
        "deep", "link.csv", "broken.csv", "linked", "pipe.csv",
    }  # fmt: skip
    assert hub.land() == ()
    assert (folder / "link.csv").is_symlink()


def test_files_outside_a_dataset_folder_are_told_where_to_go(hub: Hub) -> None:
    hub.drop_bare(b"x", "a.csv")
    hub.drop_bare(b"x", "housing", "b.csv")
    found = look(hub)
    assert [item.path.name for item in found.unfit] == ["a.csv", "b.csv"]
    assert all("drop/PARTNER/DATASET" in item.reason for item in found.unfit)


def test_a_huge_file_is_not_read(hub: Hub) -> None:
    hub.drop_bare(b"x" * 101, *PLACE, "a.csv")
    (item,) = look(hub, limits=Limits(file_bytes=100)).unfit
    assert "deliver it in parts" in item.reason
