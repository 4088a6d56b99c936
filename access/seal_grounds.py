"""Grounds on which a use may be sealed: a closed register; no order names another.

Source: 个人信息保护法 18(1) (no notice where law demands secrecy), 35 (state organs, where notice would
hinder their duty), 45(1) (access has the same bounds). The legal department confirms each text.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Ground:
    """Why a use may be kept from its subject for a time.

    Args:
        title: as the subject reads it once the use is released.
        legal_basis: laws and articles.
    """

    title: str
    legal_basis: str


_PIPL = "《个人信息保护法》第三十五条、第四十五条第一款"

#: Code -> ground, alphabetical.
SEAL_GROUNDS: Mapping[str, Ground] = {
    "confidential_by_law": Ground(
        "法律、行政法规规定应当保密 / secrecy that a law demands",
        "《个人信息保护法》第十八条第一款、第四十五条第一款",
    ),
    "criminal_inquiry": Ground(
        "告知将妨碍刑事侦查 / notice would hinder a criminal inquiry",
        f"{_PIPL}；《刑事诉讼法》第一百一十五条",
    ),
    "supervision_inquiry": Ground(
        "告知将妨碍监察调查 / notice would hinder a supervision inquiry",
        f"{_PIPL}；《监察法》第十八条",
    ),
}
