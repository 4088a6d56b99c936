"""One command for one machine: the web server, Dagster's daemon and its UI, ended together."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from hashlib import sha256
from types import FrameType

from api.administration import administrator, told_settings
from api.console import err, out, show
from api.running import prepare_instance
from api.server import command, environment
from api.services import OFFICIALS, open_services
from assets.runtime import Promises
from hub.config import Settings
from hub.errors import SourceError
from hub.events import EventTag
from hub.ledger.log import Ledger

_GRACE_SECONDS = 20.0


def run_all(settings: Settings) -> None:
    """Start everything and stay until a signal comes or one of them ends.

    Raises:
        HubError: when the hub cannot be opened; a web server's workers would try it for ever.
        SourceError: when a process ended by itself; the others have been ended too.
    """
    services = open_services(settings)
    try:
        tell_start(settings, services.ledger)
    finally:
        services.close()
    prepare_instance(settings)
    signal.signal(signal.SIGTERM, _interrupt)
    env = environment(settings)
    processes: dict[str, subprocess.Popen[bytes]] = {}
    try:
        for name, arguments in _commands(settings).items():
            processes[name] = subprocess.Popen(arguments, env=env)  # noqa: S603
        _say_addresses(settings)
        say_refusal(settings)
        _watch(processes)
    except KeyboardInterrupt:
        out.print("ending …")
    finally:
        _end(processes)


def tell_start(settings: Settings, ledger: Ledger) -> None:
    """Record who starts the hub, under which settings, with which register of officials.

    Raises:
        LedgerError: when it cannot be recorded; nothing is started then.
    """
    officials = settings.home / OFFICIALS
    details = {
        "settings": told_settings(settings),
        "officials": sha256(officials.read_bytes()).hexdigest() if officials.exists() else None,
    }
    administrator(settings, None).tell(ledger, EventTag.HUB_SERVICE_STARTED, details)


def _commands(settings: Settings) -> dict[str, list[str]]:
    python, location = sys.executable, ["-m", "assets.definitions"]
    return {
        "api": command(settings, settings.port),
        "publisher": [python, "-m", "api", "ledger", "publish", "--follow"],
        "dagster-daemon": [
            *(python, "-m", "dagster._daemon", "run", *location),
            *("--log-level", "warning"),
        ],
        "dagster-webserver": [
            *(python, "-m", "dagster_webserver", *location),
            # Dagster's UI knows no sign-in, so it never listens beyond this machine.
            *("--host", "127.0.0.1", "--port", str(settings.dagster_port)),
            *("--log-level", "warning"),
        ],
    }


def _say_addresses(settings: Settings) -> None:
    out.print(f"pages and API   http://{settings.host}:{settings.port}/")
    out.print(f"Dagster         http://127.0.0.1:{settings.dagster_port}/")
    out.print(f"drop folder     {settings.drop}/PARTNER/DATASET/   (Ctrl-C ends everything)")


def say_refusal(settings: Settings) -> None:
    """Say what is refused of the contracts; what is published stays in service all the same."""
    refusal = Promises.in_force(settings).refusal
    if refusal is not None:
        show(refusal)
        err.print("Deliveries wait until this is mended; what is published stays in service.")


def _watch(processes: dict[str, subprocess.Popen[bytes]]) -> None:
    while True:
        for name, process in processes.items():
            code = process.poll()
            if code is not None:
                raise SourceError(f"{name} ended by itself with code {code}")
        time.sleep(0.5)


def _end(processes: dict[str, subprocess.Popen[bytes]]) -> None:
    for process in processes.values():
        process.terminate()
    deadline = time.monotonic() + _GRACE_SECONDS
    for process in processes.values():
        try:
            process.wait(timeout=max(0.1, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            process.kill()


def _interrupt(_signal: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt
