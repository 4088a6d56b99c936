"""`hub contract`: the datasets' contracts, listed and linted."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from api.commands.options import Home, Json
from api.console import door, out, print_json, print_rows
from contracts.checks import plan
from contracts.codes import load_code_sets
from contracts.loader import load_contracts
from hub.config import load_settings
from hub.errors import ContractError

app = typer.Typer(no_args_is_help=True, help="Contracts: list, lint.")


@app.command("list")
def list_contracts(home: Home = None, as_json: Json = False) -> None:
    """List every contract, built in and of this hub."""
    with door():
        folders = load_settings(home=home).contract_folders
        contracts = load_contracts(folders, code_sets=load_code_sets(folders))
        rows = [
            {
                "dataset": c.name,
                "title": c.title,
                "owner": c.owner,
                "version": c.version,
                "shared": c.sharing.value,
                "updated": c.update_cycle,
                "columns": len(c.properties),
                "checks": len(plan(c)),
            }
            for c in contracts
        ]
        print_rows("Contracts", rows, as_json=as_json)


@app.command()
def lint(
    folder: Annotated[
        Path | None, typer.Argument(exists=True, file_okay=False, help="Folder of contracts.")
    ] = None,
    home: Home = None,
    as_json: Json = False,
) -> None:
    """Load every contract; report all findings with file and line. Exit 65 when there are any."""
    with door():
        folders = (folder,) if folder else load_settings(home=home).contract_folders
        try:
            contracts = load_contracts(folders, code_sets=load_code_sets(folders))
        except ContractError as exc:
            if not as_json:
                raise
            print_json({"valid": False, "findings": exc.findings})
            raise typer.Exit(exc.exit_code) from None
        if as_json:
            print_json({"valid": True, "findings": []})
        else:
            out.print(f"{len(contracts)} contracts, no findings")
