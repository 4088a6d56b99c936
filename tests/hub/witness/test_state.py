"""What a witness remembers: durable, compared before it moves, and bounded."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from hub.errors import ConfigError, LedgerError, NotFound
from hub.ledger.merkle import EMPTY_ROOT
from hub.ledger.note import VerifierKey
from hub.witness.alarms import Kind, Wrong
from hub.witness.state import (
    ALARM_LIMIT,
    Head,
    Mode,
    Reading,
    Seen,
    WatchedLog,
    WitnessState,
    open_state,
)
from tests.hub.ledger.factories import CLOCK, ORIGIN, InventedSigner

ONE = Head(5, bytes([1]) * 32, "note", 100)
TWO = Head(7, bytes([2]) * 32, "other note", 101)


@pytest.fixture
def state(tmp_path: Path) -> WitnessState:
    return WitnessState(tmp_path / "witness.sqlite", CLOCK)


def test_everything_is_there_after_it_was_opened_again(tmp_path: Path) -> None:
    path = tmp_path / "witness.sqlite"
    keys = tuple(VerifierKey.of(InventedSigner(seed=word)) for word in ("one", "two"))
    log = WatchedLog(ORIGIN, keys, "http://log.example/", Mode.CONSISTENCY, 60)
    reading = Reading(512, (bytes([3]) * 32, bytes([4]) * 32), 600, bytes([5]) * 32, "note")
    seen = Seen(5, bytes([1]) * 32, "note", "2026-03-01T08:00:00Z", 1.5, 2.5, "problem")
    with WitnessState(path, CLOCK) as first:
        first.add_log(log)
        assert first.advance(ORIGIN, Head(), ONE)
        first.save_reading(ORIGIN, reading)
        first.save_seen(ORIGIN, seen)
        first.raise_alarm(ORIGIN, Wrong(Kind.FORK, "two trees", "a", "b"))
    with WitnessState(path, CLOCK) as second:
        assert second.logs() == (log,)
        assert second.log(ORIGIN) == log
        assert second.head(ORIGIN) == ONE
        assert second.reading(ORIGIN) == reading
        assert second.seen(ORIGIN) == seen
        (alarm,) = second.alarms()
    assert (alarm.kind, alarm.evidence, alarm.is_open) == (Kind.FORK, "a\nb", True)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_nothing_is_known_of_a_new_log(state: WitnessState) -> None:
    assert state.head(ORIGIN) == Head(0, EMPTY_ROOT, "", 0)
    assert state.reading(ORIGIN) == Reading()
    assert state.seen(ORIGIN) == Seen()
    with pytest.raises(NotFound, match="is watched here"):
        state.log(ORIGIN)


def test_a_head_moves_only_from_where_it_is(state: WitnessState) -> None:
    assert not state.advance(ORIGIN, ONE, TWO)
    assert state.advance(ORIGIN, Head(), ONE)
    assert not state.advance(ORIGIN, Head(), TWO)
    assert not state.advance(ORIGIN, Head(5, bytes(32)), TWO)
    assert state.head(ORIGIN) == ONE
    assert state.advance(ORIGIN, ONE, TWO)
    assert state.advance("other.example/log", Head(), ONE)
    assert state.head(ORIGIN) == TWO


def test_findings_of_one_kind_are_bounded(state: WitnessState) -> None:
    for number in range(ALARM_LIMIT + 20):
        state.raise_alarm(ORIGIN, Wrong(Kind.WRONG_INDEX, f"tree {number}"))
    state.raise_alarm(ORIGIN, Wrong(Kind.FORK, "two trees"))
    alarms = [alarm for alarm in state.alarms() if alarm.kind is Kind.WRONG_INDEX]
    assert len(alarms) == ALARM_LIMIT
    assert sum(alarm.times for alarm in alarms) == ALARM_LIMIT + 20


def test_only_passing_alarms_end_by_themselves(state: WitnessState) -> None:
    for kind in Kind:
        state.raise_alarm(ORIGIN, Wrong(kind, "found"))
    state.end_passing(ORIGIN, *Kind)
    ended = {alarm.kind for alarm in state.alarms() if not alarm.is_open}
    assert ended == {Kind.STALLED, Kind.UNREACHABLE}
    state.raise_alarm(ORIGIN, Wrong(Kind.STALLED, "found"))
    assert next(a for a in state.alarms() if a.kind is Kind.STALLED).is_open


def test_a_folder_without_a_witness(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="hub witness init"):
        open_state(tmp_path, CLOCK)
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_is_no_state(tmp_path: Path) -> None:
    path = tmp_path / "witness.sqlite"
    path.write_bytes(b"words" * 1000)
    with pytest.raises(LedgerError, match="cannot be read or written"):
        WitnessState(path, CLOCK)
