"""What a guarded workbook is made of, and the seal that tells changed cells apart.

A cover, then sheets with one row per matter. Everything but the answer columns is the hub's. The
last column is hidden and holds each row's seal: a keyed check of the whole row, of each of its
cells, and of what the row stands on. It says which cell was changed and nothing about its value; a
row of another workbook, or a made-up one, does not fit it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from hub.sealing import digest_equal

COVER = "说明 readme"
SEAL = "校验 check"
#: Row of the cover that is read again: (what the workbook is of, its code).
OF_ROW = 1

_ROW_BYTES, _CELL_BYTES, _GROUND_BYTES = 8, 2, 8

#: Text -> keyed hash of it.
Mark = Callable[[str], bytes]


@dataclass(frozen=True, slots=True)
class AnswerColumn:
    """A column that is filled in: from a list of choices, or in words where there is none."""

    title: str
    choices: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Sheet:
    """One sheet: its headings and rows, without the answer columns and the seal.

    Args:
        rows: cells of each row in the order of the headings.
        grounds: what each row stands on, in the order of the rows; an answer counts for that and
            for nothing else.
    """

    title: str
    headings: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    grounds: tuple[str, ...]


class Seal:
    """Makes and compares the seals of one workbook.

    Args:
        mark: keyed hash of a text.
        of: what workbook it is, and whose; rows of one do not fit another.
    """

    def __init__(self, mark: Mark, of: str) -> None:
        self._mark = mark
        self._prefix = f"{of}\0"

    def of(self, sheet: str, cells: Sequence[str], ground: str = "") -> str:
        """Return a row's seal as hexadecimal digits: the whole, each cell, the ground."""
        whole = self._whole(sheet, cells)
        each = "".join(self._cell(whole, i, text) for i, text in enumerate(cells))
        return whole + each + self._ground(whole, ground)

    def stands_on(self, seal: str, ground: str) -> bool:
        """Say whether a row, unchanged by its seal, was made on this ground."""
        whole, end = seal[: 2 * _ROW_BYTES], seal[-2 * _GROUND_BYTES :]
        return digest_equal(end.encode(), self._ground(whole, ground).encode())

    def changed(self, sheet: str, cells: Sequence[str], seal: str) -> list[int] | None:
        """Return the positions of changed cells; None when the seal itself is not one of ours."""
        whole, digits = seal[: 2 * _ROW_BYTES], 2 * _CELL_BYTES
        end = len(whole) + digits * len(cells)
        if len(seal) != end + 2 * _GROUND_BYTES:
            return None
        if digest_equal(whole.encode(), self._whole(sheet, cells).encode()):
            return []
        starts = range(len(whole), end, digits)
        changed = [
            i
            for i, (start, text) in enumerate(zip(starts, cells, strict=True))
            if seal[start : start + digits] != self._cell(whole, i, text)
        ]
        return changed or None

    def _whole(self, sheet: str, cells: Sequence[str]) -> str:
        return self._of("\0".join((sheet, *cells)), _ROW_BYTES)

    def _cell(self, whole: str, position: int, text: str) -> str:
        return self._of(f"{whole}\0{position}\0{text}", _CELL_BYTES)

    def _ground(self, whole: str, ground: str) -> str:
        return self._of(f"{whole}\0evidence\0{ground}", _GROUND_BYTES)

    def _of(self, text: str, size: int) -> str:
        return self._mark(self._prefix + text)[:size].hex()
