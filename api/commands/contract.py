"""`hub contract`: the datasets' contracts: listed, linted, compared, drafted, shown, printed."""

from __future__ import annotations

import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated

import typer

from api.commands.options import Home, Json
from api.console import door, out, print_json, print_rows
from api.contract_store import compared, known
from api.contract_view import Registers, described
from api.contract_words import print_comparison, print_contract, print_drafted, print_findings
from contracts.checks import plan
from contracts.codes import load_code_sets
from contracts.findings import by_file
from contracts.loader import load_contracts
from hub.agencies import load_agencies
from hub.clock import SystemClock
from hub.config import load_settings
from hub.errors import ContractError, RequestError
from hub.store.drop import is_code, is_dataset_name

app = typer.Typer(no_args_is_help=True, help="Contracts: list, lint, diff, new, show, docs.")
_BROKEN = 65


@app.command("list")
def list_contracts(home: Home = None, as_json: Json = False) -> None:
    """List every contract, built in and of this hub."""
    with door():
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
            for c in known(load_settings(home=home)).contracts
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
        count = 0
        findings: tuple[str, ...] = ()
        try:
            if folder is not None:
                code_sets = load_code_sets([folder])
                agencies = load_agencies(load_settings(home=home).policy_folder)
                count = len(load_contracts([folder], code_sets=code_sets, agencies=agencies))
            else:
                found = known(load_settings(home=home))
                count = len(found.contracts)
                refusal = found.weighed.error
                findings = refusal.findings if refusal is not None else ()
        except ContractError as exc:
            findings = exc.findings or (exc.message,)
        grouped = by_file(findings)
        listed = [item.to_json() for items in grouped.values() for item in items]
        if as_json:
            print_json({"valid": not listed, "contracts": count, "findings": listed})
        elif listed:
            print_findings(grouped)
        else:
            out.print(f"{count} contracts, no findings")
        if listed:
            raise typer.Exit(_BROKEN)


@app.command()
def diff(
    old: Annotated[str, typer.Argument(help="Contract file, or the name of a dataset.")],
    new: Annotated[
        Path | None,
        typer.Argument(exists=True, dir_okay=False, help="Contract file; not with a dataset."),
    ] = None,
    home: Home = None,
    as_json: Json = False,
) -> None:
    """Compare two versions of a contract; exit 65 when one breaks without a new major version.

    With a dataset's name alone: the version that data was last loaded under against the file now.
    """
    with door():
        comparison = compared(old, new, load_settings(home=home))
        if as_json:
            print_json(comparison.to_json())
        else:
            print_comparison(comparison)
        if not comparison.is_admissible:
            raise typer.Exit(_BROKEN)


@app.command("new")
def new_contract(
    sample: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="A sample file.")],
    dataset: Annotated[str, typer.Option(help="Name of the new dataset, DOMAIN.NAME.")],
    owner: Annotated[str, typer.Option(help="Code of the department that owns it.")],
    to: Annotated[
        Path | None, typer.Option("--out", dir_okay=False, help="File to write; default: print.")
    ] = None,
    home: Home = None,
) -> None:
    """Infer a first contract from a sample; what is doubtful is marked in it, to be confirmed."""
    # The parser of deliveries costs a second to import; the other commands do without.
    from assets.delivery.sample import Task, draft_contract

    with door():
        if not (is_dataset_name(dataset) and is_code(owner)):
            raise RequestError("--dataset is DOMAIN.NAME and --owner a code, both in snake_case")
        settings = load_settings(home=home)
        found = known(settings)
        if owner not in (agencies := load_agencies(settings.policy_folder)):
            known_codes = ", ".join(sorted(agencies))
            raise RequestError(
                f"--owner {owner!r} is not in the register of agencies: {known_codes}"
            )
        if dataset in {c.name for c in found.contracts}:
            raise RequestError(f"there is a contract for {dataset}: `hub contract show` shows it")
        if to is not None and to.exists():
            raise RequestError(f"{to.name} is there already; it is not overwritten")
        task = Task(dataset, owner, SystemClock().now().date())
        with TemporaryDirectory(prefix="hub-sample-") as folder:
            aside = load_settings(home=Path(folder))
            made = draft_contract(sample, task, found.contracts, found.code_sets, aside)
        if to is None:
            sys.stdout.write(made.text)
        else:
            to.parent.mkdir(parents=True, exist_ok=True)
            to.write_text(made.text, encoding="utf-8")
        print_drafted(made.contract, made.text, made.verdict)


@app.command()
def show(
    dataset: Annotated[str, typer.Argument(help="Name of the dataset.")],
    home: Home = None,
    as_json: Json = False,
) -> None:
    """Show one contract: facts, columns with level and mask, checks, promises, sources."""
    with door():
        settings = load_settings(home=home)
        found = known(settings)
        contract = found.contract(dataset)
        registers = Registers.load(found.code_sets, settings)
        told = described(contract, registers, found.change(contract))
        if as_json:
            print_json(told)
        else:
            print_contract(told)


@app.command()
def docs(
    to: Annotated[
        Path | None, typer.Option("--out", file_okay=False, help="Folder to write to.")
    ] = None,
    home: Home = None,
) -> None:
    """Write one readable page per contract, and an index: static HTML, to read or to print."""
    from api.contract_docs import write_docs

    with door():
        settings = load_settings(home=home)
        index = write_docs(known(settings), settings, to or settings.home / "contract-docs")
        out.print(f"{index}", soft_wrap=True)
