"""What nobody used, and the narrower policy: it lints, opens nothing, and refuses nothing used."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest

from access.answers import LookupQuery, SearchQuery
from access.decision import Decider
from access.files import FILES, POLICY_FOLDER, policy_file, read_text
from access.guard import Guard
from access.history import Lost
from access.lint import errors_of, lint
from access.model import Actor
from access.policy import load_policy
from access.purposes import load_purposes
from access.simulate import replay
from access.unused import Proposal, Unused, Used, propose, unused, used_since
from hub.catalog import Catalog
from hub.ledger.log import Ledger
from tests.access.conftest import NOW
from tests.access.people import Person

VERIFY = "residence.verify"
LATER = NOW + timedelta(days=40)
SINCE = LATER - timedelta(days=30)


@pytest.fixture
def planted(
    guard_in: Callable[[timedelta], Guard], ledger: Ledger, actors: dict[str, Actor], person: Person
) -> Ledger:
    """Uses of a month: residence by the grid, own data; an older one of elderly service."""
    early, late = guard_in(timedelta(0)), guard_in(timedelta(days=35))
    early.lookup(
        actors["officer.east"], LookupQuery("resident_id", person.number, "elderly.service")
    )
    east = actors["officer.east"]
    late.lookup(east, LookupQuery("resident_id", person.number, VERIFY))
    late.search(east, SearchQuery("phone", person.phone, VERIFY))
    late.lookup(actors["officer.west"], LookupQuery("resident_id", person.number, VERIFY))
    review = LookupQuery(
        "resident_id", person.number, "assistance.review", "2026-1", ("civil_affairs.marriage",)
    )
    late.lookup(actors["window"], review)
    return ledger


@pytest.fixture
def used(planted: Ledger, decider: Decider) -> Used:
    """What was used in the last thirty days."""
    return used_since(planted, decider, SINCE, LATER)


@pytest.fixture
def found(used: Used, decider: Decider) -> Unused:
    """What was not."""
    return unused(decider.policy, used, grants=("grant-1",))


@pytest.fixture
def proposal(used: Used, found: Unused, decider: Decider) -> Proposal:
    """The narrower policy."""
    return propose(texts(), decider, used, found, LATER)


def texts() -> dict[str, str]:
    """Return the shipped policy by file."""
    return {name: read_text(policy_file(POLICY_FOLDER, name)) for name in FILES}


def written(proposal: Proposal, folder: Path) -> Path:
    """Return the folder the proposal is written to."""
    for name, text in proposal.texts.items():
        (folder / name).write_text(text, encoding="utf-8")
    return folder


def test_only_what_was_used_in_time_counts(used: Used) -> None:
    """Elderly service was used forty days ago."""
    assert set(used.rules) == {"grid-residence", "window-assistance"}
    assert dict(used.purposes) == {VERIFY: 3, "assistance.review": 1}
    assert (VERIFY, "population.resident", "name") in used.needs
    assert not [need for need in used.needs if need[0] == "elderly.service"]
    assert used.entries == 4


def test_unused_rules_purposes_columns_and_grants(found: Unused, decider: Decider) -> None:
    """Denials are no permissions, and one's own data is a right."""
    rules = {rule.id for rule in found.rules}
    assert {"grid-elderly", "grid-rental", "analyst-statistics"} <= rules
    assert not rules & {"grid-residence", "window-assistance", "citizen-own", "no-export"}
    assert "elderly.service" in found.purposes
    assert not {VERIFY, "own.data"} & set(found.purposes)
    assert (VERIFY, "housing.tenancy", "tenant_phone") in found.needs
    assert (VERIFY, "population.resident", "name") not in found.needs
    assert found.grants == ("grant-1",)


def test_entries_that_do_not_say_are_counted(planted: Ledger, decider: Decider) -> None:
    """Erased ones."""
    planted.erase(planted.size - 1, "office", "law")
    assert used_since(planted, decider, SINCE, LATER).lost == {Lost.ERASED: 1}


