"""The shape of a value that needs neither cleaning nor a second look, per column.

One regular expression a cell decides: a value of this shape passes through as it is, every
other value takes the slow road (cleaning, then each check on the cleaned text). A shape may
refuse a good value, which only costs time; it must never accept one that cleaning would change.

Source: syntax of RE2; GB 11643, GB 32100, ISO 8601.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from contracts.lists import alternation, is_one_of
from contracts.model import Property
from hub.quoting import literal

NULL_WORDS = ("无", "不详", "/", "—", "-", "NULL", "null", "空")
RESIDENT_ID = "[0-9]{17}[0-9X]"
CREDIT_CODE = "[0-9A-HJ-NPQRTUWXY]{18}"
ISO_DATE = "[0-9]{4}-[0-9]{2}-[0-9]{2}"
ISO_TIMESTAMP = ISO_DATE + r" [0-9]{2}:[0-9]{2}:[0-9]{2}(?:\.[0-9]{1,6})?"
INTEGER = "-?[0-9]{1,18}"
NUMBER = r"-?[0-9]{1,18}(?:\.[0-9]{1,12})?"
BOOLEAN = "true|false"
HAN = r"\x{3400}-\x{4dbf}\x{4e00}-\x{9fff}\x{20000}-\x{323af}"
INVISIBLE = (
    r"\x00-\x08\x0e-\x1f\x7f-\x{a0}\x{ad}"
    r"\x{200b}-\x{200f}\x{202a}-\x{202e}\x{2060}-\x{2064}\x{feff}"
)
BLANK = r"\t\n\x0b\x0c\r \x{1680}\x{2000}-\x{200a}\x{2028}\x{2029}\x{202f}\x{205f}\x{3000}"

WIDE = r"\x{ff01}-\x{ff5e}"


def _text(excluded: str) -> str:
    """Texts that start and end visibly, and start like no null word and no apostrophe."""
    visible = f"[^{excluded}{INVISIBLE}{BLANK}]"
    first = f"[^{excluded}{INVISIBLE}{BLANK}'`’/无不空—\\-Nn]"
    return f"{first}(?: *{visible})*"


TEXT = _text("")
KEY_TEXT = _text(WIDE)
NOTHING = r"[^\x00-\x{10ffff}]"
_FIRST_HAN = (  # 不, 无 and 空 begin null words
    r"\x{3400}-\x{4dbf}\x{4e00}-\x{4e0c}\x{4e0e}-\x{65df}\x{65e1}-\x{7a79}\x{7a7b}-\x{9fff}"
    r"\x{20000}-\x{323af}"
)
NAME = f"[{_FIRST_HAN}][{HAN}]{{1,39}}(?:·[{HAN}]{{1,40}}){{0,3}}"

_SEMANTIC = {
    "resident_id": (RESIDENT_ID, 18, 18),
    "credit_code": (CREDIT_CODE, 18, 18),
    "division_code": ("[0-9]{6,14}", 6, 14),
    "phone": ("1[3-9][0-9]{9}|0[0-9]{9,11}", 10, 12),
    "bank_account": ("[0-9]{12,19}", 12, 19),
    "disability_certificate": (f"{RESIDENT_ID}[1-7][1-4](?:[0-9]{{1,2}})?", 20, 22),
}
_TYPED = {
    "integer": INTEGER,
    "number": NUMBER,
    "boolean": BOOLEAN,
    "date": ISO_DATE,
    "timestamp": ISO_TIMESTAMP,
}
_PLAIN_PATTERN = re.compile(
    r"(?:[0-9A-Za-z|+*?,-]|\((?:\?:)?|\)|\{[0-9,]+\}|\[[0-9A-Za-z_-]+\]|\\d)*"
)


@dataclass(frozen=True, slots=True)
class Shape:
    """A full-match expression and what a value of this shape is thereby known to satisfy.

    Args:
        codes: the only texts of this shape, where they are few enough to be listed.
        lengths: fewest and most characters, or None when the shape does not bound them.
    """

    regex: str
    codes: tuple[str, ...] = ()
    lengths: tuple[int, int] | None = None
    proves_pattern: bool = False

    @property
    def proves_codes(self) -> bool:
        """Say whether a value of this shape is one of the listed codes."""
        return bool(self.codes)

    def test(self, cell: str) -> str:
        """Return the SQL that a cell has this shape; NULL for NULL."""
        if self.codes:
            return is_one_of(cell, self.codes)
        if self.regex == ISO_DATE:  # a date that reads back as it was written
            back = f"CAST({read_date(cell)} AS VARCHAR) IS NOT DISTINCT FROM {cell}"
            return f"strlen({cell}) = {len('YYYY-MM-DD')} AND {back}"
        return f"regexp_full_match({cell}, {literal(self.regex)})"


def read_date(cell: str) -> str:
    """Return the SQL of a cell as a date, NULL when it is none; lenient about its form."""
    return f"TRY_CAST({cell} AS DATE)"


def shape_of(item: Property, codes: Sequence[str] | None, mapped: Collection[str] = ()) -> Shape:
    """Return the shape of a column's clean values.

    Args:
        codes: the codes the column may hold, or None when it has no list or too long a one.
        mapped: values the delivering partner means otherwise, which are never clean.
    """
    clean = tuple(code for code in codes or () if code not in (*NULL_WORDS, *mapped))
    if mapped and not clean:
        return Shape(NOTHING)
    if clean:
        lengths = [len(code) for code in clean]
        return Shape(alternation(clean), clean, (min(lengths), max(lengths)))
    if item.logical_type in _TYPED:
        return Shape(_TYPED[item.logical_type])
    if item.semantic in _SEMANTIC:
        regex, fewest, most = _SEMANTIC[item.semantic]
        same = item.options.pattern in (f"^{regex}$", f"^({regex})$")
        return Shape(regex, lengths=(fewest, most), proves_pattern=same)
    pattern = item.options.pattern
    if item.semantic is None and pattern is not None and is_plain(pattern):
        return Shape(bare(pattern), proves_pattern=True)
    if item.semantic == "person_name":
        return Shape(NAME)
    return Shape(KEY_TEXT if item.is_code else TEXT)


def bare(pattern: str) -> str:
    """Return a pattern as a full-match expression.

    A pattern anchored at both ends is unwrapped; any other may match anywhere in the value, as
    in ECMA-262.
    """
    if pattern.startswith("^") and pattern.endswith("$") and "|" not in _outside(pattern):
        return pattern[1:-1]
    return f"(?s:.*)(?:{pattern})(?s:.*)"


def is_plain(pattern: str) -> bool:
    """Say whether an anchored pattern can only match values that cleaning leaves alone."""
    if not (pattern.startswith("^") and pattern.endswith("$")):
        return False
    body = bare(pattern)
    return _PLAIN_PATTERN.fullmatch(body) is not None and not any(
        re.fullmatch(body, word) for word in NULL_WORDS
    )


def pattern_problem(pattern: str) -> str | None:
    """Return why RE2 cannot run a pattern, or None when it can."""
    try:
        re.compile(pattern)
    except (re.error, OverflowError, RecursionError) as exc:
        return f"not a regular expression: {exc}"
    if re.search(r"\(\?(?:=|!|<=|<!|P=|\()|\\[1-9]|\\[gkZ]", pattern):
        return "look-around, back references and conditions are not supported (RE2)"
    if any(int(count) > 1000 for count in re.findall(r"\{(\d+)", pattern)):
        return "repetitions above 1000 are not supported (RE2)"
    return None


def _outside(pattern: str) -> str:
    """Return the pattern's characters outside any group or class."""
    depth, kept, skip = 0, [], False
    for char in pattern:
        if skip:
            skip = False
            continue
        skip = char == "\\"
        depth += (char in "([") - (char in ")]")
        if depth == 0:
            kept.append(char)
    return "".join(kept)
