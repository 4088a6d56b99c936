"""Reading a log in full: honest ones of every awkward size, and false ones, each found and named."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hub.errors import LedgerError
from hub.ledger.note import Checkpoint, sign_checkpoint
from hub.ledger.tiles import Tile
from tests.hub.ledger.factories import ORIGIN
from tests.hub.witness.invented import InventedLog, Post, grown, kinds_of_file

LONG = InventedLog()


def long_log() -> InventedLog:
    """Return a log of more than one level-2 hash, made once."""
    if not LONG.size:
        LONG.grow(300)
        LONG.grow(65_535 - 301)
        LONG.grow(700)
    return LONG


@pytest.mark.parametrize(
    "counts",
    [
        (0,),
        (0, 0, 0),
        (1, 1),
        (253, 0, 0, 0, 0),
        (254,),
        (255,),
        (255, 255),
        (256, 511),
        (300, 1, 1000),
        (511, 0, 0),
        (4_095, 4_095),
    ],
)
def test_honest_logs_are_cosigned_step_by_step(tmp_path: Path, counts: tuple[int, ...]) -> None:
    log = InventedLog()
    post = Post(tmp_path, log)
    for count in counts:
        old = log.size
        log.grow(count)
        status, body = post.ask(old)
        assert (status, post.kinds) == (200, []), body
        assert post.cosigned == log.size


def test_a_log_is_read_in_pieces_and_what_was_read_stays_read(tmp_path: Path) -> None:
    """However little time there is, each time a bundle is read."""
    log = grown(299, 700)
    post = Post(tmp_path, log, patience=-1.0)
    for read in (256, 512, 768):
        status, body = post.ask(0)
        assert (status, f"read to entry {read};" in body) == (503, True)
        assert post.state.reading(ORIGIN).read_to == read
        assert post.cosigned == 0
        del log.files[Tile(None, read // 256 - 1).path]  # it is not asked for again
    assert post.ask(0)[0] == 200
    assert post.cosigned == log.size
    assert post.kinds == []


def test_a_long_log_is_saved_on_the_way(tmp_path: Path) -> None:
    log = long_log()
    post = Post(tmp_path, log)
    held = log.files.pop(Tile(None, 257).path)
    assert post.ask(0)[0] == 503
    assert post.state.reading(ORIGIN).read_to == 65_536
    log.files[Tile(None, 257).path] = held
    assert post.ask(0)[0] == 200


def test_a_long_log_read_at_once_comes_to_the_same(tmp_path: Path) -> None:
    log = long_log()
    post = Post(tmp_path, log)
    assert post.ask(0)[0] == 200
    assert post.state.reading(ORIGIN).read_to == (log.size - 1) // 256 * 256


SMALL = grown(260, 300)


@pytest.fixture
def small() -> InventedLog:
    return grown(260, 300)


@settings(
    deadline=None, max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.sampled_from([*SMALL.files]), st.integers(0, 1 << 20), st.integers(0, 7))
def test_any_changed_bit_of_any_file_is_found_and_named(
    tmp_path_factory: pytest.TempPathFactory, path: str, place: int, bit: int
) -> None:
    """All at once from nothing; a file the reading does not need must not matter."""
    log = grown(260, 300)
    held = bytearray(log.files[path])
    held[place % len(held)] ^= 1 << bit
    log.files[path] = bytes(held)
    post = Post(tmp_path_factory.mktemp("witness"), log)
    status, body = post.ask(0)
    if path in UNREAD:
        assert (status, post.kinds) == (200, [])
    elif (
        path.startswith("index/opening/") and status == 503
    ):  # it is no opening, or of another tree
        assert post.kinds == []
    else:
        assert status == 422, body
        assert post.kinds == list(kinds_of_file(path))
        assert post.cosigned == 0


#: Files of the older tree, which the newer one does not need.
UNREAD = {
    path
    for path in SMALL.files
    if (".p/" in path and not path.endswith((f".p/{SMALL.size % 256}", f".p/{SMALL.size >> 8}")))
    or path == "index/opening/260"
}


def test_the_files_not_read_are_those_of_the_older_tree() -> None:
    assert sorted(UNREAD) == [
        "index/001.p/5",
        "index/opening/260",
        "tile/0/001.p/5",
        "tile/1/000.p/1",
        "tile/entries/001.p/5",
    ]


@pytest.mark.parametrize("path", sorted({*SMALL.files} - UNREAD))
@pytest.mark.parametrize("what", ["gone", "empty", "short", "long"])
def test_unreadable_files_are_no_alarm_and_tried_again(
    tmp_path: Path, small: InventedLog, path: str, what: str
) -> None:
    post = Post(tmp_path, small)
    whole = small.files[path]
    broken = {"empty": b"", "short": whole[:-1], "long": whole + bytes(1 << 17)}
    if what == "gone":
        del small.files[path]
    else:
        small.files[path] = broken[what]
    status, body = post.ask(0)
    assert status == 503, body
    assert (post.kinds, post.cosigned) == ([], 0)
    small.files[path] = whole
    assert post.ask(0)[0] == 200


def test_a_partial_file_that_became_full_is_read_from_the_full_one(tmp_path: Path) -> None:
    log = grown(300)
    early = log.checkpoint()
    log.grow(300)
    for path in ("tile/0/001.p/45", "tile/entries/001.p/45", "index/001.p/45"):
        del log.files[path]
    post = Post(tmp_path, log)
    assert post.ask(0, early, 301)[0] == 200


def test_a_wrong_index_root_is_named(tmp_path: Path) -> None:
    log = InventedLog()
    post = Post(tmp_path, log)
    log.grow(20)
    assert post.ask(0)[0] == 200
    old = log.size
    log.grow(20, index=bytes(32))
    status, body = post.ask(old)
    assert (status, post.kinds, post.cosigned) == (422, ["wrong-index"], old)
    assert "names an index over 41 entries that is not theirs" in body
    # The next tree names the right one: what was wrong stays an alarm, the log goes on.
    log.grow(1)
    assert post.ask(old)[0] == 200
    assert post.kinds == ["wrong-index"]


def test_an_index_over_fewer_entries_is_named(tmp_path: Path) -> None:
    log = InventedLog()
    log.grow(20, index=grown(20).index(10), named=10)
    post = Post(tmp_path, log)
    assert post.ask(0)[0] == 422
    assert post.kinds == ["wrong-index"]


def test_a_tree_that_does_not_end_with_an_index_entry_is_named(tmp_path: Path) -> None:
    log = grown(3)
    log.close({"event": "officer:subject:disclosed", "time": "2026-03-01T08:00:00.000Z"})
    post = Post(tmp_path, log)
    assert post.ask(0)[0] == 422
    assert post.kinds == ["wrong-index"]


def test_two_entries_with_one_tag_are_named(tmp_path: Path) -> None:
    log = InventedLog()
    log.append(bytes(32), bytes(32))
    log.append(bytes(32), bytes([1]) * 32)
    log.grow(2)
    post = Post(tmp_path, log)
    status, body = post.ask(0)
    assert (status, post.kinds) == (422, ["wrong-index"])
    assert "entries 0 and 1 carry the same tag" in body


@pytest.mark.parametrize("read_before", [True, False])
def test_two_entries_with_one_tag_are_named_however_far_apart(
    tmp_path: Path, read_before: bool
) -> None:
    log = InventedLog()
    log.append(bytes(32), bytes(32))
    log.grow(300)
    post = Post(tmp_path, log)
    old = log.size
    if read_before:
        assert post.ask(0)[0] == 200
    log.append(bytes(32), bytes([1]) * 32)
    log.grow(2)
    status, body = post.ask(old if read_before else 0)
    assert (status, post.kinds) == (422, ["wrong-index"])
    assert f"entries 0 and {old} carry the same tag" in body


def test_one_tag_in_two_pieces_of_a_reading_is_named(tmp_path: Path) -> None:
    """They are far apart, and each piece was saved before the other was read."""
    log = InventedLog()
    for number in range(900):
        tag = 10 if number == 300 else number
        log.append(tag.to_bytes(32), number.to_bytes(32))
    log.grow(0)
    post = Post(tmp_path, log, patience=-1.0)
    assert [post.ask(0)[0] for _ in range(3)] == [503] * 3
    status, body = post.ask(0)
    assert (status, post.kinds) == (422, ["wrong-index"])
    assert "entries 10 and 300 carry the same tag" in body


def test_a_false_tag_that_makes_the_right_entry_needs_a_broken_hash(tmp_path: Path) -> None:
    """Rows of two entries exchanged: each makes the other's entry."""
    log = grown(10)
    rows = log.files["index/000.p/11"]
    log.files["index/000.p/11"] = rows[64:128] + rows[:64] + rows[128:]
    post = Post(tmp_path, log)
    assert post.ask(0)[0] == 422
    assert post.kinds == ["wrong-row"]


