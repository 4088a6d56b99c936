"""Signed notes and checkpoints: the text a log signs, and nothing else.

Pure but for the signer that is handed in. A note is refused whole at the first rule it breaks, with
the rule named; base64 is accepted only in its one canonical spelling. Which signature types there
are is `hub.ledger.algorithms`' to know.

Source: C2SP signed-note v1, tlog-checkpoint v1 and tlog-cosignature v1.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Protocol

from hub.errors import RequestError
from hub.ledger.algorithms import ED25519, Algorithm, algorithm_of, split_time
from hub.ledger.lines import NUMBER_LIMIT, decimal, decode64, decode_hash, encode64
from hub.ledger.merkle import EMPTY_ROOT

SIGNATURE_LIMIT = 100  # C2SP: a limit SHOULD exist and MUST NOT be below 16

_KEY_ID = re.compile(r"[0-9a-f]{8}")
_CONTROL = re.compile(r"[\x00-\x09\x0b-\x1f]")
_SIGNATURE_MARK = "\u2014 "


class Signer(Protocol):
    """Holds a private key, the public name it signs under and the signature type it makes."""

    @property
    def name(self) -> str:
        """Key name; no white space, no plus sign."""
        ...

    @property
    def algorithm(self) -> Algorithm:
        """The signature type; one key never serves two."""
        ...

    @property
    def public_key(self) -> bytes:
        """The public key, as long as the algorithm has it."""
        ...

    def sign(self, message: bytes, /) -> bytes:
        """Return the bare signature of a message."""
        ...


@dataclass(frozen=True, slots=True)
class VerifierKey:
    """A public key under a name, as its holders publish it (a `vkey`)."""

    name: str
    public_key: bytes
    algorithm: Algorithm = ED25519

    @classmethod
    def of(cls, signer: Signer) -> VerifierKey:
        """Return the public half of a signer."""
        return cls(signer.name, signer.public_key, signer.algorithm)

    @classmethod
    def parse(cls, text: str) -> VerifierKey:
        """Read `NAME+KEYID+BASE64`.

        Raises:
            RequestError: when a part is malformed, of an unknown algorithm, or the id does not fit.
        """
        name, _, rest = text.partition("+")
        key_id, _, encoded = rest.partition("+")
        check_name(name)
        material = decode64(encoded, "the verifier key")
        if not _KEY_ID.fullmatch(key_id):
            raise RequestError("the verifier key's id is not eight lower-case hexadecimal digits")
        algorithm = algorithm_of(material)
        key = cls(name, material[len(algorithm.code) :], algorithm)
        if key.key_id.hex() != key_id:
            raise RequestError(f"the verifier key's id is {key.key_id.hex()}, not {key_id}")
        return key

    @property
    def key_id(self) -> bytes:
        """First four bytes of SHA-256(name, newline, type, key)."""
        material = self.name.encode() + b"\n" + self.algorithm.code + self.public_key
        return sha256(material).digest()[:4]

    @property
    def title(self) -> str:
        """What messages call the key: its name and id."""
        return f"{self.name}+{self.key_id.hex()}"

    def __str__(self) -> str:
        return f"{self.title}+{encode64(self.algorithm.code + self.public_key)}"

    def time_of(self, text: str, signature: bytes) -> int | None:
        """Return when a note's text was signed, 0 for types without a time; None when it was not.

        Args:
            signature: what follows the key id in a signature line, time included.
        """
        parts = split_time(self.algorithm, signature)
        if parts is None:
            return None
        time, bare = parts
        try:
            message = self.algorithm.message(self.name, text, time)
        except RequestError:
            return None
        return time if self.algorithm.verify(self.public_key, message, bare) else None


@dataclass(frozen=True, slots=True)
class Signature:
    """One signature line: who, with which key, and the raw signature (with its time, if any)."""

    name: str
    key_id: bytes
    signature: bytes

    @classmethod
    def parse(cls, line: str) -> Signature:
        """Read a signature line without its newline.

        Raises:
            RequestError: names the rule of the format that is broken.
        """
        if not line.startswith(_SIGNATURE_MARK):
            raise RequestError("a signature line does not begin with an em dash and a space")
        name, separator, encoded = line[len(_SIGNATURE_MARK) :].partition(" ")
        check_name(name)
        if not separator:
            raise RequestError("a signature line has no signature")
        material = decode64(encoded, "a signature")
        if len(material) < 5:
            raise RequestError("a signature is too short to hold a key id and a signature")
        return cls(name, material[:4], material[4:])

    def __str__(self) -> str:
        return f"{_SIGNATURE_MARK}{self.name} {encode64(self.key_id + self.signature)}\n"

    def is_of(self, key: VerifierKey) -> bool:
        """Say whether this claims to be a signature by that key; it is not verified."""
        return (self.name, self.key_id) == (key.name, key.key_id)


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
        return cls(note[: end + 1], parse_signatures(note[end + 2 :]))

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
        size = decimal(lines[1], "the checkpoint's tree size")
        root = decode_hash(lines[2], "the checkpoint's root hash")
        return cls(lines[0], size, root, tuple(lines[3:]))

    @property
    def is_possible(self) -> bool:
        """Whether there can be such a tree: an empty one has the empty tree's root."""
        return self.size > 0 or self.root == EMPTY_ROOT

    def __str__(self) -> str:
        lines = (self.origin, str(self.size), encode64(self.root), *self.extensions)
        return "".join(f"{line}\n" for line in lines)


