"""What is made public, when, and what a crash or a missing witness leaves."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from hub.config import load_settings
from hub.errors import LedgerError, TamperDetected
from hub.keyring import Keyring
from hub.ledger.checks.findings import Findings
from hub.ledger.checks.public import check_public
from hub.ledger.composition import create_ledger, publisher_of
from hub.ledger.composition import open_ledger as hubs_ledger
from hub.ledger.entry import content_of, entry_of, link_of
from hub.ledger.index.folder import IndexFolder
from hub.ledger.index.runs import index_root
from hub.ledger.log import Ledger
from hub.ledger.merkle import leaf_hash
from hub.ledger.note import Note, VerifierKey, open_checkpoint
from hub.ledger.public_files import PublicFiles, files_between, index_path, opening_path
from hub.ledger.publisher import HEARTBEAT, Consistency, Cosigned, NoWitness, Publisher, Turn
from hub.ledger.tiles import Tile, TileReader, new_bundles, new_tiles
from tests.hub.ledger.factories import ORIGIN, entries_of, entry, open_ledger

pytestmark = pytest.mark.usefixtures("kind")

NOW = datetime(2026, 3, 1, 9, tzinfo=UTC)


@dataclass
class MovingClock:
    """A clock that is moved by hand."""

    instant: datetime = NOW

    def now(self) -> datetime:
        return self.instant


@dataclass
class FewWitnesses:
    """Witnesses of whom there are enough, or not."""

    enough: bool = True
    asked: list[str] = field(default_factory=list)
    cosigned: set[str] = field(default_factory=set)

    def cosign(self, note: str, consistency: Consistency) -> Cosigned:
        self.asked.append(note)
        consistency(0)
        if self.enough:
            self.cosigned.add(note)
        return Cosigned(note, self.enough, (("oversight", "no answer"),))

    def is_enough(self, note: str) -> bool:
        return note in self.cosigned


@dataclass
class Desk:
    """A ledger, its publisher and what they stand on."""

    ledger: Ledger
    folder: Path
    clock: MovingClock = field(default_factory=MovingClock)
    witnesses: FewWitnesses = field(default_factory=FewWitnesses)

    @property
    def files(self) -> PublicFiles:
        return PublicFiles(self.folder / "public")

    def publisher(self, files: PublicFiles | None = None) -> Publisher:
        index = IndexFolder(self.folder / "runs")
        return Publisher(self.ledger, index, files or self.files, self.witnesses, self.clock)

    def turn(self) -> Turn:
        with closing(self.publisher()) as publisher:
            return publisher.turn()

    def names(self) -> set[str]:
        root = self.files.folder
        return {str(p.relative_to(root)) for p in root.rglob("*") if p.is_file()}


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    with open_ledger(tmp_path) as ledger:
        yield Desk(ledger, tmp_path)


def check(desk: Desk) -> int:
    """Read what is public as a stranger does, without the ledger's store; return its size."""
    files = desk.files
    checkpoint = open_checkpoint(
        (files.read("checkpoint") or b"").decode(), [desk.ledger.key], ORIGIN
    )
    size = checkpoint.size
    reader = TileReader(lambda tile: files.read(tile.path) or b"", size)
    assert reader.root() == checkpoint.root
    leaves, tags = [], []
    for bundle in new_bundles(0, size):
        entries = entries_of(files.read(bundle.path) or b"", bundle.width)
        pairs = files.read(index_path(bundle)) or b""
        assert len(pairs) == 64 * bundle.width
        for number, one in enumerate(entries):
            tag, link = pairs[64 * number :][:32], pairs[64 * number + 32 :][:32]
            assert entry_of(tag, link) == one
            leaves.append(leaf_hash(one))
            tags.append(tag)
    opening = json.loads(files.read(opening_path(size - 1)) or b"")
    parts = {
        name: base64.b64decode(opening[name]) for name in ("tag", "previous", "salt", "record")
    }
    content = content_of(parts["salt"], parts["record"])
    link = link_of(parts["previous"], opening["number"], content)
    assert leaf_hash(entry_of(parts["tag"], link)) == leaves[-1]
    naive = IndexFolder(desk.folder / f"naive-{size}")
    naive.advance(size - 1, lambda start, stop: tags[start:stop])
    said = json.loads(parts["record"])
    assert (said["event"], said["index"]) == (
        "hub:index:published",
        {"size": size - 1, "root": naive.root(size - 1).hex()},
    )
    return size


