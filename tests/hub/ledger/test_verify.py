"""The stand-alone verifier: what it accepts, and every field made wrong in every way."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hub.ledger import verify
from hub.ledger.verify import (
    Report,
    ed25519_verify,
    ed25519_verify_plain,
    trust_of,
    verify_file,
)
from tests.hub.ledger.factories import ORIGIN, InventedSigner, vector
from tests.hub.ledger.invented_log import LOG_KEY, WITNESS_KEYS, InventedLog, person
from tests.hub.ledger.verifier_cases import (
    OTHER_LOG,
    STRANGERS_KEY,
    Case,
    changed_fields,
    changed_proofs,
    lies,
    named_cases,
    sound,
    sound_cases,
    trust_cases,
)

SIGNER = InventedSigner()


def judged(case: Case) -> Report:
    try:
        trust = trust_of(case.keys, case.witnesses, case.quorum)
    except verify.Unusable as refusal:
        return verify.refused(refusal)
    return verify_file(case.data, trust)


def test_no_record_can_break_hide_or_turn_round_what_is_said() -> None:
    """A log that was asked for a record could else have the terminal say something else of it."""
    hostile = "x\ny\x1b[8m\x9b8m\u202e李"
    shown = r"x\ny\x1b[8m\x9b8m\u202e李"
    erased = verify.Use(1, 0, None, {"time": hostile, "by": hostile, "ground": hostile})
    recorded = verify.Use(2, 1, {"event": "\x9b8m\u202e李"})
    text = verify.describe(Report(True, proven=(hostile,), uses=(erased, recorded)))
    assert text.splitlines()[1:2] == [f"  * {shown}."]
    assert f"erased on {shown} by {shown} on the ground {shown}\n" in text
    assert r'"event": "\x9b8m\u202e李"' in text
    refusal = verify.describe(Report(False, where=hostile, why=hostile))
    assert refusal == f"没有证明 NOT PROVEN: {shown}: {shown}.\n"


def test_sound_files_are_proven() -> None:
    for case in sound_cases():
        report = judged(case)
        assert report.valid, (case.name, report.where, report.why)
        assert (report.origin, report.size) == (ORIGIN, 601)
        assert len(report.witnesses) == len(case.witnesses)


PROVEN = (
    """6 entries about you stand in the first 600 entries of the log {ORIGIN}, up to \
2026-03-01T08:10:00.000Z by the log's clock; all of them are listed here""",
    "no other entry there is of your chain: none was left out between them or after them",
    "erased among them: 1; that they stood there, and who erased them, remains",
    "you are in 2 of the 3 bulk disclosures made up to then",
    """the log showed this same state to {first} on 2026-03-01T08:00:00Z, \
{second} on 2026-03-01T08:00:00Z""",
)


def test_what_is_proven_and_what_is_not_said_is_said_in_words() -> None:
    report = judged(Case("", sound().statement))
    first, second = (key[: key.index("+") + 9] for key in WITNESS_KEYS)
    assert list(report.proven) == [
        sentence.format(ORIGIN=ORIGIN, first=first, second=second) for sentence in PROVEN
    ]
    text = verify.describe(report)
    assert "entry 100: erased on 2026-03-01T08:06:40.000Z by office-7" in text
    assert (
        "BULK DISCLOSURE at entry 40, 2026-03-01T08:00:40.000Z, of 8 persons: you are in it" in text
    )
    assert f"its fingerprint is {report.fingerprint}" in text
    assert "no witness was asked" not in text
    assert "no witness was asked" in verify.describe(judged(Case("", sound().proof, witnesses=())))
    nobody = judged(Case("", sound().nobody))
    assert nobody.proven[0].startswith("nobody looked you up in the first 600 entries of the log")


