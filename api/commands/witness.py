"""`hub witness`: watch ledgers for the oversight body, on a machine of its own.

It needs no hub: only a folder, in which it keeps its keys, its state and the index it builds.
"""

from __future__ import annotations

import json
from dataclasses import asdict, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from api.commands.options import Json
from api.console import door, out, print_json, print_rows
from hub.clock import SystemClock, second_of
from hub.errors import NotFound, RequestError
from hub.ledger.note import Checkpoint, Note, VerifierKey
from hub.ledger.tlog_proof import HEADER, TlogProof
from hub.witness.files import base_url
from hub.witness.keys import create_keys, open_keys
from hub.witness.state import Mode, WatchedLog, WitnessState, open_state

app = typer.Typer(no_args_is_help=True, help="A witness of ledgers: watch, cosign, raise alarms.")

Folder = Annotated[
    Path, typer.Option("--folder", envvar="MINGJING_WITNESS", help="Folder of the witness.")
]
_FOLDER = Path("witness")
CONNECTIONS = 100  # at once; whoever comes beyond is told to come again


@app.command()
def init(
    name: Annotated[str, typer.Option(help="What it signs as, e.g. oversight.example/witness.")],
    folder: Folder = _FOLDER,
) -> None:
    """Make a witness: folder and keys. Prints the keys that logs and verifiers need."""
    with door():
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        signers = create_keys(folder / "witness.key", name)
        WitnessState(folder / "witness.sqlite", SystemClock()).close()
        for signer in signers:
            typer.echo(str(VerifierKey.of(signer)))


@app.command()
def key(folder: Folder = _FOLDER, as_json: Json = False) -> None:
    """Print the witness's verifier keys: Ed25519, then ML-DSA-44."""
    with door():
        keys = [VerifierKey.of(signer) for signer in open_keys(folder / "witness.key")]
        if as_json:
            print_json([{"type": k.algorithm.title, "key": str(k)} for k in keys])
        else:
            for one in keys:
                typer.echo(str(one))


@app.command("add-log")
def add_log(
    keys: Annotated[list[str], typer.Argument(metavar="KEY...", help="The log's verifier keys.")],
    url: Annotated[str, typer.Option(help="What its files stand under: https://HUB/ledger/.")],
    check: Annotated[Mode, typer.Option(help="full, or consistency only.")] = Mode.FULL,
    stalled_seconds: Annotated[
        int, typer.Option(min=1, help="Without a new checkpoint for longer it is stalled.")
    ] = 7200,
    folder: Folder = _FOLDER,
) -> None:
    """Watch a log. The same origin again changes its keys, address or check; its head stays."""
    with door():
        parsed = tuple(map(VerifierKey.parse, keys))
        if len({one.name for one in parsed}) != 1:
            raise RequestError("the keys are of several logs: add one log at a time")
        log = WatchedLog(parsed[0].name, parsed, base_url(url), check, stalled_seconds)
        with _state(folder) as state:
            state.add_log(log)
        out.print(f"watching {log.origin} ({log.mode})", markup=False)


@app.command()
def run(
    folder: Folder = _FOLDER,
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=1, max=65535, help="Port to listen on.")] = 8030,
    poll_seconds: Annotated[
        float, typer.Option(min=0.1, help="From one look at the logs to the next.")
    ] = 10.0,
) -> None:
    """Answer logs that ask for cosignatures, and look at what they publish; Ctrl-C ends it."""
    # The command line must answer `--help` without loading a web server.
    import uvicorn

    from hub.witness.serving import alone, open_witness
    from hub.witness.web import create_app

    with (
        door(),
        open_witness(folder, SystemClock()) as (witness, watcher),
        alone(folder),
    ):
        application = create_app(witness, watcher, poll_seconds)
        uvicorn.run(
            application,
            host=host,
            port=port,
            log_level="warning",
            access_log=False,
            server_header=False,
            limit_concurrency=CONNECTIONS,
        )


