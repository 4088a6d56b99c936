"""Starting the web server as a process of its own, and waiting until it answers."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

import httpx

from hub.config import Settings
from hub.errors import SourceError

_APP = "api.app:create_app_from_environment"


def command(settings: Settings, port: int) -> list[str]:
    """Return the command line of the web server; its workers share everything in the home."""
    return [
        *(sys.executable, "-m", "uvicorn", _APP, "--factory", "--no-access-log"),
        *("--host", settings.host, "--port", str(port), "--log-level", "warning"),
        *("--workers", str(settings.workers)),
    ]


def environment(settings: Settings) -> dict[str, str]:
    """Return the environment in which a process finds the same hub."""
    return {**os.environ, "MINGJING_HOME": str(settings.home.absolute())}


@contextmanager
def serving(settings: Settings, port: int, wait_seconds: float = 60.0) -> Iterator[str]:
    """Run the web server for a while.

    Yields:
        Its base address, once it answers.

    Raises:
        SourceError: when it does not answer in time or ends at once.
    """
    base = f"http://{settings.host}:{port}"
    process = subprocess.Popen(command(settings, port), env=environment(settings))  # noqa: S603
    try:
        _wait(process, base, wait_seconds)
        yield base
    finally:
        process.terminate()
        process.wait(timeout=20)


def _wait(process: subprocess.Popen[bytes], base: str, wait_seconds: float) -> None:
    deadline = time.monotonic() + wait_seconds
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise SourceError(f"the web server ended at once with code {process.returncode}")
        try:
            if httpx.get(f"{base}/v1/health", timeout=2.0).is_success:
                return
        except httpx.TransportError:
            pass
        time.sleep(0.1)
    raise SourceError(f"the web server did not answer within {wait_seconds:.0f} s")
