"""A first contract from a sample file: read as a delivery would be, guessed, tried on itself.

The file is read by the same parser as every delivery, for whatever format it has, and the guess is
checked by the same one pass. Nothing of the file is kept; what is written holds counts and shares.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

from assets.delivery.parsing import Parsed, parse_sample
from contracts.check import release, run_batch
from contracts.checks import plan
from contracts.codes import CodeSets
from contracts.compile import compile_batch
from contracts.drafting.draft import draft
from contracts.drafting.glossary import Glossary
from contracts.drafting.guess import Column, Guess, guess_column
from contracts.drafting.profile import profile
from contracts.drafting.recognise import is_name
from contracts.drafting.softening import MOST_ROUNDS, remarks, softened
from contracts.drafting.whole import assign_roles, mark_key, mark_key_fields
from contracts.loader import read_one
from contracts.model import Contract, header_form
from contracts.relations import related
from contracts.verdict import BatchVerdict
from hub.config import Settings
from hub.errors import DeliveryRefused
from hub.quoting import identifier
from hub.store import lake

LOOKED_AT = 20_000
_TITLE = re.compile(r"[^\W\d][^\d,;|\t]{0,29}\d{0,2}[^\d,;|\t]{0,10}")


@dataclass(frozen=True, slots=True)
class SampleHeaders:
    """Reads whatever header a file has: the first whole row of distinct titles.

    Args:
        titles: column -> header, filled when the header row has been resolved.
    """

    glossary: Glossary
    titles: dict[str, str] = field(default_factory=dict)

    def find(self, rows: Sequence[Sequence[str]]) -> tuple[int, int]:
        """Return which row is the header, and how many columns it has.

        Raises:
            DeliveryRefused: when no row is one beyond doubt; its data would become titles.
        """
        widest = max((sum(bool(c.strip()) for c in row) for row in rows), default=0)
        for index, row in enumerate(rows):
            cells = [cell.strip() for cell in row if cell.strip()]
            if not cells or len(cells) < 0.9 * widest:
                continue  # a title above the table
            if not self._is_header(row, rows[index + 1 :]):
                break  # below the first whole row there is data
            return index, len(cells) + sum(self.glossary.known(c) is not None for c in cells)
        raise DeliveryRefused(
            "no header row was found in the sample: put one title above every column"
        )

    def _is_header(self, row: Sequence[str], below: Sequence[Sequence[str]]) -> bool:
        """Say whether a row holds titles: no numbers, each once, none of them a value below."""
        forms = [header_form(cell) for cell in row if cell.strip()]
        if len(set(forms)) != len(forms):
            return False
        strange = {
            place: cell.strip()
            for place, cell in enumerate(row)
            if cell.strip() and self.glossary.known(cell) is None
        }
        if sum(map(is_name, strange.values())) * 2 > len(strange):
            return False
        return all(
            _TITLE.fullmatch(cell) is not None and not _recurs(place, cell, below)
            for place, cell in strange.items()
        )

    def resolve(self, header: Sequence[str]) -> tuple[str, ...]:
        """Return a name for each cell of the header row.

        Raises:
            DeliveryRefused: when a column has no header, or two have the same.
        """
        forms = Counter(header_form(cell) for cell in header)
        if "" in forms:
            raise DeliveryRefused("a column of the sample has no header: give every column one")
        if max(forms.values(), default=0) > 1:
            raise DeliveryRefused("two columns of the sample have the same header: rename one")
        names = self.glossary.names(header)
        self.titles.update(zip(names, header, strict=True))
        return names

    def absent(self, present: Sequence[str]) -> tuple[str, ...]:  # noqa: ARG002 - part of reading
        """Return nothing: there is no contract yet that could be lacking something."""
        return ()


def _recurs(place: int, cell: str, rows: Sequence[Sequence[str]]) -> bool:
    return any(place < len(row) and row[place].strip() == cell.strip() for row in rows)


@dataclass(frozen=True, slots=True)
class Draft:
    """A first contract: its file's text, and how its own sample fares under it."""

    text: str
    contract: Contract
    guess: Guess
    verdict: BatchVerdict


