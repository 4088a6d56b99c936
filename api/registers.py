"""The registers of cases and protected persons of a hub, opened to enter and remove."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from access.policy import Policy
from access.ports import GuardKeys
from access.registrar import Persons, Registrar
from api.commands.access.sources import catalog_of, policy_of_hub
from api.commands.ledger import open_ledger
from hub.clock import SystemClock
from hub.config import Settings
from hub.keyring import Keyring
from hub.sealing import Pseudonymiser
from hub.store.records import Records
from hub.store.snapshots import SnapshotStore


@dataclass(frozen=True, slots=True)
class RegisterOffice:
    """What acts about the registers stand on."""

    registrar: Registrar
    persons: Persons
    policy: Policy


@contextmanager
def register_office(settings: Settings) -> Iterator[RegisterOffice]:
    """Open the registers of a hub.

    Raises:
        ConfigError, KeyMissing: when there is no hub, or a key is missing.
        PolicyError: when the policy does not lint.
        LedgerError: when the ledger cannot be opened.
    """
    keyring = Keyring.open(settings.keyring, settings.passphrase)
    keys = GuardKeys.of(keyring)
    persons = Persons(keys, Pseudonymiser(keyring, "subject"), SnapshotStore(settings))
    policy = policy_of_hub(settings, catalog_of(settings))
    with Records.open(settings) as records, open_ledger(settings) as ledger:
        yield RegisterOffice(Registrar(records, ledger, keys, SystemClock()), persons, policy)
