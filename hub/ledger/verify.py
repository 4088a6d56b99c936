"""Checks what a ledger gave you, offline and alone: this one file needs nothing but Python 3.10.

    python verify.py FILE --key VKEY [--witness VKEY ...] [--quorum N]

FILE is a proof of one use (`.tlog-proof`), a statement of all uses (`mingjing-statement-1`) or a
checkpoint. With `--kept` and `--growth`, an older checkpoint you kept and the hashes the ledger
gives for the two sizes, it also says whether the log has only grown since.

It shares no code with the ledger it checks: whoever doubts the one can read the other. Ed25519
comes from the `cryptography` package where that is installed, else from the few lines below.

Source: C2SP tlog-proof, tlog-checkpoint, tlog-cosignature and signed-note; RFC 9162 §2.1 (trees),
RFC 8785 (canonical JSON), RFC 8032 §5.1.7 (Ed25519). The index, the chains and the statement are
the ledger's own; its documentation, docs/ledger.md, defines them.
"""

from __future__ import annotations

import argparse
import base64
import binascii
import hmac
import json
import re
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timezone
from hashlib import sha256, sha512
from pathlib import Path
from typing import Any, NoReturn, TypeAlias, TypeGuard

try:
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    NATIVE = True
except ImportError:  # a machine with nothing but Python
    NATIVE = False

PROOF = "c2sp.org/tlog-proof@v1"
STATEMENT = "mingjing-statement-1"
INDEX_EVENT = "hub:index:published"
BULK_EVENT = "hub:bulk:committed"
PARTICULARS_EVENT = "officer:bulk:disclosed"
ERASED_EVENT = "hub:entry:erased"

LARGEST = 2**53 - 1  # the largest number that every reader of JSON reads alike
TAIL = 255
SIGNATURES = 100
DEPTH = 63

_SPACE = "\t-\r\x1c-\x20\x85\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000"
_NAME = re.compile(f"[^+{_SPACE}]+")
_NOT_IN_NOTES = re.compile(r"[\x00-\x09\x0b-\x1f\ud800-\udfff]")
_DECIMAL = re.compile(r"0|[1-9][0-9]{0,15}")
_HASH_HEX = re.compile(r"[0-9a-f]{64}")
_BULK_HEX = re.compile(r"[0-9a-f]{32}")


class Refused(Exception):
    """What is looked at does not hold: in which field, and why."""

    def __init__(self, where: str, why: str) -> None:
        super().__init__(f"{where}: {why}")
        self.where = where
        self.why = why


class Unusable(Refused):
    """What was given cannot be judged, which says nothing against the ledger: where, and why."""


@dataclass(frozen=True, slots=True)
class Key:
    """A public Ed25519 key: of a log (type 1) or of a witness (type 4)."""

    name: str
    key_id: bytes
    public_key: bytes
    type: int

    def __str__(self) -> str:
        return f"{self.name}+{self.key_id.hex()}"


@dataclass(frozen=True, slots=True)
class Trust:
    """Whose word counts: any of the log's keys, and so many of the witnesses."""

    logs: tuple[Key, ...]
    witnesses: tuple[Key, ...] = ()
    quorum: int = 0


@dataclass(frozen=True, slots=True)
class Witnessed:
    """A witness that cosigned the checkpoint, and when (seconds since 1970)."""

    name: str
    time: int


@dataclass(frozen=True, slots=True)
class Head:
    """What a log signed: its origin, number of entries, 32-byte root; under which key, seen by."""

    origin: str
    size: int
    root: bytes
    key: str
    witnesses: tuple[Witnessed, ...]


@dataclass(frozen=True, slots=True)
class Use:
    """One entry that is proven: its place in the log and in its chain, and what it records.

    `record` is None when it was erased; `erased` then is the record of the erasure.
    """

    position: int
    number: int
    record: Mapping[str, Any] | None
    erased: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class Bulk:
    """A bulk disclosure, of how many persons, and whether this one is among them.

    `record` says to whom, for what and of what it was; None for whom it is not about.
    """

    position: int
    time: str
    bulk: str
    count: int
    included: bool
    record: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class Report:
    """What a file proves. `where` and `why` say why it does not, and then nothing else is said.

    `usable` is false when a key or a file is missing or no such thing: nothing was refuted then.
    """

    valid: bool
    usable: bool = True
    kind: str | None = None
    where: str | None = None
    why: str | None = None
    origin: str | None = None
    size: int | None = None
    key: str | None = None
    witnesses: tuple[Witnessed, ...] = ()
    quorum: int = 0
    grown_from: int | None = None
    indexed: int | None = None
    time: str | None = None
    fingerprint: str | None = None
    uses: tuple[Use, ...] = ()
    bulk: tuple[Bulk, ...] = ()
    proven: tuple[str, ...] = ()
    not_said: tuple[str, ...] = ()


