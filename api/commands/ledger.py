"""`hub ledger`: verify everything, show the checkpoint, export and check proofs."""

from __future__ import annotations

from contextlib import closing
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

from api import publishing
from api.commands.options import Home, Json, settings_of
from api.console import door, err, out, print_json
from hub.clock import SystemClock
from hub.config import Settings
from hub.keyring import Keyring
from hub.ledger import opening
from hub.ledger.log import Ledger
from hub.ledger.publisher import Publisher

app = typer.Typer(no_args_is_help=True, help="The ledger: verify, checkpoint, key, proof.")


def open_ledger(settings: Settings) -> Ledger:
    """Return the hub's ledger.

    Raises:
        LedgerError: when the file is gone or is of another kind; it is never made anew here.
    """
    keyring = Keyring.open(settings.keyring, settings.passphrase)
    return opening.open_ledger(settings, keyring, SystemClock())


def _publisher(settings: Settings, ledger: Ledger) -> Publisher:
    return opening.publisher_of(settings, ledger, SystemClock())


@app.command()
def verify(home: Home = None, as_json: Json = False) -> None:
    """Read every entry again; say exactly which entry and field is wrong. Exit 70 when one is."""
    with door(), open_ledger(settings_of(home)) as ledger:
        bar = Progress(
            TextColumn("verifying"), BarColumn(), MofNCompleteColumn(), console=err, transient=True
        )
        with bar:
            task = bar.add_task("verify", total=None)
            result = ledger.verify_all(
                lambda done, total: bar.update(task, completed=done, total=total)
            )
        if as_json:
            print_json(
                {
                    "intact": result.intact,
                    "entries": result.size,
                    "erased": result.erased,
                    "wrong": result.total,
                    "findings": [str(finding) for finding in result.findings],
                }
            )
        elif result.intact:
            out.print(f"[green]intact[/]: {result.size:,} entries, tree and checkpoint agree")
        else:
            out.print(f"[red]NOT INTACT[/]: {result.total:,} findings")
            for finding in result.findings[:50]:
                out.print(f"  • {finding}", markup=False)
        if not result.intact:
            raise typer.Exit(70)


@app.command()
def checkpoint(home: Home = None) -> None:
    """Print the checkpoint that is public (C2SP tlog-checkpoint). Exit 66 before the first."""
    with door(), open_ledger(settings_of(home)) as ledger:
        typer.echo(ledger.checkpoint().note, nl=False)


@app.command()
def key(home: Home = None) -> None:
    """Print the verifier key that anyone needs to check proofs."""
    with door(), open_ledger(settings_of(home)) as ledger:
        typer.echo(str(ledger.key))


@app.command()
def proof(
    index: Annotated[int, typer.Argument(help="Index of the entry.")],
    to: Annotated[Path | None, typer.Option(help="File to write; default standard output.")] = None,
    home: Home = None,
) -> None:
    """Export the proof of one entry (C2SP tlog-proof), to be checked by hub/ledger/verify.py."""
    with door():
        settings = settings_of(home)
        with open_ledger(settings) as ledger:
            keyring = Keyring.open(settings.keyring, settings.passphrase)
            text = str(opening.statements_of(settings, keyring, ledger).proof(index))
        if to is None:
            typer.echo(text, nl=False)
        else:
            to.write_text(text)


@app.command()
def publish(
    follow: Annotated[
        bool, typer.Option("--follow", help="Stay, and publish every `publish_seconds`.")
    ] = False,
    home: Home = None,
    as_json: Json = False,
) -> None:
    """Make public what is recorded: index, files, checkpoint. Exit 75 while witnesses are missing."""
    with door():
        settings = settings_of(home)
        with open_ledger(settings) as ledger, closing(_publisher(settings, ledger)) as publisher:
            if follow:
                publishing.follow(publisher, settings.publish_seconds)
                return
            turn = publishing.publish_once(publisher)
        if as_json:
            print_json(asdict(turn))
        elif turn.waiting:
            err.print(f"[yellow]waiting[/]: {turn.waiting}; {turn.size:,} entries are public")
        else:
            out.print(f"{turn.size:,} entries are public")
        for name, answer in () if as_json else turn.answers:
            out.print(f"  {name}: {answer}", markup=False)
        if turn.waiting:
            raise typer.Exit(75)