@pytest.mark.parametrize("cases", [trust_cases, named_cases, lies])
def test_what_is_wrong_is_named(cases: Callable[[], Iterator[Case]]) -> None:
    other = []
    for case in cases():
        report = judged(case)
        assert (report.uses, report.proven, report.origin) == ((), (), None)
        if report.valid or report.where != case.where or case.why not in (report.why or ""):
            other.append((case.name, report.where, report.why))
    assert other == []


def test_every_value_of_a_statement_changed_in_every_way_is_refused() -> None:
    cases = list(changed_fields())
    assert len(cases) > 3000
    assert [case.name for case in cases if judged(case).valid] == []


def test_every_byte_and_line_of_a_proof_changed_is_refused() -> None:
    cases = list(changed_proofs())
    assert len(cases) > 1500
    assert [case.name for case in cases if judged(case).valid] == []


def test_bytes_of_a_statement_changed_are_refused() -> None:
    data = sound().statement
    for at in range(0, len(data), 41):
        changed = data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :]
        assert not judged(Case("", changed)).valid, at


@settings(deadline=None, max_examples=60)
@given(st.integers(0, 70), st.data())
def test_growth_is_accepted_and_anything_else_is_not(
    tmp_path_factory: pytest.TempPathFactory, new: int, data: st.DataObject
) -> None:
    old = data.draw(st.integers(0, new))
    log = InventedLog(tmp_path_factory.mktemp("log"))
    for n in range(new):
        log.add(person(n), "officer:subject:disclosed")
    proof = log.consistency(old, new)
    before, after = log.note(old), log.note(new)

    def grown(kept: str, given: str, hashes: list[bytes]) -> Report:
        growth = json.dumps({"hashes": [value.hex() for value in hashes]})
        return verify_file(given.encode(), trust_of([LOG_KEY]), kept.encode(), growth.encode())

    report = grown(before, after, proof)
    assert report.valid, (report.where, report.why)
    assert report.grown_from == old
    assert report.proven[-1].startswith(f"the {new} entries begin with the same {old} as in")
    assert grown(before, after, [*proof, bytes(32)]).where == "growth"
    if proof:
        assert grown(before, after, proof[1:]).where == "growth"
        assert grown(before, after, [*proof[:-1], bytes(32)]).where == "growth"
    other = InventedLog(tmp_path_factory.mktemp("log"))
    for n in range(new):
        other.add(person(n), "another:subject:disclosed")
    if old:
        assert grown(other.note(old), after, proof).where == "growth"
        assert grown(before, other.note(new), proof).where == "growth"
    if old < new:
        report = grown(after, before, proof)
        assert report.why == f"the log was rolled back from {new} to {old} entries"


@pytest.mark.parametrize(
    ("kept", "growth", "where", "why"),
    [
        (None, b"{}", "growth", "belong together"),
        (b"", None, "growth", "belong together"),
        (b"words", b"{}", "kept", "this is not a checkpoint"),
        (b"\xff", b"{}", "kept", "not UTF-8"),
        (OTHER_LOG, b"{}", "kept", "is not signed by"),
        (SIGNER, b"words", "growth", "not canonical JSON"),
        (SIGNER, b"[]", "growth", "not a JSON object"),
        (SIGNER, b"{}", "growth.hashes", "missing"),
        (SIGNER, b'{"hashes":[],"more":1}', "growth", "does not belong"),
        (SIGNER, b'{"hashes":{}}', "growth", "not a list"),
        (SIGNER, b'{"hashes":["00"]}', "growth", "64 lower-case"),
        (SIGNER, b'{"hashes":[1]}', "growth", "64 lower-case"),
    ],
)
def test_a_malformed_growth_is_refused(
    tmp_path: Path, kept: bytes | InventedSigner | None, growth: bytes | None, where: str, why: str
) -> None:
    if isinstance(kept, InventedSigner):
        log = InventedLog(tmp_path, kept.name)
        log.add(person(1), "officer:subject:disclosed")
        kept = log.note().encode()
    report = verify_file(sound().checkpoint, trust_of([LOG_KEY]), kept, growth)
    assert (report.valid, report.where) == (False, where)
    assert why in (report.why or "")


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
    tmp_path: Path, bare: bool
) -> None:
    alone = tmp_path / "check.py"
    shutil.copy(verify.__file__, alone)
    file = tmp_path / "mingjing-proof-300.tlog-proof"
    file.write_bytes(sound().proof)
    witnesses = [f"--witness={key}" for key in WITNESS_KEYS]
    done = run(alone, str(file), "--key", LOG_KEY, *witnesses, bare=bare)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("已证明 PROVEN:")
    assert '"purpose": "residence.verify"' in done.stdout
    done = run(alone, str(file), "--key", LOG_KEY, "--json", bare=bare)
    assert json.loads(done.stdout)["uses"][0]["position"] == 300
    file.write_bytes(sound().statement.replace(b'"position":301', b'"position":302'))
    done = run(alone, str(file), "--key", LOG_KEY, bare=bare)
    assert (done.returncode, done.stderr) == (1, "")
    assert done.stdout.startswith("没有证明 NOT PROVEN: entries[3].inclusion:")


