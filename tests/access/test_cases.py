"""Purposes that go by the register of cases: whose case, for what, since when, and about whom."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from access.answers import Answer, LookupQuery, SearchQuery
from access.decision import Decider
from access.files import POLICY_FOLDER
from access.guard import Guard
from access.lint import lint
from access.model import Actor
from access.policy import load_policy
from access.ports import GuardKeys
from hub.catalog import Catalog
from hub.clock import FixedClock
from hub.errors import PolicyError
from hub.ledger.log import Ledger
from hub.store.usage import Usage
from tests.access.conftest import NOW
from tests.access.keeping import keeper_of
from tests.access.people import MemorySnapshot, Person, invented_id
from tests.access.registers import MemoryRegisters

INVESTIGATION, REVIEW = "public_safety.investigation", "assistance.review"
HOUR, SECOND = timedelta(hours=1), timedelta(seconds=1)


def look(guard: Guard, actor: Actor, who: Person | str, purpose: str, case: str | None) -> Answer:
    """Look somebody up in a case."""
    number = who if isinstance(who, str) else who.number
    return guard.lookup(actor, LookupQuery("resident_id", number, purpose, case, request_id="r"))


def test_an_open_case_opens(guard: Guard, actors: dict[str, Actor], person: Person) -> None:
    """Blanks around a reference are no part of it."""
    assert look(guard, actors["officer.police"], person, INVESTIGATION, " A1 ").subjects
    assert look(guard, actors["window"], person, REVIEW, "C1").subjects


@pytest.mark.parametrize(
    ("case", "reason", "remedy"),
    [
        (None, "needs a case reference", "give the case reference"),
        ("invented", "no such case", "hub access case open"),
        ("C1", "another agency's", "your own agency"),
        ("over", "closed or has run out", "have a new one entered"),
        ("early", "not begun", "ask once it has"),
        ("rental", "not entered for this purpose", "a purpose it was entered for"),
        ("theirs and over", "another agency's", "your own agency"),
    ],
)
def test_a_case_that_is_not_open_refuses(
    case: str | None,
    reason: str,
    remedy: str,
    guard: Guard,
    actors: dict[str, Actor],
    person: Person,
    registers: MemoryRegisters,
    snapshot: MemorySnapshot,
    ledger: Ledger,
) -> None:
    """With reason and remedy; nothing is read, and it is recorded."""
    registers.open_case("over", "police", INVESTIGATION, since=-HOUR, lasts=HOUR)
    registers.open_case("early", "police", INVESTIGATION, since=SECOND)
    registers.open_case("rental", "police", "housing.rental_check")
    registers.open_case("theirs and over", "housing", INVESTIGATION, since=-HOUR, lasts=HOUR)
    answer = look(guard, actors["officer.police"], person, INVESTIGATION, case)
    assert not answer.allowed
    assert reason in answer.reason
    assert remedy in answer.remedy
    assert snapshot.reads == 0
    body = ledger.entry(answer.receipt.index).body or {}
    assert body["decision"] == "refused"


def test_a_case_ends_on_the_second(
    guard_in: Callable[[timedelta], Guard],
    actors: dict[str, Actor],
    person: Person,
    registers: MemoryRegisters,
) -> None:
    """Though the decision is kept between the requests."""
    registers.open_case("short", "police", INVESTIGATION, lasts=HOUR)
    police = actors["officer.police"]
    assert look(guard_in(HOUR - SECOND), police, person, INVESTIGATION, "short").allowed
    assert not look(guard_in(HOUR), police, person, INVESTIGATION, "short").allowed


def test_one_open_case_does_not_open_another(
    guard: Guard, actors: dict[str, Actor], person: Person
) -> None:
    """Nor does the same actor's earlier decision."""
    police = actors["officer.police"]
    assert look(guard, police, person, INVESTIGATION, "A1").allowed
    assert not look(guard, police, person, INVESTIGATION, "A2").allowed


def test_other_purposes_take_any_reference(
    guard: Guard, actors: dict[str, Actor], person: Person
) -> None:
    """`given` and `optional` are what the asker says."""
    assert look(guard, actors["officer.east"], person, "residence.verify", "whatever").subjects