def trust_of(
    logs: Sequence[str], witnesses: Sequence[str] = (), quorum: int | None = None
) -> Trust:
    """Return whom to trust, by verifier keys `NAME+KEYID+BASE64` from another source than the file.

    Args:
        quorum: how many of the witnesses must have cosigned; all of them when not said.
    Raises:
        Unusable: when a key is malformed or of another kind, or the quorum does not fit.
    """
    if not logs:
        raise Unusable("key", "the log's key is missing")
    wanted = len(witnesses) if quorum is None else quorum
    if not min(1, len(witnesses)) <= wanted <= len(witnesses):
        raise Unusable("quorum", f"it is not between 1 and the {len(witnesses)} witnesses given")
    trust = Trust(
        tuple(_key(text, "key", 1) for text in logs),
        tuple(_key(text, "witness", 4) for text in witnesses),
        wanted,
    )
    if len({key.public_key for key in trust.witnesses}) < len(witnesses):
        raise Unusable("witness", "the same key is given twice")
    return trust


def verify_file(
    data: bytes, trust: Trust, kept: bytes | None = None, growth: bytes | None = None
) -> Report:
    """Judge a file: a proof of one use, a statement of all, or a checkpoint.

    Args:
        kept: an older checkpoint of the log, as it was kept.
        growth: the consistency proof between the two, JSON `{"hashes": [hexadecimal, …]}`.
    """
    try:
        return _judge(_given(data, "file"), trust, kept, growth)
    except Refused as refusal:
        return refused(refusal)


def refused(refusal: Refused) -> Report:
    """Return the report of a file that does not hold, or cannot be judged."""
    usable = not isinstance(refusal, Unusable)
    return Report(False, usable, where=refusal.where, why=refusal.why)


def read_checkpoint(note: str, trust: Trust) -> Head:
    """Return what a checkpoint says once the log's signature and the quorum hold.

    Raises:
        Refused: when the note is malformed, a signature is missing or false, or it is another
            log's.
    """
    text, signatures = _note(note)
    signed = [key for key in trust.logs if _signed(key, text, signatures)]
    if not signed:
        raise Refused(
            "checkpoint",
            f"it is not signed by {' or '.join(map(str, trust.logs))}; if the ledger's key was "
            "changed, give the former one too (/ledger/keys)",
        )
    witnesses = _witnessed(trust, text, signatures)
    if len(witnesses) < trust.quorum:
        raise Refused(
            "checkpoint", f"{len(witnesses)} witnesses cosigned it, and {trust.quorum} are needed"
        )
    origin, size, root = _tree_head(text)
    if origin != signed[0].name:
        raise Refused("checkpoint", f"it is of the log {origin}, and the key of {signed[0].name}")
    return Head(origin, size, root, str(signed[0]), witnesses)


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


def _judge(text: str, trust: Trust, kept: bytes | None, growth: bytes | None) -> Report:
    kind = _kind(text)
    if kind == "proof":
        head, facts = _proof(text, trust)
    elif kind == "statement":
        head, facts = _statement(text, trust)
    elif kind == "checkpoint":
        head, facts = read_checkpoint(text, trust), {"kind": "checkpoint"}
    else:
        raise Unusable("file", "it is neither a proof, nor a statement, nor a checkpoint")
    grown_from = None
    if kept is not None or growth is not None:
        grown_from = _growth(head, trust, kept, growth)
    report = Report(
        True,
        origin=head.origin,
        size=head.size,
        key=head.key,
        witnesses=head.witnesses,
        quorum=trust.quorum,
        grown_from=grown_from,
        **facts,
    )
    return _worded(report)


def _kind(text: str) -> str | None:
    """Return what a file is by how it begins, None for anything else."""
    if text.startswith("c2sp.org/tlog-proof@"):
        return "proof"
    if text.startswith("{"):
        return "statement"
    return "checkpoint" if "\n\n\u2014 " in text else None


# A proof of one use: C2SP tlog-proof, whose extra data lays the entry open.


def _proof(text: str, trust: Trust) -> tuple[Head, dict[str, Any]]:
    top, separator, note = text.partition("\n\n")
    if not separator:
        raise Refused("file", "there is no blank line before the checkpoint")
    lines = top.split("\n")
    if lines.pop(0) != PROOF:
        raise Refused("file", f"its first line is not {PROOF}")
    if not lines or not lines[0].startswith("extra "):
        raise Refused("extra", "missing, and with it the record")
    opening = _canonical(_utf8(_base64(lines.pop(0)[6:], "extra"), "extra"), "extra")
    if not lines or not lines[0].startswith("index "):
        raise Refused("index", "missing")
    written = lines.pop(0)[6:]
    if not _DECIMAL.fullmatch(written) or int(written) > LARGEST:
        raise Refused("index", "it is not a plain decimal number below 2^53")
    index, hashes = int(written), _hashes(lines, "inclusion")
    head = read_checkpoint(note, trust)
    entry, number, record = _opened(opening, "extra", ("number", *_OPENING))
    _check_inclusion(entry, index, head, hashes, "inclusion")
    return head, {"kind": "proof", "uses": (Use(index, number, record),)}


_OPENING = ("previous", "record", "salt", "tag")


def _opened(value: object, where: str, fields: Sequence[str]) -> tuple[bytes, int, dict[str, Any]]:
    """Return the 32 bytes in the tree, number in the chain and record of an entry laid open."""
    opening = _object(value, where, fields)
    number = _number(opening["number"], f"{where}.number")
    previous, salt, tag = (
        _hash(opening[name], f"{where}.{name}") for name in ("previous", "salt", "tag")
    )
    written = _bytes(opening["record"], f"{where}.record")
    content = sha256(b"mingjing/record/v1\n" + salt + written).digest()
    return (
        _entry_of(tag, previous, number, content),
        number,
        _record(written, f"{where}.record"),
    )


