"""When runs start: each dataset by its contract's update cycle, cards daily, files as they arrive.

Days and hours are those of `TIMEZONE`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import timedelta

import dagster as dg

from assets.delivery.arrivals import scan
from assets.runtime import Promises
from contracts.model import Contract
from hub.clock import SystemClock
from hub.config import Settings
from hub.errors import ContractError

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
CARDS_CRON = "30 0 * * *"  # a day is over in TIMEZONE: what fell due by it is known


def schedule(contract: Contract, job: dg.UnresolvedAssetJobDefinition) -> dg.ScheduleDefinition:
    """Return the schedule of a dataset: its contract's update cycle."""
    cycle = contract.dataset.update_cycle
    cron, _ = CYCLES[cycle]
    return dg.ScheduleDefinition(
        name=f"{cycle}__{contract.name.replace('.', '__')}",
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
