"""What the ledger says of its seals, whatever was done to the tables of the records."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from sqlalchemy import text

from access.erasure_grounds import COURT_ORDER
from access.model import Actor
from access.seal_audit import PATIENCE, seal_findings
from access.seal_release import GRACE, release_due, sealed_uses
from tests.access.conftest import NOW
from tests.access.people import Person
from tests.access.sealing import DAY, OVERSIGHT, POLICE, Sealing, act, standing
from tests.access.test_changes import house
from tests.access.test_erasures import OPERATOR, desk, refused
from tests.access.test_seals import police, query, sealing

__all__ = ["house", "police", "sealing"]

END = NOW + 30 * DAY
LATE = END + GRACE + PATIENCE
SECOND = timedelta(seconds=1)


def found(sealing: Sealing, at: datetime) -> list[str]:
    return [str(one) for one in seal_findings(sealing.house.ledger, at)]


def change(sealing: Sealing, *statements: str) -> None:
    """Do what somebody does who has the records' file and no key."""
    with sealing.house.records.writing() as session:
        for statement in statements:
            session.execute(text(statement))


def forge(sealing: Sealing, key: str) -> None:
    """Enter a step that the ledger is not told of."""
    columns = "about, name, actor, at, reason, body, ledger_from, entry"
    change(
        sealing,
        f"INSERT INTO access_step ({columns}, step_key) SELECT {columns}, '{key}' "
        "FROM access_step WHERE about = 'seal' LIMIT 1",
    )


def test_what_is_sealed_and_released_in_time_is_right(
    sealing: Sealing, police: Actor, person: Person
) -> None:
    assert found(sealing, LATE) == []
    number = sealing.ordered()
    sealing.guard().lookup(police, query(person))
    renewed = NOW + 29 * DAY
    desk = sealing.desk()
    standing(desk.renew(number, END + 30 * DAY, POLICE, act(POLICE, renewed)))
    standing(desk.approve(number, OVERSIGHT, act(OVERSIGHT, renewed)))
    sealing.guard(END + DAY).lookup(police, query(person))
    assert found(sealing, LATE) == []
    standing(desk.lift(number, POLICE, act(POLICE, END + 2 * DAY)))
    until = END + 2 * DAY + GRACE + PATIENCE
    assert found(sealing, until - SECOND) == []
    assert len(found(sealing, until)) == 2
    release_due(sealing.house.records, sealing.house.ledger, until)
    assert found(sealing, until) == []


@pytest.mark.parametrize(
    "statements",
    [
        ("DELETE FROM seal_term", "DELETE FROM seal_order"),
        ("UPDATE seal_term SET valid_to = '9999-01-01 00:00:00.000000'",),
        (),
    ],
)
def test_a_use_that_its_subject_never_learns_of_is_named(
    sealing: Sealing, police: Actor, person: Person, statements: tuple[str, ...]
) -> None:
    sealing.ordered()
    index = sealing.guard().lookup(police, query(person)).receipt.index
    change(sealing, *statements)
    if not statements:
        forge(sealing, "ended")
    assert release_due(sealing.house.records, sealing.house.ledger, LATE) == 0
    (said,) = found(sealing, LATE)
    assert said.startswith(f"entry {index}, seal: order 1 ended at ")
    assert "not released" in said


def test_an_order_that_nobody_approved_is_named(
    sealing: Sealing, police: Actor, person: Person
) -> None:
    sealing.asked()
    forge(sealing, "approved-0")
    sealing.guard().lookup(police, query(person))
    assert len(sealed_uses(sealing.house.ledger)) == 1
    assert found(sealing, NOW) == []
    (said,) = found(sealing, NOW + GRACE)
    assert "was not approved" in said


def test_a_use_that_was_sealed_after_the_end_is_named(
    sealing: Sealing, police: Actor, person: Person
) -> None:
    sealing.ordered()
    change(sealing, "UPDATE seal_term SET valid_to = '9999-01-01 00:00:00.000000'")
    sealing.guard(END + GRACE).lookup(police, query(person))
    (said,) = found(sealing, END + 2 * GRACE)
    assert "was made after that" in said


def test_what_is_not_released_is_not_erased_though_its_order_is_gone(
    sealing: Sealing, police: Actor, person: Person
) -> None:
    sealing.ordered()
    index = sealing.guard().lookup(police, query(person)).receipt.index
    change(sealing, "DELETE FROM seal_term", "DELETE FROM seal_order")
    asked = desk(sealing).request([index], COURT_ORDER, OPERATOR, act(OPERATOR, LATE))
    assert "sealed" in refused(asked)