@dataclass(frozen=True, slots=True)
class Task:
    """What is to be drafted: the dataset's name, its owner, and the day it is looked at."""

    dataset: str
    owner: str
    today: date


def draft_contract(
    file: Path, task: Task, known: Sequence[Contract], sets: CodeSets, settings: Settings
) -> Draft:
    """Infer a first contract from a sample file.

    Args:
        known: contracts whose headers are understood.
        settings: the clear text lies in their work folder for as long as this takes.

    Raises:
        DeliveryRefused: when the file cannot be read as a delivery could.
    """
    glossary = Glossary(known, task.dataset.partition(".")[0])
    headers = SampleHeaders(glossary)
    with _opened(file, headers, settings) as (con, parsed):
        guess = _guess(con, parsed, headers, task, sets)
        return _tried(con, parsed, guess, task, sets, settings)


@contextmanager
def _opened(
    file: Path, headers: SampleHeaders, settings: Settings
) -> Iterator[tuple[lake.Connection, Parsed]]:
    with (
        parse_sample(file, headers, settings) as parsed,
        closing(lake.open_workspace(settings)) as con,
    ):
        yield con, parsed


def _guess(
    con: lake.Connection, parsed: Parsed, headers: SampleHeaders, task: Task, sets: CodeSets
) -> Guess:
    names = parsed.source.columns
    listed = ", ".join(identifier(name) for name in names)
    rows = con.execute(f"SELECT {listed} FROM ({parsed.source.sql}) LIMIT {LOOKED_AT}").fetchall()
    cells: dict[str, list[str | None]] = {
        name: [row[place] for row in rows] for place, name in enumerate(names)
    }
    profiles = [profile(headers.titles[name], cells[name], sets) for name in names]
    columns: Sequence[Column] = [
        guess_column(name, seen, headers.glossary)
        for name, seen in zip(names, profiles, strict=True)
    ]
    columns, rules = related(columns, profiles, cells, sets, task.today)
    columns = assign_roles(columns, headers.glossary)
    columns = mark_key(columns, profiles, lambda a, b: _told_apart(cells[a], cells[b]))
    doubts: tuple[str, ...] = ()
    if len(rows) < parsed.rows:
        doubts = (f"按前 {len(rows):,} 行推断 / inferred from the first {len(rows):,} rows",)
    columns = mark_key_fields(columns)
    return Guess(task.dataset, task.owner, parsed.rows, tuple(columns), rules, doubts)


def _told_apart(first: Sequence[str | None], second: Sequence[str | None]) -> float:
    return len(set(zip(first, second, strict=True))) / len(first) if first else 0.0


def _tried(
    con: lake.Connection,
    parsed: Parsed,
    guess: Guess,
    task: Task,
    sets: CodeSets,
    settings: Settings,
) -> Draft:
    """Check the sample by the guess, and soften the guess until its own sample passes."""
    for _ in range(MOST_ROUNDS):
        contract, verdict = _checked(con, parsed, guess, task, sets, settings)
        softer = None if verdict.passed else softened(guess, verdict)
        if softer is None:
            break
        guess = softer
    text = draft(guess, remarks(verdict))
    return Draft(text, contract, guess, verdict)


def _checked(
    con: lake.Connection,
    parsed: Parsed,
    guess: Guess,
    task: Task,
    sets: CodeSets,
    settings: Settings,
) -> tuple[Contract, BatchVerdict]:
    path = settings.work / f"{guess.dataset}.yaml"
    path.write_text(draft(guess), encoding="utf-8")
    try:
        contract = read_one(path)
    finally:
        path.unlink()
    compiled = compile_batch(
        contract, plan(contract), parsed.source, as_of=task.today, code_sets=sets
    )
    try:
        return contract, run_batch(con, compiled)
    finally:
        release(con)
