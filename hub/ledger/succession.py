"""A successor of a ledger that cannot be gone on with: its key is lost, or an old backup is all.

The new log has a name and keys of its own. Its first entry names the former one: its origin, the
size and root of its last checkpoint, why it ended and who said so. What is left of the former one
is kept beside it, ended for whoever still has it open, and can be read and verified.

Every step can be done again, so that a succession that was stopped is finished by another call.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from hub.canonical import canonical_json
from hub.clock import Clock, stamp_of
from hub.config import Settings, save_settings
from hub.errors import ConfigError, KeyMissing, LedgerError, RequestError, TamperDetected
from hub.events import EventTag
from hub.files import sync_folder, write_over
from hub.keyring import OF_A_LOG, Keyring, NoteSigner
from hub.ledger.composition import open_ledger
from hub.ledger.entry import SEALED, Chain, ChainKeys, ChainKind
from hub.ledger.log import Ledger, LoggedEntry
from hub.ledger.merkle import CompactRange
from hub.ledger.note import Checkpoint, Note, VerifierKey, check_origin
from hub.ledger.public_files import CHECKPOINT, KEYS, PublicFiles
from hub.ledger.sqlite import SqliteStore, end
from hub.ledger.sqlite_file import create
from hub.ledger.writer import RELEASED_EVENT, Entry, Identity


@dataclass(frozen=True, slots=True)
class Request:
    """Why a ledger gets a successor, and under which name.

    Attributes:
        origin: the successor's public name, never used before.
        by: who says so, as a pseudonym or an office.
        although_intact: whether to end even a ledger that could be gone on with.
    """

    origin: str
    why: str
    by: str
    although_intact: bool = False


@dataclass(frozen=True, slots=True)
class Former:
    """A ledger that has a successor.

    Attributes:
        number: counts from 1, the oldest.
        keys: the public keys that its checkpoints are verified with, newest first.
    """

    number: int
    origin: str
    size: int
    root: str
    keys: tuple[str, ...]
    folder: Path


def succeed(settings: Settings, keyring: Keyring, clock: Clock, request: Request) -> Settings:
    """Begin a successor of the hub's ledger; return the settings that go with it.

    No other process of the hub may be running. One that was stopped is finished.

    Raises:
        RequestError: when the name cannot be a log's or was used before, another succession waits
            to be finished, or the ledger is intact and `although_intact` was not said.
        ConfigError: when the ledger is kept in a database.
        LedgerError: when the disk does not take it.
    """
    check_origin(request.origin)
    if settings.ledger_url is not None:
        raise ConfigError(
            "a ledger in a database gets its successor in another: docs/operations.md"
        )
    try:
        return _Succession(settings, keyring, clock).run(request)
    except OSError as exc:
        raise LedgerError(f"the successor cannot be made: {exc.strerror}; try again") from exc


def formers(settings: Settings) -> tuple[Former, ...]:
    """Return the ledgers before the hub's present one, oldest first."""
    return tuple(_formers(settings.ledger_former))


def open_former(former: Former, keyring: Keyring, clock: Clock) -> Ledger:
    """Return a former ledger, for reading: it takes no entry any more.

    Raises:
        LedgerError: when its file is gone, or no public key of it was known when it ended.
        KeyMissing: when its index key is gone.
    """
    keys = tuple(map(VerifierKey.parse, former.keys))
    if not keys:
        raise LedgerError(f"no key of the former ledger {former.number} is known any more")
    index = keyring.key(f"index.former{former.number}").material
    identity = Identity(
        former.origin, _Ended(keys[0]), ChainKeys(index, former.origin), tuple(keys[1:])
    )
    return Ledger(partial(SqliteStore, former.folder / "ledger.sqlite"), identity, clock)


class _Ended:
    """The signer of a log that has ended: it has a name and a key, and signs nothing."""

    def __init__(self, key: VerifierKey) -> None:
        self.name = key.name
        self.public_key = key.public_key
        self.algorithm = key.algorithm

    def sign(self, message: bytes) -> bytes:
        """Refuse.

        Raises:
            LedgerError: always.
        """
        del message
        raise LedgerError("this ledger has ended: its successor is written to")


