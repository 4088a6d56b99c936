"""Looking at what a log shows: every way to be false has its alarm, and nothing else has one."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import httpx
import pytest

from hub.errors import NotFound, RequestError
from hub.ledger.note import Checkpoint, sign_checkpoint
from hub.witness.state import Mode, WatchedLog
from tests.hub.ledger.factories import ORIGIN, InventedSigner
from tests.hub.witness.invented import InventedLog, Post, grown

MODES = pytest.mark.parametrize("mode", list(Mode))


def watched(folder: Path, mode: Mode = Mode.FULL) -> Post:
    """Return a witness that has cosigned, and seen published, a log of 300 entries."""
    post = Post(folder, grown(299), mode)
    assert post.ask(0)[0] == 200
    post.log.publish()
    post.look()
    assert (post.kinds, post.state.seen(ORIGIN).size) == ([], 300)
    return post


def problem(post: Post) -> str:
    return post.state.seen(ORIGIN).problem


@MODES
def test_an_honest_log_raises_no_alarm(tmp_path: Path, mode: Mode) -> None:
    post = watched(tmp_path, mode)
    for count in (0, 5, 300, 1):
        old = post.log.size
        post.log.grow(count)
        post.look()  # before it is cosigned: what is shown is still the tree before
        assert post.ask(old)[0] == 200
        post.look()  # after that, and before it is published
        post.log.publish()
        post.look()
        assert (post.kinds, problem(post)) == ([], "")
        assert post.state.seen(ORIGIN).size == post.log.size


@MODES
def test_a_log_that_goes_on_without_this_witness_is_followed(tmp_path: Path, mode: Mode) -> None:
    post = watched(tmp_path, mode)
    for count in (20, 600):
        post.log.grow(count)
        post.log.publish()
        post.look()
    assert (post.kinds, problem(post)) == ([], "")
    assert post.state.seen(ORIGIN).size == post.log.size
    assert post.cosigned == 300


def test_a_log_first_seen_when_it_is_long_is_read_in_full(tmp_path: Path) -> None:
    post = Post(tmp_path, grown(299, 700))
    post.log.publish()
    post.look()
    assert (post.kinds, problem(post)) == ([], "")
    assert post.state.reading(ORIGIN).size == 1001


@MODES
def test_two_trees_of_one_size_are_a_fork(tmp_path: Path, mode: Mode) -> None:
    post = watched(tmp_path, mode)
    other = post.log.fork(200, "other")
    other.grow(99)
    post.log.publish(other.checkpoint())
    post.look()
    assert post.kinds == ["fork"]
    evidence = post.state.alarms()[0].evidence
    assert post.log.checkpoint() in evidence
    assert other.checkpoint() in evidence


@MODES
def test_a_larger_tree_that_began_otherwise_is_a_fork(tmp_path: Path, mode: Mode) -> None:
    post = watched(tmp_path, mode)
    other = post.log.fork(200, "other")
    other.grow(400)
    post.log.files = other.files
    post.log.publish(other.checkpoint())
    post.look()
    assert post.kinds == ["fork"]
    assert post.state.seen(ORIGIN).size == 300


@MODES
def test_a_published_tree_beside_the_one_that_was_cosigned_is_a_fork(
    tmp_path: Path, mode: Mode
) -> None:
    """The log has one tree cosigned, and shows everybody another, smaller one."""
    post = watched(tmp_path, mode)
    other = post.log.fork(300, "other")
    other.grow(3)
    post.log.grow(9)
    assert post.ask(300)[0] == 200
    post.log.publish(other.checkpoint())
    post.look()
    assert post.kinds == ["fork"]


@MODES
def test_an_older_tree_is_a_rollback_when_it_stays(tmp_path: Path, mode: Mode) -> None:
    post = watched(tmp_path, mode)
    post.log.grow(50)
    post.log.publish()
    post.look()
    post.log.publish(post.log.checkpoint(300))
    post.look()  # once may be a cache
    assert post.kinds == []
    post.look()
    assert post.kinds == ["rollback"]
    assert "300 entries after it has shown 351" in post.state.alarms()[0].what


def test_an_older_tree_once_is_no_alarm(tmp_path: Path) -> None:
    post = watched(tmp_path)
    new = post.log.grow(50)
    for note in (new, post.log.checkpoint(300), new, post.log.checkpoint(300), new):
        post.log.publish(note)
        post.look()
    assert (post.kinds, problem(post)) == ([], "")


def test_another_origin(tmp_path: Path) -> None:
    post = watched(tmp_path)
    stranger = InventedSigner("other.example/log")
    post.log.publish(sign_checkpoint(Checkpoint(stranger.name, 300, bytes(32)), stranger))
    post.look()
    assert post.kinds == ["wrong-origin"]


@pytest.mark.parametrize("what", ["another key", "a changed size"])
def test_a_false_signature(tmp_path: Path, what: str) -> None:
    post = watched(tmp_path)
    forged = {
        "another key": sign_checkpoint(
            Checkpoint(ORIGIN, 301, bytes(32)), InventedSigner(seed="two")
        ),
        "a changed size": post.log.checkpoint().replace("\n300\n", "\n301\n"),
    }
    post.log.publish(forged[what])
    post.look()
    assert post.kinds == ["bad-signature"]
    assert post.state.seen(ORIGIN).size == 300


@pytest.mark.parametrize("end", [0, 1, 10, 60, 100, -1])
def test_half_a_checkpoint_is_no_alarm(tmp_path: Path, end: int) -> None:
    post = watched(tmp_path)
    post.log.grow(10)
    post.log.publish()
    whole = post.log.files["checkpoint"]
    post.log.files["checkpoint"] = whole[:end]
    post.look()
    assert post.kinds == []
    assert problem(post)
    post.log.files["checkpoint"] = whole
    post.look()
    assert (post.kinds, problem(post)) == ([], "")


def test_a_checkpoint_that_is_replaced_while_it_is_read_is_read_again(tmp_path: Path) -> None:
    """The first answer is false by chance, the second is right."""
    post = watched(tmp_path)
    post.log.grow(10)
    post.log.publish()
    honest = post.log.transport()
    answers = [post.log.checkpoint().replace("\n311\n", "\n312\n")]

    def answer(request: httpx.Request) -> httpx.Response:
        if request.url.path.endswith("checkpoint") and answers:
            return httpx.Response(200, stream=httpx.ByteStream(answers.pop().encode()))
        return honest.handle_request(request)

    post.transport = httpx.MockTransport(answer)
    post.look()
    assert (post.kinds, problem(post)) == ([], "")


def test_false_tiles_of_a_new_tree(tmp_path: Path) -> None:
    post = watched(tmp_path, Mode.CONSISTENCY)
    post.log.grow(300)
    post.log.publish()
    path = "tile/1/000.p/2"
    post.log.files[path] = bytes(64)
    post.look()
    assert post.kinds == ["wrong-tile"]
    assert post.state.seen(ORIGIN).size == 300


def test_a_false_tile_below_is_no_fork(tmp_path: Path) -> None:
    """Only what leads to the signed root can prove a fork."""
    post = watched(tmp_path, Mode.CONSISTENCY)
    post.log.grow(300)
    post.log.publish()
    held = post.log.files["tile/0/001"]
    post.log.files["tile/0/001"] = bytes(32) + held[32:]
    post.look()
    assert post.kinds == ["wrong-tile"]


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("tile/entries/001", "wrong-entry"),
        ("index/001", "wrong-row"),
        ("tile/0/001", "wrong-tile"),
    ],
)
def test_a_published_tree_is_read_in_full(tmp_path: Path, path: str, kind: str) -> None:
    post = Post(tmp_path, grown(700))
    post.log.publish()
    held = post.log.files[path]
    post.log.files[path] = held[:-1] + bytes([held[-1] ^ 1])
    post.look()
    assert post.kinds == [kind]


def test_a_missing_tile_is_no_alarm(tmp_path: Path) -> None:
    post = watched(tmp_path)
    post.log.grow(300)
    post.log.publish()
    held = post.log.files.pop("tile/0/001")
    post.look()
    assert post.kinds == []
    assert "404" in problem(post)
    post.log.files["tile/0/001"] = held
    post.look()
    assert (post.kinds, problem(post)) == ([], "")


def test_a_stalled_log(tmp_path: Path) -> None:
    post = watched(tmp_path)
    for _ in range(10):
        post.look(10)
    assert post.kinds == []
    post.look(10)
    assert post.kinds == ["stalled"]
    old = post.log.size
    post.log.grow(0)
    assert post.ask(old)[0] == 200
    post.log.publish()
    post.look(10)
    assert post.kinds == []
    assert [alarm.kind.value for alarm in post.state.alarms()] == ["stalled"]
    assert post.state.alarms()[0].ended is not None


@pytest.mark.parametrize("step", [timedelta(days=400), timedelta(days=-400)])
def test_a_step_of_the_clock_makes_no_log_stalled(tmp_path: Path, step: timedelta) -> None:
    post = watched(tmp_path)
    post.look(10)
    post.times.wall += step
    post.look(10)
    assert post.kinds == []


def test_a_pause_of_the_witness_makes_no_log_stalled(tmp_path: Path) -> None:
    """And a new start does not make a stalled one fresh."""
    post = watched(tmp_path)
    post.look(60)
    later = Post(tmp_path, post.log)
    later.times.pass_(1_000_000)
    later.look(10)
    assert later.kinds == []
    later.look(60)
    assert later.kinds == ["stalled"]


def gone(request: httpx.Request) -> httpx.Response:
    raise httpx.ConnectError("refused")


def busy(request: httpx.Request) -> httpx.Response:
    return httpx.Response(503)


@pytest.mark.parametrize("answer", [gone, busy])
def test_a_server_that_does_not_answer_is_unreachable_not_false(
    tmp_path: Path, answer: Callable[[httpx.Request], httpx.Response]
) -> None:
    post = watched(tmp_path)
    honest = post.transport
    post.transport = httpx.MockTransport(answer)
    for _ in range(10):
        post.look(10)
    assert post.kinds == []
    post.look(10)
    assert post.kinds == ["unreachable"]
    post.transport = honest
    post.look(10)
    assert post.kinds == []


def test_one_log_in_trouble_does_not_hide_another(tmp_path: Path) -> None:
    post = watched(tmp_path)
    lost = InventedLog(InventedSigner("aaa.example/log"))
    post.state.add_log(
        WatchedLog(lost.key.name, (lost.key,), "http://log.example/lost/", Mode.FULL, 100)
    )
    post.log.grow(5)
    post.log.publish()
    post.look()
    assert post.state.seen("aaa.example/log").problem
    assert post.state.seen(ORIGIN).size == 306


def test_a_checkpoint_that_somebody_else_was_shown_is_compared(tmp_path: Path) -> None:
    post = watched(tmp_path)
    early = post.log.checkpoint()
    post.log.grow(50)
    assert post.ask(300)[0] == 200
    for note in (early, post.log.checkpoint()):
        assert post.watcher.compare(note)[1] is None
    other = post.log.fork(300, "other")
    other.grow(20)
    tree, wrong = post.watcher.compare(other.checkpoint())
    assert (tree.size, wrong is not None, post.kinds) == (321, True, ["fork"])
    stranger = InventedSigner("other.example/log")
    elsewhere = sign_checkpoint(Checkpoint(stranger.name, 1, bytes(32)), stranger)
    with pytest.raises(NotFound, match="no log"):
        post.watcher.compare(elsewhere)
    with pytest.raises(RequestError, match="is false"):
        post.watcher.compare(early.replace("\n300\n", "\n301\n"))


def held_back(log: InventedLog, word: str, tags: list[bytes]) -> InventedLog:
    """Return a log that goes on from another with entries of these tags, not yet closed."""
    other = log.fork(log.size, word)
    other.sizes = list(log.sizes)
    other.files = dict(log.files)
    for tag in tags:
        other.append(tag, bytes(32))
    return other


def close_over(log: InventedLog, index: bytes) -> None:
    """End a log's tree with an entry that names an index root, true or not."""
    named = {"size": log.size, "root": index.hex()}
    time = "2026-03-01T08:00:00.000Z"
    log.close({"event": "hub:index:published", "time": time, "index": named})


