"""Signed notes and checkpoints: the text a log signs, and nothing else.

Pure but for the signer that is handed in. A note is refused whole at the first rule it breaks, with
the rule named; base64 is accepted only in its one canonical spelling.

Source: C2SP signed-note v1 and tlog-checkpoint v1.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Protocol

from hub.errors import RequestError
from hub.ledger.merkle import HASH_BYTES
from hub.ledger.verify import ed25519_verify

ED25519 = 0x01
SIZE_LIMIT = 1 << 63
SIGNATURE_LIMIT = 100  # C2SP: a limit SHOULD exist and MUST NOT be below 16

_DECIMAL = re.compile(r"0|[1-9][0-9]{0,18}")
_KEY_ID = re.compile(r"[0-9a-f]{8}")
_CONTROL = re.compile(r"[\x00-\x09\x0b-\x1f]")
_SIGNATURE_MARK = "\u2014 "


class Signer(Protocol):
    """Holds a private Ed25519 key and the public name it signs under."""

    @property
    def name(self) -> str:
        """Key name; no white space, no plus sign."""
        ...

    @property
    def public_key(self) -> bytes:
        """The 32 bytes of the public key."""
        ...

    def sign(self, message: bytes, /) -> bytes:
        """Return the 64-byte signature of a message."""
        ...


@dataclass(frozen=True, slots=True)
class VerifierKey:
    """A public Ed25519 key under a name, as its holders publish it (a `vkey`)."""

    name: str
    public_key: bytes

    @classmethod
    def of(cls, signer: Signer) -> VerifierKey:
        """Return the public half of a signer."""
        return cls(signer.name, signer.public_key)

    @classmethod
    def parse(cls, text: str) -> VerifierKey:
        """Read `NAME+KEYID+BASE64`.

        Raises:
            RequestError: when a part is malformed, of another algorithm, or the id does not fit.
        """
        name, _, rest = text.partition("+")
        key_id, _, encoded = rest.partition("+")
        _check_name(name)
        material = _decode(encoded, "the verifier key")
        if not _KEY_ID.fullmatch(key_id):
            raise RequestError("the verifier key's id is not eight lower-case hexadecimal digits")
        if len(material) != 33 or material[0] != ED25519:
            raise RequestError("the verifier key is not an Ed25519 key")
        key = cls(name, material[1:])
        if key.key_id.hex() != key_id:
            raise RequestError(f"the verifier key's id is {key.key_id.hex()}, not {key_id}")
        return key

    @property
    def key_id(self) -> bytes:
        """First four bytes of SHA-256(name, newline, algorithm, key)."""
        material = self.name.encode() + b"\n" + bytes([ED25519]) + self.public_key
        return sha256(material).digest()[:4]

    def __str__(self) -> str:
        return f"{self.name}+{self.key_id.hex()}+{_encode(bytes([ED25519]) + self.public_key)}"


@dataclass(frozen=True, slots=True)
class Signature:
    """One signature line: who, with which key, and the raw signature."""

    name: str
    key_id: bytes
    signature: bytes

    def __str__(self) -> str:
        return f"{_SIGNATURE_MARK}{self.name} {_encode(self.key_id + self.signature)}\n"


@dataclass(frozen=True, slots=True)
class Note:
    """A text that ends in a newline, and its signatures. Worth nothing until verified."""

    text: str
    signatures: tuple[Signature, ...]

    @classmethod
    def parse(cls, note: str) -> Note:
        """Read a signed note without verifying it.

        Raises:
            RequestError: names the rule of the format that is broken.
        """
        _check_text(note)
        end = note.rfind("\n\n")
        if end < 0:
            raise RequestError("the note has no blank line between text and signatures")
        lines = note[end + 2 :].split("\n")[:-1]
        if not lines:
            raise RequestError("the note has no signature")
        if len(lines) > SIGNATURE_LIMIT:
            raise RequestError(f"the note has more than {SIGNATURE_LIMIT} signatures")
        return cls(note[: end + 1], tuple(_signature(line) for line in lines))

    def __str__(self) -> str:
        return self.text + "\n" + "".join(map(str, self.signatures))


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """What a log says of its tree: origin, number of leaves, 32-byte root, further lines."""

    origin: str
    size: int
    root: bytes
    extensions: tuple[str, ...] = ()

    @classmethod
    def parse(cls, text: str) -> Checkpoint:
        """Read a checkpoint's text (a note's text, without signatures).

        Raises:
            RequestError: names the line that does not fit.
        """
        if not text.endswith("\n"):
            raise RequestError("the checkpoint does not end in a newline")
        lines = text[:-1].split("\n")
        if len(lines) < 3:
            raise RequestError("the checkpoint has fewer than three lines")
        if "" in lines:
            raise RequestError(f"line {lines.index('') + 1} of the checkpoint is empty")
        if not _DECIMAL.fullmatch(lines[1]) or int(lines[1]) >= SIZE_LIMIT:
            raise RequestError("the checkpoint's tree size is not a plain decimal below 2^63")
        root = _decode(lines[2], "the checkpoint's root hash")
        if len(root) != HASH_BYTES:
            raise RequestError(f"the checkpoint's root hash has {len(root)} bytes, not 32")
        return cls(lines[0], int(lines[1]), root, tuple(lines[3:]))

    def __str__(self) -> str:
        lines = (self.origin, str(self.size), _encode(self.root), *self.extensions)
        return "".join(f"{line}\n" for line in lines)


def sign_note(text: str, signers: Sequence[Signer]) -> str:
    """Return the text as a note, signed by each signer in turn.

    Raises:
        RequestError: when the text does not end in a newline or holds control characters, or a
            signer's name does not fit.
    """
    _check_text(text)
    signatures = []
    for signer in signers:
        _check_name(signer.name)
        key_id = VerifierKey.of(signer).key_id
        signatures.append(Signature(signer.name, key_id, signer.sign(text.encode())))
    return str(Note(text, tuple(signatures)))


def verify_note(note: str, keys: Sequence[VerifierKey]) -> Note:
    """Return a note with only the signatures of known keys, each of them verified.

    Signatures of unknown keys are ignored, as the format demands; one false signature under a
    known key refuses the whole note.

    Raises:
        RequestError: when malformed, falsely signed, or signed by no known key.
    """
    parsed = Note.parse(note)
    known = {(key.name, key.key_id): key for key in keys}
    verified = []
    for signature in parsed.signatures:
        key = known.get((signature.name, signature.key_id))
        if key is None:
            continue
        if not ed25519_verify(key.public_key, parsed.text.encode(), signature.signature):
            raise RequestError(f"the signature of {key.name}+{key.key_id.hex()} is false")
        verified.append(signature)
    if not verified:
        raise RequestError("the note is not signed by any known key")
    return Note(parsed.text, tuple(verified))


def sign_checkpoint(checkpoint: Checkpoint, signer: Signer) -> str:
    """Return the checkpoint as a signed note."""
    return sign_note(str(checkpoint), (signer,))


def open_checkpoint(note: str, keys: Sequence[VerifierKey], origin: str) -> Checkpoint:
    """Return the checkpoint of a note signed by a known key for this origin.

    Raises:
        RequestError: when the note is refused, no checkpoint, or another log's.
    """
    checkpoint = Checkpoint.parse(verify_note(note, keys).text)
    if checkpoint.origin != origin:
        raise RequestError(f"the checkpoint is of log {checkpoint.origin!r}, not {origin!r}")
    return checkpoint


def _signature(line: str) -> Signature:
    if not line.startswith(_SIGNATURE_MARK):
        raise RequestError("a signature line does not begin with an em dash and a space")
    name, separator, encoded = line[len(_SIGNATURE_MARK) :].partition(" ")
    _check_name(name)
    if not separator:
        raise RequestError("a signature line has no signature")
    material = _decode(encoded, "a signature")
    if len(material) < 5:
        raise RequestError("a signature is too short to hold a key id and a signature")
    return Signature(name, material[:4], material[4:])


def _check_name(name: str) -> None:
    if not name:
        raise RequestError("a key name is empty")
    if "+" in name or any(character.isspace() for character in name):
        raise RequestError("a key name holds white space or a plus sign")


def _check_text(text: str) -> None:
    if not text.endswith("\n"):
        raise RequestError("the note does not end in a newline")
    if _CONTROL.search(text):
        raise RequestError("the note holds a control character other than newline")
    try:
        text.encode()
    except UnicodeEncodeError:
        raise RequestError("the note is not valid UTF-8") from None


def _encode(data: bytes) -> str:
    return base64.b64encode(data).decode()


def _decode(text: str, what: str) -> bytes:
    try:
        data = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise RequestError(f"{what} is not base64") from None
    if _encode(data) != text:
        raise RequestError(f"{what} is not in canonical base64")
    return data
