"""Sealing and pseudonyms: what leaves the clear, and the keyed names that replace it.

A sealed blob says how to open it: one byte suite, two bytes key version, twelve bytes nonce, then
ciphertext and 16-byte tag. Suite `intl` is AES-256-GCM with HMAC-SHA-256, suite `gm` SM4-GCM with
HMAC-SM3. The associated data binds a blob to its place, so that it cannot be moved to another.

Files are sealed in chunks with the STREAM construction: each chunk's nonce holds its number and
whether it is the last, so that chunks cannot be reordered, dropped or cut off.

Source: NIST SP 800-38D (GCM), GB/T 32907-2016 (SM4), GB/T 32905-2016 (SM3), RFC 2104 (HMAC),
Hoang et al., "Online Authenticated-Encryption and its Nonce-Reuse Misuse-Resistance" (STREAM).
"""

from __future__ import annotations

import hashlib
import hmac
import os
import struct
from collections.abc import Callable, Iterable, Iterator
from typing import BinaryIO, Protocol

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives import hmac as c_hmac
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from hub.errors import SourceError
from hub.keyring import Key, Keyring

PSEUDONYM_BYTES = 16
CHUNK_BYTES = 1 << 20

_SUITE_BYTE = {"intl": 1, "gm": 2}
_HEADER = struct.Struct(">BH12s")
_FILE_HEADER = struct.Struct(">4sBH7s")
_MAGIC = b"MJS1"


class _Aead(Protocol):
    def encrypt(self, nonce: bytes, data: bytes, associated_data: bytes | None) -> bytes: ...
    def decrypt(self, nonce: bytes, data: bytes, associated_data: bytes | None) -> bytes: ...


class _Sm4Gcm:
    """SM4 in GCM mode with the interface of `AESGCM`; 128-bit key from the first 16 bytes."""

    def __init__(self, material: bytes) -> None:
        self._algorithm = algorithms.SM4(material[:16])

    def encrypt(self, nonce: bytes, data: bytes, associated_data: bytes | None) -> bytes:
        encryptor = Cipher(self._algorithm, modes.GCM(nonce)).encryptor()
        encryptor.authenticate_additional_data(associated_data or b"")
        return encryptor.update(data) + encryptor.finalize() + encryptor.tag

    def decrypt(self, nonce: bytes, data: bytes, associated_data: bytes | None) -> bytes:
        decryptor = Cipher(self._algorithm, modes.GCM(nonce, data[-16:])).decryptor()
        decryptor.authenticate_additional_data(associated_data or b"")
        return decryptor.update(data[:-16]) + decryptor.finalize()


def _aead(key: Key) -> _Aead:
    return AESGCM(key.material) if key.suite == "intl" else _Sm4Gcm(key.material)


class Sealer:
    """Seals and opens the blobs of one purpose; knows every key version of the keyring."""

    def __init__(self, keyring: Keyring, purpose: str) -> None:
        self._keyring = keyring
        self._purpose = purpose
        self._current = keyring.key(purpose)
        self._aeads = {self._current.version: _aead(self._current)}

    def seal(self, plain: bytes, aad: bytes) -> bytes:
        """Return the sealed blob of one value, bound to its associated data."""
        nonce = os.urandom(12)
        key = self._current
        header = _HEADER.pack(_SUITE_BYTE[key.suite], key.version, nonce)
        return header + self._aeads[key.version].encrypt(nonce, plain, aad)

    def open(self, blob: bytes, aad: bytes) -> bytes:
        """Return the plain value of a blob.

        Raises:
            KeyMissing: when the keyring lacks the version the blob names.
            SourceError: when the blob is not what was sealed there.
        """
        try:
            _, version, nonce = _HEADER.unpack_from(blob)
            return self._for(version).decrypt(nonce, blob[_HEADER.size :], aad)
        except (InvalidTag, struct.error, ValueError):
            raise SourceError(f"a sealed {self._purpose} value is damaged or misplaced") from None

    def _for(self, version: int) -> _Aead:
        aead = self._aeads.get(version)
        if aead is None:
            aead = self._aeads[version] = _aead(self._keyring.key(self._purpose, version))
        return aead


