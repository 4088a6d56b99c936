"""What a witness answers: the published dialogue, every status, and never two trees."""

from __future__ import annotations

import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor, as_completed
from datetime import timedelta
from hashlib import sha256
from pathlib import Path
from threading import Barrier

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hub.errors import LedgerError
from hub.keyring import NoteSigner
from hub.ledger.merkle import EMPTY_ROOT
from hub.ledger.note import (
    Checkpoint,
    Note,
    VerifierKey,
    open_checkpoint,
    parse_signatures,
    sign_checkpoint,
    verify_note,
)
from hub.witness.state import Mode, WatchedLog, WitnessState
from hub.witness.witness import AT_ONCE, SIZE, Witness
from tests.hub.ledger.factories import CLOCK, ORIGIN, InventedSigner, vector
from tests.hub.witness.invented import SIGNERS, URL, WITNESS_KEYS, InventedLog, Post, grown

SIGSUM = vector("add_checkpoint_sigsum.json")
KEYS = [VerifierKey.of(signer) for signer in SIGNERS]


@pytest.fixture
def post(tmp_path: Path) -> Post:
    return Post(tmp_path, grown(5), Mode.CONSISTENCY)


def test_the_published_dialogue(tmp_path: Path) -> None:
    """Its statuses, but for two: see below."""
    state = WitnessState(tmp_path / "witness.sqlite", CLOCK)
    key = VerifierKey.parse(SIGSUM["log"])
    state.add_log(WatchedLog(key.name, (key,), URL, Mode.CONSISTENCY, 100))
    witness = Witness(state, SIGNERS, tmp_path / "index", CLOCK)
    for number, step in enumerate(SIGSUM["dialogue"]):
        reply = witness.add_checkpoint(step["body"].encode())
        # Its second request has a signature in another than canonical base64: malformed here.
        # Its third is for an unknown origin, for which tlog-witness has 404 by now.
        expected = {1: 400, 2: 404}.get(number, step["status"])
        assert reply.status == expected, (number, reply.body)
        if reply.status == 409:
            assert (reply.body, reply.content_type) == (f"{step['size']}\n", SIZE)
        if reply.status == 200:
            note = step["body"].split("\n\n", 1)[1] + reply.body
            assert len(verify_note(note, KEYS).signatures) == 2
    assert state.head(key.name).size == 5


def test_a_cosignature_says_when_and_verifies_with_both_keys(post: Post) -> None:
    status, body = post.ask(0)
    assert status == 200
    lines = parse_signatures(body)
    text = Note.parse(post.log.checkpoint()).text
    now = int(post.times.now().timestamp())
    assert [key.time_of(text, s.signature) for key, s in zip(KEYS, lines, strict=True)] == [now] * 2


def reply_to(post: Post, body: str) -> tuple[int, str]:
    reply = post.witness.add_checkpoint(body.encode())
    return reply.status, reply.body


def signed(size: int, root: bytes, signer: InventedSigner | None = None) -> str:
    signer = signer or InventedSigner()
    return sign_checkpoint(Checkpoint(signer.name, size, root), signer)


def test_each_refusal_has_its_status(post: Post) -> None:
    log = post.log
    note = log.checkpoint()
    stranger = InventedSigner("other.example/log")
    forger = InventedSigner(seed="two")
    false = note.replace("\n6\n", "\n7\n")
    for body, status in (
        ("", 400),
        ("old 0\n", 400),
        (f"old 00\n\n{note}", 400),
        (f"old 0\nAAAA\n\n{note}", 400),
        ("old 0\n\nwords\n", 400),
        (f"old 0\n\n{note}{note}", 400),
        (f"old 7\n\n{note}", 400),
        (f"old 0\n\n{signed(6, bytes(32), stranger)}", 404),
        (f"old 0\n\n{signed(6, bytes(32), forger)}", 403),
        (f"old 0\n\n{false}", 403),
        (f"old 1\n\n{note}", 409),
        (f"old 0\n\n{signed(0, bytes(32))}", 422),
        (log.request(3).decode().replace("old 3", "old 0"), 422),
    ):
        assert reply_to(post, body)[0] == status, body
    assert (post.cosigned, post.kinds) == (0, [])


def test_an_unknown_signature_beside_the_logs_is_ignored(post: Post) -> None:
    other = InventedSigner("other.example/log")
    note = sign_checkpoint(Checkpoint.parse(Note.parse(post.log.checkpoint()).text), other)
    both = post.log.checkpoint() + note.split("\n\n")[1]
    assert post.ask(0, both)[0] == 200


