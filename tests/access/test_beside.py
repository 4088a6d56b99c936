"""Who stands beside the person asked about: what the contracts let be shown of them, and to whom told."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from access.answers import LookupQuery
from access.beside import Beside, Party
from access.guard import Guard
from access.masking import BY_SEMANTIC
from access.model import Action, Actor, Trait
from access.ports import GuardKeys
from access.roads.reconciliation import Matter
from access.usage_record import SubjectRole, UsageAction, UsageRecord, usage_of
from hub.catalog import Catalog
from hub.ledger.log import Ledger
from tests.access.people import EAST, Person, invented_id, record

MARRIAGE = "civil_affairs.marriage"
REVIEW = "assistance.review"
HIS, HERS = invented_id(sequence=301), invented_id("1991-04-01", 302)
#: What says who somebody is; free text and addresses of a matter are about all its parties.
NAMES_ONE = set(BY_SEMANTIC) - {"address", "free_text"}
WHOLE = {f"{MARRIAGE}.op_type": "clear", f"{MARRIAGE}.op_date": "clear"}


def marriage(keys: GuardKeys, role: str, number: str, other: str, partner: str) -> dict[str, Any]:
    """Return a marriage as it stands in one spouse's document."""
    sealed = {
        f"{role}_id": number,
        f"{role}_name": "王某",
        "op_type": "IA",
        "op_date": "2020-05-20",
    }
    held = record(MARRIAGE, role, {"registration_no": "M1"}, sealed)
    return held | {"others": {other: keys.identifier.of(partner).hex()}}


@pytest.fixture
def couple(keys: GuardKeys) -> tuple[Person, Person]:
    """Husband and wife."""
    return (
        Person(HIS, records=(marriage(keys, "man", HIS, "woman", HERS),)),
        Person(HERS, birth_date="1991-04-01", records=(marriage(keys, "woman", HERS, "man", HIS),)),
    )


def told(ledger: Ledger) -> list[UsageRecord]:
    """Return every use of a ledger."""
    found = map(usage_of, ledger.entries(0, ledger.size))
    return [use for use in found if use is not None]


def look(guard: Guard, actor: Actor, number: str, **more: Any) -> Any:
    """Look somebody up for an application of the family's own."""
    return guard.lookup(actor, LookupQuery("resident_id", number, REVIEW, "C1", **more))


def test_no_column_about_the_record_as_a_whole_names_a_person(catalog: Catalog) -> None:
    """So a document names nobody but its own person: it has no column about another.

    (`tests.assets.serving.test_publish` holds published documents to that.)
    """
    for dataset in catalog.values():
        for column in dataset.columns:
            if column.role is None and dataset.subjects:
                assert column.semantic not in NAMES_ONE, f"{dataset.name}.{column.name}"


def test_several_persons_stand_in_one_record_only_where_it_is_about_each(catalog: Catalog) -> None:
    """The datasets for which the mechanism is: a new one is to be looked at."""
    several = {name: set(d.subjects) for name, d in catalog.items() if len(d.subjects) > 1}
    assert several == {
        MARRIAGE: {"man", "woman"},
        "police.case": {"victim", "suspect"},
        "police.dispute": {"party_a", "party_b"},
    }


def test_the_other_spouse_is_told_of_what_is_about_both(
    guard_of: Callable[..., Guard],
    couple: tuple[Person, Person],
    actors: dict[str, Actor],
    keys: GuardKeys,
    ledger: Ledger,
) -> None:
    """The columns about the record as a whole, by the same decision, and not whom it was about."""
    guard = guard_of(*couple)
    answer = look(guard, actors["window"], HIS)
    his, hers = told(ledger)
    assert (his.role, his.subject) == (SubjectRole.ASKED_ABOUT, keys.label.of(couple[0].key))
    assert (hers.role, hers.subject) == (SubjectRole.INCIDENTAL, keys.label.of(couple[1].key))
    assert hers.action is UsageAction.OPENED
    assert hers.datasets == (MARRIAGE,)
    assert set(hers.fields) <= {key for key in his.fields if key.startswith(MARRIAGE)}
    assert WHOLE.items() <= hers.fields.items()
    assert not [name for name in hers.fields if name.split(".")[2].startswith(("man", "woman"))]
    unlike = {"subject", "role", "dataset", "fields"}
    mine, theirs = his.body(), hers.body()
    assert {k: v for k, v in mine.items() if k not in unlike} == {
        k: v for k, v in theirs.items() if k not in unlike
    }
    assert his.subject is not None
    assert his.subject.hex() not in str(theirs)
    assert answer.receipt.indexes == (0,)  # who asked is not told who stands beside
    assert len(answer.subjects) == 1


def test_the_other_sees_it_on_their_page_and_the_one_asked_about_only_their_own(
    guard_of: Callable[..., Guard],
    couple: tuple[Person, Person],
    actors: dict[str, Actor],
    publish: Callable[[], None],
) -> None:
    guard = guard_of(*couple)
    look(guard, actors["window"], HIS)
    publish()
    citizen = actors["citizen"]
    (his,) = guard.own_uses(replace(citizen, binding=guard.binding(HIS)))
    (hers,) = guard.own_uses(replace(citizen, binding=guard.binding(HERS)))
    assert (his.role, hers.role) == ("asked_about", "incidental")
    assert his.index != hers.index
    assert {field["dataset"] for field in hers.fields} == {MARRIAGE}
    proof = guard.own_proof(replace(citizen, binding=guard.binding(HERS)), hers.index)
    assert f"index {hers.index}\n" in proof


