"""Numbers that pass their check digit and belong to nobody.

An identity number is area 990106, birth date, sequence, check character. Sequences are dealt out
per birth date and sex, so that no two people of the district share a number; a tenth of them is
kept for outsiders (former spouses, strangers), who are no residents.

Source: GB 11643-1999 (ID number), GB 32100-2015 (credit code), GB 11714-1997 (organisation code).
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from assets.demo.columns import DAYS, Column, Ints, calendar, join, padded

AREA = "990106"
_WEIGHTS = np.array((7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2))
_CHECK = np.frombuffer(b"10X98765432", np.uint8)
_CREDIT = np.frombuffer(b"0123456789ABCDEFGHJKLMNPQRTUWXY", np.uint8)
_CREDIT_WEIGHTS = np.array((1, 3, 9, 27, 19, 26, 16, 17, 20, 29, 25, 13, 8, 24, 10, 30, 28))
_ORGANISATION_WEIGHTS = np.array((3, 7, 9, 10, 5, 8, 4, 2))
_RESIDENT_SLOTS, _OUTSIDER_SLOTS = 450, 50


@lru_cache(maxsize=1)
def _date_digits() -> npt.NDArray[np.uint8]:
    """Return one row of eight digits per day number."""
    text = "".join(calendar().tolist()).replace("-", "")
    return np.frombuffer(text.encode(), np.uint8).reshape(-1, 8) - np.uint8(48)


def fixed_width(matrix: npt.NDArray[np.uint8]) -> Column:
    """Return a matrix of ASCII codes (one row per value) as a column."""
    rows, width = matrix.shape
    offsets = pa.py_buffer(np.arange(rows + 1, dtype=np.int32) * width)
    data = pa.py_buffer(np.ascontiguousarray(matrix).tobytes())
    return pa.StringArray.from_buffers(rows, offsets, data)


def resident_numbers(birth: Ints, sequence: Ints) -> Column:
    """Return the 18-character numbers for birth days and three-digit sequences."""
    digits = np.empty((len(birth), 17), np.uint8)
    digits[:, :6] = np.frombuffer(AREA.encode(), np.uint8) - 48
    digits[:, 6:14] = _date_digits()[birth]
    for place, unit in ((14, 100), (15, 10), (16, 1)):
        digits[:, place] = sequence // unit % 10
    check = _CHECK[(digits.astype(np.int64) @ _WEIGHTS) % 11]
    return fixed_width(np.column_stack([digits + np.uint8(48), check]).astype(np.uint8))


class Issuer:
    """Deals out sequences: the same order of requests gives the same numbers."""

    def __init__(self) -> None:
        self._taken: dict[str, npt.NDArray[np.int64]] = {}

    def residents(self, birth: Ints, sex: Ints) -> Column:
        """Return new numbers for people of the district (sex: 1 male, 2 female)."""
        turn = self._turns("resident", birth, sex)
        slot = (turn * 167 + birth * 31) % _RESIDENT_SLOTS
        assert turn.max(initial=0) < _RESIDENT_SLOTS, "too many people born on one day"
        return resident_numbers(birth, 2 * slot + sex % 2)

    def outsiders(self, birth: Ints, sex: Ints) -> Column:
        """Return numbers that no resident has, now or later."""
        turn = self._turns("outsider", birth, sex)
        slot = _RESIDENT_SLOTS + (turn * 17 + birth) % _OUTSIDER_SLOTS
        return resident_numbers(birth, 2 * slot + sex % 2)

    def _turns(self, pool: str, birth: Ints, sex: Ints) -> Ints:
        """Return how many numbers of the same day and sex were dealt out before each."""
        taken = self._taken.setdefault(pool, np.zeros(2 * DAYS, np.int64))
        key = birth * 2 + sex % 2
        order = np.argsort(key, kind="stable")
        ordered = key[order]
        fresh = np.r_[True, ordered[1:] != ordered[:-1]] if len(key) else np.zeros(0, np.bool_)
        starts = np.flatnonzero(fresh)
        sizes = np.diff(np.r_[starts, len(key)])
        turn = np.empty(len(key), np.int64)
        turn[order] = np.arange(len(key)) - np.repeat(starts, sizes) + taken[ordered]
        taken[ordered[starts]] += sizes
        return turn


def credit_codes(serial: Ints, registrar: npt.NDArray[Any]) -> Column:
    """Return unified social credit codes for serial numbers.

    Args:
        serial: distinct numbers below 10 million.
        registrar: two ASCII codes per row, the registering authority and the kind of unit.
    """
    rows = len(serial)
    codes = np.empty((rows, 17), np.uint8)
    codes[:, :2] = registrar
    codes[:, 2:8] = np.frombuffer(AREA.encode(), np.uint8)
    spread = (serial * 7_368_787 + 19_937) % 100_000_000  # odd prime factor: no two alike
    digits = spread[:, None] // 10 ** np.arange(7, -1, -1) % 10
    codes[:, 8:16] = digits + 48
    codes[:, 16] = np.frombuffer(b"0X987654321", np.uint8)[digits @ _ORGANISATION_WEIGHTS % 11]
    value = np.zeros(256, np.int64)
    value[_CREDIT] = np.arange(31)
    check = _CREDIT[(31 - value[codes] @ _CREDIT_WEIGHTS % 31) % 31]
    return fixed_width(np.column_stack([codes, check]).astype(np.uint8))


def phones(serial: Ints) -> Column:
    """Return mobile numbers of one range that is not in public use, for distinct serials."""
    return join("154", padded((serial * 61_803_399 + 2_718_281) % 100_000_000, 8))
