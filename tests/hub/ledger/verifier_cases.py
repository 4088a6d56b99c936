"""Files for the verifiers: sound ones, and each of their fields made wrong in every way.

Both verifiers, the Python file and the page, are given the same; whatever the one refuses the other
must, for the same reason.
"""

from __future__ import annotations

import base64
import copy
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, TypeAlias

from hub.ledger.entry import SYSTEM
from hub.ledger.note import Checkpoint, VerifierKey, sign_checkpoint, sign_note
from tests.hub.ledger.factories import ORIGIN, InventedSigner
from tests.hub.ledger.invented_log import (
    COSIGNED,
    LOG,
    LOG_KEY,
    WITNESS_KEYS,
    WITNESSES,
    InventedLog,
    person,
)

ME = person(1)
ENTRIES = 600
DISCLOSED = "officer:subject:disclosed"

Json: TypeAlias = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Case:
    """A file and whom to trust; `where` and `why` (in part) of the refusal, None where it holds."""

    name: str
    data: bytes
    where: str | None = None
    why: str = ""
    keys: tuple[str, ...] = (LOG_KEY,)
    witnesses: tuple[str, ...] = WITNESS_KEYS
    quorum: int | None = None


@dataclass(frozen=True, slots=True)
class Sound:
    """What a published log gives: a person's statement, a stranger's, a proof, a checkpoint."""

    statement: bytes
    nobody: bytes
    proof: bytes
    checkpoint: bytes

    @property
    def body(self) -> Json:
        """A fresh copy of the statement's JSON."""
        body: Json = json.loads(self.statement)
        return body


@cache
def sound() -> Sound:
    """Return the files of one log, of which all cases are made."""
    with TemporaryDirectory() as folder:
        log = invented(Path(folder))
        log.publish()
        return Sound(
            log.statement(ME),
            log.statement(person(99)),
            log.proof(300),
            log.checkpoint().note.encode(),
        )


def invented(folder: Path) -> InventedLog:
    """Return a log of `ENTRIES` entries that is not published yet."""
    log = InventedLog(folder)
    bulk = {39: range(1, 9), 199: range(5, 80), 594: (1,)}
    while (n := len(log.stored)) < ENTRIES:
        if n in bulk:
            log.disclose(bytes([n % 256]) * 16, [person(of) for of in bulk[n]])
        elif n in (7, 100, 300, 301, 520):
            log.add(ME, DISCLOSED, purpose="residence.verify", reason="明")
        elif n == 400:
            log.erase(100)
        else:
            log.add(person(2 + n % 50), DISCLOSED)
    return log


def sound_cases() -> Iterator[Case]:
    """Yield files that hold."""
    files = sound()
    yield Case("statement", files.statement)
    yield Case("statement of nobody", files.nobody)
    yield Case("proof", files.proof)
    yield Case("checkpoint", files.checkpoint)
    for name, data in (("statement", files.statement), ("proof", files.proof)):
        yield Case(f"{name} without witnesses", data, witnesses=())
        yield Case(f"{name} with one of two witnesses", data, quorum=1)
        yield Case(f"{name} with one witness", data, witnesses=WITNESS_KEYS[1:])
        yield Case(f"{name} with an older key", data, keys=(STRANGERS_KEY, LOG_KEY))


STRANGER = InventedSigner(seed="two")
STRANGERS_KEY = str(VerifierKey.of(STRANGER))
OTHER_LOG = InventedSigner("mingjing.example/other")
OTHER_KEY = str(VerifierKey.of(OTHER_LOG))