def _entry_of(tag: bytes, previous: bytes, number: int, content: bytes) -> bytes:
    place = previous + number.to_bytes(8, "big")
    link = sha256(b"mingjing/link/v1\n" + place + content).digest()
    return sha256(b"mingjing/entry/v1\n" + tag + link).digest()


# A statement of all uses: the entries of one chain, and that the index has no other.


@dataclass(frozen=True, slots=True)
class Run:
    """Entries [start, stop) of the log, whose tags stand sorted in a tree of this root."""

    level: int
    number: int
    start: int
    stop: int
    root: bytes = b""


@dataclass(frozen=True, slots=True)
class Index:
    """The index over the first `size` entries of a log, of which the checkpoint is `head`."""

    head: Head
    size: int
    time: str
    runs: tuple[Run, ...]


_STATEMENT = ("format", "origin", "checkpoint", "index", "runs", "chain_key", "bulk")
_ACCOUNT = ("entries", "newest", "none_after")


def _statement(text: str, trust: Trust) -> tuple[Head, dict[str, Any]]:
    value = _canonical(text, "file")
    if not isinstance(value, dict) or value.get("format") != STATEMENT:
        raise Refused("format", f"it is not {STATEMENT}")
    body = _object(value, "", (*_STATEMENT, *_ACCOUNT))
    head = read_checkpoint(_text(body["checkpoint"], "checkpoint"), trust)
    if body["origin"] != head.origin:
        raise Refused("origin", f"the checkpoint is of the log {head.origin}")
    index = _index(body["index"], body["runs"], head)
    chain_key = _hash(body["chain_key"], "chain_key")
    uses = _account(body, "", chain_key, index)
    bulk = _object(body["bulk"], "bulk", ("key", "persons", *_ACCOUNT))
    bulk_key = _hash(bulk["key"], "bulk.key")
    bulk_chain = sha256(b"mingjing/bulk-chain/v1\n" + head.origin.encode()).digest()
    disclosures = _account(bulk, "bulk.", bulk_chain, index)
    return head, {
        "kind": "statement",
        "indexed": index.size,
        "time": index.time,
        "fingerprint": sha256(chain_key).hexdigest()[:16],
        "uses": uses,
        "bulk": _bulk(disclosures, bulk["persons"], bulk_key, head),
    }


def _index(value: object, runs: object, head: Head) -> Index:
    part = _object(value, "index", ("inclusion", "opening"))
    opening = _object(part["opening"], "index.opening", ("number", "position", *_OPENING))
    position = _number(opening["position"], "index.opening.position")
    if position != head.size - 1:
        raise Refused(
            "index.opening.position",
            f"it is {position}, and the last of {head.size} entries is {head.size - 1}",
        )
    entry, _, record = _opened(
        {name: opening[name] for name in ("number", *_OPENING)},
        "index.opening",
        ("number", *_OPENING),
    )
    hashes = _hashes(part["inclusion"], "index.inclusion")
    _check_inclusion(entry, position, head, hashes, "index.inclusion")
    if record.get("event") != INDEX_EVENT or not isinstance(record.get("index"), dict):
        raise Refused("index.opening.record", "it is not the record of an index")
    if not _is_number(record["index"].get("size")) or record["index"]["size"] != position:
        raise Refused("index.opening.record", f"its index is not over {position} entries")
    checked = _runs(runs, position)
    if record["index"].get("root") != _index_root(position, checked).hex():
        raise Refused("runs", "they do not lead to the root of the index that was signed")
    return Index(head, position, _time(record), checked)


def _runs(value: object, size: int) -> tuple[Run, ...]:
    """Return the runs, when they are the one right cut of an index over `size` entries."""
    given = _list(value, "runs")
    expected = _cut(size)
    runs = []
    for n, item in enumerate(given):
        where = f"runs[{n}]"
        run = _object(item, where, ("level", "number", "root"))
        level, number = (_number(run[name], f"{where}.{name}") for name in ("level", "number"))
        if n >= len(expected) or (level, number) != (expected[n].level, expected[n].number):
            raise Refused(where, f"the index of {size} entries has no such run at this place")
        start, stop = expected[n].start, expected[n].stop
        runs.append(Run(level, number, start, stop, _hash(run["root"], f"{where}.root")))
    if len(runs) < len(expected):
        raise Refused("runs", f"there are {len(runs)}, and the index has {len(expected)}")
    return tuple(runs)


