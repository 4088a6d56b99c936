"""`hub access`: who may see what, and why; the policy linted; cases and protected persons."""

from __future__ import annotations

import typer

from api.commands.access import alarms, asking, budget, people

app = typer.Typer(
    no_args_is_help=True,
    help="Access: explain, matrix, lint, alarms, budgets, cases, protection.",
)
app.add_typer(asking.app)
app.add_typer(alarms.app)
app.add_typer(budget.app)
app.add_typer(people.cases, name="case")
app.add_typer(people.protected, name="protect")