def test_reading_ones_own_tells_the_other_nothing(
    guard_of: Callable[..., Guard],
    couple: tuple[Person, Person],
    actors: dict[str, Actor],
    ledger: Ledger,
) -> None:
    """A spouse, or who was one, does not learn when somebody signs in."""
    guard = guard_of(*couple)
    answer = guard.own_records(replace(actors["citizen"], binding=guard.binding(HERS)), "s")
    assert MARRIAGE in {record.dataset for record in answer.subjects[0].records}
    assert [use.role for use in told(ledger)] == [SubjectRole.ASKED_ABOUT]


def test_who_is_not_known_or_shares_nothing_shown_is_not_told(
    guard_of: Callable[..., Guard],
    couple: tuple[Person, Person],
    actors: dict[str, Actor],
    ledger: Ledger,
) -> None:
    look(guard_of(couple[0]), actors["window"], HIS)  # she is not in the snapshot
    look(guard_of(*couple), actors["window"], HIS, datasets=("population.resident",))
    assert not [use for use in told(ledger) if use.incidental]


def test_a_worklist_tells_the_other_party_too(
    guard_of: Callable[..., Guard],
    couple: tuple[Person, Person],
    actors: dict[str, Actor],
    keys: GuardKeys,
    ledger: Ledger,
) -> None:
    """A department's own record is shown whole; one asked about beside another has one record."""
    guard = guard_of(*couple)
    steward = replace(actors["partner.population"], agency="civil_affairs")
    evidence = ((MARRIAGE, bytes.fromhex("ab" * 16)),)
    matter = Matter("m", (couple[0].key,), evidence, frozenset())
    shown = guard.reconcile(steward, "JH-1", [matter])
    assert (shown.allowed, shown.persons) == (True, 1)
    his, hers = told(ledger)
    assert (his.incidental, hers.incidental) == (False, True)
    assert hers.subject == keys.label.of(couple[1].key)
    assert hers.action is UsageAction.EXPORTED
    assert set(hers.fields) < set(his.fields)


PARTNER, OTHER = b"p" * 16, b"o" * 16


def beside(action: Action, *traits: Trait) -> list[tuple[bytes, Any]]:
    """Return who is found beside one person of some traits."""
    gathered = Beside(action, frozenset({"police.case.suspect"}))
    found = [Party(f"{MARRIAGE}.man", PARTNER, WHOLE), Party("police.case.suspect", OTHER, WHOLE)]
    gathered.see(b"a" * 16, frozenset(traits), found)
    return list(gathered.others(lambda identifier: identifier))


def test_of_a_protected_person_nobody_learns_where_they_are_dealt_with() -> None:
    assert beside(Action.LOOKUP) == [(PARTNER, WHOLE)]
    assert beside(Action.LOOKUP, Trait.MINOR) == [(PARTNER, WHOLE)]
    assert beside(Action.LOOKUP, Trait.PROTECTED) == []
    assert beside(Action.OWN) == []


def test_who_was_asked_about_is_not_beside_and_twice_beside_is_once() -> None:
    gathered = Beside(Action.SEARCH, frozenset())
    one, two = {"x.y.z": "clear"}, {"x.y.w": "masked"}
    gathered.see(b"a" * 16, frozenset(), [Party("x.y", PARTNER, one), Party("x.y", OTHER, WHOLE)])
    twin = b"q" * 16
    gathered.see(b"b" * 16, frozenset(), [Party("x.y", PARTNER, two), Party("x.y", twin, WHOLE)])
    gathered.see(OTHER, frozenset(), [])
    found = dict(gathered.others(lambda key: PARTNER if key == twin else key))
    assert found == {PARTNER: {"x.y.z": "clear", "x.y.w": "masked", **WHOLE}}


def test_a_suspect_does_not_learn_of_the_case_by_who_looks_up_the_victim(
    guard_of: Callable[..., Guard], actors: dict[str, Actor], keys: GuardKeys, ledger: Ledger
) -> None:
    """个人信息保护法 35; the victim learns that the suspect was looked up."""

    def case(role: str, number: str, other: str, key: str) -> dict[str, Any]:
        clear = {"case_no": "C1", "status": "1", "filed_on": "2026-03-01", "grid_code": EAST}
        held = record("police.case", role, clear, {f"{role}_id": number, f"{role}_name": "王甲"})
        return held | {"others": {other: keys.identifier.of(key).hex()}}

    guard = guard_of(
        Person(HIS, records=(case("victim", HIS, "suspect", HERS),)),
        Person(HERS, records=(case("suspect", HERS, "victim", HIS),)),
    )
    for number in (HIS, HERS):
        query = LookupQuery("resident_id", number, "public_safety.investigation", "A1")
        assert guard.lookup(actors["officer.police"], query).subjects
    roles = [use.role for use in told(ledger)]
    assert roles == [SubjectRole.ASKED_ABOUT, SubjectRole.ASKED_ABOUT, SubjectRole.INCIDENTAL]
