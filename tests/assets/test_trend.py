"""What Dagster shows of a dataset: verdict and rates on its check, the trend, its freshness policy."""

from __future__ import annotations

import doctest
from datetime import timedelta
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from api.setup import make_hub
from assets import trend
from assets.definitions import build_definitions
from assets.lane import checked_key, register_key
from assets.trend import trend_table
from assets.triggers import CYCLES
from contracts.accuracy.figures import Figures
from hub.clock import SystemClock
from hub.config import Settings
from hub.store.drop import deliver
from hub.store.facts import QualityFacts
from tests.contracts.accuracy.quality_facts import batch, facts
from tests.contracts.small import contract_text, write_contract
from tests.factories import settings_in

THING = "test.thing"
CODE = "- {name: code, logicalType: string, classification: L1, criticalDataElement: true, required: true}\n"


def test_the_examples_hold() -> None:
    assert doctest.testmod(trend).failed == 0


def test_the_table_says_where_the_accuracy_goes() -> None:
    found: QualityFacts = facts(
        batch("B1", period="2025-11", month="2025-11", key_failing=3, accuracy_failing=3),
        batch("B2", period="2025-12", month="2025-12", key_failing=1, accuracy_failing=1),
        batch("B3", period="2026-01", month="2026-01", key_failing=2, accuracy_failing=2),
    )
    lines = trend_table(Figures(found).history(dataset="housing.tenancy")).splitlines()
    assert lines[0] == "`▁█▄`"
    rows = [[cell.strip() for cell in line.split("|")[1:5]] for line in lines[4:]]
    assert rows == [
        ["2026-01", "100", "98.00 %", "↓"],
        ["2025-12", "100", "99.00 %", "↑"],
        ["2025-11", "100", "97.00 %", ""],
    ]


def test_without_a_delivery_there_is_no_trend() -> None:
    assert "nothing delivered" in trend_table(())


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    settings = settings_in(tmp_path / "home")
    make_hub(settings)
    write_contract(settings.contract_folders[0], contract_text(CODE), f"{THING}.yaml")
    return settings


def send(settings: Settings, period: str, bad: int) -> None:
    file = settings.home / f"{period}.csv"
    lines = [f"{period}-{n},{'' if n < bad else 'x'}" for n in range(100)]
    file.write_text("thing_id,code\n" + "\n".join(lines) + "\n")
    deliver(
        file, name=file.name, partner="housing", dataset=THING, settings=settings, period=period
    )


def run(settings: Settings, instance: dg.DagsterInstance) -> dg.AssetCheckEvaluation:
    """Run the dataset's job and return what its contract check says."""
    job = build_definitions(settings, SystemClock()).resolve_job_def("deliver__test__thing")
    result = job.execute_in_process(instance=instance)
    (check,) = [
        e
        for e in result.get_asset_check_evaluations()
        if e.asset_key == checked_key(THING) and e.check_name == "contract"
    ]
    return check


def told(check: dg.AssetCheckEvaluation) -> dict[str, Any]:
    return {name: value.value for name, value in check.metadata.items()}


def test_the_check_carries_verdict_rates_and_trend(settings: Settings) -> None:
    with dg.DagsterInstance.ephemeral() as instance:
        send(settings, "2026-05", bad=1)
        good = run(settings, instance)
        assert good.passed
        said = told(good)
        assert (said["verdict"], said["rows"], said["quarantined"]) == ("passed", 100, 1)
        assert (said["key accuracy"], said["accepted share"]) == (0.99, 0.99)
        assert isinstance(good.metadata["trend"], dg.MarkdownMetadataValue)
        assert "| 2026-05 | 100 | 99.00 % |" in said["trend"]

        send(settings, "2026-06", bad=40)
        stopped = run(settings, instance)
        assert not stopped.passed
        said = told(stopped)
        assert said["verdict"] == "stopped or refused"
        assert said["key accuracy"] == 0.6
        assert "97 %" in said["reason"]
        shown = instance.get_latest_materialization_event(checked_key(THING))
        assert shown is not None
        assert shown.asset_materialization is not None
        assert "2026-05" in str(shown.asset_materialization.metadata["trend"].value)

        quiet = run(settings, instance)
        assert quiet.passed
        assert told(quiet)["verdict"] == "nothing new"


def test_every_register_has_the_freshness_policy_of_its_cycle(settings: Settings) -> None:
    definitions = build_definitions(settings)
    specs = {spec.key: spec for spec in definitions.resolve_all_asset_specs()}
    for dataset, cycle in ((THING, "monthly"), ("housing.tenancy", "monthly")):
        policy = specs[register_key(dataset)].freshness_policy
        assert policy == dg.FreshnessPolicy.time_window(fail_window=CYCLES[cycle][1])
    assert CYCLES["monthly"][1] == timedelta(days=38)
    write_contract(
        settings.contract_folders[0],
        contract_text(CODE).replace("status: active", "status: retired"),
        f"{THING}.yaml",
    )
    retired = build_definitions(settings)
    assert {s.key: s for s in retired.resolve_all_asset_specs()}[
        register_key(THING)
    ].freshness_policy is None