def trust_cases() -> Iterator[Case]:
    """Yield keys that do not fit, and quorums that are not reached."""
    for name, data in (
        ("statement", sound().statement),
        ("proof", sound().proof),
        ("checkpoint", sound().checkpoint),
    ):

        def case(
            what: str, where: str, why: str, *, data: bytes = data, name: str = name, **more: Any
        ) -> Case:
            return Case(f"{name}: {what}", data, where, why, **more)

        yield case("no key", "key", "missing", keys=())
        for key, why in (
            ("", "does not look like"),
            ("words", "does not look like"),
            (LOG_KEY.replace("example", "exa mple"), "does not look like"),
            (LOG_KEY[:-4], "not an Ed25519 key of a log"),
            (LOG_KEY[:-1] + "*", "it is not base64"),
            (LOG_KEY[:-1] + "A", ""),
            (LOG_KEY.replace("example", "exemple"), "copied wrongly"),
            (WITNESS_KEYS[0], "not an Ed25519 key of a log"),
        ):
            yield case(f"key {key}", "key", why, keys=(key,))
        yield case("another's key", "checkpoint", "is not signed by", keys=(STRANGERS_KEY,))
        yield case("another log's key", "checkpoint", "is not signed by", keys=(OTHER_KEY,))
        yield case("a log as witness", "witness", "of a witness", witnesses=(LOG_KEY,))
        yield case("a witness twice", "witness", "twice", witnesses=WITNESS_KEYS[:1] * 2)
        renamed = str(VerifierKey.of(replace_name(WITNESSES[0], "witness.example/again")))
        yield case("a witness renamed", "witness", "twice", witnesses=(*WITNESS_KEYS, renamed))
        absent = str(VerifierKey.of(replace_name(WITNESSES[0], "witness.example/absent", "three")))
        yield case(
            "a witness that did not cosign",
            "checkpoint",
            "2 witnesses cosigned it, and 3 are needed",
            witnesses=(*WITNESS_KEYS, absent),
        )
        for quorum in (-1, 0, 3):
            yield case(f"a quorum of {quorum}", "quorum", "between 1 and", quorum=quorum)
        yield case("a quorum of nobody", "quorum", "the 0 witnesses", witnesses=(), quorum=1)


def replace_name(signer: InventedSigner, name: str, seed: str = "witness 1") -> InventedSigner:
    return InventedSigner(name, seed, signer.algorithm)


def changed_fields() -> Iterator[Case]:
    """Yield the statement with every value in it made wrong in every way of its type."""
    original = sound().body
    for path, value in _walk(original, ()):
        for n, wrong in enumerate(_wrong(value)):
            body = copy.deepcopy(original)
            holder: Any = body
            for step in path[:-1]:
                holder = holder[step]
            if path:
                holder[path[-1]] = wrong
            else:
                body = wrong
            name = "".join(f"[{s}]" if isinstance(s, int) else f".{s}" for s in path)
            yield Case(f"{name} #{n}", _json(body), "")


def _json(value: object) -> bytes:
    return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()


def _walk(value: object, path: tuple[str | int, ...]) -> Iterator[tuple[tuple[Any, ...], object]]:
    yield path, value
    if isinstance(value, dict):
        for name, item in value.items():
            yield from _walk(item, (*path, name))
    elif isinstance(value, list):
        for n, item in enumerate(value):
            yield from _walk(item, (*path, n))


def _wrong(value: object) -> Iterator[object]:
    yield from (
        other for other in _unlike(value) if other != value or type(other) is not type(value)
    )


def _unlike(value: object) -> Iterator[object]:
    yield from (None, True, "words", 2, [], {})
    if isinstance(value, dict):
        for name in value:
            yield {key: item for key, item in value.items() if key != name}
        yield value | {"trust": "me"}
    elif isinstance(value, list):
        yield from (value[1:], value[:-1], value[::-1], value + value[-1:], [value])
        yield [*value[:-2], *value[-1:], *value[-2:-1]]
    elif isinstance(value, int):
        yield from (value + 1, value - 1, -value, 1 << 60, 1 << 200, str(value), value + 0.5)
        yield float(value)
    elif isinstance(value, str):
        yield from (value + "=", value + "\n", value[:-1], value[::-1], "\ufeff" + value, "")
        yield from (flipped(value), flipped(value, -1), flipped(value)[:40])


def flipped(text: str, at: int = 0) -> str:
    """Return base64 of what a text stands for with a bit changed, else the text changed."""
    try:
        data = bytearray(base64.b64decode(text, validate=True))
        data[at] ^= 1
    except (ValueError, IndexError):
        return "x" + text
    return base64.b64encode(data).decode()