@app.command()
def status(folder: Folder = _FOLDER, as_json: Json = False) -> None:
    """Say of each log what was cosigned last, what it shows, and how far it was read."""
    with door(), _state(folder) as state:
        rows = [_status(state, log) for log in state.logs()]
        print_rows("Logs", rows, as_json=as_json, empty="none yet: hub witness add-log")


@app.command()
def alarms(
    folder: Folder = _FOLDER,
    every: Annotated[
        bool, typer.Option("--all", help="Those that ended by themselves as well.")
    ] = False,
    number: Annotated[
        int | None, typer.Option("--show", help="Print one alarm with its evidence.")
    ] = None,
    as_json: Json = False,
) -> None:
    """List what was found wrong, newest first. Exit 70 when something is."""
    with door(), _state(folder) as state:
        found = [alarm for alarm in state.alarms() if every or alarm.is_open or number == alarm.id]
        if number is not None:
            found = [alarm for alarm in found if alarm.id == number]
            if not found:
                raise NotFound(f"there is no alarm {number}")
        shown = found if number is not None or as_json else [replace(a, evidence="") for a in found]
        rows = [asdict(alarm) | {"kind": alarm.kind.value} for alarm in shown]
        if number is None and not as_json:
            rows = [{k: v for k, v in row.items() if k != "evidence"} for row in rows]
        print_rows("Alarms", rows, as_json=as_json, empty="none")
        if any(alarm.is_open for alarm in found):
            raise typer.Exit(70)


@app.command()
def settle(
    number: Annotated[int, typer.Argument(help="Number of the alarm.")],
    reason: Annotated[str, typer.Option(help="What was found, and by whom.")],
    folder: Folder = _FOLDER,
) -> None:
    """Close an alarm that was looked into. Found again, it is open again."""
    with door(), _state(folder) as state:
        state.settle(number, reason)
        out.print(f"alarm {number} is settled")


@app.command()
def compare(
    file: Annotated[
        Path, typer.Argument(exists=True, dir_okay=False, help="What somebody was given.")
    ],
    folder: Folder = _FOLDER,
) -> None:
    """Compare a checkpoint, a proof's or a statement's, with what this witness knows."""
    # The command line must answer `--help` without what reading a log needs.
    from hub.witness.serving import open_witness

    with door(), open_witness(folder, SystemClock()) as (_, watcher):
        try:
            text = file.read_text(encoding="utf-8")
        except UnicodeDecodeError:
            raise RequestError("the file is not text") from None
        tree, wrong = watcher.compare(_note_of(text))
        if wrong is not None:
            out.print(f"[red]{wrong.kind}[/]: {wrong.what}")
            raise typer.Exit(70)
        out.print(f"the tree of {tree.size:,} entries agrees with what this witness knows")


def _note_of(text: str) -> str:
    """Return the checkpoint in a file that somebody was given.

    Raises:
        RequestError: when it is neither a checkpoint, a proof nor a statement.
    """
    if text.startswith(HEADER):
        return TlogProof.parse(text).checkpoint
    note = text
    try:
        if text.startswith("{"):
            note = json.loads(text)["checkpoint"]
        Checkpoint.parse(Note.parse(note).text)
    except (RequestError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
        raise RequestError("the file is neither a checkpoint, a proof nor a statement") from None
    return note


def _status(state: WitnessState, log: WatchedLog) -> dict[str, Any]:
    head, seen = state.head(log.origin), state.seen(log.origin)
    return {
        "origin": log.origin,
        "check": log.mode.value,
        "cosigned": head.size,
        "cosigned_at": _time(head.time),
        "shown": seen.size,
        "shown_at": seen.time or None,
        "read": state.reading(log.origin).size,
        "quiet_seconds": round(seen.quiet),
        "problem": seen.problem or None,
        "alarms": sum(a.is_open and a.origin == log.origin for a in state.alarms()),
    }


def _time(seconds: int) -> str | None:
    if not seconds:
        return None
    return second_of(datetime.fromtimestamp(seconds, UTC))


def _state(folder: Path) -> WitnessState:
    return open_state(folder, SystemClock())
