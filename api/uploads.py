"""Workbooks on their way through the web process: one at a time, bounded, gone afterwards.

What comes in lies for as long as it is read in a private file of the work folder: clear text, so
what a killed process left is removed by the next one that takes a workbook in.
"""

from __future__ import annotations

import os
import secrets
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import anyio
import anyio.to_thread
from starlette.exceptions import HTTPException
from starlette.responses import Response

from api.services import Services
from hub.config import Settings

#: What a returned workbook may have; the requests that bring one may be no larger.
MOST_BYTES = 16 << 20
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"

_PREFIX = "upload-"
_LEFT_AFTER_SECONDS = 3600.0

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Download:
    """A workbook to be handed to whoever asked for it; its name says nothing of anybody."""

    name: str
    data: bytes


def workbook_response(download: Download) -> Response:
    """Return a workbook as a download."""
    disposition = f'attachment; filename="{download.name}"'
    return Response(download.data, 200, {"Content-Disposition": disposition}, XLSX)


async def at_work(services: Services, work: Callable[[], T]) -> T:
    """Do what makes or reads a workbook in a worker thread, after whoever is at it already.

    It costs seconds of processor time: those who are looked up meanwhile wait for one of these
    at most, and never for a thread.
    """
    return await anyio.to_thread.run_sync(work, limiter=services.workbooks)


@asynccontextmanager
async def received(settings: Settings, stream: AsyncIterator[bytes]) -> AsyncIterator[Path]:
    """Yield a workbook that is sent as a file, mode 0600, until it has been read.

    Raises:
        HTTPException: 413, when it is larger than `MOST_BYTES`; nothing is left behind.
    """
    settings.work.mkdir(mode=0o700, parents=True, exist_ok=True)
    settings.work.chmod(0o700)
    _sweep(settings)
    path = settings.work / f"{_PREFIX}{secrets.token_hex(8)}.xlsx"
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        async with anyio.wrap_file(os.fdopen(handle, "wb")) as file:
            size = 0
            async for chunk in stream:
                size += len(chunk)
                if size > MOST_BYTES:
                    raise HTTPException(413)
                await file.write(chunk)
        yield path
    finally:
        path.unlink(missing_ok=True)


def _sweep(settings: Settings) -> None:
    for left in settings.work.glob(f"{_PREFIX}*"):
        try:
            if time.time() - left.stat().st_mtime > _LEFT_AFTER_SECONDS:
                left.unlink()
        except FileNotFoundError:
            continue  # its own process was faster