class Pseudonymiser:
    """Keyed names: HMAC truncated to 16 bytes, the same value giving the same name."""

    def __init__(self, keyring: Keyring, purpose: str) -> None:
        self._prepared = _prepared_hmac(keyring.key(purpose))

    def of(self, value: bytes | str) -> bytes:
        """Return the 16-byte pseudonym of a value."""
        return self._prepared(value.encode() if isinstance(value, str) else value)

    def many(self, values: Iterable[bytes]) -> list[bytes]:
        """Return the pseudonym of each value, in order."""
        prepared = self._prepared
        return [prepared(value) for value in values]


def _prepared_hmac(key: Key) -> Callable[[bytes], bytes]:
    """Return a function that names bytes, with the pads hashed once."""
    if key.suite == "gm":
        sm3 = c_hmac.HMAC(key.material, hashes.SM3())

        def name_gm(value: bytes) -> bytes:
            copy = sm3.copy()
            copy.update(value)
            return copy.finalize()[:PSEUDONYM_BYTES]

        return name_gm
    block = key.material.ljust(64, b"\0")
    inner = hashlib.sha256(bytes(b ^ 0x36 for b in block))
    outer = hashlib.sha256(bytes(b ^ 0x5C for b in block))

    def name(value: bytes) -> bytes:
        first = inner.copy()
        first.update(value)
        second = outer.copy()
        second.update(first.digest())
        return second.digest()[:PSEUDONYM_BYTES]

    return name


def digest_equal(left: bytes, right: bytes) -> bool:
    """Compare two digests in constant time."""
    return hmac.compare_digest(left, right)


def seal_stream(keyring: Keyring, purpose: str, reader: BinaryIO, writer: BinaryIO) -> None:
    """Seal a byte stream in chunks of 1 MiB."""
    key = keyring.key(purpose)
    prefix, aead = os.urandom(7), _aead(key)
    writer.write(_FILE_HEADER.pack(_MAGIC, _SUITE_BYTE[key.suite], key.version, prefix))
    number, chunk = 0, reader.read(CHUNK_BYTES)
    while True:
        following = reader.read(CHUNK_BYTES)
        nonce = _chunk_nonce(prefix, number, last=not following)
        writer.write(aead.encrypt(nonce, chunk, None))
        if not following:
            return
        number, chunk = number + 1, following


def open_stream(keyring: Keyring, purpose: str, reader: BinaryIO, writer: BinaryIO) -> None:
    """Write the plain bytes of a sealed stream.

    Raises:
        KeyMissing: when the keyring lacks the version the stream names.
        SourceError: when the stream is damaged or cut off; what was written is not whole.
    """
    for chunk in opened_chunks(keyring, purpose, reader):
        writer.write(chunk)


def opened_chunks(keyring: Keyring, purpose: str, reader: BinaryIO) -> Iterator[bytes]:
    """Yield the plain bytes of a sealed stream, at most 1 MiB at a time.

    Raises:
        As `open_stream`, also after some chunks.
    """
    try:
        magic, _, version, prefix = _FILE_HEADER.unpack(reader.read(_FILE_HEADER.size))
        if magic != _MAGIC:
            raise ValueError
        aead = _aead(keyring.key(purpose, version))
        number, chunk = 0, reader.read(CHUNK_BYTES + 16)
        while True:
            following = reader.read(CHUNK_BYTES + 16)
            nonce = _chunk_nonce(prefix, number, last=not following)
            yield aead.decrypt(nonce, chunk, None)
            if not following:
                return
            number, chunk = number + 1, following
    except (InvalidTag, struct.error, ValueError):
        raise SourceError("a sealed file is damaged or cut off") from None


def _chunk_nonce(prefix: bytes, number: int, *, last: bool) -> bytes:
    return prefix + struct.pack(">IB", number, last)
