"""Acts about the registers: each is there once and told once, whoever is killed when."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from access.policy import Policy
from access.ports import GuardKeys
from access.registrar import Act, NewCase, Persons, Registrar
from hub.clock import FixedClock
from hub.errors import LedgerError, RequestError
from hub.keyring import Keyring
from hub.ledger.log import Ledger
from hub.sealing import Pseudonymiser
from hub.store.records import Records
from hub.store.registers import read_registers
from tests.access.conftest import NOW
from tests.access.people import MemorySnapshot, Person, invented_id
from tests.factories import settings_in
from tests.hub.ledger.factories import Flaky

ACT = Act("security.office", "invented")
SUBJECT = b"s" * 16
CASE = NewCase("A7", "police", ("public_safety.investigation",), NOW + timedelta(days=9))


@pytest.fixture
def records(tmp_path: Path) -> Iterator[Records]:
    """Records in a new home."""
    with Records.open(settings_in(tmp_path / "home")) as opened:
        yield opened


def events(ledger: Ledger) -> list[str]:
    """Return the tags in the ledger."""
    return [str((entry.body or {})["event"]) for entry in ledger.entries(0, ledger.size)]


@pytest.mark.parametrize("failing", ["fail_before", "fail_after"])
def test_an_act_stands_when_the_ledger_fails_and_is_told_once_later(
    failing: str,
    records: Records,
    ledger: Ledger,
    keys: GuardKeys,
    clock: FixedClock,
    policy: Policy,
) -> None:
    """Killed before or after the ledger wrote: the next act tells what is missing, no more."""
    flaky = Flaky(ledger)
    setattr(flaky, failing, True)
    with pytest.raises(LedgerError):
        Registrar(records, flaky, keys, clock).protect(SUBJECT, None, ACT)
    with records.reading() as session:
        assert SUBJECT in read_registers(session).protected
    registrar = Registrar(records, ledger, keys, clock)
    registrar.open_case(CASE, ACT, policy.purposes, policy.roles)
    assert events(ledger) == ["access:protected:added", "access:case:opened"]


def test_what_is_refused_leaves_nothing(
    records: Records, ledger: Ledger, keys: GuardKeys, clock: FixedClock, policy: Policy
) -> None:
    """Neither in the registers nor among the steps: the next step is the first."""
    registrar = Registrar(records, ledger, keys, clock)
    for bad in (replace(ACT, by="李明"), replace(ACT, reason="")):
        with pytest.raises(RequestError):
            registrar.open_case(CASE, bad, policy.purposes, policy.roles)
    for case in (
        replace(CASE, reference=" "),
        replace(CASE, reference="x" * 65),
        replace(CASE, purposes=()),
        replace(CASE, closes_at=NOW),
    ):
        with pytest.raises(RequestError):
            registrar.open_case(case, ACT, policy.purposes, policy.roles)
    with pytest.raises(RequestError):
        registrar.protect(SUBJECT, NOW, ACT)
    assert ledger.size == 0
    registrar.open_case(CASE, ACT, policy.purposes, policy.roles)
    with pytest.raises(RequestError):
        registrar.add_members("A7", (), ACT)
    assert [(e.body or {})["step"] for e in ledger.entries(0, ledger.size)] == ["opened-1"]


def test_a_person_is_named_alike_before_and_after_publication(
    keyring: Keyring, keys: GuardKeys, person: Person, snapshot: MemorySnapshot
) -> None:
    """By the subject key: a corrected number names the same person; so does a later publication."""
    first = Pseudonymiser(keyring, "subject")
    persons = Persons(keys, first, snapshot)
    assert persons.named(f" {person.number.lower()} ") == keys.protected.of(person.key)
    former = invented_id(sequence=778)
    unpublished = keys.protected.of(first.of(keys.identifier.of(former)))
    assert persons.named(former) == unpublished
    snapshot.also_known_as(former, person.key)
    assert persons.named(former) == persons.named(person.number)
    with pytest.raises(RequestError) as caught:
        persons.named("99010619900307123")
    assert "9901" not in str(caught.value)