def test_the_proposal_lints_and_is_narrower(
    proposal: Proposal, found: Unused, decider: Decider, catalog: Catalog, tmp_path: Path
) -> None:
    """It closes something and opens nothing; what was cut is out of the text."""
    folder = written(proposal, tmp_path)
    assert errors_of(lint(catalog, folder)) == ()
    assert proposal.rules
    assert proposal.needs
    assert not proposal.change.opens
    assert proposal.change.cells
    narrower = load_policy(catalog, folder)
    assert set(decider.policy.by_id) - set(narrower.by_id) == set(proposal.rules)
    assert {rule.id for rule in found.rules} == {*proposal.rules, *proposal.kept}
    for purpose, dataset, column in proposal.needs:
        assert narrower.purposes[purpose].need(dataset, column) is None
        assert decider.policy.purposes[purpose].need(dataset, column) is not None


def test_nothing_that_was_used_is_refused(
    proposal: Proposal, planted: Ledger, decider: Decider, catalog: Catalog, tmp_path: Path
) -> None:
    """Replayed: neither refused nor shown less; the older use would be, and that is said."""
    after = Decider(load_policy(catalog, written(proposal, tmp_path)), catalog)
    recent = replay(planted, decider, after, SINCE, LATER)
    assert recent.replayed == 4
    assert recent.entries("refused") == recent.entries("widened") == 0
    assert recent.less_than_shown == 0
    older = replay(planted, decider, after, NOW, LATER)
    assert older.entries("refused") == older.less_than_shown == 1


def test_every_other_character_stays(proposal: Proposal) -> None:
    """Comments and order are what makes it readable."""
    for name in ("policy.csv", "purposes.yaml"):
        before = [li for li in texts()[name].splitlines() if li.lstrip().startswith("#")]
        after = [li for li in proposal.texts[name].splitlines() if li.lstrip().startswith("#")]
        assert before == after
    assert {
        n: t for n, t in proposal.texts.items() if n not in ("policy.csv", "purposes.yaml")
    } == {n: t for n, t in texts().items() if n not in ("policy.csv", "purposes.yaml")}


def test_a_rule_without_which_something_would_be_looser_stays(
    decider: Decider, catalog: Catalog
) -> None:
    """Counts of police matters need larger cells only because a rule says so."""
    statistics = ("analyst-statistics", "owner-statistics")
    counted = Used(
        1, {}, dict.fromkeys(statistics, 1), {}, {"statistics.publish": 1}, frozenset(), ()
    )
    found = unused(decider.policy, counted)
    assert "analyst-police-statistics" in {rule.id for rule in found.rules}
    made = propose(texts(), decider, counted, found, NOW)
    assert made.kept == ("analyst-police-statistics",)
    assert not made.change.opens


def test_a_column_without_which_another_would_be_clear_stays(
    decider: Decider, catalog: Catalog, tmp_path: Path
) -> None:
    """Beside a generalised birth date no number is clear; without it, it would be."""
    folder = tmp_path / "policies"
    folder.mkdir()
    own = {**texts()}
    moved = {
        "masked: [resident_id, phone, registered_address]": "masked: [phone, registered_address]",
        "unmask: [resident_id, phone]": "unmask: [phone]",
        "clear: [name, sex, person_status, residence_type,": (
            "clear: [resident_id, name, sex, person_status, residence_type,"
        ),
    }
    for old, new in moved.items():
        own["purposes.yaml"] = own["purposes.yaml"].replace(old, new, 1)
    for name, text in own.items():
        (folder / name).write_text(text, encoding="utf-8")
    before = Decider(load_policy(catalog, folder), catalog)
    register = load_purposes(folder)
    assert register[VERIFY].need("population.resident", "resident_id") == "clear"
    need = (VERIFY, "population.resident", "birth_date")
    counted = Used(1, {}, {r.id: 1 for r in before.policy.rules}, {}, {VERIFY: 1}, frozenset(), ())
    made = propose(own, before, counted, Unused((), (), (), (need,)), NOW)
    assert made.needs == ()
    assert not made.change.cells
