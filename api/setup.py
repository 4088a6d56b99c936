"""Making a hub: its folders, settings, keys, records, ledger and first policy, once."""

from __future__ import annotations

from access.files import POLICY_FOLDER, read_folder
from access.keeper import adopt
from api.administration import Administrator, told_settings
from contracts.loader import load_catalog
from contracts.versions.in_force import load_filed
from hub.clock import SystemClock
from hub.config import Settings, save_settings
from hub.errors import ConfigError
from hub.events import EventTag
from hub.keyring import Keyring
from hub.ledger.composition import create_ledger, has_ledger
from hub.store.records import Records


def make_hub(settings: Settings) -> None:
    """Make everything a hub needs in an empty home.

    Raises:
        ConfigError: when there is anything of a hub already; nothing is overwritten.
        PolicyError: when its policy files do not lint.
    """
    clock = SystemClock()
    present = [p.name for p in (settings.keyring, settings.ledger, settings.records) if p.exists()]
    if present:
        raise ConfigError(
            f"{settings.home} holds {', '.join(present)} of a hub; it is never overwritten: "
            "restore what it lacks, or name another --home"
        )
    if has_ledger(settings):
        raise ConfigError("the database holds a ledger already: name an empty one to begin another")
    settings.home.mkdir(mode=0o700, parents=True, exist_ok=True)
    settings.home.chmod(0o700)
    keyring = Keyring.create(settings.keyring, settings.suite, settings.passphrase)
    save_settings(settings)
    for folder in (settings.drop, settings.feedback, *settings.contract_folders):
        folder.mkdir(parents=True, exist_ok=True)
    texts = read_folder(settings.policy_folder or POLICY_FOLDER)
    catalog = load_catalog(load_filed(settings))
    with create_ledger(settings, keyring, clock) as ledger, Records.open(settings) as records:
        details = {"origin": settings.origin, "settings": told_settings(settings)}
        Administrator.of(keyring, None, clock).tell(ledger, EventTag.HUB_LEDGER_OPENED, details)
        adopt(records, catalog, ledger, texts, clock.now())
