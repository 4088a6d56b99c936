"""The Dagster code location: one lane per dataset, then identity, publication and reports.

Everything is derived from the contracts: adding a contract file adds a lane, its schedule and its
freshness policy. A delivery runs in one process (see docs/design.md for why), and what the steps
do is in `assets.steps`; nothing here but their wiring.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from datetime import timedelta
from typing import Any

import dagster as dg

from assets import steps
from assets.card_checks import card_checks
from assets.cards import evaluate_cards
from assets.delivery.arrivals import scan
from assets.reconciliation.step import check_worklist
from assets.resources import hub_resource
from assets.runtime import Progress, Promises, Quiet, Runtime
from assets.trend import trend_table
from contracts.accuracy.figures import Figures
from contracts.cards.life import Colour
from contracts.model import Contract
from hub.clock import Clock, SystemClock
from hub.config import Settings, load_settings
from hub.errors import ContractError
from hub.store.facts import read_facts

#: update cycle -> (cron of the schedule, time after which the dataset counts as stale)
CYCLES = {
    "realtime": ("*/5 * * * *", timedelta(hours=1)),
    "daily": ("0 2 * * *", timedelta(days=2)),
    "weekly": ("0 3 * * 1", timedelta(days=9)),
    "monthly": ("0 4 1 * *", timedelta(days=38)),
    "quarterly": ("0 4 1 1,4,7,10 *", timedelta(days=110)),
    "yearly": ("0 4 1 1 *", timedelta(days=400)),
}
TIMEZONE = "Asia/Shanghai"
Hub = dg.ResourceParam[Runtime]
LANDING = dg.AssetKey(["delivery", "landing"])
IDENTITY = dg.AssetKey(["identity", "map"])
SNAPSHOT = dg.AssetKey(["serving", "snapshot"])
CARDS = dg.AssetKey(["reports", "cards"])
CARDS_CRON = "30 0 * * *"  # a day is over in TIMEZONE: what fell due by it is known
WORKLIST = dg.AssetKey(["reports", "worklist"])


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


def identity_asset(contracts: Sequence[Contract]) -> dg.AssetsDefinition:
    """Return the identity map, which stands on every register."""

    @dg.asset(
        key=IDENTITY,
        deps=[register_key(c.name) for c in contracts],
        group_name="identity",
        kinds={"duckdb"},
    )
    def identity_map(hub: Hub) -> dg.MaterializeResult[None]:
        """Identifier keys and the subject keys that they stand for."""
        found = steps.resolve_identities(hub)
        return dg.MaterializeResult(metadata={"known": found.known, "new": found.new})

    return identity_map


@dg.multi_asset(
    specs=[
        dg.AssetSpec(dg.AssetKey(["integrated", "person"]), deps=[IDENTITY], group_name="serving"),
        dg.AssetSpec(
            dg.AssetKey(["integrated", "conflict"]), deps=[IDENTITY], group_name="serving"
        ),
        dg.AssetSpec(SNAPSHOT, deps=[IDENTITY], group_name="serving", kinds={"sqlite", "duckdb"}),
    ],
)
def publication(hub: Hub) -> Iterator[dg.MaterializeResult[None]]:
    """Integrated persons, conflicts between departments, and the snapshot in service."""
    published = steps.publish_loaded(hub)
    subjects = published.subjects if published else "unchanged"
    conflicts = dict(published.conflicts) if published else {}
    yield dg.MaterializeResult(
        asset_key=dg.AssetKey(["integrated", "person"]), metadata={"subjects": subjects}
    )
    yield dg.MaterializeResult(
        asset_key=dg.AssetKey(["integrated", "conflict"]), metadata={"conflicts": conflicts}
    )
    yield dg.MaterializeResult(
        asset_key=SNAPSHOT,
        metadata={"version": published.version if published else "unchanged"},
    )


@dg.asset(key=CARDS, deps=[SNAPSHOT], group_name="reports")
def cards(hub: Hub) -> dg.MaterializeResult[None]:
    """Quality cards that follow from what is recorded, each step of them in the ledger."""
    done = evaluate_cards(hub)
    standing = [card for card in done.cards if card.is_open]
    red = sum(card.colour is Colour.RED for card in standing)
    return dg.MaterializeResult(
        metadata={"open": len(standing), "red": red, "steps told": done.told}
    )


def card_job(checks: dg.AssetChecksDefinition) -> dg.UnresolvedAssetJobDefinition:
    """Return the job that finds what has fallen due, even when nothing is delivered."""
    return dg.define_asset_job(
        "cards",
        selection=dg.AssetSelection.assets(CARDS) | dg.AssetSelection.checks(checks),
        executor_def=dg.in_process_executor,
        description="quality cards: what is overdue, escalates, expires or closes",
        tags={"mingjing/run": "cards"},
    )


@dg.asset(key=WORKLIST, deps=[SNAPSHOT], group_name="reports", kinds={"sqlite"})
def worklist(hub: Hub) -> dg.MaterializeResult[None]:
    """The departments' worklist, checked against the conflicts of the last publication."""
    checked = check_worklist(hub)
    if checked is None:
        return dg.MaterializeResult(metadata={"conflicts": "unchanged"})
    return dg.MaterializeResult(
        metadata={
            "conflicts": checked.standing,
            "new": checked.appeared,
            "resolved": checked.resolved,
            "reopened": checked.reopened,
        }
    )


