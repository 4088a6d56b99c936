"""What every access command reads: the catalogue of a hub, its policy files, what is in force."""

from __future__ import annotations

from pathlib import Path

from access.files import POLICY_FOLDER
from access.keeper import active_policy
from access.policy import Policy, load_policy
from contracts.loader import load_catalog
from contracts.versions.in_force import in_force
from hub.catalog import Catalog
from hub.config import Settings
from hub.store.records import Records


def catalog_of(settings: Settings) -> Catalog:
    """Return the catalogue that a hub goes by: its contracts in force, built in and its own."""
    return load_catalog(in_force(settings).contracts)


def policy_of_hub(settings: Settings, catalog: Catalog) -> Policy:
    """Return the policy in force; where there is no hub yet, the one it would begin with.

    Raises:
        PolicyError, PolicyUnavailable: as `access.keeper`.
    """
    if not settings.records.exists():
        return load_policy(catalog, policy_folder_of(settings))
    with Records.open(settings) as records:
        return active_policy(records, catalog) or load_policy(catalog, policy_folder_of(settings))


def policy_folder_of(settings: Settings) -> Path:
    """Return the folder of a hub's policy files: what is proposed next."""
    return settings.policy_folder or POLICY_FOLDER