def _cut(size: int) -> list[Run]:
    """Return the runs of an index: each time the longest of 256·16^level entries that fits."""
    runs: list[Run] = []
    start, level = 0, 13
    while size - start >= 256:
        length = 256 * 16**level
        if length > size - start:
            level -= 1
            continue
        runs.append(Run(level, start // length, start, start + length))
        start += length
    if start < size:
        runs.append(Run(TAIL, start, start, size))
    return runs


def _index_root(size: int, runs: Iterable[Run]) -> bytes:
    text = b"mingjing/index/v1\n" + size.to_bytes(8, "big")
    for run in runs:
        text += bytes([run.level]) + run.number.to_bytes(8, "big") + run.root
    return sha256(text).digest()


def _account(part: Mapping[str, Any], where: str, key: bytes, index: Index) -> tuple[Use, ...]:
    """Return the entries of a chain, all of them and in order."""
    uses: list[Use] = []
    previous, last = bytes(32), -1
    for n, item in enumerate(_list(part["entries"], f"{where}entries")):
        entry, use = _chained(item, f"{where}entries[{n}]", n, previous, key, index)
        if use.position <= last:
            raise Refused(
                f"{where}entries[{n}].position", f"it is not after the entry before, at {last}"
            )
        previous, last = entry, use.position
        uses.append(use)
    _newest(part["newest"], f"{where}newest", key, uses, index)
    _none_after(part["none_after"], f"{where}none_after", _tag(key, len(uses)), index)
    return _with_erasures(uses, where)


def _chained(
    item: object, where: str, number: int, previous: bytes, key: bytes, index: Index
) -> tuple[bytes, Use]:
    is_erased = isinstance(item, dict) and "content" in item
    kept = ("content",) if is_erased else ("record", "salt")
    entry = _object(item, where, ("inclusion", "position", *kept))
    position = _number(entry["position"], f"{where}.position")
    if position >= index.size:
        raise Refused(f"{where}.position", f"there is no entry {position} among {index.size}")
    record = None
    if is_erased:
        content = _hash(entry["content"], f"{where}.content")
    else:
        salt = _hash(entry["salt"], f"{where}.salt")
        written = _bytes(entry["record"], f"{where}.record")
        content = sha256(b"mingjing/record/v1\n" + salt + written).digest()
        record = _record(written, f"{where}.record")
    found = _entry_of(_tag(key, number), previous, number, content)
    hashes = _hashes(entry["inclusion"], f"{where}.inclusion")
    _check_inclusion(found, position, index.head, hashes, f"{where}.inclusion")
    return found, Use(position, number, record)


def _tag(key: bytes, number: int) -> bytes:
    return hmac.new(key, b"mingjing/tag/v1\n" + number.to_bytes(8, "big"), "sha256").digest()


def _newest(value: object, where: str, key: bytes, uses: Sequence[Use], index: Index) -> None:
    if not uses:
        if value is not None:
            raise Refused(where, "there is no entry that it could be of")
        return
    last = uses[-1]
    ((run,)) = [run for run in index.runs if run.start <= last.position < run.stop]
    row = _tag(key, last.number) + last.position.to_bytes(8, "big")
    place = _object(value, where, ("index", "path"))
    _check_row(row, place, where, run.root, run.stop - run.start)


def _none_after(value: object, where: str, tag: bytes, index: Index) -> None:
    absences = _list(value, where)
    if len(absences) != len(index.runs):
        raise Refused(where, f"there are {len(absences)}, and the index has {len(index.runs)} runs")
    for n, (item, run) in enumerate(zip(absences, index.runs, strict=True)):
        _check_absence(item, f"{where}[{n}]", tag, 40, run.root, run.stop - run.start)


def _check_row(row: bytes, place: Mapping[str, Any], where: str, root: bytes, count: int) -> None:
    at = _number(place["index"], f"{where}.index")
    if at >= count:
        raise Refused(f"{where}.index", f"there is no row {at} among {count}")
    path = _hashes(place["path"], f"{where}.path")
    if _root(_leaf(row), at, count, path, f"{where}.path") != root:
        raise Refused(f"{where}.path", "this row does not stand at this place in the index")


def _check_absence(
    value: object, where: str, key: bytes, width: int, root: bytes, count: int
) -> None:
    """Check that a key would stand between two rows that are neighbours, or at an end."""
    absence = _object(value, where, ("after", "before", "index"))
    at = _number(absence["index"], f"{where}.index")
    if at > count:
        raise Refused(f"{where}.index", f"there are only {count} rows")
    for side, place, exists in (("before", at - 1, at > 0), ("after", at, at < count)):
        given, here = absence[side], f"{where}.{side}"
        if not exists:
            if given is not None:
                raise Refused(here, "there is no row at this place")
            continue
        neighbour = _object(given, here, ("path", "row"))
        row = _bytes(neighbour["row"], f"{here}.row")
        if len(row) != width:
            raise Refused(f"{here}.row", f"it does not have {width} bytes")
        if not (row[:32] < key if side == "before" else key < row[:32]):
            raise Refused(f"{here}.row", f"it does not stand {side} what is looked for")
        _check_row(row, {"index": place, "path": neighbour["path"]}, here, root, count)


def _with_erasures(uses: Sequence[Use], where: str) -> tuple[Use, ...]:
    """Return the entries, each erased one with the later one that erased it."""
    found: list[Use] = []
    by: dict[int, Mapping[str, Any]] = {}
    for use in reversed(uses):
        if use.record is None and use.position not in by:
            raise Refused(
                f"{where}entries[{use.number}]",
                "its record is missing, and none says who erased it",
            )
        if use.record is not None:
            erased = use.record.get("entry")
            if use.record.get("event") == ERASED_EVENT and _is_number(erased):
                by[erased] = use.record
            found.append(use)
        else:
            found.append(Use(use.position, use.number, None, by[use.position]))
    return tuple(reversed(found))


def _bulk(disclosures: Sequence[Use], value: object, key: bytes, head: Head) -> tuple[Bulk, ...]:
    """Return each bulk disclosure with whether the person is in it."""
    persons = _list(value, "bulk.persons")
    if len(persons) != len(disclosures):
        raise Refused(
            "bulk.persons", f"there are {len(persons)} for {len(disclosures)} bulk disclosures"
        )
    return tuple(
        _disclosed(use, item, f"bulk.persons[{n}]", key, head)
        for n, (use, item) in enumerate(zip(disclosures, persons, strict=True))
    )


def _disclosed(use: Use, value: object, where: str, key: bytes, head: Head) -> Bulk:
    record = use.record or {}
    bulk, count, root = (record.get(name) for name in ("bulk", "count", "root"))
    if not (
        record.get("event") == BULK_EVENT
        and isinstance(bulk, str)
        and _BULK_HEX.fullmatch(bulk)
        and _is_number(count)
        and count != 0
        and isinstance(root, str)
        and _HASH_HEX.fullmatch(root)
    ):
        raise Refused(f"bulk.entries[{use.number}].record", "it is not that of a bulk disclosure")
    token = hmac.new(key, b"mingjing/bulk/v1\n" + bytes.fromhex(bulk), "sha256").digest()
    is_included = isinstance(value, dict) and "presence" in value
    disclosed = Bulk(use.position, _time(record), bulk, count, is_included)
    if not is_included:
        given = _object(value, where, ("absence",))["absence"]
        _check_absence(given, f"{where}.absence", token, 32, bytes.fromhex(root), count)
        return disclosed
    part = _object(value, where, ("particulars", "presence"))
    place = _object(part["presence"], f"{where}.presence", ("index", "path"))
    _check_row(token, place, f"{where}.presence", bytes.fromhex(root), count)
    said = _particulars(part["particulars"], f"{where}.particulars", use.position, bulk, head)
    return replace(disclosed, record=said)


def _particulars(
    value: object, where: str, position: int, bulk: str, head: Head
) -> Mapping[str, Any]:
    """Return the record of the entry right before a bulk disclosure, which says what it was."""
    part = _object(value, where, ("inclusion", "number", *_OPENING))
    if position == 0:
        raise Refused(where, "no entry stands before the first")
    opening = {name: part[name] for name in ("number", *_OPENING)}
    entry, _, record = _opened(opening, where, ("number", *_OPENING))
    hashes = _hashes(part["inclusion"], f"{where}.inclusion")
    _check_inclusion(entry, position - 1, head, hashes, f"{where}.inclusion")
    said = record.get("bulk")
    if (
        record.get("event") != PARTICULARS_EVENT
        or not isinstance(said, dict)
        or said.get("id") != bulk
    ):
        raise Refused(f"{where}.record", "it is not that of this bulk disclosure")
    return record


# Trees: RFC 9162 §2.1.


def _leaf(data: bytes) -> bytes:
    return sha256(b"\x00" + data).digest()


def _node(left: bytes, right: bytes) -> bytes:
    return sha256(b"\x01" + left + right).digest()


def _check_inclusion(entry: bytes, index: int, head: Head, hashes: list[bytes], where: str) -> None:
    if index >= head.size:
        raise Refused("index", f"there is no entry {index} among {head.size}")
    if _root(_leaf(entry), index, head.size, hashes, where) != head.root:
        raise Refused(
            where,
            "it does not lead to the root that was signed: this entry, or one before it in its "
            "chain, is changed, missing, in another place or another's",
        )


def _root(leaf: bytes, index: int, size: int, proof: list[bytes], where: str) -> bytes:
    """Return the root above a leaf, walking down from the top as RFC 9162 §2.1.3.1 defines it."""
    if size == 1:
        if proof:
            raise Refused(where, "it has more hashes than this place in the tree")
        return leaf
    if not proof:
        raise Refused(where, "it has fewer hashes than this place in the tree")
    left = 1 << ((size - 1).bit_length() - 1)
    *rest, sibling = proof
    if index < left:
        return _node(_root(leaf, index, left, rest, where), sibling)
    return _node(sibling, _root(leaf, index - left, size - left, rest, where))


def _growth(new: Head, trust: Trust, kept: bytes | None, growth: bytes | None) -> int:
    """Return the size the log had in a kept checkpoint, when it has only grown since."""
    if kept is None or growth is None:
        raise Unusable("growth", "a kept checkpoint and the hashes between the two belong together")
    note = _given(kept, "kept")
    if _kind(note) != "checkpoint":
        raise Unusable("kept", "this is not a checkpoint")
    try:  # it was good when it was kept: the log may have changed its witnesses since
        old = read_checkpoint(note, Trust(trust.logs))
    except Refused as refusal:
        raise Refused("kept", f"{refusal.where}: {refusal.why}") from None
    if old.size > new.size:
        raise Refused("kept", f"the log was rolled back from {old.size} to {new.size} entries")
    value = _json(_given(growth, "growth"), "growth")
    given = _list(_object(value, "growth", ("hashes",))["hashes"], "growth")
    if not all(isinstance(item, str) and _HASH_HEX.fullmatch(item) for item in given):
        raise Refused("growth", "one of its hashes is not 64 lower-case hexadecimal digits")
    hashes = [bytes.fromhex(item) for item in given]
    if old.size == 0:
        if hashes:
            raise Refused("growth", "from an empty log there is nothing to prove")
        return 0
    roots = _roots(old.size, new.size, hashes, old.root, whole=True)
    if hashes:
        raise Refused("growth", "it has more hashes than these sizes need")
    if roots != (old.root, new.root):
        raise Refused("growth", "the older entries are not the beginning of the newer ones")
    return old.size


def _roots(
    old: int, new: int, proof: list[bytes], known: bytes, *, whole: bool
) -> tuple[bytes, bytes]:
    """Return the old and the new root that a proof leads to (RFC 9162 §2.1.4.1), consuming it."""
    if old == new and whole:
        return known, known
    if not proof:
        raise Refused("growth", "it has fewer hashes than these sizes need")
    sibling = proof.pop()
    if old == new:
        return sibling, sibling
    left = 1 << ((new - 1).bit_length() - 1)
    if old <= left:
        first, second = _roots(old, left, proof, known, whole=whole)
        return first, _node(second, sibling)
    first, second = _roots(old - left, new - left, proof, known, whole=False)
    return _node(sibling, first), _node(sibling, second)


# Signed notes, checkpoints, cosignatures: C2SP.

Signature: TypeAlias = "tuple[str, bytes, bytes]"  # name, key id, what follows


def _key(text: str, where: str, kind: int) -> Key:
    parts = text.split("+", 2)
    if len(parts) != 3 or not _NAME.fullmatch(parts[0]):
        raise Unusable(where, "it does not look like NAME+KEYID+BASE64")
    try:
        material = _base64(parts[2], where)
    except Refused as refusal:
        raise Unusable(where, refusal.why) from None
    if len(material) != 33 or material[0] != kind:
        raise Unusable(where, f"it is not an Ed25519 key of a {'log' if kind == 1 else 'witness'}")
    key_id = sha256(parts[0].encode() + b"\n" + material).digest()[:4]
    if key_id.hex() != parts[1]:
        raise Unusable(where, "its id does not belong to it; it was copied wrongly")
    return Key(parts[0], key_id, material[1:], kind)


def _note(note: str) -> tuple[str, list[Signature]]:
    end = note.rfind("\n\n")
    if end < 0 or not note.endswith("\n") or _NOT_IN_NOTES.search(note):
        raise Refused("checkpoint", "it is not a signed note")
    lines = note[end + 2 : -1].split("\n")
    if len(lines) > SIGNATURES:
        raise Refused("checkpoint", f"it has more than {SIGNATURES} signatures")
    return note[: end + 1], [_signature(line) for line in lines]


def _signature(line: str) -> Signature:
    dash, _, rest = line.partition(" ")
    name, _, encoded = rest.partition(" ")
    if dash != "\u2014" or not _NAME.fullmatch(name):
        raise Refused("checkpoint", "one of its signature lines is malformed")
    material = _base64(encoded, "checkpoint")
    if len(material) < 5:
        raise Refused("checkpoint", "one of its signatures is too short")
    return name, material[:4], material[4:]


def _signed(key: Key, text: str, signatures: Sequence[Signature]) -> bool:
    """Say whether a key signed a text; one false signature under it refuses the whole note."""
    of_key = [rest for name, key_id, rest in signatures if (name, key_id) == (key.name, key.key_id)]
    if not all(ed25519_verify(key.public_key, text.encode(), rest) for rest in of_key):
        raise Refused("checkpoint", f"the signature of {key} is false")
    return bool(of_key)


def _witnessed(trust: Trust, text: str, signatures: Sequence[Signature]) -> tuple[Witnessed, ...]:
    """Return the witnesses that cosigned a checkpoint; several times count once, the latest."""
    times: dict[str, int] = {}
    for key in trust.witnesses:
        for name, key_id, rest in signatures:
            if (name, key_id) != (key.name, key.key_id):
                continue
            time = int.from_bytes(rest[:8], "big")
            message = f"cosignature/v1\ntime {time}\n{text}".encode()
            if time > LARGEST or not ed25519_verify(key.public_key, message, rest[8:]):
                raise Refused("checkpoint", f"the cosignature of {key} is false")
            times[str(key)] = max(time, times.get(str(key), 0))
    return tuple(Witnessed(name, time) for name, time in times.items())


def _tree_head(text: str) -> tuple[str, int, bytes]:
    lines = text[:-1].split("\n")
    if len(lines) < 3 or "" in lines:
        raise Refused("checkpoint", "it does not have its three lines")
    if not _DECIMAL.fullmatch(lines[1]) or int(lines[1]) > LARGEST:
        raise Refused("checkpoint", "its size is not a plain decimal number below 2^53")
    size, root = int(lines[1]), _hash(lines[2], "checkpoint")
    if size == 0 and root != sha256(b"").digest():
        raise Refused("checkpoint", "it is of an empty log, with a root that no empty log has")
    return lines[0], size, root


# What JSON holds, read strictly.


def _canonical(text: str, where: str) -> object:
    """Return what canonical JSON says; RFC 8785 leaves one right spelling, without floats here."""
    value = _json(text, where)
    if json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":")) != text:
        raise Refused(where, "it is not canonical JSON")
    return value


