"""Where a lifted mask and an emergency stand: every order of steps, at the second, over processes."""

from __future__ import annotations

import tempfile
from contextlib import ExitStack
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from access.desk import Act
from access.duties import Official, Refusal
from access.emergency import ANSWER_WITHIN, WINDOW, Standing, State, Step
from access.emergency_desk import Denied, EmergencyDesk
from access.keeper import adopt
from hub.calendar import WorkCalendar
from hub.clock import FixedClock
from hub.errors import NotFound, RequestError
from hub.keyring import Keyring
from hub.sealing import Pseudonymiser
from hub.store.emergencies import Emergency, Kind
from hub.store.records import Records
from tests.access.conftest import NOW
from tests.access.district import district_catalog
from tests.access.keeping import Counting
from tests.access.test_changes import BUILT_IN, House, Killed, MortalLog, house
from tests.hub.ledger.factories import ledger_file

__all__ = ["house"]

SECOND = timedelta(seconds=1)
#: NOW is Saturday 7 March 2026; the third working day after it is Wednesday, over at 16:00 UTC.
REVIEW_BY = datetime.fromisoformat("2026-03-11T16:00:00+00:00")
REASON = "老人走失，家属求助 / an old person is missing"
ALICE, BOB = b"a" * 16, b"b" * 16


def official(account: str, agency: str, role: str, person: str = "") -> Official:
    return Official(account, agency, (role,), person or account)


STEWARD = official("partner.population", "population", "department_steward")
OVERSIGHT = official("oversight", "oversight", "oversight")


def desk_of(house: House, log: Any = None) -> EmergencyDesk:
    """Return the desk of one process."""
    keyring = Keyring.open(house.home / "keyring.json")
    keeper = house.keeper(elapsed=Counting())
    return EmergencyDesk(
        records=house.records,
        log=log or house.ledger,
        calendar=WorkCalendar({}),
        force=keeper.look,
        name_of=Pseudonymiser(keyring, "actor").of,
        subject_of=Pseudonymiser(keyring, "protected").of,
    )


def wanted(desk: EmergencyDesk, kind: Kind, at: datetime = NOW, persons: int = 2) -> Emergency:
    name = desk.name_of("officer.east").hex()
    lasts = ANSWER_WITHIN if kind is Kind.UNMASK else WINDOW
    made = Emergency(
        id=0, kind=kind, actor=name, person="p-east", agency="population",
        purpose="residence.verify", case_name="c" * 32,
        columns={"population.resident": ("phone",)}, subject=None, persons_max=persons,
        opened_at=at, expires_at=at + lasts, review_by=at + lasts,
    )  # fmt: skip
    if kind is Kind.EMERGENCY:
        return made
    return Emergency(**{**fields_of(made), "subject": desk.subject(made, ALICE)})


def fields_of(one: Emergency) -> dict[str, Any]:
    return {name: getattr(one, name) for name in Emergency.__dataclass_fields__}


def act(by: str = "officer.east", at: datetime = NOW) -> Act:
    return Act(by, REASON, at)


def asked(desk: EmergencyDesk, at: datetime = NOW) -> int:
    return desk.ask(wanted(desk, Kind.UNMASK, at), act(at=at)).emergency.id


def opened(desk: EmergencyDesk, at: datetime = NOW) -> int:
    found = desk.open(wanted(desk, Kind.EMERGENCY, at), 3, act(at=at))
    assert isinstance(found, Standing), found
    return found.emergency.id


def told(house: House) -> list[str]:
    entries = house.ledger.entries(0, house.ledger.size)
    return [e.event.removeprefix("access:") for e in entries if "policy" not in e.event]


def test_a_mask_is_lifted_once_for_the_person_it_was_asked_for(house: House) -> None:
    desk = desk_of(house)
    number = asked(desk)
    early = desk.take(number, ALICE, act())
    assert isinstance(early, Denied)
    assert "waits for its approval" in early.reason
    approved = desk.approve(number, STEWARD, act(STEWARD.account))
    assert isinstance(approved, Standing)
    other = desk.take(number, BOB, act())
    assert isinstance(other, Denied)
    assert "not the person" in other.reason
    assert isinstance(desk.take(number, ALICE, act()), Standing)
    again = desk.take(number, ALICE, act())
    assert isinstance(again, Denied)
    assert "released" in again.reason
    assert told(house) == ["unmask:requested", "unmask:approved", "unmask:released"]


