"""Past questions put to a proposed policy: what would be refused, allowed, narrowed, widened."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest

from access.answers import LookupQuery, SearchQuery
from access.decision import Decider
from access.guard import Guard
from access.history import Lost
from access.model import Actor
from access.policy import load_policy
from access.simulate import REGISTER, Simulation, replay
from hub.catalog import Catalog
from hub.ledger.log import Ledger
from tests.access.conftest import NOW, Edit
from tests.access.people import Person, invented_id

VERIFY, ELDERLY = "residence.verify", "elderly.service"


@pytest.fixture
def asked(guard: Guard, ledger: Ledger, actors: dict[str, Actor], person: Person) -> Ledger:
    """A ledger of seven questions: four of the East Street officer, one each of three others."""
    east = actors["officer.east"]
    for _ in range(2):
        guard.lookup(east, LookupQuery("resident_id", person.number, VERIFY))
    guard.search(east, SearchQuery("phone", person.phone, VERIFY))
    guard.lookup(east, LookupQuery("resident_id", person.number, ELDERLY))
    guard.lookup(actors["officer.west"], LookupQuery("resident_id", person.number, VERIFY))
    guard.lookup(actors["analyst"], LookupQuery("resident_id", person.number, VERIFY))
    guard.lookup(actors["officer.police"], LookupQuery("resident_id", person.number, VERIFY))
    assert ledger.size == 7
    return ledger


def against(
    ledger: Ledger, decider: Decider, catalog: Catalog, *change: str, edit: Edit
) -> Simulation:
    """Return what a change of one file would do."""
    after = Decider(load_policy(catalog, edit(*change)), catalog)
    return replay(ledger, decider, after, NOW - timedelta(days=1), NOW)


def changes(found: Simulation) -> dict[tuple[str, tuple[str, ...]], tuple[int, int, int]]:
    """Return (change, rules) -> entries, requests, actors, over all else."""
    out: dict[tuple[str, tuple[str, ...]], tuple[int, int, int]] = {}
    for one, tally in found.consequences.items():
        old = out.get((one.change, one.rules), (0, 0, 0))
        new = (tally.entries, tally.requests, len(tally.actors))
        out[one.change, one.rules] = tuple(map(sum, zip(old, new, strict=True)))  # type: ignore[assignment]
    return out


def test_the_same_policy_changes_nothing(asked: Ledger, decider: Decider) -> None:
    """All can be put again."""
    found = replay(asked, decider, decider, NOW, NOW)
    assert (found.replayed, found.consequences, found.less_than_shown) == (7, {}, 0)


def test_newly_refused_by_the_rule_that_is_gone(
    asked: Ledger, decider: Decider, catalog: Catalog, edit: Edit
) -> None:
    """Looking up is no longer in it: two of East, one each of West and the police."""
    found = against(
        asked, decider, catalog, "policy.csv", "grid-residence,allow,grid_officer,*,lookup search,",
        "grid-residence,allow,grid_officer,*,search,", edit=edit,
    )  # fmt: skip
    assert changes(found) == {("refused", ("grid-residence",)): (4, 4, 3)}
    assert found.entries("refused") == 4
    assert found.less_than_shown == 3  # West was shown nothing
    assert all("没有规则" in one.reason for one in found.consequences)


def test_newly_refused_by_a_denial(
    asked: Ledger, decider: Decider, catalog: Catalog, edit: Edit
) -> None:
    """The rule named is the one that denies."""
    found = against(
        asked, decider, catalog, "policy.csv", "# What nobody may",
        "no-old,deny,*,*,lookup,civil_affairs.disability population.resident,elderly.service,any,"
        "optional,any,masked,L1,-,-,because\n# What nobody may", edit=edit,
    )  # fmt: skip
    assert changes(found) == {("refused", ("no-old",)): (1, 1, 1)}


def test_newly_allowed(
    guard: Guard,
    asked: Ledger,
    actors: dict[str, Actor],
    person: Person,
    decider: Decider,
    catalog: Catalog,
    edit: Edit,
) -> None:
    """Elderly service by the police too: what was refused to them no longer would be."""
    guard.lookup(actors["officer.police"], LookupQuery("resident_id", person.number, ELDERLY))
    found = against(
        asked, decider, catalog, "policy.csv",
        "grid-elderly,allow,grid_officer,population civil_affairs",
        "grid-elderly,allow,grid_officer,population civil_affairs police", edit=edit,
    )  # fmt: skip
    assert changes(found) == {("allowed", ("grid-elderly",)): (1, 1, 1)}
    (one,) = found.consequences
    assert (one.agency, one.purpose, one.action) == ("police", ELDERLY, "lookup")
    assert found.less_than_shown == 0


def test_fields_narrowed_and_widened(
    asked: Ledger, decider: Decider, catalog: Catalog, edit: Edit
) -> None:
    """By the register of purposes, where the rules are the same."""
    found = against(
        asked, decider, catalog, "purposes.yaml", "masked: [resident_id, phone, registered_address]",
        "masked: [resident_id, phone, ethnicity]", edit=edit,
    )  # fmt: skip
    assert set(changes(found)) >= {("narrowed", (REGISTER,))}
    narrowed = {c.columns for c in found.consequences if c.change == "narrowed"}
    assert ("population.resident.registered_address",) in narrowed
    assert found.less_than_shown == 4
    assert ("widened", (REGISTER,)) not in changes(found)
    wider = against(
        asked, decider, catalog, "purposes.yaml", "masked: [resident_id, phone, registered_address]",
        "masked: [resident_id, phone, registered_address, former_name]", edit=edit,
    )  # fmt: skip
    assert wider.entries("narrowed") == 0
    columns = {c.columns for c in wider.consequences if c.change == "widened"}
    assert columns == {("population.resident.former_name",)}
    assert wider.less_than_shown == 0


def test_what_cannot_be_put_again_is_counted(asked: Ledger, decider: Decider) -> None:
    """Erased entries; what is before the first day is not counted at all."""
    asked.erase(1, "office", "law")
    found = replay(asked, decider, decider, NOW, NOW)
    assert (found.replayed, found.lost) == (6, {Lost.ERASED: 1})
    assert replay(asked, decider, decider, NOW + timedelta(days=1), NOW).replayed == 0


def test_it_shows_no_person_and_tells_how_far_it_is(
    asked: Ledger, decider: Decider, catalog: Catalog, edit: Edit, person: Person
) -> None:
    """Neither a label nor an account; progress ends where the ledger ends."""
    after = Decider(
        load_policy(catalog, edit("policy.csv", "grid-residence,allow,grid_officer,*,lookup search,",
                                  "grid-residence,allow,grid_officer,*,search,")), catalog,
    )  # fmt: skip
    told: list[tuple[int, int]] = []
    found = replay(asked, decider, after, NOW, NOW, lambda *at: told.append(at))
    assert told[-1] == (7, 7)
    written = json.dumps([list(one) for one in found.consequences])
    labels = {e.label.hex() for e in asked.entries(0, 7) if e.label is not None}
    actors = {dict(e.body or {})["actor"]["id"] for e in asked.entries(0, 7)}
    assert labels
    assert not any(word in written for word in (*labels, *actors, person.number, invented_id()))