@dg.asset(
    key=dg.AssetKey(["reports", "data_docs"]),
    deps=[SNAPSHOT],
    group_name="reports",
    kinds={"greatexpectations"},
)
def data_docs(hub: Hub) -> dg.MaterializeResult[None]:
    """Great Expectations suites, results and Data Docs of the latest verdicts."""
    docs = steps.write_reports(hub)
    if docs is None:
        return dg.MaterializeResult(metadata={"index": "unchanged"})
    return dg.MaterializeResult(metadata={"index": dg.MetadataValue.path(str(docs))})


def deliver_job(contracts: Sequence[Contract]) -> dg.UnresolvedAssetJobDefinition:
    """Return the job that takes everything waiting down the whole road."""
    return dg.define_asset_job(
        "deliver",
        selection=dg.AssetSelection.all(),
        executor_def=dg.in_process_executor,
        description=f"land, check, seal, load, resolve, publish, cards, report: {len(contracts)} datasets",
        tags={"mingjing/run": "delivery"},
    )


def dataset_job(contract: Contract) -> dg.UnresolvedAssetJobDefinition:
    """Return the job of one dataset: its lane and what stands on every lane."""
    name = contract.name
    selection = dg.AssetSelection.assets(
        LANDING,
        checked_key(name),
        register_key(name),
        IDENTITY,
        SNAPSHOT,
        dg.AssetKey(["integrated", "person"]),
        dg.AssetKey(["integrated", "conflict"]),
        CARDS,
        WORKLIST,
        dg.AssetKey(["reports", "data_docs"]),
    )
    return dg.define_asset_job(
        f"deliver__{slug(name)}",
        selection=selection,
        executor_def=dg.in_process_executor,
        description=f"{contract.title}: what is waiting for this dataset",
        tags={"mingjing/run": "delivery"},
    )


def schedule(contract: Contract, job: dg.UnresolvedAssetJobDefinition) -> dg.ScheduleDefinition:
    """Return the schedule of a dataset: its contract's update cycle."""
    cycle = contract.dataset.update_cycle
    cron, _ = CYCLES[cycle]
    return dg.ScheduleDefinition(
        name=f"{cycle}__{slug(contract.name)}",
        job=job,
        cron_schedule=cron,
        execution_timezone=TIMEZONE,
        default_status=dg.DefaultScheduleStatus.RUNNING,
    )


def card_schedule(job: dg.UnresolvedAssetJobDefinition) -> dg.ScheduleDefinition:
    """Return the schedule that looks at the cards once a day."""
    return dg.ScheduleDefinition(
        name="daily__cards",
        job=job,
        cron_schedule=CARDS_CRON,
        execution_timezone=TIMEZONE,
        default_status=dg.DefaultScheduleStatus.RUNNING,
    )


def drop_sensor(
    settings: Settings, contracts: Sequence[Contract], job: dg.UnresolvedAssetJobDefinition
) -> dg.SensorDefinition:
    """Return the sensor that starts a run when whole files lie in the drop folder."""

    @dg.sensor(
        name="drop_folder",
        job=job,
        minimum_interval_seconds=15,
        default_status=dg.DefaultSensorStatus.RUNNING,
    )
    def drop_folder(_: dg.SensorEvaluationContext) -> dg.RunRequest | dg.SkipReason:
        """Ask for a run when something whole has arrived."""
        found = scan(settings, contracts, SystemClock().now())
        if not found.ready and not found.unfit:
            return dg.SkipReason(
                f"nothing whole in the drop folder; {found.waiting} still arriving"
            )
        if (refused := _refusal(settings)) is not None:
            return dg.SkipReason(f"deliveries wait: {refused}")
        marks = sorted(
            f"{path}:{path.stat().st_mtime_ns}"
            for path in (*(d.path for d in found.ready), *(u.path for u in found.unfit))
            if path.exists()
        )
        return dg.RunRequest(run_key=hashlib.sha256("\n".join(marks).encode()).hexdigest())

    return drop_folder


def _refusal(settings: Settings) -> ContractError | None:
    """Return why no run may start with the contracts as they lie in their folders now.

    A run reads them anew, and would end with the same words; waiting costs no attempt.
    """
    try:
        Promises.of(settings)
    except ContractError as refused:
        return refused
    return None


def build_definitions(
    settings: Settings,
    clock: Clock | None = None,
    progress: Progress | None = None,
    promises: Promises | None = None,
) -> dg.Definitions:
    """Return the code location of one hub.

    Args:
        promises: the contracts when they have been loaded already.

    Raises:
        ContractError: when a contract is not valid, or has changed more than its version says,
            with every finding.
    """
    promises = promises or Promises.of(settings)
    contracts = promises.contracts
    whole = deliver_job(contracts)
    checks = card_checks({checked_key(c.name): c.name for c in contracts}, CARDS)
    daily = card_job(checks)
    jobs = {c.name: dataset_job(c) for c in contracts}
    return dg.Definitions(
        assets=[
            landing,
            *(lane(c) for c in contracts),
            identity_asset(contracts),
            publication,
            cards,
            worklist,
            data_docs,
        ],
        asset_checks=[checks],
        jobs=[whole, daily, *jobs.values()],
        schedules=[
            *(schedule(c, jobs[c.name]) for c in contracts if not c.is_retired),
            card_schedule(daily),
        ],
        sensors=[drop_sensor(settings, contracts, whole)],
        resources={
            "hub": hub_resource(settings, clock or SystemClock(), progress or Quiet(), promises)
        },
        executor=dg.in_process_executor,
    )


@dg.definitions
def defs() -> dg.Definitions:
    """Return the code location of the hub that the environment names.

    It loads with the contracts in force even when changes to them are refused: the sensor then
    says why deliveries wait, and a run that is started all the same ends with that refusal.
    """
    settings = load_settings()
    return build_definitions(settings, promises=Promises.in_force(settings))