def test_a_kept_checkpoint_is_compared_from_the_command_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    log = InventedLog(tmp_path / "log")
    for n in range(9):
        log.add(person(n), "officer:subject:disclosed")
    files = {
        "kept": log.note(4),
        "new": log.note(9),
        "growth": json.dumps({"hashes": [value.hex() for value in log.consistency(4, 9)]}),
    }
    for name, text in files.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    kept, new, growth = (str(tmp_path / name) for name in files)
    assert verify.main([new, "--key", LOG_KEY, "--kept", kept, "--growth", growth]) == 0
    assert "begin with the same 4 as in the checkpoint you kept" in capsys.readouterr().out
    assert verify.main([kept, "--key", LOG_KEY, "--kept", new, "--growth", growth]) == 1
    assert "rolled back from 9 to 4" in capsys.readouterr().out


def test_a_file_that_cannot_be_read_is_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert verify.main([str(tmp_path / "none"), "--key", LOG_KEY]) == 2
    said = capsys.readouterr().out
    assert said.startswith("不能核验 CANNOT BE CHECKED: file: it cannot be read")
    assert verify.main([str(tmp_path / "none"), "--key", "words", "--json"]) == 2
    report = json.loads(capsys.readouterr().out)
    assert (report["where"], report["valid"], report["usable"]) == ("key", False, False)


def test_what_was_given_wrongly_is_no_refutation(tmp_path: Path) -> None:
    """A slip of the reader's must not look like a false ledger, nor a false ledger like a slip."""
    for case in trust_cases():
        assert judged(case).usable is (case.where == "checkpoint"), case.name
    for data in (b"words", b"\xff", b""):
        assert not judged(Case("", data)).usable
    trust = trust_of([LOG_KEY])
    for kept in (sound().proof, sound().statement, b"words", b"\xff"):
        report = verify_file(sound().checkpoint, trust, kept, b'{"hashes":[]}')
        assert (report.where, report.usable) == ("kept", False)
    assert verify_file(sound().checkpoint, trust, sound().proof, b"{}").why == (
        "this is not a checkpoint"
    )
    other = InventedLog(tmp_path)
    report = verify_file(sound().checkpoint, trust, other.note(0).encode(), b'{"hashes":["x"]}')
    assert (report.where, report.usable) == ("growth", True)


def test_after_a_change_of_keys_the_former_key_is_asked_for() -> None:
    new = judged(Case("", sound().proof, keys=(STRANGERS_KEY,)))
    assert (new.valid, new.usable) == (False, True)
    assert "if the ledger's key was changed, give the former one too (/ledger/keys)" in str(new.why)
    assert judged(Case("", sound().proof, keys=(STRANGERS_KEY, LOG_KEY))).valid
