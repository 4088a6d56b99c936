"""A guard over an in-memory snapshot and a real ledger, for everything in this folder."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from access.decision import Decider
from access.demo import load_demo_actors
from access.files import POLICY_FOLDER
from access.guard import Guard
from access.model import Actor
from access.policy import Policy, load_policy
from access.ports import GuardKeys
from hub.catalog import Catalog
from hub.clock import FixedClock
from hub.keyring import Keyring
from hub.ledger.log import Ledger
from hub.ledger.statement import Statements
from hub.store.usage import Usage
from tests.access.district import district_catalog
from tests.access.keeping import keeper_of
from tests.access.people import EAST, MemorySnapshot, Person, invented_id, record
from tests.access.registers import MemoryRegisters
from tests.hub.ledger.factories import ledger_file, publish_in, statements_in

NOW = datetime(2026, 3, 7, 9, 30, tzinfo=UTC)
Edit = Callable[..., Path]


@pytest.fixture
def edit(tmp_path: Path) -> Edit:
    """Copy the shipped policy and change a text in one of its files."""

    def change(file: str, old: str, new: str) -> Path:
        folder = tmp_path / "policies"
        shutil.copytree(POLICY_FOLDER, folder, dirs_exist_ok=True)
        path = folder / file
        text = path.read_text(encoding="utf-8")
        assert old in text, f"the test no longer fits {file}"
        path.write_text(text.replace(old, new, 1), encoding="utf-8")
        return folder

    return change


@pytest.fixture(scope="session")
def catalog() -> Catalog:
    """The twelve datasets."""
    return district_catalog()


@pytest.fixture(scope="session")
def policy(catalog: Catalog) -> Policy:
    """The policy that comes with the product."""
    return load_policy(catalog)


@pytest.fixture
def decider(policy: Policy, catalog: Catalog, keys: GuardKeys) -> Decider:
    """A decider with empty caches."""
    return Decider(policy, catalog, keys.recipient.of)


@pytest.fixture(scope="session")
def actors() -> dict[str, Actor]:
    """The demonstration's actors."""
    return load_demo_actors()


@pytest.fixture(scope="session")
def keyring_path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the keyring is."""
    return tmp_path_factory.mktemp("keys") / "keyring.json"


@pytest.fixture(scope="session")
def keyring(keyring_path: Path) -> Keyring:
    """A fresh keyring."""
    return Keyring.create(keyring_path)


@pytest.fixture(scope="session")
def keys(keyring: Keyring) -> GuardKeys:
    """The guard's keys of it."""
    return GuardKeys.of(keyring)


@pytest.fixture
def clock() -> FixedClock:
    """A clock that stands still."""
    return FixedClock(NOW)


@pytest.fixture
def ledger(tmp_path: Path, keyring: Keyring, clock: FixedClock) -> Iterator[Ledger]:
    """A real, empty ledger."""
    origin = "test.example/ledger"
    with ledger_file(tmp_path / "ledger.sqlite", keyring, clock, origin) as opened:
        yield opened


@pytest.fixture
def statements(tmp_path: Path, keyring: Keyring, ledger: Ledger) -> Statements:
    """What makes proofs of the ledger."""
    return statements_in(tmp_path, ledger, keyring.key("index").material)


@pytest.fixture
def publish(tmp_path: Path, ledger: Ledger, clock: FixedClock) -> Callable[[], None]:
    """Makes public what the ledger holds."""
    return lambda: publish_in(tmp_path, ledger, clock)


@pytest.fixture
def usage(tmp_path: Path) -> Iterator[Usage]:
    """Counters that have counted nothing."""
    made = Usage(tmp_path / "usage.sqlite")
    yield made
    made.close()


@pytest.fixture
def person() -> Person:
    """A resident of East Street who also owns a home there and reported an incident."""
    dwelling = record(
        "housing.dwelling",
        "owner",
        {
            "dwelling_id": "D1", "address_id": "A0000001", "category": "1", "ownership": "1",
            "usage": "1", "rooms": 3, "area_sqm": 89.5, "is_rented": "0", "grid_code": EAST,
            "updated_on": "2025-12-01",
        },
        {
            "certificate_no": "权证0001", "owner_id": invented_id(), "owner_name": "欧阳明日",
            "owner_phone": "13812345678", "address": "明镜区东街街道朝阳社区文化路12号3单元502室",
        },
    )  # fmt: skip
    incident = record(
        "police.incident",
        "reporter",
        {
            "incident_no": "I1", "reported_at": "2026-01-03T08:00:00", "category": "020000",
            "station_code": "990106000001", "station_name": "东街派出所", "result": "1",
            "risk_level": "1", "grid_code": EAST,
        },
        {
            "reporter_id": invented_id(), "reporter_name": "欧阳明日",
            "reporter_phone": "13812345678", "address": "文化路12号",
            "detail": "报警人称邻居王某某噪声扰民",
        },
    )  # fmt: skip
    return Person(invented_id(), records=(dwelling, incident))


@pytest.fixture
def snapshot(keys: GuardKeys, person: Person) -> MemorySnapshot:
    """A snapshot that holds that person only."""
    return MemorySnapshot(keys, (person,))


@pytest.fixture
def registers(keys: GuardKeys) -> MemoryRegisters:
    """Registers with a case of the police and one of civil affairs, and nobody protected."""
    made = MemoryRegisters(keys, NOW)
    made.open_case("A1", "police", "public_safety.investigation")
    made.open_case("C1", "civil_affairs", "assistance.review")
    return made


@pytest.fixture
def guard(
    decider: Decider,
    catalog: Catalog,
    snapshot: MemorySnapshot,
    ledger: Ledger,
    keys: GuardKeys,
    clock: FixedClock,
    usage: Usage,
    registers: MemoryRegisters,
    statements: Statements,
) -> Guard:
    """The guard over all of them."""
    return Guard(
        keeper_of(decider),
        catalog,
        snapshot,
        ledger,
        keys,
        clock,
        usage,
        registers,
        proofs=statements,
    )


@pytest.fixture
def guard_in(
    decider: Decider,
    catalog: Catalog,
    snapshot: MemorySnapshot,
    ledger: Ledger,
    keys: GuardKeys,
    registers: MemoryRegisters,
    usage: Usage,
    statements: Statements,
) -> Callable[[timedelta], Guard]:
    """Make the same guard as it is a while later."""

    def make(later: timedelta) -> Guard:
        clock, keeper = FixedClock(NOW + later), keeper_of(decider)
        return Guard(
            keeper,
            catalog,
            snapshot,
            ledger,
            keys,
            clock,
            usage,
            registers,
            proofs=statements,
            longest_lag=timedelta(days=10_000),
        )

    return make


@pytest.fixture
def guard_of(
    decider: Decider,
    catalog: Catalog,
    ledger: Ledger,
    keys: GuardKeys,
    clock: FixedClock,
    registers: MemoryRegisters,
    usage: Usage,
    statements: Statements,
) -> Callable[..., Guard]:
    """Make a guard over given people."""

    def make(*people: Person) -> Guard:
        snapshot, keeper = MemorySnapshot(keys, people), keeper_of(decider)
        return Guard(
            keeper, catalog, snapshot, ledger, keys, clock, usage, registers, proofs=statements
        )

    return make
