"""Killed at every write, in pairs: before it and after it. Then reopened, verified, gone on with."""

from __future__ import annotations

import multiprocessing
import shutil
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from hub.clock import SystemClock
from hub.config import Settings, load_settings, save_settings
from hub.errors import HubError, LedgerError, RequestError
from hub.keyring import Keyring
from hub.ledger import audit as audit_module
from hub.ledger.composition import (
    create_ledger,
    identity_of,
    inspector_of,
    open_ledger,
    publisher_of,
    rotate_key,
)
from hub.ledger.inspection import Inspection
from hub.ledger.log import Ledger
from hub.ledger.merkle import CompactRange
from hub.ledger.note import open_checkpoint
from hub.ledger.public_files import CHECKPOINT
from hub.ledger.sqlite_file import create
from hub.ledger.succession import Request, formers, open_former, succeed
from hub.ledger.writer import RELEASED_EVENT, Entry
from tests.hub.ledger.factories import entry
from tests.hub.ledger.killing import failed_within, file_limit, killed_at

CLOCK = SystemClock()


@dataclass(frozen=True)
class Hub:
    """A home with keys and a ledger; everything is opened anew each time."""

    home: Path

    @property
    def settings(self) -> Settings:
        return load_settings(home=self.home)

    @property
    def keyring(self) -> Keyring:
        return Keyring.open(self.settings.keyring)

    @contextmanager
    def ledger(self) -> Iterator[Ledger]:
        with open_ledger(self.settings, self.keyring, CLOCK) as ledger:
            yield ledger

    def append(self, count: int = 1) -> None:
        with self.ledger() as ledger:
            ledger.append([entry(number) for number in range(count)])

    def erase(self) -> None:
        with self.ledger() as ledger:
            ledger.erase(1, "office", "ground")

    def publish(self) -> None:
        with (
            self.ledger() as ledger,
            closing(publisher_of(self.settings, ledger, CLOCK)) as publisher,
        ):
            publisher.turn()

    def rotate(self) -> None:
        rotate_key(self.settings, self.keyring, CLOCK, "office")

    def succeed(self) -> None:
        request = Request(
            "mingjing.example/second", "the key was lost", "office", although_intact=True
        )
        succeed(self.settings, self.keyring, CLOCK, request)

    def verify(self) -> Inspection:
        with self.ledger() as ledger:
            return inspector_of(self.settings, ledger, CLOCK).verify()

    def goes_on(self) -> None:
        """Everything is sound, is gone on with, and is sound after that."""
        assert self.verify().findings == ()
        self.append()
        self.publish()
        found = self.verify()
        assert found.findings == ()
        assert found.public == found.size


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home with a ledger of 260 entries, of which 256 and their index entry are public."""
    home = tmp_path_factory.mktemp("hub")
    settings = Settings(home=home)
    create_ledger(settings, Keyring.create(settings.keyring), CLOCK).close()
    save_settings(settings)
    hub = Hub(home)
    hub.append(256)
    hub.publish()
    hub.append(3)
    return home


@pytest.fixture
def hub(sound: Path, tmp_path: Path) -> Hub:
    shutil.copytree(sound, tmp_path, dirs_exist_ok=True)
    return Hub(tmp_path)


@pytest.mark.parametrize("done", [False, True])
@pytest.mark.parametrize("write", ["entries", "head", "commit"])
def test_while_appending(hub: Hub, write: str, done: bool) -> None:
    assert killed_at(write, 1, hub.append, done=done)
    with hub.ledger() as ledger:
        assert ledger.size == 260 + (done and write == "commit")
    hub.goes_on()


@pytest.mark.parametrize("done", [False, True])
@pytest.mark.parametrize("write", ["entries", "erasure", "head", "commit", "scrub"])
def test_while_erasing(hub: Hub, write: str, done: bool) -> None:
    assert killed_at(write, 1, hub.erase, done=done)
    is_there = write == "scrub" or (done and write == "commit")
    found = hub.verify()
    assert (found.erased, found.size) == (int(is_there), 260 + is_there)
    hub.goes_on()


@pytest.mark.parametrize("done", [False, True])
@pytest.mark.parametrize(
    ("write", "number"),
    [
        ("index", 1),
        ("index", 2),
        ("entries", 1),
        ("commit", 1),
        ("files", 1),
        ("file", 1),
        ("file", 3),
        ("published", 1),
        ("commit", 2),
        ("prune", 1),
    ],
)
def test_while_publishing(hub: Hub, write: str, number: int, done: bool) -> None:
    assert killed_at(write, number, hub.publish, done=done)
    hub.goes_on()


@pytest.mark.parametrize("done", [False, True])
@pytest.mark.parametrize("number", [2, 4, 6])
def test_at_each_public_file(hub: Hub, number: int, done: bool) -> None:
    if not killed_at("file", number, hub.publish, done=done):
        assert number == 6
    hub.goes_on()


@pytest.mark.parametrize("room", [0, 5000, 13_000])
@pytest.mark.parametrize("work", ["append", "erase", "publish", "rotate", "verify"])
def test_on_a_disk_that_takes_no_more(hub: Hub, work: str, room: int) -> None:
    """Writes are cut short where a file would grow beyond some bytes; then there is room again."""
    failure = failed_within(room, getattr(hub, work))
    assert failure is None or isinstance(failure, LedgerError | OSError), failure
    hub.goes_on()


def test_an_append_on_a_full_disk_says_so_and_the_next_one_works(hub: Hub) -> None:
    with hub.ledger() as ledger:
        ledger.append([entry()])
        size = ledger.size
        with file_limit(1024), pytest.raises(LedgerError, match="cannot be used"):
            ledger.append([entry(number) for number in range(300)])
        assert ledger.append([entry()]).index == size
    hub.goes_on()


def test_a_first_publication_that_never_got_its_checkpoint(hub: Hub) -> None:
    """The same of a hub of which nothing was public before."""
    shutil.rmtree(hub.settings.ledger_public)
    with hub.ledger() as ledger, closing(ledger.connect()) as store, store.transaction():
        store._execute("DELETE FROM published")  # type: ignore[attr-defined]
    assert killed_at("published", 1, hub.publish, done=True)
    hub.goes_on()
    assert (hub.settings.ledger_public / CHECKPOINT).exists()


@pytest.mark.parametrize("done", [False, True])
@pytest.mark.parametrize(
    ("write", "number"),
    [("keyring", 1), ("entries", 1), ("commit", 1), ("keyring", 2), ("head", 2), ("commit", 2)],
)
def test_while_rotating_the_key(hub: Hub, write: str, number: int, done: bool) -> None:
    with hub.ledger() as ledger:
        former = str(ledger.key)
    assert killed_at(write, number, hub.rotate, done=done)
    hub.goes_on()
    is_new = number == 2 and (write != "keyring" or done)
    with hub.ledger() as ledger:
        assert (str(ledger.key) != former) == is_new
    hub.rotate()
    with hub.ledger() as ledger:
        keys = list(map(str, ledger.keys))
        announced = {e.body["key"] for e in ledger.entries(256, 999) if e.body and "key" in e.body}
        assert keys[-1] == former
        assert set(keys[:-1]) <= announced  # none signs that was not announced
    hub.goes_on()
    keys_file = (hub.settings.ledger_public / "keys").read_text().split()
    assert keys_file == keys


@pytest.mark.parametrize("done", [False, True])
@pytest.mark.parametrize(
    ("write", "number"),
    [
        ("plan", 1),
        ("keyring", 1),
        ("build", 1),
        ("entries", 1),
        ("commit", 1),
        ("aside", 1),
        ("commit", 2),
        ("plan", 2),
        ("keyring", 2),
    ],
)
def test_while_a_successor_is_begun(hub: Hub, write: str, number: int, done: bool) -> None:
    assert killed_at(write, number, hub.succeed, done=done)
    hub.succeed()
    assert hub.settings.origin == "mingjing.example/second"
    hub.goes_on()
    (former,) = formers(hub.settings)
    with open_former(former, hub.keyring, CLOCK) as ledger:
        assert (ledger.origin, ledger.size) == ("mingjing.example/ledger", 260)
        assert ledger.verify_all().intact
        with pytest.raises(LedgerError, match="has ended"):
            ledger.append([entry()])


@pytest.mark.parametrize("done", [False, True])
@pytest.mark.parametrize("number", [1, 2, 3])
def test_while_verifying(
    hub: Hub, number: int, done: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(audit_module, "CHUNK_ENTRIES", 16)
    monkeypatch.setattr(audit_module, "MARK_ENTRIES", 64)
    assert killed_at("memory", number, hub.verify, done=done)
    found = hub.verify()
    saved = number if done else number - 1
    assert (found.intact, found.resumed) == (True, 64 * saved or None)
    assert hub.verify().resumed is None


def test_processes_with_the_former_key_are_told_to_restart(hub: Hub) -> None:
    with hub.ledger() as running:
        running.append([entry()])
        hub.rotate()
        for attempt in (lambda: running.append([entry()]), running.head, lambda: running.size):
            with pytest.raises(LedgerError, match="restart it"):
                attempt()
    with hub.ledger() as restarted:
        restarted.append([entry()])
    hub.goes_on()


def test_another_process_with_the_former_key_records_nothing_until_it_is_restarted(
    hub: Hub,
) -> None:
    """It is open, has appended, and has the tree's edge in memory when the key is rotated."""

    def running() -> None:
        with hub.ledger() as ledger:
            ledger.append([entry()])
            said.set()
            assert rotated.wait(60)
            with pytest.raises(LedgerError, match="restart it"):
                ledger.append([entry()])

    context = multiprocessing.get_context("fork")
    said, rotated = context.Event(), context.Event()
    child = context.Process(target=running)
    child.start()
    assert said.wait(60)
    hub.rotate()
    rotated.set()
    child.join(60)
    assert child.exitcode == 0
    with hub.ledger() as ledger:
        assert ledger.size == 260 + 1 + 1  # its first entry, and the announcement
    hub.goes_on()