def _json(text: str, where: str) -> Any:
    def refuse(_: str) -> NoReturn:
        raise Refused(where, "it is not canonical JSON")

    def whole(digits: str) -> int:
        if len(digits) > 17 or abs(int(digits)) > LARGEST:
            refuse(digits)
        return int(digits)

    try:
        return json.loads(text, parse_int=whole, parse_float=refuse, parse_constant=refuse)
    except (ValueError, RecursionError):
        raise Refused(where, "it is not canonical JSON") from None


def _record(data: bytes, where: str) -> dict[str, Any]:
    """Return what a record says; one that decides what is proven has one right spelling."""

    def refuse(_: str) -> NoReturn:
        raise ValueError

    try:
        record = json.loads(data.decode(), parse_constant=refuse)
    except (ValueError, RecursionError):
        raise Refused(where, "it is not JSON") from None
    if not isinstance(record, dict):
        raise Refused(where, "it is not a JSON object")
    if record.get("event") in (INDEX_EVENT, BULK_EVENT, PARTICULARS_EVENT, ERASED_EVENT):
        _canonical(data.decode(), where)
    return record


def _time(record: Mapping[str, Any]) -> str:
    time = record.get("time")
    return time if isinstance(time, str) else "?"


def _object(value: object, where: str, fields: Sequence[str]) -> dict[str, Any]:
    """Return an object that has these fields and no other."""
    if not isinstance(value, dict):
        raise Refused(where, "it is not a JSON object")
    prefix = f"{where}." if where else ""
    for name in sorted(fields):
        if name not in value:
            raise Refused(prefix + name, "missing")
    for name in sorted(value):
        if name not in fields:
            raise Refused(where or "file", "it has a field that does not belong there")
    return value


