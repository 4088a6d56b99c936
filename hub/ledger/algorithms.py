"""The signature types of signed notes: what each signs, with what key, and how it is verified.

One table. Whoever reads a verifier key looks its type up here, and nothing else in the ledger asks
which algorithm a key is of.

    0x01  Ed25519 over the note's text
    0x04  Ed25519 over `cosignature/v1`, a time and the note's text
    0x06  ML-DSA-44 over the checkpoint's origin, size and root, a time and the cosigner's name
    0xff  own: SM2 with SM3 over the note's text (`hub.ledger.sm2`)

Source: C2SP signed-note (signature types), tlog-cosignature (both signed messages).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.mldsa import MLDSA44PublicKey

from hub.errors import RequestError
from hub.ledger.lines import NUMBER_LIMIT, decimal, decode_hash
from hub.ledger.sm2 import sm2_verify
from hub.ledger.verify import ed25519_verify

_LABEL = b"subtree/v1\n\x00"
_NAME_LIMIT = 255


@dataclass(frozen=True, slots=True)
class Algorithm:
    """One signature type.

    Attributes:
        code: what stands before the public key in a verifier key, and goes into the key id.
        title: what people call it.
        key_bytes: length of a public key.
        signature_bytes: length of a bare signature, without the time of a cosignature.
        is_cosignature: whether a 64-bit POSIX time precedes the signature and is covered by it.
        message: from key name, note text and time (0 where there is none), the bytes signed.
        verify: from public key, message and bare signature, whether the signature is right.
    """

    code: bytes
    title: str
    key_bytes: int
    signature_bytes: int
    is_cosignature: bool
    message: Callable[[str, str, int], bytes]
    verify: Callable[[bytes, bytes, bytes], bool]


def _note_text(_name: str, text: str, _time: int) -> bytes:
    return text.encode()


def _cosigned_text(_name: str, text: str, time: int) -> bytes:
    return f"cosignature/v1\ntime {time}\n{text}".encode()


def _cosigned_tree(name: str, text: str, time: int) -> bytes:
    """Return the `cosigned_message` of a checkpoint; extension lines are not part of it.

    Raises:
        RequestError: when the text is no checkpoint, or a name is longer than 255 bytes.
    """
    lines = text.split("\n")
    if len(lines) < 4:
        raise RequestError("an ML-DSA-44 cosignature is of a checkpoint only")
    return b"".join(
        (
            _LABEL,
            _prefixed(name, "the cosigner's name"),
            time.to_bytes(8),
            _prefixed(lines[0], "the checkpoint's origin"),
            (0).to_bytes(8),
            decimal(lines[1], "the checkpoint's tree size").to_bytes(8),
            decode_hash(lines[2], "the checkpoint's root hash"),
        )
    )


def _prefixed(text: str, what: str) -> bytes:
    data = text.encode()
    if not 1 <= len(data) <= _NAME_LIMIT:
        raise RequestError(f"{what} does not have 1 to {_NAME_LIMIT} bytes")
    return bytes([len(data)]) + data


def _ml_dsa_44_verify(public_key: bytes, message: bytes, signature: bytes) -> bool:
    try:
        MLDSA44PublicKey.from_public_bytes(public_key).verify(signature, message)
    except (InvalidSignature, ValueError):
        return False
    return True


ED25519: Final = Algorithm(b"\x01", "Ed25519", 32, 64, False, _note_text, ed25519_verify)
COSIGNATURE: Final = Algorithm(
    b"\x04", "Ed25519 cosignature", 32, 64, True, _cosigned_text, ed25519_verify
)
ML_DSA_44: Final = Algorithm(
    b"\x06", "ML-DSA-44 cosignature", 1312, 2420, True, _cosigned_tree, _ml_dsa_44_verify
)
SM2: Final = Algorithm(
    b"\xffmingjing/sm2-sm3/v1", "SM2 with SM3", 64, 64, False, _note_text, sm2_verify
)

ALGORITHMS: Final = (ED25519, COSIGNATURE, ML_DSA_44, SM2)


def algorithm_of(material: bytes) -> Algorithm:
    """Return the algorithm that a verifier key's material (type and public key) is of.

    Raises:
        RequestError: when the type is unknown, or the key has another length than its type's.
    """
    for algorithm in ALGORITHMS:
        if material.startswith(algorithm.code):
            if len(material) != len(algorithm.code) + algorithm.key_bytes:
                raise RequestError(
                    f"the verifier key does not hold the {algorithm.key_bytes} bytes of "
                    f"a key for {algorithm.title}"
                )
            return algorithm
    raise RequestError("the verifier key is of a signature type that is not known here")


def split_time(algorithm: Algorithm, signature: bytes) -> tuple[int, bytes] | None:
    """Return the time (0 where the type has none) and the bare signature; None when malformed."""
    time = 0
    if algorithm.is_cosignature:
        time, signature = int.from_bytes(signature[:8]), signature[8:]
    if len(signature) != algorithm.signature_bytes or time >= NUMBER_LIMIT:
        return None
    return time, signature
