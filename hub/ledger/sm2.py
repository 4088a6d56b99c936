"""SM2 signatures with SM3, for a note's signature of this project's own type (suite `gm`).

Plain Python on the curve that GB/T 32918.5 recommends, one addition formula without special cases.
Verifying handles nothing secret. Signing takes about as long whatever the key is, but Python
promises no constant time: keep it to a process whose timing nobody outside can observe, such as
the one that publishes checkpoints.

Source: GB/T 32918.2-2016 §6 and §7 (signing, verifying), GB/T 32918.5-2017 (curve, identity),
GB/T 32905-2016 (SM3); complete addition of Renes, Costello and Batina (2016), algorithm 4.
"""

from __future__ import annotations

import secrets
from typing import TypeAlias

from cryptography.hazmat.primitives.hashes import SM3, Hash

Point: TypeAlias = tuple[int, int, int]  # X : Y : Z, with x = X / Z and y = Y / Z

P = 0xFFFFFFFEFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF00000000FFFFFFFFFFFFFFFF
A = P - 3
B = 0x28E9FA9E9D9F5E344D5A9E4BCF6509A7F39789F515AB8F92DDBCBD414D940E93
ORDER = 0xFFFFFFFEFFFFFFFFFFFFFFFFFFFFFFFF7203DF6B21C6052B53BBF40939D54123
BASE: Point = (
    0x32C4AE2C1F1981195F9904466A39C9948FE30BBFF2660BE1715A4589334C74C7,
    0xBC3736A2F4F6779C59BDCEE36B692153D0A9877CC62A474002DF32E52139F0A0,
    1,
)
ZERO: Point = (0, 1, 0)
IDENTITY = b"1234567812345678"  # what the standard has signers use who agree on no other


class Sm2Key:
    """A private key.

    Args:
        seed: at least 32 secret random bytes; the key is made of them, always the same.
    """

    def __init__(self, seed: bytes) -> None:
        self._secret = int.from_bytes(sm3(b"mingjing/sm2-key/v1\n" + seed)) % (ORDER - 2) + 1
        self.public_key = public_key_of(self._secret)

    def sign(self, message: bytes) -> bytes:
        """Return the 64-byte signature r ‖ s of a message, another one each time."""
        digest = digest_of(self.public_key, message)
        while True:
            signature = sign_digest(self._secret, digest, secrets.randbelow(ORDER - 1) + 1)
            if signature is not None:
                return signature


def sm2_verify(public_key: bytes, message: bytes, signature: bytes) -> bool:
    """Say whether an SM2 signature is right.

    Args:
        public_key: x ‖ y, 64 bytes.
        signature: r ‖ s, 64 bytes.
    """
    point = _point(public_key)
    if point is None or len(signature) != 64:
        return False
    r, s = int.from_bytes(signature[:32]), int.from_bytes(signature[32:])
    t = (r + s) % ORDER
    if not (0 < r < ORDER and 0 < s < ORDER) or t == 0:
        return False
    x, _, z = _add(_times(s, BASE), _times(t, point))
    if z == 0:
        return False
    return (digest_of(public_key, message) + x * pow(z, -1, P) % P) % ORDER == r


def public_key_of(secret: int) -> bytes:
    """Return the public key x ‖ y of a secret number from 1 to the order less 2."""
    x, y, z = _times(secret, BASE)
    inverse = pow(z, -1, P)
    return (x * inverse % P).to_bytes(32) + (y * inverse % P).to_bytes(32)


def digest_of(public_key: bytes, message: bytes) -> int:
    """Return what is signed for a message: SM3 over the signer's Z and the message."""
    curve = b"".join(number.to_bytes(32) for number in (A, B, BASE[0], BASE[1]))
    z = sm3((len(IDENTITY) * 8).to_bytes(2) + IDENTITY + curve + public_key)
    return int.from_bytes(sm3(z + message))


def sign_digest(secret: int, digest: int, nonce: int) -> bytes | None:
    """Return r ‖ s; None for one of the few nonces that give none.

    Args:
        nonce: from 1 to the order less 1; secret, uniform and never used twice.
    """
    x, _, z = _times(nonce, BASE)
    r = (digest + x * pow(z, -1, P) % P) % ORDER
    s = pow(1 + secret, -1, ORDER) * (nonce - r * secret) % ORDER
    if r == 0 or r + nonce == ORDER or s == 0:
        return None
    return r.to_bytes(32) + s.to_bytes(32)


def sm3(data: bytes) -> bytes:
    """Return the 32-byte SM3 hash."""
    state = Hash(SM3())
    state.update(data)
    return state.finalize()


def _point(public_key: bytes) -> Point | None:
    if len(public_key) != 64:
        return None
    x, y = int.from_bytes(public_key[:32]), int.from_bytes(public_key[32:])
    if x >= P or y >= P or (y * y - (x * x * x + A * x + B)) % P:
        return None
    return x, y, 1


def _times(scalar: int, point: Point) -> Point:
    """Return a multiple, by a ladder that does the same steps for every scalar."""
    low, high = ZERO, point
    for position in reversed(range(256)):
        if scalar >> position & 1:
            low, high = _add(low, high), _add(high, high)
        else:
            low, high = _add(low, low), _add(low, high)
    return low


def _add(first: Point, second: Point) -> Point:
    x1, y1, z1 = first
    x2, y2, z2 = second
    xx, yy, zz = x1 * x2 % P, y1 * y2 % P, z1 * z2 % P
    xy, yz, xz = (x1 * y2 + x2 * y1) % P, (y1 * z2 + y2 * z1) % P, (x1 * z2 + x2 * z1) % P
    middle = 3 * (xz - B * zz)
    plus, minus = (yy + middle) % P, (yy - middle) % P
    cross = 3 * (B * xz - 3 * zz - xx) % P
    slope = 3 * (xx - zz)
    return (
        (xy * plus - yz * cross) % P,
        (plus * minus + slope * cross) % P,
        (yz * minus + xy * slope) % P,
    )