def encoded(data: bytes) -> str:
    """Return bytes in base64."""
    return base64.b64encode(data).decode()


def changed_proofs() -> Iterator[Case]:
    """Yield the proof with each byte changed, and its lines changed, dropped and moved."""
    proof = sound().proof
    for at in range(len(proof)):
        yield Case(f"byte {at}", proof[:at] + bytes([proof[at] ^ 1]) + proof[at + 1 :], "")
    lines = proof.split(b"\n")
    signatures = len(lines) - 4
    for n in range(len(lines) - 1):
        yield Case(f"without line {n}", b"\n".join(lines[:n] + lines[n + 1 :]), "")
        yield Case(
            f"line {n} with a space", b"\n".join([*lines[:n], lines[n] + b" ", *lines[n + 1 :]]), ""
        )
        if n >= signatures:
            continue  # their order says nothing, and one may be there twice
        yield Case(f"line {n} twice", b"\n".join(lines[: n + 1] + lines[n:]), "")
        if lines[n] != lines[n + 1]:
            swapped = [*lines[:n], lines[n + 1], lines[n], *lines[n + 2 :]]
            yield Case(f"line {n} after the next", b"\n".join(swapped), "")
    for end in range(0, len(proof), 7):
        yield Case(f"cut at {end}", proof[:end], "")
    extra = json.loads(base64.b64decode(lines[1].removeprefix(b"extra ")))
    for name, value in extra.items():
        for n, wrong in enumerate(_wrong(value)):
            opening = base64.b64encode(_json(extra | {name: wrong}))
            yield Case(f"{name} #{n}", b"\n".join([lines[0], b"extra " + opening, *lines[2:]]), "")


Change: TypeAlias = Callable[[Json], object]


def named_cases() -> Iterator[Case]:
    """Yield what is refused for a reason that must be named exactly."""
    for where, why, change in STATEMENTS:
        body = sound().body
        change(body)
        yield Case(f"{where}: {why}", _json(body), where, why)
    for where, why, turn in PROOFS:
        yield Case(f"proof: {where}: {why}", turn(sound().proof.decode()).encode(), where, why)
    for where, why, data in FILES:
        yield Case(f"file: {where}: {why} {len(data)}", data, where, why)
    for why, note in CHECKPOINTS:
        body = sound().body
        body["checkpoint"] = note(body["checkpoint"])
        yield Case(f"checkpoint: {why}", _json(body), "checkpoint", why)
    nobody = json.loads(sound().nobody)
    nobody["newest"] = sound().body["newest"]
    yield Case("newest of none", _json(nobody), "newest", "no entry that it could be of")
    yield from _beyond_the_ends()


def _beyond_the_ends() -> Iterator[Case]:
    """Yield absences with a row where there can be none: before the first, after the last."""
    with TemporaryDirectory() as folder:
        log = InventedLog(Path(folder))
        log.add(SYSTEM, "hub:started")
        log.publish()
        for number in range(6):
            body = json.loads(log.statement(person(number)))
            absence = body["none_after"][0]
            side, other = ("before", "after") if absence["before"] is None else ("after", "before")
            absence[side] = absence[other]
            where = f"none_after[0].{side}"
            yield Case(f"{where} of {number}", _json(body), where, "there is no row at this place")


def _set(*path: str | int, to: Callable[[Any], object]) -> Change:
    def change(body: Json) -> None:
        holder: Any = body
        for step in path[:-1]:
            holder = holder[step]
        holder[path[-1]] = to(holder[path[-1]])

    return change


def _drop(*path: str | int) -> Change:
    def change(body: Json) -> None:
        holder: Any = body
        for step in path[:-1]:
            holder = holder[step]
        del holder[path[-1]]

    return change


LEADS = "does not lead to the root that was signed"
NO_ROW = "this row does not stand at this place"