def _list(value: object, where: str) -> list[Any]:
    if not isinstance(value, list):
        raise Refused(where, "it is not a list")
    return value


def _text(value: object, where: str) -> str:
    if not isinstance(value, str):
        raise Refused(where, "it is not text")
    return value


def _is_number(value: object) -> TypeGuard[int]:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= LARGEST


def _number(value: object, where: str) -> int:
    if not _is_number(value):
        raise Refused(where, "it is not a whole number from 0 to 2^53")
    return value


def _bytes(value: object, where: str) -> bytes:
    return _base64(_text(value, where), where)


def _hash(value: object, where: str) -> bytes:
    data = _bytes(value, where)
    if len(data) != 32:
        raise Refused(where, "it does not have 32 bytes")
    return data


def _hashes(value: object, where: str) -> list[bytes]:
    given = _list(value, where)
    if len(given) > DEPTH:
        raise Refused(where, "it has more hashes than any tree is deep")
    return [_hash(item, where) for item in given]


def _base64(text: str, where: str) -> bytes:
    try:
        data = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        data = b""
    if base64.b64encode(data).decode() != text:
        raise Refused(where, "it is not base64 in its one right spelling")
    return data


def _utf8(data: bytes, where: str) -> str:
    try:
        return data.decode()
    except UnicodeDecodeError:
        raise Refused(where, "it is not UTF-8") from None


