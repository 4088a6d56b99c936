"""Erasing uses: on which ground and when, by two persons, with what goes along; once."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from access.answers import LookupQuery
from access.desk import Act
from access.duties import Official, Refusal
from access.erasing import ERASABLE, ErasureStanding, ErasureState
from access.erasure_desk import ErasureDesk
from access.erasure_grounds import (
    COURT_ORDER,
    DELETION_REQUEST,
    ERASURE_GROUNDS,
    LEAST_DAYS,
    RETENTION_ENDED,
)
from access.model import Actor
from access.ports import GuardKeys
from access.seal_release import GRACE, release_due
from hub.errors import NotFound, RequestError
from hub.events import EventTag
from hub.ledger.log import Ledger
from hub.ledger.writer import Entry
from hub.store.usage import Usage
from tests.access.conftest import NOW
from tests.access.keeping import Counting
from tests.access.people import Person, invented_id
from tests.access.registers import MemoryRegisters
from tests.access.sealing import CASE, DAY, OVERSIGHT, PURPOSE, Sealing
from tests.access.test_changes import House, Killed, house

__all__ = ["house"]

LATER = NOW + timedelta(days=LEAST_DAYS)
SECOND = timedelta(seconds=1)
OPERATOR = Official("admin.system", "operations", ("system_admin",), "n-operator")


class Dying:
    """A ledger whose process ends after so many erasures."""

    def __init__(self, ledger: Ledger, after: int) -> None:
        self._ledger = ledger
        self._left = after

    def __getattr__(self, name: str) -> Any:
        return getattr(self._ledger, name)

    def erase(self, index: int, by: str, ground: str) -> Any:
        if self._left == 0:
            raise Killed
        self._left -= 1
        return self._ledger.erase(index, by, ground)


@pytest.fixture
def sealing(
    house: House, keys: GuardKeys, usage: Usage, registers: MemoryRegisters, person: Person
) -> Sealing:
    made = Sealing(house, keys, usage, registers, (person, Person(invented_id(sequence=125))))
    made.enter_case()
    return made


def desk(sealing: Sealing, log: Any = None, days: int = LEAST_DAYS) -> ErasureDesk:
    keeper = sealing.house.keeper(elapsed=Counting())
    return ErasureDesk(
        sealing.house.records, log or sealing.house.ledger, keeper.look, sealing.keys.actor.of,
        {}, days,
    )  # fmt: skip


def act(by: Official, at: datetime = LATER) -> Act:
    return Act(by.account, "保存期限届满 / its time has ended", at)


def looked_up(
    sealing: Sealing, actors: dict[str, Actor], person: Person, at: datetime = NOW
) -> int:
    query = LookupQuery("resident_id", person.number, "residence.verify")
    return sealing.guard(at).lookup(actors["officer.east"], query).receipt.index


def asked(
    found: ErasureDesk, *entries: int, ground: str = RETENTION_ENDED, at: datetime = LATER
) -> ErasureStanding:
    done = found.request(entries, ground, OPERATOR, act(OPERATOR, at))
    assert isinstance(done, ErasureStanding), done
    return done


def approved(found: ErasureDesk, number: int, at: datetime = LATER) -> ErasureStanding:
    done = found.approve(number, OVERSIGHT, act(OVERSIGHT, at))
    assert isinstance(done, ErasureStanding), done
    return done


def refused(outcome: object) -> str:
    assert isinstance(outcome, Refusal), outcome
    return outcome.reason


def test_two_persons_erase_a_use_and_its_subject_reads_why(
    sealing: Sealing, actors: dict[str, Actor], person: Person
) -> None:
    index, found = looked_up(sealing, actors, person), desk(sealing)
    wanted = asked(found, index)
    assert (wanted.state, wanted.erasure.entries) == (ErasureState.REQUESTED, (index,))
    log = sealing.house.ledger
    assert log.entry(index).erased_by is None
    done = approved(found, wanted.erasure.id)
    assert done.state is ErasureState.DONE
    assert log.entry(index).record is None
    guard = sealing.guard(LATER)
    citizen = replace(actors["citizen"], binding=guard.binding(person.number))
    (use,) = guard.own_uses(citizen)
    assert use.outcome == "erased"
    assert use.erased is not None
    assert (use.erased.by, use.erased.ground) == ("operations", RETENTION_ENDED)
    assert log.verify_all().intact
    events = [e.event for e in log.entries(index + 1, log.size)]
    assert events == [
        "access:erasure:requested", "access:erasure:approved", "hub:entry:erased",
        "access:erasure:done",
    ]  # fmt: skip


def test_who_asks_does_not_approve(
    sealing: Sealing, actors: dict[str, Actor], person: Person
) -> None:
    index, found = looked_up(sealing, actors, person), desk(sealing)
    assert "only" in refused(found.request([index], COURT_ORDER, OVERSIGHT, act(OVERSIGHT)))
    number = asked(found, index).erasure.id
    assert "only" in refused(found.approve(number, OPERATOR, act(OPERATOR)))
    for one in (
        replace(OVERSIGHT, person=OPERATOR.person),
        replace(OVERSIGHT, account=OPERATOR.account),
    ):
        assert "second person" in refused(found.approve(number, one, act(one)))
    with pytest.raises(RequestError):
        found.approve(number, OVERSIGHT, replace(act(OVERSIGHT), reason="电话 13812345678"))
    with pytest.raises(NotFound):
        found.approve(99, OVERSIGHT, act(OVERSIGHT))
    done = found.decline(number, OVERSIGHT, act(OVERSIGHT))
    assert isinstance(done, ErasureStanding)
    assert done.state is ErasureState.DECLINED
    refused(found.approve(number, OVERSIGHT, act(OVERSIGHT)))
    assert sealing.house.ledger.entry(index).erased_by is None


@pytest.mark.parametrize(
    ("ground", "setting", "first"),
    [
        (RETENTION_ENDED, LEAST_DAYS, LEAST_DAYS),
        (RETENTION_ENDED, 1826, 1826),
        (RETENTION_ENDED, 0, LEAST_DAYS),
        (DELETION_REQUEST, 1826, LEAST_DAYS),
        (COURT_ORDER, 1826, 0),
    ],
)
def test_a_use_is_kept_as_long_as_its_ground_demands(
    sealing: Sealing,
    actors: dict[str, Actor],
    person: Person,
    ground: str,
    setting: int,
    first: int,
) -> None:
    index, found = looked_up(sealing, actors, person), desk(sealing, days=setting)
    at = NOW + timedelta(days=first)
    if first:
        early = found.request([index], ground, OPERATOR, act(OPERATOR, at - SECOND))
        assert f"{first} 天" in refused(early)
    assert isinstance(found.request([index], ground, OPERATOR, act(OPERATOR, at)), ErasureStanding)


def test_what_is_no_use_is_never_erased(sealing: Sealing) -> None:
    """Steps, publications, index entries, commitments, erasures: whatever the ground."""
    log = sealing.house.ledger
    kept = [
        *sorted({tag.value for tag in EventTag} - ERASABLE),
        "hub:index:published",
        "hub:bulk:committed",
    ]
    start = log.append([Entry(None, {"event": event, "time": NOW.isoformat()}) for event in kept])
    found = desk(sealing)
    for index in start.indexes:
        refused(found.request([index], COURT_ORDER, OPERATOR, act(OPERATOR)))
    assert found.standings() == ()
    with pytest.raises(RequestError):
        found.request([], COURT_ORDER, OPERATOR, act(OPERATOR))
    with pytest.raises(RequestError):
        found.request([0], "convenience", OPERATOR, act(OPERATOR))
    with pytest.raises(NotFound):
        found.request([10**6], COURT_ORDER, OPERATOR, act(OPERATOR))


def test_a_sealed_use_stays_until_its_subject_has_seen_it_then_goes_with_its_release(
    sealing: Sealing, actors: dict[str, Actor], person: Person
) -> None:
    sealing.ordered()
    query = LookupQuery("resident_id", person.number, PURPOSE, case=CASE)
    index = sealing.guard().lookup(actors["officer.police"], query).receipt.index
    found, end = desk(sealing), NOW + 30 * DAY
    log, records = sealing.house.ledger, sealing.house.records

    def ask(at: datetime) -> ErasureStanding | Refusal:
        return found.request([index], COURT_ORDER, OPERATOR, act(OPERATOR, at))

    assert "sealed" in refused(ask(NOW))
    release_due(records, log, end)
    assert "sealed" in refused(ask(end))
    release_due(records, log, end + GRACE)
    wanted = ask(end + GRACE)
    assert isinstance(wanted, ErasureStanding)
    assert len(wanted.erasure.entries) == 2
    released = wanted.erasure.entries[1]
    assert asked(found, released, ground=COURT_ORDER, at=end + GRACE).erasure.entries == (
        index,
        released,
    )
    approved(found, wanted.erasure.id, end + GRACE)
    guard = sealing.guard(LATER)
    citizen = replace(actors["citizen"], binding=guard.binding(person.number))
    assert [use.outcome for use in guard.own_uses(citizen)] == ["erased"]
    assert log.verify_all().intact
    assert all(log.entry(position).record is None for position in (index, released))


def test_what_became_unfit_meanwhile_is_not_erased(
    sealing: Sealing, actors: dict[str, Actor], person: Person
) -> None:
    """What was fit when it was asked is weighed again when it is approved."""
    index, found = looked_up(sealing, actors, person), desk(sealing)
    number, again = asked(found, index).erasure.id, asked(found, index).erasure.id
    approved(found, number)
    assert "erased already" in refused(found.approve(again, OVERSIGHT, act(OVERSIGHT)))


@pytest.mark.parametrize("erased", [0, 1, 2])
def test_an_erasure_that_was_killed_goes_on_where_it_stopped(
    sealing: Sealing, actors: dict[str, Actor], person: Person, erased: int
) -> None:
    indexes = [looked_up(sealing, actors, person) for _ in range(3)]
    number = asked(desk(sealing), *indexes).erasure.id
    log = sealing.house.ledger
    with pytest.raises(Killed):
        desk(sealing, Dying(log, erased)).approve(number, OVERSIGHT, act(OVERSIGHT))
    assert [log.entry(i).erased_by is not None for i in indexes].count(True) == erased
    found = desk(sealing)
    assert found.find(number).state is ErasureState.APPROVED
    assert approved(found, number).state is ErasureState.DONE
    events = [e.event for e in log.entries(0, log.size)]
    assert events.count("hub:entry:erased") == 3
    assert events.count("access:erasure:done") == 1
    refused(found.approve(number, OVERSIGHT, act(OVERSIGHT)))


def test_all_from_before_a_day_are_selected_and_the_rest_is_counted(
    sealing: Sealing, actors: dict[str, Actor], person: Person
) -> None:
    indexes = [looked_up(sealing, actors, person, NOW + n * DAY) for n in range(3)]
    found, at = desk(sealing), LATER + DAY
    picked, left = found.select(RETENTION_ENDED, LATER, None, at)
    assert picked == tuple(indexes[:2])
    assert sum(left.values()) == 1
    assert found.select(RETENTION_ENDED, NOW + DAY, None, at)[0] == (indexes[0],)
    refusals = "officer:subject:refused"
    assert found.select(RETENTION_ENDED, LATER, refusals, at) == ((), {})
    with pytest.raises(RequestError):
        found.select(RETENTION_ENDED, LATER, "access:seal:ordered", at)


def test_why_nothing_is_selected(
    sealing: Sealing, actors: dict[str, Actor], person: Person
) -> None:
    first, _ = [looked_up(sealing, actors, person, NOW + n * DAY) for n in range(2)]
    found, soon = desk(sealing), NOW + 2 * DAY
    assert found.select(RETENTION_ENDED, soon, None, soon)[0] == ()
    said = found.why_none(RETENTION_ENDED, soon, None, soon)
    assert "2 uses are kept until" in said
    assert str(LATER.date()) in said
    assert "no uses" in found.why_none(RETENTION_ENDED, NOW - DAY, None, soon)
    index = approved(found, asked(found, first).erasure.id, LATER).erasure.entries[0]
    assert index == first
    assert "1 条" in found.why_none(RETENTION_ENDED, NOW + SECOND, None, LATER + 9 * DAY)


def test_grounds_have_bases() -> None:
    assert all(ground.legal_basis and ground.title for ground in ERASURE_GROUNDS.values())
