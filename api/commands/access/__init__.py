"""`hub access`: who may see what, and why; changing that; cases and protected persons."""

from __future__ import annotations

import typer

from api.commands.access import asking, budget, grants, people, policy

app = typer.Typer(
    no_args_is_help=True,
    help="Access: explain, matrix, lint, budgets; changes, grants, suspensions; cases, protection.",
)
app.add_typer(asking.app)
app.add_typer(budget.app)
app.add_typer(policy.app)
app.add_typer(grants.app)
app.add_typer(people.cases, name="case")
app.add_typer(people.protected, name="protect")