def _given(data: bytes, where: str) -> str:
    """Return the text of a file that was given."""
    try:
        return _utf8(data, where)
    except Refused as refusal:
        raise Unusable(where, refusal.why) from None


# What it means, for a person to read.


def _worded(report: Report) -> Report:
    proven = [*_WORDS[report.kind or ""](report)]
    if report.witnesses:
        names = ", ".join(f"{w.name} on {_moment(w.time)}" for w in report.witnesses)
        proven.append(f"the log showed this same state to {names}")
    if report.grown_from is not None:
        proven.append(
            f"the {report.size} entries begin with the same {report.grown_from} as in the "
            "checkpoint you kept"
        )
    not_said = [*_NOT_SAID[report.kind or ""]]
    if report.fingerprint is not None:
        not_said.append(
            f"that the chain is yours: its fingerprint is {report.fingerprint}; compare it with "
            "the one that the oversight body gives you"
        )
    if not report.quorum:
        not_said.append(
            "that others are shown the same log, and that its index is right: no witness was asked"
        )
    return replace(report, proven=tuple(proven), not_said=tuple(not_said))


def _proof_words(report: Report) -> Iterator[str]:
    (use,) = report.uses
    yield (
        f"this record is entry {use.position} of the log {report.origin}, which counts entries "
        f"from 0 and held {report.size} of them when its key {report.key} signed for all"
    )
    yield (
        "not a character of it was changed since, and it cannot be taken out of the log without "
        "every later proof contradicting this one"
    )


