"""The stand-alone verifier: what it accepts, and every field made wrong in every way."""

from __future__ import annotations

import base64
import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hub.ledger import verify
from hub.ledger.entry import NO_PREVIOUS, content_of, entry_of, link_of
from hub.ledger.merkle import CompactRange, consistency_path, fold, inclusion_path, leaf_hash
from hub.ledger.note import Checkpoint, VerifierKey, sign_checkpoint, sign_note
from hub.ledger.verify import (
    FIELDS,
    ed25519_verify,
    ed25519_verify_plain,
    verify_bundle,
    verify_growth,
)
from tests.hub.ledger.factories import ORIGIN, InventedSigner, entry, open_ledger, vector
from tests.hub.ledger.test_merkle import nodes_of, proof_of

SIGNER = InventedSigner()
KEY = str(VerifierKey.of(SIGNER))
SIZE, INDEX = 13, 6


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    with open_ledger(tmp_path_factory.mktemp("ledger")) as ledger:
        ledger.append([entry(n, reason="明") for n in range(SIZE)])
        return ledger.proof_bundle(INDEX)


def committed(salt: bytes, record: bytes) -> bytes:
    """Return the entry of a record that is the first of its chain, under a tag of zeros."""
    return entry_of(bytes(32), link_of(NO_PREVIOUS, 0, content_of(salt, record)))


def encoded(data: bytes) -> str:
    return base64.b64encode(data).decode()


FIRST = {"tag": encoded(bytes(32)), "previous": encoded(NO_PREVIOUS), "number": 0}


def flipped(text: str) -> str:
    data = base64.b64decode(text)
    return encoded(bytes([data[0] ^ 1]) + data[1:])


def signed(origin: str = ORIGIN, size: int = SIZE, root: bytes = bytes(32)) -> str:
    return sign_checkpoint(Checkpoint(origin, size, root), SIGNER)


def test_a_sound_bundle_is_proven_in_plain_words(bundle: dict[str, Any]) -> None:
    verdict = verify_bundle(bundle, KEY)
    assert verdict.valid
    assert f"entry {INDEX} of the ledger {ORIGIN}" in verdict.statements[0]
    assert f"held {SIZE}" in verdict.statements[0]
    assert verdict.record is not None
    assert verdict.record["request"] == f"request-{INDEX}"