def test_an_empty_tree_can_be_cosigned(post: Post) -> None:
    assert reply_to(post, f"old 0\n\n{signed(0, EMPTY_ROOT)}")[0] == 200
    assert post.cosigned == 0
    assert post.ask(0)[0] == 200


def test_growth_and_what_does_not_follow(post: Post) -> None:
    log = post.log
    assert post.ask(0)[0] == 200
    first = log.size
    log.grow(20)
    proof = log.request(first).decode()
    for body, status in (
        (log.request(0).decode(), 409),
        (proof.replace("\n", "\n" + "A" * 43 + "=\n", 1), 422),
        ("\n".join([proof.split("\n")[0], *proof.split("\n")[2:]]), 422),
        (f"old {first}\n\n{signed(log.size, bytes(32))}", 422),
        (proof, 200),
        (proof, 409),
        (f"old {log.size}\n\n{log.checkpoint()}", 200),
        (f"old {log.size}\n{'A' * 43}=\n\n{log.checkpoint()}", 422),
        (f"old {first}\n\n{log.checkpoint(first)}", 409),
        (f"old {log.size}\n\n{log.checkpoint(first)}", 400),
    ):
        assert reply_to(post, body)[0] == status, body
    assert (post.cosigned, post.kinds) == (log.size, [])


@pytest.mark.parametrize("old", ["0", "6"])
def test_two_trees_of_one_size_are_a_fork_whatever_was_asked(post: Post, old: str) -> None:
    assert post.ask(0)[0] == 200
    other = signed(6, bytes(32))
    status, _ = reply_to(post, f"old {old}\n\n{other}")
    assert status == (422 if old == "6" else 409)
    assert post.kinds == ["fork"]
    evidence = post.state.alarms()[0].evidence
    assert other in evidence
    assert post.log.checkpoint() in evidence


@pytest.mark.parametrize("mode", list(Mode))
def test_a_log_that_lost_its_end_and_went_on_is_a_fork(tmp_path: Path, mode: Mode) -> None:
    """Restored from an old backup: its proofs are of a tree that this witness has never seen."""
    post = Post(tmp_path, grown(5), mode)
    assert post.ask(0)[0] == 200
    other = post.log.fork(3, "restored")
    other.grow(30)
    post.transport = other.transport()
    assert post.witness.add_checkpoint(other.request(0)).status == 409
    assert post.kinds == []
    assert post.witness.add_checkpoint(other.request(6)).status == 422
    assert post.kinds == ["fork"]
    evidence = post.state.alarms()[0].evidence
    assert post.log.checkpoint() in evidence
    assert other.checkpoint() in evidence


def test_a_false_proof_of_the_right_tree_is_no_alarm(post: Post) -> None:
    """Anybody can send one."""
    assert post.ask(0)[0] == 200
    post.log.grow(30)
    body = f"old 6\n{'A' * 43}=\n\n{post.log.checkpoint()}"
    assert reply_to(post, body)[0] == 422
    assert post.kinds == []


def test_the_same_fork_is_one_alarm(post: Post) -> None:
    assert post.ask(0)[0] == 200
    for _ in range(3):
        reply_to(post, f"old 6\n\n{signed(6, bytes(32))}")
    assert [alarm.times for alarm in post.state.alarms()] == [3]


def test_the_time_of_a_cosignature_never_goes_back(post: Post) -> None:
    assert post.ask(0)[0] == 200
    time = post.state.head(ORIGIN).time
    post.times.wall -= timedelta(days=400)
    old = post.log.size
    post.log.grow(1)
    assert post.ask(old)[0] == 200
    assert post.state.head(ORIGIN).time == time


def test_what_was_cosigned_can_be_read_with_its_cosignatures(post: Post) -> None:
    path = sha256(ORIGIN.encode()).hexdigest()
    assert post.witness.checkpoint(path).status == 404
    assert post.witness.checkpoint("0" * 64).status == 404
    post.ask(0)
    reply = post.witness.checkpoint(path)
    assert reply.status == 200
    assert open_checkpoint(reply.body, [post.log.key], ORIGIN).size == post.log.size
    assert len(verify_note(reply.body, KEYS).signatures) == 2