def _statement_words(report: Report) -> Iterator[str]:
    among = (
        f"the first {report.indexed} entries of the log {report.origin}, up to {report.time} by "
        "the log's clock"
    )
    if report.uses:
        yield f"{len(report.uses)} entries about you stand in {among}; all of them are listed here"
        yield "no other entry there is of your chain: none was left out between them or after them"
    else:
        yield f"nobody looked you up in {among}: no entry there is of your chain"
    erased = sum(use.record is None for use in report.uses)
    if erased:
        yield f"erased among them: {erased}; that they stood there, and who erased them, remains"
    included = sum(bulk.included for bulk in report.bulk)
    yield f"you are in {included} of the {len(report.bulk)} bulk disclosures made up to then"


def _checkpoint_words(report: Report) -> Iterator[str]:
    yield f"the log {report.origin} held {report.size} entries when its key {report.key} signed"


_WORDS: Mapping[str, Callable[[Report], Iterator[str]]] = {
    "proof": _proof_words,
    "statement": _statement_words,
    "checkpoint": _checkpoint_words,
}
_NOT_SAID: Mapping[str, tuple[str, ...]] = {
    "proof": ("that nothing else was recorded about you: a statement says that",),
    "statement": (
        "what was recorded after that time",
        "whether an inquiry used your data under a seal: such entries come to your chain later",
        "whether anything was used without being recorded, or recorded as somebody else's",
    ),
    "checkpoint": ("anything about any entry",),
}


def describe(report: Report) -> str:
    """Return the report as the lines a person reads."""
    if not report.valid:
        headline = "没有证明 NOT PROVEN" if report.usable else "不能核验 CANNOT BE CHECKED"
        return _plain(f"{headline}: {report.where}: {report.why}.") + "\n"
    lines = ["已证明 PROVEN:", *(f"  * {sentence}." for sentence in report.proven)]
    lines += [
        "这份文件没有说的 NOT SAID by this file:",
        *(f"  * {sentence}." for sentence in report.not_said),
    ]
    if report.uses:
        lines.append("记录 " + ("THE RECORDS:" if report.kind == "statement" else "THE RECORD:"))
    for use in report.uses:
        lines += _lines(use)
    for bulk in report.bulk:
        lines.append(
            f"批量提供 BULK DISCLOSURE at entry {bulk.position}, {bulk.time}, of {bulk.count} persons: "
            f"you are {'in it' if bulk.included else 'not in it'}."
        )
        if bulk.record is not None:
            lines += _pretty(bulk.record)
    return "".join(f"{_plain(line)}\n" for line in lines)


def _lines(use: Use) -> Iterator[str]:
    if use.record is None:
        by = use.erased or {}
        yield (
            f"entry {use.position}: erased on {_time(by)} by {by.get('by', '?')} on the ground "
            f"{by.get('ground', '?')}"
        )
    else:
        yield f"entry {use.position}:"
        yield from _pretty(use.record)


def _pretty(record: Mapping[str, Any]) -> list[str]:
    return json.dumps(record, ensure_ascii=False, indent=2, sort_keys=True).split("\n")


def _plain(line: str) -> str:
    """Return a line in which nothing that a record says breaks, hides or turns round the text."""
    return "".join(char if char.isprintable() else ascii(char)[1:-1] for char in line)


def _moment(seconds: int) -> str:
    try:
        moment = datetime.fromtimestamp(seconds, timezone.utc)  # noqa: UP017 - not in Python 3.10

    except (ValueError, OverflowError, OSError):
        return f"second {seconds} since 1970"
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


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
    """Run the command line; 0 when the file holds, 1 when not, 2 when it cannot be checked."""
    parser = argparse.ArgumentParser(
        prog="verify", description="Check, offline, what a ledger gave you."
    )
    parser.add_argument("file", type=Path, help="a proof, a statement or a checkpoint")
    parser.add_argument(
        "--key", action="append", required=True, help="a public key of the log, NAME+KEYID+BASE64"
    )
    parser.add_argument(
        "--witness", action="append", default=[], help="a public key of a witness; several times"
    )
    parser.add_argument("--quorum", type=int, help="how many witnesses must have cosigned: all")
    parser.add_argument("--kept", type=Path, help="an older checkpoint that you kept")
    parser.add_argument(
        "--growth", type=Path, help="the hashes between the two sizes, from the log"
    )
    parser.add_argument("--json", action="store_true", help="write the report as JSON")
    options = parser.parse_args(arguments)
    report = _run(options)
    text = _as_json(report) if options.json else describe(report)
    encoding = sys.stdout.encoding or "utf-8"  # a terminal may not know every character
    sys.stdout.write(text.encode(encoding, "backslashreplace").decode(encoding))
    if report.valid:
        return 0
    return 1 if report.usable else 2


def _as_json(report: Report) -> str:
    return json.dumps(asdict(report), ensure_ascii=False, indent=1) + "\n"


def _run(options: argparse.Namespace) -> Report:
    try:
        trust = trust_of(options.key, options.witness, options.quorum)
        file, kept, growth = (
            path and _read(path, name)
            for path, name in (
                (options.file, "file"),
                (options.kept, "kept"),
                (options.growth, "growth"),
            )
        )
    except Unusable as refusal:
        return refused(refusal)
    return verify_file(file, trust, kept, growth)


def _read(path: Path, where: str) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise Unusable(where, f"it cannot be read ({error.strerror})") from None


if __name__ == "__main__":
    sys.exit(main())
