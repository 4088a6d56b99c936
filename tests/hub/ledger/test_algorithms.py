"""Every signature type: the bytes it signs, a published cosignature, and what is refused."""

from __future__ import annotations

import pytest

from hub.errors import RequestError
from hub.keyring import Key, NoteSigner
from hub.ledger.algorithms import (
    ALGORITHMS,
    COSIGNATURE,
    ED25519,
    ML_DSA_44,
    SM2,
    Algorithm,
)
from hub.ledger.lines import NUMBER_LIMIT, encode64
from hub.ledger.merkle import EMPTY_ROOT
from hub.ledger.note import (
    Checkpoint,
    Note,
    Signature,
    VerifierKey,
    open_checkpoint,
    parse_signatures,
    sign_checkpoint,
    sign_note,
    sign_text,
    verify_note,
)
from hub.ledger.tlog_proof import TlogProof
from tests.hub.ledger.factories import ORIGIN, vector

SIGSUM = vector("tlog_proof_sigsum.json")
ROOT = bytes(range(32))
TEXT = str(Checkpoint("example.com/log", 1234, ROOT))
TIME = 1679315147
TITLES = [algorithm.title for algorithm in ALGORITHMS]


def signer(algorithm: Algorithm, name: str = "witness.example/w1", seed: int = 7) -> NoteSigner:
    return NoteSigner(name, Key("ledger", 1, "intl", bytes([seed]) * 32), algorithm)


def test_the_cosignature_of_a_published_proof_verifies() -> None:
    witness = VerifierKey.parse(SIGSUM["witness"])
    assert witness.algorithm is COSIGNATURE
    note = verify_note(TlogProof.parse(SIGSUM["proof"]).checkpoint, [witness])
    assert witness.time_of(note.text, note.signatures[0].signature) == SIGSUM["time"]


def test_what_an_ed25519_cosignature_signs() -> None:
    """The example of tlog-cosignature."""
    text = "example.com/behind-the-sofa\n20852163\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n"
    assert COSIGNATURE.message("any", text, TIME) == (
        b"cosignature/v1\ntime 1679315147\nexample.com/behind-the-sofa\n20852163\n"
        b"CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n"
    )


def test_what_an_ml_dsa_cosignature_signs() -> None:
    """Byte for byte the `cosigned_message` of tlog-cosignature, without extension lines."""
    expected = bytes.fromhex(
        "737562747265652f76310a00"  # "subtree/v1\n\0"
        "12" + b"witness.example/w1".hex() + "00000000641850cb"
        "0f" + b"example.com/log".hex() + "0000000000000000"
        "00000000000004d2" + ROOT.hex()
    )
    assert ML_DSA_44.message("witness.example/w1", TEXT, TIME) == expected
    assert ML_DSA_44.message("witness.example/w1", TEXT + "more\n", TIME) == expected


@pytest.mark.parametrize(
    ("name", "text", "problem"),
    [
        ("w" * 256, TEXT, "cosigner's name does not have 1 to 255"),
        ("", TEXT, "cosigner's name does not have 1 to 255"),
        ("w", f"{'o' * 256}\n1\n{encode64(ROOT)}\n", "origin does not have 1 to 255"),
        ("w", f"o\n-1\n{encode64(ROOT)}\n", "tree size"),
        ("w", "o\n1\nAAAA\n", "root hash has 3 bytes"),
        ("w", "words\n", "of a checkpoint only"),
    ],
)
def test_what_ml_dsa_cannot_cosign(name: str, text: str, problem: str) -> None:
    with pytest.raises(RequestError, match=problem):
        ML_DSA_44.message(name, text, TIME)


@pytest.mark.parametrize("algorithm", ALGORITHMS, ids=TITLES)
def test_a_key_of_every_type_signs_and_its_verifier_key_reads_back(algorithm: Algorithm) -> None:
    private = signer(algorithm)
    key = VerifierKey.parse(str(VerifierKey.of(private)))
    assert key == VerifierKey.of(private)
    assert len(private.public_key) == algorithm.key_bytes
    note = Note.parse(sign_note(TEXT, (private,), TIME))
    time = key.time_of(TEXT, note.signatures[0].signature)
    assert time == (TIME if algorithm.is_cosignature else 0)
    assert verify_note(str(note), [key]) == note


