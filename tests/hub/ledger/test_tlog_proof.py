"""Proof files: a published one, our own for every place, and every line wrong once."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hub.errors import RequestError
from hub.ledger.lines import encode64
from hub.ledger.merkle import cover, fold, inclusion_path, leaf_hash, verify_inclusion
from hub.ledger.note import Checkpoint, VerifierKey, sign_checkpoint
from hub.ledger.policy import Policy
from hub.ledger.tlog_proof import HEADER, TlogProof
from tests.hub.ledger.factories import ORIGIN, InventedSigner, vector

SIGSUM = vector("tlog_proof_sigsum.json")
SIGSUM_LEAF = leaf_hash(bytes.fromhex(SIGSUM["leaf"]))
SIGNER = InventedSigner()
KEY = VerifierKey.of(SIGNER)
LEAVES = [leaf_hash(bytes([n])) for n in range(40)]


def folded(start: int, end: int) -> bytes:
    """Return the root over leaves, by folding perfect subtrees made the slow way."""

    def perfect(first: int, last: int) -> bytes:
        if last - first == 1:
            return LEAVES[first]
        middle = (first + last) // 2
        return fold([perfect(first, middle), perfect(middle, last)])

    nodes = cover(start, end)
    return fold([perfect(n.position << n.level, (n.position + 1) << n.level) for n in nodes])


def proof_of(index: int, size: int, extra: bytes | None = None) -> TlogProof:
    hashes = tuple(
        folded(nodes[0].position << nodes[0].level, nodes[-1].last_leaf + 1)
        for nodes in inclusion_path(index, size)
    )
    note = sign_checkpoint(Checkpoint(ORIGIN, size, folded(0, size)), SIGNER)
    return TlogProof(index, hashes, note, extra)


PROOF = proof_of(11, 25, b"extra data")
TEXT = str(PROOF)
LINES = TEXT.split("\n")


def changed(number: int, line: str) -> str:
    return "\n".join([*LINES[:number], line, *LINES[number + 1 :]])


def policy(text: str) -> Policy:
    return Policy.parse(text.encode())


def test_a_published_proof_verifies_under_a_policy() -> None:
    proof = TlogProof.parse(SIGSUM["proof"])
    assert str(proof) == SIGSUM["proof"]
    asked = policy(f"log {SIGSUM['log']}\nwitness W {SIGSUM['witness']}\nquorum W\n")
    judgement = asked.require(proof.checkpoint)
    assert judgement.times == {"W": SIGSUM["time"]}
    assert judgement.checkpoint.size == 4
    assert verify_inclusion(SIGSUM_LEAF, proof.index, 4, proof.hashes, judgement.checkpoint.root)


def test_the_form_of_a_proof() -> None:
    assert LINES[:3] == [HEADER, "extra " + encode64(b"extra data"), "index 11"]
    assert LINES[3 : 3 + len(PROOF.hashes)] == [encode64(h) for h in PROOF.hashes]
    assert TEXT.endswith("\n\n" + PROOF.checkpoint)
    assert str(TlogProof(0, (), "checkpoint\n")) == f"{HEADER}\nindex 0\n\ncheckpoint\n"
    assert TlogProof.parse(f"{HEADER}\nextra \nindex 0\n\ncheckpoint\n").extra == b""


@pytest.mark.parametrize("size", [1, 2, 3, 8, 25, 40])
def test_every_place_of_a_tree(size: int) -> None:
    for index in range(size):
        proof = proof_of(index, size)
        assert TlogProof.parse(str(proof)) == proof


MALFORMED = {
    "": "no blank line",
    TEXT.replace("\n\n", "\n"): "no blank line",
    changed(0, "c2sp.org/tlog-proof@v2"): "does not begin",
    changed(0, HEADER + " "): "does not begin",
    "\n" + TEXT: "does not begin",
    changed(1, "extra ???"): "extra data is not base64",
    changed(1, "extra QQ=="[:-1]): "extra data is not base64",
    changed(1, "extra  QQ=="): "extra data is not base64",
    changed(1, "more QQ=="): "no index line",
    changed(2, "11"): "no index line",
    changed(2, "index"): "no index line",
    changed(2, "index -11"): "index is not a plain decimal",
    changed(2, "index +11"): "index is not a plain decimal",
    changed(2, "index 011"): "index is not a plain decimal",
    changed(2, "index 11 "): "index is not a plain decimal",
    changed(2, "index \u0661"): "index is not a plain decimal",
    changed(2, f"index {1 << 63}"): "index is not a plain decimal",
    changed(2, f"index {'9' * 500}"): "index is not a plain decimal",
    changed(3, "AAAA"): "hash of the proof has 3 bytes",
    changed(3, encode64(bytes(64))): "hash of the proof has 64 bytes",
    changed(3, LINES[3] + " "): "hash of the proof is not base64",
    changed(3, "\n".join(LINES[3:4] * 64)): "more hashes than any tree",
    TEXT + " " * (1 << 20): "longer than",
}


@pytest.mark.parametrize(("text", "problem"), MALFORMED.items(), ids=range(len(MALFORMED)))
def test_malformed_proofs_are_refused_by_the_line_that_is_wrong(text: str, problem: str) -> None:
    with pytest.raises(RequestError, match=problem):
        TlogProof.parse(text)


@settings(deadline=None, max_examples=200)
@given(st.text(max_size=30), st.integers(0, len(TEXT)), st.integers(0, len(TEXT)))
def test_anything_else_is_refused_and_nothing_breaks(piece: str, start: int, end: int) -> None:
    mangled = TEXT[:start] + piece + TEXT[end:]
    try:
        proof = TlogProof.parse(mangled)
    except RequestError:
        return
    assert str(proof) == mangled
