"""`hub access alarms`: who used much, or more than was allowed."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated

import typer

from access.alarms import alarms as alarms_since
from api.commands.ledger import open_ledger
from api.commands.options import Home, Json, settings_of
from api.console import door, print_rows
from hub.clock import SystemClock

app = typer.Typer()


@app.command()
def alarms(
    days: Annotated[int, typer.Option(min=1, help="How many days back.")] = 7,
    home: Home = None,
    as_json: Json = False,
) -> None:
    """List the alarms of the ledger, newest first: many persons in a day, limits exceeded."""
    with door(), open_ledger(settings_of(home)) as ledger:
        since = (SystemClock().now() - timedelta(days=days)).isoformat()[:10]
        rows = list(alarms_since(ledger, since))
        print_rows("Alarms", rows, as_json=as_json, empty="none")
