"""`hub access budget`: what analysts have spent on counts with noise, and what is left."""

from __future__ import annotations

from typing import Annotated

import typer

from access.privacy import load_draw
from access.purposes import load_purposes
from api.commands.access.sources import policy_folder_of
from api.commands.options import Home, Json, settings_of
from api.console import door, err, print_rows
from hub.store.budgets import Budgets
from hub.store.records import Records

app = typer.Typer()


@app.command()
def budget(
    actor: Annotated[str | None, typer.Option(help="Only this account.")] = None,
    dataset: Annotated[str | None, typer.Option(help="Only this dataset.")] = None,
    home: Home = None,
    as_json: Json = False,
) -> None:
    """List what was spent on counts with noise: by account, dataset and period, and what is left."""
    with door():
        settings = settings_of(home)
        purposes = load_purposes(policy_folder_of(settings))
        with Records.open(settings) as records:
            spent = Budgets(records).spent()
        rows = [
            {
                "purpose": purpose.code,
                "actor": found.actor,
                "dataset": found.dataset,
                "period": found.period,
                "queries": found.queries,
                "spent": found.epsilon / 1000,
                "budget": purpose.noise.budget / 1000,
                "left": max(0, purpose.noise.budget - found.epsilon) / 1000,
            }
            for purpose in purposes.values()
            if purpose.noise is not None
            for found in spent
            if actor in (None, found.actor) and dataset in (None, found.dataset)
        ]
        print_rows("Privacy budgets", rows, as_json=as_json, empty="nothing was spent")
        if load_draw() is None and not as_json:
            err.print("counts with noise are refused here: the extra 'privacy' is not installed")
