"""The machine and the versions a table was measured with."""

from __future__ import annotations

import os
import platform
from dataclasses import asdict, dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

_PACKAGES = ("duckdb", "great-expectations", "fastapi", "uvicorn", "dagster", "cryptography")


@dataclass(frozen=True, slots=True)
class Machine:
    """What a reader needs to judge a figure by.

    Args:
        cores: cores this process may use.
        memory_gib: memory of the machine, GiB; 0 where it cannot be told.
        load: average number of running processes in the minute before the run: above the number
            of cores, the figures say more about the neighbours than about us.
    """

    processor: str
    cores: int
    memory_gib: float
    system: str
    python: str
    packages: dict[str, str]
    load: float

    def to_json(self) -> dict[str, Any]:
        """Return the machine as a JSON object."""
        return asdict(self)

    def __str__(self) -> str:
        versions = ", ".join(f"{name} {number}" for name, number in self.packages.items())
        return (
            f"{self.processor}, {self.cores} cores, {self.memory_gib:.0f} GiB, {self.system}, "
            f"Python {self.python}; {versions}; load before the run {self.load:.1f}"
        )


def this_machine() -> Machine:
    """Return the machine this process runs on."""
    return Machine(
        processor=_processor(),
        cores=_cores(),
        memory_gib=round(_memory_bytes() / 2**30, 1),
        system=f"{platform.system()} {platform.machine()}",
        python=platform.python_version(),
        packages={name: installed(name) for name in _PACKAGES},
        load=round(os.getloadavg()[0], 2),
    )


def installed(package: str) -> str:
    """Return the version of an installed package, or "absent"."""
    try:
        return version(package)
    except PackageNotFoundError:
        return "absent"


def _processor() -> str:
    info = Path("/proc/cpuinfo")
    if info.exists():
        for line in info.read_text().splitlines():
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    return platform.processor() or platform.machine()


def _cores() -> int:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _memory_bytes() -> int:
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (ValueError, OSError):
        return 0
