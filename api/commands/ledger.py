"""`hub ledger`: verify everything, show the checkpoint, export and check proofs."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from access.finding import Finder
from access.ports import GuardKeys
from api import inspecting, publishing
from api.administration import Administrator, Reading, administrator
from api.commands.options import Home, Json, Who, settings_of
from api.console import door, err, out, print_json
from hub.clock import SystemClock
from hub.config import Settings
from hub.errors import NotFound, RequestError
from hub.keyring import Keyring
from hub.ledger import composition, succession
from hub.ledger.entry import Chain, ChainKind, fingerprint_of
from hub.ledger.log import Ledger
from hub.store.snapshots import SnapshotStore

app = typer.Typer(no_args_is_help=True, help="The ledger: verify, checkpoint, key, proof.")


def open_ledger(settings: Settings) -> Ledger:
    """Return the hub's ledger.

    Raises:
        LedgerError: when the file is gone or is of another kind; it is never made anew here.
    """
    keyring = Keyring.open(settings.keyring, settings.passphrase)
    return composition.open_ledger(settings, keyring, SystemClock())


@contextmanager
def reading(home: Path | None, by: str | None) -> Iterator[tuple[Ledger, Administrator]]:
    """Open the ledger of a hub for somebody whose reading is to be recorded.

    Yields:
        The ledger, and who reads.
    """
    settings = settings_of(home)
    reader = administrator(settings, by)
    with open_ledger(settings) as ledger:
        yield ledger, reader


@contextmanager
def _inspecting(home: Path | None, by: str | None) -> Iterator[inspecting.Desk]:
    settings, clock = settings_of(home), SystemClock()
    keyring = Keyring.open(settings.keyring, settings.passphrase)
    name = Administrator.of(keyring, by, clock).name
    with composition.open_ledger(settings, keyring, clock) as ledger:
        yield inspecting.Desk(settings, keyring, ledger, clock, name)


@app.command()
def verify(
    anew: Annotated[
        bool, typer.Option("--anew", help="Begin at the first entry, also after one was stopped.")
    ] = False,
    former: Annotated[
        int | None, typer.Option(help="A ledger before the present one, by its number.")
    ] = None,
    by: Who = None,
    home: Home = None,
    as_json: Json = False,
) -> None:
    """Read everything again: entries, tree, public files, index. Say what is wrong; exit 70 then.

    One that was stopped goes on where it was, within a day.
    """
    with door(), _inspecting(home, by) as desk:
        if former is not None:
            with inspecting.former_desk(desk, former) as ended:
                found = ended.inspect(lambda one, tell: one.verify(tell, anew=anew))
                inspecting.say(found, as_json)
            return
        inspecting.finish(
            desk, desk.inspect(lambda one, tell: one.verify(tell, anew=anew)), as_json
        )


@app.command()
def audit(
    since: Annotated[
        datetime | None,
        typer.Option(
            help="Read what came after the last tree found intact before this time (UTC)."
        ),
    ] = None,
    since_last: Annotated[
        bool, typer.Option("--since-last", help="Read what came after the last tree found intact.")
    ] = False,
    by: Who = None,
    home: Home = None,
    as_json: Json = False,
) -> None:
    """The daily run: read what came since the ledger was last found intact. Exit 70 as `verify`."""
    with door(), _inspecting(home, by) as desk:
        if since_last == (since is not None):
            raise RequestError("say either --since TIME or --since-last")
        time = None if since is None else since.replace(tzinfo=since.tzinfo or UTC)
        inspecting.finish(desk, desk.inspect(lambda one, tell: one.since(time, tell)), as_json)


@app.command()
def succeed(
    origin: Annotated[str, typer.Option(help="Public name of the successor, never used before.")],
    why: Annotated[str, typer.Option(help="Why the ledger cannot be gone on with.")],
    by: Annotated[str, typer.Option(help="Who says so; the ledger keeps a pseudonym.")],
    although_intact: Annotated[
        bool, typer.Option("--although-intact", help="End even one that could be gone on with.")
    ] = False,
    home: Home = None,
) -> None:
    """Begin a successor of a ledger whose key is lost, or of which an old backup is all.

    End `hub up` first. What is left of the former ledger is kept and stays readable.
    """
    with door():
        settings = settings_of(home)
        keyring = Keyring.open(settings.keyring, settings.passphrase)
        name = Administrator.of(keyring, by, SystemClock()).name
        asked = succession.Request(origin, why, name, although_intact)
        newer = succession.succeed(settings, keyring, SystemClock(), asked)
        with composition.open_ledger(newer, keyring, SystemClock()) as ledger:
            out.print(f"{newer.origin} goes on; its key is {ledger.key}", soft_wrap=True)
        if settings_of(home).origin != newer.origin:
            err.print("[yellow]MINGJING_ORIGIN names the former ledger: change it[/]")
        out.print("Give everybody the new key, back up the keyring, start `hub up` again.")


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
    by: Who = None,
    home: Home = None,
) -> None:
    """Export the proof of one entry (C2SP tlog-proof), to be checked by hub/ledger/verify.py."""
    with door(), reading(home, by) as (ledger, reader):
        settings = settings_of(home)
        keyring = Keyring.open(settings.keyring, settings.passphrase)
        text = str(composition.statements_of(settings, keyring, ledger).proof(index))
        reader.read(ledger, Reading.PROOF, 1, entry=index)
        if to is None:
            typer.echo(text, nl=False)
        else:
            to.write_text(text)


@app.command(context_settings={"allow_extra_args": True})  # no usage error repeats a number
def fingerprint(context: typer.Context, by: Who = None, home: Home = None) -> None:
    """Print the fingerprint of a person's chain key; their identity number comes by standard input.

    For the oversight body, to be compared with what the verifier shows of a statement: a hub that
    hands out a false key would be found out by it.
    """
    with door(), reading(home, by) as (ledger, reader):
        if context.args:
            raise RequestError("give the number by standard input, not as an argument")
        settings = settings_of(home)
        keys = GuardKeys.of(Keyring.open(settings.keyring, settings.passphrase))
        number = Finder(keys, SystemClock()).binding(sys.stdin.readline())
        subject = SnapshotStore(settings).current().identity(number)
        if subject is None:
            raise NotFound("nobody is held under this number")
        chain = Chain(ChainKind.SUBJECT, keys.label.of(subject))
        found = fingerprint_of(ledger.chain_key(chain))
        reader.read(ledger, Reading.FINGERPRINT, 0)
        typer.echo(found)


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
        with publishing.publication(settings) as hub:
            if follow:
                publishing.follow(hub, settings.publish_seconds)
                return
            turn = publishing.publish_once(hub)
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
