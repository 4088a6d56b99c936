"""The registers of cases and protected persons: kept in the records, read again after a step."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from hub.errors import NotFound, RequestError, SourceError
from hub.events import AuditEvent, EventTag
from hub.store import registers
from hub.store.access_steps import About, AccessStep, add_step
from hub.store.records import Records
from hub.store.registers import CaseFile, Protection, RegisterReader, Registers, read_registers
from tests.factories import NOW, settings_in

HOUR = timedelta(hours=1)
CASE = CaseFile("c1", "police", frozenset({"public_safety.investigation"}), NOW, NOW + HOUR)
SOMEBODY, OTHER = b"s" * 16, b"o" * 16


@pytest.fixture
def records(tmp_path: Path) -> Iterator[Records]:
    """Records in a new home."""
    with Records.open(settings_in(tmp_path / "home")) as opened:
        yield opened


def read(records: Records) -> Registers:
    """Return both registers."""
    with records.reading() as session:
        return read_registers(session)


def enter(records: Records, case: CaseFile, key: str) -> None:
    """Enter a case with its step."""
    with records.writing() as session:
        registers.add_case(session, case)
        step = AccessStep(About.CASE, case.name, key, "admin.one", NOW, "invented")
        add_step(session, step, AuditEvent(EventTag.ACCESS_CASE_OPENED, NOW), 0)


def test_a_case_is_entered_extended_and_closed(records: Records) -> None:
    """Whom it has already is not counted again; a closed one takes nobody."""
    with records.writing() as session:
        registers.add_case(session, CASE)
    with records.writing() as session:
        assert registers.add_members(session, "c1", [SOMEBODY, SOMEBODY], NOW) == 1
        assert registers.add_members(session, "c1", [SOMEBODY, OTHER], NOW) == 1
    (case,) = read(records).cases.values()
    assert case.members == {SOMEBODY, OTHER}
    assert (case.agency, case.purposes) == (CASE.agency, CASE.purposes)
    assert (case.opened_at, case.closes_at) == (NOW, NOW + HOUR)
    with records.writing() as session:
        registers.close_case(session, "c1", NOW)
    assert read(records).cases["c1"].closes_at == NOW
    for act in (
        lambda session: registers.close_case(session, "c1", NOW),
        lambda session: registers.add_members(session, "c1", [OTHER], NOW),
        lambda session: registers.add_case(session, CASE),  # a reference is never used twice
    ):
        with pytest.raises(RequestError), records.writing() as session:
            act(session)
    with pytest.raises(NotFound), records.writing() as session:
        registers.close_case(session, "c2", NOW)


def test_protection_is_entered_renewed_and_ended(records: Records) -> None:
    """It holds from its beginning until before its end."""
    for until in (NOW + HOUR, None):
        with records.writing() as session:
            registers.protect(session, Protection(SOMEBODY, NOW, until, "admin.one"))
        (found,) = read(records).protected.values()
        assert found == Protection(SOMEBODY, NOW, until, "admin.one")
        assert found.holds(NOW)
        assert not found.holds(NOW - timedelta(seconds=1))
        assert found.holds(NOW + HOUR) is (until is None)
    with records.writing() as session:
        registers.release(session, SOMEBODY)
    assert read(records).protected == {}
    with pytest.raises(NotFound), records.writing() as session:
        registers.release(session, SOMEBODY)


def test_a_reader_sees_a_step_of_another_process_after_a_moment(
    records: Records, tmp_path: Path
) -> None:
    """Between two looks it keeps what it has; and the same copy while nothing is done."""
    times = iter((0.0, 0.1, 0.3, 0.6))
    reader = RegisterReader(records, lambda: next(times))
    first = reader.current()
    assert first == Registers()
    with Records.open(settings_in(tmp_path / "home")) as other:
        enter(other, CASE, "opened-1")
    assert reader.current() is first
    second = reader.current()
    assert set(second.cases) == {"c1"}
    assert reader.current() is second


def test_records_that_are_gone_are_an_error(records: Records) -> None:
    """Not empty registers: nobody would be protected."""
    times = iter((0.0, 1.0))
    reader = RegisterReader(records, lambda: next(times))
    reader.current()
    with records.writing() as session:
        session.connection().exec_driver_sql("DROP TABLE access_step")
    with pytest.raises(SourceError):
        reader.current()