Change = Callable[[dict[str, Any]], object]
STRANGER = InventedSigner(seed="two")
WRONG: list[tuple[str, Change, str]] = [
    ("format", lambda b: "mingjing-proof-2", "format: it is not"),
    ("format", lambda b: None, "format: it is not"),
    ("origin", lambda b: "mingjing.example/other", "origin: the checkpoint is of another log"),
    ("origin", lambda b: None, "origin: the checkpoint is of another log"),
    ("index", lambda b: INDEX + 1, "inclusion: record, salt, index"),
    ("index", lambda b: INDEX - 1, "inclusion: record, salt, index"),
    ("index", lambda b: SIZE, "index: there is no entry 13 among 13"),
    ("index", lambda b: -1, "index: it is not a whole number"),
    ("index", lambda b: 1 << 200, "index: it is not a whole number"),
    ("index", lambda b: True, "index: it is not a whole number"),
    ("index", lambda b: 6.0, "index: it is not a whole number"),
    ("index", lambda b: "6", "index: it is not a whole number"),
    ("size", lambda b: SIZE + 1, "size: the checkpoint is of 13"),
    ("size", lambda b: -SIZE, "size: it is not a whole number"),
    ("size", lambda b: "13", "size: it is not a whole number"),
    ("record", lambda b: flipped(b["record"]), "inclusion: record, salt, index"),
    ("record", lambda b: "", "inclusion: record, salt, index"),
    ("record", lambda b: b["record"] + "!", "record is not base64"),
    ("record", lambda b: b["record"] + "\n", "record is not"),
    ("record", lambda b: {"event": "e"}, "record: it is not text"),
    ("salt", lambda b: flipped(b["salt"]), "inclusion: record, salt, index"),
    ("salt", lambda b: encoded(bytes(31)), "salt: it does not have 32 bytes"),
    ("salt", lambda b: b["salt"][:-2] + "x=", "salt is not"),
    ("salt", lambda b: None, "salt: it is not text"),
    ("inclusion", lambda b: [flipped(h) for h in b["inclusion"]], "inclusion: record, salt"),
    ("inclusion", lambda b: b["inclusion"][::-1], "inclusion: record, salt"),
    ("inclusion", lambda b: b["inclusion"][:-1], "inclusion: "),
    ("inclusion", lambda b: [*b["inclusion"], b["salt"]], "inclusion: "),
    ("inclusion", lambda b: [], "inclusion: it has fewer"),
    ("inclusion", lambda b: [b["salt"]] * 64, "inclusion: it has more hashes than any"),
    ("inclusion", lambda b: [*b["inclusion"][:-1], "AAAA"], "inclusion: one of its hashes"),
    ("inclusion", lambda b: [*b["inclusion"][:-1], "*"], "inclusion: a hash is not base64"),
    ("inclusion", lambda b: [*b["inclusion"][:-1], 7], "inclusion: it is not a list of texts"),
    ("inclusion", lambda b: "".join(b["inclusion"]), "inclusion: it is not a list of texts"),
    ("checkpoint", lambda b: None, "checkpoint: it is not text"),
    ("checkpoint", lambda b: "", "checkpoint: it is not a signed note"),
    ("checkpoint", lambda b: b["checkpoint"][:-1], "checkpoint: it is not a signed note"),
    ("checkpoint", lambda b: "\x00" + b["checkpoint"], "checkpoint: it is not a signed note"),
    ("checkpoint", lambda b: "\ud800" + b["checkpoint"], "checkpoint: it is not a signed note"),
    ("checkpoint", lambda b: "x" + b["checkpoint"], "is false"),
    ("checkpoint", lambda b: b["checkpoint"].replace("\n13\n", "\n14\n"), "is false"),
    ("checkpoint", lambda b: signed(), "inclusion: record, salt"),
    ("checkpoint", lambda b: signed("mingjing.example/other"), "origin: "),
    ("checkpoint", lambda b: signed(size=0), "size: the checkpoint is of 0"),
    ("checkpoint", lambda b: sign_note("words\n", (SIGNER,)), "three lines"),
    ("checkpoint", lambda b: sign_note("a\n\nb\nc\n", (SIGNER,)), "three lines"),
    ("checkpoint", lambda b: sign_note("a\n013\nb\n", (SIGNER,)), "plain decimal"),
    ("checkpoint", lambda b: sign_note("a\n13\nb\n", (SIGNER,)), "its root is not base64"),
    ("checkpoint", lambda b: sign_note("a\n13\nAAAA\n", (SIGNER,)), "root does not have 32"),
    ("checkpoint", lambda b: sign_note("a\n", (STRANGER,)), "not signed by"),
    ("checkpoint", lambda b: b["checkpoint"].replace("\u2014", "-"), "malformed"),
    ("checkpoint", lambda b: b["checkpoint"] + "\u2014 a AAAA\n", "too short"),
    ("checkpoint", lambda b: b["checkpoint"] + "\u2014 a+b AAAA\n", "malformed"),
    ("checkpoint", lambda b: b["checkpoint"] + "\u2014 a *\n", "base64"),
]


@pytest.mark.parametrize(("field", "change", "problem"), WRONG)
def test_every_field_made_wrong_is_refused_by_name(
    bundle: dict[str, Any], field: str, change: Change, problem: str
) -> None:
    verdict = verify_bundle({**bundle, field: change(bundle)}, KEY)
    assert not verdict.valid
    assert problem in verdict.statements[0]
    assert verdict.record is None


@pytest.mark.parametrize("field", FIELDS)
def test_a_missing_field_is_named(bundle: dict[str, Any], field: str) -> None:
    verdict = verify_bundle({k: v for k, v in bundle.items() if k != field}, KEY)
    assert verdict.statements == (f"{field}: missing",)


