"""How much an actor may use, over all processes, and what is told of who uses much."""

from __future__ import annotations

from collections.abc import Callable
from copy import copy
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from access.alarms import ALARMS, alarms
from access.answers import Answer, LookupQuery, SearchQuery, StatsQuery
from access.decision import Decider
from access.guard import Guard
from access.limits import NOBODY_AN_HOUR, Limits
from access.model import Action, Actor
from access.policy import Policy
from access.ports import GuardKeys
from access.purposes import PurposeRegister
from access.usage_record import SubjectRole, UsageAction, UsageRecord
from hub.catalog import Catalog, Classification
from hub.clock import FixedClock
from hub.errors import LedgerError
from hub.ledger.log import Ledger
from hub.store.usage import Usage
from tests.access.conftest import NOW
from tests.access.keeping import keeper_of
from tests.access.people import MemorySnapshot, Person, invented_id
from tests.access.registers import MemoryRegisters
from tests.access.used import USE

PURPOSE = "residence.verify"
DAY = NOW.isoformat()[:10]
#: A column of residents of each level, shown in clear.
SHOWN = {
    "L4": {"population.resident.resident_id": "clear"},
    "L3": {"population.resident.name": "clear", "population.resident.resident_id": "masked"},
    "L1": {"population.resident.resident_id": "masked", "population.resident.sex": "generalised"},
}

Open = Callable[..., Guard]


@pytest.fixture
def people() -> tuple[Person, ...]:
    """Thirty residents of East Street."""
    return tuple(Person(invented_id(sequence=n), phone=f"138000000{n}") for n in range(110, 140))


@pytest.fixture
def opened(
    policy: Policy,
    catalog: Catalog,
    people: tuple[Person, ...],
    ledger: Ledger,
    keys: GuardKeys,
    registers: MemoryRegisters,
    tmp_path: Path,
) -> Open:
    """Open a guard of a process of its own: own counters' connection, over the same home."""

    def make(
        later: timedelta = timedelta(), per_minute: int = 60, persons_a_day: int = 250
    ) -> Guard:
        lowered = replace(
            policy.purposes[PURPOSE], per_minute=per_minute, persons_a_day=persons_a_day
        )
        limited = copy(policy)
        limited.purposes = PurposeRegister(tuple({**policy.purposes, PURPOSE: lowered}.values()))
        return Guard(
            keeper_of(Decider(limited, catalog)),
            catalog,
            MemorySnapshot(keys, people),
            ledger,
            keys,
            FixedClock(NOW + later),
            Usage(tmp_path / "usage.sqlite"),
            registers,
        )

    return make


def ask(guard: Guard, actor: Actor, number: str) -> Answer:
    return guard.lookup(actor, LookupQuery("resident_id", number, PURPOSE))


def told(ledger: Ledger) -> list[dict[str, Any]]:
    """Return the alarms of the day, oldest first."""
    return list(alarms(ledger, DAY))[::-1]


def test_requests_of_a_minute_are_limited_whatever_they_came_to(
    opened: Open, actors: dict[str, Actor], people: tuple[Person, ...], ledger: Ledger
) -> None:
    """Shown, not found and refused alike; the next minute is another."""
    guard, east = opened(per_minute=3), actors["officer.east"]
    assert ask(guard, east, people[0].number).allowed
    assert not ask(guard, east, invented_id(sequence=555)).allowed
    window = replace(east, roles=("window_officer",))  # without a case: refused by the policy
    assert not ask(guard, window, people[0].number).allowed
    answer = ask(guard, east, people[0].number)
    assert (answer.allowed, answer.subjects, answer.wait_seconds) == (False, (), 60)
    assert "3" in answer.reason
    assert "60" in answer.remedy
    body = ledger.entry(answer.receipt.index).body
    assert body is not None
    assert (body["decision"], body["limit"]) == ("refused", "per_minute")
    assert (body["fields"], "subject" in body) == ({}, False)
    assert ask(guard, actors["officer.west"], people[0].number).wait_seconds is None
    search = SearchQuery("phone", people[0].phone, "housing.rental_check")
    assert guard.search(east, search).wait_seconds is None
    assert ask(opened(timedelta(minutes=1), per_minute=3), east, people[0].number).allowed


