"""Changes of the policy on real records and a real ledger: proposed, approved, in force, undone."""

from __future__ import annotations

import logging
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from access.changes import Standing, State
from access.desk import Act, Desk
from access.duties import Official, Refusal
from access.files import POLICY_FOLDER, digest_of, read_folder
from access.keeper import Keeper, adopt
from access.steady_clock import SteadyClock
from hub.catalog import Catalog
from hub.clock import FixedClock
from hub.errors import ClockDistrusted, LedgerError, NotFound, PolicyError, PolicyUnavailable
from hub.keyring import Keyring
from hub.ledger.log import Ledger
from hub.ledger.writer import Entry
from hub.sealing import Pseudonymiser
from hub.store.access_steps import About, steps
from hub.store.records import Records
from tests.access.conftest import NOW
from tests.access.district import district_catalog
from tests.hub.ledger.factories import ledger_file

BUILT_IN = read_folder(POLICY_FOLDER)
OFFICIALS = {
    account: Official(account, "operations", (role,), person)
    for account, role, person in (
        ("admin.system", "system_admin", "p1"),
        ("admin.security", "security_admin", "p2"),
        ("admin.second", "security_admin", "p1"),
        ("admin.third", "security_admin", "p4"),
        ("admin.audit", "audit_admin", "p3"),
    )
}


def without(rule: str) -> dict[str, str]:
    """Return the built-in policy without a rule."""
    lines = BUILT_IN["policy.csv"].splitlines(keepends=True)
    return {
        **BUILT_IN,
        "policy.csv": "".join(ln for ln in lines if not ln.startswith(f"{rule},")),
    }


class Killed(BaseException):
    """The process ends here."""


@dataclass
class MortalLog:
    """The ledger of a process that is killed just before, or just after, it is told something."""

    ledger: Ledger
    before: bool = False
    after: bool = False

    @property
    def size(self) -> int:
        return self.ledger.size

    def entries(self, start: int, stop: int) -> Sequence[Any]:
        return self.ledger.entries(start, stop)

    def append(self, entries: Sequence[Entry]) -> Any:
        if self.before:
            raise Killed
        receipt = self.ledger.append(entries)
        if self.after:
            raise Killed
        return receipt


@dataclass
class House:
    """A hub's records, ledger and catalogue, and desks over them as processes have them."""

    home: Path
    catalog: Catalog
    ledger: Ledger
    name_of: Callable[[str], bytes]
    records: Records

    def keeper(self, log: Any = None, **more: Any) -> Keeper:
        return Keeper(self.records, self.catalog, log or self.ledger, **more)

    def desk(self, log: Any = None) -> Desk:
        log = log or self.ledger
        return Desk(self.records, log, self.catalog, self.keeper(log), OFFICIALS, self.name_of)

    def events(self) -> list[str]:
        return [
            entry.event.removeprefix("access:policy:")
            for entry in self.ledger.entries(0, self.ledger.size)
            if entry.event.startswith("access:policy:")
        ]

    def change(self, texts: dict[str, str], at: datetime = NOW) -> int:
        """Propose and approve; return the number."""
        number = self.desk().propose(texts, act("admin.system", at))
        assert isinstance(number, int)
        assert isinstance(self.desk().approve(number, act("admin.security", at)), Standing)
        return number

    def rules(self, at: datetime = NOW, keeper: Keeper | None = None) -> set[str]:
        return set((keeper or self.keeper()).look(at).decider.policy.by_id)


def act(by: str, at: datetime = NOW) -> Act:
    return Act(by, "年度评审 / yearly review", at)


@contextmanager
def opened(home: Path) -> Iterator[House]:
    """Open what is in a folder, as any process does."""
    keyring, origin = Keyring.open(home / "keyring.json"), "test.example/ledger"
    with (
        ledger_file(home / "ledger.sqlite", keyring, FixedClock(NOW), origin) as ledger,
        Records.connect(f"sqlite:///{home / 'records.sqlite'}") as records,
    ):
        name_of = Pseudonymiser(keyring, "actor").of
        yield House(home, district_catalog(), ledger, name_of, records)


@pytest.fixture
def house(tmp_path: Path, ledger: Ledger, keyring_path: Path) -> Iterator[House]:
    """A hub that has adopted the built-in policy."""
    shutil.copy(keyring_path, tmp_path / "keyring.json")
    Records.connect(f"sqlite:///{tmp_path / 'records.sqlite'}").upgrade()
    with opened(tmp_path) as made:
        adopt(made.records, made.catalog, made.ledger, BUILT_IN, NOW)
        yield made