def show_then_ask(post: Post, shown: InventedLog, asked: InventedLog) -> tuple[int, str]:
    """Show the witness one tree, of which no cosignature is asked, and ask for one of another."""
    shown.publish()
    post.log.files.clear()
    post.log.files.update(shown.files)
    post.look()
    assert (post.kinds, post.state.seen(ORIGIN).size) == ([], shown.size)
    post.log.files.update({**asked.files, "checkpoint": shown.files["checkpoint"]})
    reply = post.witness.add_checkpoint(asked.request(post.cosigned))
    return reply.status, reply.body


def test_the_index_of_a_tree_that_was_only_shown_does_not_stand_in_for_another(
    tmp_path: Path,
) -> None:
    """Else a use could be kept out of the index of the tree that everybody else is given."""
    post = watched(tmp_path)
    shown = held_back(post.log, "shown", [b"n" * 32])
    asked = held_back(post.log, "asked", [b"u" * 32])
    index = shown.index(shown.size)
    close_over(shown, index)
    close_over(asked, index)
    status, body = show_then_ask(post, shown, asked)
    assert (status, body.split(":")[0], post.kinds) == (422, "fork", ["fork"])
    assert post.cosigned == 300


def test_entries_behind_a_tree_that_was_only_shown_are_looked_through_for_twins(
    tmp_path: Path,
) -> None:
    post = watched(tmp_path)
    shown = held_back(post.log, "shown", [b"n" * 32, b"m" * 32])
    close_over(shown, shown.index(shown.size))
    asked = held_back(post.log, "asked", [post.log.rows[5][:32], b"u" * 32, b"v" * 32])
    close_over(asked, asked.index(asked.size))
    status, body = show_then_ask(post, shown, asked)
    assert (status, body.split(":")[0], post.kinds) == (422, "fork", ["fork"])


def test_a_tree_that_was_shown_is_compared_with_one_cosigned_after(tmp_path: Path) -> None:
    """Without reading in full the cosignature is given, and the next look tells."""
    post = watched(tmp_path, Mode.CONSISTENCY)
    shown = held_back(post.log, "shown", [b"n" * 32])
    asked = held_back(post.log, "asked", [b"u" * 32])
    for log in (shown, asked):
        close_over(log, log.index(log.size))
    assert show_then_ask(post, shown, asked)[0] == 200
    post.look()
    assert post.kinds == ["fork"]


@MODES
def test_a_tree_smaller_than_one_that_was_shown_is_read_once_that_is_grown(
    tmp_path: Path, mode: Mode
) -> None:
    """A request that comes late for its tree is put off, and raises no alarm."""
    post = watched(tmp_path, mode)
    post.log.grow(3)
    late = post.log.request(300)
    post.log.grow(3)
    post.log.publish()
    post.look()
    assert post.witness.add_checkpoint(late).status == (503 if mode is Mode.FULL else 200)
    assert post.ask(post.cosigned)[0] == 200
    assert (post.kinds, post.cosigned) == ([], post.log.size)