def test_a_checkpoint_of_before_a_rotation_still_counts(hub: Hub) -> None:
    before = (hub.settings.ledger_public / CHECKPOINT).read_text()
    hub.rotate()
    with hub.ledger() as ledger:
        assert open_checkpoint(before, ledger.keys, ledger.origin).size == 257
        assert open_checkpoint(ledger.head(), ledger.keys[:1], ledger.origin).size == ledger.size
    assert hub.verify().intact


def test_a_successor_names_what_it_succeeds(hub: Hub) -> None:
    public = (hub.settings.ledger_public / CHECKPOINT).read_text()
    with hub.ledger() as ledger:
        former = str(ledger.key)
    hub.succeed()
    with hub.ledger() as ledger:
        body = ledger.entry(0).body
        assert body is not None
        assert (body["event"], body["why"], body["by"]) == (
            "hub:ledger:succeeded",
            "the key was lost",
            "office",
        )
        assert body["former"]["checkpoint"] == public
        assert body["former"]["origin"] == "mingjing.example/ledger"
        assert body["former"]["size"] == 257
        assert body["former"]["keys"] == [former]
        assert former not in map(str, ledger.keys)
    (one,) = formers(hub.settings)
    assert (one.number, one.size, one.keys) == (1, 257, (former,))


def test_a_successor_can_be_succeeded_and_never_has_an_old_name(hub: Hub) -> None:
    hub.succeed()
    for name in ("mingjing.example/second", "mingjing.example/ledger"):
        with pytest.raises(HubError, match="no ledger of this hub has had"):
            succeed(hub.settings, hub.keyring, CLOCK, Request(name, "w", "b", True))
    succeed(hub.settings, hub.keyring, CLOCK, Request("mingjing.example/third", "w", "b", True))
    hub.goes_on()
    assert [one.origin for one in formers(hub.settings)] == [
        "mingjing.example/ledger",
        "mingjing.example/second",
    ]
    for one in formers(hub.settings):
        with open_former(one, hub.keyring, CLOCK) as ledger:
            assert ledger.verify_all().intact


