"""Values as the cells of a spreadsheet."""

from __future__ import annotations

import re

_FORMULA = ("=", "+", "-", "@", "\t", "\r")
_UNFIT = re.compile(r"[\x00-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\ufffe\uffff\ud800-\udfff]+")


def plain(value: object) -> str:
    """Return a value as the text of a cell that no spreadsheet takes for a formula.

    >>> plain("=1+1"), plain(" 王 五\\n"), plain(None)
    ("'=1+1", '王 五', '')
    """
    text = "" if value is None else _UNFIT.sub(" ", str(value)).strip()
    return f"'{text}" if text.startswith(_FORMULA) else text
