"""The `hub` command: every operation, one word each."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from api.commands import (
    access,
    cards,
    contract,
    erasing,
    exporting,
    keys,
    ledger,
    quality,
    witness,
    worklist,
)
from api.commands.options import Home, Json, settings_of
from api.console import Watch, door, err, out, print_json, print_rows
from api.setup import make_hub
from hub.clock import SystemClock
from hub.config import load_settings
from hub.errors import RequestError

app = typer.Typer(
    name="hub",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    help="明镜 Mingjing: data collected once, shared under rule, every use on the record.",
)
app.add_typer(keys.app, name="keys")
ledger.app.add_typer(exporting.app)
ledger.app.add_typer(erasing.app)
app.add_typer(ledger.app, name="ledger")
app.add_typer(contract.app, name="contract")
app.add_typer(access.app, name="access")
app.add_typer(cards.app, name="cards")
app.add_typer(quality.app, name="quality")
app.add_typer(worklist.app, name="worklist")
app.add_typer(witness.app, name="witness")


@app.command()
def init(
    home: Home = None,
    profile: Annotated[
        str | None, typer.Option(help="production, or demonstration for invented people.")
    ] = None,
    suite: Annotated[str | None, typer.Option(help="intl or gm.")] = None,
    origin: Annotated[str | None, typer.Option(help="Name of the ledger in checkpoints.")] = None,
    ledger_url: Annotated[
        str | None, typer.Option(help="PostgreSQL database of the ledger, without a password.")
    ] = None,
) -> None:
    """Make a hub: folders, settings, keyring (MINGJING_PASSPHRASE wraps it) and ledger."""
    with door():
        settings = load_settings(
            home=home, profile=profile, suite=suite, origin=origin, ledger_url=ledger_url
        )
        make_hub(settings)
        out.print(f"The hub is ready in {settings.home}. Back up {settings.keyring.name} apart.")
        if settings.passphrase is None:
            out.print("Its keys are guarded by the file's mode 0600 only (no passphrase was set).")


@app.command()
def run(home: Home = None, as_json: Json = False) -> None:
    """Take what waits in the drop folder down the whole road, once."""
    from api.running import run_delivery  # Dagster costs seconds to import

    with door(), Watch(err if as_json else out) as watch:
        report = run_delivery(settings_of(home), SystemClock(), watch)
        if as_json:
            print_json({"run_id": report.run_id, "steps": report.steps})
        elif not report.steps:
            out.print("nothing was waiting in the drop folder")


@app.command()
def deliver(
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False)],
    partner: Annotated[str, typer.Option(help="Code of the delivering department.")],
    dataset: Annotated[str, typer.Option(help="Name of the dataset, as in its contract.")],
    period: Annotated[
        str | None, typer.Option(help="What the data is about, e.g. 2026-06.")
    ] = None,
    home: Home = None,
) -> None:
    """Put a file into the drop folder, whole, with its manifest."""
    from hub.store.drop import deliver as drop

    with door():
        path = drop(
            file,
            name=file.name,
            partner=partner,
            dataset=dataset,
            settings=settings_of(home),
            period=period,
        )
        out.print(f"Delivered as {path.name}; `hub run` or the sensor takes it from there.")


@app.command()
def status(home: Home = None, as_json: Json = False) -> None:
    """List the batches that came in and what became of them."""
    from hub.store.records import Records

    with door(), Records.open(settings_of(home)) as records:
        rows = [
            {
                "batch": b.id,
                "dataset": b.dataset,
                "partner": b.partner,
                "period": b.period,
                "rows": b.rows,
                "status": b.status.value,
                "reason": b.reason,
            }
            for b in records.batches()
        ]
        print_rows("Batches, newest first", rows, as_json=as_json)


@app.command()
def demo(
    home: Annotated[Path, typer.Option(help="Folder of the demonstration; made anew.")] = Path(
        "var/demo"
    ),
    residents: Annotated[
        int, typer.Option(min=2_000, help="Size of the invented district.")
    ] = 120_000,
    also: Annotated[
        list[Path] | None, typer.Option(exists=True, help="Real files to take down the same road.")
    ] = None,
    contract: Annotated[
        Path | None, typer.Option(exists=True, help="The contract that describes --also.")
    ] = None,
) -> None:
    """Run the main job on an invented district, end to end, and say what it shows."""
    from api.demo import DemoPlan, run_demo

    with door():
        if bool(also) != bool(contract):
            raise RequestError("--also and --contract go together")
        run_demo(DemoPlan(home, residents, tuple(also or ()), contract))


@app.command()
def up(home: Home = None) -> None:
    """Start the pages and the API, Dagster's daemon and its UI together; Ctrl-C ends them."""
    from api.supervisor import run_all

    with door():
        run_all(settings_of(home))


def main() -> None:
    """Run the command line."""
    app()
