"""Entries of the ledger as questions that can be put again, and those that cannot."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

from access.answers import LookupQuery, SearchQuery
from access.guard import Guard
from access.history import Lost, first_since, uses
from access.model import Action, Actor
from access.ports import GuardKeys
from access.usage_record import UsageAction, UsageRecord
from hub.events import AuditEvent, EventTag
from hub.ledger.log import Ledger
from hub.ledger.writer import Entry
from tests.access.conftest import NOW
from tests.access.people import Person

PURPOSE = "residence.verify"


def found(ledger: Ledger) -> list[UsageRecord | Lost]:
    """Return every use of a ledger."""
    return [use for _, use in uses(ledger, 0, ledger.size)]


def test_a_use_is_the_question_and_what_came_of_it(
    guard: Guard, ledger: Ledger, actors: dict[str, Actor], person: Person, keys: GuardKeys
) -> None:
    """With pseudonyms where there were names."""
    east = actors["officer.east"]
    guard.lookup(east, LookupQuery("resident_id", person.number, PURPOSE, case="2026-1"))
    guard.lookup(actors["analyst"], LookupQuery("resident_id", person.number, PURPOSE))
    shown, refused = found(ledger)
    assert isinstance(shown, UsageRecord)
    assert shown.actor.id == keys.actor.of("officer.east").hex()
    assert (shown.actor.as_actor().name, shown.actor.area) == ("", east.area)
    assert (shown.actor.roles, shown.actor.clearance) == (east.roles, east.clearance)
    assert (shown.action, shown.road) == (UsageAction.OPENED, Action.LOOKUP)
    assert (shown.asked, shown.purpose) == (None, PURPOSE)
    assert shown.case == keys.case.of("2026-1").hex()
    assert shown.shown
    assert shown.time == NOW
    assert shown.fields["population.resident.name"] == "clear"
    assert shown.rules == ("grid-residence",)
    assert isinstance(refused, UsageRecord)
    assert not refused.shown
    assert person.number not in repr(shown)


def test_what_cannot_be_put_again_says_why(
    guard: Guard, ledger: Ledger, actors: dict[str, Actor], person: Person
) -> None:
    """Erased, or about nothing that there is."""
    east = actors["officer.east"]
    guard.lookup(east, LookupQuery("resident_id", person.number, PURPOSE))
    guard.lookup(east, LookupQuery("resident_id", person.number, "no.such"))
    guard.lookup(east, LookupQuery("resident_id", person.number, PURPOSE, datasets=("no.such",)))
    ledger.append([Entry.of(AuditEvent(EventTag.HUB_LEDGER_OPENED, NOW))])
    ledger.erase(0, "office", "law")
    assert found(ledger) == [Lost.ERASED, Lost.UNKNOWN, Lost.UNKNOWN]


def test_the_first_entry_since_a_time(
    guard_in: Callable[[timedelta], Guard], ledger: Ledger, actors: dict[str, Actor]
) -> None:
    """Found without reading all of them; none where all are older."""
    day = timedelta(days=1)
    for days in (0, 0, 1, 3, 3, 8):
        guard_in(days * day).search(
            actors["officer.east"], SearchQuery("phone", "13812345678", PURPOSE)
        )
    wanted = {-1: 0, 0: 0, 1: 2, 2: 3, 3: 3, 4: 5, 8: 5, 9: 6}
    assert {days: first_since(ledger, NOW + days * day) for days in wanted} == wanted
    assert first_since(ledger, NOW + 20 * day) == ledger.size
