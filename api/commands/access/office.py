"""What every command that changes access works with: desks, ledger, clock, who has which duty."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, TypeVar

import typer

from access.desk import Act, Desk
from access.duties import Official, Officials, Refusal
from access.emergency_desk import EmergencyDesk
from access.erasure_desk import ErasureDesk
from access.grant_desk import GrantDesk
from access.ports import GuardKeys
from access.seal_desk import SealDesk
from access.steady_clock import SteadyClock
from api.commands.ledger import open_ledger
from api.commands.options import settings_of
from api.services import OFFICIALS, officials_of, open_emergencies, open_keeper, open_seals
from contracts.codes import load_code_sets
from contracts.loader import load_catalog
from contracts.versions.in_force import load_in_force
from hub.clock import Clock, SystemClock
from hub.config import Settings
from hub.errors import AccessDenied, ConfigError, RequestError
from hub.keyring import Keyring
from hub.plain import require_plain
from hub.sealing import Pseudonymiser
from hub.store.records import Records

By = Annotated[str, typer.Option("--by", help="Account that acts; no person's name.")]
Reason = Annotated[str, typer.Option("--reason", help="Why; no person's number.")]

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Office:
    """What a command about access works with."""

    settings: Settings
    clock: Clock
    desk: Desk
    emergencies: EmergencyDesk
    seals: SealDesk
    erasures: ErasureDesk
    cases: Pseudonymiser

    @property
    def grants(self) -> GrantDesk:
        """The desk of grants."""
        return GrantDesk(self.desk)

    def second(self, act: Act) -> Official | Refusal:
        """Return who acts as a second person, as the register of officials has them.

        Raises:
            RequestError: when account or reason are not plain.
        """
        require_plain(act.by, act.reason)
        official = self.desk.officials.get(act.by)
        return official or Refusal("没有登记此账号 / the account is not registered")

    def act(self, by: str, reason: str) -> Act:
        """Return what somebody does now."""
        return Act(by, reason, self.clock.now())


@contextmanager
def office(home: Path | None) -> Iterator[Office]:
    """Open a hub's desk of access."""
    settings = settings_of(home)
    keyring = Keyring.open(settings.keyring, settings.passphrase)
    clock = SteadyClock(SystemClock())
    with open_ledger(settings) as ledger, Records.open(settings) as records:
        code_sets = load_code_sets(settings.contract_folders)
        catalog = load_catalog(load_in_force(settings, records, code_sets).contracts)
        keeper = open_keeper(settings, records, catalog, ledger, clock)
        keys, officials = GuardKeys.of(keyring), _officials(settings)
        desk = Desk(records, ledger, catalog, keeper, officials, keys.actor.of)
        emergencies = open_emergencies(settings, records, ledger, keeper, keys, officials)
        seals = open_seals(records, ledger, keeper, keys, officials)
        erasures = ErasureDesk(
            records, ledger, keeper.look, keys.actor.of, officials, settings.ledger_retention_days
        )
        yield Office(settings, clock, desk, emergencies, seals, erasures, keys.case)


def _officials(settings: Settings) -> Officials:
    """Return who has duties: without a register nobody has any."""
    officials = officials_of(settings)
    if officials is None:
        raise ConfigError(
            f"没有 {OFFICIALS} / there is no {OFFICIALS} in the hub's folder: it says who may "
            "propose and approve; docs/access.md has an example"
        )
    return officials


def done(outcome: T | Refusal) -> T:
    """Return an outcome, or say why there is none.

    Raises:
        AccessDenied: with the reason of a refusal.
    """
    if isinstance(outcome, Refusal):
        raise AccessDenied(outcome.reason)
    return outcome


def instant(text: str | None, name: str) -> datetime | None:
    """Return a time as people write it, in the zone of this machine where they name none.

    Raises:
        RequestError: when it is no time.
    """
    if text is None:
        return None
    try:
        return datetime.fromisoformat(text).astimezone(UTC)
    except ValueError:
        raise RequestError(
            f"{name}: 请写 2026-03-07T08:00 / a time is wanted, as 2026-03-07T08:00"
        ) from None


def number_of(text: str, prefix: str = "") -> int:
    """Return the number that `12`, or `grant-12` with that prefix, stands for.

    Raises:
        RequestError: when it is no number.
    """
    digits = text.removeprefix(prefix)
    if not digits.isascii() or not digits.isdigit() or len(digits) > 9:
        raise RequestError(f"{text!r} 不是编号 / is no number of a change or grant")
    return int(digits)
