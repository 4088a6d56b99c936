"""Identifiers of persons, units and places: parse once, carry as a type.

A parsed identifier is normalised and its check character is right; anything else is refused as
`None`, never mended. Cleaning of what partners write (full-width digits, a trailing ×) is the
contracts' business and is recorded there.

Source: GB 11643-1999 (ID number), GB 32100-2015 (credit code), GB/T 2260 (divisions).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date
from operator import mul
from typing import NewType

IdentifierKey = NewType("IdentifierKey", bytes)
SubjectKey = NewType("SubjectKey", bytes)
Label = NewType("Label", bytes)

_ID_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_ID_CHECK = "10X98765432"
_CREDIT_ALPHABET = "0123456789ABCDEFGHJKLMNPQRTUWXY"
_CREDIT_WEIGHTS = (1, 3, 9, 27, 19, 26, 16, 17, 20, 29, 25, 13, 8, 24, 10, 30, 28)
_ID_FORM = re.compile(r"[0-9]{17}[0-9X]")
_OLD_ID_FORM = re.compile(r"[0-9]{15}")
_CREDIT_FORM = re.compile(rf"[{_CREDIT_ALPHABET}]{{18}}")


def resident_check_character(body: str) -> str:
    """Return the 18th character for the first 17 digits of an ID number.

    >>> resident_check_character("11010519491231002")
    'X'
    """
    return _ID_CHECK[sum(map(mul, _ID_WEIGHTS, map(int, body))) % 11]


@dataclass(frozen=True, slots=True)
class ResidentId:
    """A valid 18-character citizen identity number (GB 11643-1999)."""

    number: str

    @classmethod
    def parse(cls, text: str) -> ResidentId | None:
        """Return the number, a 15-digit one upgraded, or None when it is not valid."""
        if _OLD_ID_FORM.fullmatch(text):
            body = f"{text[:6]}19{text[6:]}"
            text = body + resident_check_character(body)
        if not _ID_FORM.fullmatch(text) or resident_check_character(text[:17]) != text[17]:
            return None
        try:
            date(int(text[6:10]), int(text[10:12]), int(text[12:14]))
        except ValueError:
            return None
        return cls(text)

    @property
    def birth_date(self) -> date:
        """Date of birth that the number carries."""
        return date(int(self.number[6:10]), int(self.number[10:12]), int(self.number[12:14]))

    @property
    def sex(self) -> str:
        """Sex code of GB/T 2261.1 that the number carries: 1 male, 2 female."""
        return "1" if int(self.number[16]) % 2 else "2"


def credit_check_character(body: str) -> str:
    """Return the 18th character for the first 17 of a unified social credit code."""
    total = sum(w * _CREDIT_ALPHABET.index(c) for w, c in zip(_CREDIT_WEIGHTS, body, strict=True))
    return _CREDIT_ALPHABET[(31 - total % 31) % 31]


@dataclass(frozen=True, slots=True)
class CreditCode:
    """A valid unified social credit code (GB 32100-2015)."""

    code: str

    @classmethod
    def parse(cls, text: str) -> CreditCode | None:
        """Return the code, or None when form or check character is wrong."""
        if not _CREDIT_FORM.fullmatch(text) or credit_check_character(text[:17]) != text[17]:
            return None
        return cls(text)


@dataclass(frozen=True, slots=True)
class DivisionCode:
    """A division or grid code: 6 county, 9 township, 12 community or 14 grid digits."""

    code: str

    @classmethod
    def parse(cls, text: str) -> DivisionCode | None:
        """Return the code, or None when it has no such length or holds other characters."""
        if len(text) not in (6, 9, 12, 14) or not (text.isascii() and text.isdigit()):
            return None
        return cls(text)

    def contains(self, other: DivisionCode) -> bool:
        """Say whether the other place is this one or lies in it."""
        return other.code.startswith(self.code)


def normalise_phone(text: str) -> str:
    """Return only the digits of a telephone number, country code 86 dropped."""
    digits = "".join(c for c in text if c.isascii() and c.isdigit())
    return digits[2:] if len(digits) == 13 and digits.startswith("86") else digits


def normalise_name(text: str) -> str:
    """Return a name for blind lookup: no spaces, one kind of middle dot, upper case."""
    return re.sub(r"\s+", "", text).translate(_DOTS).upper()


def normalise_address(text: str) -> str:
    """Return an address for blind lookup: no spaces, upper case."""
    return re.sub(r"\s+", "", text).upper()


_DOTS = {ord(c): "·" for c in "•・‧．"}
