from __future__ import annotations

import pytest

from assets.demo.district import District, abolished_communities, places
from hub.errors import RequestError


@pytest.mark.parametrize("residents", [100, 2_000, 120_000, 3_000_001])
def test_blocks_hold_everyone_once_and_stay_small(residents: int) -> None:
    blocks = list(District(residents).blocks())

    assert sum(block.persons for block in blocks) == residents
    assert [block.first for block in blocks] == [
        sum(b.persons for b in blocks[:i]) for i in range(len(blocks))
    ]
    assert max(block.persons for block in blocks) <= 24_000


def test_the_district_has_86_grids_in_12_communities() -> None:
    codes = [place.code for place in places()]

    assert len(codes) == len(set(codes)) == 86
    assert len({code[:12] for code in codes}) == 12
    assert {code[:6] for code in codes} == {"990106"}
    assert not {code[:12] for code in codes} & set(abolished_communities())
    assert len({place.road for place in places()}) == 86


@pytest.mark.parametrize("residents", [0, 99, 10_000_001])
def test_a_size_out_of_range_is_refused(residents: int) -> None:
    with pytest.raises(RequestError, match="residents"):
        District(residents)


@pytest.mark.parametrize("month", ["2026-13", "June", "2026-6", "2026-06-01", "1999-12", "2091-01"])
def test_a_month_that_is_none_is_refused(month: str) -> None:
    with pytest.raises(RequestError, match="YYYY-MM"):
        District(month=month)


def test_a_negative_seed_is_refused() -> None:
    with pytest.raises(RequestError, match="seed"):
        District(seed=-1)


def test_months_roll_over_the_year() -> None:
    december = District(month="2026-12")

    assert december.period(1) == "2027-01"
    assert december.first_day(1) == december.last_day() + 1