def test_the_first_policy_is_change_0_and_adopted_once(house: House) -> None:
    adopt(house.records, house.catalog, house.ledger, without("grid-elderly"), NOW)
    way = house.desk().course()
    assert way.chain == (0,)
    assert way.active is not None
    assert way.active.change.digest == digest_of(BUILT_IN)
    assert house.events() == ["adopted"]


def test_a_change_is_in_force_once_a_second_person_approved_it(house: House) -> None:
    keeper = house.keeper()
    before = keeper.look(NOW)
    number = house.desk().propose(without("grid-elderly"), act("admin.system"))
    assert number == 1
    assert house.rules(keeper=keeper) == set(before.decider.policy.by_id)
    standing = house.desk().approve(1, act("admin.security"))
    assert isinstance(standing, Standing)
    assert standing.state is State.ACTIVE
    assert set(before.decider.policy.by_id) - house.rules(keeper=keeper) == {"grid-elderly"}
    assert house.events() == ["adopted", "proposed", "approved", "activated"]
    assert keeper.look(NOW) is keeper.look(NOW)


def test_what_the_ledger_is_told_names_nobody_and_no_reason(house: House) -> None:
    house.change(without("grid-elderly"))
    told = [e.record or b"" for e in house.ledger.entries(0, house.ledger.size)]
    assert not any(b"admin." in record or b"review" in record for record in told)
    assert house.name_of("admin.security").hex().encode() in told[2]


@pytest.mark.parametrize("by", ["admin.system", "admin.second", "admin.audit", "nobody.here"])
def test_nobody_else_approves(house: House, by: str) -> None:
    """Not the proposer, not their other account, not another duty, not a stranger."""
    house.desk().propose(without("grid-elderly"), act("admin.system"))
    assert isinstance(house.desk().approve(1, act(by)), Refusal)
    assert "grid-elderly" in house.rules()
    assert house.events() == ["adopted", "proposed"]


def test_a_proposer_who_has_left_the_register_cannot_be_told_from_the_second(house: House) -> None:
    house.desk().propose(without("grid-elderly"), act("admin.system"))
    left = {k: v for k, v in OFFICIALS.items() if k != "admin.system"}
    desk = replace(house.desk(), officials=left)
    assert isinstance(desk.approve(1, act("admin.security")), Refusal)


def test_only_who_has_the_duty_proposes(house: House) -> None:
    assert isinstance(house.desk().propose(without("grid-elderly"), act("admin.audit")), Refusal)
    assert isinstance(house.desk().propose(BUILT_IN, act("admin.system")), Refusal)
    assert house.events() == ["adopted"]


def test_a_change_waits_for_its_time(house: House) -> None:
    later = NOW + timedelta(hours=2)
    keeper = house.keeper()
    house.desk().propose(without("grid-elderly"), act("admin.system"))
    early = house.desk().approve(1, act("admin.security"), NOW - timedelta(seconds=1))
    assert isinstance(early, Refusal)
    standing = house.desk().approve(1, act("admin.security"), later)
    assert isinstance(standing, Standing)
    assert standing.state is State.APPROVED
    assert keeper.look(NOW).until == later
    just_before = keeper.current(later - timedelta(microseconds=1))
    assert "grid-elderly" in just_before.decider.policy.by_id
    assert "grid-elderly" not in keeper.current(later).decider.policy.by_id
    assert house.events()[-1] == "activated"


def test_an_approved_change_can_be_taken_back_until_its_time(house: House) -> None:
    later = NOW + timedelta(hours=2)
    house.desk().propose(without("grid-elderly"), act("admin.system"))
    house.desk().approve(1, act("admin.security"), later)
    standing = house.desk().decline(1, act("admin.security"))
    assert isinstance(standing, Standing)
    assert standing.state is State.DECLINED
    assert "grid-elderly" in house.rules(later)
    assert isinstance(house.desk().approve(1, act("admin.security")), Refusal)
    assert house.events() == ["adopted", "proposed", "approved", "declined"]


def test_who_was_overtaken_proposes_again(house: House) -> None:
    for rule in ("grid-elderly", "grid-rental"):
        house.desk().propose(without(rule), act("admin.system"))
    house.desk().approve(2, act("admin.security"))
    assert house.desk().course().standings[1].state is State.OVERTAKEN
    assert isinstance(house.desk().approve(1, act("admin.security")), Refusal)
    assert isinstance(house.desk().decline(1, act("admin.system")), Standing)


