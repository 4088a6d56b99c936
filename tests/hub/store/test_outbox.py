"""Outboxes: every step is in the ledger once, whoever is killed when, and whoever else tells."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy.exc import IntegrityError

from hub.errors import LedgerError
from hub.events import AuditEvent, EventTag
from hub.ledger.log import Ledger
from hub.ledger.writer import Entry
from hub.store import access_steps
from hub.store.access_steps import About, AccessStep, add_step, steps
from hub.store.cards import STEPS, NewStep, add_steps, told
from hub.store.records import Records
from tests.factories import NOW, settings_in
from tests.hub.ledger.factories import Flaky, open_ledger

#: The outbox of access, telling of an event that there is already.
ACCESS = replace(access_steps.STEPS, prefix="hub:contract:")


@pytest.fixture
def records(tmp_path: Path) -> Iterator[Records]:
    """Records in a new home."""
    with Records.open(settings_in(tmp_path / "home")) as opened:
        yield opened


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    """A new ledger."""
    with open_ledger(tmp_path) as opened:
        yield opened


def event(tag: EventTag = EventTag.HUB_CONTRACT_ADOPTED) -> AuditEvent:
    """Return an invented event."""
    return AuditEvent(tag, NOW, {"by": "invented"})


def step(key: str, name: str = "7") -> AccessStep:
    """Return what an invented account did about a change."""
    return AccessStep(About.CHANGE, name, key, "admin.one", NOW, "a reason, not for the ledger")


def write_down(records: Records, ledger: Ledger | Flaky, *keys: str) -> None:
    """Write steps down as they are done."""
    with records.writing() as session:
        for key in keys:
            add_step(session, step(key), event(), ledger.size)


def in_ledger(ledger: Ledger) -> list[str]:
    """Return the key of every step the ledger tells, in order."""
    bodies = [entry.body for entry in ledger.entries(0, ledger.size)]
    return [str(body["step"]) for body in bodies if body is not None and "step" in body]


def test_a_step_is_told_with_its_name_and_without_its_reason(
    records: Records, ledger: Ledger
) -> None:
    write_down(records, ledger, "proposed")
    assert ACCESS.tell(records, ledger) == 1
    assert ACCESS.tell(records, ledger) == 0
    body = ledger.entry(ledger.size - 1).body
    assert body == event().body() | {"about": "change", "name": "7", "step": "proposed"}


@pytest.mark.parametrize("kind", ["fail_before", "fail_after"])
def test_a_kill_neither_loses_nor_doubles(records: Records, ledger: Ledger, kind: str) -> None:
    """Also when more was written down since, and others have told theirs in between."""
    write_down(records, ledger, "proposed", "approved")
    with pytest.raises(LedgerError):
        ACCESS.tell(records, Flaky(ledger, **{kind: True}))
    ledger.append([Entry.of(event())])  # the same event, and no step
    with records.writing() as session:
        card = NewStep("c", "issued", event(EventTag.QUALITY_CARD_ISSUED))
        add_steps(session, [card], ledger.size)
    assert STEPS.tell(records, ledger) == 1
    write_down(records, ledger, "activated")
    ACCESS.tell(records, ledger)
    assert sorted(in_ledger(ledger)) == ["activated", "approved", "issued", "proposed"]
    with records.reading() as session:
        assert list(told(session, "c")) == ["issued"]


def test_those_who_tell_at_the_same_time_tell_once(records: Records, ledger: Ledger) -> None:
    keys = [f"step-{number}" for number in range(40)]
    write_down(records, ledger, *keys)
    with ThreadPoolExecutor(4) as pool:
        counts = list(pool.map(lambda _: ACCESS.tell(records, ledger), range(4)))
    assert sum(counts) == len(keys)
    assert in_ledger(ledger) == keys


def test_what_is_done_can_be_done_once(records: Records, ledger: Ledger) -> None:
    """The second of two who approve finds it done: the table itself refuses."""
    write_down(records, ledger, "approved")
    with pytest.raises(IntegrityError):
        write_down(records, ledger, "approved")
    other = replace(step("approved"), name="8", active_at=NOW + timedelta(days=1))
    with records.writing() as session:
        add_step(session, other, event(), ledger.size)
    with records.reading() as session:
        assert steps(session, About.CHANGE) == (step("approved"), other)
        assert steps(session, About.CHANGE, "8") == (other,)
        assert steps(session, About.GRANT) == ()


def test_only_what_came_after_it_is_searched_for_a_step(records: Records, ledger: Ledger) -> None:
    """A ledger of many years is not read again for a step of today."""
    ledger.append([Entry.of(event()) for _ in range(5)])
    write_down(records, ledger, "proposed")
    size = ledger.size

    class Watched(Flaky):
        def entries(self, start: int, stop: int) -> list[object]:
            assert start >= size
            return list(super().entries(start, stop))

    assert ACCESS.tell(records, Watched(ledger)) == 1