STATEMENTS: list[tuple[str, str, Change]] = [
    ("format", "it is not mingjing-statement-1", _set("format", to=lambda _: "mingjing-proof-1")),
    ("format", "it is not mingjing-statement-1", _drop("format")),
    ("origin", "the checkpoint is of the log", _set("origin", to=lambda _: OTHER_LOG.name)),
    ("chain_key", "missing", _drop("chain_key")),
    ("file", "a field that does not belong", lambda body: body.update(trust="me")),
    ("entries[0].inclusion", LEADS, _set("chain_key", to=flipped)),
    ("entries[0].inclusion", LEADS, _drop("entries", 0)),
    ("entries[2].inclusion", LEADS, _drop("entries", 2)),
    ("newest.path", "fewer hashes", _drop("entries", -1)),
    ("entries[0].inclusion", LEADS, _set("entries", to=lambda e: e[::-1])),
    ("entries[3].inclusion", LEADS, _set("entries", to=lambda e: [*e[:3], e[4], e[3], *e[5:]])),
    ("entries[6].inclusion", LEADS, _set("entries", to=lambda e: [*e, e[-1]])),
    ("entries[1].record", "missing", _drop("entries", 1, "content")),
    ("entries[1].inclusion", LEADS, _set("entries", 1, "content", to=flipped)),
    ("entries[2].salt", "missing", _drop("entries", 2, "salt")),
    (
        "entries[2].position",
        "there is no entry 600 among 600",
        _set("entries", 2, "position", to=lambda _: 600),
    ),
    ("entries[2].position", "whole number", _set("entries", 2, "position", to=lambda _: -1)),
    ("entries[2].position", "whole number", _set("entries", 2, "position", to=lambda _: True)),
    ("file", "not canonical JSON", _set("entries", 2, "position", to=lambda _: 1 << 200)),
    ("file", "not canonical JSON", _set("entries", 2, "position", to=float)),
    ("entries[2].inclusion", "fewer hashes", _set("entries", 2, "inclusion", to=lambda _: [])),
    (
        "entries[2].inclusion",
        "more hashes than any",
        _set("entries", 2, "inclusion", to=lambda i: i[:1] * 64),
    ),
    (
        "entries[2].inclusion",
        "does not have 32 bytes",
        _set("entries", 2, "inclusion", 3, to=lambda _: "AAAA"),
    ),
    (
        "entries[2].inclusion",
        "it is not base64",
        _set("entries", 2, "inclusion", 3, to=lambda _: "*"),
    ),
    (
        "entries[2].inclusion",
        "one right spelling",
        _set("entries", 2, "inclusion", 3, to=lambda h: h[:-2] + chr(ord(h[-2]) + 1) + "="),
    ),
    ("newest", "it is not a JSON object", _set("newest", to=lambda _: None)),
    ("newest.index", "no row 256 among", _set("newest", "index", to=lambda _: 256)),
    ("newest.path", NO_ROW, _set("newest", "index", to=lambda n: n ^ 1)),
    ("none_after", "there are 2, and the index has 3", _drop("none_after", 1)),
    (
        "none_after[0].before",
        "not a JSON object",
        _set("none_after", 0, "before", to=lambda _: None),
    ),
    ("none_after[0].before.path", NO_ROW, _set("none_after", 0, "index", to=lambda n: n + 1)),
    (
        "none_after[0].index",
        "there are only 256 rows",
        _set("none_after", 0, "index", to=lambda _: 257),
    ),
    (
        "none_after[0].before.row",
        "does not have 40 bytes",
        _set("none_after", 0, "before", "row", to=lambda r: encoded(base64.b64decode(r)[:32])),
    ),
    (
        "none_after[0].before.row",
        "does not stand before",
        _set("none_after", 0, "before", "row", to=lambda r: encoded(b"\xff" * 40)),
    ),
    (
        "none_after[0].after.row",
        "does not stand after",
        _set("none_after", 0, "after", "row", to=lambda r: encoded(bytes(40))),
    ),
    (
        "none_after[0].before.path",
        NO_ROW,
        _set("none_after", to=lambda a: [*a[1:2], *a[:1], *a[2:]]),
    ),
    ("runs", "there are 2, and the index has 3", _drop("runs", 2)),
    ("runs[1]", "no such run at this place", _set("runs", to=lambda r: [r[0], r[2], r[1]])),
    ("runs[3]", "no such run", _set("runs", to=lambda r: [*r, r[2]])),
    ("runs[0]", "no such run", _set("runs", 0, "level", to=lambda _: 1)),
    ("runs", "do not lead to the root of the index", _set("runs", 1, "root", to=flipped)),
    (
        "index.opening.position",
        "it is 599, and the last of 601 entries is 600",
        _set("index", "opening", "position", to=lambda n: n - 1),
    ),
    ("index.inclusion", LEADS, _set("index", "opening", "number", to=lambda n: n + 1)),
    ("bulk.key", "missing", _drop("bulk", "key")),
    ("bulk.persons[0].presence.path", NO_ROW, _set("bulk", "key", to=flipped)),
    ("bulk.entries[1].inclusion", LEADS, _drop("bulk", "entries", 1)),
    ("bulk.newest.path", "fewer hashes", _drop("bulk", "entries", 2)),
    ("bulk.persons", "there are 2 for 3", _drop("bulk", "persons", 0)),
    ("bulk.persons[1].absence", "missing", _set("bulk", "persons", 1, to=lambda _: {})),
    (
        "bulk.persons[1].presence.path",
        NO_ROW,
        _set(
            "bulk",
            "persons",
            1,
            to=lambda p: {
                "presence": {"index": 1, "path": p["absence"]["after"]["path"]},
                "particulars": {},
            },
        ),
    ),
    ("bulk.persons[0].particulars", "missing", _drop("bulk", "persons", 0, "particulars")),
    (
        "bulk.persons[2].particulars.inclusion",
        "it has more hashes",
        _set(
            "bulk", "persons", to=lambda p: [*p[:2], {**p[2], "particulars": p[0]["particulars"]}]
        ),
    ),
    (
        "bulk.persons[0].particulars.inclusion",
        LEADS,
        _set("bulk", "persons", 0, "particulars", "number", to=lambda n: n + 1),
    ),
    (
        "bulk.persons[0].absence.index",
        "only 8 rows",
        _set(
            "bulk",
            "persons",
            0,
            to=lambda _: {"absence": {"index": 9, "before": None, "after": None}},
        ),
    ),
]