def test_a_field_too_many_is_named(bundle: dict[str, Any]) -> None:
    verdict = verify_bundle({**bundle, "note": "trust me"}, KEY)
    assert verdict.statements == ("'note': no such field in mingjing-proof-1",)


@pytest.mark.parametrize("value", [None, 1, "text", [], [{}]])
def test_what_is_no_object_is_refused(value: object) -> None:
    assert verify_bundle(value, KEY).statements == ("bundle: it is not a JSON object",)


@pytest.mark.parametrize(
    ("key", "problem"),
    [
        ("", "does not look like"),
        ("words", "does not look like"),
        (KEY.replace("example", "exa mple"), "does not look like"),
        (KEY[:-4], "not an Ed25519 key"),
        (KEY[:-1] + "*", "not base64"),
        (KEY.replace("example", "exemple"), "copied wrongly"),
        (str(VerifierKey.of(STRANGER)), "not signed by"),
        (str(VerifierKey.of(InventedSigner("mingjing.example/other"))), "not signed by"),
    ],
)
def test_a_wrong_key_is_refused(bundle: dict[str, Any], key: str, problem: str) -> None:
    verdict = verify_bundle(bundle, key)
    assert not verdict.valid
    assert problem in verdict.statements[0]


@pytest.mark.parametrize("record", [b"words", b"[]", b"\xff", b"[" * 100_000])
def test_a_record_that_was_truly_recorded_but_is_no_object_is_refused(record: bytes) -> None:
    salt = bytes(32)
    root = leaf_hash(committed(salt, record))
    lone = {
        "format": verify.FORMAT,
        "origin": ORIGIN,
        "index": 0,
        "size": 1,
        **FIRST,
        "record": encoded(record),
        "salt": encoded(salt),
        "inclusion": [],
        "checkpoint": signed(size=1, root=root),
    }
    verdict = verify_bundle(lone, KEY)
    assert not verdict.valid
    assert verdict.statements[0].startswith("record: it is not")
    more = verify_bundle({**lone, "inclusion": [encoded(salt)]}, KEY)
    assert more.statements == ("inclusion: it has more hashes than this place in the tree",)


@settings(deadline=None)
@given(st.integers(1, 70), st.data())
def test_it_agrees_with_the_ledgers_own_tree(size: int, data: st.DataObject) -> None:
    index = data.draw(st.integers(0, size - 1))
    leaves = [committed(bytes(32), b'{"n":%d}' % n) for n in range(size)]
    nodes = nodes_of(leaves)
    root = CompactRange().extended(map(leaf_hash, leaves))[0].root
    bundle = {
        "format": verify.FORMAT,
        "origin": ORIGIN,
        "index": index,
        "size": size,
        **FIRST,
        "record": encoded(b'{"n":%d}' % index),
        "salt": encoded(bytes(32)),
        "inclusion": [encoded(h) for h in proof_of(inclusion_path(index, size), nodes)],
        "checkpoint": signed(size=size, root=root),
    }
    assert verify_bundle(bundle, KEY).record == {"n": index}


@settings(deadline=None)
@given(st.integers(0, 70), st.data())
def test_growth_is_accepted_and_anything_else_is_not(new: int, data: st.DataObject) -> None:
    old = data.draw(st.integers(0, new))
    leaves = [b"%d" % n for n in range(new)]
    nodes = nodes_of(leaves)
    proof = [fold([nodes[n] for n in part]) for part in consistency_path(old, new)]
    roots = [CompactRange().extended(map(leaf_hash, leaves[:n]))[0].root for n in (old, new)]
    before, after = signed(size=old, root=roots[0]), signed(size=new, root=roots[1])
    assert verify_growth(before, after, proof, KEY).valid
    assert not verify_growth(before, after, [*proof, bytes(32)], KEY).valid
    assert not (proof and verify_growth(before, after, proof[1:], KEY).valid)
    assert not (proof and verify_growth(before, after, [*proof[:-1], bytes(32)], KEY).valid)
    assert not verify_growth(signed(size=old), after, proof, KEY).valid
    assert not verify_growth(signed("mingjing.example/other", old), after, proof, KEY).valid
    if old:
        assert not verify_growth(before, signed(size=new), proof, KEY).valid
    if old < new:
        verdict = verify_growth(after, before, proof, KEY)
        assert verdict.statements == (f"size: the log was rolled back from {new} to {old} entries",)