@pytest.mark.parametrize("count", [0, 1, 255, 256, 257, 600])
def test_a_stranger_can_check_all_that_is_public(desk: Desk, count: int) -> None:
    if count:
        desk.ledger.append([entry(number) for number in range(count)])
    assert desk.turn() == Turn(count + 1, True, (("oversight", "no answer"),))
    assert check(desk) == count + 1
    published = desk.ledger.published()
    assert published is not None
    assert published.note.encode() == desk.files.read("checkpoint")
    assert desk.files.read("keys") == f"{desk.ledger.key}\n".encode()


def test_it_grows_turn_by_turn_and_leaves_no_partial_file_behind(desk: Desk) -> None:
    for count in (3, 250, 5, 300, 1, 2):
        desk.ledger.append([entry(number) for number in range(count)])
        assert desk.turn().published
        size = check(desk)
    wanted = {tile.path for tile in new_tiles(0, size)}
    wanted |= {path for b in new_bundles(0, size) for path in (b.path, index_path(b))}
    wanted |= {"checkpoint", "keys", opening_path(size - 1)}
    extra = {name for name in desk.names() - wanted if "lock" not in name}
    assert wanted <= desk.names()
    assert all(".p/" in name or "opening" in name for name in extra)
    assert len(extra) < 8, extra  # those of the checkpoint before, for who is still reading


def test_nothing_new_is_not_published_again_until_it_has_long_been_silent(desk: Desk) -> None:
    desk.ledger.append([entry()])
    assert desk.turn().size == 2
    assert desk.turn() == Turn(2, published=False)
    desk.clock.instant += HEARTBEAT - timedelta(seconds=1)
    assert not desk.turn().published
    desk.clock.instant += timedelta(seconds=1)
    assert desk.turn().size == 3
    assert check(desk) == 3


def test_without_enough_witnesses_the_former_checkpoint_stays(desk: Desk) -> None:
    desk.ledger.append([entry()])
    desk.turn()
    before = desk.files.read("checkpoint")
    desk.witnesses.enough = False
    desk.ledger.append([entry(1)])
    for _ in range(3):
        turn = desk.turn()
        assert (turn.size, turn.published) == (2, False)
        assert turn.waiting
    assert desk.files.read("checkpoint") == before
    assert desk.ledger.size == 4  # one index entry, offered again as it is
    assert len(set(desk.witnesses.asked[1:])) == 1
    desk.witnesses.enough = True
    assert desk.turn().size == 4
    assert check(desk) == 4


def test_a_new_policy_has_what_is_public_followed_at_once(desk: Desk) -> None:
    desk.ledger.append([entry()])
    desk.turn()
    desk.witnesses.cosigned.clear()  # other witnesses are asked for by now
    desk.witnesses.enough = False
    for _ in range(3):
        turn = desk.turn()
        assert (turn.size, turn.published) == (2, False)
        assert turn.waiting
    assert desk.ledger.size == 3
    desk.witnesses.enough = True
    assert desk.turn() == Turn(3, True, (("oversight", "no answer"),))
    assert check(desk) == 3
    assert desk.turn() == Turn(3, published=False)


def test_a_checkpoint_without_the_quorum_is_not_put_back(desk: Desk) -> None:
    desk.ledger.append([entry()])
    desk.turn()
    older = desk.files.read("checkpoint") or b""
    desk.ledger.append([entry(1)])
    desk.turn()
    desk.files.write("checkpoint", older)
    desk.witnesses.cosigned.clear()
    desk.witnesses.enough = False
    assert desk.turn().waiting
    assert desk.files.read("checkpoint") == older
    desk.witnesses.enough = True
    assert desk.turn().published
    assert check(desk) == 5


class Failing(PublicFiles):
    """A folder whose n-th write fails, before or after the file is there."""

    def __init__(self, folder: Path, fails_at: int, *, persisted: bool) -> None:
        super().__init__(folder)
        self._left = fails_at
        self._persisted = persisted

    def _place(self, path: str, data: bytes) -> Path:
        self._left -= 1
        if self._left == 0:
            if self._persisted:
                super()._place(path, data)
            raise OSError(28, "No space left on device")
        return super()._place(path, data)


@pytest.mark.parametrize("persisted", [False, True])
@pytest.mark.parametrize("fails_at", range(1, 8))
def test_a_write_that_fails_leaves_the_former_checkpoint_and_the_next_turn_goes_on(
    desk: Desk, fails_at: int, persisted: bool
) -> None:
    desk.ledger.append([entry(number) for number in range(3)])
    desk.turn()
    before = desk.files.read("checkpoint")
    desk.ledger.append([entry(9)])
    failing = Failing(desk.files.folder, fails_at, persisted=persisted)
    with closing(desk.publisher(failing)) as publisher:
        with suppress(LedgerError):
            publisher.turn()
        kept = desk.files.read("checkpoint")
        if kept == before:
            assert_public_is_whole(desk, before)
    desk.turn()
    assert check(desk) == 6


