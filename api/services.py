"""Everything a request may use, opened once when the server starts and closed when it ends."""

from __future__ import annotations

import itertools
import logging
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from anyio import CapacityLimiter

from access.bulks import Bulks
from access.demo import FILE as DEMONSTRATION
from access.duties import Officials, load_officials
from access.emergency_desk import EmergencyDesk
from access.files import POLICY_FOLDER, digest_of, policy_file, read_folder
from access.guard import Guard
from access.keeper import Keeper, adopt
from access.masking import Names
from access.ports import GuardKeys
from access.privacy import Noise, load_draw
from access.seal_desk import SealDesk
from access.seal_totals import SealTotals
from access.steady_clock import SteadyClock
from api.people import DemonstrationProvider
from api.scoreboard import Scoreboard
from api.tokens import HubTokenVerifier, StandingVerifier, TokenIssuer, TokenVerifier
from api.vocabulary import Vocabulary
from contracts.cards.desk import CardDesk
from contracts.codes import CodeSets, load_code_sets
from contracts.loader import load_catalog
from contracts.model import Contract
from contracts.versions.in_force import load_in_force
from hub.calendar import load_calendar
from hub.catalog import Catalog
from hub.clock import Clock, SystemClock
from hub.config import Settings
from hub.keyring import Keyring
from hub.ledger.composition import open_ledger, statements_of
from hub.ledger.log import Ledger
from hub.store.budgets import Budgets
from hub.store.exports import ExportFolder
from hub.store.records import Records
from hub.store.registers import RegisterReader
from hub.store.snapshots import SnapshotStore
from hub.store.usage import Usage

_LOG = logging.getLogger("mingjing.api")
_TOKEN_LIFETIME = timedelta(hours=8)

OFFICIALS = "officials.yaml"


@dataclass(frozen=True, slots=True)
class Services:
    """What the doors stand on.

    Args:
        verifier: establishes the actor of a token.
        provider: the embedded identity provider, None outside the demonstration profile.
        new_request_id: names a request in answers and in the ledger.
        workbooks: lets one thread at a time make or read a workbook.
        exports: lets one thread at a time make a file of persons.
    """

    settings: Settings
    clock: Clock
    vocabulary: Vocabulary
    keeper: Keeper
    guard: Guard
    emergencies: EmergencyDesk
    seals: SealDesk
    seal_totals: SealTotals
    ledger: Ledger
    records: Records
    cards: CardDesk
    scoreboard: Scoreboard
    snapshots: SnapshotStore
    verifier: TokenVerifier
    provider: DemonstrationProvider | None
    new_request_id: Callable[[], str]
    workbooks: CapacityLimiter
    exports: CapacityLimiter

    def close(self) -> None:
        """Let go of counters, ledger and records; what was promised is durable already."""
        self.guard.close()
        self.ledger.close()
        self.records.close()


def open_services(settings: Settings, clock: Clock | None = None) -> Services:
    """Open the hub for serving.

    Raises:
        ConfigError: when the hub was never set up, or a key is missing.
        ContractError, PolicyError: every finding.
        LedgerError: when the ledger cannot be read.
        ClockDistrusted: when the clock is behind the ledger.
    """
    clock = clock or SteadyClock(SystemClock())
    keyring = Keyring.open(settings.keyring, settings.passphrase)
    records = Records.open(settings)
    code_sets = load_code_sets(settings.contract_folders)
    contracts = _in_force(settings, records, code_sets)
    catalog = load_catalog(contracts)
    snapshots = SnapshotStore(settings)
    ledger = open_ledger(settings, keyring, clock)
    keys = GuardKeys.of(keyring)
    keeper = open_keeper(settings, records, catalog, ledger, clock, keys.recipient.of)
    officials = officials_of(settings) or {}
    emergencies = open_emergencies(settings, records, ledger, keeper, keys, officials)
    statements = statements_of(settings, keyring, ledger)
    guard = Guard(
        keeper,
        catalog,
        snapshots,
        ledger,
        keys,
        clock,
        Usage(settings.usage),
        RegisterReader(records),
        noise=_noise(records, code_sets),
        emergencies=emergencies,
        longest_lag=timedelta(hours=settings.ledger_max_lag_hours),
        proofs=statements,
        bulks=Bulks(statements.bulk, ExportFolder(settings.exports, keyring)),
    )
    issuer = f"{settings.origin}#{settings.profile}"
    vocabulary = Vocabulary(
        catalog=catalog,
        code_sets=code_sets,
        policy=lambda: keeper.policy,
    )
    cards = CardDesk.of(records, contracts, settings)
    return Services(
        settings=settings,
        clock=clock,
        vocabulary=vocabulary,
        keeper=keeper,
        guard=guard,
        emergencies=emergencies,
        seals=open_seals(records, ledger, keeper, keys, officials),
        seal_totals=SealTotals(records, ledger),
        ledger=ledger,
        records=records,
        cards=cards,
        scoreboard=Scoreboard(records, cards, vocabulary, clock),
        snapshots=snapshots,
        verifier=StandingVerifier(
            HubTokenVerifier(keyring, clock, issuer), _suspended(keeper, keys, clock)
        ),
        provider=_provider(settings, keyring, clock, guard, issuer),
        new_request_id=_request_ids(),
        workbooks=CapacityLimiter(1),
        exports=CapacityLimiter(1),
    )


