"""What a delivery run works with, opened once and passed down; one run at a time."""

from __future__ import annotations

import fcntl
import os
import random
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Protocol

from contracts.cards.desk import CardDesk
from contracts.codes import CodeSets, load_code_sets
from contracts.loader import load_catalog
from contracts.model import Contract
from contracts.versions.adoption import weigh
from contracts.versions.in_force import in_force
from hub.catalog import Catalog
from hub.clock import Clock
from hub.config import Settings
from hub.errors import ContractError, NotFound, SourceError
from hub.events import AuditEvent
from hub.keyring import Keyring
from hub.ledger.composition import open_ledger
from hub.ledger.log import Ledger
from hub.ledger.writer import Entry
from hub.store import lake
from hub.store.contract_versions import ContractVersions
from hub.store.records import Records


class Progress(Protocol):
    """Is told what a run does, for people who watch."""

    def step(self, stage: str, subject: str, detail: str, *, good: bool = True) -> None:
        """Say that a stage (land, check, load, ...) has dealt with something."""
        ...

    def count(self, stage: str, done: int) -> None:
        """Say how far a long stage has come."""
        ...


class Quiet:
    """Tells nobody."""

    def step(self, stage: str, subject: str, detail: str, *, good: bool = True) -> None:
        """Do nothing."""

    def count(self, stage: str, done: int) -> None:
        """Do nothing."""


class LakeHandle:
    """The run's one lake connection, opened when it is first needed."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._con: lake.Connection | None = None

    def open(self) -> lake.Connection:
        """Return the connection."""
        if self._con is None:
            self._con = lake.open_lake(self._settings)
        return self._con

    def close(self) -> None:
        """Let go of it, and with it of every clear row it may hold."""
        if self._con is not None:
            self._con.close()
            self._con = None


@dataclass(frozen=True, slots=True)
class Runtime:
    """Everything the steps of a run share."""

    settings: Settings
    clock: Clock
    rng: random.Random
    keyring: Keyring
    contracts: tuple[Contract, ...]
    catalog: Catalog
    code_sets: CodeSets
    records: Records
    cards: CardDesk
    ledger: Ledger
    lake: LakeHandle
    progress: Progress

    def contract(self, dataset: str) -> Contract:
        """Return the contract of a dataset.

        Raises:
            NotFound: when there is none.
        """
        for contract in self.contracts:
            if contract.name == dataset:
                return contract
        raise NotFound(f"no contract for dataset {dataset!r}")

    def emit(self, event: AuditEvent) -> None:
        """Record an event durably.

        Raises:
            LedgerError: when it could not be recorded; nothing that depends on it may happen.
        """
        self.ledger.append([Entry.of(event)])


@dataclass(frozen=True, slots=True)
class Promises:
    """The contracts of a hub with the code sets they use, loaded once.

    Args:
        contracts: those in force: of a contract whose change is refused, the version in use.
        refusal: why changes are refused, None when there are none; no run starts with one.
    """

    contracts: tuple[Contract, ...]
    code_sets: CodeSets
    refusal: ContractError | None = None

    @classmethod
    def of(cls, settings: Settings) -> Promises:
        """Load them.

        Raises:
            ContractError: when a contract is not valid, or has changed more than its version
                says; with every finding.
        """
        promises = cls.in_force(settings)
        if promises.refusal is not None:
            raise promises.refusal
        return promises

    @classmethod
    def in_force(cls, settings: Settings) -> Promises:
        """Load those in force; a refused change is told, not raised.

        Raises:
            ContractError: when a contract is not valid, with every finding.
        """
        code_sets = load_code_sets(settings.contract_folders)
        weighed = in_force(settings, code_sets)
        return cls(weighed.contracts, code_sets, weighed.error)


@contextmanager
def open_runtime(
    settings: Settings, clock: Clock, progress: Progress, promises: Promises
) -> Iterator[Runtime]:
    """Open everything a run needs, alone.

    Raises:
        ConfigError: when the hub is not set up.
        ContractError: when a contract has changed more than its version says; what another
            run has meanwhile loaded counts.
        SourceError: retryable, when another run is still at work.
    """
    if promises.refusal is not None:
        raise promises.refusal
    keyring = Keyring.open(settings.keyring, settings.passphrase)
    with _alone(settings), Records.open(settings) as records:
        latest = ContractVersions(records).latest()
        refusal = weigh(promises.contracts, latest, promises.code_sets).error
        if refusal is not None:
            raise refusal
        ledger = open_ledger(settings, keyring, clock)
        handle = LakeHandle(settings)
        try:
            yield Runtime(
                settings=settings,
                clock=clock,
                rng=random.Random(),  # noqa: S311 - spreads retries, protects nothing
                keyring=keyring,
                contracts=promises.contracts,
                catalog=load_catalog(promises.contracts),
                code_sets=promises.code_sets,
                records=records,
                cards=CardDesk.of(records, promises.contracts, settings),
                ledger=ledger,
                lake=handle,
                progress=progress,
            )
        finally:
            handle.close()
            ledger.close()


@contextmanager
def _alone(settings: Settings, wait_seconds: float = 600.0) -> Iterator[None]:
    """Hold the run lock; the operating system lets go of it when the process dies."""
    settings.home.mkdir(mode=0o700, parents=True, exist_ok=True)
    handle = os.open(settings.home / "run.lock", os.O_RDWR | os.O_CREAT, 0o600)
    deadline = time.monotonic() + wait_seconds
    try:
        while True:
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if time.monotonic() > deadline:
                    raise SourceError(
                        "another delivery run is still at work; try again later", retryable=True
                    ) from None
                time.sleep(0.5)
        yield
    finally:
        os.close(handle)
