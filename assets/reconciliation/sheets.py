"""The workbook of a department: what its cells are, and how changed ones are told apart.

One sheet per kind of conflict and dataset of the department, one row per item. Everything but the
two answer columns is the hub's. The last column is hidden and holds a keyed check of the row and
of each of its cells: it tells whether a cell was changed, and says nothing about its value. The end
of it binds the row to the evidence that was shown: an answer counts for that and for no other.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from hub.keyring import Keyring
from hub.sealing import Pseudonymiser, digest_equal
from hub.store.worklist import Conclusion

COVER = "说明 readme"
ITEM = "编号 item"
CONCLUSION = "结论 conclusion"
REMARK = "说明 remark"
CHECK = "校验 check"
#: What a department may answer, in the words of the drop-down.
ANSWERS = {
    "本方有误 ours is wrong": Conclusion.OWN_WRONG,
    "对方有误 theirs is wrong": Conclusion.OTHER_WRONG,
    "均正确 both are right": Conclusion.BOTH_RIGHT,
    "无法核实 cannot be verified": Conclusion.UNVERIFIABLE,
}
#: Rows of the cover that are read again.
DEPARTMENT_ROW = 1
LONGEST_REMARK = 500

_FORMULA = ("=", "+", "-", "@", "\t", "\r")
_UNFIT = re.compile(r"[\x00-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\ufffe\uffff\ud800-\udfff]+")
_ROW_BYTES, _CELL_BYTES, _EVIDENCE_BYTES = 8, 2, 8


@dataclass(frozen=True, slots=True)
class Sheet:
    """One sheet: its headings and rows, without the answer and check columns.

    Args:
        rows: cells of each item in the order of the headings; the first is the item's name.
        evidence: fingerprint of each item's evidence, in the order of the rows.
    """

    title: str
    headings: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    evidence: tuple[str, ...]


def plain(value: object) -> str:
    """Return a value as the text of a cell that no spreadsheet takes for a formula.

    >>> plain("=1+1"), plain(" 王 五\\n"), plain(None)
    ("'=1+1", '王 五', '')
    """
    text = "" if value is None else _UNFIT.sub(" ", str(value)).strip()
    return f"'{text}" if text.startswith(_FORMULA) else text


class Checks:
    """Makes and compares the checks of one department's workbooks."""

    def __init__(self, keyring: Keyring, department: str) -> None:
        self._names = Pseudonymiser(keyring, "record")
        self._prefix = f"worklist sheet\0{department}\0"

    def of(self, sheet: str, cells: Sequence[str], evidence: str = "") -> str:
        """Return a row's check as hexadecimal digits: the whole, each cell, the evidence."""
        whole = self._whole(sheet, cells)
        each = "".join(self._cell(whole, i, text) for i, text in enumerate(cells))
        return whole + each + self._evidence(whole, evidence)

    def is_about(self, check: str, evidence: str) -> bool:
        """Say whether a row, unchanged by its check, was made of this evidence."""
        whole, end = check[: 2 * _ROW_BYTES], check[-2 * _EVIDENCE_BYTES :]
        return digest_equal(end.encode(), self._evidence(whole, evidence).encode())

    def changed(self, sheet: str, cells: Sequence[str], check: str) -> list[int] | None:
        """Return the positions of changed cells; None when the check itself is not one of ours."""
        whole, digits = check[: 2 * _ROW_BYTES], 2 * _CELL_BYTES
        end = len(whole) + digits * len(cells)
        if len(check) != end + 2 * _EVIDENCE_BYTES:
            return None
        if digest_equal(whole.encode(), self._whole(sheet, cells).encode()):
            return []
        starts = range(len(whole), end, digits)
        changed = [
            i
            for i, (start, text) in enumerate(zip(starts, cells, strict=True))
            if check[start : start + digits] != self._cell(whole, i, text)
        ]
        return changed or None

    def _whole(self, sheet: str, cells: Sequence[str]) -> str:
        return self._of("\0".join((sheet, *cells)), _ROW_BYTES)

    def _cell(self, whole: str, position: int, text: str) -> str:
        return self._of(f"{whole}\0{position}\0{text}", _CELL_BYTES)

    def _evidence(self, whole: str, evidence: str) -> str:
        return self._of(f"{whole}\0evidence\0{evidence}", _EVIDENCE_BYTES)

    def _of(self, text: str, size: int) -> str:
        return self._names.of(self._prefix + text)[:size].hex()