def test_both_windows_end_at_the_second(house: House) -> None:
    desk = desk_of(house)
    number = asked(desk)
    late = NOW + ANSWER_WITHIN - SECOND
    assert desk.find(number, late).state is State.REQUESTED
    assert desk.find(number, late + SECOND).state is State.EXPIRED
    assert isinstance(desk.approve(number, STEWARD, act("x", late + SECOND)), Refusal)
    assert isinstance(desk.approve(number, STEWARD, act(STEWARD.account, late)), Standing)
    end = late + WINDOW
    assert isinstance(desk.take(number, ALICE, act(at=end)), Denied)
    assert isinstance(desk.take(number, ALICE, act(at=end - SECOND)), Standing)


def test_an_emergency_shows_so_many_persons_for_so_long(house: House) -> None:
    desk = desk_of(house)
    number = opened(desk)
    for person in (ALICE, BOB, ALICE):
        assert isinstance(desk.take(number, person, act()), Standing)
    third = desk.take(number, b"c" * 16, act())
    assert isinstance(third, Denied)
    assert "no more persons" in third.reason
    assert desk.find(number, NOW).persons == 2
    end = NOW + WINDOW
    assert isinstance(desk.take(number, ALICE, act(at=end - SECOND)), Standing)
    assert isinstance(desk.take(number, ALICE, act(at=end)), Denied)
    assert told(house) == ["emergency:opened", "emergency:used", "emergency:used"]


def test_one_emergency_at_a_time(house: House) -> None:
    desk = desk_of(house)
    opened(desk)
    assert isinstance(desk.open(wanted(desk, Kind.EMERGENCY), 3, act()), Refusal)
    opened(desk, NOW + WINDOW)


@pytest.mark.parametrize(
    ("second", "because"),
    [
        (official("officer.east", "population", "department_steward"), "second person"),
        (official("other", "population", "department_steward", "p-east"), "second person"),
        (official("partner.housing", "housing", "department_steward"), "agency of who asked"),
        (official("window", "population", "window_officer"), "may do this"),
        (official("oversight", "oversight", "oversight"), "may do this"),
    ],
)
def test_who_may_not_approve(house: House, second: Official, because: str) -> None:
    desk = desk_of(house)
    number = asked(desk)
    refused = desk.approve(number, second, act(second.account))
    assert isinstance(refused, Refusal)
    assert because in refused.reason
    assert desk.find(number, NOW).state is State.REQUESTED


def test_who_asked_may_take_it_back(house: House) -> None:
    desk = desk_of(house)
    number = asked(desk)
    east = official("officer.east", "population", "grid_officer", "p-east")
    done = desk.decline(number, east, act())
    assert isinstance(done, Standing)
    assert done.state is State.DECLINED
    assert isinstance(desk.approve(number, STEWARD, act(STEWARD.account)), Refusal)


@pytest.mark.parametrize(
    ("second", "because"),
    [
        (official("officer.east", "oversight", "oversight"), "second person"),
        (official("other", "oversight", "oversight", "p-east"), "second person"),
        (STEWARD, "may do this"),
    ],
)
def test_nobody_reviews_their_own(house: House, second: Official, because: str) -> None:
    desk = desk_of(house)
    number = opened(desk)
    refused = desk.review(number, second, act(second.account), justified=True)
    assert isinstance(refused, Refusal)
    assert because in refused.reason


def test_a_person_registered_behind_two_accounts_is_one(house: House) -> None:
    """Also where who asked came in by another door, which knows them by another name."""
    desk = desk_of(house)
    officials = {"officer.east": Official("officer.east", "population", ("grid_officer",), "s7")}
    desk = EmergencyDesk(
        desk.records, desk.log, desk.calendar, desk.force, desk.name_of, desk.subject_of, officials
    )
    number = opened(desk)
    same = official("oversight.second", "oversight", "oversight", "s7")
    assert isinstance(desk.review(number, same, act(same.account), justified=True), Refusal)


def test_a_second_account_is_known_by_the_register_at_every_door(house: House) -> None:
    """A door knows who approves by their own number only: the register says whose account it is."""
    desk = desk_of(house)
    steward = official("steward.second", "population", "department_steward", "s7")
    officials = {"officer.east": official("officer.east", "population", "grid_officer", "s7")}
    at_door = replace(steward, person="named by the door")
    desk = replace(desk, officials={**officials, steward.account: steward})
    number = asked(desk)
    refused = desk.approve(number, at_door, act(steward.account))
    assert isinstance(refused, Refusal)
    assert "second person" in refused.reason
    assert isinstance(desk.approve(number, STEWARD, act(STEWARD.account)), Standing)


def test_a_review_ends_an_emergency_and_is_final(house: House) -> None:
    desk = desk_of(house)
    number = opened(desk)
    done = desk.review(number, OVERSIGHT, act("oversight"), justified=False)
    assert isinstance(done, Standing)
    assert done.state is State.NOT_JUSTIFIED
    assert isinstance(desk.take(number, ALICE, act()), Denied)
    again = desk.review(number, OVERSIGHT, act("oversight"), justified=True)
    assert isinstance(again, Refusal)


