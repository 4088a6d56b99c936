"""What the columns of a sample say about each other: rules that nearly every row keeps. Pure.

A rule is proposed only when it could fail and does not: an identity number and a date that agree
in nine rows of ten are a number and a birth date.

Source: GB 11643-1999 (birth date and sex in the number).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import date

from contracts.codes import CodeSets
from contracts.drafting.guess import FLOORS, Column, Rule
from contracts.drafting.profile import Profile
from contracts.drafting.recognise import clean, day_of, id_of
from contracts.model import Severity
from hub.identifiers import ResidentId

Cells = Mapping[str, Sequence[str | None]]
_RELATED, _SURE, _LEAST_ROWS = 0.9, 0.98, 20


def related(
    columns: Sequence[Column],
    profiles: Sequence[Profile],
    cells: Cells,
    sets: CodeSets,
    today: date,
) -> tuple[tuple[Column, ...], tuple[Rule, ...]]:
    """Return the columns as their relations show them, and the rules to propose."""
    columns, rules = _with_birth_dates(columns, cells)
    rules += _sexes(columns, cells, sets)
    rules += list(_divisions(columns, profiles))
    rules += list(_past(columns, cells, today))
    return columns, tuple(rules)


def _with_birth_dates(
    columns: Sequence[Column], cells: Cells
) -> tuple[tuple[Column, ...], list[Rule]]:
    found = list(columns)
    rules: list[Rule] = []
    for holder in (c for c in columns if c.semantic == "resident_id"):
        numbers = _numbers(cells[holder.name])
        for place, column in enumerate(found):
            if column.logical_type != "date":
                continue
            share = _agreement(numbers, cells[column.name], _is_birth_date)
            if share is None or share < _RELATED:
                continue
            level = max(column.classification, FLOORS["birth_date"])
            found[place] = replace(
                column, semantic="birth_date", role=column.role or holder.role, classification=level
            )
            arguments = {"id": holder.name, "birth_date": column.name}
            rules.append(_rule("resident_id_matches_birth_date", arguments, share))
    return tuple(found), rules


def _sexes(columns: Sequence[Column], cells: Cells, sets: CodeSets) -> list[Rule]:
    labels = {c.label: c.code for c in sets["sex"].codes} if "sex" in sets else {}
    rules = []
    for holder in (c for c in columns if c.semantic == "resident_id"):
        numbers = _numbers(cells[holder.name])
        for column in (c for c in columns if c.code_set == "sex"):

            def is_sex(number: ResidentId, text: str) -> bool | None:
                code = labels.get(text, text[:1])
                return number.sex == code if code in ("1", "2") else None

            share = _agreement(numbers, cells[column.name], is_sex)
            if share is not None and share >= _RELATED:
                arguments = {"id": holder.name, "sex": column.name}
                rules.append(_rule("resident_id_matches_sex", arguments, share))
    return rules


def _numbers(cells: Sequence[str | None]) -> list[ResidentId | None]:
    return [id_of(text) if (text := clean(cell)) is not None else None for cell in cells]


def _is_birth_date(number: ResidentId, text: str) -> bool | None:
    day = day_of(text)
    return None if day is None else day == number.birth_date


def _agreement(
    numbers: Sequence[ResidentId | None],
    cells: Sequence[str | None],
    agrees: Callable[[ResidentId, str], bool | None],
) -> float | None:
    """Return the share of rows that agree of those that can, None when these are too few."""
    kept = counted = 0
    for number, cell in zip(numbers, cells, strict=True):
        text = clean(cell)
        answer = agrees(number, text) if number is not None and text is not None else None
        if answer is not None:
            counted += 1
            kept += answer
    return kept / counted if counted >= _LEAST_ROWS else None


def _rule(name: str, arguments: dict[str, str], share: float) -> Rule:
    severity: Severity = "error" if share >= _SURE else "warning"
    doubt = f"{share:.2%} 的行符合 / of the rows keep it"
    return Rule(name, dict(arguments), severity, () if share >= _SURE else (doubt,))


def _divisions(columns: Sequence[Column], profiles: Sequence[Profile]) -> Iterator[Rule]:
    for column, seen in zip(columns, profiles, strict=True):
        if column.semantic == "division_code":
            yield _rule("division_known", {"column": column.name}, seen.known_divisions)


def _past(columns: Sequence[Column], cells: Cells, today: date) -> Iterator[Rule]:
    for column in columns:
        if column.logical_type not in ("date", "timestamp"):
            continue
        texts = [text for cell in cells[column.name] if (text := clean(cell)) is not None]
        days = [day for text in texts if (day := day_of(text[:10].strip())) is not None]
        past = sum(day <= today for day in days)
        if len(days) >= _LEAST_ROWS and past / len(days) >= _SURE:
            yield _rule("not_future", {"column": column.name}, past / len(days))
