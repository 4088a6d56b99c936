"""The bench's frame: rows say what they say, names lead to code, one broken bench hides no other.

Nothing is measured here.
"""

from __future__ import annotations

import ast
import io
import json
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from rich.console import Console

from bench import __main__ as command
from bench.machine import Machine
from bench.memory import own_peak_bytes, resident_bytes, tree
from bench.registry import BENCHES, Bench, default_names
from bench.row import Mark, Peer, Row, allowance
from bench.settings import BenchSettings
from bench.table import as_json, print_table
from bench.turns import interleaved, medians
from tests.rules.sources import ROOT, modules

MACHINE = Machine("some processor", 2, 24.0, "Linux x86_64", "3.11.7", {"duckdb": "1.5.5"}, 0.1)


def row(ratio: float, mark: Mark, ours: float = 1.0) -> Row:
    return Row(
        "check-load", "ours / theirs", "9 rows", 3, ours, Peer("a", "1"), 2.0, "s", ratio, mark
    )


@pytest.mark.parametrize(
    ("ratio", "ours", "mark", "holds"),
    [
        (2.5, 1.0, Mark("<=", 2.5), True),
        (2.6, 1.0, Mark("<=", 2.5), False),
        (8.0, 1.0, Mark(">=", 8.0), True),
        (7.9, 1.0, Mark(">=", 8.0), False),
        (0.1, 5000.0, Mark(">=", 5000, "ours"), True),
        (99.0, 4999.0, Mark(">=", 5000, "ours"), False),
    ],
)
def test_mark_holds_at_its_bound_and_not_beyond(
    ratio: float, ours: float, mark: Mark, holds: bool
) -> None:
    assert row(ratio, mark, ours).holds is holds


def test_table_and_json_say_the_same() -> None:
    rows = [row(2.0, Mark("<=", 2.5)), row(9.0, Mark("<=", 2.5))]
    text = io.StringIO()
    print_table(MACHINE, rows, Console(file=text, width=160))
    document = json.loads(as_json(MACHINE, rows))
    assert [r["holds"] for r in document["rows"]] == [True, False]
    assert document["machine"]["cores"] == 2
    shown = text.getvalue()
    assert "≤ 2.5" in shown
    assert "medians of 3 interleaved runs" in shown
    assert "some processor" in shown


def test_row_without_mark_or_figure_neither_holds_nor_fails() -> None:
    absent = replace(row(1.0, Mark(">=", 1.0)), theirs=None, ratio=None)
    told = replace(row(0.1, Mark(">=", 1.0)), mark=None)
    assert (absent.holds, told.holds) == (None, None)
    text = io.StringIO()
    print_table(MACHINE, [absent, told], Console(file=text, width=160))
    assert "not run" in text.getvalue()
    assert [r["holds"] for r in json.loads(as_json(MACHINE, [absent, told]))["rows"]] == [None] * 2


def test_allowance_is_no_program() -> None:
    peer, limit = allowance(90.0)
    assert (peer.version, limit) == ("", 90.0)


def test_sides_take_turns_and_swap() -> None:
    order: list[str] = []

    def side(name: str) -> float:
        order.append(name)
        return float(len(order))

    found = interleaved({"a": lambda: side("a"), "b": lambda: side("b")}, 3, lambda _: None)
    assert order == ["a", "b", "b", "a", "a", "b"]
    assert medians(found) == {"a": 4.0, "b": 3.0}


def test_unknown_name_is_a_usage_error_that_lists_the_names(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert command.main(["check", "nonsense"]) == 64
    said = capsys.readouterr()
    assert said.out == ""
    assert "nonsense" in said.err
    assert all(name in said.err for name in BENCHES)


@pytest.mark.parametrize("arguments", [["--residents", "0"], ["--runs", "x"], ["--what"]])
def test_unfit_option_ends_with_64(arguments: list[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        command.main(arguments)
    assert ended.value.code == 64


def good(settings: BenchSettings) -> Iterator[Row]:
    (settings.scratch("left") / "over").write_text("x")
    yield row(1.0, Mark("<=", 2.5))


def slow(_: BenchSettings) -> Iterator[Row]:
    yield row(3.0, Mark("<=", 2.5))


def broken(_: BenchSettings) -> Iterator[Row]:
    yield row(1.0, Mark("<=", 2.5))
    raise OSError("the disk is full")


@pytest.fixture
def invented(monkeypatch: pytest.MonkeyPatch) -> None:
    benches = {n: Bench(__name__, n, "invented") for n in ("good", "slow", "broken")}
    monkeypatch.setattr(command, "BENCHES", benches)


@pytest.mark.parametrize(
    ("names", "code", "rows"),
    [(["good"], 0, 1), (["good", "slow"], 1, 2), (["broken", "good"], 70, 2)],
)
@pytest.mark.usefixtures("invented")
def test_exit_code_says_what_became_of_it(
    names: list[str], code: int, rows: int, capsys: pytest.CaptureFixture[str]
) -> None:
    assert command.main([*names, "--json", "--runs", "1"]) == code
    assert len(json.loads(capsys.readouterr().out)["rows"]) == rows


def test_every_bench_leads_to_a_function() -> None:
    for name, bench in BENCHES.items():
        path = ROOT / (bench.module.replace(".", "/") + ".py")
        functions = {
            n.name for n in ast.parse(path.read_text()).body if isinstance(n, ast.FunctionDef)
        }
        assert bench.function in functions, name


def test_rows_are_named_after_their_bench() -> None:
    """Whoever reads a row's name knows what to run again."""
    literal = re.compile(r'name=f?"([a-z0-9-]+)')
    benches = {bench.module for bench in BENCHES.values()}
    names = [n for m in modules("bench") if m.name in benches for n in literal.findall(m.text)]
    assert names
    assert [n for n in names if not n.startswith(tuple(BENCHES))] == []


def test_the_long_one_runs_only_when_named() -> None:
    assert "main-job-1m" not in default_names()
    assert set(default_names()) < set(BENCHES)


def test_memory_is_read_from_the_kernel() -> None:
    if not Path("/proc/self/status").exists():
        pytest.skip("no /proc")
    now = resident_bytes(tree(_own_pid())[0])
    assert now > 1 << 20
    assert own_peak_bytes() > now // 2  # the kernel counts the two at different moments


def _own_pid() -> int:
    return int(Path("/proc/self/stat").read_text().split()[0])