def test_of_many_requests_at_once_each_tree_is_cosigned_on_the_one_before(tmp_path: Path) -> None:
    """Two witnesses on one file, as after a second start by mistake, and eight threads."""
    log = grown(0, 0, 0, 0, 0, 0, 0, 0)
    posts = [Post(tmp_path, log, Mode.CONSISTENCY) for _ in range(2)]
    together = Barrier(8)

    def ask(number: int) -> tuple[int, int]:
        together.wait()
        size = number + 1
        return posts[number % 2].ask(0, size=size)[0], size

    with ThreadPoolExecutor(8) as pool:
        replies = list(pool.map(ask, range(8)))
    won = [size for status, size in replies if status == 200]
    assert won == [posts[0].cosigned]
    assert sorted(status for status, _ in replies)[1:] == [409] * 7


def test_of_requests_of_one_log_few_wait_at_once(tmp_path: Path) -> None:
    """Else whoever sends again what a log has signed would take every thread from other logs."""
    post = Post(tmp_path, grown(5), Mode.CONSISTENCY, patience=60.0)
    several = 2 * AT_ONCE
    with ThreadPoolExecutor(several) as pool:
        with post.witness.turn(ORIGIN):
            asked = [pool.submit(post.ask, 0) for _ in range(several)]
            done = as_completed(asked, 30.0)
            turned_away = [next(done).result() for _ in range(several - AT_ONCE)]
        replies = [future.result() for future in asked]
    assert {status for status, _ in turned_away} == {503}
    assert [status for status, _ in replies].count(503) == several - AT_ONCE
    assert post.ask(post.cosigned)[0] == 200


@settings(
    deadline=None, max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.lists(st.tuples(st.booleans(), st.integers(0, 12), st.integers(0, 12)), max_size=12))
def test_whatever_is_asked_in_whatever_order_one_history_is_cosigned(
    tmp_path_factory: pytest.TempPathFactory, steps: list[tuple[bool, int, int]]
) -> None:
    log = grown(*(0,) * 12)
    fork = log.fork(4, "fork")
    fork.grow(8)
    post = Post(tmp_path_factory.mktemp("witness"), log, Mode.CONSISTENCY)
    cosigned: list[tuple[int, bytes]] = [(0, EMPTY_ROOT)]
    for forked, old, size in steps:
        asked: InventedLog = fork if forked else log
        reply = post.witness.add_checkpoint(asked.request(old, size=size))
        if reply.status == 200:
            cosigned.append((size, asked.root(size)))
    assert cosigned == sorted(cosigned, key=lambda tree: tree[0])
    roots = dict(cosigned)
    assert all(roots[size] == root for size, root in cosigned)
    on_log = all(root == log.root(size) for size, root in cosigned)
    on_fork = all(root == fork.root(size) for size, root in cosigned)
    assert on_log or on_fork


def test_nothing_is_signed_that_could_not_be_kept(tmp_path: Path) -> None:
    def never(_: bytes) -> bytes:
        raise AssertionError("it was signed")

    signer = NoteSigner(SIGNERS[0].name, WITNESS_KEYS[0], SIGNERS[0].algorithm)
    signer.sign = never  # type: ignore[method-assign]
    post = Post(tmp_path, grown(5), Mode.CONSISTENCY, [signer])
    post.state._db.execute(
        "CREATE TRIGGER full BEFORE INSERT ON head BEGIN SELECT RAISE(ABORT, 'disk'); END"
    )
    with pytest.raises(LedgerError, match="cannot be read or written"):
        post.ask(0)
    assert post.cosigned == 0


KILLED = """
import os, signal, sys
from pathlib import Path
from hub.witness.state import Mode
from tests.hub.witness.invented import SIGNERS, Post, grown

class Dying:
    name, algorithm, public_key = SIGNERS[0].name, SIGNERS[0].algorithm, SIGNERS[0].public_key
    def sign(self, message):
        os.kill(os.getpid(), signal.SIGKILL)

Post(Path(sys.argv[1]), grown(5), Mode.CONSISTENCY, [Dying()]).ask(0)
"""


def test_a_witness_killed_before_it_answers_knows_what_it_was_about_to_sign(tmp_path: Path) -> None:
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run([sys.executable, "-c", KILLED, str(tmp_path)], env=environment)
    assert done.returncode == -9
    post = Post(tmp_path, grown(5), Mode.CONSISTENCY)
    assert post.cosigned == 6
    assert reply_to(post, f"old 0\n\n{signed(6, bytes(32))}")[0] == 409
    assert post.ask(6)[0] == 200