def _line(at: int, line: str) -> Callable[[str], str]:
    def turn(proof: str) -> str:
        lines = proof.split("\n")
        lines[at] = line
        return "\n".join(lines)

    return turn


def _without(at: int) -> Callable[[str], str]:
    def turn(proof: str) -> str:
        lines = proof.split("\n")
        return "\n".join(lines[:at] + lines[at + 1 :])

    return turn


def _extra(change: Callable[[Json], object]) -> Callable[[str], str]:
    def turn(proof: str) -> str:
        lines = proof.split("\n")
        opening = json.loads(base64.b64decode(lines[1].removeprefix("extra ")))
        change(opening)
        return _line(1, "extra " + encoded(_json(opening)))(proof)

    return turn


PROOFS: list[tuple[str, str, Callable[[str], str]]] = [
    ("extra", "missing, and with it the record", _without(1)),
    ("extra", "it is not base64", _line(1, "extra *")),
    ("extra", "not UTF-8", _line(1, "extra " + encoded(b"\xff"))),
    ("extra", "not canonical JSON", _line(1, "extra " + encoded(b"words"))),
    ("extra", "not canonical JSON", _line(1, "extra " + encoded(b'{"a": 1}'))),
    ("extra", "not canonical JSON", _line(1, "extra " + encoded(b'{"a":1,"a":1}'))),
    ("extra", "not canonical JSON", _line(1, "extra " + encoded(b"[" * 100_000))),
    ("extra", "not a JSON object", _line(1, "extra " + encoded(b"[]"))),
    ("extra.tag", "missing", _extra(_drop("tag"))),
    ("extra", "a field that does not belong", _extra(lambda opening: opening.update(trust="me"))),
    ("extra.tag", "does not have 32 bytes", _extra(_set("tag", to=lambda _: "AAAA"))),
    ("extra.record", "it is not JSON", _extra(_set("record", to=lambda _: encoded(b"words")))),
    ("extra.record", "not a JSON object", _extra(_set("record", to=lambda _: encoded(b"[]")))),
    ("inclusion", LEADS, _extra(_set("tag", to=flipped))),
    ("inclusion", LEADS, _extra(_set("previous", to=flipped))),
    ("inclusion", LEADS, _extra(_set("salt", to=flipped))),
    ("inclusion", LEADS, _extra(_set("number", to=lambda n: n + 1))),
    ("inclusion", LEADS, _extra(_set("record", to=lambda _: encoded(b"{}")))),
    ("index", "missing", _without(2)),
    ("index", "no entry 601 among 601", _line(2, "index 601")),
    ("index", "plain decimal", _line(2, "index -1")),
    ("index", "plain decimal", _line(2, "index 0300")),
    ("index", "plain decimal", _line(2, "index 3e2")),
    ("index", "plain decimal", _line(2, "index \u0663")),
    ("index", "plain decimal", _line(2, f"index {1 << 53}")),
    ("index", "plain decimal", _line(2, f"index {1 << 200}")),
    ("inclusion", LEADS, _line(2, "index 301")),
    ("inclusion", "fewer hashes", _without(3)),
    (
        "inclusion",
        "more hashes than this place",
        lambda p: p.replace("\n\n", "\n" + "A" * 43 + "=\n\n", 1),
    ),
    (
        "inclusion",
        "more hashes than any",
        lambda p: p.replace("\n\n", ("\n" + "A" * 43 + "=") * 64 + "\n\n", 1),
    ),
    ("inclusion", "it is not base64", _line(3, "*")),
    ("inclusion", "does not have 32 bytes", _line(3, "AAAA")),
    ("file", "no blank line", lambda p: p.replace("\n\n", "\n")),
    ("file", "its first line is not c2sp.org", _line(0, "c2sp.org/tlog-proof@v2")),
    ("checkpoint", "is false", _line(0, "c2sp.org/tlog")),
    ("checkpoint", "not a signed note", lambda p: p.split("\n\n")[0] + "\n\n"),
]