@pytest.mark.parametrize("algorithm", ALGORITHMS, ids=TITLES)
def test_a_signature_of_every_type_holds_for_nothing_else(algorithm: Algorithm) -> None:
    private = signer(algorithm)
    key = VerifierKey.of(private)
    good = sign_text(TEXT, private, TIME).signature
    other_text = str(Checkpoint("example.com/log", 1235, ROOT))
    other_key = VerifierKey.of(signer(algorithm, seed=8))
    assert key.time_of(other_text, good) is None
    assert key.time_of("words\n", good) is None
    assert other_key.time_of(TEXT, good) is None
    for bad in (b"", good[:-1], good + b"\0", bytes([good[0] ^ 1]) + good[1:], bytes(len(good))):
        assert key.time_of(TEXT, bad) is None
    with pytest.raises(RequestError, match="is false"):
        verify_note(str(Note(other_text, (Signature(key.name, key.key_id, good),))), [key])


def test_ml_dsa_signs_the_cosigners_name_too() -> None:
    private = signer(ML_DSA_44)
    good = sign_text(TEXT, private, TIME).signature
    assert VerifierKey("other", private.public_key, ML_DSA_44).time_of(TEXT, good) is None


def test_one_key_under_two_types_has_two_ids_and_neither_signs_for_the_other() -> None:
    plain, cosigning = signer(ED25519), signer(COSIGNATURE)
    assert plain.public_key == cosigning.public_key
    keys = VerifierKey.of(plain), VerifierKey.of(cosigning)
    assert keys[0].key_id != keys[1].key_id
    assert keys[0].time_of(TEXT, sign_text(TEXT, cosigning, TIME).signature[8:]) is None
    stamp = TIME.to_bytes(8)
    assert keys[1].time_of(TEXT, stamp + sign_text(TEXT, plain).signature) is None


def test_a_time_of_2_to_the_63_is_refused_however_well_signed() -> None:
    private = signer(COSIGNATURE)
    bare = private.sign(COSIGNATURE.message(private.name, TEXT, NUMBER_LIMIT))
    signature = NUMBER_LIMIT.to_bytes(8) + bare
    assert VerifierKey.of(private).time_of(TEXT, signature) is None


@pytest.mark.parametrize("time", [0, -1, NUMBER_LIMIT])
def test_nothing_is_cosigned_without_a_time(time: int) -> None:
    with pytest.raises(RequestError, match="needs the time"):
        sign_text(TEXT, signer(COSIGNATURE), time)


def test_a_checkpoint_may_carry_ed25519_and_sm2() -> None:
    both = signer(ED25519, ORIGIN), signer(SM2, ORIGIN, seed=9)
    keys = [VerifierKey.of(private) for private in both]
    note = sign_checkpoint(Checkpoint(ORIGIN, 3, ROOT), *both)
    assert len(verify_note(note, keys).signatures) == 2
    for key in keys:
        assert open_checkpoint(note, [key], ORIGIN).size == 3


def test_an_empty_tree_has_the_empty_root_or_is_refused() -> None:
    private = signer(ED25519, ORIGIN)
    keys = [VerifierKey.of(private)]
    good = sign_checkpoint(Checkpoint(ORIGIN, 0, EMPTY_ROOT), private)
    assert open_checkpoint(good, keys, ORIGIN).size == 0
    with pytest.raises(RequestError, match="empty tree"):
        open_checkpoint(sign_checkpoint(Checkpoint(ORIGIN, 0, ROOT), private), keys, ORIGIN)


@pytest.mark.parametrize("code", [0x02, 0x03, 0x05, 0xFA])
def test_types_that_are_not_ours_are_named_as_unknown(code: int) -> None:
    material = encode64(bytes([code]) + bytes(32))
    with pytest.raises(RequestError, match="not known here"):
        VerifierKey.parse(f"name+00000000+{material}")


@pytest.mark.parametrize("algorithm", ALGORITHMS, ids=TITLES)
def test_a_key_of_the_wrong_length_is_refused(algorithm: Algorithm) -> None:
    material = encode64(algorithm.code + bytes(algorithm.key_bytes - 1))
    with pytest.raises(RequestError, match=f"{algorithm.key_bytes} bytes of a key"):
        VerifierKey.parse(f"name+00000000+{material}")


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "no signature"),
        ("\u2014 name AAAAAAA=", "end in a newline"),
        ("\n\u2014 name AAAAAAA=\n", "em dash"),
        ("words\n\n\u2014 name AAAAAAA=\n", "em dash"),
    ],
)
def test_signature_lines_alone_hold_nothing_else(text: str, problem: str) -> None:
    """What a witness answers is put after a note: it must not be able to end the text elsewhere."""
    with pytest.raises(RequestError, match=problem):
        parse_signatures(text)