def open_keeper(
    settings: Settings,
    records: Records,
    catalog: Catalog,
    ledger: Ledger,
    clock: Clock,
    names: Names | None = None,
) -> Keeper:
    """Return what knows the policy in force; a hub that never had one adopts that of its files.

    Args:
        names: keyed names for recipients; without it no pseudonym is shown.

    Raises:
        PolicyError, PolicyUnavailable, ClockDistrusted, LedgerError: as `access.keeper.Keeper`.
    """
    texts = read_folder(settings.policy_folder or POLICY_FOLDER)
    adopt(records, catalog, ledger, texts, clock.now())
    keeper = Keeper(records, catalog, ledger, names=names)
    keeper.current(clock.now())
    return keeper


def files_differ(settings: Settings, keeper: Keeper, now: datetime) -> str | None:
    """Return what to say where the policy files are not what is in force, else None."""
    texts = read_folder(settings.policy_folder or POLICY_FOLDER)
    if keeper.current(now).digest == digest_of(texts):
        return None
    return (
        "策略文件与生效的策略不同，须提出并批准后生效 / the policy files are not what is in force: "
        "`hub access changes` lists changes, `hub access propose` puts the files forward"
    )


def open_emergencies(
    settings: Settings,
    records: Records,
    ledger: Ledger,
    keeper: Keeper,
    keys: GuardKeys,
    officials: Officials,
) -> EmergencyDesk:
    """Return where masks are lifted and emergencies reviewed.

    Args:
        officials: which accounts are one person's, where that is registered.

    Raises:
        ConfigError: when HOME/calendar.csv does not fit.
    """
    return EmergencyDesk(
        records=records,
        log=ledger,
        calendar=load_calendar(settings.home / "calendar.csv"),
        force=keeper.current,
        name_of=keys.actor.of,
        subject_of=keys.protected.of,
        officials=officials,
    )


def open_seals(
    records: Records, ledger: Ledger, keeper: Keeper, keys: GuardKeys, officials: Officials
) -> SealDesk:
    """Return where uses are ordered to be sealed."""
    return SealDesk(records, ledger, keeper.look, keys.actor.of, keys.case.of, officials)


def officials_of(settings: Settings) -> Officials | None:
    """Return who has duties: the invented actors, or those of HOME/officials.yaml; None without it.

    Raises:
        PolicyError: when an entry is no official.
    """
    if settings.profile == "demonstration":
        return load_officials(policy_file(settings.policy_folder or POLICY_FOLDER, DEMONSTRATION))
    path = settings.home / OFFICIALS
    return load_officials(path) if path.exists() else None


def _suspended(keeper: Keeper, keys: GuardKeys, clock: Clock) -> Callable[[str], bool]:
    """Return what says whether an account is suspended by now."""
    return lambda account: keys.actor.of(account).hex() in keeper.current(clock.now()).suspended


def _in_force(settings: Settings, records: Records, code_sets: CodeSets) -> tuple[Contract, ...]:
    """Return the contracts to serve by.

    What is in service was loaded under the versions in use: a change that is refused is said in
    the log, and serving goes on by the version in use.
    """
    weighed = load_in_force(settings, records, code_sets)
    if weighed.error is not None:
        _LOG.warning("%s", weighed.error)
    return weighed.contracts


def _noise(records: Records, code_sets: CodeSets) -> Noise:
    """Return what counts with noise need: who has spent what, and every label there can be."""
    labels = {name: tuple(c.code for c in found.codes) for name, found in code_sets.items()}
    return Noise(Budgets(records), labels, load_draw())


def _request_ids() -> Callable[[], str]:
    """Return what names requests: a random start, then one more each time; no two processes meet.

    A request's name needs to be unique, not secret.
    """
    start, numbers = secrets.token_hex(6), itertools.count(1)
    return lambda: f"{start}{next(numbers):06x}"


def _provider(
    settings: Settings, keyring: Keyring, clock: Clock, guard: Guard, issuer: str
) -> DemonstrationProvider | None:
    if settings.profile != "demonstration":
        return None
    tokens = TokenIssuer(keyring, clock, issuer, _TOKEN_LIFETIME)
    return DemonstrationProvider.load(settings, tokens, guard.binding)