def test_what_nobody_reviewed_blocks_from_the_second_it_is_due(house: House) -> None:
    """It is told once, however many processes look, and lifted by the late review."""
    desk, keeper = desk_of(house), house.keeper(elapsed=Counting())
    number = opened(desk)
    assert desk.find(number, NOW).emergency.review_by == REVIEW_BY
    name = desk.name_of("officer.east").hex()
    assert keeper.current(NOW).until == REVIEW_BY
    assert keeper.current(REVIEW_BY - SECOND).blocked == {}
    for _ in range(2):
        assert keeper.current(REVIEW_BY).blocked == {name: number, "p-east": number}
        assert house.keeper().current(REVIEW_BY).blocked == {name: number, "p-east": number}
    assert desk.find(number, REVIEW_BY).state is State.OVERDUE
    done = desk.review(number, OVERSIGHT, act("oversight", REVIEW_BY), justified=True)
    assert isinstance(done, Standing)
    assert keeper.current(REVIEW_BY).blocked == {}
    assert told(house) == ["emergency:opened", "emergency:escalated", "emergency:reviewed"]


def test_who_is_blocked_approves_nothing(house: House) -> None:
    desk = desk_of(house)
    second = official("partner.population", "population", "department_steward")
    theirs = wanted(desk, Kind.EMERGENCY)
    desk.open(
        Emergency(**{**fields_of(theirs), "actor": desk.name_of(second.account).hex()}), 3, act()
    )
    number = asked(desk, REVIEW_BY)
    refused = desk.approve(number, second, act(second.account, REVIEW_BY))
    assert isinstance(refused, Refusal)
    assert "not reviewed in time" in refused.reason


@pytest.mark.parametrize(
    "reason",
    ["", "  ", "身份证 110101199003071234", "电话 1381234 5678", "电话幺三八 〇〇零零-一二三四"],
)
def test_a_reason_is_given_and_names_nobody(house: House, reason: str) -> None:
    desk = desk_of(house)
    number, mine = asked(desk), Act("officer.east", reason, NOW)
    for do in (
        lambda: desk.ask(wanted(desk, Kind.UNMASK), mine),
        lambda: desk.open(wanted(desk, Kind.EMERGENCY), 3, mine),
        lambda: desk.approve(number, STEWARD, Act(STEWARD.account, reason, NOW)),
        lambda: desk.review(number, OVERSIGHT, Act("oversight", reason, NOW), justified=True),
    ):
        with pytest.raises(RequestError):
            do()
    assert told(house) == ["unmask:requested"]


def test_what_the_ledger_is_told_names_nobody_and_no_reason(house: House) -> None:
    """Nor does it hold the name under which the registers have the person."""
    desk = desk_of(house)
    number = opened(desk)
    desk.take(number, ALICE, act())
    desk.review(number, OVERSIGHT, act("oversight"), justified=True)
    whole = b"".join(e.record or b"" for e in house.ledger.entries(0, house.ledger.size))
    registered = desk.subject_of(ALICE).hex().encode()
    for secret in (b"officer.east", b"missing", "老人".encode(), registered, ALICE.hex().encode()):
        assert secret not in whole


def test_there_is_none_of_another_kind_or_number(house: House) -> None:
    desk = desk_of(house)
    unmask, emergency = asked(desk), opened(desk)
    with pytest.raises(NotFound):
        desk.review(unmask, OVERSIGHT, act("oversight"), justified=True)
    with pytest.raises(NotFound):
        desk.approve(emergency, STEWARD, act(STEWARD.account))
    with pytest.raises(NotFound):
        desk.find(99, NOW)


@pytest.mark.parametrize("at", ["before", "after"])
def test_a_process_killed_while_telling_leaves_nothing_half(house: House, at: str) -> None:
    """The step stands, and the next one who looks tells it, once."""
    number = opened(desk_of(house))
    mortal = MortalLog(house.ledger, before=at == "before", after=at == "after")
    with pytest.raises(Killed):
        desk_of(house, mortal).take(number, ALICE, act())
    desk = desk_of(house)
    assert desk.find(number, NOW).persons == 1
    assert isinstance(desk.take(number, ALICE, act()), Standing)
    house.keeper().look(NOW)
    assert told(house) == ["emergency:opened", "emergency:used"]