def sealed_and_released(hub: Hub) -> None:
    """Two sealed uses, the first of which its subject has been shown."""
    label = bytes(16)
    body = {"event": "officer:subject:disclosed", "time": CLOCK.now().isoformat()}
    sealed = Entry(label, body, sealed=True)
    with hub.ledger() as ledger:
        first = ledger.append([sealed, sealed]).index
        ledger.append([Entry(label, {**body, "event": RELEASED_EVENT, "entry": first})])


def test_an_intact_ledger_ends_only_when_that_is_said(hub: Hub) -> None:
    sealed_and_released(hub)
    request = Request("mingjing.example/second", "w", "b")
    with pytest.raises(
        RequestError,
        match=r"mingjing.example/ledger is intact: 263 entries .* 1 sealed .*--although-intact",
    ):
        succeed(hub.settings, hub.keyring, CLOCK, request)
    assert not (hub.settings.ledger_folder / "succession.json").exists()
    hub.goes_on()


def test_one_that_is_behind_what_is_public_ends_without_that(hub: Hub) -> None:
    hub.settings.ledger.rename(hub.home / "newest")
    identity = identity_of(hub.keyring, hub.settings.origin)
    create(hub.settings.ledger, identity.sign(CompactRange()))
    succeed(hub.settings, hub.keyring, CLOCK, Request("mingjing.example/second", "w", "b"))
    hub.goes_on()


@pytest.mark.parametrize("name", ["", "bad origin", "a+b", "a\nb", "a\x01b", "a\udc80"])
def test_a_name_that_no_log_can_have_leaves_nothing_behind(hub: Hub, name: str) -> None:
    with pytest.raises(RequestError):
        succeed(hub.settings, hub.keyring, CLOCK, Request(name, "w", "b", True))
    assert not (hub.settings.ledger_folder / "succession.json").exists()
    hub.succeed()
    hub.goes_on()


def test_a_ledger_whose_key_is_lost_gets_a_successor(hub: Hub) -> None:
    ring = hub.keyring
    ring._keys = {name: key for name, key in ring._keys.items() if name[0] != "ledger"}
    ring._write()
    with pytest.raises(HubError, match="no key 'ledger'"):
        hub.append()
    succeed(hub.settings, hub.keyring, CLOCK, Request("mingjing.example/second", "w", "b"))
    hub.goes_on()
    (former,) = formers(hub.settings)
    with open_former(former, hub.keyring, CLOCK) as ledger:
        assert ledger.verify_all().intact  # by the keys that were made public


def test_processes_of_a_ledger_that_has_ended_are_told_so(hub: Hub) -> None:
    with hub.ledger() as running:
        running.append([entry()])
        hub.succeed()
        with pytest.raises(LedgerError, match="has ended"):
            running.append([entry()])
