"""Real published police records, onboarded with nothing but a contract file."""

from __future__ import annotations

import csv
import shutil
from collections import Counter
from pathlib import Path

import httpx
import pytest

from api.server import serving
from hub.store.drop import deliver
from hub.store.records import BatchStatus
from tests.journeys.conftest import batches, free_port, headers, new_hub, run

REAL = Path(__file__).parents[3] / "shared" / "data" / "real"
FILES = sorted(REAL.glob("*-street.csv"))
CONTRACT = Path(__file__).with_name("street_crime.yaml")

pytestmark = [
    pytest.mark.journey,
    pytest.mark.xdist_group("real"),
    pytest.mark.skipif(not FILES, reason="the published police records are not beside this folder"),
]


def test_real_records_take_the_whole_road(tmp_path: Path) -> None:
    settings = new_hub(tmp_path / "hub")
    (folder,) = settings.contract_folders
    shutil.copyfile(CONTRACT, folder / CONTRACT.name)
    for path in FILES:
        deliver(
            path, name=path.name, partner="police", dataset="police.street_crime", settings=settings
        )
    run(settings)
    found = batches(settings, "police.street_crime")
    assert [b.status for b in found] == [BatchStatus.PUBLISHED] * len(FILES)
    with serving(settings, free_port()) as base, httpx.Client(base_url=base) as web:
        reply = web.get(
            "/v1/statistics",
            params={"dataset": "police.street_crime", "by": "month,crime_type"},
            headers=headers(web, "analyst"),
        )
    assert reply.status_code == 200, reply.text
    counted = {(row[0], row[1]): row[2] for row in reply.json()["rows"] if row[2] is not None}
    expected: Counter[tuple[str, str]] = Counter()
    for path in FILES:
        with path.open(newline="") as file:
            expected.update((r["Month"], r["Crime type"]) for r in csv.DictReader(file))
    assert counted
    base = reply.json()["rounded_to"]
    assert all(n % base == 0 and abs(n - expected[cell]) < base for cell, n in counted.items())
    assert any(n != expected[cell] for cell, n in counted.items())
    hidden = [n for cell, n in expected.items() if cell not in counted]
    assert all(n < 5 for n in hidden) or len(hidden) < len(expected) / 2
