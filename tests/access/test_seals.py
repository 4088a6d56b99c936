"""Orders to seal uses: who asks, who approves, when they hold; what they seal, and its release."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from access import history
from access.answers import LookupQuery, SearchQuery
from access.duties import Refusal
from access.guard import Guard
from access.model import Actor
from access.ports import GuardKeys
from access.seal_release import GRACE, release_due, releases, sealed_uses
from access.seals import SealState
from hub.errors import NotFound, RequestError
from hub.ledger.writer import Entry
from hub.store.usage import Usage
from tests.access.conftest import NOW
from tests.access.people import WEST, Person, invented_id, record
from tests.access.registers import MemoryRegisters
from tests.access.sealing import (
    CASE,
    DAY,
    EAST,
    OTHER_POLICE,
    OVERSIGHT,
    POLICE,
    PURPOSE,
    Mortal,
    Sealing,
    act,
    refused,
    standing,
)
from tests.access.test_changes import House, Killed, house

__all__ = ["house"]

SECOND = timedelta(seconds=1)
ROOT = Path(__file__).parents[2]


@pytest.fixture
def sealing(
    house: House, keys: GuardKeys, usage: Usage, registers: MemoryRegisters, person: Person
) -> Sealing:
    twin = Person(invented_id(sequence=125), name=person.name)
    elsewhere = Person(invented_id(sequence=127), name="西风", grid=WEST)
    made = Sealing(house, keys, usage, registers, (person, twin, elsewhere))
    made.enter_case()
    return made


@pytest.fixture
def police(actors: dict[str, Actor]) -> Actor:
    return actors["officer.police"]


def citizen(sealing: Sealing, actors: dict[str, Actor], person: Person) -> Actor:
    return replace(actors["citizen"], id="c1", binding=sealing.guard().binding(person.number))


def query(person: Person, case: str = CASE) -> LookupQuery:
    return LookupQuery("resident_id", person.number, PURPOSE, case=case)


def recorded(guard: Guard, actor: Actor, person: Person) -> list[Entry]:
    """Return what the ledger would be told of a look-up."""
    return [use.entry() for use in guard.prepare_lookup(actor, query(person)).records]


def told(sealing: Sealing) -> list[str]:
    log = sealing.house.ledger
    entries = log.entries(0, log.size)
    return [
        e.event.removeprefix("access:seal:") for e in entries if e.event.startswith("access:seal:")
    ]


def released(sealing: Sealing) -> list[int]:
    log = sealing.house.ledger
    bodies = (e.body for e in log.entries(0, log.size) if e.event == "access:seal:released")
    return [body["entry"] for body in bodies if body is not None]


# -- orders


def test_an_order_holds_once_a_second_person_has_approved_it(sealing: Sealing) -> None:
    desk, number = sealing.desk(), sealing.asked()
    assert desk.find(number, NOW).state is SealState.REQUESTED
    assert "only" in refused(desk.approve(number, POLICE, act(POLICE)))
    assert "only" in refused(desk.approve(number, OTHER_POLICE, act(OTHER_POLICE)))
    done = standing(desk.approve(number, OVERSIGHT, act(OVERSIGHT)))
    assert (done.state, done.begins, done.ends) == (SealState.IN_FORCE, NOW, NOW + 30 * DAY)
    refused(desk.approve(number, OVERSIGHT, act(OVERSIGHT)))
    refused(desk.decline(number, OVERSIGHT, act(OVERSIGHT)))
    assert told(sealing) == ["ordered", "approved"]


@pytest.mark.parametrize(
    ("second", "registered"),
    [
        (replace(OVERSIGHT, person=POLICE.person), {}),
        (OVERSIGHT, {"second": replace(OVERSIGHT, person=POLICE.person)}),
        (OVERSIGHT, {"first": replace(POLICE, person=OVERSIGHT.person)}),
        (
            OVERSIGHT,
            {"first": replace(POLICE, person="s9"), "second": replace(OVERSIGHT, person="s9")},
        ),
        (replace(OVERSIGHT, account=POLICE.account), {}),
    ],
)
def test_two_accounts_of_one_person_are_one(
    sealing: Sealing, second: Any, registered: dict[str, Any]
) -> None:
    number = sealing.asked()
    desk = sealing.desk(**registered)
    assert "second person" in refused(desk.approve(number, second, act(second)))


def test_who_may_not_order_does_not(sealing: Sealing) -> None:
    desk, wanted = sealing.desk(), sealing.wanted()
    assert "only" in refused(desk.order(wanted, OVERSIGHT, act(OVERSIGHT)))
    assert "no such open case" in refused(desk.order(wanted, EAST, act(EAST)))
    with pytest.raises(RequestError):
        desk.order(wanted, POLICE, replace(act(POLICE), reason="电话 13812345678"))
    assert desk.standings(NOW) == ()


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"ground": "supervision_inquiry"}, "grounds of this purpose"),
        ({"ground": "convenience"}, "grounds of this purpose"),
        ({"purposes": ()}, "never sealed"),
        ({"purposes": (PURPOSE, "residence.verify")}, "never sealed"),
        ({"purposes": ("no.such",)}, "never sealed"),
        ({"case": "X-1"}, "no such open case"),
        ({"valid_to": NOW + 90 * DAY + SECOND}, "within 90 days"),
        ({"valid_to": NOW}, "within 90 days"),
        ({"valid_from": NOW + 5 * DAY, "valid_to": NOW + 5 * DAY}, "within 90 days"),
    ],
)
def test_an_order_that_the_policy_does_not_know_is_refused(
    sealing: Sealing, change: dict[str, Any], said: str
) -> None:
    desk = sealing.desk()
    wanted = replace(sealing.wanted(NOW + 90 * DAY), **change)
    assert said in refused(desk.order(wanted, POLICE, act(POLICE)))
    assert desk.standings(NOW) == ()
    assert told(sealing) == []


def test_an_order_about_a_case_that_has_ended_is_refused(sealing: Sealing) -> None:
    sealing.enter_case("A2", lasts=DAY)
    wanted = sealing.wanted(NOW + 5 * DAY, case="A2")
    late = act(POLICE, NOW + DAY)
    assert "no such open case" in refused(sealing.desk().order(wanted, POLICE, late))


def test_a_case_has_one_order_at_a_time(sealing: Sealing) -> None:
    desk, first = sealing.desk(), sealing.asked()
    assert f"order {first}" in refused(desk.order(sealing.wanted(), POLICE, act(POLICE)))
    standing(desk.decline(first, OVERSIGHT, act(OVERSIGHT)))
    second = standing(desk.order(sealing.wanted(), POLICE, act(POLICE))).order.id
    assert desk.find(first, NOW).state is SealState.DECLINED
    standing(desk.decline(second, POLICE, act(POLICE)))  # taken back


def test_an_approval_does_not_come_after_the_term(sealing: Sealing) -> None:
    number, end = sealing.asked(until=NOW + DAY), NOW + DAY
    desk = sealing.desk()
    assert desk.find(number, end - SECOND).state is SealState.REQUESTED
    assert desk.find(number, end).state is SealState.EXPIRED
    refused(desk.approve(number, OVERSIGHT, act(OVERSIGHT, end)))
    late = standing(desk.approve(number, OVERSIGHT, act(OVERSIGHT, end - SECOND)))
    assert (late.begins, late.ends) == (end - SECOND, end)


def test_a_renewal_is_approved_again_by_a_second_person(sealing: Sealing) -> None:
    number, desk = sealing.ordered(), sealing.desk()
    at = NOW + 20 * DAY
    until = at + 90 * DAY
    assert "within" in refused(desk.renew(number, until + SECOND, POLICE, act(POLICE, at)))
    assert "for the agency" in refused(desk.renew(number, until, EAST, act(EAST, at)))
    asked = standing(desk.renew(number, until, POLICE, act(POLICE, at)))
    assert asked.ends == NOW + 30 * DAY
    assert "already" in refused(desk.renew(number, until, OTHER_POLICE, act(OTHER_POLICE, at)))
    own = replace(OVERSIGHT, person=POLICE.person)
    assert "second person" in refused(desk.approve(number, own, act(own, at)))
    done = standing(desk.approve(number, OVERSIGHT, act(OVERSIGHT, at)))
    assert (done.ends, done.renewals) == (until, 1)
    again = standing(desk.renew(number, until + DAY, POLICE, act(POLICE, at + 2 * DAY)))
    assert again.open_term is not None
    gone = standing(desk.decline(number, OVERSIGHT, act(OVERSIGHT, at + 2 * DAY)))
    assert (gone.ends, gone.open_term) == (until, None)


def test_what_has_ended_is_not_renewed(sealing: Sealing) -> None:
    number, desk, end = sealing.ordered(), sealing.desk(), NOW + 30 * DAY
    assert "has ended" in refused(desk.renew(number, end + DAY, POLICE, act(POLICE, end)))
    standing(desk.renew(number, end + DAY, POLICE, act(POLICE, end - SECOND)))
    assert "has ended" in refused(desk.approve(number, OVERSIGHT, act(OVERSIGHT, end)))
    assert desk.find(number, end).state is SealState.EXPIRED


def test_it_is_lifted_early_by_one_person(sealing: Sealing) -> None:
    first, desk = sealing.ordered(), sealing.desk()
    assert "only" in refused(desk.lift(first, replace(EAST, roles=("staff",)), act(EAST)))
    assert "for the agency" in refused(desk.lift(first, EAST, act(EAST)))
    standing(desk.lift(first, POLICE, act(POLICE)))
    assert desk.find(first, NOW).state is SealState.LIFTED
    refused(desk.lift(first, POLICE, act(POLICE)))
    with pytest.raises(NotFound):
        desk.lift(99, POLICE, act(POLICE))
    second = sealing.ordered(NOW + DAY)
    lifted = standing(desk.lift(second, OVERSIGHT, act(OVERSIGHT, NOW + 2 * DAY)))
    assert lifted.ends == NOW + 2 * DAY


def test_no_code_takes_an_order_away() -> None:
    """Its rows are touched by one module, which only adds and reads."""
    names = ("SealOrderRow", "SealTermRow", "seal_order", "seal_term")
    users = {
        path.relative_to(ROOT).as_posix()
        for folder in ("hub", "access", "api", "assets", "contracts")
        for path in (ROOT / folder).rglob("*.py")
        if any(name in path.read_text(encoding="utf-8") for name in names)
    }
    assert users == {
        "hub/store/access_models.py",
        "hub/store/migrations/versions/r0011_seals.py",
        "hub/store/seals.py",
    }
    store = (ROOT / "hub/store/seals.py").read_text(encoding="utf-8")
    assert "delete" not in store.partition('"""')[2].partition('"""')[2]
    assert "update" not in store


# -- what is sealed


def test_without_an_order_an_investigation_is_shown_at_once(
    sealing: Sealing, actors: dict[str, Actor], police: Actor, person: Person
) -> None:
    sealing.asked()
    sealing.guard().lookup(police, query(person))
    (use,) = sealing.guard().own_uses(citizen(sealing, actors, person))
    assert (use.purpose, use.withheld) == (PURPOSE, None)


def test_a_sealed_use_is_nowhere_on_the_subjects_road(
    sealing: Sealing, actors: dict[str, Actor], police: Actor, person: Person
) -> None:
    number = sealing.ordered()
    guard, mine = sealing.guard(), citizen(sealing, actors, person)
    plain = sealing.guard(NOW - SECOND)  # a moment before, nothing is sealed
    assert recorded(plain, police, person)[0].sealed is False
    answer = guard.lookup(police, query(person))
    assert answer.allowed
    assert guard.own_uses(mine) == ()
    assert guard.own_usage(mine) == []  # nor in what is exported
    with pytest.raises(NotFound) as sealed:
        guard.own_proof(mine, answer.receipt.index)
    with pytest.raises(NotFound) as missing:
        guard.own_proof(mine, 10**6)
    assert str(sealed.value) == str(missing.value)
    body = sealing.house.ledger.entry(answer.receipt.index).body
    assert body is not None
    assert body["seal"] == number
    assert body["subject"] == sealing.keys.label.of(person.key).hex()


def test_only_the_order_s_own_agency_purpose_and_case_are_sealed(
    sealing: Sealing, actors: dict[str, Actor], police: Actor, person: Person
) -> None:
    sealing.ordered()
    sealing.registers.open_case("B1", "police", PURPOSE)
    guard = sealing.guard()
    shown = [
        guard.lookup(police, query(person, "B1")),
        guard.lookup(
            actors["officer.east"],
            LookupQuery("resident_id", person.number, "residence.verify", case=CASE),
        ),
    ]
    uses = guard.own_uses(citizen(sealing, actors, person))
    assert [use.index for use in uses] == [a.receipt.index for a in reversed(shown)]
    decider = guard.decider
    assert decider.policy.purposes[PURPOSE].seal is not None


def test_refusals_nobodies_and_search_results_are_sealed_alike(
    sealing: Sealing, actors: dict[str, Actor], police: Actor
) -> None:
    """Each person found has an entry of their own; who is not there has one that looks the same."""
    sealing.ordered()
    guard, (one, twin, elsewhere) = sealing.guard(), sealing.people
    entries: list[Any] = []
    for asked in (query(elsewhere), query(Person(invented_id(sequence=999)))):
        (entry,) = [use.entry() for use in guard.prepare_lookup(police, asked).records]
        assert entry.body["decision"] == "refused"
        entries.append(entry)
    assert entries[0].body.keys() == entries[1].body.keys()
    search = SearchQuery("name_birth", one.name, PURPOSE, birth_date=one.birth_date, case=CASE)
    found = guard.search(police, search)
    assert len(found.subjects) == 2
    entries += [sealing.house.ledger.entry(i) for i in found.receipt.indexes]
    assert all(entry.body["seal"] for entry in entries)
    assert all(entry.sealed for entry in entries[:2])
    for person in (one, twin, elsewhere):
        assert guard.own_uses(citizen(sealing, actors, person)) == ()


def test_who_stands_beside_is_told_no_more_than_who_was_asked_about(
    sealing: Sealing, actors: dict[str, Actor], police: Actor
) -> None:
    """Else the other party of a matter would learn of the inquiry."""
    sealing.ordered()
    number, other = invented_id(sequence=131), invented_id(sequence=133)
    sealed = {"suspect_id": number, "suspect_name": "王甲", "address": "文化路", "detail": "失窃"}
    clear = {
        "case_no": "C1",
        "status": "1",
        "filed_on": "2026-03-01",
        "grid_code": "99010600100101",
    }
    matter = record("police.case", "suspect", clear, sealed)
    matter["others"] = {"victim": sealing.keys.identifier.of(other).hex()}
    suspect, victim = Person(number, records=(matter,)), Person(other)
    sealing.people = (victim, suspect)
    asked_about, beside = recorded(sealing.guard(), police, suspect)
    assert (asked_about.sealed, beside.sealed) == (True, True)
    assert beside.label == sealing.keys.label.of(victim.key)
    assert beside.body["role"] == "incidental"
    assert "police.case.case_no" in beside.body["fields"]
    sealing.guard().lookup(police, query(suspect))
    assert sealing.guard().own_uses(citizen(sealing, actors, victim)) == ()


def test_what_is_about_nobody_stays_in_the_system_s_chain(
    sealing: Sealing, actors: dict[str, Actor], person: Person
) -> None:
    """A refusal before anybody was looked for has no subject to be kept from."""
    sealing.ordered()
    other = replace(actors["officer.police"], roles=())
    (entry,) = recorded(sealing.guard(), other, person)
    assert (entry.label, entry.sealed) == (None, False)
    assert "seal" not in entry.body


def test_limits_and_history_count_sealed_uses(
    sealing: Sealing, police: Actor, person: Person, usage: Usage, tmp_path: Path
) -> None:
    """A lost file of counters is counted again, sealed uses too; so are uses put again."""
    sealing.ordered()
    guard = sealing.guard()
    guard.lookup(police, query(person))
    log = sealing.house.ledger
    seen = [use for _, use in history.uses(log, 0, log.size)]
    assert [use.purpose for use in seen if not isinstance(use, history.Lost)] == [PURPOSE]
    (tmp_path / "usage.sqlite").unlink()
    for _ in range(20):
        guard.lookup(police, query(Person(invented_id(sequence=999))))
    assert guard.lookup(police, query(person)).wait_seconds is not None


def test_oversight_reads_what_is_sealed_and_that_is_recorded(
    sealing: Sealing, police: Actor, person: Person
) -> None:
    number, desk = sealing.ordered(), sealing.desk()
    index = sealing.guard().lookup(police, query(person)).receipt.index
    assert isinstance(desk.uses(number, POLICE, act(POLICE)), Refusal)
    found = desk.uses(number, OVERSIGHT, act(OVERSIGHT))
    assert not isinstance(found, Refusal)
    assert [use.index for use in found[0]] == [index]
    log = sealing.house.ledger
    body = log.entry(log.size - 1).body
    assert body is not None
    assert (body["event"], body["order"], body["entries"]) == ("hub:ledger:read", number, 1)
    assert "subject" not in body
    mortal = Mortal(log, before=True)
    with pytest.raises(Killed):
        sealing.desk(mortal).uses(number, OVERSIGHT, act(OVERSIGHT))


# -- release


def test_it_releases_itself_with_its_true_time_and_why(
    sealing: Sealing, actors: dict[str, Actor], police: Actor, person: Person
) -> None:
    sealing.ordered()
    sealed = sealing.guard().lookup(police, query(person))
    end = NOW + 30 * DAY
    log, records, mine = (
        sealing.house.ledger,
        sealing.house.records,
        citizen(sealing, actors, person),
    )
    assert release_due(records, log, end - SECOND) == 0
    assert release_due(records, log, end) == 1
    assert release_due(records, log, end + SECOND) == 0
    (use,) = sealing.guard(end).own_uses(mine)
    assert use.time == sealing.house.ledger.entry(sealed.receipt.index).time
    assert use.withheld is not None
    assert use.withheld.until.startswith(end.isoformat()[:16])
    assert "criminal inquiry" in use.withheld.ground
    assert "第三十五条" in use.withheld.legal_basis
    assert use.outcome == "allowed"
    assert use.fields
    release = log.entry(use.index).body
    assert release is not None
    assert (release["event"], release["entry"]) == ("access:seal:released", sealed.receipt.index)
    assert release["record"] == log.entry(sealed.receipt.index).body
    ((index, exported),) = sealing.guard(end).own_usage(mine)
    assert (index, exported.seal) == (use.index, 1)
    assert release_due(records, log, end + GRACE) == 0
    assert told(sealing)[-2:] == ["released", "ended"]
    assert sealing.desk().find(1, end + GRACE).released
    assert log.verify_all().intact


def test_what_was_decided_just_before_the_end_is_released_too(
    sealing: Sealing, actors: dict[str, Actor], police: Actor, person: Person
) -> None:
    """Decided while the order held, recorded when it had ended, and its first release was done."""
    sealing.ordered()
    end = NOW + 30 * DAY
    late = sealing.guard(end - SECOND).prepare_lookup(police, query(person))
    log, records, mine = (
        sealing.house.ledger,
        sealing.house.records,
        citizen(sealing, actors, person),
    )
    assert release_due(records, log, end) == 0
    log.append([use.entry() for use in late.records])
    assert release_due(records, log, end + GRACE) == 1
    assert sealing.guard(end + GRACE).own_uses(mine) != ()


def test_what_is_recorded_when_an_order_was_done_with_is_released_too(
    sealing: Sealing, police: Actor, person: Person
) -> None:
    """A machine that slept between the decision and its recording."""
    sealing.ordered()
    end = NOW + 30 * DAY
    guard = sealing.guard(end - SECOND)
    prompt = guard.lookup(police, query(person)).receipt.index
    slept = guard.prepare_lookup(police, query(person))
    log, records = sealing.house.ledger, sealing.house.records
    assert release_due(records, log, end + GRACE) == 1
    assert told(sealing)[-1] == "ended"
    late = log.append([use.entry() for use in slept.records]).index
    assert release_due(records, log, end + 2 * GRACE) == 1
    assert release_due(records, log, end + 3 * GRACE) == 0
    assert released(sealing) == [prompt, late]
    assert told(sealing).count("ended") == 1


@pytest.mark.parametrize("when", ["before", "after"])
def test_a_release_that_was_killed_is_made_up_for_once(
    sealing: Sealing, police: Actor, person: Person, when: str
) -> None:
    sealing.ordered()
    guard = sealing.guard()
    indexes = [guard.lookup(police, query(person)).receipt.index for _ in range(3)]
    end = NOW + 30 * DAY
    mortal = Mortal(sealing.house.ledger, **{when: True})
    with pytest.raises(Killed):
        release_due(sealing.house.records, mortal, end)
    assert released(sealing) == ([] if when == "before" else indexes)
    release_due(sealing.house.records, sealing.house.ledger, end)
    release_due(sealing.house.records, sealing.house.ledger, end + GRACE)
    assert released(sealing) == indexes


def test_a_part_that_was_released_is_not_released_again(
    sealing: Sealing, police: Actor, person: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Killed between two parts of many: the rest follows."""
    monkeypatch.setattr("access.seal_release._PAGE", 2)
    sealing.ordered()
    guard = sealing.guard()
    indexes = [guard.lookup(police, query(person)).receipt.index for _ in range(5)]

    class Dying(Mortal):
        def append(self, entries: Sequence[Any]) -> Any:
            receipt = super().append(entries)
            self.before = True
            return receipt

    with pytest.raises(Killed):
        release_due(sealing.house.records, Dying(sealing.house.ledger), NOW + 30 * DAY)
    assert released(sealing) == indexes[:2]
    assert release_due(sealing.house.records, sealing.house.ledger, NOW + 31 * DAY) == 3
    assert released(sealing) == indexes


