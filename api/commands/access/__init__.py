"""`hub access`: who may see what, and why; the policy linted."""

from __future__ import annotations

import typer

from api.commands.access import alarms, asking, budget

app = typer.Typer(
    no_args_is_help=True,
    help="Access: explain a decision, the matrix, lint, alarms, privacy budgets.",
)
app.add_typer(asking.app)
app.add_typer(alarms.app)
app.add_typer(budget.app)
