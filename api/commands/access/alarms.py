"""`hub access alarms`: who used much, or more than was allowed."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated

import typer

from access.alarms import alarms as alarms_since
from api.administration import Reading
from api.commands.ledger import reading
from api.commands.options import Home, Json, Who
from api.console import door, print_rows
from hub.clock import SystemClock

app = typer.Typer()


@app.command()
def alarms(
    days: Annotated[int, typer.Option(min=1, help="How many days back.")] = 7,
    by: Who = None,
    home: Home = None,
    as_json: Json = False,
) -> None:
    """List the alarms of the ledger, newest first; that it was read is recorded."""
    with door(), reading(home, by) as (ledger, reader):
        since = (SystemClock().now() - timedelta(days=days)).isoformat()[:10]
        rows = list(alarms_since(ledger, since))
        reader.read(ledger, Reading.ALARMS, len(rows), since=since)
        print_rows("Alarms", rows, as_json=as_json, empty="none")
