"""Asking witnesses: honest ones, slow and lying ones, and a log that has lost its end."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from socket import create_server, socket
from threading import Event, Thread

import httpx
import pytest

from hub.errors import ConfigError, LedgerError, TamperDetected
from hub.keyring import Key, NoteSigner
from hub.ledger import cosigning
from hub.ledger.algorithms import COSIGNATURE, ML_DSA_44
from hub.ledger.cosigning import ANSWER_LIMIT, PolicyCosigner, cosigner_of, gather
from hub.ledger.note import (
    Checkpoint,
    Note,
    Signature,
    VerifierKey,
    sign_checkpoint,
    sign_text,
    verify_note,
)
from hub.ledger.policy import Policy
from hub.ledger.publisher import Cosigned, NoWitness
from hub.witness.state import Mode
from tests.hub.ledger.factories import ORIGIN, InventedSigner
from tests.hub.witness.invented import InventedLog, Post, grown

Answering = Callable[[httpx.Request], httpx.Response]


def signer(number: int) -> NoteSigner:
    key = Key("witness", 1, "intl", bytes([number]) * 32)
    return NoteSigner(f"w{number}.example", key, COSIGNATURE)


def policy(quorum: str, *numbers: int, log: InventedLog | None = None) -> Policy:
    lines = [f"log {log.key}"] if log else []
    for number in numbers:
        key = VerifierKey.of(signer(number))
        lines.append(f"witness W{number} {key} http://w{number}.example/ask/")
    names = " ".join(f"W{number}" for number in numbers)
    text = "\n".join([*lines, f"group all-of-them {quorum} {names}", "quorum all-of-them", ""])
    return Policy.parse(text.encode())


def honest(post: Post) -> Answering:
    """Return a witness as it answers over HTTP."""

    def answer(request: httpx.Request) -> httpx.Response:
        path = request.url.path.removeprefix("/ask/")
        if request.method == "POST":
            assert path == "add-checkpoint"
            reply = post.witness.add_checkpoint(request.content)
        else:
            reply = post.witness.checkpoint(path.removesuffix("/checkpoint"))
        return response(reply.status, reply.body, reply.content_type)

    return answer


def response(status: int, body: str | bytes, kind: str = "text/plain") -> httpx.Response:
    data = body.encode() if isinstance(body, str) else body
    return httpx.Response(status, headers={"Content-Type": kind}, stream=httpx.ByteStream(data))


def network(witnesses: Mapping[int, Answering]) -> httpx.MockTransport:
    def answer(request: httpx.Request) -> httpx.Response:
        return witnesses[int(request.url.host[1])](request)

    return httpx.MockTransport(answer)


def posts(folder: Path, log: InventedLog, *numbers: int) -> dict[int, Post]:
    found = {}
    for number in numbers:
        (folder / str(number)).mkdir()
        found[number] = Post(folder / str(number), log, Mode.CONSISTENCY, [signer(number)])
    return found


def cosigner(log: InventedLog, asked: Policy, witnesses: Mapping[int, Answering]) -> PolicyCosigner:
    return PolicyCosigner(asked, [log.key], network(witnesses))


def ask(log: InventedLog, one: PolicyCosigner) -> Cosigned:
    size = log.size
    return one.cosign(log.checkpoint(), lambda old: log.proof(old, size))


def refusing(answer: Answering, log: InventedLog | None = None) -> str:
    """Return what is said of a witness that answers so."""
    log = log or grown(5)
    cosigned = ask(log, cosigner(log, policy("any", 1), {1: answer}))
    assert not cosigned.has_quorum
    assert cosigned.note == log.checkpoint()
    return dict(cosigned.answers)["W1"]


def test_a_checkpoint_is_cosigned_by_all_and_again_as_it_grows(tmp_path: Path) -> None:
    log = grown(5)
    found = posts(tmp_path, log, 1, 2, 3)
    asked = policy("2", 1, 2, 3, log=log)
    one = cosigner(log, asked, {n: honest(post) for n, post in found.items()})
    for _ in range(3):
        cosigned = ask(log, one)
        assert cosigned.has_quorum
        assert cosigned.answers == (("W1", "cosigned"), ("W2", "cosigned"), ("W3", "cosigned"))
        assert set(asked.require(cosigned.note).times) == {"W1", "W2", "W3"}
        log.grow(7)


def test_cosignatures_are_enough_under_the_policy_that_asks_for_no_more(tmp_path: Path) -> None:
    log = grown(5)
    found = posts(tmp_path, log, 1)
    note = ask(log, cosigner(log, policy("any", 1), {1: honest(found[1])})).note
    assert cosigner(log, policy("any", 1, 2), {}).is_enough(note)
    assert not cosigner(log, policy("all", 1, 2), {}).is_enough(note)
    assert not cosigner(log, policy("any", 2), {}).is_enough(note)
    assert not cosigner(log, policy("any", 1), {}).is_enough(log.checkpoint())
    other = note.replace(log.checkpoint(), grown(6).checkpoint())  # its cosignature is false
    assert other != note
    assert not cosigner(log, policy("any", 1), {}).is_enough(other)


def test_where_a_witness_stands_is_asked_once_and_remembered(tmp_path: Path) -> None:
    log = grown(5)
    post = posts(tmp_path, log, 1)[1]
    post.ask(0)
    log.grow(5)
    requests: list[str] = []

    def counted(request: httpx.Request) -> httpx.Response:
        requests.append(request.content.decode().split("\n")[0])
        return honest(post)(request)

    one = cosigner(log, policy("any", 1), {1: counted})
    assert ask(log, one).has_quorum
    log.grow(5)
    assert ask(log, one).has_quorum
    assert requests == ["old 0", "old 6", "old 12"]


def test_a_tree_that_was_cosigned_before_a_crash_is_cosigned_again(tmp_path: Path) -> None:
    log = grown(5)
    post = posts(tmp_path, log, 1)[1]
    post.ask(0)
    assert ask(log, cosigner(log, policy("any", 1), {1: honest(post)})).has_quorum


def test_one_that_is_gone_does_not_hold_up_the_others(tmp_path: Path) -> None:
    log = grown(5)
    found = posts(tmp_path, log, 1, 3)

    def gone(request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("refused")

    witnesses = {1: honest(found[1]), 2: gone, 3: honest(found[3])}
    cosigned = ask(log, cosigner(log, policy("2", 1, 2, 3), witnesses))
    assert cosigned.has_quorum
    assert dict(cosigned.answers)["W2"] == "it cannot be reached: ConnectError"
    assert not ask(log, cosigner(log, policy("all", 1, 2, 3), witnesses)).has_quorum


def test_what_witnesses_answer_is_verified(tmp_path: Path) -> None:
    log = grown(5)
    text = Note.parse(log.checkpoint()).text
    time = 1_700_000_000

    def line(who: NoteSigner, of: str = text) -> str:
        return str(sign_text(of, who, time))

    other = str(Checkpoint(ORIGIN, 7, bytes(32)))
    key_1 = VerifierKey.of(signer(1))
    timeless = signer(1).sign(COSIGNATURE.message(key_1.name, text, 0))
    key = Key("witness", 1, "intl", bytes(32))
    for body, said in (
        (line(signer(2)), "did not sign with the key"),
        (line(NoteSigner("w1.example", key, COSIGNATURE)), "did not sign with the key"),
        (line(NoteSigner("w1.example", key, ML_DSA_44)), "did not sign with the key"),
        (line(signer(1), other), "is false"),
        (line(signer(1)) + line(signer(1), other), "is false"),
        (str(Signature(key_1.name, key_1.key_id, bytes(8) + timeless)), "or says no time"),
        ("", "no signature"),
        ("words\n", "em dash"),
        (line(signer(1))[:-1], "newline"),
        (f"\n{line(signer(1))}", "em dash"),
        (b"\xff\xfe", "not text"),
        ("a" * (ANSWER_LIMIT + 1), "too long"),
    ):
        assert said in refusing(lambda _, b=body: response(200, b), log), body
    both = line(signer(2)) + line(signer(1))
    cosigned = ask(log, cosigner(log, policy("any", 1), {1: lambda _: response(200, both)}))
    assert cosigned.has_quorum
    assert cosigned.note == log.checkpoint() + line(signer(1))
    assert verify_note(cosigned.note, [log.key, VerifierKey.of(signer(1))])


@pytest.mark.parametrize("status", [301, 400, 403, 404, 422, 500, 503])
def test_refusals_are_told(status: int) -> None:
    said = refusing(lambda _: response(status, "because \u2603\x1b[2J\n"))
    assert said.startswith(f"it answered {status}: 'because ")
    assert said.isascii()
    assert said.isprintable()


@pytest.mark.parametrize("body", ["", "six\n", "-1\n", "06\n", "6", "6\n\n", f"{1 << 63}\n"])
def test_a_conflict_that_names_no_size(body: str) -> None:
    if body == "6":  # the newline is the witness's business
        return
    assert "tree size" in refusing(lambda _: response(409, body, "text/x.tlog.size"))


def test_a_conflict_without_its_type() -> None:
    assert "without the size" in refusing(lambda _: response(409, "3\n"))


def test_a_witness_that_always_disagrees_is_asked_twice_and_left() -> None:
    assert "409" in refusing(lambda _: response(409, "3\n", "text/x.tlog.size"))


def test_a_witness_that_shows_a_larger_tree_of_this_log_stops_it(tmp_path: Path) -> None:
    """An old backup was restored, and the witness knows."""
    log = grown(5)
    old_note, old_size = log.checkpoint(), log.size
    log.grow(20)
    post = posts(tmp_path, log, 1)[1]
    post.ask(0)
    one = cosigner(log, policy("any", 1), {1: honest(post)})
    with pytest.raises(TamperDetected, match="checkpoint of 27 entries"):
        one.cosign(old_note, lambda old: log.proof(old, old_size))


@pytest.mark.parametrize("shown", ["nothing", "a stranger's", "a smaller one"])
def test_a_witness_that_only_says_so_does_not(shown: str) -> None:
    log = grown(5)
    forged = sign_checkpoint(Checkpoint(ORIGIN, 99, bytes(32)), InventedSigner(seed="two"))
    notes = {"nothing": None, "a stranger's": forged, "a smaller one": log.checkpoint()}

    def lying(request: httpx.Request) -> httpx.Response:
        if request.method == "POST":
            return response(409, "99\n", "text/x.tlog.size")
        note = notes[shown]
        return response(404, "") if note is None else response(200, note)

    assert "it says it has cosigned 99 entries, and does not show" in refusing(lying, log)


def test_a_log_that_was_restored_and_went_on_is_refused(tmp_path: Path) -> None:
    log = grown(5)
    post = posts(tmp_path, log, 1)[1]
    post.ask(0)
    other = log.fork(3, "restored")
    other.grow(30)
    cosigned = ask(other, cosigner(other, policy("any", 1), {1: honest(post)}))
    assert not cosigned.has_quorum
    assert "422" in dict(cosigned.answers)["W1"]


def test_a_ledger_that_cannot_be_read_is_not_a_witness_s_refusal(tmp_path: Path) -> None:
    log = grown(5)
    post = posts(tmp_path, log, 1)[1]
    post.ask(0)
    log.grow(5)

    def broken(old: int) -> tuple[bytes, ...]:
        raise LedgerError("the disk is gone")

    one = cosigner(log, policy("any", 1), {1: honest(post)})
    with pytest.raises(LedgerError, match="the disk is gone"):
        one.cosign(log.checkpoint(), broken)


def test_witnesses_without_an_address_are_not_asked() -> None:
    log = grown(5)
    key = VerifierKey.of(signer(1))
    asked = Policy.parse(f"witness W1 {key}\nquorum none\n".encode())
    gathered = gather(log.checkpoint(), asked, [log.key], lambda _: (), {}, network({}))
    assert (gathered.has_quorum, gathered.answers) == (True, ())


def test_the_policy_file_of_a_hub(tmp_path: Path) -> None:
    log = grown(5)
    path = tmp_path / "witness.policy"
    assert isinstance(cosigner_of(path, [log.key]), NoWitness)
    key = VerifierKey.of(signer(1))
    stranger = VerifierKey.of(InventedSigner("other.example/log"))
    for text, problem in (
        ("quorum\n", "line 1 of the policy"),
        ("", "no quorum line"),
        (f"log {stranger}\nquorum none\n", "does not name this ledger's key"),
        (f"log {log.key}\nwitness W {key}\nquorum W\n", "no address"),
    ):
        path.write_text(text)
        with pytest.raises(ConfigError, match=problem):
            cosigner_of(path, [log.key])
    path.write_text(f"log {log.key}\nwitness W {key} https://w.example\nquorum W\n")
    assert isinstance(cosigner_of(path, [log.key]), PolicyCosigner)


@contextmanager
def dripping() -> Iterator[int]:
    """Serve a port whose answers begin, and go on with one byte at a time for a minute."""
    over = Event()

    def answer(connection: socket) -> None:
        with suppress(OSError), connection:
            connection.recv(1 << 16)
            connection.sendall(b"HTTP/1.1 200 OK\r\nX: ")
            for _ in range(1200):
                connection.sendall(b"x")
                if over.wait(0.05):
                    return
            connection.sendall(b"\r\nContent-Length: 0\r\n\r\n")

    with create_server(("127.0.0.1", 0)) as server:
        Thread(target=lambda: answer(server.accept()[0]), daemon=True).start()
        try:
            yield server.getsockname()[1]
        finally:
            over.set()


def test_a_witness_that_drips_its_answer_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """No timeout of the connection ever ends it: each byte of the header begins it anew."""
    monkeypatch.setattr(cosigning, "SECONDS", 0.2)
    log = grown(3)
    key = VerifierKey.of(signer(1))
    with dripping() as port:
        named = f"witness W1 {key} http://127.0.0.1:{port}\nquorum W1\n"
        asked = Policy.parse(named.encode())
        gathered = gather(log.checkpoint(), asked, (log.key,), lambda old: log.proof(old, 4), {})
    assert [a.refusal for a in gathered.answers] == ["it did not answer in time"]
    assert not gathered.has_quorum
