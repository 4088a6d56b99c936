"""A contract that changes while a hub is in service: what is taken, what waits, what stays."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import dagster as dg
import httpx
import pytest

from api.server import environment, serving
from assets.definitions import build_definitions, defs
from hub.clock import SystemClock
from hub.config import Settings
from hub.errors import ContractError
from hub.keyring import Keyring
from hub.ledger.composition import open_ledger
from hub.store.contract_versions import ContractVersions
from hub.store.drop import deliver
from hub.store.records import BatchStatus, Records
from tests.contracts.small import contract_text, write_contract
from tests.journeys.conftest import batches, free_port, hub_command, new_hub, run

pytestmark = pytest.mark.journey
DATASET = "test.thing"
COLOUR = "- {name: colour, businessName: 颜色, logicalType: string, classification: L1}\n"


def put(settings: Settings, version: str, columns: str) -> None:
    """Write the contract of this version into the hub's folder."""
    text = contract_text(columns).replace("version: 1.0.0", f"version: {version}")
    write_contract(settings.contract_folders[0], text, f"{DATASET}.yaml")


def send(settings: Settings, folder: Path, name: str, text: str) -> None:
    """Put a file into the drop folder."""
    path = folder / name
    path.write_text(text, encoding="utf-8")
    deliver(path, name=name, partner="housing", dataset=DATASET, settings=settings)


def adopted(settings: Settings) -> list[str]:
    """Return the versions used, newest first."""
    with Records.open(settings) as records:
        return [v.version for v in ContractVersions(records).history(DATASET)]


def ledger_events(settings: Settings, tag: str) -> list[dict[str, Any]]:
    """Return the events of a kind, in order."""
    keyring = Keyring.open(settings.keyring, settings.passphrase)
    with open_ledger(settings, keyring, SystemClock()) as ledger:
        entries = ledger.entries(0, ledger.size)
        return [dict(e.body) for e in entries if e.event == tag and e.body is not None]


def test_a_breaking_change_waits_for_its_version_and_data_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = new_hub(tmp_path / "hub")
    put(settings, "1.0.0", COLOUR)
    assert adopted(settings) == []
    send(settings, tmp_path, "first.csv", "thing_id,颜色\na,red\nb,blue\n")
    run(settings)
    assert adopted(settings) == ["1.0.0"]
    (event,) = ledger_events(settings, "hub:contract:adopted")
    assert (event["dataset"], event["version"], event["previous"]) == (DATASET, "1.0.0", None)

    put(settings, "1.1.0", "")  # the column is gone, the major version is not new
    send(settings, tmp_path, "second.csv", "thing_id\na\n")
    with pytest.raises(ContractError) as refused:
        build_definitions(settings)
    assert "colour" in str(refused.value)
    assert "2.0.0" in str(refused.value)
    done = hub_command(settings, "run")
    assert done.returncode == 65, done.stderr
    assert "colour" in done.stderr
    assert "Traceback" not in done.stderr
    assert [b.status for b in batches(settings, DATASET)] == [BatchStatus.PUBLISHED]
    listed = hub_command(settings, "contract", "lint", "--json")
    assert listed.returncode == 65
    assert any("2.0.0" in f["message"] for f in json.loads(listed.stdout)["findings"])

    for name, value in environment(settings).items():
        monkeypatch.setenv(name, value)
    location = defs()
    sensor = location.resolve_sensor_def("drop_folder")
    with dg.DagsterInstance.ephemeral() as instance, dg.build_sensor_context(instance) as context:
        skipped = sensor(context)
    assert isinstance(skipped, dg.SkipReason)
    assert "colour" in str(skipped.skip_message)

    with serving(settings, free_port()) as base:
        datasets = httpx.get(f"{base}/v1/public/datasets").json()
    found = json.dumps(datasets, ensure_ascii=False)
    assert "1.0.0" in found
    assert "1.1.0" not in found

    put(settings, "2.0.0", "")
    assert hub_command(settings, "contract", "diff", DATASET).returncode == 0
    run(settings)
    assert adopted(settings) == ["2.0.0", "1.0.0"]
    assert {b.status for b in batches(settings, DATASET)} == {BatchStatus.PUBLISHED}

    file = settings.contract_folders[0] / f"{DATASET}.yaml"
    text = file.read_text(encoding="utf-8")
    file.unlink()  # data was loaded under it: it cannot just be gone
    done = hub_command(settings, "run")
    assert done.returncode == 65, done.stderr
    assert "status: retired" in done.stderr
    write_contract(
        file.parent,
        text.replace("version: 2.0.0", "version: 2.0.1").replace("active", "retired"),
        file.name,
    )
    send(settings, tmp_path, "third.csv", "thing_id\nb\n")
    run(settings)
    assert sorted(b.status for b in batches(settings, DATASET)) == sorted(
        [BatchStatus.PUBLISHED, BatchStatus.PUBLISHED, BatchStatus.REFUSED]
    )
    location = build_definitions(settings)
    named = {schedule.name for schedule in location.schedules or ()}
    assert "monthly__housing__tenancy" in named
    assert not any("thing" in name for name in named)
