"""Other engines that do the same work, each in an environment of its own.

A folder per engine: `requirements.txt`, pinned with digests, and `peer.py`, which knows nothing of
this project. It is run with the path of a job, a JSON object, and prints its answer as its last
line. There are three kinds of job:

* a check {file, format, key, columns, rules} is answered with {seconds, expressed, keys}: the time
  from the file to the verdict without start and imports, the ids of the rules the engine could
  express, and how many failing keys it gave (null when it gives none);
* decisions {cases: [{policy, requests, …}]}, in the engine's own words, are answered with a list of
  {answers: [[allowed, ids of the rules that decided]], seconds: [of each decision]}, one per case;
  the policy is read once per case and not counted;
* appends {file, bytes, seconds} of entries of so many bytes to a new file, for so long, are answered
  with {count, seconds}.

An environment is made on first use in `bench/.venvs/`; without a package index it is absent, and
the row of that engine says so.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hub.errors import SourceError

FOLDER = Path(__file__).parent
CACHE = FOLDER.parent / ".venvs"
_READY = ".ready"
_QUIET = {
    "SODA_CORE_TELEMETRY_ENABLED": "false",
    "DO_NOT_TRACK": "1",
    "PYTHONWARNINGS": "ignore",
    "POLARS_MAX_THREADS": "2",
    "DISABLE_PANDERA_IMPORT_WARNING": "True",
}


@dataclass(frozen=True, slots=True)
class Engine:
    """One engine.

    Args:
        folder: its folder here.
        title: how the table calls it.
        package: whose version stands in the table.
    """

    folder: str
    title: str
    package: str

    @property
    def version(self) -> str:
        """The pinned version."""
        for line in self.requirements.read_text().splitlines():
            name, found, rest = line.partition("==")
            if found and name == self.package:
                return rest.split()[0]
        raise SourceError(f"{self.folder}: {self.package} is not among its requirements")

    @property
    def requirements(self) -> Path:
        """Its pinned requirements."""
        return FOLDER / self.folder / "requirements.txt"


PANDERA = Engine("pandera", "pandera on polars", "pandera")
SODA = Engine("soda", "soda-core on DuckDB", "soda-core")
DATACONTRACT = Engine("datacontract", "datacontract-cli", "datacontract-cli")
CEDAR = Engine("cedar", "Cedar (cedarpy)", "cedarpy")
REGO = Engine("rego", "Rego (rego-cpp)", "regopy")
ENGINES = (PANDERA, SODA, DATACONTRACT)
DECIDERS = (CEDAR, REGO)
PYMERKLE = Engine("pymerkle", "pymerkle's SQLite tree, one by one", "pymerkle")
LOGS = (PYMERKLE,)


@dataclass(frozen=True, slots=True)
class Judged:
    """What an engine made of a job.

    Args:
        expressed: ids of the rules it could express.
        keys: failing keys it gave, or None when it gives none.
    """

    seconds: float
    expressed: tuple[str, ...]
    keys: int | None


@dataclass(frozen=True, slots=True)
class Decided:
    """What an engine made of a case of decisions.

    Args:
        answers: (whether allowed, ids of the rules that decided) per request; no ids where the
            engine does not tell.
        seconds: of each decision.
    """

    answers: tuple[tuple[bool, frozenset[str]], ...]
    seconds: tuple[float, ...]


def is_made(engine: Engine) -> bool:
    """Say whether an engine's environment is there."""
    return (_place(engine) / _READY).exists()


def environment(engine: Engine) -> Path:
    """Return the Python of an engine's environment, made now when it is not there.

    Raises:
        SourceError: when it cannot be made, with what the installer said last.
    """
    folder = _place(engine)
    python = folder / "bin" / "python"
    if not is_made(engine):
        shutil.rmtree(folder, ignore_errors=True)
        uv = [sys.executable, "-m", "uv"]
        _install([*uv, "venv", "--quiet", "--python", sys.executable, str(folder)], engine)
        pinned = ["--require-hashes", "--no-deps", "-r", str(engine.requirements)]
        _install([*uv, "pip", "install", "--quiet", "--python", str(python), *pinned], engine)
        (folder / _READY).touch()
    return python


def _place(engine: Engine) -> Path:
    digest = hashlib.sha256(engine.requirements.read_bytes()).hexdigest()[:12]
    return CACHE / f"{engine.folder}-{digest}"


def run(engine: Engine, job: Mapping[str, Any], folder: Path) -> Judged:
    """Have an engine judge a check in a process of its own.

    Raises:
        SourceError: when it is absent or does not come to its end.
    """
    answer = answered(engine, job, folder)
    return Judged(answer["seconds"], tuple(answer["expressed"]), answer["keys"])


def decided(engine: Engine, cases: Sequence[Mapping[str, Any]], folder: Path) -> list[Decided]:
    """Have an engine answer cases of decisions in a process of its own.

    Raises:
        SourceError: when it is absent or does not come to its end.
    """
    return [
        Decided(
            tuple((allowed, frozenset(rules)) for allowed, rules in case["answers"]),
            tuple(case["seconds"]),
        )
        for case in answered(engine, {"cases": list(cases)}, folder)
    ]


def appended(engine: Engine, job: Mapping[str, Any], folder: Path) -> float:
    """Have an engine append in a process of its own; return its appends per second.

    Raises:
        SourceError: when it is absent or does not come to its end.
    """
    answer = answered(engine, job, folder)
    return float(answer["count"] / answer["seconds"])


def answered(engine: Engine, job: Mapping[str, Any], folder: Path) -> Any:
    """Return what an engine prints of a job.

    Raises:
        SourceError: when it is absent or does not come to its end.
    """
    python = environment(engine)
    written = folder / f"{engine.folder}.json"
    written.write_text(json.dumps(job, ensure_ascii=False), encoding="utf-8")
    command = [str(python), "-I", str(FOLDER / engine.folder / "peer.py"), str(written)]
    done = subprocess.run(
        command, capture_output=True, text=True, cwd=folder, env=os.environ | _QUIET, check=False
    )
    if done.returncode:
        said = done.stderr.strip().splitlines()[-12:]
        raise SourceError(f"{engine.title} did not come to its end", findings=tuple(said))
    return json.loads(done.stdout.splitlines()[-1])


def _install(command: list[str], engine: Engine) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        said = tuple(done.stderr.strip().splitlines()[-3:])
        raise SourceError(f"{engine.title} cannot be installed here", findings=said)
