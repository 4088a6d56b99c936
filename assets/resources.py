"""The hub as a Dagster resource: opened once per run, closed whatever happens."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import dagster as dg
from pydantic import PrivateAttr

from assets.runtime import Progress, Quiet, Runtime, open_runtime
from hub.clock import Clock, SystemClock
from hub.config import load_settings
from hub.errors import ConfigError


class HubResource(dg.ConfigurableResource):  # type: ignore[type-arg]
    """Gives every step of a run the same open `Runtime`.

    Args:
        home: folder of the hub; other settings come from the environment.
    """

    home: str
    _progress: Progress = PrivateAttr(default_factory=Quiet)
    _clock: Clock = PrivateAttr(default_factory=SystemClock)
    _run: Runtime | None = PrivateAttr(default=None)

    def watched_by(self, progress: Progress, clock: Clock) -> HubResource:
        """Return this resource with somebody to tell and a clock of their own."""
        self._progress, self._clock = progress, clock
        return self

    @property
    def run(self) -> Runtime:
        """What the steps of the current run work with.

        Raises:
            ConfigError: outside a run.
        """
        if self._run is None:
            raise ConfigError("the hub resource is open only during a run")
        return self._run

    @contextmanager
    def yield_for_execution(
        self, context: dg.InitResourceContext
    ) -> Generator[HubResource, None, None]:
        """Hold the hub open for one run."""
        settings = load_settings(home=Path(self.home))
        with open_runtime(settings, self._clock, self._progress) as run:
            self._run = run
            try:
                yield self
            finally:
                self._run = None