def parse_signatures(text: str) -> tuple[Signature, ...]:
    """Read signature lines, as they end a note and as a witness answers.

    Raises:
        RequestError: when there is none, there are too many, or one is malformed.
    """
    lines = text.split("\n")
    if lines.pop():
        raise RequestError("the signatures do not end in a newline")
    if not lines:
        raise RequestError("the note has no signature")
    if len(lines) > SIGNATURE_LIMIT:
        raise RequestError(f"the note has more than {SIGNATURE_LIMIT} signatures")
    return tuple(map(Signature.parse, lines))


def sign_text(text: str, signer: Signer, time: int = 0) -> Signature:
    """Return one signer's signature of a note's text.

    Args:
        time: for a cosignature, when it is made, in seconds since 1970; at least 1.

    Raises:
        RequestError: when the text or the signer's name cannot be part of a note, or a
            cosignature has no time.
    """
    _check_text(text)
    check_name(signer.name)
    algorithm = signer.algorithm
    if algorithm.is_cosignature and not 0 < time < NUMBER_LIMIT:
        raise RequestError("a cosignature needs the time it is made at")
    stamp = time.to_bytes(8) if algorithm.is_cosignature else b""
    signature = stamp + signer.sign(algorithm.message(signer.name, text, time))
    return Signature(signer.name, VerifierKey.of(signer).key_id, signature)


def sign_note(text: str, signers: Sequence[Signer], time: int = 0) -> str:
    """Return the text as a note, signed by each signer in turn.

    Args:
        time: as for `sign_text`, of all signers whose signatures have one.

    Raises:
        RequestError: when the text does not end in a newline or holds control characters, or a
            signer's name does not fit.
    """
    return str(Note(text, tuple(sign_text(text, signer, time) for signer in signers)))


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
        if key.time_of(parsed.text, signature.signature) is None:
            raise RequestError(f"the signature of {key.title} is false")
        verified.append(signature)
    if not verified:
        raise RequestError("the note is not signed by any known key")
    return Note(parsed.text, tuple(verified))


def sign_checkpoint(checkpoint: Checkpoint, *signers: Signer, time: int = 0) -> str:
    """Return the checkpoint as a signed note; `time` as for `sign_note`."""
    return sign_note(str(checkpoint), signers, time)


def open_checkpoint(note: str, keys: Sequence[VerifierKey], origin: str) -> Checkpoint:
    """Return the checkpoint of a note signed by a known key for this origin.

    Raises:
        RequestError: when the note is refused, no checkpoint, another log's, or of an empty tree
            with a root that no empty tree has.
    """
    checkpoint = Checkpoint.parse(verify_note(note, keys).text)
    if checkpoint.origin != origin:
        raise RequestError(f"the checkpoint is of log {checkpoint.origin!r}, not {origin!r}")
    if not checkpoint.is_possible:
        raise RequestError("the checkpoint is of an empty tree, with another root than that has")
    return checkpoint


def check_name(name: str) -> None:
    """Refuse what cannot be a key's name.

    Raises:
        RequestError: when it is empty, holds white space or a plus sign, or is not valid UTF-8.
    """
    if not name:
        raise RequestError("a key name is empty")
    if "+" in name or any(character.isspace() for character in name):
        raise RequestError("a key name holds white space or a plus sign")
    try:
        name.encode()
    except UnicodeEncodeError:
        raise RequestError("a key name is not valid UTF-8") from None


def check_origin(origin: str) -> None:
    """Refuse what cannot be the name of a log, which is a key's name and a checkpoint's first line.

    Raises:
        RequestError: as `check_name`, and when it holds a control character.
    """
    check_name(origin)
    _check_text(f"{origin}\n")


def _check_text(text: str) -> None:
    if not text.endswith("\n"):
        raise RequestError("the note does not end in a newline")
    if _CONTROL.search(text):
        raise RequestError("the note holds a control character other than newline")
    try:
        text.encode()
    except UnicodeEncodeError:
        raise RequestError("the note is not valid UTF-8") from None
