"""Grounds on which an entry of the ledger may be forgotten: a closed register.

Records of processing are kept three years at the least, whoever asks: after that the retention set
by the hub may end, or a person may ask for deletion. Only a court may order it earlier.

Source: 个人信息保护法 19 (no longer than necessary), 47 (deletion; not before a period of the law has
passed), 56 (records of processing: three years).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

#: Three years, one of them with a leap day (个人信息保护法 56).
LEAST_DAYS = 1096


@dataclass(frozen=True, slots=True)
class ErasureGround:
    """Why an entry may be forgotten.

    Args:
        title: as its subject reads it.
        at_any_age: whether the entry need not have been kept for any time.
    """

    title: str
    legal_basis: str
    at_any_age: bool = False


RETENTION_ENDED, DELETION_REQUEST, COURT_ORDER = (
    "retention_ended",
    "deletion_request",
    "court_order",
)

#: Code -> ground, alphabetical.
ERASURE_GROUNDS: Mapping[str, ErasureGround] = {
    COURT_ORDER: ErasureGround("法院裁判 / a court's order", "生效裁判文书", at_any_age=True),
    DELETION_REQUEST: ErasureGround(
        "本人请求删除 / deletion at the person's request", "《个人信息保护法》第四十七条"
    ),
    RETENTION_ENDED: ErasureGround(
        "保存期限届满 / the time of keeping has ended", "《个人信息保护法》第十九条、第五十六条"
    ),
}