FILES: list[tuple[str, str, bytes]] = [
    ("file", "it is neither a proof", b""),
    ("file", "it is neither a proof", b"words"),
    ("file", "it is neither a proof", b"[]"),
    ("file", "it is not UTF-8", b"\xff\xfe"),
    ("file", "not canonical JSON", b"{"),
    ("file", "not canonical JSON", b'{"a":' * 100_000),
    ("file", "not canonical JSON", b'{"format":NaN}'),
    ("file", "not canonical JSON", b'{"format": "mingjing-statement-1"}'),
    ("file", "not canonical JSON", b'{"format":"mingjing-statement-1","format":"x"}'),
    ("file", "not canonical JSON", b'{"b":1,"a":1}'),
    ("file", "not canonical JSON", b'{"a":-0}'),
    ("file", "not canonical JSON", b'{"a":"\\ud800"}'),
    ("file", "not canonical JSON", b'{"a":"\\u0041"}'),
    ("file", "not canonical JSON", b'{"a":9007199254740992}'),
    ("file", "not canonical JSON", b"{}\n"),
    ("format", "it is not mingjing-statement-1", b"{}"),
    (
        "format",
        "it is not mingjing-statement-1",
        '{"a":["\\u001f","\\"","\U0001f642",null]}'.encode(),
    ),
    ("extra", "missing", b"c2sp.org/tlog-proof@v1\n\n\n"),
    ("file", "there is no blank line", b"c2sp.org/tlog-proof@v1\n"),
]

Notes: TypeAlias = Callable[[str], str]


def _signed_words(words: str) -> Notes:
    return lambda _: sign_note(words, (LOG, *WITNESSES), COSIGNED)


def _of(origin: str, size: int, root: bytes = bytes(32)) -> Notes:
    return lambda _: sign_checkpoint(Checkpoint(origin, size, root), LOG, *WITNESSES, time=COSIGNED)


def _signature_changed(n: int) -> Notes:
    def turn(note: str) -> str:
        lines = note.split("\n")
        name, _, encoded_ = lines[4 + n].rpartition(" ")
        lines[4 + n] = f"{name} {flipped(encoded_, -1)}"
        return "\n".join(lines)

    return turn


