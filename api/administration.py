"""What administrators do at the command line, told to the ledger under a pseudonym.

Reading the ledger is recorded before anything of it is shown: what the ledger cannot take is not
read out.
"""

from __future__ import annotations

import getpass
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from hub.clock import Clock, SystemClock
from hub.config import Settings
from hub.errors import RequestError
from hub.events import AuditEvent, EventTag
from hub.keyring import Keyring
from hub.ledger.writer import Entry
from hub.plain import ACCOUNT
from hub.sealing import Pseudonymiser
from hub.store.outbox import Log

#: Settings whose values say nothing of places or secrets; of the others none is told.
_TOLD = (bool, int, float)
_NAMED = ("profile", "suite", "origin")


class Reading(StrEnum):
    """What of the ledger is read, alphabetical."""

    ALARMS = "alarms"
    EXPORT = "export"
    FINGERPRINT = "fingerprint"
    PROOF = "proof"
    SIMULATION = "simulation"
    UNUSED = "unused"


@dataclass(frozen=True, slots=True)
class Administrator:
    """Who works at the command line.

    Args:
        name: keyed pseudonym of the account, hexadecimal.
    """

    name: str
    clock: Clock

    @classmethod
    def of(cls, keyring: Keyring, by: str | None, clock: Clock) -> Administrator:
        """Return who acts: the account that is named, else that of the machine.

        Raises:
            RequestError: when there is none, or it is not plain text.
        """
        if by is not None and not ACCOUNT.fullmatch(by):
            raise RequestError("--by is an account, such as oversight.audit, never a person's name")
        account = by or _account()
        return cls(Pseudonymiser(keyring, "actor").of(account).hex(), clock)

    def tell(self, log: Log, tag: EventTag, details: Mapping[str, Any]) -> None:
        """Record what was done.

        Raises:
            LedgerError: when it cannot be recorded.
        """
        event = AuditEvent(tag, self.clock.now(), {"by": self.name, **details})
        log.append([Entry.of(event)])

    def read(self, log: Log, what: Reading, entries: int, **details: Any) -> None:
        """Record that the ledger was read.

        Args:
            entries: how many entries are shown, or counted.

        Raises:
            LedgerError: when it cannot be recorded; nothing may be shown then.
        """
        told = {"what": what.value, "entries": entries, **details}
        self.tell(log, EventTag.HUB_LEDGER_READ, told)


def administrator(settings: Settings, by: str | None) -> Administrator:
    """Return who acts at the command line of a hub.

    Raises:
        ConfigError, KeyMissing: when its keyring cannot be opened.
        RequestError: when there is no account to name.
    """
    keyring = Keyring.open(settings.keyring, settings.passphrase)
    return Administrator.of(keyring, by, SystemClock())


def told_settings(settings: Settings) -> dict[str, Any]:
    """Return the settings in force that may be told: numbers, switches, and what names the hub."""
    return {name: value for name, value in settings if name in _NAMED or isinstance(value, _TOLD)}


def _account() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        raise RequestError("this machine names no account: say who acts with --by") from None
