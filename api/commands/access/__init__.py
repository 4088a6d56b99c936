"""`hub access`: who may see what, and why; changing that, with a second pair of eyes."""

from __future__ import annotations

import typer

from api.commands.access import asking, grants, policy

app = typer.Typer(
    no_args_is_help=True, help="Access: explain, matrix, lint; changes, grants, suspensions."
)
app.add_typer(asking.app)
app.add_typer(policy.app)
app.add_typer(grants.app)
