"""What the check bench measures: the rules, the file, and engines that may be absent.

Nothing is timed here.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from bench import peers
from bench.check import ours, rows
from bench.failing_sql import rules
from bench.residents import FORMATS, RULES, contract, relation, write_file
from bench.settings import BenchSettings
from contracts.checks import plan
from contracts.codes import load_code_sets
from hub.errors import SourceError
from tests.contracts.small import engine

ROWS = 10_000


def test_contract_has_exactly_the_26_rules() -> None:
    planned = {spec.id for spec in plan(contract())}
    assert planned == set(RULES)
    assert len(planned) == 26


def test_both_formats_hold_the_same_rows_and_give_the_same_keys(tmp_path: Path) -> None:
    of, code_sets = contract(), load_code_sets()
    paths = [tmp_path / f"residents.{form}" for form in FORMATS]
    for path in paths:
        write_file(path, ROWS, of, code_sets)
    with engine() as con:
        first, second = (f"(SELECT * FROM {relation(path, of)})" for path in paths)
        assert con.execute(f"FROM {first} EXCEPT ALL FROM {second}").fetchall() == []
    keys = [ours(path, of, code_sets, tmp_path / "home") for path in paths]
    assert keys[0] == keys[1]
    assert 0 < keys[0] < ROWS


def test_conditions_for_other_engines_are_sql_that_finds_something(tmp_path: Path) -> None:
    of, code_sets = contract(), load_code_sets()
    path = tmp_path / "residents.parquet"
    write_file(path, ROWS, of, code_sets)
    asked = {rule["id"]: rule["fails"] for rule in rules(of, code_sets)}
    whole = {"key_duplicate", "phone_mostly_present", "has_rows"}
    assert {name for name, fails in asked.items() if fails is None} == whole
    with engine() as con:
        found = {
            name: con.execute(f"SELECT count(*) FROM {relation(path, of)} WHERE {fails}").fetchone()
            for name, fails in asked.items()
            if fails
        }
    broken = {name for name, count in found.items() if count and count[0]}
    assert {
        "codes.sex",
        "codes.ethnicity",
        "type.birth_date",
        "pattern.phone",
        "resident_id_check_digit",
        "resident_id_matches_birth_date",
        "resident_id_matches_sex",
    } <= broken
    assert not broken & {"required.name", "born_before_collected", "grid_code_known"}


def test_engine_that_cannot_be_installed_gives_a_row_that_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(engine: peers.Engine) -> Path:
        raise SourceError(f"{engine.title} cannot be installed here")

    monkeypatch.setattr(peers, "environment", refused)
    monkeypatch.setattr("bench.check._against_gx", lambda case: None)
    settings = BenchSettings(residents=120, runs=1, folder=tmp_path, say=lambda _: None)
    found = [row for row in rows(settings) if row is not None]
    absent = [row for row in found if row.theirs is None]
    assert {row.peer.name for row in absent} == {engine.title for engine in peers.ENGINES}
    assert all("cannot be installed here" in row.size for row in absent)
    assert {row.holds for row in absent} == {None}
    assert [row.name for row in found if row.theirs is not None] == [
        "check-csv-typed-load",
        "check-parquet-typed-load",
    ]


@pytest.mark.parametrize(
    "engine", [*peers.ENGINES, *peers.DECIDERS], ids=lambda engine: engine.folder
)
def test_requirements_of_an_engine_are_pinned_and_name_no_host(engine: peers.Engine) -> None:
    text = engine.requirements.read_text()
    entries = re.split(r"\n(?=[a-z0-9])", text)
    assert [e for e in entries if e.strip() and not re.search("==.*--hash=sha256:", e, re.S)] == []
    assert "://" not in text
    assert engine.version in text
