"""Time and peak memory of the whole main job, the invention of the district excluded.

The job is what a hub does with three rounds of deliveries: a first month of every dataset, a second
month of which one batch is stopped below its publish bar, and that batch's correction. Each round
is put into the drop folder and taken down the whole road by `hub run`'s own function. It runs in a
process of its own (`bench.main_job_child`), whose start and imports count, so that neither the
generator's memory nor the bench's can hide in the figures.
"""

from __future__ import annotations

import json
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from bench.memory import MemoryWatch
from bench.row import Mark, Row, allowance
from bench.settings import BenchSettings
from hub.errors import SourceError

_SECONDS = 90.0
_GIB = 2.0
_MARKED_AT = 120_000


@dataclass(frozen=True, slots=True)
class _Job:
    """What one whole job took."""

    seconds: float
    peak_bytes: int
    rows: int
    input_bytes: int
    rounds: tuple[float, ...]


def rows(settings: BenchSettings) -> Iterator[Row]:
    """Measure the main job once at `settings.residents`; the marks are those of 120,000."""
    yield from _rows(settings, "main-job")


def rows_1m(settings: BenchSettings) -> Iterator[Row]:
    """Measure the main job once at 1,000,000 residents: time in proportion, the same memory."""
    yield from _rows(replace(settings, residents=1_000_000), "main-job-1m")


def _rows(settings: BenchSettings, name: str) -> Iterator[Row]:
    job = _measure(settings)
    share = settings.residents / _MARKED_AT
    size = (
        f"{settings.residents:,} residents, {job.rows:,} rows in three rounds of "
        f"{', '.join(f'{s:.0f}' for s in job.rounds)} s, {job.input_bytes / 1e6:,.0f} MB of files"
    )
    peer, theirs = allowance(_SECONDS * max(share, 1.0))
    yield Row(
        name=f"{name}-time",
        measures="time of the job / time allowed (90 s at 120,000 residents, above in proportion)",
        size=size,
        runs=1,
        ours=job.seconds,
        peer=peer,
        theirs=theirs,
        unit="s",
        ratio=job.seconds / theirs,
        mark=Mark("<=", 1.0),
    )
    gib = job.peak_bytes / 2**30
    peer, theirs = allowance(_GIB)
    yield Row(
        name=f"{name}-memory",
        measures="peak resident memory of the job's processes / memory allowed, at any size",
        size=size,
        runs=1,
        ours=gib,
        peer=peer,
        theirs=theirs,
        unit="GiB",
        ratio=gib / theirs,
        mark=Mark("<=", 1.0),
    )


def _measure(settings: BenchSettings) -> _Job:
    mail, home = settings.scratch("mail"), settings.folder / "home"
    settings.say(f"inventing {settings.residents:,} residents (not measured)")
    _child(settings, "invent", str(mail), str(settings.residents))
    files = [p for p in mail.glob("*/*/*") if not p.name.endswith(".manifest.json")]
    _child(settings, "prepare", str(home))
    settings.say("the main job begins")
    start = time.perf_counter()
    said, peak_bytes = _child(settings, "work", str(home), str(mail))
    seconds = time.perf_counter() - start
    report = json.loads(said)
    return _Job(
        seconds,
        peak_bytes,
        report["rows"],
        sum(p.stat().st_size for p in files),
        tuple(report["rounds"]),
    )


def _child(settings: BenchSettings, *arguments: str) -> tuple[str, int]:
    """Run the child with these arguments; return its last line of output and its peak memory."""
    command = [sys.executable, "-m", "bench.main_job_child", *arguments]
    with (
        subprocess.Popen(
            command,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            cwd=Path(__file__).parent.parent,
        ) as process,
        MemoryWatch(process.pid) as memory,
    ):
        errors: list[str] = []
        reader = threading.Thread(target=_pass_on, args=(process, settings, errors))
        reader.start()
        assert process.stdout is not None
        lines = process.stdout.read().splitlines()
        reader.join()
    if process.returncode:
        raise SourceError("the main job did not come to its end", findings=_tail(errors))
    return lines[-1], max(memory.peak_bytes, _own_peak(lines))


def _pass_on(process: subprocess.Popen[str], settings: BenchSettings, kept: list[str]) -> None:
    assert process.stderr is not None
    for line in process.stderr:
        kept.append(line.rstrip())
        settings.say(line.rstrip())


def _tail(errors: Sequence[str]) -> tuple[str, ...]:
    return tuple(errors[-12:])


def _own_peak(lines: Sequence[str]) -> int:
    """Return what the child itself read of its peak (VmHWM), which no sampling can miss."""
    peak: int = json.loads(lines[-1])["peak_bytes"]
    return peak
