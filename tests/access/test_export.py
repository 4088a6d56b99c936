"""Files of persons: who gets one, what is in it, what the ledger holds of it, who learns of it."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from access.alarms import ALARMS
from access.answers import ExportAnswer, ExportQuery
from access.bulks import Bulks
from access.grant_desk import GrantDesk
from access.guard import Guard
from access.keeper import Keeper
from access.model import Actor
from access.ports import GuardKeys
from access.seals import Seals
from access.usage_record import UsageAction, UsageRecord, usage_of
from hub.catalog import Catalog
from hub.clock import FixedClock
from hub.errors import AccessDenied, LedgerError, NotFound, RequestError, SourceError
from hub.keyring import Keyring
from hub.ledger.entry import BULK
from hub.ledger.log import Ledger
from hub.ledger.statement import Statements
from hub.ledger.verify import trust_of, verify_file
from hub.store.exports import ExportFolder
from hub.store.grants import Grant
from hub.store.usage import Usage
from tests.access.conftest import NOW
from tests.access.keeping import Counting
from tests.access.people import EAST, WEST, MemorySnapshot, Person, invented_id, record
from tests.access.registers import MemoryRegisters
from tests.access.test_changes import BUILT_IN, House, act, house
from tests.access.test_grants import given

__all__ = ["house"]

RESIDENT = "population.resident"
HERE = Person(invented_id(sequence=1), name="=1+1")
CHILD = Person(invented_id("2020-05-01", 2), birth_date="2020-05-01")
AWAY = Person(invented_id(sequence=3), grid=WEST)
PEOPLE = (HERE, CHILD, AWAY)
QUERY = ExportQuery(RESIDENT, "sharing.supply", "GX-1", ("990106001",))
WANTED = Grant(
    id=0,
    agency="civil_affairs",
    role="department_steward",
    purpose="sharing.supply",
    actions=("export",),
    columns={RESIDENT: ("resident_id", "name", "grid_code")},
    area=("990106001",),
    case_name=None,
    basis="共享申请〔2026〕第5号",
    valid_from=NOW,
    valid_to=NOW + timedelta(days=10),
    uses_left=2,
)


@dataclass
class Office:
    """A guard over some people, with a desk of grants and what lies beside the ledger."""

    house: House
    catalog: Catalog
    ledger: Ledger
    keys: GuardKeys
    usage: Usage
    registers: MemoryRegisters
    statements: Statements
    bulks: Bulks
    steward: Actor
    people: tuple[Person, ...] = PEOPLE
    log: Any = None
    snapshots: list[MemorySnapshot] = field(default_factory=list)

    def guard(self, at: timedelta = timedelta(0)) -> Guard:
        """Return a guard as it is a while later."""
        keeper = Keeper(self.house.records, self.catalog, self.ledger, elapsed=Counting())
        self.snapshots.append(MemorySnapshot(self.keys, self.people))
        return Guard(
            keeper,
            self.catalog,
            self.snapshots[-1],
            self.log or self.ledger,
            self.keys,
            FixedClock(NOW + at),
            self.usage,
            self.registers,
            longest_lag=timedelta(days=365),
            proofs=self.statements,
            bulks=self.bulks,
        )

    def grant(self, **change: Any) -> int:
        """Have an application approved; return the number of the grant."""
        return given(GrantDesk(self.house.desk()), replace(WANTED, **change))

    def export(self, **change: Any) -> ExportAnswer:
        """Ask for a file."""
        return self.guard().export(self.steward, replace(QUERY, **change))

    def fetched(self, answer: ExportAnswer) -> bytes:
        """Return the bytes of a file."""
        assert answer.file is not None, answer.answer.reason
        _, pieces = self.guard().exported(self.steward, answer.file.number)
        return b"".join(pieces)

    def rows(self, answer: ExportAnswer) -> list[dict[str, str]]:
        """Return the rows of a CSV file."""
        return list(csv.DictReader(io.StringIO(self.fetched(answer).decode("utf-8-sig"))))

    def files(self) -> set[str]:
        """Return the kinds of what lies in the folder of exports."""
        return {path.suffix for path in self.house.home.glob("exports/*")}

    def tokens(self) -> list[Path]:
        """Return the files of tokens."""
        return list(self.house.home.glob("bulk/*"))

    def own(self, person: Person) -> Actor:
        """Return a person as a citizen."""
        citizen = replace(self.steward, id="citizen", agency="public", roles=("citizen",))
        return replace(citizen, binding=self.keys.identifier.of(person.number))


@pytest.fixture
def office(
    house: House,
    catalog: Catalog,
    ledger: Ledger,
    keyring: Keyring,
    keys: GuardKeys,
    usage: Usage,
    registers: MemoryRegisters,
    statements: Statements,
    actors: dict[str, Actor],
) -> Office:
    steward = replace(actors["partner.population"], id="partner.civil", agency="civil_affairs")
    bulks = Bulks(statements.bulk, ExportFolder(house.home / "exports", keyring))
    return Office(house, catalog, ledger, keys, usage, registers, statements, bulks, steward)


def entries(ledger: Ledger) -> list[tuple[str, dict[str, Any]]]:
    """Return event and body of everything but grants and policies."""
    found = ledger.entries(0, ledger.size)
    return [
        (logged.event, dict(logged.body or {}))
        for logged in found
        if not logged.event.startswith(("access:grant", "access:policy"))
    ]


def test_a_grant_gives_its_columns_of_everybody_in_its_area(office: Office) -> None:
    office.grant()
    answer = office.export()
    rows = office.rows(answer)
    assert [set(row) for row in rows] == [{"role", "resident_id", "name", "grid_code"}] * 2
    shown = {row["grid_code"] + row["resident_id"] + row["name"] for row in rows}
    assert shown == {f"{EAST}{HERE.number}'=1+1", f"{EAST}******"}  # nothing of a child in clear
    assert answer.file is not None
    assert (answer.file.persons, answer.file.rows) == (2, 2)
    assert answer.file.sha256 == sha256(office.fetched(answer)).hexdigest()
    assert answer.file.size_bytes == len(office.fetched(answer))


def test_json_lines_say_the_values_as_they_are(office: Office) -> None:
    office.grant()
    lines = office.fetched(office.export(form="jsonl")).decode().splitlines()
    found = [json.loads(line) for line in lines]
    assert {row["name"] for row in found} == {"=1+1", "***"}


def test_what_was_done_and_who_is_in_it_are_two_entries_in_one_append(office: Office) -> None:
    number = office.grant()
    answer = office.export()
    assert answer.file is not None
    (said, body), (committed, whom) = entries(office.ledger)
    assert (said, committed) == ("officer:bulk:disclosed", "hub:bulk:committed")
    assert answer.answer.receipt.indexes == (office.ledger.size - 2,)
    use = UsageRecord.parse(body)
    assert (use.action, use.subject, use.grants) == (UsageAction.BULK, None, (f"grant-{number}",))
    assert use.case == office.keys.case.of("GX-1").hex()
    assert use.datasets == (RESIDENT,)
    assert use.fields == {f"{RESIDENT}.{name}": "clear" for name in WANTED.columns[RESIDENT]}
    assert use.legal_basis.startswith("《政务数据共享条例》")
    assert (use.snapshot, use.lake_snapshot) == ("20260301T000000Z", 7)
    assert use.bulk is not None
    assert use.bulk.area == ("990106001",)
    assert (use.bulk.persons, use.bulk.rows, use.bulk.form) == (2, 2, "csv")
    assert (use.bulk.id.hex(), use.bulk.sha256) == (answer.file.number, answer.file.sha256)
    assert (whom["bulk"], whom["count"]) == (answer.file.number, 2)
    committed_to = office.bulks.tokens.commitment(use.bulk.id)
    assert whom["root"] == committed_to.root.hex()
    for person in PEOPLE:
        assert person.number not in repr(entries(office.ledger))


def test_each_person_in_it_learns_of_it_and_nobody_else(
    office: Office, publish: Callable[[], None]
) -> None:
    office.grant()
    answer = office.export()
    publish()
    trust = trust_of([str(office.ledger.key)])
    for person in (HERE, CHILD):
        (use,) = office.guard().own_uses(office.own(person))
        assert (use.action, use.agency, use.purpose, use.persons) == (
            "bulk", "civil_affairs", "sharing.supply", 2,
        )  # fmt: skip
        assert {shown["column"] for shown in use.fields} == {"resident_id", "name", "grid_code"}
        assert [index for index, _ in office.guard().own_usage(office.own(person))] == [use.index]
        proven = verify_file(
            office.guard().own_proof(office.own(person), use.index).encode(), trust
        )
        assert proven.valid, (proven.where, proven.why)
        report = verify_file(office.guard().own_statement(office.own(person)), trust)
        assert report.valid, (report.where, report.why)
        (bulk,) = report.bulk
        assert bulk.included
        assert bulk.record is not None
        assert bulk.record["actor"]["agency"] == "civil_affairs"
    assert office.guard().own_uses(office.own(AWAY)) == ()
    with pytest.raises(NotFound):
        office.guard().own_proof(office.own(AWAY), answer.answer.receipt.index)
    with pytest.raises(NotFound):  # who is in it, the commitment itself, proves nothing to anybody
        office.guard().own_proof(office.own(HERE), answer.answer.receipt.index + 1)
    report = verify_file(office.guard().own_statement(office.own(AWAY)), trust)
    assert [(bulk.included, bulk.record) for bulk in report.bulk] == [(False, None)]


def test_uses_come_newest_first_whatever_their_kind(office: Office) -> None:
    office.grant()
    office.export()
    office.guard().own_records(office.own(HERE), "session")
    office.export()
    found = office.guard().own_uses(office.own(HERE))
    assert [use.action for use in found] == ["bulk", "own", "bulk"]
    assert [use.action for use in office.guard().own_uses(office.own(HERE), limit=2)] == [
        "bulk", "own",
    ]  # fmt: skip


def test_who_stands_beside_is_in_it_too(office: Office) -> None:
    """What is about a tenancy as a whole is about the owner as much."""
    tenancy = record(
        "housing.tenancy",
        "tenant",
        {"tenancy_id": "T1", "dwelling_id": "D1", "start_date": "2025-01-01", "grid_code": EAST},
        {"tenant_id": HERE.number, "tenant_name": HERE.name},
    )
    owner = office.keys.identifier.of(AWAY.number).hex()
    tenant = replace(HERE, records=({**tenancy, "others": {"owner": owner}},))
    office.people = (tenant, CHILD, AWAY)
    columns = ("tenancy_id", "tenant_name", "start_date")
    office.grant(columns={"housing.tenancy": columns})
    answer = office.export(dataset="housing.tenancy")
    assert [row["role"] for row in office.rows(answer)] == ["tenant"]
    assert answer.file is not None
    assert answer.file.persons == 2
    assert [use.action for use in office.guard().own_uses(office.own(AWAY))] == ["bulk"]
    assert office.guard().own_uses(office.own(CHILD)) == ()


def test_protected_persons_and_ones_own_household_are_left_out(office: Office) -> None:
    office.grant()
    office.registers.protect(CHILD)
    assert len(office.rows(office.export())) == 1
    office.steward = replace(office.steward, binding=office.keys.identifier.of(HERE.number))
    answer = office.export()
    assert answer.file is None
    assert "nobody" in answer.answer.reason
    assert office.guard().own_uses(office.own(CHILD)) == ()


@pytest.mark.parametrize(
    ("granted", "asked", "word"),
    [
        (None, {}, "only under an approved grant"),
        ({}, {"case": None}, "case"),
        ({}, {"area": ("990106002",)}, "another area"),
        ({}, {"area": ()}, "another area"),
        ({}, {"dataset": "housing.dwelling"}, "only under an approved grant"),
        ({}, {"dataset": "police.case"}, "does not need"),
        ({}, {"dataset": "no.such"}, "catalogue"),
        ({}, {"purpose": "residence.verify"}, "for these roles only"),
        ({}, {"purpose": "quality.field_check"}, "not for export"),
        ({"agency": "police"}, {}, "another agency"),
        ({"valid_to": NOW + timedelta(minutes=1), "valid_from": NOW}, None, "expired"),
        ({"area": ("990106003",)}, {"area": ("990106003",)}, "nobody"),
    ],
)
def test_anything_else_is_refused_and_recorded(
    office: Office, granted: dict[str, Any] | None, asked: dict[str, Any] | None, word: str
) -> None:
    if granted is not None:
        office.grant(**granted)
    later = timedelta(minutes=2 if asked is None else 0)
    answer = office.guard(later).export(office.steward, replace(QUERY, **(asked or {})))
    assert answer.file is None
    assert not answer.answer.allowed
    assert word in answer.answer.reason
    ((event, body),) = entries(office.ledger)
    assert event == "officer:bulk:refused"
    assert (body["action"], body["fields"], body.get("bulk")) == ("refused", {}, None)
    assert office.files() == set()
    assert office.tokens() == []


@pytest.mark.parametrize(
    "account", ["officer.east", "window", "analyst", "steward", "oversight", "admin.system"]
)
def test_no_other_post_gets_a_file(office: Office, actors: dict[str, Actor], account: str) -> None:
    office.grant()
    assert office.guard().export(actors[account], QUERY).file is None


def test_nobody_is_given_a_file_beyond_the_area_of_their_post(office: Office) -> None:
    office.grant(area=())
    office.steward = replace(office.steward, area=("990106001",))
    assert len(office.rows(office.export(area=()))) == 2
    answer = office.export(area=("990106002",))
    assert "not within the area of your post" in answer.answer.reason


def test_without_an_area_everybody_is_in_it(office: Office) -> None:
    office.grant(area=())
    assert len(office.rows(office.export(area=()))) == 3


@pytest.mark.parametrize(
    "wrong", [{"form": "xlsx"}, {"area": ("9901",)}, {"area": ("99010600x",)}, {"case": "x" * 65}]
)
def test_what_is_not_well_formed_is_not_asked(office: Office, wrong: dict[str, Any]) -> None:
    office.grant()
    with pytest.raises(RequestError):
        office.export(**wrong)
    assert entries(office.ledger) == []


def test_a_use_of_the_grant_is_spent(office: Office) -> None:
    office.grant(uses_left=1)
    assert office.export().file is not None
    answer = office.export()
    assert answer.file is None
    assert "no use left" in answer.answer.reason


def test_an_alarm_counts_its_persons(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    office.grant()
    monkeypatch.setattr("access.alarms.ALARMS", dict.fromkeys(ALARMS, 3))
    assert office.export().file is not None
    assert office.export().file is not None
    told = [body for event, body in entries(office.ledger) if event == "access:limit:reached"]
    assert {(body["persons"], body["purpose"]) for body in told} == {(4, "sharing.supply")}


def test_more_persons_than_a_day_allows_get_no_file(office: Office) -> None:
    """Also where they are counted again from the ledger."""
    purposes = BUILT_IN["purposes.yaml"].replace("persons_a_day: 3000000", "persons_a_day: 3")
    office.house.change({**BUILT_IN, "purposes.yaml": purposes})
    office.grant()
    assert office.export().file is not None
    (office.house.home / "usage.sqlite").unlink()
    answer = office.export()
    assert (answer.file, answer.answer.allowed) == (None, False)
    assert answer.answer.wait_seconds is not None
    last = entries(office.ledger)[-2:]
    assert {event for event, _ in last} == {"officer:bulk:refused", "access:limit:exceeded"}
    assert (len(office.tokens()), len(list(office.house.home.glob("exports/*")))) == (1, 2)


class Broken:
    """A ledger that records nothing, or answers as if it had not."""

    def __init__(self, ledger: Ledger, *, silent: bool) -> None:
        self._ledger = ledger
        self._silent = silent

    def __getattr__(self, name: str) -> Any:
        return getattr(self._ledger, name)

    def submit(self, submitted: Any) -> Any:
        if self._silent:
            self._ledger.submit(submitted).result()
        raise LedgerError("the disk is full")


@pytest.mark.parametrize("silent", [False, True])
def test_what_is_not_recorded_is_not_given(office: Office, silent: bool) -> None:
    """Whether it was written is unknown to the guard: who is in it must be known all the same."""
    office.grant()
    office.log = Broken(office.ledger, silent=silent)
    with pytest.raises(LedgerError):
        office.export()
    assert ".json" not in office.files()
    assert len(office.tokens()) == 1
    number = office.tokens()[0].name
    with pytest.raises(NotFound):
        office.guard().exported(office.steward, number)
    office.log = None
    used = [use.persons for use in office.guard().own_uses(office.own(HERE))]
    assert used == ([2] if silent else [])


def test_nothing_is_recorded_before_it_is_durable_and_nothing_given_before_it_is_recorded(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    """So that a crash anywhere leaves no entry without its tokens and no byte without an entry."""
    office.grant()
    done: list[str] = []
    number = office.ledger.size

    def watched(what: str, owner: Any, method: str) -> None:
        honest = getattr(owner, method)

        def watching(*given: Any) -> Any:
            there = [path.name for path in office.tokens() if not path.name.startswith(".")]
            done.append(f"{what}: {len(there)} {office.ledger.size - number}")
            return honest(*given)

        monkeypatch.setattr(owner, method, watching)

    watched("sealed", ExportFolder, "write")
    watched("tokens", type(office.bulks.tokens), "commit")
    watched("entries", Ledger, "submit")
    watched("offered", ExportFolder, "offer")
    office.export()
    assert done == ["sealed: 0 0", "tokens: 0 0", "entries: 1 0", "offered: 1 2"]


def test_no_seal_covers_a_file(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    office.grant()
    monkeypatch.setattr(Seals, "covering", lambda *_: 3)
    answer = office.export()
    assert answer.file is None
    assert "sealed" in answer.answer.reason
    ((event, body),) = entries(office.ledger)
    assert (event, body.get("seal")) == ("officer:bulk:refused", None)
    assert office.tokens() == []


def test_what_breaks_on_the_way_leaves_nothing(office: Office) -> None:
    office.grant()
    guard = office.guard()

    def documents() -> Iterator[tuple[bytes, bytes]]:
        yield next(iter(MemorySnapshot(office.keys, PEOPLE).documents()))
        raise SourceError("the snapshot cannot be read")

    office.snapshots[-1].documents = documents  # type: ignore[method-assign]
    with pytest.raises(SourceError):
        guard.export(office.steward, QUERY)
    assert office.files() == set()
    assert office.tokens() == []
    assert entries(office.ledger) == []


def test_a_file_is_its_own_accounts_for_a_day(office: Office) -> None:
    office.grant()
    answer = office.export()
    assert answer.file is not None
    number = answer.file.number
    other = replace(office.steward, id="partner.other")
    for actor, at in ((other, 0), (office.steward, 24)):
        with pytest.raises(NotFound):
            office.guard(timedelta(hours=at)).exported(actor, number)
    for wrong in ("", "0" * 32, "../" + number, number.upper()):
        with pytest.raises(NotFound):
            office.guard().exported(office.steward, wrong)
    suspended = replace(office.steward, active=False)
    with pytest.raises(AccessDenied):
        office.guard().exported(suspended, number)


def test_a_grant_that_was_taken_back_gives_no_file(office: Office) -> None:
    number = office.grant()
    answer = office.export()
    assert answer.file is not None
    GrantDesk(office.house.desk()).revoke(number, act("admin.third"))
    with pytest.raises(AccessDenied, match="revoked"):
        office.guard().exported(office.steward, answer.file.number)


def test_what_has_expired_is_swept(office: Office) -> None:
    office.grant()
    office.export()
    office.guard(timedelta(hours=25)).export(office.steward, replace(QUERY, case="GX-2"))
    assert len(list(office.house.home.glob("exports/*"))) == 2


def test_a_file_that_was_changed_is_not_given_whole(office: Office) -> None:
    office.grant()
    answer = office.export()
    (path,) = office.house.home.glob("exports/*.sealed")
    data = bytearray(path.read_bytes())
    assert HERE.number.encode() not in data
    data[-1] ^= 1
    path.write_bytes(bytes(data))
    with pytest.raises(SourceError):
        office.fetched(answer)


def test_the_entries_are_told_apart_from_other_uses(office: Office) -> None:
    office.grant()
    office.export()
    (logged,) = office.ledger.chain(BULK)
    assert usage_of(logged) is None
    said = usage_of(office.ledger.entry(logged.index - 1))
    assert said is not None
    assert not said.incidental