CHECKPOINTS: list[tuple[str, Notes]] = [
    ("not a signed note", lambda _: ""),
    ("not a signed note", lambda n: n[:-1]),
    ("not a signed note", lambda n: "\x00" + n),
    ("not a signed note", lambda n: n.replace("\n\n", "\n")),
    ("signature of mingjing.example/ledger+", lambda n: "x" + n),
    ("signature of mingjing.example/ledger+", lambda n: n.replace("\n601\n", "\n602\n")),
    ("signature of mingjing.example/ledger+", _signature_changed(0)),
    ("cosignature of witness.example/1+", _signature_changed(1)),
    ("cosignature of witness.example/2+", _signature_changed(2)),
    ("1 witnesses cosigned it, and 2 are needed", lambda n: n[: n.rindex("\u2014")]),
    ("0 witnesses cosigned it", lambda n: n[: n.index("\n", n.index("\u2014")) + 1]),
    ("it is not signed by", lambda n: n[: n.index("\u2014")] + n[n.index("\u2014 witness") :]),
    ("one of its signature lines is malformed", lambda n: n.replace("\u2014", "-")),
    ("one of its signatures is too short", lambda n: n + "\u2014 a AAAA\n"),
    ("malformed", lambda n: n + "\u2014 a+b AAAA\n"),
    ("malformed", lambda n: n + "\u2014 \n"),
    ("malformed", lambda n: n + "\u2014 \u3000 AAAAAAA=\n"),
    ("it is not base64", lambda n: n + "\u2014 a *\n"),
    ("more than 100 signatures", lambda n: n + "\u2014 a AAAAAAA=\n" * 98),
    ("not have its three lines", _signed_words("words\n")),
    ("not have its three lines", _signed_words("a\n\nb\nc\n")),
    ("plain decimal", _signed_words("a\n013\nb\n")),
    ("plain decimal", _signed_words(f"a\n{1 << 53}\nb\n")),
    ("it is not base64", _signed_words("a\n13\nb\n")),
    ("does not have 32 bytes", _signed_words("a\n13\nAAAA\n")),
    ("it is of the log mingjing.example/other", _of("mingjing.example/other", 601)),
    ("a root that no empty log has", _of(ORIGIN, 0)),
]


def lies() -> Iterator[Case]:
    """Yield what a log could sign, and what no reader may believe."""
    for where, why, tell in LIES:
        with TemporaryDirectory() as folder:
            log = InventedLog(Path(folder))
            tell(log)
            body = json.loads(log.statement(ME))
            for entry in (*body["entries"], *body["bulk"]["entries"]):
                record = log.stored[entry["position"]].record
                if record is not None:
                    entry["record"] = encoded(record)
            for entry, said in zip(body["bulk"]["entries"], body["bulk"]["persons"], strict=True):
                record = log.stored[entry["position"] - 1].record
                if "particulars" in said and record is not None:
                    said["particulars"]["record"] = encoded(record)
            yield Case(f"lie: {where}: {why}", _json(body), where, why)


def _published(**record: Any) -> Callable[[InventedLog], object]:
    def tell(log: InventedLog) -> None:
        log.add(ME, DISCLOSED)
        log.publish(record=record)

    return tell


def _recorded(record: bytes) -> Callable[[InventedLog], object]:
    def tell(log: InventedLog) -> None:
        log.add(ME, DISCLOSED)
        log.lie_about(0, record)
        log.publish()

    return tell


def _out_of_order(log: InventedLog) -> None:
    log.add(ME, DISCLOSED)
    log.add(ME, DISCLOSED)
    log.swap(0, 1)
    log.publish()


def _forgotten(**eraser: Any) -> Callable[[InventedLog], object]:
    def tell(log: InventedLog) -> None:
        log.add(ME, "hub:entry:erased", entry=1, by="too early", ground="none")
        log.add(ME, DISCLOSED)
        log.add(SYSTEM, "hub:entry:erased", entry=1, by="another chain", ground="none")
        log.add(ME, "hub:entry:erased", entry=1, by="who is said to", ground="none")
        log.forget(1, by=3)
        log.lie(3, **eraser)
        log.publish()

    return tell


