"""One dataset's lane in Dagster: its checked batches, their verdict and trend, and its register.

What the steps do is in `assets.steps`; freshness follows from the contract's update cycle.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import dagster as dg

from assets import steps
from assets.runtime import Runtime
from assets.trend import trend_table
from assets.triggers import CYCLES
from contracts.accuracy.figures import Figures
from contracts.model import Contract
from hub.store.facts import read_facts

Hub = dg.ResourceParam[Runtime]
LANDING = dg.AssetKey(["delivery", "landing"])


def checked_key(dataset: str) -> dg.AssetKey:
    """Return the asset key of a dataset's checked batches."""
    return dg.AssetKey(["checked", *dataset.split(".")])


def register_key(dataset: str) -> dg.AssetKey:
    """Return the asset key of a dataset's register in the lake."""
    return dg.AssetKey(["register", *dataset.split(".")])


def slug(dataset: str) -> str:
    """Return a dataset's name as Dagster allows it in names of jobs and ops."""
    return dataset.replace(".", "__")


@dg.asset(key=LANDING, group_name="delivery", kinds={"file"})
def landing(hub: Hub) -> dg.MaterializeResult[None]:
    """Raw bytes of every delivery, sealed, with digest and partner."""
    arrived = steps.land(hub)
    return dg.MaterializeResult(metadata={"batches": len(arrived)})


def lane(contract: Contract) -> dg.AssetsDefinition:
    """Return the assets of one dataset: its checked batches and its register."""
    checked, register = checked_key(contract.name), register_key(contract.name)
    needed = {dataset for dataset, _ in contract.references} - {contract.name}
    deps = [LANDING, *(register_key(d) for d in sorted(needed))]
    _, stale_after = CYCLES[contract.dataset.update_cycle]
    fresh = None
    if not contract.is_retired:
        fresh = dg.FreshnessPolicy.time_window(fail_window=stale_after)

    @dg.multi_asset(
        name=f"lane__{slug(contract.name)}",
        specs=[
            dg.AssetSpec(
                checked,
                deps=deps,
                group_name=contract.owner,
                description=f"{contract.title}: batches checked against the contract.",
                kinds={"duckdb"},
            ),
            dg.AssetSpec(
                register,
                deps=[checked],
                group_name=contract.owner,
                description=f"{contract.title}: every version of every record, sealed.",
                kinds={"duckdb", "parquet"},
                freshness_policy=fresh,
            ),
        ],
        check_specs=[
            dg.AssetCheckSpec("contract", asset=checked, description="Above the publish bar?")
        ],
    )
    def run_lane(hub: Hub) -> Iterator[dg.MaterializeResult[None]]:
        yield from _lane_results(hub, contract.name)

    return run_lane


def _lane_results(run: Runtime, dataset: str) -> Iterator[dg.MaterializeResult[None]]:
    done = steps.check_and_load(run, dataset)
    verdicts = [item.verdict for item in done if item.verdict is not None]
    refused = sum(item.verdict is None for item in done)
    metadata: dict[str, Any] = {"batches": len(done), "refused": refused}
    if verdicts:
        last = verdicts[-1]
        metadata |= {
            "rows": last.rows,
            "quarantined": last.quarantined,
            "key accuracy": last.key_accuracy if last.key_accuracy is not None else "n/a",
            "accepted share": last.overall if last.overall is not None else "n/a",
            "failed rules": {r.spec.id: r.failing for r in last.results if r.failing},
        }
    passed = not refused and all(v.passed for v in verdicts)
    reason = "; ".join(v.reason for v in verdicts if not v.passed) or "nothing stopped"
    metadata["trend"] = _trend(run, dataset)
    stated = ("rows", "quarantined", "key accuracy", "accepted share", "trend")
    told = {
        "verdict": ("passed" if passed else "stopped or refused") if done else "nothing new",
        "reason": reason,
        **{name: metadata[name] for name in stated if name in metadata},
    }
    yield dg.MaterializeResult(
        asset_key=checked_key(dataset),
        metadata=metadata,
        check_results=[dg.AssetCheckResult(passed=passed, check_name="contract", metadata=told)],
    )
    loads = [item.loaded for item in done if item.loaded is not None]
    yield dg.MaterializeResult(
        asset_key=register_key(dataset),
        metadata={
            "added": sum(x.added for x in loads),
            "changed": sum(x.changed for x in loads),
            "ended": sum(x.closed for x in loads),
        },
    )


def _trend(run: Runtime, dataset: str) -> dg.MarkdownMetadataValue:
    found = Figures(read_facts(run.records))
    months = found.history(dataset=dataset) if dataset in found.datasets() else ()
    return dg.MetadataValue.md(trend_table(months))