def test_an_opening_of_another_tree_is_waited_for(tmp_path: Path) -> None:
    log = grown(10, 10)
    held = log.files["index/opening/021"]
    log.files["index/opening/021"] = log.files["index/opening/010"]
    post = Post(tmp_path, log)
    status, body = post.ask(0)
    assert status == 503
    assert "is of another" in body
    assert post.kinds == []
    log.files["index/opening/021"] = held
    assert post.ask(0)[0] == 200


def test_a_lost_index_is_built_anew(tmp_path: Path) -> None:
    log = grown(600)
    post = Post(tmp_path, log)
    assert post.ask(0)[0] == 200
    shutil.rmtree(post.folder)
    old = log.size
    log.grow(5)
    assert post.ask(old)[0] == 503
    assert post.ask(old)[0] == 200
    assert post.kinds == []


def test_a_damaged_index_of_the_witness_is_no_alarm_about_the_log(tmp_path: Path) -> None:
    log = grown(600)
    post = Post(tmp_path, log)
    assert post.ask(0)[0] == 200
    for file in post.folder.rglob("0-256"):
        file.write_bytes(bytes(100))
    old = log.size
    log.grow(5)
    assert post.ask(old)[0] == 503
    assert post.ask(old)[0] == 200
    assert post.kinds == []