class Life(RuleBasedStateMachine):
    """Any order of acts, by anybody, at any time, against a model that only counts."""

    def __init__(self) -> None:
        super().__init__()
        self.stack = ExitStack()
        home = Path(self.stack.enter_context(tempfile.TemporaryDirectory()))
        keyring = Keyring.create(home / "keyring.json")
        origin = "test.example/ledger"
        with Records.connect(f"sqlite:///{home / 'records.sqlite'}") as empty:
            empty.upgrade()
        records = Records.connect(f"sqlite:///{home / 'records.sqlite'}")
        self.stack.callback(records.close)
        ledger = self.stack.enter_context(
            ledger_file(home / "ledger.sqlite", keyring, FixedClock(NOW), origin)
        )
        name_of = Pseudonymiser(keyring, "actor").of
        self.house = House(home, district_catalog(), ledger, name_of, records)
        adopt(records, self.house.catalog, ledger, BUILT_IN, NOW)
        self.desk = desk_of(self.house)
        self.now = NOW

    def teardown(self) -> None:
        self.stack.close()

    @initialize()
    def begin(self) -> None:
        self.unmask, self.emergency = asked(self.desk), opened(self.desk)
        self.approved: datetime | None = None
        self.declined = self.released = False
        self.shown: set[bytes] = set()
        self.reviewed: State | None = None

    @rule(gap=st.sampled_from([SECOND, WINDOW - SECOND, WINDOW, ANSWER_WITHIN, timedelta(days=5)]))
    def wait(self, gap: timedelta) -> None:
        self.now += gap

    @rule(yes=st.booleans(), own=st.booleans())
    def answer(self, yes: bool, own: bool) -> None:
        could = self.approved is None and not self.declined and self.now < NOW + ANSWER_WITHIN
        second = official("officer.east", "population", "grid_officer") if own else STEWARD
        do = self.desk.approve if yes else self.desk.decline
        outcome = do(self.unmask, second, act(second.account, self.now))
        if not could or (own and yes):
            assert isinstance(outcome, Refusal)
            return
        assert isinstance(outcome, Standing)
        self.approved, self.declined = (self.now, False) if yes else (None, True)

    @rule(person=st.sampled_from([ALICE, BOB]))
    def lift(self, person: bytes) -> None:
        open_ = self.approved is not None and self.now < self.approved + WINDOW
        outcome = self.desk.take(self.unmask, person, act(at=self.now))
        if open_ and not self.released and person == ALICE:
            assert isinstance(outcome, Standing)
            self.released = True
        else:
            assert isinstance(outcome, Denied)

    @rule(person=st.sampled_from([ALICE, BOB, b"c" * 16]))
    def use(self, person: bytes) -> None:
        open_ = self.reviewed is None and self.now < NOW + WINDOW
        outcome = self.desk.take(self.emergency, person, act(at=self.now))
        if open_ and (person in self.shown or len(self.shown) < 2):
            assert isinstance(outcome, Standing)
            self.shown.add(person)
        else:
            assert isinstance(outcome, Denied)

    @rule(justified=st.booleans(), own=st.booleans())
    def review(self, justified: bool, own: bool) -> None:
        second = official("officer.east", "oversight", "oversight") if own else OVERSIGHT
        outcome = self.desk.review(
            self.emergency, second, act(second.account, self.now), justified=justified
        )
        if own or self.reviewed is not None:
            assert isinstance(outcome, Refusal)
        else:
            assert isinstance(outcome, Standing)
            self.reviewed = State.JUSTIFIED if justified else State.NOT_JUSTIFIED

    @rule()
    def restart(self) -> None:
        self.desk = desk_of(self.house)

    def _blocked(self) -> bool:
        return self.reviewed is None and self.now >= REVIEW_BY

    @invariant()
    def states_follow(self) -> None:
        if not hasattr(self, "unmask"):
            return
        unmask = self.desk.find(self.unmask, self.now)
        emergency = self.desk.find(self.emergency, self.now)
        assert unmask.is_open is (
            self.approved is not None and self.now < self.approved + WINDOW and not self.released
        )
        assert (unmask.state is State.DECLINED) is self.declined
        assert (unmask.state is State.RELEASED) is self.released
        assert emergency.persons == len(self.shown)
        expected = self.reviewed or (
            State.OPEN
            if self.now < NOW + WINDOW
            else State.AWAITING
            if self.now < REVIEW_BY
            else State.OVERDUE
        )
        assert emergency.state is expected
        blocked = self.desk.force(self.now).blocked
        assert bool(blocked) is self._blocked()
        escalated = told(self.house).count("emergency:escalated")
        assert escalated == (Step.ESCALATED in self.desk.find(self.emergency, self.now).steps) <= 1


TestLife = Life.TestCase
TestLife.settings = settings(max_examples=12, stateful_step_count=12, deadline=None)
