"""Rows that are no records: totals, signatures and empty rows that people add to tables.

They are dropped under a name that is counted, never silently.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

EMPTY = "empty_row_dropped"
TOTAL = "total_row_dropped"
SIGNATURE = "signature_row_dropped"

_TOTAL = re.compile(r"(合\s*计|总\s*计|小\s*计|本页合计|total|subtotal)[:：]?", re.IGNORECASE)
_SIGNATURE = re.compile(
    r"(制表|填表|审核|复核|统计|打印|导出)(人|单位|日期|时间|机关)\s*[:：].*", re.DOTALL
)


def footer_kind(cells: Sequence[str | None]) -> str | None:
    """Return why a row is no record (the transform's name), or None when it is one.

    >>> footer_kind(["", "合 计", "120"])
    'total_row_dropped'
    """
    first = next((text for cell in cells if cell and (text := cell.strip())), None)
    if first is None:
        return EMPTY
    if _TOTAL.fullmatch(first):
        return TOTAL
    return SIGNATURE if _SIGNATURE.fullmatch(first) else None
