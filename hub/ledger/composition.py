"""The parts of a hub's ledger put together: its store, the keys of its keyring, its folders."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial

from hub.clock import Clock
from hub.config import Settings
from hub.errors import ConfigError
from hub.events import AuditEvent, EventTag
from hub.keyring import Keyring, NoteSigner
from hub.ledger.algorithms import SM2
from hub.ledger.bulk import BulkFolder
from hub.ledger.cosigning import cosigner_of
from hub.ledger.entry import ChainKeys
from hub.ledger.index.folder import IndexFolder
from hub.ledger.inspection import Inspector, Places
from hub.ledger.log import Ledger
from hub.ledger.merkle import CompactRange
from hub.ledger.note import Checkpoint, Note, VerifierKey
from hub.ledger.public_files import CHECKPOINT, PublicFiles
from hub.ledger.publisher import Publisher
from hub.ledger.sqlite import SqliteStore
from hub.ledger.sqlite_file import create
from hub.ledger.statement import Statements
from hub.ledger.store import Store
from hub.ledger.writer import Entry, Identity, open_own


def identity_of(keyring: Keyring, origin: str) -> Identity:
    """Return who a ledger is by its keyring; every former version of the signing key is known.

    In suite gm public checkpoints are signed with SM2 as well.

    Raises:
        KeyMissing: when the keyring has no key of the ledger's.
    """
    signer = keyring.signer("ledger", origin)
    sm2 = keyring.signer("ledger-sm2", origin, algorithm=SM2)
    former = [keyring.signer("ledger", origin, version) for version in range(1, signer.version)]
    return Identity(
        origin,
        signer,
        ChainKeys(keyring.key("index").material, origin),
        tuple(VerifierKey.of(one) for one in reversed(former)),
        (sm2,) if keyring.key("ledger-sm2").suite == "gm" else (),
        partial(keyring.is_outdated, "ledger"),
    )


def open_ledger(settings: Settings, keyring: Keyring, clock: Clock) -> Ledger:
    """Return the hub's ledger; a missing one is never quietly made anew.

    Raises:
        ConfigError: when it is in a database and the driver is not installed.
        LedgerError: when it is missing or of another kind, or its database cannot be reached.
        KeyMissing: when the keyring has no key of the ledger's.
    """
    identity = identity_of(keyring, settings.origin)
    kept = partial(_public_checkpoint, PublicFiles(settings.ledger_public), identity)
    return Ledger(_connector(settings), identity, clock, kept=kept)


def create_ledger(settings: Settings, keyring: Keyring, clock: Clock) -> Ledger:
    """Make the hub's ledger, empty and signed, and return it; one that exists is left alone.

    Raises:
        As `open_ledger`.
    """
    if not has_ledger(settings):
        note = identity_of(keyring, settings.origin).sign(CompactRange())
        if settings.ledger_url is None:
            create(settings.ledger, note)
        else:
            with _driver_required():
                from hub.ledger import postgres_connection as database  # as in _connector
            database.create(settings.ledger_url, note)
    return open_ledger(settings, keyring, clock)


def rotate_key(settings: Settings, keyring: Keyring, clock: Clock, by: str) -> VerifierKey:
    """Give the ledger a new signing key, which the former one announces in the log first.

    One that was stopped in the middle is finished by the next call, with the same new key; an
    announcement may then stand in the log twice. Processes that hold the former key are refused as
    soon as the new one has signed.

    Args:
        by: who has it done, as a pseudonym.
    Raises:
        LedgerError: when it cannot be announced; the former key stays in use.
    """
    (prepared,) = keyring.prepare("ledger", suite=settings.suite)
    new = VerifierKey.of(NoteSigner(settings.origin, prepared))
    named = {"version": prepared.version, "suite": prepared.suite, "key": str(new)}
    with open_ledger(settings, keyring, clock) as ledger:
        details = {"by": by, "purpose": "ledger", **named}
        event = AuditEvent(EventTag.HUB_KEY_ROTATED, clock.now(), details)
        ledger.append([Entry.of(event)])
    keyring.adopt("ledger")
    with open_ledger(settings, keyring, clock) as ledger:
        ledger.head()  # signed by the new key from here on
    return new


def has_ledger(settings: Settings) -> bool:
    """Say whether there is a ledger, whoever's, where the settings put it.

    Raises:
        ConfigError: when it is in a database and the driver is not installed.
        LedgerError: when its database cannot be reached.
    """
    if settings.ledger_url is None:
        return settings.ledger.exists()
    with _driver_required():
        from hub.ledger import postgres_connection as database  # as in _connector
    return database.is_there(settings.ledger_url)


def publisher_of(settings: Settings, ledger: Ledger, clock: Clock) -> Publisher:
    """Return what makes the hub's ledger public.

    Raises:
        ConfigError: when the policy of its witnesses cannot be used, or is gone.
    """
    if not settings.witness_policy.exists() and _was_cosigned(ledger):
        raise ConfigError(
            f"{settings.witness_policy.name} is gone, but witnesses have cosigned what is public: "
            "restore it, or write one that says `quorum none`"
        )
    return Publisher(
        ledger,
        IndexFolder(settings.ledger_runs),
        PublicFiles(settings.ledger_public),
        cosigner_of(settings.witness_policy, ledger.keys),
        clock,
    )


def _was_cosigned(ledger: Ledger) -> bool:
    """Say whether somebody else's signature is on what is public."""
    published = ledger.published()
    own = {ledger.key.name, *(signer.name for signer in ledger.further)}
    return published is not None and any(
        signature.name not in own for signature in Note.parse(published.note).signatures
    )


def inspector_of(settings: Settings, ledger: Ledger, clock: Clock) -> Inspector:
    """Return what verifies the hub's ledger."""
    places = Places(
        settings.ledger_public,
        settings.ledger_runs,
        settings.ledger_memory,
        settings.ledger_bulk,
    )
    return Inspector(ledger, places, clock)


def statements_of(settings: Settings, keyring: Keyring, ledger: Ledger) -> Statements:
    """Return what makes proofs and statements of the hub's ledger."""
    tokens = BulkFolder(settings.ledger_bulk, keyring.key("index").material)
    return Statements(ledger, IndexFolder(settings.ledger_runs), tokens)


def _public_checkpoint(files: PublicFiles, identity: Identity) -> Checkpoint | None:
    """Return the checkpoint that is public, None before the first.

    Raises:
        TamperDetected: when it is not this ledger's own.
    """
    note = files.read(CHECKPOINT)
    if note is None:
        return None
    return open_own(note.decode(errors="replace"), identity)


def _connector(settings: Settings) -> Callable[[], Store]:
    if settings.ledger_url is None:
        return partial(SqliteStore, settings.ledger)
    with _driver_required():
        from hub.ledger.postgres import PostgresStore  # the extra "server", absent in most places
    return partial(PostgresStore, settings.ledger_url)


@contextmanager
def _driver_required() -> Iterator[None]:
    try:
        yield
    except ModuleNotFoundError:
        told = "ledger_url needs PostgreSQL's driver: install the extra `server`"
        raise ConfigError(told) from None