def test_going_back_is_a_change_to_an_older_text(house: House) -> None:
    house.change(without("grid-elderly"))
    assert isinstance(house.desk().roll_back(1, act("admin.system")), Refusal)
    with pytest.raises(NotFound):
        house.desk().roll_back(9, act("admin.system"))
    number = house.desk().roll_back(0, act("admin.system"))
    assert number == 2
    assert "grid-elderly" not in house.rules()
    house.desk().approve(2, act("admin.security"))
    assert "grid-elderly" in house.rules()
    assert house.events()[-1] == "rolled_back"
    assert house.desk().course().standings[1].state is State.REPLACED


def test_what_does_not_lint_is_not_even_proposed(house: House) -> None:
    broken = {**BUILT_IN, "policy.csv": BUILT_IN["policy.csv"].replace(",deny,", ",Deny,")}
    with pytest.raises(PolicyError):
        house.desk().propose(broken, act("admin.system"))
    assert house.events() == ["adopted"]


def test_what_does_not_lint_when_its_time_comes_is_not_put_in_force(
    house: House, caplog: pytest.LogCaptureFixture
) -> None:
    """A dataset of the change is gone by then: the former policy stays, until it is back."""
    later = NOW + timedelta(hours=1)
    fewer = house.catalog
    more = Catalog((*fewer.values(), replace(fewer["police.case"], name="police.extra")))
    line = next(
        ln for ln in BUILT_IN["policy.csv"].splitlines() if ln.startswith("analyst-police-")
    )
    own = line.replace("analyst-police-statistics", "extra").replace("police.*", "police.extra")
    texts = {**BUILT_IN, "policy.csv": f"{BUILT_IN['policy.csv']}{own}\n"}
    assert "police.extra" in own
    house.catalog = more
    house.desk().propose(texts, act("admin.system"))
    house.desk().approve(1, act("admin.security"), later)
    house.catalog = fewer
    for keeper in (house.keeper(), house.keeper()):
        with caplog.at_level(logging.ERROR):
            assert "extra" not in house.rules(later, keeper)
        assert "police.extra" in caplog.text
    assert house.events()[-1] == "approved"
    house.catalog = more
    assert "extra" in house.rules(later)
    house.catalog = fewer
    with pytest.raises(PolicyError):
        house.keeper().look(later)  # a process that never knew another policy shows nothing


@pytest.mark.parametrize("moment", ["before", "after"])
def test_whoever_is_killed_leaves_nothing_half(house: House, moment: str) -> None:
    """Killed just before or just after the ledger was told, at every step; each is told once."""
    texts = without("grid-elderly")
    with pytest.raises(Killed):
        mortal(house, moment).propose(texts, act("admin.system"))
    assert house.desk().course().standings[1].state is State.PROPOSED
    with pytest.raises(Killed):
        mortal(house, moment, told=True).approve(1, act("admin.security"))
    keeper = house.keeper()
    assert "grid-elderly" not in keeper.look(NOW).decider.policy.by_id
    assert house.events() == ["adopted", "proposed", "approved", "activated"]
    with house.records.reading() as session:
        keys = [step.key for step in steps(session, About.CHANGE, "1")]
    assert keys == ["proposed", "approved", "activated"]


@pytest.mark.parametrize("moment", ["before", "after"])
def test_whoever_is_killed_while_it_is_put_in_force(house: House, moment: str) -> None:
    later = NOW + timedelta(hours=1)
    house.desk().propose(without("grid-elderly"), act("admin.system"))
    house.desk().approve(1, act("admin.security"), later)
    with pytest.raises(Killed):
        house.keeper(
            MortalLog(house.ledger, before=moment == "before", after=moment == "after")
        ).look(later)
    assert "grid-elderly" not in house.rules(later)
    assert house.events() == ["adopted", "proposed", "approved", "activated"]


def mortal(house: House, moment: str, *, told: bool = False) -> Desk:
    """Return the desk of a process that is killed when it tells the ledger next.

    Args:
        told: whether to tell first what another left untold.
    """
    if told:
        house.keeper().look(NOW)
    return house.desk(MortalLog(house.ledger, before=moment == "before", after=moment == "after"))


def test_two_processes_see_a_change(house: House) -> None:
    """Another process puts it in force; this one sees it at the next look, without being told."""
    keeper = Keeper(house.records, house.catalog, house.ledger, elapsed=Ticks())
    assert "grid-elderly" in keeper.current(NOW).decider.policy.by_id
    code = f"from tests.access.test_changes import other; other({str(house.home)!r})"
    subprocess.run([sys.executable, "-c", code], check=True, env=dict(os.environ))
    assert "grid-elderly" not in keeper.current(NOW).decider.policy.by_id
    assert house.events() == ["adopted", "proposed", "approved", "activated"]


