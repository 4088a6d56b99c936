"""SM2 against the standard's example, and against everything a forger would try first."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hub.ledger.sm2 import (
    ORDER,
    P,
    Sm2Key,
    digest_of,
    public_key_of,
    sign_digest,
    sm2_verify,
    sm3,
)
from tests.hub.ledger.factories import vector

VECTOR = vector("sm2_gbt32918.json")
SECRET = int(VECTOR["secret"], 16)
PUBLIC = bytes.fromhex(VECTOR["public_key"])
MESSAGE = VECTOR["message"].encode()
SIGNATURE = bytes.fromhex(VECTOR["signature"])
R, S = int.from_bytes(SIGNATURE[:32]), int.from_bytes(SIGNATURE[32:])


def pair(r: int, s: int) -> bytes:
    return r.to_bytes(32) + s.to_bytes(32)


def test_the_standards_example() -> None:
    assert public_key_of(SECRET) == PUBLIC
    assert digest_of(PUBLIC, MESSAGE) == int(VECTOR["digest"], 16)
    assert sign_digest(SECRET, digest_of(PUBLIC, MESSAGE), int(VECTOR["nonce"], 16)) == SIGNATURE
    assert sm2_verify(PUBLIC, MESSAGE, SIGNATURE)


def test_sm3_of_the_standard() -> None:
    assert sm3(b"abc").hex() == "66c7f0f462eeedd9d1f2d46bdc10e4e24167c4875cf2f7a2297da02b8f4ba8e0"


@pytest.mark.parametrize(
    "signature",
    [
        b"",
        SIGNATURE[:63],
        SIGNATURE + b"\0",
        pair(0, S),
        pair(R, 0),
        pair(ORDER, S),
        pair(R, ORDER),
        pair(R, ORDER - R),  # r + s is the order
        pair(S, R),
        pair(R, S ^ 1),
    ],
)
def test_false_signatures(signature: bytes) -> None:
    assert not sm2_verify(PUBLIC, MESSAGE, signature)


@pytest.mark.parametrize(
    "public_key",
    [
        b"",
        b"\x04" + PUBLIC,
        bytes(64),
        pair(P, 1),
        PUBLIC[:63] + bytes([PUBLIC[63] ^ 1]),  # not on the curve
        PUBLIC[:32] + (P - int.from_bytes(PUBLIC[32:])).to_bytes(32),  # the opposite point
    ],
)
def test_false_keys(public_key: bytes) -> None:
    assert not sm2_verify(public_key, MESSAGE, SIGNATURE)


def test_a_key_is_always_the_same_and_its_signatures_never() -> None:
    key, again = Sm2Key(bytes(32)), Sm2Key(bytes(32))
    assert key.public_key == again.public_key != Sm2Key(bytes(31) + b"\1").public_key
    first, second = key.sign(b"words"), again.sign(b"words")
    assert first != second
    assert sm2_verify(key.public_key, b"words", first)
    assert sm2_verify(key.public_key, b"words", second)


@settings(deadline=None, max_examples=15)
@given(st.binary(min_size=32, max_size=32), st.binary(), st.integers(0, 511))
def test_any_key_signs_any_message_and_any_changed_bit_shows(
    seed: bytes, message: bytes, bit: int
) -> None:
    key = Sm2Key(seed)
    signature = key.sign(message)
    assert sm2_verify(key.public_key, message, signature)
    changed = (int.from_bytes(signature) ^ 1 << bit).to_bytes(64)
    assert not sm2_verify(key.public_key, message, changed)
