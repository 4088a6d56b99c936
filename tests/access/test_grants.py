"""Grants: what they open, to whom, for how long and how often; never more than their purpose."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from access.answers import Answer, LookupQuery
from access.duties import Refusal
from access.grant_desk import GrantDesk
from access.grants import GrantState, Standing
from access.guard import Guard
from access.keeper import Keeper
from access.model import Actor
from access.ports import GuardKeys
from hub.catalog import Catalog
from hub.clock import FixedClock
from hub.ledger.log import Ledger
from hub.store.grants import Grant
from hub.store.usage import Usage
from tests.access.conftest import NOW
from tests.access.keeping import Counting
from tests.access.people import MemorySnapshot, Person
from tests.access.registers import MemoryRegisters
from tests.access.test_changes import BUILT_IN, House, act, house, opened

__all__ = ["house"]

CASE = "A-12"
WANTED = Grant(
    id=0,
    agency="population",
    role="window_officer",
    purpose="residence.verify",
    actions=("lookup",),
    columns={"housing.dwelling": ("category", "usage")},
    area=(),
    case_name=None,
    basis="市住建函〔2026〕第3号",
    valid_from=NOW,
    valid_to=NOW + timedelta(days=10),
    uses_left=None,
)


@pytest.fixture
def desk(house: House) -> GrantDesk:
    return GrantDesk(house.desk())


def given(desk: GrantDesk, grant: Grant = WANTED, at: datetime = NOW) -> int:
    """Ask for a grant and give it; return its number."""
    asked = desk.request(grant, act("admin.security", at))
    assert isinstance(asked, Standing), asked
    done = desk.give(asked.grant.id, act("admin.third", at))
    assert isinstance(done, Standing), done
    return done.grant.id


@pytest.fixture
def clerk(actors: dict[str, Actor]) -> Actor:
    """A window officer of the agency the grant is for."""
    return replace(actors["window"], agency="population")


Ask = Callable[..., Answer]


@pytest.fixture
def ask(
    usage: Usage,
    registers: MemoryRegisters,
    house: House,
    catalog: Catalog,
    ledger: Ledger,
    keys: GuardKeys,
    person: Person,
    clerk: Actor,
) -> Ask:
    """Ask the guard about the resident who owns a home."""
    keeper = Keeper(house.records, catalog, ledger, elapsed=Counting())

    def lookup(
        actor: Actor = clerk,
        *,
        at: datetime = NOW,
        case: str = CASE,
        datasets: tuple[str, ...] | None = ("housing.dwelling",),
        purpose: str = "residence.verify",
    ) -> Answer:
        snapshot = MemorySnapshot(keys, (person,))
        guard = Guard(
            keeper, catalog, snapshot, ledger, keys, FixedClock(at), usage, registers,
            longest_lag=timedelta(days=365),
        )  # fmt: skip
        query = LookupQuery("resident_id", person.number, purpose, case, datasets)
        return guard.lookup(actor, query)

    return lookup


def shown(answer: Answer) -> dict[str, set[str]]:
    """Return the columns that are shown, by dataset."""
    (subject,) = answer.subjects
    found: dict[str, set[str]] = {}
    for record in subject.records:
        found.setdefault(record.dataset, set()).update(record.values)
    return found


def test_without_a_grant_it_is_closed(ask: Ask) -> None:
    assert not ask().allowed


def test_a_grant_opens_its_columns_and_no_other(desk: GrantDesk, ask: Ask) -> None:
    number = given(desk)
    answer = ask()
    assert answer.allowed, answer.reason
    assert shown(answer) == {"housing.dwelling": {"category", "usage"}}
    assert answer.decision.grants == (f"grant-{number}",)
    assert f"grant-{number}" in answer.decision.rules


def test_what_a_rule_opens_stays_as_the_rule_shows_it(desk: GrantDesk, ask: Ask) -> None:
    before = shown(ask(datasets=("population.resident",)))
    given(desk)
    assert shown(ask(datasets=("population.resident",))) == before
    both = ask(datasets=None)
    assert shown(both)["population.resident"] == before["population.resident"]
    assert shown(both)["housing.dwelling"] == {"category", "usage"}


def test_the_ledger_says_on_which_grant_it_rests(desk: GrantDesk, ask: Ask, ledger: Ledger) -> None:
    number = given(desk)
    ask()
    (last,) = ledger.entries(ledger.size - 1, ledger.size)
    assert last.body is not None
    assert last.body["grants"] == [f"grant-{number}"]
    assert last.body["fields"] == {
        "housing.dwelling.category": "clear", "housing.dwelling.usage": "clear",
    }  # fmt: skip


def test_the_grant_of_another_agency_helps_nobody(desk: GrantDesk, ask: Ask, clerk: Actor) -> None:
    given(desk)
    answer = ask(replace(clerk, agency="housing"))
    assert not answer.allowed
    assert "another agency" in answer.reason
    assert not ask(replace(clerk, roles=("department_steward",))).allowed
    assert not ask(replace(clerk, active=False)).allowed


def test_before_and_after_its_time_it_is_refused_with_the_way_to_apply(
    desk: GrantDesk, ask: Ask
) -> None:
    begins = NOW + timedelta(days=1)
    given(desk, replace(WANTED, valid_from=begins))
    early = ask(at=begins - timedelta(seconds=1))
    assert not early.allowed
    assert "has not begun" in early.reason
    assert ask(at=begins).allowed
    assert ask(at=WANTED.valid_to - timedelta(seconds=1)).allowed
    late = ask(at=WANTED.valid_to)
    assert not late.allowed
    assert "has expired" in late.reason
    assert "hub access grant" in late.remedy


def test_it_is_for_its_case_only(desk: GrantDesk, ask: Ask, keys: GuardKeys) -> None:
    given(desk, replace(WANTED, case_name=keys.case.of(CASE).hex()))
    assert ask().allowed
    other = ask(case="B-7")
    assert not other.allowed
    assert "another case" in other.reason


def test_it_is_for_its_area_only(desk: GrantDesk, ask: Ask, clerk: Actor) -> None:
    given(desk, replace(WANTED, area=("990106001",)))
    assert ask(replace(clerk, area=("990106001001",))).allowed
    for area in ((), ("990106002",), ("990106",)):
        answer = ask(replace(clerk, area=area))
        assert not answer.allowed
        assert "another area" in answer.reason


def test_a_revoked_grant_ends_at_the_next_request(desk: GrantDesk, ask: Ask) -> None:
    number = given(desk)
    assert ask().allowed
    assert isinstance(desk.revoke(number, act("admin.security")), Standing)
    answer = ask()
    assert not answer.allowed
    assert "was revoked" in answer.reason
    assert isinstance(desk.revoke(number, act("admin.security")), Refusal)


def test_who_asks_does_not_give(desk: GrantDesk, ask: Ask) -> None:
    asked = desk.request(WANTED, act("admin.security"))
    assert isinstance(asked, Standing)
    number = asked.grant.id
    for by in ("admin.security", "admin.system", "admin.audit"):
        assert isinstance(desk.give(number, act(by)), Refusal)
    assert "waits for its approval" in ask().reason
    taken_back = desk.decline(number, act("admin.security"))
    assert isinstance(taken_back, Standing)
    assert taken_back.state is GrantState.DECLINED
    assert isinstance(desk.give(number, act("admin.second")), Refusal)
    assert not ask().allowed


@pytest.mark.parametrize(
    ("change", "word"),
    [
        ({"purpose": "no.such"}, "no such purpose"),
        ({"role": "no_such"}, "no such role"),
        ({"agency": "police"}, "no such role"),
        ({"purpose": "elderly.service"}, "need it"),
        ({"actions": ("list",)}, "only"),
        ({"actions": ("export",)}, "not for export"),
        ({"actions": ("export", "lookup")}, "nothing else"),
        ({"actions": ()}, "name actions"),
        ({"columns": {}}, "name actions"),
        ({"columns": {"no.such": ("x",)}}, "no such dataset"),
        ({"columns": {"housing.dwelling": ("no_such",)}}, "no such column"),
        ({"columns": {"housing.dwelling": ()}}, "no such column"),
        ({"columns": {"housing.dwelling": ("rooms",)}}, "need it"),
        ({"valid_to": NOW}, "ends after"),
        ({"valid_to": NOW + timedelta(days=400)}, "within"),
        ({"uses_left": 0}, "one or more"),
        ({"purpose": "public_safety.investigation",
          "columns": {"address.standard_address": ("name",)}}, "may not state"),
        ({"purpose": "public_safety.investigation", "columns": {"police.case": ("category",)}},
         "does not share"),
    ],
)  # fmt: skip
def test_what_is_too_wide_is_not_even_asked_for(
    desk: GrantDesk, change: dict[str, Any], word: str
) -> None:
    refused = desk.request(replace(WANTED, **change), act("admin.security"))
    assert isinstance(refused, Refusal)
    assert word in refused.reason
    assert desk.standings(NOW) == ()


def test_a_grant_that_the_policy_no_longer_allows_does_not_hold(
    house: House, desk: GrantDesk, ask: Ask
) -> None:
    given(desk)
    assert ask().allowed
    needed = "clear: [dwelling_id, address_id, category, usage,"
    closed = BUILT_IN["purposes.yaml"].replace(needed, needed.removesuffix(" category, usage,"), 1)
    house.change({**BUILT_IN, "purposes.yaml": closed})
    assert not ask().allowed


def test_a_use_is_taken_by_each_answer_and_none_is_left_over(
    desk: GrantDesk, ask: Ask, ledger: Ledger
) -> None:
    given(desk, replace(WANTED, uses_left=2))
    assert ask(datasets=None).allowed  # routine: takes none
    assert [ask().allowed for _ in range(4)] == [True, True, False, False]
    assert "no use left" in ask().reason
    (standing,) = desk.standings(NOW)
    assert (standing.state, standing.grant.uses_left) == (GrantState.EXHAUSTED, 0)
    events = [e.event for e in ledger.entries(0, ledger.size)]
    assert events.count("access:grant:exhausted") == 1


def test_a_use_that_another_took_meanwhile_is_refused(
    desk: GrantDesk, ask: Ask, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A worker that has not looked since finds none left when it takes one."""
    given(desk, replace(WANTED, uses_left=1))
    monkeypatch.setattr("access.keeper._LOOK_SECONDS", 3600.0)
    assert ask().allowed
    refused = ask()
    assert not refused.allowed
    assert "no use left" in refused.reason
    assert refused.decision.grants == ()


def test_two_processes_never_take_the_same_use(house: House, desk: GrantDesk) -> None:
    number = given(desk, replace(WANTED, uses_left=30))
    command = [
        sys.executable, "-c",
        f"from tests.access.test_grants import take; take({str(house.home)!r}, {number})",
    ]  # fmt: skip
    children = [
        subprocess.Popen(command, stdout=subprocess.PIPE, env=dict(os.environ)) for _ in range(2)
    ]
    taken = [int(child.communicate()[0]) for child in children]
    assert sum(taken) == 30
    (standing,) = desk.standings(NOW)
    assert standing.grant.uses_left == 0


def take(folder: str, number: int) -> None:
    """Try to take thirty uses as another process does; say how many there were."""
    with opened(Path(folder)) as house:
        keeper = house.keeper()
        sys.stdout.write(str(sum(keeper.spend((number,), NOW) for _ in range(30))))
