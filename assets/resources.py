"""The hub as a Dagster resource: opened once per run, closed whatever happens."""

from __future__ import annotations

from collections.abc import Iterator

import dagster as dg

from assets.runtime import Progress, Promises, Runtime, open_runtime
from hub.clock import Clock
from hub.config import Settings


def hub_resource(
    settings: Settings, clock: Clock, progress: Progress, promises: Promises
) -> dg.ResourceDefinition:
    """Return the resource that gives every step of a run the same open `Runtime`.

    A run is alone: it waits for the one before it (see `assets.runtime`).
    """

    @dg.resource(description="keys, contracts, records, ledger and lake of one hub")
    def hub(_: dg.InitResourceContext) -> Iterator[Runtime]:
        with open_runtime(settings, clock, progress, promises) as run:
            yield run

    return hub
