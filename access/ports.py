"""What the guard needs from outside: published snapshots, the ledger, keys.

`hub.store.snapshots.SnapshotStore` and `hub.ledger.log.Ledger` fit; so do the doubles in the
tests, one of which fails on purpose.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Protocol

from access.keeper import InForce
from hub.blind_index import BlindIndex
from hub.keyring import Keyring
from hub.ledger.committer import Receipt as LedgerReceipt
from hub.ledger.entry import Chain
from hub.ledger.log import LoggedEntry
from hub.ledger.tlog_proof import TlogProof
from hub.ledger.writer import Entry, PreparedEntry
from hub.sealing import Pseudonymiser, Sealer
from hub.store.registers import Registers


class SnapshotReader(Protocol):
    """One published version, open for reading."""

    version: str

    @property
    def lake_snapshot(self) -> int:
        """Number of the lake snapshot it was made of."""
        ...

    def subject(self, subject_key: bytes) -> bytes | None:
        """Return the sealed document of a subject."""
        ...

    def documents(self) -> Iterator[tuple[bytes, bytes]]:
        """Yield (subject key, sealed document) of every subject, in key order."""
        ...

    def identity(self, identifier_key: bytes) -> bytes | None:
        """Return the subject key that an identifier key stands for."""
        ...

    def find(self, kind: str, token: bytes, limit: int = 50) -> tuple[bytes, ...]:
        """Return the subject keys under a blind token."""
        ...

    def has_counts(self, table: str) -> bool:
        """Say whether a dataset, or `person`, was published to be counted."""
        ...

    def analytic(self, sql: str, params: Sequence[object] = ()) -> list[dict[str, Any]]:
        """Return rows of a query over the clear columns."""
        ...


class Snapshots(Protocol):
    """Finds the version in service."""

    def current(self) -> SnapshotReader:
        """Return the version in service.

        Raises:
            NotFound: before the first publication.
        """
        ...


class PolicyKeeper(Protocol):
    """Knows what is in force."""

    def current(self, now: datetime) -> InForce:
        """Return what is in force; see `access.keeper.Keeper`."""
        ...

    def spend(self, numbers: Sequence[int], now: datetime) -> bool:
        """Take a use of each of some grants, of all or none."""
        ...


class LedgerLog(Protocol):
    """Records uses durably and proves them."""

    @property
    def size(self) -> int:
        """Number of durable entries."""
        ...

    def submit(self, entries: Sequence[Entry | PreparedEntry]) -> Future[LedgerReceipt]:
        """Record entries together; the future has the receipt once they are durable."""
        ...

    def entries_of(
        self, label: bytes, *, before: int | None = None, limit: int = 1000
    ) -> list[LoggedEntry]:
        """Return a label's entries, newest first."""
        ...

    def chain(
        self, chain: Chain, *, before: int | None = None, limit: int = 1000
    ) -> list[LoggedEntry]:
        """Return a chain's entries, newest first."""
        ...

    def entry(self, index: int) -> LoggedEntry:
        """Return one entry, or raise NotFound."""
        ...

    def entries(self, start: int, stop: int) -> list[LoggedEntry]:
        """Return the entries at positions [start, stop), in log order."""
        ...

    def lag(self, now: datetime) -> timedelta:
        """Return how long the oldest entry that is not public yet has waited."""
        ...


class Proofs(Protocol):
    """Makes what a citizen takes home; `hub.ledger.statement.Statements` fits."""

    def proof(self, position: int) -> TlogProof:
        """Return the proof of one entry, or raise NotFound."""
        ...

    def statement(self, person: Chain) -> bytes:
        """Return everything about a person, and that nothing is missing."""
        ...


class RegisterSource(Protocol):
    """Knows the cases and protected persons."""

    def current(self) -> Registers:
        """Return the registers as they are.

        Raises:
            SourceError: when they cannot be read.
        """
        ...


@dataclass(frozen=True, slots=True)
class GuardKeys:
    """Every keyed name the guard uses, and what opens documents."""

    blind: BlindIndex
    identifier: Pseudonymiser
    label: Pseudonymiser
    actor: Pseudonymiser
    case: Pseudonymiser
    protected: Pseudonymiser
    recipient: Pseudonymiser
    documents: Sealer

    @classmethod
    def of(cls, keyring: Keyring) -> GuardKeys:
        """Return the guard's keys of a keyring.

        Raises:
            KeyMissing: names the key that is not there.
        """
        return cls(
            blind=BlindIndex(keyring),
            identifier=Pseudonymiser(keyring, "identifier"),
            label=Pseudonymiser(keyring, "label"),
            actor=Pseudonymiser(keyring, "actor"),
            case=Pseudonymiser(keyring, "case"),
            protected=Pseudonymiser(keyring, "protected"),
            recipient=Pseudonymiser(keyring, "recipient"),
            documents=Sealer(keyring, "document"),
        )
