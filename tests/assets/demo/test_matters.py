from __future__ import annotations

from collections import Counter

import pytest

from assets.demo.district import District
from assets.demo.matters import incidents_of_month, year


def test_the_year_of_120_000_residents_has_the_set_proportions() -> None:
    matters = year(District(120_000))
    crimes = Counter(matters.cases.category.tolist())
    fraud = matters.cases.category == "telecom_fraud"
    quarrels = Counter(matters.disputes.category.tolist())

    assert sum(crimes.values()) == 580
    assert crimes["theft"] == 244  # 42 %
    assert crimes["telecom_fraud"] == 128
    assert matters.cases.loss[fraud].sum() == 5_600_000
    assert matters.cases.loss[fraud].min() > 0
    assert sum(quarrels.values()) == 320
    assert [quarrels[k] for k in ("neighbour", "labour", "enterprise")] == [144, 80, 48]
    assert len(matters.incidents) == 9_600


def test_another_size_has_the_same_proportions() -> None:
    matters = year(District(1_200_000))

    assert len(matters.cases) == 5_800
    assert matters.cases.loss[matters.cases.category == "telecom_fraud"].sum() == 56_000_000


@pytest.mark.parametrize("residents", [100, 2_000, 120_000])
def test_the_blocks_share_out_every_matter_once(residents: int) -> None:
    district = District(residents)
    matters = year(district)

    for kind in (matters.cases, matters.disputes, matters.incidents):
        shares = [kind.of(block, district) for block in district.blocks()]
        assert sum(len(share) for share, _ in shares) == len(kind)
        assert sorted(d for share, _ in shares for d in share.day) == sorted(kind.day)


def test_all_happened_within_the_year_that_ends_with_the_month() -> None:
    district = District(2_000)
    last = district.last_day()

    assert all(last - 364 <= day <= last for day in year(district).incidents.day)
    later = incidents_of_month(district, 1)
    assert all(last < day <= district.last_day(1) for day in later.day)
