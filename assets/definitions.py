"""The Dagster code location: one lane per dataset, then identity, publication and reports.

Everything is derived from the contracts: adding a contract file adds a lane, its schedule and its
freshness policy. A delivery runs in one process (see docs/design.md for why), and what the steps
do is in `assets.steps`; nothing here but their wiring.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import dagster as dg

from assets import steps
from assets.card_checks import card_checks
from assets.cards import evaluate_cards
from assets.lane import LANDING, Hub, checked_key, landing, lane, register_key, slug
from assets.ledger_audit import audit_job, audit_schedule
from assets.reconciliation.step import check_worklist
from assets.resources import hub_resource
from assets.runtime import Progress, Promises, Quiet
from assets.triggers import card_schedule, drop_sensor, schedule
from contracts.cards.life import Colour
from contracts.model import Contract
from hub.clock import Clock, SystemClock
from hub.config import Settings, load_settings

IDENTITY = dg.AssetKey(["identity", "map"])
SNAPSHOT = dg.AssetKey(["serving", "snapshot"])
CARDS = dg.AssetKey(["reports", "cards"])
WORKLIST = dg.AssetKey(["reports", "worklist"])


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
    audit = audit_job(settings, clock or SystemClock())
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
        jobs=[whole, daily, audit, *jobs.values()],
        schedules=[
            *(schedule(c, jobs[c.name]) for c in contracts if not c.is_retired),
            card_schedule(daily),
            audit_schedule(audit),
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
