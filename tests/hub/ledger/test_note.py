"""Signed notes and checkpoints: the published examples, and every rule broken once."""

from __future__ import annotations

import base64

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hub.errors import RequestError
from hub.ledger.note import (
    Checkpoint,
    Note,
    VerifierKey,
    open_checkpoint,
    sign_checkpoint,
    sign_note,
    verify_note,
)
from tests.hub.ledger.factories import ORIGIN, InventedSigner, vector

VECTORS = vector("signed_note.json")
SIGNER = InventedSigner()
KEY = VerifierKey.of(SIGNER)
NOTE = sign_note("words\n", (SIGNER,))
ROOT = "CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I="


@pytest.mark.parametrize("case", VECTORS["notes"])
def test_published_notes_verify(case: dict[str, str]) -> None:
    key = VerifierKey.parse(case["vkey"])
    assert str(key) == case["vkey"]
    note = verify_note(case["note"], [key])
    assert note.text == case["text"]
    assert str(note) == case["note"]


@pytest.mark.parametrize("case", VECTORS["notes"])
def test_a_published_note_with_another_text_is_refused(case: dict[str, str]) -> None:
    with pytest.raises(RequestError, match="is false"):
        verify_note("More. " + case["note"], [VerifierKey.parse(case["vkey"])])


def test_published_checkpoint_reads_and_writes_the_same() -> None:
    published = VECTORS["checkpoint"]
    note = Note.parse(published["note"])
    checkpoint = Checkpoint.parse(note.text)
    assert (checkpoint.origin, checkpoint.size) == (published["origin"], published["size"])
    assert checkpoint.root.hex() == published["root"]
    assert str(checkpoint) == note.text
    assert str(note) == published["note"]


def test_signing_and_verifying() -> None:
    assert verify_note(NOTE, [KEY]).text == "words\n"
    assert VerifierKey.parse(str(KEY)) == KEY


def test_a_text_may_hold_blank_lines() -> None:
    text = "first\n\n\nlast\n"
    assert verify_note(sign_note(text, (SIGNER,)), [KEY]).text == text


def test_unknown_signatures_are_ignored_known_false_ones_are_not() -> None:
    other = InventedSigner("example.com/other", "two")
    both = sign_note("words\n", (other, SIGNER))
    assert [s.name for s in verify_note(both, [KEY]).signatures] == [ORIGIN]
    with pytest.raises(RequestError, match="not signed by any known key"):
        verify_note(sign_note("words\n", (other,)), [KEY])
    parsed = Note.parse(both)
    forged = str(Note("other words\n", parsed.signatures))
    with pytest.raises(RequestError, match="is false"):
        verify_note(forged, [KEY])


def test_the_same_name_with_another_key_is_unknown() -> None:
    with pytest.raises(RequestError, match="not signed by any known key"):
        verify_note(sign_note("words\n", (InventedSigner(seed="two"),)), [KEY])


def test_sixteen_signatures_are_accepted_and_a_thousand_are_not() -> None:
    signers = [InventedSigner(f"example.com/{n}", str(n)) for n in range(15)]
    many = sign_note("words\n", (*signers, SIGNER))
    assert verify_note(many, [KEY]).text == "words\n"
    with pytest.raises(RequestError, match="more than 100"):
        Note.parse(NOTE + str(Note.parse(NOTE).signatures[0]) * 1000)


LINE = NOTE.split("\n")[2]
MALFORMED_NOTES = {
    "": "end in a newline",
    "words": "end in a newline",
    NOTE[:-1]: "end in a newline",
    "words\n": "no blank line",
    "words\n\n": "no signature",
    f"words\n{LINE}\n": "no blank line",
    f"words\n\n{LINE[2:]}\n": "em dash",
    f"words\n\n-{LINE[1:]}\n": "em dash",
    "words\n\n\u2014 \n": "key name is empty",
    f"words\n\n\u2014 {ORIGIN}\n": "has no signature",
    f"words\n\n\u2014 a+b {LINE.split()[2]}\n": "plus sign",
    f"words\n\n\u2014 a\u3000b {LINE.split()[2]}\n": "white space",
    f"words\n\n\u2014 {ORIGIN} ????\n": "not base64",
    f"words\n\n\u2014 {ORIGIN} AAAA\n": "too short",
    f"words\n\n\u2014 {ORIGIN} AAAAAAB=\n": "canonical",
    f"words\n\n{LINE} more\n": "base64",
    f"words\r\n\n{LINE}\n": "control character",
    f"wo\trds\n\n{LINE}\n": "control character",
    f"wo\ud800rds\n\n{LINE}\n": "UTF-8",
}


