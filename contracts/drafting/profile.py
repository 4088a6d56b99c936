"""A column of a sample in numbers: how much is filled, how much looks like what. Pure.

The profile holds shares and counts. The few values it holds are those of columns that repeat a
few short words: never a name, a number of a person, or anything rare.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from contracts.codes import DIVISIONS, CodeSet, CodeSets
from contracts.drafting.recognise import MEANINGS, TYPES, clean, is_name

MOST_VALUES = 30
LEAST_REPEATS = 10
RARE = 5
_LONGEST_VALUE = 40
_SHAPE_LIMIT = 3


@dataclass(frozen=True, slots=True)
class CodeMatch:
    """How well a code set explains a column.

    Args:
        share: share of the filled cells that are a code or a label of it.
        by_label: whether words of it occur, not only bare codes.
    """

    name: str
    share: float
    by_label: bool


@dataclass(frozen=True, slots=True)
class Profile:
    """What a column of a sample looks like.

    Args:
        rows, filled, distinct: counts; the last over cleaned values.
        types, meanings: logical type or semantic type -> share of the filled cells.
        known_divisions: share of the filled cells that are in the list of divisions.
        codes: code sets that explain nearly every cell, best first.
        values: the words it repeats, empty unless they are few, short, frequent and no names.
        rare: how many of the few words were left out for being rare.
        shape: pattern that every value has, or None.
        lengths: shortest and longest value, in characters.
        is_padded: whether any number has leading zeros.
    """

    header: str
    rows: int
    filled: int
    distinct: int
    types: Mapping[str, float]
    meanings: Mapping[str, float]
    known_divisions: float
    codes: tuple[CodeMatch, ...]
    values: tuple[str, ...]
    rare: int
    shape: str | None
    lengths: tuple[int, int]
    is_padded: bool

    @property
    def filled_share(self) -> float:
        """Share of the rows that have a value; 0 without rows."""
        return self.filled / self.rows if self.rows else 0.0


def profile(header: str, cells: Sequence[str | None], code_sets: CodeSets) -> Profile:
    """Return what a column looks like."""
    counts = Counter(value for cell in cells if (value := clean(cell)) is not None)
    filled = sum(counts.values())
    divisions = {code.code for code in code_sets[DIVISIONS].codes} if DIVISIONS in code_sets else {}
    values, rare = _values(counts, filled)
    lengths = [len(value) for value in counts] or [0]

    def share(of: Mapping[str, int]) -> float:
        return sum(of.values()) / filled if filled else 0.0

    def recognised(test: object) -> float:
        assert callable(test)
        return share({v: n for v, n in counts.items() if test(v)})

    return Profile(
        header=header,
        rows=len(cells),
        filled=filled,
        distinct=len(counts),
        types={name: recognised(test) for name, test in TYPES.items()},
        meanings={name: recognised(test) for name, test in MEANINGS.items()},
        known_divisions=share({v: n for v, n in counts.items() if v in divisions}),
        codes=tuple(_code_matches(counts, filled, code_sets)),
        values=values,
        rare=rare,
        shape=_shape(counts),
        lengths=(min(lengths), max(lengths)),
        is_padded=any(v[:1] == "0" and len(v) > 1 and v.isdigit() for v in counts),
    )


def _values(counts: Counter[str], filled: int) -> tuple[tuple[str, ...], int]:
    """Return the words a column repeats, and how many rare ones are not among them."""
    few = 1 < len(counts) <= MOST_VALUES and filled >= LEAST_REPEATS * len(counts)
    longest = max(map(len, counts), default=0)
    names = sum(map(is_name, counts))
    if not few or longest > _LONGEST_VALUE or 2 * names >= len(counts):
        return (), 0
    frequent = sorted(value for value, n in counts.items() if n >= RARE)
    return tuple(frequent), len(counts) - len(frequent)


def _code_matches(counts: Counter[str], filled: int, code_sets: CodeSets) -> list[CodeMatch]:
    if not counts or len(counts) > 4 * MOST_VALUES:
        return []
    found = [
        match
        for name, code_set in code_sets.items()
        if name != DIVISIONS and (match := _match(counts, filled, code_set)).share >= 0.9
    ]
    sizes = {name: len(code_sets[name].codes) for name in code_sets}
    return sorted(found, key=lambda m: (not m.by_label, -m.share, sizes[m.name]))


def _match(counts: Counter[str], filled: int, code_set: CodeSet) -> CodeMatch:
    codes = {item.code for item in code_set.codes}
    padded = {code.lstrip("0") for code in codes}
    labels = {item.label for item in code_set.codes if item.label} - codes
    pairs = {f"{i.code}{sign}{i.label}" for i in code_set.codes for sign in "-:. "}
    words = sum(n for value, n in counts.items() if value in labels or value in pairs)
    bare = sum(n for value, n in counts.items() if value in codes or value in padded)
    return CodeMatch(code_set.name, (words + bare) / filled, words > filled / 10)


def _shape(counts: Counter[str]) -> str | None:
    """Return one pattern of letters and digits that every value has, None when there is none."""
    shapes = Counter[str]()
    for value in counts:
        if not value.isascii() or len(value) > 40 or not any(c.isdigit() for c in value):
            return None
        shapes["".join(_kind(c) for c in value)] += 1
        if len(shapes) > _SHAPE_LIMIT:
            return None
    if len(shapes) != 1 or len(counts) < 20:
        return None
    runs = re.findall(r"(.)(\1*)", next(iter(shapes)))
    return "^" + "".join(_run(kind, 1 + len(more)) for kind, more in runs) + "$"


def _kind(char: str) -> str:
    if char.isdigit():
        return "9"
    return "A" if char.isupper() else "a" if char.islower() else char


def _run(kind: str, length: int) -> str:
    one = {"9": "[0-9]", "A": "[A-Z]", "a": "[a-z]"}.get(kind, re.escape(kind))
    return one if length == 1 else f"{one}{{{length}}}"
