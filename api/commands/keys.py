"""`hub keys`: what the keyring holds, and new versions."""

from __future__ import annotations

from typing import Annotated

import typer

from api.administration import Administrator
from api.commands.options import Home, Json, Who, settings_of
from api.console import door, err, out, print_rows
from hub.clock import SystemClock
from hub.errors import RequestError
from hub.events import EventTag
from hub.keyring import PURPOSES, ROTATED, Keyring
from hub.ledger.composition import open_ledger, rotate_key

app = typer.Typer(no_args_is_help=True, help="Keys: list versions, rotate.")


@app.command("list")
def list_keys(home: Home = None, as_json: Json = False) -> None:
    """List every key by purpose and version; never a secret."""
    with door():
        settings = settings_of(home)
        ring = Keyring.open(settings.keyring, settings.passphrase)
        rows = [
            {
                "purpose": k.purpose,
                "version": k.version,
                "suite": k.suite,
                "for": PURPOSES[k.purpose],
            }
            for k in ring.versions()
        ]
        print_rows("Keys", rows, as_json=as_json)


@app.command()
def rotate(
    purpose: Annotated[str, typer.Argument(help="landing, row, document, ledger or token")],
    by: Who = None,
    home: Home = None,
) -> None:
    """Add a new version of a key; what older versions sealed stays readable."""
    with door():
        if purpose not in ROTATED:
            raise RequestError(f"a key that gets new versions is one of {', '.join(ROTATED)}")
        settings = settings_of(home)
        ring = Keyring.open(settings.keyring, settings.passphrase)
        err.print("Processes that run keep the former key: restart `hub up` after this.")
        clock = SystemClock()
        if purpose == "ledger":
            vkey = rotate_key(settings, ring, clock, Administrator.of(ring, by, clock).name)
            out.print(f"ledger: signs as {vkey} from now on; announced in the log.", soft_wrap=True)
            out.print("Restart `hub up`, give the witnesses the key, back up the keyring.")
            return
        with open_ledger(settings, ring, clock) as ledger:
            key = ring.rotate(purpose, settings.suite)
            details = {"purpose": purpose, "version": key.version, "suite": key.suite}
            Administrator.of(ring, by, clock).tell(ledger, EventTag.HUB_KEY_ROTATED, details)
        out.print(f"{purpose}: version {key.version} is in use from now on. Back up the keyring.")
