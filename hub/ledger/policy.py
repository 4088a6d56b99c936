"""Whose word makes a checkpoint count: the logs, the witnesses and the quorum of a policy file.

A checkpoint is valid under a policy when one of its logs signed it and a quorum of its witnesses
cosigned it. Names are opaque octets: two that look alike are two names.

Source: C2SP tlog-policy; tlog-cosignature for the cosignatures.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from hub.errors import RequestError
from hub.ledger.algorithms import COSIGNATURE
from hub.ledger.note import Checkpoint, Note, VerifierKey

NONE = "none"
BYTES_LIMIT = 1 << 20

_FORBIDDEN = re.compile(rb"[^\t\n\x20-\x7e\x80-\xff]")
_BLANK = re.compile(r"[ \t]+")
_THRESHOLD = re.compile(r"[1-9][0-9]{0,5}")


@dataclass(frozen=True, slots=True)
class PolicyLog:
    """A log the policy knows: its key, whose name is its origin, and where it is, if said."""

    key: VerifierKey
    url: str | None = None


@dataclass(frozen=True, slots=True)
class PolicyWitness:
    """A witness the policy knows: its name in the policy, its key, where it is asked, if said."""

    name: str
    key: VerifierKey
    url: str | None = None


@dataclass(frozen=True, slots=True)
class Group:
    """Names of witnesses and groups, of which so many must have cosigned."""

    name: str
    threshold: int
    members: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Judgement:
    """What a policy makes of a note.

    Attributes:
        checkpoint: signed by `log`.
        times: of each witness whose cosignature holds, by its name in the policy, when it
            cosigned, in seconds since 1970.
        has_quorum: whether those are enough.
    """

    checkpoint: Checkpoint
    log: VerifierKey
    times: Mapping[str, int]
    has_quorum: bool


@dataclass(frozen=True, slots=True)
class Policy:
    """Known logs, known witnesses, groups in the order they were defined, and the quorum."""

    logs: tuple[PolicyLog, ...]
    witnesses: tuple[PolicyWitness, ...]
    groups: tuple[Group, ...]
    quorum: str

    @classmethod
    def parse(cls, data: bytes) -> Policy:
        """Read a policy file.

        Raises:
            RequestError: names the line and the rule that is broken.
        """
        if len(data) > BYTES_LIMIT:
            raise RequestError(f"the policy is longer than {BYTES_LIMIT} bytes")
        found = _FORBIDDEN.search(data)
        if found:
            raise RequestError(f"the policy holds the control character 0x{found[0].hex()}")
        if data and not data.endswith(b"\n"):
            raise RequestError("the policy's last line does not end in a newline")
        draft = _Draft()
        for number, line in enumerate(data.decode(errors="surrogateescape").split("\n"), 1):
            try:
                draft.read(line.strip(" \t"))
            except RequestError as refusal:
                raise RequestError(f"line {number} of the policy: {refusal.message}") from None
        return draft.finished()

    def judge(self, note: str) -> Judgement:
        """Return what the policy makes of a signed checkpoint.

        Raises:
            RequestError: when the note is malformed, not a checkpoint, of an unknown log or not
                signed by it, or falsely signed under any key of the policy.
        """
        parsed = Note.parse(note)
        checkpoint = Checkpoint.parse(parsed.text)
        logs = [log.key for log in self.logs if log.key.name == checkpoint.origin]
        if not logs:
            raise RequestError(f"the policy knows no log {checkpoint.origin!r}")
        signed = [key for key in logs if _time(key, parsed) is not None]
        if not signed:
            raise RequestError("the checkpoint is not signed by its log")
        if not checkpoint.is_possible:
            raise RequestError("the checkpoint is of an empty tree, with another root than it has")
        times = {w.name: _time(w.key, parsed) for w in self.witnesses}
        held = {name: time for name, time in times.items() if time is not None}
        return Judgement(checkpoint, signed[0], held, self.is_quorum(set(held)))

    def require(self, note: str) -> Judgement:
        """Return the judgement of a checkpoint that has its quorum.

        Raises:
            RequestError: as `judge`, and when there are too few cosignatures.
        """
        judgement = self.judge(note)
        if not judgement.has_quorum:
            raise RequestError(
                f"the checkpoint does not have the cosignatures that {self.quorum!r} asks for"
            )
        return judgement

    def is_quorum(self, names: set[str]) -> bool:
        """Say whether cosignatures of these witnesses are enough."""
        reached = set(names)
        for group in self.groups:  # members are defined before the group
            if sum(member in reached for member in group.members) >= group.threshold:
                reached.add(group.name)
        return self.quorum == NONE or self.quorum in reached

    def published(self) -> bytes:
        """Return the policy as anybody may have it: without the addresses of logs and witnesses."""
        lines = [f"log {log.key}" for log in self.logs]
        lines += [f"witness {witness.name} {witness.key}" for witness in self.witnesses]
        lines += [f"group {g.name} {g.threshold} {' '.join(g.members)}" for g in self.groups]
        text = "".join(f"{line}\n" for line in (*lines, f"quorum {self.quorum}"))
        return text.encode(errors="surrogateescape")

    def plainly(self) -> tuple[tuple[VerifierKey, ...], int]:
        """Return the Ed25519 witnesses that the quorum asks, and how many at least it needs of them.

        It is what a verifier can ask that knows neither groups nor other kinds of keys; whatever
        the policy holds for good with those cosignatures, this does as well. ((), 0) where no
        choice of Ed25519 witnesses reaches the quorum, or none is asked for.
        """
        held: dict[str, tuple[tuple[VerifierKey, ...], int]] = {
            witness.name: ((witness.key,), 1)
            for witness in self.witnesses
            if witness.key.algorithm is COSIGNATURE
        }
        for group in self.groups:  # members are defined before the group, and of no other
            able = [held[member] for member in group.members if member in held]
            if len(able) >= group.threshold:
                least = sum(sorted(count for _, count in able)[: group.threshold])
                held[group.name] = (tuple(key for keys, _ in able for key in keys), least)
        return held.get(self.quorum, ((), 0))


def _time(key: VerifierKey, note: Note) -> int | None:
    """Return when a key signed a note (0 for types without a time); None when it did not.

    Raises:
        RequestError: when a signature claims to be the key's and is not.
    """
    found = None
    for signature in note.signatures:
        if signature.is_of(key):
            found = key.time_of(note.text, signature.signature)
            if found is None:
                raise RequestError(f"the signature of {key.title} is false")
    return found


class _Draft:
    """A policy while its lines are read."""

    def __init__(self) -> None:
        self.logs: list[PolicyLog] = []
        self.witnesses: list[PolicyWitness] = []
        self.groups: list[Group] = []
        self.quorum: str | None = None
        self.names: set[str] = set()
        self.members: set[str] = set()

    def read(self, line: str) -> None:
        if not line or line.startswith("#"):
            return
        word, *items = _BLANK.split(line)
        readers: dict[str, Callable[[list[str]], None]] = {
            "log": self._log,
            "witness": self._witness,
            "group": self._group,
            "quorum": self._quorum,
        }
        if word not in readers:
            raise RequestError("it does not begin with log, witness, group or quorum")
        readers[word](items)

    def finished(self) -> Policy:
        if self.quorum is None:
            raise RequestError("the policy has no quorum line")
        return Policy(tuple(self.logs), tuple(self.witnesses), tuple(self.groups), self.quorum)

    def _log(self, items: list[str]) -> None:
        if len(items) not in (1, 2):
            raise RequestError("a log line holds a key and perhaps a URL, nothing else")
        key = VerifierKey.parse(items[0])
        if any(log.key.public_key == key.public_key for log in self.logs):
            raise RequestError(f"the log {key.title} has the key of another")
        self.logs.append(PolicyLog(key, items[1] if len(items) == 2 else None))

    def _witness(self, items: list[str]) -> None:
        if len(items) not in (2, 3):
            raise RequestError("a witness line holds a name, a key and perhaps a URL, nothing else")
        key = VerifierKey.parse(items[1])
        if not key.algorithm.is_cosignature:
            raise RequestError(f"the key {key.title} is not one for cosignatures")
        if any(witness.key.public_key == key.public_key for witness in self.witnesses):
            raise RequestError(f"the witness {key.title} has the key of another")
        self._define(items[0])
        url = items[2] if len(items) == 3 else None
        self.witnesses.append(PolicyWitness(items[0], key, url))

    def _group(self, items: list[str]) -> None:
        if len(items) < 3:
            raise RequestError("a group line holds a name, a threshold and at least one member")
        name, threshold, *members = items
        for member in members:
            self._join(member)
        self._define(name)
        self.groups.append(Group(name, _threshold(threshold, len(members)), tuple(members)))

    def _quorum(self, items: list[str]) -> None:
        if len(items) != 1:
            raise RequestError("a quorum line holds one name")
        if self.quorum is not None:
            raise RequestError("there is a second quorum line")
        if items[0] != NONE and items[0] not in self.names:
            raise RequestError(f"the name {_shown(items[0])} is not defined above")
        self.quorum = items[0]

    def _define(self, name: str) -> None:
        if name == NONE or name in self.names:
            raise RequestError(f"the name {_shown(name)} is taken")
        self.names.add(name)

    def _join(self, member: str) -> None:
        if member == NONE:
            raise RequestError("none cannot be a member of a group")
        if member not in self.names:
            raise RequestError(f"the name {_shown(member)} is not defined above")
        if member in self.members:
            raise RequestError(f"{_shown(member)} is a member of a group already")
        self.members.add(member)


def _threshold(text: str, count: int) -> int:
    named = {"any": 1, "all": count}
    if text in named:
        return named[text]
    if not _THRESHOLD.fullmatch(text) or int(text) > count:
        raise RequestError(f"the threshold is neither any, all nor a number from 1 to {count}")
    return int(text)


def _shown(name: str) -> str:
    return ascii(name)