def test_entries_changed_after_they_were_read_are_a_fork(tmp_path: Path) -> None:
    """The log signs one tree, and once it is read in part another one, with all its tiles."""
    log = grown(299, 700)
    post = Post(tmp_path, log, patience=-1.0)
    assert post.ask(0)[0] == 503
    other = log.fork(100, "other")
    other.grow(900)
    post.transport = other.transport()
    reply = post.witness.add_checkpoint(other.request(0))
    assert (reply.status, post.kinds) == (422, ["fork"]), reply.body
    alarm = post.state.alarms()[0]
    assert log.checkpoint() in alarm.evidence
    assert other.checkpoint() in alarm.evidence
    assert post.cosigned == 0


def test_a_disk_that_is_full_is_no_alarm_about_the_log(tmp_path: Path) -> None:
    log = grown(20)
    post = Post(tmp_path, log)
    post.folder.write_text("in the way")
    with pytest.raises(LedgerError, match="index cannot be written"):
        post.ask(0)
    assert (post.kinds, post.cosigned) == ([], 0)
    post.folder.unlink()
    assert post.ask(0)[0] == 200


def test_growth_beyond_reason_is_not_taken_on(tmp_path: Path) -> None:
    log = grown(3)
    huge = sign_checkpoint(Checkpoint(ORIGIN, 1 << 62, bytes(32)), log.signer)
    post = Post(tmp_path, log)
    request = f"old 0\n\n{huge}".encode()
    assert post.witness.add_checkpoint(request).status == 503
    assert post.kinds == []
