"""The daily verification of the ledger: what came since it was last found intact.

It stands apart from deliveries: it takes no run lock, and a run that waits holds it up as little as
it holds up a run.
"""

from __future__ import annotations

import dagster as dg

from assets.triggers import TIMEZONE
from hub.clock import Clock
from hub.config import Settings
from hub.errors import TamperDetected
from hub.keyring import Keyring
from hub.ledger.composition import inspector_of, open_ledger
from hub.ledger.inspection import Inspection
from hub.ledger.writer import Entry

CRON = "15 1 * * *"
BY = "schedule"


def audit_ledger(settings: Settings, clock: Clock) -> Inspection:
    """Verify what came since the ledger was last found intact, and record that.

    Raises:
        LedgerError: when it cannot be read or takes no entry.
    """
    keyring = Keyring.open(settings.keyring, settings.passphrase)
    with open_ledger(settings, keyring, clock) as ledger:
        found = inspector_of(settings, ledger, clock).since(None)
        if found.intact:  # one that was tampered with takes no entry: the run fails and says so
            ledger.append([Entry.of(found.event(BY, clock.now()))])
    return found


def audit_job(settings: Settings, clock: Clock) -> dg.JobDefinition:
    """Return the job that verifies what came since; it fails when something is wrong."""

    @dg.op(description="entries, public files and index since the ledger was last found intact")
    def audit() -> None:
        found = audit_ledger(settings, clock)
        if not found.intact:
            raise TamperDetected(
                f"{found.total} findings: run `hub ledger verify`",
                findings=tuple(map(str, found.findings)),
            )

    @dg.job(
        name="ledger_audit",
        executor_def=dg.in_process_executor,
        description="the ledger, verified daily: what came since the last time",
        tags={"mingjing/run": "ledger"},
    )
    def ledger_audit() -> None:
        audit()

    return ledger_audit


def audit_schedule(job: dg.JobDefinition) -> dg.ScheduleDefinition:
    """Return the schedule that verifies the ledger once a day."""
    return dg.ScheduleDefinition(
        name="daily__ledger_audit",
        job=job,
        cron_schedule=CRON,
        execution_timezone=TIMEZONE,
        default_status=dg.DefaultScheduleStatus.RUNNING,
    )