@pytest.mark.parametrize(("note", "problem"), MALFORMED_NOTES.items())
def test_malformed_notes_are_refused_by_the_rule_they_break(note: str, problem: str) -> None:
    with pytest.raises(RequestError, match=problem):
        Note.parse(note)


MALFORMED_CHECKPOINTS = {
    f"log\n1\n{ROOT}": "newline",
    "log\n1\n": "fewer than three",
    f"\n1\n{ROOT}\n": "line 1 .* empty",
    f"log\n\n{ROOT}\n": "line 2 .* empty",
    f"log\n1\n{ROOT}\n\n": "line 4 .* empty",
    f"log\n01\n{ROOT}\n": "tree size",
    f"log\n-1\n{ROOT}\n": "tree size",
    f"log\n+1\n{ROOT}\n": "tree size",
    f"log\n1.0\n{ROOT}\n": "tree size",
    f"log\n\u0661\n{ROOT}\n": "tree size",
    f"log\n{1 << 63}\n{ROOT}\n": "tree size",
    f"log\n{'9' * 40}\n{ROOT}\n": "tree size",
    "log\n1\nAAAA\n": "has 3 bytes",
    f"log\n1\n{ROOT[:-1]}\n": "not base64",
    f"log\n1\n{ROOT[:-2]}J=\n": "canonical",
    f"log\n1\n {ROOT}\n": "not base64",
}


@pytest.mark.parametrize(("text", "problem"), MALFORMED_CHECKPOINTS.items())
def test_malformed_checkpoints_are_refused_by_the_line_that_is_wrong(
    text: str, problem: str
) -> None:
    with pytest.raises(RequestError, match=problem):
        Checkpoint.parse(text)


def test_extension_lines_are_kept() -> None:
    text = f"log\n0\n{ROOT}\nmore\nand more\n"
    assert Checkpoint.parse(text).extensions == ("more", "and more")
    assert str(Checkpoint.parse(text)) == text


def test_another_logs_checkpoint_is_refused() -> None:
    note = sign_checkpoint(Checkpoint("example.com/other", 1, bytes(32)), SIGNER)
    with pytest.raises(RequestError, match=r"of log 'example\.com/other'"):
        open_checkpoint(note, [KEY], ORIGIN)


def test_malformed_keys_are_refused() -> None:
    name, key_id, material = str(KEY).split("+", 2)
    ecdsa = base64.b64encode(b"\x02" + KEY.public_key).decode()
    for text, problem in {
        "": "empty",
        name: "canonical|hexadecimal|base64",
        f"+{key_id}+{material}": "empty",
        f"a b+{key_id}+{material}": "white space",
        f"{name}+{key_id.upper()}x+{material}": "hexadecimal",
        f"{name}+00000000+{material}": "its|id is",
        f"{name}+{key_id}+{material[:-4]}": "Ed25519",
        f"{name}+{key_id}+{ecdsa}": "type that is not known",
        f"{name}+{key_id}+???": "base64",
    }.items():
        with pytest.raises(RequestError, match=problem):
            VerifierKey.parse(text)


def test_what_cannot_be_a_note_is_not_signed() -> None:
    with pytest.raises(RequestError, match="newline"):
        sign_note("words", (SIGNER,))
    with pytest.raises(RequestError, match="control"):
        sign_note("wo\x00rds\n", (SIGNER,))
    with pytest.raises(RequestError, match="white space"):
        sign_note("words\n", (InventedSigner("a b"),))


@settings(deadline=None)
@given(st.text(), st.integers(0, len(NOTE)), st.integers(0, len(NOTE)))
def test_anything_else_is_refused_and_nothing_breaks(piece: str, start: int, end: int) -> None:
    mangled = NOTE[:start] + piece + NOTE[end:]
    try:
        text = verify_note(mangled, [KEY]).text
    except RequestError:
        return
    assert text == "words\n"