def other(home: str) -> None:
    """Change the policy as another process does."""
    with opened(Path(home)) as house:
        house.change(without("grid-elderly"))


class Ticks:
    """A counter by which a second passes at every reading."""

    def __init__(self) -> None:
        self.count = 0.0

    def __call__(self) -> float:
        self.count += 1
        return self.count


def test_nothing_is_looked_at_again_within_a_fifth_of_a_second(house: House) -> None:
    counter = [0.0]
    keeper = Keeper(house.records, house.catalog, house.ledger, elapsed=lambda: counter[0])
    keeper.current(NOW)
    house.change(without("grid-elderly"))
    counter[0] = 0.19
    assert "grid-elderly" in keeper.current(NOW).decider.policy.by_id
    counter[0] = 0.2
    assert "grid-elderly" not in keeper.current(NOW).decider.policy.by_id


@pytest.mark.parametrize("how", ["gone", "replaced", "damaged"])
def test_records_that_cannot_be_trusted_refuse_everything(house: House, how: str) -> None:
    keeper = Keeper(house.records, house.catalog, house.ledger, elapsed=Ticks())
    keeper.current(NOW)
    path = house.home / "records.sqlite"
    if how == "damaged":
        with house.records.writing() as session:
            session.connection().exec_driver_sql("DROP TABLE access_step")
    else:
        path.rename(house.home / "away")
        if how == "replaced":
            path.touch()
    with pytest.raises(PolicyUnavailable):
        keeper.current(NOW)
    if how == "gone":
        (house.home / "away").rename(path)
        assert keeper.current(NOW).decider.policy.rules


def test_a_text_that_was_tampered_with_is_not_put_in_force(house: House) -> None:
    with house.records.writing() as session:
        session.connection().exec_driver_sql(
            "UPDATE policy_version SET files = replace(files, 'no-export,deny', 'no-export,allow')"
        )
    with pytest.raises(PolicyUnavailable):
        house.keeper().look(NOW)


def test_a_ledger_that_cannot_record_puts_nothing_in_force(house: House) -> None:
    @dataclass
    class Full(MortalLog):
        def append(self, entries: Sequence[Entry]) -> Any:
            raise LedgerError("full")

    house.desk().propose(without("grid-elderly"), act("admin.system"))
    with pytest.raises(LedgerError):
        house.desk(Full(house.ledger)).approve(1, act("admin.security"))
    with pytest.raises(LedgerError):
        house.keeper(Full(house.ledger)).look(NOW)
    assert house.events() == ["adopted", "proposed"]
    assert "grid-elderly" not in house.rules()
    assert house.events() == ["adopted", "proposed", "approved", "activated"]


def test_a_clock_behind_the_ledger_is_not_believed(house: House) -> None:
    keeper = house.keeper()
    keeper.look(NOW - timedelta(seconds=30))
    with pytest.raises(ClockDistrusted):
        keeper.look(NOW - timedelta(seconds=60))


@pytest.mark.parametrize("set_by", [-3600, -61, 61, 3600])
def test_a_clock_that_was_set_is_not_believed(set_by: int) -> None:
    counter = [100.0]

    @dataclass
    class Wall:
        instant: datetime = NOW

        def now(self) -> datetime:
            return self.instant

    wall = Wall()
    clock = SteadyClock(wall, lambda: counter[0])
    wall.instant += timedelta(hours=10)
    counter[0] += 36_000
    assert clock.now() == NOW + timedelta(hours=10)
    wall.instant += timedelta(seconds=set_by)
    with pytest.raises(ClockDistrusted):
        clock.now()


def test_a_suspended_official_does_nothing_and_nobody_resumes_themselves(house: House) -> None:
    assert not isinstance(house.desk().suspend("admin.system", act("admin.security")), Refusal)
    name = house.name_of("admin.system").hex()
    assert house.keeper().look(NOW).suspended == {name}
    assert isinstance(house.desk().propose(without("grid-elderly"), act("admin.system")), Refusal)
    assert isinstance(house.desk().resume("admin.system", act("admin.second")), Refusal)
    assert isinstance(house.desk().suspend("admin.system", act("admin.security")), Refusal)
    assert not isinstance(house.desk().resume("admin.system", act("admin.security")), Refusal)
    assert not house.keeper().look(NOW).suspended
    assert isinstance(house.desk().suspend("admin.security", act("admin.security")), Refusal)
    assert not isinstance(house.desk().suspend("admin.system", act("admin.security")), Refusal)
    events = [e.event for e in house.ledger.entries(1, house.ledger.size)]
    assert events == [
        "access:actor:suspended", "access:actor:resumed", "access:actor:suspended",
    ]  # fmt: skip
