"""`hub access lint | matrix`: whether the policy holds together, and who can see what."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from access.decision import Decider
from access.demo import FILE as ACCOUNTS
from access.lint import Finding, lint_accounts, lint_sources, read_accounts, read_sources
from access.matrix import matrix as matrix_rows
from access.matrix import summary
from api.commands.access.sources import catalog_of, policy_folder_of, policy_of_hub
from api.commands.options import Home, Json
from api.console import door, print_rows
from hub.catalog import Catalog
from hub.clock import SystemClock
from hub.config import load_settings

app = typer.Typer()

PolicyFolder = Annotated[
    Path | None,
    typer.Option("--policy", exists=True, file_okay=False, help="Folder of another policy."),
]


@app.command()
def lint(
    policy: PolicyFolder = None,
    accounts: Annotated[
        Path | None,
        typer.Option(exists=True, dir_okay=False, help="Accounts: who holds what, and who is who."),
    ] = None,
    home: Home = None,
    as_json: Json = False,
) -> None:
    """Check the policy files and who holds what; every finding at once. Exit 65 on an error."""
    with door():
        settings = load_settings(home=home)
        findings = _findings(policy or policy_folder_of(settings), accounts, catalog_of(settings))
        rows = [
            {
                "at": f"{f.file}:{f.line}",
                "severity": f.severity,
                "code": f.code,
                "finding": f.message,
            }
            for f in findings
        ]
        print_rows("Policy findings", rows, as_json=as_json, empty="none")
        if any(f.severity == "error" for f in findings):
            raise typer.Exit(65)


def _findings(folder: Path, accounts: Path | None, catalog: Catalog) -> tuple[Finding, ...]:
    """Return what is wrong with a folder, and with who holds what where a file says so."""
    sources = read_sources(folder)
    beside = folder / ACCOUNTS
    file = accounts or (beside if beside.exists() else None)
    found = lint_sources(sources, catalog)
    return (*found, *lint_accounts(sources, read_accounts(file), file.name)) if file else found


@app.command()
def matrix(
    role: Annotated[str | None, typer.Option(help="Only this role.")] = None,
    dataset: Annotated[str | None, typer.Option(help="Only this dataset.")] = None,
    home: Home = None,
    as_json: Json = False,
) -> None:
    """List who can see what: role, purpose, dataset, and how each column is shown."""
    with door():
        settings = load_settings(home=home)
        catalog = catalog_of(settings)
        policy = policy_of_hub(settings, catalog)
        rows = [
            row
            for row in matrix_rows(Decider(policy, catalog), SystemClock().now())
            if role in (None, row["role"]) and dataset in (None, row["dataset"])
        ]
        shown = rows if as_json else summary(rows)
        print_rows("Who can see what", shown, as_json=as_json, empty="no such role or dataset")