def assert_public_is_whole(desk: Desk, checkpoint: bytes | None) -> None:
    """Check that what a checkpoint speaks of can still be read."""
    size = open_checkpoint((checkpoint or b"").decode(), [desk.ledger.key], ORIGIN).size
    assert TileReader(lambda tile: desk.files.read(tile.path) or b"", size).root()


def test_a_checkpoint_that_was_lost_is_put_back_with_all_its_files(desk: Desk) -> None:
    desk.ledger.append([entry(number) for number in range(300)])
    desk.turn()
    for name in desk.names():
        (desk.files.folder / name).unlink()
    assert not desk.turn().published
    assert check(desk) == 301


def test_an_older_checkpoint_is_brought_up_to_what_was_promised(desk: Desk) -> None:
    desk.ledger.append([entry()])
    desk.turn()
    older = desk.files.read("checkpoint") or b""
    desk.ledger.append([entry(1)])
    desk.turn()
    desk.files.write("checkpoint", older)
    desk.turn()
    assert check(desk) == 4


@pytest.mark.parametrize("remembered", [False, True])
def test_a_restored_backup_publishes_and_signs_nothing(tmp_path: Path, remembered: bool) -> None:
    with open_ledger(tmp_path / "new") as ledger:
        desk = Desk(ledger, tmp_path)
        ledger.append([entry(number) for number in range(4)])
        desk.turn()
        ledger.append([entry(5)])
        desk.turn()
    with open_ledger(tmp_path / "old") as old:
        old.append([entry(number) for number in range(4)])
        if remembered:
            Desk(old, tmp_path / "elsewhere").turn()
        before = old.size
        with pytest.raises(TamperDetected, match="old backup"):
            Desk(old, tmp_path).turn()
        assert old.size == before


def test_a_strangers_public_checkpoint_stops_it(desk: Desk) -> None:
    desk.ledger.append([entry()])
    desk.turn()
    desk.files.write("checkpoint", b"words\n")
    with pytest.raises(TamperDetected, match="not this ledger's own"):
        desk.turn()


def test_files_follow_from_the_store_whoever_writes_them(desk: Desk) -> None:
    desk.ledger.append([entry(number) for number in range(520)])
    desk.turn()
    with closing(desk.ledger.connect()) as store:
        again = dict(files_between(store, 0, 521))
    for path, data in again.items():
        assert desk.files.read(path) == data, path
    assert Tile.parse("tile/entries/002.p/9").path in again


def test_each_runs_root_is_that_of_the_index(desk: Desk) -> None:
    desk.ledger.append([entry(number) for number in range(300)])
    desk.turn()
    index = IndexFolder(desk.folder / "runs")
    assert index.root(300) == index_root(300, [root for _, root in index.roots(300)])


def test_who_has_no_witness_publishes_what_the_log_signed() -> None:
    never: Callable[[int], tuple[bytes, ...]] = lambda _old: ()  # noqa: E731
    assert NoWitness().cosign("note", never) == Cosigned("note", has_quorum=True)
    assert NoWitness().is_enough("note")


@pytest.mark.parametrize(("suite", "signatures"), [("intl", 1), ("gm", 2)])
def test_a_hub_signs_as_its_suite_asks(tmp_path: Path, suite: str, signatures: int) -> None:
    """With gm whoever knows SM2 verifies that, everybody else Ed25519 as ever."""
    settings = load_settings(home=tmp_path, suite=suite)
    keyring = Keyring.create(settings.keyring, settings.suite)
    create_ledger(settings, keyring, MovingClock()).close()
    with (
        hubs_ledger(settings, keyring, MovingClock()) as ledger,
        closing(publisher_of(settings, ledger, MovingClock())) as publisher,
    ):
        assert publisher.turn().published
        findings = Findings()
        with closing(ledger.connect()) as store:
            check_public(ledger, store, PublicFiles(settings.ledger_public), findings)
        assert findings.kept == []
    note = (settings.ledger_public / "checkpoint").read_text()
    keys = (settings.ledger_public / "keys").read_text().splitlines()
    assert len(Note.parse(note).signatures) == len(keys) == signatures
    for key in keys:
        assert open_checkpoint(note, [VerifierKey.parse(key)], settings.origin).size == 1
