"""The measured side of the main job, in a process of its own.

    invent MAIL RESIDENTS    write all three rounds of files and a list of them
    prepare HOME             make the hub's folders and keys
    work HOME MAIL           deliver and run, round after round

The last line of standard output is a JSON object; progress goes to standard error.
"""

from __future__ import annotations

import json
import sys
import time
from dataclasses import asdict
from pathlib import Path
from typing import Any

from rich.console import Console

from api.console import Watch
from api.running import run_delivery
from api.setup import make_hub
from assets.demo.deliveries import (
    generate_correction,
    generate_first,
    generate_second,
    send,
)
from assets.demo.district import District
from assets.demo.outbox import Delivery
from bench.memory import own_peak_bytes
from hub.clock import SystemClock
from hub.config import Settings, load_settings

_SPOILED = frozenset({"housing.tenancy"})
_PLAN = "rounds.json"


def invent(mail: Path, residents: int) -> dict[str, Any]:
    """Write the files of three rounds and, beside them, what is to be delivered in which."""
    district = District(residents=residents)
    rounds = (
        generate_first(district, mail),
        generate_second(district, mail, _SPOILED),
        generate_correction(district, mail, _SPOILED),
    )
    promised = [[asdict(d) for d in summary.deliveries] for summary in rounds]
    (mail / _PLAN).write_text(json.dumps(promised, default=str))
    return {"files": sum(len(summary.deliveries) for summary in rounds)}


def prepare(home: Path) -> dict[str, Any]:
    """Make a hub."""
    make_hub(_settings(home))
    return {}


def work(home: Path, mail: Path) -> dict[str, Any]:
    """Deliver and run every round; return rows in all and seconds per round."""
    settings, rounds, count = _settings(home), [], 0
    for promised in json.loads((mail / _PLAN).read_text()):
        start = time.perf_counter()
        deliveries = [_delivery(one) for one in promised]
        count += sum(d.rows for d in deliveries)
        send(deliveries, settings)
        with Watch(Console(stderr=True, width=120)) as watch:
            run_delivery(settings, SystemClock(), watch)
        rounds.append(round(time.perf_counter() - start, 2))
    return {"rows": count, "rounds": rounds}


def _delivery(promised: dict[str, Any]) -> Delivery:
    paths = {name: Path(promised[name]) for name in ("path", "manifest")}
    return Delivery(**(promised | paths))


def _settings(home: Path) -> Settings:
    return load_settings(home=home, profile="demonstration")


def main(arguments: list[str]) -> None:
    """Do what the first argument says."""
    match arguments:
        case ["invent", mail, residents]:
            result = invent(Path(mail), int(residents))
        case ["prepare", home]:
            result = prepare(Path(home))
        case ["work", home, mail]:
            result = work(Path(home), Path(mail))
        case _:
            sys.exit(64)
    print(json.dumps({**result, "peak_bytes": own_peak_bytes()}))


if __name__ == "__main__":
    main(sys.argv[1:])