@pytest.fixture
def of_members(
    tmp_path: Path,
    catalog: Catalog,
    ledger: Ledger,
    keys: GuardKeys,
    clock: FixedClock,
    registers: MemoryRegisters,
    usage: Usage,
) -> Callable[..., Guard]:
    """Make a guard whose investigations are about the persons of a case only."""
    text = (POLICY_FOLDER / "purposes.yaml").read_text()
    (tmp_path / "purposes.yaml").write_text(text.replace("  case: open\n", "  case: member\n"))
    assert not [f for f in lint(catalog, tmp_path) if f.severity == "error"]
    decider = Decider(load_policy(catalog, tmp_path), catalog)

    def make(*people: Person) -> Guard:
        snapshot = MemorySnapshot(keys, people)
        return Guard(keeper_of(decider), catalog, snapshot, ledger, keys, clock, usage, registers)

    return make


def test_a_case_may_be_about_its_persons_only(
    of_members: Callable[..., Guard],
    actors: dict[str, Actor],
    registers: MemoryRegisters,
    ledger: Ledger,
) -> None:
    """Who is not in it and who is not there get the same answer, with a remedy."""
    suspect, neighbour = Person(invented_id(sequence=301)), Person(invented_id(sequence=302))
    registers.open_case("A9", "police", INVESTIGATION, members=(suspect,))
    guard, police = of_members(suspect, neighbour), actors["officer.police"]
    assert look(guard, police, suspect, INVESTIGATION, "A9").subjects
    other = look(guard, police, neighbour, INVESTIGATION, "A9")
    nobody = look(guard, police, invented_id(sequence=303), INVESTIGATION, "A9")
    assert not other.allowed
    assert "person of the case" in other.reason
    assert "hub access case add" in other.remedy
    assert replace(other, receipt=nobody.receipt) == nobody
    entry = ledger.entry(other.receipt.index)
    assert entry.label is not None  # the neighbour sees that it was tried
    listed = guard.search(police, SearchQuery("phone", suspect.phone, INVESTIGATION, case="A9"))
    assert len(listed.subjects) == 1
    assert not look(guard, police, suspect, INVESTIGATION, "A1").allowed  # a case of nobody
    bound = replace(police, binding=guard.binding(neighbour.number))
    own = look(guard, bound, neighbour, INVESTIGATION, "A9")  # the case is asked about first
    assert replace(own, receipt=nobody.receipt) == nobody


@pytest.mark.parametrize("entry", ["case: member", "back_days: 30"])
@pytest.mark.parametrize("purpose", ["statistics.publish", "quality.reconcile", "own.data"])
def test_what_leaves_out_persons_or_events_is_for_finding_persons(
    entry: str, purpose: str, tmp_path: Path, catalog: Catalog
) -> None:
    """A count or a drawn sample of which something is left out would be wrong."""
    parts = (POLICY_FOLDER / "purposes.yaml").read_text().split("\n\n")
    name = entry.partition(":")[0]
    edited = [
        "\n".join(
            line for line in part.splitlines() if not line.startswith(f"  {name}:")
        ) + f"\n  {entry}"
        if part.startswith(purpose)
        else part
        for part in parts
    ]  # fmt: skip
    (tmp_path / "purposes.yaml").write_text("\n\n".join(edited) + "\n")
    with pytest.raises(PolicyError) as caught:
        lint(catalog, tmp_path)
    assert "lookup, search, unmask only" in str(caught.value.findings)


def test_events_of_long_ago_are_left_out(
    guard_of: Callable[..., Guard], actors: dict[str, Actor], person: Person
) -> None:
    """Five years back in an investigation; what a register holds is of today, whenever entered."""

    def on(day: object) -> Person:
        incident = person.records[1]
        clear = {**incident["clear"], "reported_at": day}
        return replace(person, records=(person.records[0], {**incident, "clear": clear}))

    def datasets(day: object) -> set[str]:
        answer = look(guard_of(on(day)), actors["officer.police"], person, INVESTIGATION, "A1")
        return {record.dataset for record in answer.subjects[0].records}

    held = {"population.resident", "housing.dwelling"}
    first: datetime = NOW - timedelta(days=1825)
    assert datasets(f"{first:%Y-%m-%d}T00:00:00") == held | {"police.incident"}
    assert datasets(f"{first - timedelta(days=1):%Y-%m-%d}T23:59:59") == held
    for unreadable in (None, "", "someday", 20260103):
        assert datasets(unreadable) == held