def test_the_time_to_wait_runs_to_the_next_minute(
    opened: Open, actors: dict[str, Actor], people: tuple[Person, ...]
) -> None:
    guard = opened(timedelta(seconds=42), per_minute=1)
    ask(guard, actors["officer.east"], people[0].number)
    assert ask(guard, actors["officer.east"], people[0].number).wait_seconds == 18


def test_processes_share_the_count_and_a_restart_keeps_it(
    opened: Open, actors: dict[str, Actor], people: tuple[Person, ...]
) -> None:
    east = actors["officer.east"]
    for _ in range(3):
        assert ask(opened(per_minute=3), east, people[0].number).allowed
    assert ask(opened(per_minute=3), east, people[0].number).wait_seconds == 60


@pytest.mark.parametrize("harm", [Path.unlink, lambda path: path.write_bytes(b"?" * 9000)])
def test_lost_counters_are_counted_again_from_the_ledger(
    opened: Open,
    actors: dict[str, Actor],
    people: tuple[Person, ...],
    ledger: Ledger,
    tmp_path: Path,
    harm: Callable[[Path], object],
) -> None:
    """Requests, persons, misses, and what was told already."""
    east = actors["officer.east"]
    for person in people[:25]:
        ask(opened(per_minute=30), east, person.number)
    for _ in range(3):
        ask(opened(per_minute=30), east, invented_id(sequence=555))
    harm(tmp_path / "usage.sqlite")
    assert ask(opened(per_minute=30, persons_a_day=25), east, people[25].number).reason.startswith(
        "该事由每天最多查看 25 人"
    )
    assert ask(opened(per_minute=30), east, people[0].number).allowed
    assert ask(opened(per_minute=30), east, people[0].number).wait_seconds == 60
    usage = Usage(tmp_path / "usage.sqlite")
    with usage.counting(lambda _: True, lambda _: None) as counters:
        name = told(ledger)[0]["actor"]
        assert counters.total(name, "nobody", NOW.isoformat()[:13]) == 3
    assert [row["limit"] for row in told(ledger)] == ["L4", "persons_a_day", "per_minute"]


def test_a_file_of_yesterday_is_not_gone_on_with(
    opened: Open, actors: dict[str, Actor], people: tuple[Person, ...], tmp_path: Path
) -> None:
    """As one that was put back from a backup, beside a ledger that went on."""
    east, path = actors["officer.east"], tmp_path / "usage.sqlite"
    with Usage(path).counting(lambda _: True, lambda _: None) as counters:
        counters.add("a", "asked", "2026-03-06T10:00")
    yesterday = path.read_bytes()
    assert ask(opened(per_minute=1), east, people[0].number).allowed
    path.unlink()
    path.write_bytes(yesterday)
    assert ask(opened(per_minute=1), east, people[0].number).wait_seconds == 60


def test_nothing_leaves_where_it_cannot_be_counted(
    opened: Open,
    actors: dict[str, Actor],
    people: tuple[Person, ...],
    ledger: Ledger,
    tmp_path: Path,
) -> None:
    """On no road; and nothing is recorded, for nothing happened."""
    guard = opened()
    (tmp_path / "usage.sqlite").mkdir()
    citizen = replace(actors["citizen"], binding=guard.binding(people[0].number))
    for road in (
        lambda: ask(guard, actors["officer.east"], people[0].number),
        lambda: guard.search(actors["officer.east"], SearchQuery("phone", "1", PURPOSE)),
        lambda: guard.statistics(actors["analyst"], StatsQuery("police.case", ("category",))),
        lambda: guard.own_records(citizen, "s"),
    ):
        with pytest.raises(LedgerError, match="could not be counted"):
            road()
    assert ledger.size == 0