def test_lifting_releases_and_a_renewal_does_not(
    sealing: Sealing, police: Actor, person: Person
) -> None:
    number, desk = sealing.ordered(), sealing.desk()
    sealing.guard().lookup(police, query(person))
    at, log, records = NOW + 29 * DAY, sealing.house.ledger, sealing.house.records
    standing(desk.renew(number, at + 60 * DAY, POLICE, act(POLICE, at)))
    standing(desk.approve(number, OVERSIGHT, act(OVERSIGHT, at)))
    assert release_due(records, log, NOW + 31 * DAY) == 0
    sealing.guard(NOW + 40 * DAY).lookup(police, query(person))
    standing(desk.lift(number, OVERSIGHT, act(OVERSIGHT, NOW + 50 * DAY)))
    assert release_due(records, log, NOW + 50 * DAY) == 2
    assert recorded(sealing.guard(NOW + 50 * DAY), police, person)[0].sealed is False


def test_orders_are_released_apart(sealing: Sealing, police: Actor, person: Person) -> None:
    """What another order seals stays sealed."""
    sealing.enter_case("A2")
    first = sealing.ordered(until=NOW + 5 * DAY)
    wanted = sealing.wanted(case="A2")
    second = standing(sealing.desk().order(wanted, POLICE, act(POLICE))).order.id
    standing(sealing.desk().approve(second, OVERSIGHT, act(OVERSIGHT)))
    guard = sealing.guard()
    one, two = (guard.lookup(police, query(person, case)).receipt.index for case in (CASE, "A2"))
    release_due(sealing.house.records, sealing.house.ledger, NOW + 6 * DAY)
    assert released(sealing) == [one]
    uses = sealed_uses(sealing.house.ledger)
    assert [(use.index, use.order) for use in uses] == [(one, first), (two, second)]
    assert list(releases(sealing.house.ledger, uses)) == [one]


def test_a_use_is_sealed_from_the_approval_on_not_before(
    sealing: Sealing, actors: dict[str, Actor], police: Actor, person: Person
) -> None:
    number = sealing.asked()
    before = sealing.guard().lookup(police, query(person))
    at = NOW + timedelta(hours=1)
    standing(sealing.desk().approve(number, OVERSIGHT, act(OVERSIGHT, at)))
    sealing.guard(at).lookup(police, query(person))
    uses = sealing.guard(at).own_uses(citizen(sealing, actors, person))
    assert [use.index for use in uses] == [before.receipt.index]


def test_a_worker_that_runs_sees_an_order_end_at_its_second(
    sealing: Sealing, police: Actor, person: Person
) -> None:
    """The keeper looks again when an order begins or ends, whatever it knew."""
    sealing.ordered(until=NOW + DAY)
    keeper = sealing.house.keeper(elapsed=lambda: 0.0)
    name = sealing.case()

    def sealed(at: datetime) -> int | None:
        return keeper.current(at).seals.covering("police", PURPOSE, name, at)

    assert sealed(NOW) == 1
    assert keeper.current(NOW).until == NOW + DAY
    assert sealed(NOW + DAY - SECOND) == 1
    assert sealed(NOW + DAY) is None
