"""The one scan: a ladder of projections from delivered text to `checked`; pure text.

Each projection names what the next one needs:

    raw      the delivered text, and whether it already has its column's shape
    text     the cleaned text; only cells off shape take the cleaning expressions
    typed    the value, NULL where a strict cast fails; identity numbers as integers
    valid    whether identity numbers are right
    masks    one bit per row check
    checked  typed columns, masks, and the raw text of the cells that were off shape

Source: RE2; DuckDB evaluates the branch of a CASE for its own rows only.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from contracts.arithmetic import has_birth_date, has_check_character
from contracts.cleaning import Transform, stages
from contracts.conditions import Condition
from contracts.frame import CHECKED, Frame
from contracts.masks import Masks, bits
from contracts.model import Property
from contracts.shapes import (
    BOOLEAN,
    INTEGER,
    ISO_DATE,
    ISO_TIMESTAMP,
    NUMBER,
    RESIDENT_ID,
    Shape,
    read_date,
)
from hub.quoting import identifier, literal

ASIDE = identifier("aside")
PLAIN = identifier("plain")
SEPARATOR = "chr(31)"
_CASTS = {
    "integer": ("BIGINT", INTEGER),
    "number": ("DOUBLE", NUMBER),
    "boolean": ("BOOLEAN", BOOLEAN),
    "date": ("DATE", ISO_DATE),
    "timestamp": ("TIMESTAMP", ISO_TIMESTAMP),
}


@dataclass(frozen=True, slots=True)
class Rung:
    """One column on its way down: its shape, its cleaning steps, whether the source has it."""

    item: Property
    shape: Shape
    steps: tuple[Transform, ...]
    present: bool


def scan(
    frame: Frame,
    rungs: Sequence[Rung],
    masks: Masks,
    conditions: Mapping[str, Condition],
    source: tuple[str, bool],
) -> str:
    """Return the statement that creates `checked`.

    Args:
        conditions: id of a row check -> when a row fails it; others keep their bit at 0.
        source: SELECT of the delivered rows, and whether it also gives `row_number`.
    """
    sql, numbered = source
    kept = ["row_number"] if numbered else []
    for named in (
        _raw(frame, rungs),
        *_texts(frame, rungs),
        _typed(frame, rungs),
        _valid(frame, rungs),
    ):
        sql = f"SELECT {', '.join([*kept, *named])}\nFROM ({sql})"
    words = ", ".join(
        f"{_word(frame, masks, conditions, word)} AS {name}"
        for word, name in enumerate(masks.words)
    )
    sql = f"SELECT *, {words}\nFROM ({sql})"
    columns = [
        *kept,
        *(frame.typed(rung.item.name) for rung in rungs),
        *masks.words,
        _aside(frame, rungs),
    ]
    return f"CREATE OR REPLACE TABLE {CHECKED} AS SELECT {', '.join(columns)}\nFROM ({sql})"


def raw_text(rungs: Sequence[Rung], rung: Rung) -> str:
    """SQL over `checked`: the raw text of a cell that was off shape, else NULL."""
    return _part(list(rungs).index(rung))


def uncast_text(rungs: Sequence[Rung], rung: Rung) -> str | None:
    """SQL over `checked`: the cleaned text of a cell whose cast failed; None for text columns."""
    cast = _cast_rungs(rungs)
    return _part(len(rungs) + cast.index(rung)) if rung in cast else None


def _part(number: int) -> str:
    return f"nullif(split_part({ASIDE}, {SEPARATOR}, {number + 1}), '')"


def _raw(frame: Frame, rungs: Sequence[Rung]) -> list[str]:
    named = []
    for rung in rungs:
        name = rung.item.name
        cell = frame.typed(name) if rung.present else "NULL::VARCHAR"
        empty = "false" if rung.item.required else "true"
        shaped = f"coalesce({rung.shape.test(cell)}, {empty})"
        named += [
            f"{cell} AS {frame.raw(name)}",
            f"{shaped if rung.present else empty} AS {frame.plain(name)}",
        ]
        if rung.item.logical_type == "date":
            named.append(f"{read_date(cell)} AS {frame.early(name)}")
    return named


def _texts(frame: Frame, rungs: Sequence[Rung]) -> Iterator[list[str]]:
    """Yield the projections that turn raw cells into cleaned texts, one per stage."""
    staged = [stages(rung.steps) for rung in rungs]
    for number in range(max(map(len, staged), default=0)):
        named = []
        for rung, own in zip(rungs, staged, strict=True):
            name = rung.item.name
            raw, plain, text = frame.raw(name), frame.plain(name), frame.text(name)
            value = text if number else raw
            cell = value
            for step in own[number] if number < len(own) else ():
                cell = step.apply(cell)
            if number < len(own):
                cell = f"CASE WHEN {plain} THEN {value} ELSE {cell} END"
            early = [frame.early(name)] if rung.item.logical_type == "date" else []
            named += [raw, plain, *early, f"{cell} AS {text}"]
        yield named


def _typed(frame: Frame, rungs: Sequence[Rung]) -> list[str]:
    named = []
    for rung in rungs:
        name, kind = rung.item.name, rung.item.logical_type
        text, plain = frame.text(name), frame.plain(name)
        named += [
            frame.raw(name),
            plain,
            text,
            f"{_cast(kind, text, plain, frame.early(name))} AS {frame.typed(name)}",
        ]
        if rung.item.semantic == "resident_id":
            body = f"CAST(left({text}, 17) AS BIGINT)"
            body = _where_formed(plain, text, RESIDENT_ID, (body, body))
            named.append(f"{body} AS {frame.body(name)}")
    return named


def _cast(kind: str, text: str, plain: str, early: str) -> str:
    """SQL of a strict cast: where the text is plain or, asked only then, has the form."""
    if kind not in _CASTS:
        return text
    sql_type, form = _CASTS[kind]
    value = f"TRY_CAST({text} AS {sql_type})"
    return _where_formed(plain, text, form, (early if kind == "date" else value, value))


def _where_formed(plain: str, text: str, form: str, values: tuple[str, str]) -> str:
    formed = f"regexp_full_match({text}, {literal(form)})"
    return f"CASE WHEN {plain} THEN {values[0]} WHEN {formed} THEN {values[1]} END"


def _valid(frame: Frame, rungs: Sequence[Rung]) -> list[str]:
    every = " AND ".join(frame.plain(rung.item.name) for rung in rungs)
    named = ["*", f"({every}) AS {PLAIN}"]
    for rung in rungs:
        if rung.item.semantic == "resident_id":
            name = rung.item.name
            body, text = frame.body(name), frame.text(name)
            right = f"{has_check_character(body, text)} AND {has_birth_date(body)}"
            named.append(f"CASE WHEN {body} IS NOT NULL THEN {right} END AS {frame.valid(name)}")
    return named


def _word(frame: Frame, masks: Masks, conditions: Mapping[str, Condition], word: int) -> str:
    """SQL of one mask word.

    Checks with a cheap test for rows that cannot fail are asked only of rows that do not pass
    all of these tests, and of those only where the check's own test does not pass; the others
    are asked of every row.
    """
    cells = {frame.plain(item.name) for item in frame.contract.properties}
    asked: dict[str | None, list[tuple[int, str]]] = {}
    for spec in masks.specs:
        if spec.id in conditions and masks.place(spec)[0] == word:
            found = conditions[spec.id]
            asked.setdefault(found.clear, []).append((masks.place(spec)[1], found.fails))
    always = asked.pop(None, [])
    terms = [bits(always)] if always else ["0::BIGINT"]
    if asked:
        tests = dict.fromkeys(PLAIN if clear in cells else clear for clear in asked)
        proven = " AND ".join(str(test) for test in tests)
        doubtful = " | ".join(
            f"(CASE WHEN {clear} THEN 0::BIGINT ELSE {bits(own)} END)"
            for clear, own in asked.items()
        )
        terms.append(f"(CASE WHEN {proven} THEN 0::BIGINT ELSE {doubtful} END)")
    return " | ".join(terms)


def _aside(frame: Frame, rungs: Sequence[Rung]) -> str:
    """SQL: what the typed columns of a row cannot tell, or NULL when they tell everything.

    One text with a part per column, the raw cell where it was off shape, then a part per cast
    column, the cleaned text where the cast failed. (A list of texts would be tidier; building
    one costs ten times as much.)
    """
    off = {frame.raw(r.item.name): f"NOT {frame.plain(r.item.name)}" for r in rungs}
    failed = {frame.text(r.item.name): _cast_failed(frame, r) for r in _cast_rungs(rungs)}
    parts = [
        f"CASE WHEN {test} THEN replace({cell}, {SEPARATOR}, chr(0)) ELSE '' END"
        for cell, test in (*off.items(), *failed.items())
    ]
    needed = " OR ".join((f"NOT {PLAIN}", *(f"({test})" for test in failed.values())))
    joined = f", {SEPARATOR}, ".join(parts)
    return f"CASE WHEN {needed} THEN concat({joined}) END AS {ASIDE}"


def _cast_failed(frame: Frame, rung: Rung) -> str:
    name = rung.item.name
    return f"{frame.typed(name)} IS NULL AND {frame.text(name)} IS NOT NULL"


def _cast_rungs(rungs: Sequence[Rung]) -> list[Rung]:
    return [rung for rung in rungs if rung.item.logical_type in _CASTS]
