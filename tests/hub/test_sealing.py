"""Sealing: what goes in comes out in its own place, and nowhere else."""

from __future__ import annotations

import hashlib
import hmac
import io
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.errors import KeyMissing, SourceError
from hub.keyring import Keyring, Suite
from hub.sealing import (
    CHUNK_BYTES,
    Pseudonymiser,
    Sealer,
    open_stream,
    seal_stream,
)


@pytest.fixture(params=["intl", "gm"])
def keyring(request: pytest.FixtureRequest, tmp_path: Path) -> Keyring:
    suite: Suite = request.param
    return Keyring.create(tmp_path / "keyring.json", suite)


def test_a_blob_opens_only_in_its_place(keyring: Keyring) -> None:
    sealer = Sealer(keyring, "row")
    blob = sealer.seal(b"plain", b"place")
    assert sealer.open(blob, b"place") == b"plain"
    assert b"plain" not in blob
    with pytest.raises(SourceError):
        sealer.open(blob, b"elsewhere")
    with pytest.raises(SourceError):
        Sealer(keyring, "document").open(blob, b"place")


def test_every_byte_of_a_blob_is_protected(keyring: Keyring) -> None:
    sealer = Sealer(keyring, "row")
    blob = sealer.seal(b"plain", b"place")
    for i in range(1, len(blob)):  # byte 0 names the suite, which the key version already fixes
        broken = bytearray(blob)
        broken[i] ^= 1
        with pytest.raises((SourceError, KeyMissing)):
            sealer.open(bytes(broken), b"place")


@pytest.mark.parametrize("blob", [b"", b"\x01", b"\x01\x00\x01" + b"0" * 12])
def test_a_short_blob_is_damaged(keyring: Keyring, blob: bytes) -> None:
    with pytest.raises(SourceError):
        Sealer(keyring, "row").open(blob, b"")


def test_rotation_leaves_older_blobs_readable(keyring: Keyring) -> None:
    before = Sealer(keyring, "row").seal(b"plain", b"")
    keyring.rotate("row")
    sealer = Sealer(keyring, "row")
    assert sealer.open(before, b"") == b"plain"
    assert sealer.open(sealer.seal(b"new", b""), b"") == b"new"


def test_a_blob_of_a_lost_key_names_the_version(keyring: Keyring, tmp_path: Path) -> None:
    copy = Keyring.open(tmp_path / "keyring.json")
    keyring.rotate("row")
    with pytest.raises(KeyMissing, match="version 2"):
        Sealer(copy, "row").open(Sealer(keyring, "row").seal(b"plain", b""), b"")


def test_pseudonyms_are_hmacs(keyring: Keyring) -> None:
    if keyring.key("identifier").suite == "gm":
        pytest.skip("the standard library has no SM3 to compare with")
    material = keyring.key("identifier").material
    expected = hmac.new(material, b"value", hashlib.sha256).digest()[:16]
    assert Pseudonymiser(keyring, "identifier").of("value") == expected


def test_pseudonyms_repeat_and_differ_by_purpose(keyring: Keyring) -> None:
    names, others = Pseudonymiser(keyring, "identifier"), Pseudonymiser(keyring, "label")
    assert names.many([b"a", b"b", b"a"]) == [names.of("a"), names.of("b"), names.of("a")]
    assert names.of("a") != others.of("a")


@pytest.mark.parametrize("size", [0, 1, CHUNK_BYTES - 1, CHUNK_BYTES, 2 * CHUNK_BYTES + 5])
def test_streams_of_every_length_come_back(keyring: Keyring, size: int) -> None:
    plain = bytes(range(256)) * (size // 256 + 1)
    sealed = _sealed(keyring, plain[:size])
    out = io.BytesIO()
    open_stream(keyring, "landing", io.BytesIO(sealed), out)
    assert out.getvalue() == plain[:size]


def test_a_cut_or_reordered_stream_is_refused(keyring: Keyring) -> None:
    sealed = _sealed(keyring, b"x" * (3 * CHUNK_BYTES))
    head, chunk = 14, CHUNK_BYTES + 16
    first, second = sealed[head : head + chunk], sealed[head + chunk : head + 2 * chunk]
    for broken in (
        sealed[: head + 2 * chunk],  # the last chunk is gone
        sealed[:-1],
        sealed[:head] + second + first + sealed[head + 2 * chunk :],
        b"",
        b"MJS9" + sealed[4:],
    ):
        with pytest.raises(SourceError):
            open_stream(keyring, "landing", io.BytesIO(broken), io.BytesIO())


@given(plain=st.binary(max_size=200), aad=st.binary(max_size=40))
def test_any_value_seals(
    tmp_path_factory: pytest.TempPathFactory, plain: bytes, aad: bytes
) -> None:
    folder = tmp_path_factory.getbasetemp() / "sealing"
    path = folder / "keyring.json"
    ring = Keyring.open(path) if path.exists() else Keyring.create(path)
    sealer = Sealer(ring, "row")
    assert sealer.open(sealer.seal(plain, aad), aad) == plain


def _sealed(keyring: Keyring, plain: bytes) -> bytes:
    out = io.BytesIO()
    seal_stream(keyring, "landing", io.BytesIO(plain), out)
    return out.getvalue()
