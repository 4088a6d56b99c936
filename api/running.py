"""Running a delivery by hand: the Dagster job in this process, watched."""

from __future__ import annotations

import logging
import os
from dataclasses import dataclass

import dagster as dg

from api.console import Watch
from assets.definitions import build_definitions
from hub.clock import Clock
from hub.config import Settings
from hub.errors import HubError, SourceError

_INSTANCE = """# Dagster's own settings for this hub.
telemetry:
  enabled: false
nux:
  enabled: false
concurrency:
  runs:
    max_concurrent_runs: 1
python_logs:
  python_log_level: WARNING
"""


@dataclass(frozen=True, slots=True)
class RunReport:
    """What one run did: Dagster's run id and the steps as they were told."""

    run_id: str
    steps: tuple[dict[str, object], ...]


def prepare_instance(settings: Settings) -> None:
    """Make the folder and settings that Dagster keeps its runs under, and name it to Dagster."""
    settings.dagster_home.mkdir(mode=0o700, parents=True, exist_ok=True)
    file = settings.dagster_home / "dagster.yaml"
    if not file.exists():
        file.write_text(_INSTANCE)
    os.environ["DAGSTER_HOME"] = str(settings.dagster_home.absolute())


def run_delivery(settings: Settings, clock: Clock, watch: Watch) -> RunReport:
    """Take everything that waits in the drop folder down the whole road.

    Raises:
        HubError: whatever stopped the run; the next run goes on from there.
    """
    prepare_instance(settings)
    logging.getLogger("dagster").setLevel(logging.ERROR)
    definitions = build_definitions(settings, clock, watch)
    with dg.DagsterInstance.get() as instance:
        try:
            result = definitions.resolve_job_def("deliver").execute_in_process(
                instance=instance,
                run_config={"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}},
            )
        except HubError:
            raise
        except dg.DagsterError as exc:
            raise _cause(exc) from exc
    return RunReport(result.run_id, tuple(watch.steps))


def _cause(error: BaseException) -> HubError:
    """Return the hub's own error inside a Dagster error."""
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, HubError):
            return cause
        cause = cause.__cause__ or cause.__context__
    return SourceError(f"the run failed in Dagster ({type(error).__name__}); see `hub up`")
