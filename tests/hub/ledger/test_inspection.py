"""Verifying a hub's ledger with its public files: tampering is named, a busy hub is not tampering."""

from __future__ import annotations

import base64
import json
import shutil
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from hub.clock import FixedClock
from hub.errors import TamperDetected
from hub.ledger import audit as audit_module
from hub.ledger.checks import public as public_module
from hub.ledger.index.folder import IndexFolder
from hub.ledger.inspection import Inspection, Inspector, Places
from hub.ledger.log import Ledger
from hub.ledger.merkle import CompactRange
from hub.ledger.note import Checkpoint, open_checkpoint, sign_checkpoint
from hub.ledger.public_files import CHECKPOINT, KEYS, PublicFiles, opening_path
from hub.ledger.publisher import NoWitness, Publisher
from hub.ledger.store import StoredPublication
from hub.ledger.writer import Entry
from tests.hub.ledger.factories import CLOCK, ORIGIN, InventedSigner, entry, open_ledger

NOW = datetime(2026, 3, 1, 9, tzinfo=UTC)
SIZE = 301  # a whole bundle, and a partial one


def places(folder: Path) -> Places:
    return Places(folder / "public", folder / "runs", folder / "verify.json", folder / "bulk")


def published(ledger: Ledger, folder: Path) -> int:
    desk = places(folder)
    publisher = Publisher(
        ledger, IndexFolder(desk.runs), PublicFiles(desk.public), NoWitness(), CLOCK
    )
    with closing(publisher):
        return publisher.turn().size


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a ledger of 300 entries and its index entry, all public; one entry erased."""
    folder = tmp_path_factory.mktemp("sound")
    with open_ledger(folder) as ledger:
        ledger.append([entry(number, bytes([number % 7]) * 16) for number in range(299)])
        ledger.erase(5, "oversight", "ground")
        assert published(ledger, folder) == SIZE
    return folder


@pytest.fixture
def folder(sound: Path, tmp_path: Path) -> Path:
    """A copy of it to damage."""
    shutil.copytree(sound, tmp_path, dirs_exist_ok=True)
    return tmp_path


@contextmanager
def inspector(folder: Path, now: datetime = NOW) -> Iterator[tuple[Ledger, Inspector]]:
    with open_ledger(folder) as ledger:
        yield ledger, Inspector(ledger, places(folder), FixedClock(now))


def verified(folder: Path, now: datetime = NOW) -> Inspection:
    with inspector(folder, now) as (_, one):
        return one.verify()


def since(folder: Path, time: datetime | None = None, now: datetime = NOW) -> Inspection:
    with inspector(folder, now) as (_, one):
        return one.since(time)


def fields(found: Inspection) -> list[str]:
    return [one.field for one in found.findings]


def texts(found: Inspection) -> str:
    return "\n".join(map(str, found.findings))


def change(folder: Path, statement: str, *values: object) -> None:
    with closing(sqlite3.connect(folder / "ledger.sqlite", isolation_level=None)) as connection:
        assert connection.execute(statement, values).rowcount != 0


def public_paths(folder: Path) -> list[str]:
    root = folder / "public"
    return sorted(str(p.relative_to(root)) for p in root.rglob("*") if p.is_file())


def test_a_sound_hub_has_no_findings_and_says_what_was_read(folder: Path) -> None:
    told: list[tuple[str, int, int]] = []
    with inspector(folder) as (_, one):
        found = one.verify(lambda *step: told.append(step))
    assert (found.intact, found.start, found.size, found.public) == (True, 0, SIZE, SIZE)
    assert (found.erased, found.resumed, found.findings) == (1, None, ())
    assert told == [
        ("entries", SIZE, SIZE),
        ("public files", 256, SIZE),
        ("index", 0, 1),
        ("index", 1, 1),
    ]


def test_a_ledger_of_which_nothing_is_public_is_sound(tmp_path: Path) -> None:
    with open_ledger(tmp_path) as ledger:
        ledger.append([entry()])
    found = verified(tmp_path)
    assert (found.intact, found.size, found.public) == (True, 1, 0)


def test_every_public_file_missing_or_another_is_named(folder: Path) -> None:
    paths = public_paths(folder)
    assert {path.split("/")[0] for path in paths} == {"checkpoint", "index", "keys", "tile"}
    with inspector(folder) as (_, one):
        for path in paths:
            file = folder / "public" / path
            right = file.read_bytes()
            file.unlink()
            if path != CHECKPOINT:  # the only one ever made public: a crash may have come before it
                assert fields(one.verify()) == [f"public file {path}"]
            for wrong in (b"", right[:-1], right + b"\n", b"x" * len(right)):
                file.write_bytes(wrong)
                found = one.verify()
                assert fields(found) == [f"public file {path}"], (path, wrong)
            file.write_bytes(right)
        assert one.verify().intact


def test_every_byte_of_the_public_files(folder: Path) -> None:
    """Of the large files every 97th: a file is compared as a whole."""
    with inspector(folder) as (ledger, _):
        files = PublicFiles(folder / "public")
        for path in public_paths(folder):
            file = folder / "public" / path
            right = file.read_bytes()
            for at in range(0, len(right), 97 if "/" in path else 1):
                file.write_bytes(right[:at] + bytes([right[at] ^ 1]) + right[at + 1 :])
                findings = public_module.Findings()
                with closing(ledger.connect()) as store:
                    public_module.check_public(ledger, store, files, findings)
                assert [one.field for one in findings.kept] == [f"public file {path}"]
                if "/" in path:
                    assert f"from byte {at} on" in findings.kept[0].problem
            file.write_bytes(right)


@pytest.mark.parametrize(
    ("path", "problem"),
    [
        ("tile/0/001", "of entries that the ledger does not have"),
        ("tile/entries/x001/000", "of entries that the ledger does not have"),
        ("index/000.p/7", "from byte 0 on"),
        ("tile/0/000.p/9", "from byte 0 on"),
        ("tile/8/000", "no file of the ledger has such a name"),
        ("tile/0/0", "no file of the ledger has such a name"),
        ("index/notes.txt", "no file of the ledger has such a name"),
        ("index/opening/999", "of an entry that the ledger does not have"),
        ("index/opening/007", "from byte 0 on"),
    ],
)
def test_a_file_put_among_the_tiles_is_named(folder: Path, path: str, problem: str) -> None:
    file = folder / "public" / path
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(b"x" * 20_000)
    (found,) = verified(folder).findings
    assert (found.field, problem in found.problem) == (f"public file {path}", True)


def test_drafts_and_files_newer_than_the_checkpoint_are_no_tampering(folder: Path) -> None:
    """What a publisher leaves that is killed before it replaces the checkpoint."""
    old = (folder / "public" / CHECKPOINT).read_bytes()
    (folder / "public/tile/0/.001.draft").write_bytes(b"half a ti")
    (folder / "public/.checkpoint.draft").write_bytes(b"half a check")
    assert verified(folder).intact
    with open_ledger(folder) as ledger:
        ledger.append([entry(number) for number in range(300)])
        published(ledger, folder)
        (folder / "public" / CHECKPOINT).write_bytes(old)
        found = verified(folder)
        assert (found.findings, found.public) == ((), SIZE)
        (folder / "public/tile/0/001").write_bytes(b"x")
        assert fields(verified(folder)) == ["public file tile/0/001"]


def test_a_publication_in_the_middle_of_a_verification_is_no_tampering(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    times = iter(range(3))

    class Busy(PublicFiles):
        """The partial files are pruned between reading the checkpoint and reading them."""

        def read(self, path: str) -> bytes | None:
            found = super().read(path)
            if path == CHECKPOINT and next(times, None) == 0:
                with open_ledger(folder) as ledger:
                    for _ in range(2):
                        ledger.append([entry()])
                        published(ledger, folder)
            return found

    monkeypatch.setattr("hub.ledger.inspection.PublicFiles", Busy)
    assert verified(folder).findings == ()


def test_appends_between_the_steps_of_a_verification_are_no_tampering(folder: Path) -> None:
    with inspector(folder) as (ledger, one):

        def busy(_what: str, _done: int, _total: int) -> None:
            ledger.append([entry()])
            published(ledger, folder)

        for _ in range(3):
            assert one.verify(busy).findings == ()
            assert one.since(None, busy).findings == ()


def test_a_clock_set_back_is_no_tampering(folder: Path) -> None:
    with open_ledger(folder, clock=FixedClock(NOW - timedelta(days=900))) as ledger:
        ledger.append([entry(time="1999-01-01T00:00:00.000Z")])
        ledger.erase(7, "office", "ground")
    assert verified(folder).intact
    assert since(folder, now=NOW - timedelta(days=400)).intact


@pytest.mark.parametrize(
    ("forged", "problem"),
    [
        (lambda size, root: (Checkpoint("other.example/log", size, root), None), "any known key"),
        (lambda size, root: (Checkpoint(ORIGIN, size, root), "two"), "any known key"),
        (lambda size, _: (Checkpoint(ORIGIN, size, bytes(32)), None), "of another tree"),
        (lambda size, root: (Checkpoint(ORIGIN, size + 1, root), None), "an old backup"),
        (lambda size, root: (Checkpoint(ORIGIN, size - 1, root), None), "of another tree"),
        (lambda size, root: (Checkpoint(ORIGIN, 1 << 62, root), None), "an old backup"),
        (lambda *_: (Checkpoint(ORIGIN, 0, CompactRange().root), None), "of no entries"),
    ],
)
def test_a_checkpoint_that_is_not_the_ledgers_is_named(
    folder: Path,
    forged: Callable[[int, bytes], tuple[Checkpoint, str | None]],
    problem: str,
) -> None:
    path = folder / "public" / CHECKPOINT
    shown = Checkpoint.parse(path.read_text().partition("\n\n")[0] + "\n")
    checkpoint, seed = forged(shown.size, shown.root)
    signer = InventedSigner(checkpoint.origin, seed or "one")
    path.write_text(sign_checkpoint(checkpoint, signer))
    found = texts(verified(folder))
    assert "public file checkpoint" in found
    assert problem in found


def test_swapped_signatures_are_named(folder: Path) -> None:
    path = folder / "public" / CHECKPOINT
    text, _, _ = path.read_text().partition("\n\n")
    _, _, signature = sign_checkpoint(Checkpoint(ORIGIN, 1, bytes(32)), InventedSigner()).partition(
        "\n\n"
    )
    path.write_text(f"{text}\n\n{signature}")
    assert "is false" in texts(verified(folder))


@pytest.mark.parametrize(
    ("statement", "problem"),
    [
        ("DELETE FROM published", "does not remember it"),
        ("UPDATE published SET size = 7", "published size: not 301"),
        ("UPDATE published SET note = 'text'", "published note: not a checkpoint"),
        ("UPDATE published SET note = x'00'", "published note: not a checkpoint"),
        ("UPDATE published SET size = 'text'", "published size: not 301"),
    ],
)
def test_a_changed_row_of_what_is_public_is_named(
    folder: Path, statement: str, problem: str
) -> None:
    change(folder, statement)
    assert problem in texts(verified(folder))


def test_two_files_that_change_places_are_both_named(folder: Path) -> None:
    one, two = (folder / f"public/{name}/000" for name in ("tile/0", "index"))
    a, b = one.read_bytes(), two.read_bytes()
    one.write_bytes(b)
    two.write_bytes(a)
    assert set(fields(verified(folder))) == {"public file tile/0/000", "public file index/000"}


def test_the_keys_of_before_a_rotation_are_sound_and_others_are_not(folder: Path) -> None:
    old = (folder / "public" / KEYS).read_text()
    other = f"{ORIGIN}+00000000+AAAA\n"
    (folder / "public" / KEYS).write_text(other + old)
    assert fields(verified(folder)) == ["public file keys"]


def test_an_index_that_says_another_root_is_named(folder: Path) -> None:
    """A log that signs a false index root: everything else about it is in order."""
    with open_ledger(folder) as ledger:
        index = {"size": ledger.size, "root": "00" * 32}
        body = {"event": "hub:index:published", "time": "2026-03-01T08:00:00.000Z"}
        ledger.append([Entry(None, {**body, "index": index})])
        files = PublicFiles(folder / "public")
        size = ledger.size
        with closing(ledger.connect()) as store:
            for path, data in public_module.files_between(store, SIZE, size):
                files.write(path, data)
        opening = ledger.opening(size - 1)
        files.write(opening_path(size - 1), public_module.canonical_json(opening.body()))
        note = ledger.signed(size)
        ledger.publish(StoredPublication(note, size, "2026-03-01T08:00:00.000Z"))
        files.write(CHECKPOINT, note.encode())
    found = verified(folder)
    assert f"entry {size - 1}, index: its root is not the one" in texts(found)
    assert "index" in texts(since(folder))


@pytest.mark.parametrize("damage", ["missing", "flipped"])
def test_a_damaged_run_of_the_index_is_named(folder: Path, damage: str) -> None:
    run = folder / "runs" / "0-256"
    if damage == "missing":
        run.unlink()
    else:
        data = bytearray(run.read_bytes())
        data[3] ^= 1
        run.chmod(0o600)
        run.write_bytes(bytes(data))
    assert fields(verified(folder)) == ["index file 0-256"]


def test_the_daily_run_reads_only_what_came_since(folder: Path) -> None:
    assert verified(folder).intact
    with open_ledger(folder) as ledger:
        ledger.append([entry(number) for number in range(10)])
        ledger.erase(9, "office", "ground")  # of an entry that is not read again
        published(ledger, folder)
    found = since(folder)
    assert (found.intact, found.start, found.size, found.erased) == (True, SIZE, SIZE + 12, 1)
    change(folder, "UPDATE entry SET salt = zeroblob(32) WHERE position = 12")
    assert since(folder).start == SIZE + 12
    assert since(folder).intact
    assert not verified(folder).intact


@pytest.mark.parametrize(
    ("statement", "expected"),
    [
        ("UPDATE entry SET content = zeroblob(32) WHERE position = 9", "entry 9, content"),
        ("UPDATE entry SET content = NULL WHERE position = 9", "entry 9, content"),
        ("UPDATE entry SET erased_by = 4 WHERE position = 9", "entry 9, erased_by"),
        ("UPDATE entry SET time = '1999' WHERE position = 9", "entry 9, time"),
        ("UPDATE entry SET record = x'7b7d' WHERE position = 9", "entry 9, record"),
        ("UPDATE entry SET salt = zeroblob(32) WHERE position = 303", "entry 303, record or salt"),
        ("UPDATE entry SET tag = zeroblob(32) WHERE position = 305", "entry 305, tag"),
        ("UPDATE entry SET chain = x'00' WHERE position = 305", "entry 305, chain"),
        ("DELETE FROM entry WHERE position = 304", "entry 304, entry: missing"),
        ("DELETE FROM tree WHERE leaf = 304", "entry 304, tree"),
    ],
)
def test_the_daily_run_names_what_is_wrong_since(
    folder: Path, statement: str, expected: str
) -> None:
    assert verified(folder).intact
    with open_ledger(folder) as ledger:
        ledger.append([entry(number) for number in range(10)])
        ledger.erase(9, "office", "ground")
    change(folder, statement)
    assert expected in texts(since(folder))


def test_the_daily_run_goes_back_to_the_tree_of_a_time(folder: Path) -> None:
    days = [NOW + timedelta(days=n) for n in range(3)]
    sizes = []
    for day in days:
        found = since(folder, now=day)
        sizes.append(found.size)
        with open_ledger(folder) as ledger:
            ledger.append([entry()])
    assert since(folder, days[1], now=days[2]).start == sizes[1]
    assert since(folder, days[0] - timedelta(hours=1), now=days[2]).start == 0
    assert since(folder, now=days[2]).start == sizes[2] + 1


def test_a_ledger_put_back_to_an_older_state_is_named_by_what_is_remembered(
    folder: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    old = tmp_path_factory.mktemp("old")
    shutil.copytree(folder, old, dirs_exist_ok=True)
    with open_ledger(folder) as ledger:
        ledger.append([entry(number) for number in range(5)])
    assert verified(folder).intact
    shutil.copy(old / "ledger.sqlite", folder / "ledger.sqlite")
    for found in (verified(folder), since(folder)):
        assert "entries found intact on 2026-03-01: rolled back or replaced" in texts(found)
        assert found.start == 0


def test_a_fork_signed_with_the_ledgers_own_key_is_named(folder: Path) -> None:
    assert verified(folder).intact
    (folder / "ledger.sqlite").unlink()
    with open_ledger(folder) as ledger:
        ledger.append([entry(number) for number in range(400)])
    found = verified(folder)
    assert "rolled back or replaced" in texts(found)
    assert "public file checkpoint" in texts(found)


def test_what_is_remembered_is_not_believed_when_it_was_not_written_here(folder: Path) -> None:
    memory = folder / "verify.json"
    assert verified(folder).intact
    right = memory.read_bytes()
    document = json.loads(right)
    size = document["verified"][0]["size"]
    document["verified"][0]["size"] = size - 1
    for wrong in (b"", b"[]", b"{}", b"\xff", b"null", json.dumps(document).encode(), right[:-1]):
        memory.write_bytes(wrong)
        found = since(folder)
        assert (found.intact, found.start) == (True, 0)
    assert since(folder).start == size


class Killed(BaseException):
    """Stands for SIGKILL at one step of a reading."""


def kill_at(what: str, number: int) -> Callable[[str, int, int], None]:
    def tell(kind: str, done: int, _total: int) -> None:
        if kind == what and done >= number:
            raise Killed

    return tell


@pytest.fixture
def small_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(audit_module, "CHUNK_ENTRIES", 16)
    monkeypatch.setattr(audit_module, "MARK_ENTRIES", 64)


@pytest.mark.usefixtures("small_steps")
def test_a_reading_that_was_killed_goes_on_where_it_was(folder: Path) -> None:
    change(folder, "UPDATE entry SET salt = zeroblob(32) WHERE position = 20")
    with inspector(folder) as (_, one), pytest.raises(Killed):
        one.verify(kill_at("entries", 200))
    found = verified(folder, NOW + timedelta(hours=1))
    assert found.resumed == 192
    assert (found.start, found.size, found.erased) == (0, SIZE, 1)
    assert texts(found) == "entry 20, record or salt: changed after it was signed"
    again = verified(folder)
    assert again.resumed is None  # one that came to its end leaves nothing to go on with
    assert again.findings == found.findings


@pytest.mark.usefixtures("small_steps")
def test_a_stale_or_unwanted_rest_of_a_reading_is_not_gone_on_with(folder: Path) -> None:
    for later in (timedelta(hours=25), -timedelta(hours=25)):
        with inspector(folder) as (_, one), pytest.raises(Killed):
            one.verify(kill_at("entries", 200))
        assert verified(folder, NOW + later).resumed is None
    with inspector(folder) as (_, one):
        with pytest.raises(Killed):
            one.verify(kill_at("entries", 200))
        assert one.since(None).resumed is None or one.since(None).start > 0
        with pytest.raises(Killed):
            one.verify(kill_at("entries", 200))
        assert one.verify(anew=True).resumed is None


@pytest.mark.usefixtures("small_steps")
def test_a_rest_of_a_reading_of_another_tree_is_named_and_everything_read(folder: Path) -> None:
    with inspector(folder) as (_, one), pytest.raises(Killed):
        one.verify(kill_at("entries", 200))
    (folder / "ledger.sqlite").unlink()
    shutil.rmtree(folder / "public")
    with open_ledger(folder) as ledger:
        ledger.append([entry(number) for number in range(400)])
    found = verified(folder)
    assert "192 entries were read before, of a tree that this one does not begin" in texts(found)
    assert found.total == 1


def test_every_chunk_border_is_crossed_alike(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for step in (1, 2, 7, 64, 300, 301, 302):
        monkeypatch.setattr(audit_module, "CHUNK_ENTRIES", step)
        with open_ledger(folder) as ledger:
            found = ledger.verify_all()
        assert (found.findings, found.erased) == ((), 1)


def test_a_ledger_restored_from_an_old_backup_signs_nothing(
    folder: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    old = tmp_path_factory.mktemp("old")
    shutil.copy(folder / "ledger.sqlite", old / "ledger.sqlite")
    with open_ledger(folder) as ledger:
        ledger.append([entry()])
        published(ledger, folder)
    shutil.copy(old / "ledger.sqlite", folder / "ledger.sqlite")
    note = (folder / "public" / CHECKPOINT).read_text()
    with open_ledger(folder) as ledger:
        public = open_checkpoint(note, ledger.keys, ORIGIN)
        with pytest.raises(TamperDetected, match="old backup was restored"):
            published(ledger, folder)
    with (
        open_ledger(folder, kept=lambda: public) as ledger,
        pytest.raises(TamperDetected, match="old backup was restored"),
    ):
        ledger.append([entry()])
    assert "an old backup was restored" in texts(verified(folder))


def test_base64_of_an_opening_is_compared_as_it_stands(folder: Path) -> None:
    path = folder / "public" / opening_path(SIZE - 1)
    body = json.loads(path.read_bytes())
    assert base64.b64decode(body["record"]).startswith(b'{"event":"hub:index:published"')
    path.write_text(json.dumps(body, indent=1))
    assert fields(verified(folder)) == [f"public file {opening_path(SIZE - 1)}"]
