"""The batch check against DuckDB's typed load of the same file, and against four other engines.

Ours runs `bench.residents.contract` on the product's own workspace (its memory limit, its threads,
spilling encrypted) and leaves typed accepted rows, quarantined rows with every reason, changes and
counts; all failing keys are fetched. The typed load only parses and casts, under the same limits.
The engines get the rules as far as they can express them; none cleans or splits. Every side starts
from the file with an engine or a frame of its own; start and imports are not counted.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import duckdb

from bench import gx_native, peers
from bench.failing_sql import rules
from bench.machine import installed
from bench.residents import AS_OF, FORMATS, contract, relation, typed_relation, write_file
from bench.row import Mark, Peer, Row, allowance
from bench.settings import BenchSettings
from bench.turns import interleaved, medians, seconds
from contracts.check import run_batch
from contracts.checks import plan
from contracts.codes import CodeSets, load_code_sets
from contracts.compile import SourceRelation, compile_batch
from contracts.model import Contract
from hub.config import load_settings
from hub.errors import SourceError
from hub.quoting import identifier
from hub.store import lake

ROWS_PER_RESIDENT = 25 / 3  # a district of 120,000 stands for a file of a million rows
_GIB = 1.0
_OURS = "ours"
_LOAD = Mark("<=", 2.0)
_GX = Mark(">=", 8.0)
_KEYS = Mark(">=", 1.0)


@dataclass(frozen=True, slots=True)
class _Case:
    """One file, and what is measured of it under which name."""

    settings: BenchSettings
    name: str
    contract: Contract
    code_sets: CodeSets
    path: Path
    count: int

    @property
    def size(self) -> str:
        """Rows, bytes, rules."""
        form = "Parquet" if self.path.suffix == ".parquet" else "CSV"
        megabytes = self.path.stat().st_size / 1e6
        return f"{self.count:,} rows, {megabytes:,.0f} MB {form}, {len(plan(self.contract))} rules"

    def ours(self) -> float:
        """Seconds of one check of ours."""
        home = self.settings.folder / "home"
        return seconds(partial(ours, self.path, self.contract, self.code_sets, home))


def rows(settings: BenchSettings) -> Iterator[Row]:
    """Yield the rows of a million rows at 120,000 residents, GX among the engines."""
    for case in _cases(settings, "check", 1):
        yield _against_typed_load(case)
        yield _against_gx(case)
        yield from _against_engines(case)


def rows_5m(settings: BenchSettings) -> Iterator[Row]:
    """Yield the rows of five million rows at 120,000 residents: no GX, but our peak memory."""
    for case in _cases(settings, "check-5m", 5):
        yield _against_typed_load(case)
        yield _memory(case)
        yield from _against_engines(case)


def ours(path: Path, of: Contract, code_sets: CodeSets, home: Path) -> int:
    """Check and split a file, fetch all failing keys, and return how many there are."""
    columns = tuple(item.name for item in of.properties)
    source = SourceRelation(f"SELECT * FROM {relation(path, of)}", columns)
    with closing(lake.open_workspace(load_settings(home=home))) as con:
        compiled = compile_batch(of, plan(of), source, as_of=AS_OF, code_sets=code_sets)
        run_batch(con, compiled)
        keys = ", ".join(map(identifier, of.key))
        return len(
            con.execute(f"SELECT row_number, {keys}, failed_rules FROM quarantine").fetchall()
        )


def typed_load(path: Path, of: Contract, folder: Path) -> None:
    """Load a file into typed columns as DuckDB does it; what does not cast is left out."""
    limits = load_settings(home=folder)
    config: dict[str, str | bool | int | float | list[str]] = {
        "threads": limits.threads,
        "memory_limit": limits.memory_limit,
        "temp_directory": str(folder / "spill-of-load"),
    }
    with closing(duckdb.connect(config=config)) as con:
        con.execute(f"CREATE TABLE loaded AS SELECT * FROM {typed_relation(path, of)}")


def _cases(settings: BenchSettings, name: str, times: int) -> Iterator[_Case]:
    of, code_sets = contract(), load_code_sets()
    folder = settings.scratch(name)
    count = max(1000, round(settings.residents * ROWS_PER_RESIDENT * times))
    for form in FORMATS:
        path = folder / f"residents.{form}"
        write_file(path, count, of, code_sets)
        yield _Case(settings, f"{name}-{form}", of, code_sets, path, count)
        path.unlink()


def _against_typed_load(case: _Case) -> Row:
    load = partial(typed_load, case.path, case.contract, case.settings.folder)
    sides: dict[str, Callable[[], float]] = {_OURS: case.ours, "typed load": partial(seconds, load)}
    figures = medians(interleaved(sides, case.settings.runs, case.settings.say))
    return Row(
        name=f"{case.name}-typed-load",
        measures="time of check, split and failing keys / time of the peer",
        size=case.size,
        runs=case.settings.runs,
        ours=figures[_OURS],
        peer=Peer("DuckDB typed load", installed("duckdb")),
        theirs=figures["typed load"],
        unit="s",
        ratio=figures[_OURS] / figures["typed load"],
        mark=_LOAD,
    )


def _against_gx(case: _Case) -> Row:
    gx_native.engine()  # imported before its clock runs
    asked = gx_native.expectations(case.contract, case.code_sets, AS_OF)
    call = partial(gx_native.failing_keys, case.path, case.contract, case.code_sets, AS_OF)
    row = _faster(case, Peer("GX on pandas", installed("great-expectations")), "gx-pandas")
    return _measured(case, row, partial(seconds, call), len(asked), keys=True, mark=_GX)


def _against_engines(case: _Case) -> Iterator[Row]:
    job = {
        "file": str(case.path),
        "format": case.path.suffix[1:],
        "key": case.contract.key[0],
        "columns": [{"name": item.name} for item in case.contract.properties],
        "rules": rules(case.contract, case.code_sets),
    }
    for engine in peers.ENGINES:
        row = _faster(case, Peer(engine.title, engine.version), engine.folder)
        judge = partial(peers.run, engine, job, case.settings.folder)
        try:
            first = judge()  # that it runs at all, what it can, and a warm file
        except SourceError as exc:
            why = "; ".join((exc.message, *exc.findings[-1:]))
            case.settings.say(why)
            yield replace(row, ours=case.ours(), size=f"{case.size}; {why}")
            continue
        keys = first.keys is not None
        mark = _KEYS if keys else None
        call = partial(lambda judge: judge().seconds, judge)
        yield _measured(case, row, call, len(first.expressed), keys=keys, mark=mark)


def _faster(case: _Case, peer: Peer, short: str) -> Row:
    """Return the row of an engine before anything is measured."""
    return Row(
        name=f"{case.name}-{short}",
        measures="time of the peer / time of check, split and failing keys",
        size=case.size,
        runs=1,
        ours=0.0,
        peer=peer,
        theirs=None,
        unit="s",
        ratio=None,
        mark=None,
    )


def _measured(
    case: _Case,
    row: Row,
    call: Callable[[], float],
    expressed: int,
    *,
    keys: bool,
    mark: Mark | None,
) -> Row:
    """Return the row with its figures; the engines are slow, so they get fewer rounds."""
    runs = max(1, case.settings.runs // 2)
    figures = medians(interleaved({_OURS: case.ours, row.peer.name: call}, runs, case.settings.say))
    theirs = figures[row.peer.name]
    given = "with failing keys" if keys else "counts only, no failing keys"
    return replace(
        row,
        size=f"{case.size}; the peer {expressed} of them, {given}",
        runs=runs,
        ours=figures[_OURS],
        theirs=theirs,
        ratio=theirs / figures[_OURS],
        mark=mark,
    )


def _memory(case: _Case) -> Row:
    """Measure our check in a process of its own, so that nothing else hides in the figure."""
    command = [sys.executable, "-m", "bench.check_child", str(case.path)]
    home = case.settings.folder / "home"
    done = subprocess.run(
        [*command, str(home)],
        capture_output=True,
        text=True,
        cwd=Path(__file__).parent.parent,
        check=False,
    )
    if done.returncode:
        said = done.stderr.strip().splitlines()[-3:]
        raise SourceError("the check did not come to its end", findings=tuple(said))
    gib = json.loads(done.stdout.splitlines()[-1])["peak_bytes"] / 2**30
    peer, theirs = allowance(_GIB)
    return Row(
        name=f"{case.name}-memory",
        measures="peak resident memory of a process that checks the file / memory allowed",
        size=case.size,
        runs=1,
        ours=gib,
        peer=peer,
        theirs=theirs,
        unit="GiB",
        ratio=gib / theirs,
        mark=Mark("<=", 1.0),
    )