def _after(log: InventedLog) -> None:
    log.add(ME, DISCLOSED)
    log.publish()
    public = log.checkpoint()
    log.add(SYSTEM, "hub:started")
    log.sign_again(size=public.size)


def _bulk(**record: Any) -> Callable[[InventedLog], object]:
    def tell(log: InventedLog) -> None:
        log.disclose(bytes(16), [ME, person(2)])
        log.disclose(bytes(range(16)), [ME, person(2)])
        log.lie(3, **record)
        log.publish()

    return tell


def _bulk_said(**record: Any) -> Callable[[InventedLog], object]:
    def tell(log: InventedLog) -> None:
        log.disclose(bytes(16), [ME, person(2)])
        log.lie(0, **record)
        log.publish()

    return tell


NOT_THIS = "it is not that of this bulk disclosure"
NOT_BULK = "it is not that of a bulk disclosure"
LIES: list[tuple[str, str, Callable[[InventedLog], object]]] = [
    ("entries[1].position", "it is not after the entry before, at 1", _out_of_order),
    ("entries[1]", "none says who erased it", _forgotten(entry=3)),
    ("entries[1]", "none says who erased it", _forgotten(entry="1")),
    ("entries[1]", "none says who erased it", _forgotten(entry=True)),
    ("entries[1]", "none says who erased it", _forgotten(event="hub:entry:kept")),
    ("index.opening.record", "not the record of an index", _published(event="hub:started")),
    ("index.opening.record", "not the record of an index", _published(index=None)),
    ("index.opening.record", "not over 1 entries", _published(index={"root": "00" * 32})),
    ("index.opening.record", "not over 1 entries", _published(index={"size": 0})),
    ("index.opening.record", "not over 1 entries", _published(index={"size": True})),
    ("runs", "do not lead to the root", _published(index={"size": 1})),
    ("runs", "do not lead to the root", _published(index={"size": 1, "root": "00" * 32})),
    ("index.opening.position", "it is 1, and the last of 3 entries is 2", _after),
    ("entries[0].record", "it is not JSON", _recorded(b"words")),
    ("entries[0].record", "it is not JSON", _recorded(b"\xff")),
    ("entries[0].record", "it is not JSON", _recorded(b"\xef\xbb\xbf{}")),
    ("entries[0].record", "it is not JSON", _recorded(b'{"a":NaN}')),
    ("entries[0].record", "it is not JSON", _recorded(b"[" * 100_000)),
    ("entries[0].record", "it is not a JSON object", _recorded(b"[]")),
    ("entries[0].record", "not canonical", _recorded(b'{"entry": 1,"event":"hub:entry:erased"}')),
    ("entries[0].record", "not canonical", _recorded(b'{"entry":1.0,"event":"hub:entry:erased"}')),
    ("bulk.entries[1].record", NOT_BULK, _bulk(event="hub:bulk:forgotten")),
    ("bulk.entries[1].record", NOT_BULK, _bulk(count=0)),
    ("bulk.entries[1].record", NOT_BULK, _bulk(count="2")),
    ("bulk.entries[1].record", NOT_BULK, _bulk(root="00")),
    ("bulk.entries[1].record", NOT_BULK, _bulk(bulk="00")),
    ("bulk.entries[1].record", NOT_BULK, _bulk(bulk=None)),
    ("bulk.persons[1].presence.path", NO_ROW, _bulk(root="00" * 32)),
    ("bulk.persons[1].presence.index", "there is no row", _bulk(count=1)),
    ("bulk.persons[0].particulars.record", NOT_THIS, _bulk_said(event="hub:started")),
    ("bulk.persons[0].particulars.record", NOT_THIS, _bulk_said(bulk=bytes(16).hex())),
    ("bulk.persons[0].particulars.record", NOT_THIS, _bulk_said(bulk={"id": "01" * 16})),
]


def refused_cases() -> Iterator[Case]:
    """Yield everything that must be refused."""
    yield from trust_cases()
    yield from named_cases()
    yield from lies()
    yield from changed_fields()
    yield from changed_proofs()
