"""Checks a proof from a ledger, offline and alone: this one file needs nothing but Python 3.10.

    python verify.py bundle.json --key VKEY

It shares no code with the ledger it checks: whoever doubts the one can read the other. Ed25519
comes from the `cryptography` package where that is installed, else from the few lines below.

Source: RFC 9162 §2.1 (tree), C2SP signed-note and tlog-checkpoint (signature), RFC 8032 §5.1.7.
"""

from __future__ import annotations

import argparse
import base64
import binascii
import json
import re
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256, sha512
from pathlib import Path
from typing import Any, TypeAlias

try:
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    NATIVE = True
except ImportError:  # a machine with nothing but Python
    NATIVE = False

FORMAT = "mingjing-proof-1"
FIELDS = (
    "format",
    "origin",
    "index",
    "size",
    "tag",
    "previous",
    "number",
    "record",
    "salt",
    "inclusion",
    "checkpoint",
)


class Refused(Exception):
    """The proof does not hold; the message says at which field and why."""


@dataclass(frozen=True, slots=True)
class SignedHead:
    """What a log signed: its origin, number of entries, 32-byte root, and under which key."""

    origin: str
    size: int
    root: bytes
    key: str


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether a proof holds, what it says in plain words, and the record it proves, if any."""

    valid: bool
    statements: tuple[str, ...]
    record: Mapping[str, Any] | None = None


def verify_bundle(bundle: object, vkey: str) -> Verdict:
    """Judge one proof bundle, as `Ledger.proof_bundle` gives it and JSON carries it.

    Args:
        bundle: the parsed JSON.
        vkey: the log's public key, `NAME+KEYID+BASE64`, from a source other than the bundle.
    """
    try:
        return _judge(bundle, vkey)
    except Refused as refusal:
        return Verdict(False, (str(refusal),))


def verify_growth(old_note: str, new_note: str, proof: Sequence[bytes], vkey: str) -> Verdict:
    """Judge whether the newer checkpoint's tree holds everything the older one's did.

    This is how a rollback, a removal or a rewriting shows, to anyone who kept a checkpoint.

    Args:
        proof: the consistency proof between the two sizes, 32-byte hashes in order.
    """
    try:
        old, new = read_checkpoint(old_note, vkey), read_checkpoint(new_note, vkey)
        _check_growth(old, new, proof)
    except Refused as refusal:
        return Verdict(False, (str(refusal),))
    return Verdict(
        True, (f"the {new.size} entries of {new.origin} begin with the same {old.size} as before",)
    )


def read_checkpoint(note: str, vkey: str) -> SignedHead:
    """Return what a checkpoint says once its signature holds.

    Raises:
        Refused: when the key or the note is malformed, or the signature is missing or false.
    """
    name, key_id, public_key = _read_key(vkey)
    text, signatures = _read_note(note)
    matching = [s for n, i, s in signatures if (n, i) == (name, key_id)]
    if not matching:
        raise Refused(f"checkpoint: not signed by {name}+{key_id.hex()}")
    if not all(ed25519_verify(public_key, text.encode(), s) for s in matching):
        raise Refused(f"checkpoint: the signature of {name}+{key_id.hex()} is false")
    lines = text[:-1].split("\n")
    if len(lines) < 3 or "" in lines:
        raise Refused("checkpoint: it does not have its three lines")
    if not re.fullmatch(r"0|[1-9][0-9]{0,18}", lines[1]):
        raise Refused("checkpoint: its size is not a plain decimal number")
    root = _base64(lines[2], "checkpoint: its root")
    if len(root) != 32:
        raise Refused("checkpoint: its root does not have 32 bytes")
    return SignedHead(lines[0], int(lines[1]), root, f"{name}+{key_id.hex()}")


def ed25519_verify(public_key: bytes, message: bytes, signature: bytes) -> bool:
    """Say whether an Ed25519 signature is right; wrong lengths are simply not."""
    if len(public_key) != 32 or len(signature) != 64:
        return False
    if not NATIVE:
        return ed25519_verify_plain(public_key, message, signature)
    try:
        Ed25519PublicKey.from_public_bytes(public_key).verify(signature, message)
    except (InvalidSignature, ValueError):
        return False
    return True


def _judge(bundle: object, vkey: str) -> Verdict:
    if not isinstance(bundle, Mapping):
        raise Refused("bundle: it is not a JSON object")
    for name in FIELDS:
        if name not in bundle:
            raise Refused(f"{name}: missing")
    for name in bundle:
        if name not in FIELDS:
            raise Refused(f"{str(name)!r}: no such field in {FORMAT}")
    if bundle["format"] != FORMAT:
        raise Refused(f"format: it is not {FORMAT}")
    head = read_checkpoint(_text(bundle, "checkpoint"), vkey)
    if bundle["origin"] != head.origin:
        raise Refused(f"origin: the checkpoint is of another log, {head.origin}")
    if _number(bundle, "size") != head.size:
        raise Refused(f"size: the checkpoint is of {head.size} entries")
    index, record = _check_entry(bundle, head)
    stands = (
        f"this record is entry {index} of the ledger {head.origin}, which counts entries from 0 "
        f"and held {head.size} of them when its key {head.key} signed for all"
    )
    unchanged = (
        "not a character of the record was changed since, and it cannot be taken out of the ledger "
        "without every later proof contradicting this one"
    )
    return Verdict(True, (stands, unchanged), record)


def _check_entry(bundle: Mapping[str, Any], head: SignedHead) -> tuple[int, Mapping[str, Any]]:
    index = _number(bundle, "index")
    if index >= head.size:
        raise Refused(f"index: there is no entry {index} among {head.size}")
    record = _base64(_text(bundle, "record"), "record")
    salt = _base64(_text(bundle, "salt"), "salt")
    if len(salt) != 32:
        raise Refused("salt: it does not have 32 bytes")
    tag, previous = (_hashes([_text(bundle, name)])[0] for name in ("tag", "previous"))
    content = sha256(b"mingjing/record/v1\n" + salt + record).digest()
    number = _number(bundle, "number").to_bytes(8, "big")
    link = sha256(b"mingjing/link/v1\n" + previous + number + content).digest()
    entry = sha256(b"mingjing/entry/v1\n" + tag + link).digest()
    proof = _hashes(bundle["inclusion"])
    leaf = sha256(b"\x00" + entry).digest()
    if _root(leaf, index, head.size, proof) != head.root:
        raise Refused(
            "inclusion: record, salt, index and inclusion do not lead to the root that was signed"
        )
    return index, _record(record)


def _root(leaf: bytes, index: int, size: int, proof: list[bytes]) -> bytes:
    """Return the root above a leaf, walking down from the top as RFC 9162 §2.1.3.1 defines it."""
    if size == 1:
        if proof:
            raise Refused("inclusion: it has more hashes than this place in the tree")
        return leaf
    if not proof:
        raise Refused("inclusion: it has fewer hashes than this place in the tree")
    left = 1 << ((size - 1).bit_length() - 1)
    *rest, sibling = proof
    if index < left:
        return _node(_root(leaf, index, left, rest), sibling)
    return _node(sibling, _root(leaf, index - left, size - left, rest))


def _check_growth(old: SignedHead, new: SignedHead, proof: Sequence[bytes]) -> None:
    if old.origin != new.origin:
        raise Refused(f"origin: {old.origin} and {new.origin} are two logs")
    if new.size < old.size:
        raise Refused(f"size: the log was rolled back from {old.size} to {new.size} entries")
    if old.size == 0:
        if proof or old.root != sha256(b"").digest():
            raise Refused("proof: an empty log has an empty proof and the empty root")
        return
    hashes = list(proof)
    roots = _roots(old.size, new.size, hashes, old.root, whole=True)
    if hashes:
        raise Refused("proof: it has more hashes than these sizes need")
    if roots != (old.root, new.root):
        raise Refused("proof: the older entries are not the beginning of the newer ones")


def _roots(
    old: int, new: int, proof: list[bytes], known: bytes, *, whole: bool
) -> tuple[bytes, bytes]:
    """Return the old and the new root that a proof leads to (RFC 9162 §2.1.4.1), consuming it."""
    if old == new and whole:
        return known, known
    if not proof:
        raise Refused("proof: it has fewer hashes than these sizes need")
    sibling = proof.pop()
    if old == new:
        return sibling, sibling
    left = 1 << ((new - 1).bit_length() - 1)
    if old <= left:
        first, second = _roots(old, left, proof, known, whole=whole)
        return first, _node(second, sibling)
    first, second = _roots(old - left, new - left, proof, known, whole=False)
    return _node(sibling, first), _node(sibling, second)


def _node(left: bytes, right: bytes) -> bytes:
    return sha256(b"\x01" + left + right).digest()


def _read_key(vkey: str) -> tuple[str, bytes, bytes]:
    parts = vkey.strip().split("+", 2)
    if len(parts) != 3 or not _is_name(parts[0]):
        raise Refused("key: it does not look like NAME+KEYID+BASE64")
    material = _base64(parts[2], "key")
    if len(material) != 33 or material[0] != 1:
        raise Refused("key: it is not an Ed25519 key")
    key_id = sha256(parts[0].encode() + b"\n" + material).digest()[:4]
    if key_id.hex() != parts[1]:
        raise Refused("key: its id does not belong to it; it was copied wrongly")
    return parts[0], key_id, material[1:]


def _read_note(note: str) -> tuple[str, list[tuple[str, bytes, bytes]]]:
    end = note.rfind("\n\n")
    if end < 0 or not note.endswith("\n") or re.search(r"[\x00-\x09\x0b-\x1f\ud800-\udfff]", note):
        raise Refused("checkpoint: it is not a signed note")
    signatures = []
    for line in note[end + 2 : -1].split("\n"):
        dash, _, rest = line.partition(" ")
        name, _, encoded = rest.partition(" ")
        if dash != "\u2014" or not _is_name(name):
            raise Refused("checkpoint: one of its signature lines is malformed")
        material = _base64(encoded, "checkpoint: a signature")
        if len(material) < 5:
            raise Refused("checkpoint: one of its signatures is too short")
        signatures.append((name, material[:4], material[4:]))
    return note[: end + 1], signatures


def _is_name(name: str) -> bool:
    return bool(name) and "+" not in name and not any(c.isspace() for c in name)


def _text(bundle: Mapping[str, Any], name: str) -> str:
    value = bundle[name]
    if not isinstance(value, str):
        raise Refused(f"{name}: it is not text")
    return value


def _number(bundle: Mapping[str, Any], name: str) -> int:
    value = bundle[name]
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value < 1 << 63:
        raise Refused(f"{name}: it is not a whole number from 0 to 2^63")
    return value


def _hashes(value: object) -> list[bytes]:
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        raise Refused("inclusion: it is not a list of texts")
    if len(value) > 63:
        raise Refused("inclusion: it has more hashes than any tree is deep")
    hashes = [_base64(item, "inclusion: a hash") for item in value]
    if any(len(item) != 32 for item in hashes):
        raise Refused("inclusion: one of its hashes does not have 32 bytes")
    return hashes


def _record(data: bytes) -> Mapping[str, Any]:
    try:
        record = json.loads(data)
    except (ValueError, RecursionError):
        raise Refused("record: it is not JSON") from None
    if not isinstance(record, dict):
        raise Refused("record: it is not a JSON object")
    return record


def _base64(text: str, what: str) -> bytes:
    try:
        data = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise Refused(f"{what} is not base64") from None
    if base64.b64encode(data).decode() != text:
        raise Refused(f"{what} is not in the one right spelling of base64")
    return data


# Ed25519 verification, RFC 8032 §5.1: points in extended coordinates (X, Y, Z, T). It handles
# nothing secret, so it may take its time and need not hide it.

Point: TypeAlias = tuple[int, int, int, int]

_P = 2**255 - 19
_ORDER = 2**252 + 27742317777372353535851937790883648493
_D = -121665 * pow(121666, -1, _P) % _P
_ROOT_OF_MINUS_ONE = pow(2, (_P - 1) // 4, _P)
_ZERO: Point = (0, 1, 1, 0)


def ed25519_verify_plain(public_key: bytes, message: bytes, signature: bytes) -> bool:
    """Say whether an Ed25519 signature is right, in plain Python, some milliseconds each."""
    if len(public_key) != 32 or len(signature) != 64:
        return False
    base = _decompress((4 * pow(5, -1, _P) % _P).to_bytes(32, "little"))
    point = _decompress(public_key)
    scalar = int.from_bytes(signature[32:], "little")
    if base is None or point is None or scalar >= _ORDER:
        return False
    digest = sha512(signature[:32] + public_key + message).digest()
    challenge = int.from_bytes(digest, "little") % _ORDER
    x, y, z, t = point
    result = _add(_times(scalar, base), _times(challenge, (_P - x, y, z, _P - t)))
    return _compress(result) == signature[:32]


def _add(first: Point, second: Point) -> Point:
    x1, y1, z1, t1 = first
    x2, y2, z2, t2 = second
    a, b = (y1 - x1) * (y2 - x2) % _P, (y1 + x1) * (y2 + x2) % _P
    c, d = 2 * t1 * t2 * _D % _P, 2 * z1 * z2 % _P
    e, f, g, h = b - a, d - c, d + c, b + a
    return e * f % _P, g * h % _P, f * g % _P, e * h % _P


def _times(scalar: int, point: Point) -> Point:
    result = _ZERO
    while scalar:
        if scalar & 1:
            result = _add(result, point)
        point, scalar = _add(point, point), scalar >> 1
    return result


def _compress(point: Point) -> bytes:
    inverse = pow(point[2], -1, _P)
    x, y = point[0] * inverse % _P, point[1] * inverse % _P
    return (y | (x & 1) << 255).to_bytes(32, "little")


def _decompress(data: bytes) -> Point | None:
    value = int.from_bytes(data, "little")
    sign, y = value >> 255, value & ((1 << 255) - 1)
    if y >= _P:
        return None
    square = (y * y - 1) * pow(_D * y * y + 1, -1, _P) % _P
    x = pow(square, (_P + 3) // 8, _P)
    if (x * x - square) % _P:
        x = x * _ROOT_OF_MINUS_ONE % _P
    if (x * x - square) % _P or (x == 0 and sign):
        return None
    if x & 1 != sign:
        x = _P - x
    return x, y, 1, x * y % _P


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; 0 when the proof holds, 1 when it does not."""
    parser = argparse.ArgumentParser(
        prog="verify", description="Check, offline, that a record stands in a ledger."
    )
    parser.add_argument("bundle", type=Path, help="the proof file you were given (JSON)")
    parser.add_argument("--key", required=True, help="the ledger's public key, NAME+KEYID+BASE64")
    options = parser.parse_args(arguments)
    try:
        bundle = json.loads(options.bundle.read_bytes())
    except OSError as error:
        verdict = Verdict(False, (f"file: it cannot be read ({error.strerror})",))
    except (ValueError, RecursionError):
        verdict = Verdict(False, ("file: it is not JSON",))
    else:
        verdict = verify_bundle(bundle, options.key)
    encoding = sys.stdout.encoding or "utf-8"  # a terminal may not know every character
    sys.stdout.write(describe(verdict).encode(encoding, "backslashreplace").decode(encoding))
    return 0 if verdict.valid else 1


def describe(verdict: Verdict) -> str:
    """Return the verdict as the lines a person reads."""
    if not verdict.valid:
        return f"NOT PROVEN: {verdict.statements[0]}.\n"
    lines = ["PROVEN:", *(f"  * {statement}." for statement in verdict.statements)]
    lines += [
        "NOT SAID by this file: that nothing else was recorded about you.",
        "THE RECORD:",
        json.dumps(verdict.record, ensure_ascii=False, indent=2, sort_keys=True),
    ]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    sys.exit(main())
