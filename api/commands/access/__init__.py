"""`hub access`: who may see what, and why; changing that, with a second pair of eyes; registers."""

from __future__ import annotations

import typer

from api.commands.access import (
    alarms,
    asking,
    budget,
    comparing,
    emergencies,
    exporting,
    grants,
    people,
    policy,
    reading,
    replaying,
    seals,
)

app = typer.Typer(
    no_args_is_help=True,
    help="Access: explain, matrix, lint, diff; changes, grants; emergencies, seals, alarms, cases.",
)
app.add_typer(asking.app)
app.add_typer(reading.app)
app.add_typer(comparing.app)
app.add_typer(replaying.app)
app.add_typer(policy.app)
app.add_typer(grants.app)
app.add_typer(exporting.app)
app.add_typer(emergencies.app)
app.add_typer(seals.app)
app.add_typer(seals.seal, name="seal")
app.add_typer(alarms.app)
app.add_typer(budget.app)
app.add_typer(people.cases, name="case")
app.add_typer(people.protected, name="protect")