def test_statistics_are_limited_too(opened: Open, actors: dict[str, Actor]) -> None:
    """Ways to subtract one table from another are many; ways to ask are not."""
    guard, query = opened(), StatsQuery("police.case", ("category",))
    for _ in range(60):
        assert guard.statistics(actors["analyst"], query).allowed
    answer = guard.statistics(actors["analyst"], query)
    assert (answer.allowed, answer.rows, answer.wait_seconds) == (False, (), 60)


def test_who_finds_nobody_too_often_is_answered_nothing_more(
    opened: Open, actors: dict[str, Actor], people: tuple[Person, ...], ledger: Ledger
) -> None:
    """Hits and misses get one answer then, on every road and purpose; the next hour is another."""
    guard, west = opened(), actors["officer.west"]
    for n in range(NOBODY_AN_HOUR // 2):
        assert ask(guard, west, people[n].number).wait_seconds is None  # not yours
        assert ask(guard, west, invented_id(sequence=500 + n)).wait_seconds is None  # not there
    for answer in (
        ask(guard, west, people[0].number),
        ask(guard, west, invented_id(sequence=555)),
        guard.search(west, SearchQuery("phone", people[0].phone, "housing.rental_check")),
    ):
        assert (answer.allowed, answer.wait_seconds) == (False, 1800)
        body = ledger.entry(answer.receipt.index).body
        assert body is not None
        assert (body["limit"], "nobody" in body) == ("nobody_an_hour", False)
    assert ask(guard, actors["officer.east"], people[0].number).allowed
    assert ask(opened(timedelta(hours=1)), west, people[0].number).wait_seconds is None


def test_persons_of_a_day_are_limited_and_told_of_once(
    opened: Open, actors: dict[str, Actor], people: tuple[Person, ...], ledger: Ledger
) -> None:
    """The same person again is no further person, and past the limit is refused like any other."""
    guard, east = opened(persons_a_day=2), actors["officer.east"]
    assert [ask(guard, east, people[n].number).allowed for n in (0, 0, 1)] == [True] * 3
    refused = [ask(guard, east, number) for number in (people[2].number, people[0].number)]
    assert {answer.wait_seconds for answer in refused} == {int((24 - 9.5) * 3600)}
    (alarm,) = told(ledger)
    assert alarm["event"] == "access:limit:exceeded"
    assert (alarm["limit"], alarm["threshold"]) == ("persons_a_day", 2)
    assert alarm["purpose"] == PURPOSE
    assert alarm["actor"] not in (east.id, east.name)
    assert ask(opened(timedelta(days=1), persons_a_day=2), east, people[2].number).allowed


def test_a_list_that_would_pass_the_limit_shows_nobody(
    opened: Open, actors: dict[str, Actor]
) -> None:
    """Thirty live at one address; twenty would be listed, nineteen may be."""
    address = "明镜区东街街道朝阳社区文化路12号3单元502室"
    query = SearchQuery("address", address, PURPOSE)
    answer = opened(persons_a_day=19).search(actors["officer.east"], query)
    assert (answer.allowed, answer.subjects) == (False, ())
    assert len(opened(persons_a_day=20).search(actors["officer.east"], query).subjects) == 20


@pytest.fixture
def limits(
    usage: Usage, ledger: Ledger, catalog: Catalog, policy: Policy, clock: FixedClock
) -> Limits:
    """Limits by themselves."""
    return Limits(usage, ledger, catalog, lambda: policy.purposes, clock)


def shown(count: int, level: str, start: int = 0) -> list[UsageRecord]:
    """Return the records of one request that shows persons."""
    one = replace(
        USE,
        road=Action.RECONCILE,
        action=UsageAction.EXPORTED,
        purpose="quality.reconcile",
        fields=SHOWN[level],
        request=f"r{start}",
    )
    return [replace(one, subject=n.to_bytes(16, "big")) for n in range(start, start + count)]


@pytest.mark.parametrize(("level", "most"), [(k.name, n) for k, n in ALARMS.items()])
def test_many_persons_in_a_day_are_told_of_once(limits: Limits, level: str, most: int) -> None:
    """At the number, not before it and not again after it; the more sensitive the sooner."""
    assert (ALARMS[Classification[level]], limits.count([shown(most - 1, level)])[1]) == (most, ())
    _, alarms = limits.count([shown(1, level, most - 2), shown(1, level, most - 1)])
    found = [a.entry.body for a in alarms if a.entry.body["limit"] == level]
    assert [(body["threshold"], body["persons"]) for body in found] == [(most, most)]
    assert found[0]["event"] == "access:limit:reached"
    limits.confirm(alarms)
    assert limits.count([shown(2, level, most)])[1] == ()


def test_who_stands_beside_is_no_person_more(limits: Limits, usage: Usage) -> None:
    """The limits are about whom an officer asks for."""
    (asked_about,) = shown(1, "L4")
    beside = replace(asked_about, subject=bytes(16), role=SubjectRole.INCIDENTAL)
    limits.count([[replace(asked_about, subject=b"a" * 16), beside]])
    with usage.counting(lambda _: True, lambda _: None) as counters:
        assert counters.total(asked_about.actor.id, f"shown {asked_about.purpose}", DAY) == 1
        assert counters.total(asked_about.actor.id, "L4", DAY) == 1


def test_an_alarm_the_ledger_did_not_take_is_told_again(limits: Limits) -> None:
    """A minute later: until then somebody may still be about to."""
    assert len(limits.count([shown(25, "L4")])[1]) == 1
    assert limits.count([shown(1, "L4", 25)])[1] == ()
    later = [replace(use, time=NOW + timedelta(minutes=1)) for use in shown(1, "L4", 26)]
    assert len(limits.count([later])[1]) == 1


def test_an_alarm_stands_in_the_ledger_beside_what_raised_it(
    opened: Open, actors: dict[str, Actor], people: tuple[Person, ...], ledger: Ledger
) -> None:
    """And its answer's receipt is for its own entry alone."""
    guard = opened()
    answers = [ask(guard, actors["officer.east"], person.number) for person in people[:26]]
    assert all(answer.allowed and len(answer.receipt.indexes) == 1 for answer in answers)
    (alarm,) = told(ledger)
    assert (alarm["limit"], alarm["persons"]) == ("L4", 25)
    assert alarm["index"] == answers[24].receipt.index + 1
    body = ledger.entry(alarm["index"]).body
    assert body is not None
    assert body["request"] == answers[24].request_id
    assert "subject" not in body


def test_a_session_is_recorded_once_by_all_processes(
    opened: Open, actors: dict[str, Actor], people: tuple[Person, ...], ledger: Ledger
) -> None:
    """Also by one that was started in between."""
    binding = opened().binding(people[0].number)
    citizen = replace(actors["citizen"], binding=binding)
    first, second = (opened().own_records(citizen, "s1") for _ in range(2))
    assert first.receipt == second.receipt
    assert second.subjects == first.subjects
    assert opened().own_records(replace(citizen, id="another"), "s1").receipt != first.receipt
    assert ledger.size == 2


def test_entries_that_are_fit_to_record_are_counted_as_they_are_restored(
    limits: Limits, ledger: Ledger, usage: Usage, tmp_path: Path, catalog: Catalog, policy: Policy
) -> None:
    """A request of many persons is one request, over more entries than are read at once."""
    uses = shown(1500, "L3")
    limits.count([uses])
    ledger.append([use.entry() for use in uses])
    again = Usage(tmp_path / "again.sqlite")
    clock = FixedClock(NOW)
    Limits(again, ledger, catalog, lambda: policy.purposes, clock).receipt(b"")
    for made in (usage, again):
        with made.counting(lambda _: True, lambda _: None) as counters:
            actor = "ab" * 16
            assert counters.total(actor, "asked quality.reconcile", f"{DAY}T09:30") == 1
            assert counters.total(actor, "shown quality.reconcile", DAY) == 1500
            assert counters.total(actor, "L3", DAY) == counters.total(actor, "L1", DAY) == 1500
            assert counters.total(actor, "L4", DAY) == 0
