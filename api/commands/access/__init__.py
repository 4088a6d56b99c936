"""`hub access`: who may see what, and why; the policy linted."""

from __future__ import annotations

import typer

from api.commands.access import asking, budget, comparing, reading, replaying

app = typer.Typer(
    no_args_is_help=True, help="Access: explain, matrix, lint, compare policies, privacy budgets."
)
app.add_typer(asking.app)
app.add_typer(reading.app)
app.add_typer(comparing.app)
app.add_typer(replaying.app)
app.add_typer(budget.app)