@pytest.mark.parametrize("check", [ed25519_verify, ed25519_verify_plain])
@pytest.mark.parametrize("case", vector("ed25519_rfc8032.json")["vectors"])
def test_published_ed25519_vectors(
    check: Callable[[bytes, bytes, bytes], bool], case: dict[str, str]
) -> None:
    key, message, signature = (
        bytes.fromhex(case[name]) for name in ("public_key", "message", "signature")
    )
    assert check(key, message, signature)
    assert not check(key, message + b"x", signature)
    assert not check(key, message, signature[:-1])
    assert not check(key[:-1], message, signature)
    for at in (0, 31, 32, 63):
        wrong = signature[:at] + bytes([signature[at] ^ 1]) + signature[at + 1 :]
        assert not check(key, message, wrong)


def test_plain_ed25519_refuses_what_is_no_point_and_no_reduced_scalar() -> None:
    signature = SIGNER.sign(b"words")
    order = 2**252 + 27742317777372353535851937790883648493
    raised = int.from_bytes(signature[32:], "little") + order
    malleable = signature[:32] + raised.to_bytes(32, "little")
    assert ed25519_verify_plain(SIGNER.public_key, b"words", signature)
    for check in (ed25519_verify, ed25519_verify_plain):
        assert not check(SIGNER.public_key, b"words", malleable)
        assert not check(b"\xff" * 32, b"words", signature)
        assert not check(b"\x02" + bytes(31), b"words", signature)


@settings(deadline=None)
@given(st.binary(max_size=40), st.binary(min_size=1, max_size=8))
def test_plain_ed25519_agrees_with_the_library(message: bytes, seed: bytes) -> None:
    signer = InventedSigner(seed=seed.hex())
    signature = signer.sign(message)
    assert ed25519_verify_plain(signer.public_key, message, signature)
    assert not ed25519_verify_plain(SIGNER.public_key, message, signature)


def run(path: Path, *arguments: str, bare: bool) -> subprocess.CompletedProcess[str]:
    flags = ["-I", "-S"] if bare else ["-I"]
    return subprocess.run(
        [sys.executable, *flags, str(path), *arguments],
        capture_output=True,
        encoding="utf-8",
        check=False,
    )


@pytest.mark.parametrize("bare", [False, True])
def test_the_file_works_alone_on_a_machine_with_nothing_but_python(
    bundle: dict[str, Any], tmp_path: Path, bare: bool
) -> None:
    alone = tmp_path / "check.py"
    shutil.copy(verify.__file__, alone)
    proof = tmp_path / "proof.json"
    proof.write_text(json.dumps(bundle), encoding="utf-8")
    done = run(alone, str(proof), "--key", KEY, bare=bare)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("PROVEN:")
    assert f'"request": "request-{INDEX}"' in done.stdout
    proof.write_text(json.dumps({**bundle, "index": 0}), encoding="utf-8")
    done = run(alone, str(proof), "--key", KEY, bare=bare)
    assert (done.returncode, done.stderr) == (1, "")
    assert done.stdout.startswith("NOT PROVEN: inclusion:")


@pytest.mark.parametrize(
    ("content", "problem"),
    [(None, "cannot be read"), (b"words", "not JSON"), (b"[" * 200_000, "not JSON")],
)
def test_a_file_that_is_no_bundle_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], content: bytes | None, problem: str
) -> None:
    proof = tmp_path / "proof.json"
    if content is not None:
        proof.write_bytes(content)
    assert verify.main([str(proof), "--key", KEY]) == 1
    assert problem in capsys.readouterr().out


def test_the_verifier_imports_nothing_of_ours() -> None:
    source = Path(verify.__file__).read_text(encoding="utf-8")
    assert "from hub" not in source
    assert "import hub" not in source