class _Succession:
    """The steps, each of which may have been done already."""

    def __init__(self, settings: Settings, keyring: Keyring, clock: Clock) -> None:
        self._settings = settings
        self._keyring = keyring
        self._clock = clock
        self._plan = settings.ledger_folder / "succession.json"
        self._built = settings.ledger_folder / "successor.sqlite"

    def run(self, request: Request) -> Settings:
        """Do what is still to be done."""
        plan = self._planned(request)
        folder = self._settings.ledger_former / str(plan["number"])
        if not (folder / "about.json").exists():
            self._build(plan)
            self._set_aside(folder)
            _write(folder / "about.json", plan)
        if self._built.exists():
            self._built.replace(self._settings.ledger)
            sync_folder(self._settings.home)
        if self._keyring.is_prepared(*OF_A_LOG):
            self._keyring.succeed(plan["number"])
        newer = self._settings.model_copy(update={"origin": plan["origin"]})
        save_settings(newer)
        self._plan.unlink(missing_ok=True)
        return newer

    def _planned(self, request: Request) -> dict[str, Any]:
        """Return what was planned before, or plan it now; durable on return."""
        if self._plan.exists():
            plan: dict[str, Any] = json.loads(self._plan.read_bytes())
            if plan["origin"] != request.origin:
                raise RequestError(f"a succession to {plan['origin']} waits to be finished")
            return plan
        before = formers(self._settings)
        if request.origin in {self._settings.origin, *(one.origin for one in before)}:
            raise RequestError("the successor needs a name that no ledger of this hub has had")
        if not request.although_intact:
            self._require_broken()
        plan = {
            "number": len(before) + 1,
            "origin": request.origin,
            "why": request.why,
            "by": request.by,
            "time": stamp_of(self._clock.now()),
            "former": self._last_known(),
        }
        _write(self._plan, plan)
        return plan

    def _require_broken(self) -> None:
        """Refuse to end a ledger that could be gone on with.

        Raises:
            RequestError: says what would end, and what would be lost to its subjects.
        """
        try:
            with open_ledger(self._settings, self._keyring, self._clock) as ledger:
                ledger.require_intact()
                size, sealed = ledger.size, _unreleased(ledger)
        except (KeyMissing, LedgerError, TamperDetected):
            return
        raise RequestError(
            f"the ledger {self._settings.origin} is intact: {size} entries would end here, and "
            f"{sealed} sealed uses never be released to their subjects. "
            "If it must be, say --although-intact"
        )

    def _last_known(self) -> dict[str, Any]:
        """Return what the last checkpoint of the former ledger says: the public one, if any.

        Its signature is not asked for, since the key may be what was lost.
        """
        files = PublicFiles(self._settings.ledger_public)
        public = files.read(CHECKPOINT)
        note = public.decode(errors="replace") if public is not None else self._head()
        shown = Checkpoint.parse(Note.parse(note).text)
        return {
            "origin": shown.origin,
            "size": shown.size,
            "root": shown.root.hex(),
            "checkpoint": note,
            "keys": self._keys(files),
        }

    def _head(self) -> str:
        with closing(SqliteStore(self._settings.ledger)) as store:
            try:
                return store.note()
            except TamperDetected as exc:
                raise LedgerError(
                    "neither the ledger nor a public checkpoint says where it ended: restore one"
                ) from exc

    def _keys(self, files: PublicFiles) -> list[str]:
        """Return the former ledger's public keys: those of the keyring, else those made public."""
        held = [key for key in self._keyring.versions() if key.purpose == "ledger"]
        origin = self._settings.origin
        known = [str(VerifierKey.of(NoteSigner(origin, key))) for key in reversed(held)]
        shown = (files.read(KEYS) or b"").decode(errors="replace").splitlines()
        return known + [key for key in shown if key not in known]

    def _build(self, plan: dict[str, Any]) -> None:
        """Make the successor aside, with its first entry, once."""
        ledger_key, index_key = self._keyring.prepare(*OF_A_LOG, suite=self._settings.suite)
        origin = plan["origin"]
        signer = NoteSigner(origin, ledger_key)
        identity = Identity(origin, signer, ChainKeys(index_key.material, origin))
        create(self._built, identity.sign(CompactRange()))
        body = {"event": EventTag.HUB_LEDGER_SUCCEEDED.value, "time": plan["time"]}
        details = {key: plan[key] for key in ("former", "why", "by")}
        with Ledger(partial(SqliteStore, self._built), identity, self._clock) as successor:
            if successor.size == 0:
                successor.append([Entry(None, {**body, **details})])
        with closing(SqliteStore(self._built)) as store:
            store.scrub()

    def _set_aside(self, folder: Path) -> None:
        """End the former ledger, and move what belongs to it where it is kept."""
        settings = self._settings
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        if settings.ledger.exists():
            end(settings.ledger)
        for path in (
            settings.ledger_public,
            settings.ledger_runs,
            settings.ledger_bulk,
            settings.ledger_memory,
            settings.ledger,
        ):
            if path.exists():
                path.replace(folder / path.name)
        for path in (folder, settings.ledger_folder, settings.home):
            sync_folder(path)


def _unreleased(ledger: Ledger) -> int:
    """Return how many sealed uses their subjects have not been shown yet."""
    sealed = {e.index: e.body["subject"] for e in _all_of(ledger, SEALED) if e.body is not None}
    released = {
        entry.body["entry"]
        for label in set(sealed.values())
        for entry in _all_of(ledger, Chain(ChainKind.SUBJECT, bytes.fromhex(label)))
        if entry.event == RELEASED_EVENT and entry.body is not None
    }
    return len(sealed.keys() - released)


def _all_of(ledger: Ledger, chain: Chain) -> Iterator[LoggedEntry]:
    before: int | None = None
    while page := ledger.chain(chain, before=before):
        yield from page
        before = page[-1].index


def _formers(folder: Path) -> Iterator[Former]:
    for path in sorted(folder.glob("*/about.json"), key=lambda found: int(found.parent.name)):
        about = json.loads(path.read_bytes())
        former = about["former"]
        yield Former(
            about["number"],
            former["origin"],
            former["size"],
            former["root"],
            tuple(former["keys"]),
            path.parent,
        )


def _write(path: Path, document: dict[str, Any]) -> None:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    write_over(path, canonical_json(document))
