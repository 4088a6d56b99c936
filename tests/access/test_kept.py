"""Kept answers: none outlives itself, and room is made by the oldest."""

from __future__ import annotations

from datetime import timedelta

from access.kept import Kept
from tests.access.conftest import NOW

SECOND = timedelta(seconds=1)


def test_what_ends_is_gone_on_the_second() -> None:
    """Until its end it is there; a clock set back finds it again, since it holds then."""
    kept: Kept[str] = Kept()
    kept.put("grant", "yes", until=NOW)
    kept.put("rule", "yes")
    assert kept.get("grant", NOW - SECOND) == "yes"
    assert kept.get("grant", NOW) is None
    assert kept.get("rule", NOW + timedelta(days=10_000)) == "yes"
    kept.put("grant", "renewed", until=NOW + SECOND)
    assert kept.get("grant", NOW) == "renewed"
    assert kept.get("unknown", NOW) is None


def test_room_is_made_by_the_oldest_tenth() -> None:
    """The rest stays; what is put in again is young again."""
    kept: Kept[int] = Kept(most=20)
    for number in range(20):
        kept.put(number, number)
    kept.put(0, 100)
    kept.put(20, 20)
    assert [n for n in range(21) if kept.get(n, NOW) is None] == [1, 2]
    assert kept.get(0, NOW) == 100
    for number in range(1000):
        kept.put(number, number)
        assert len(kept) <= 20
