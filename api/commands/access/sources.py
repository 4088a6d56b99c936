"""What every access command reads: the catalogue of a hub, its policy files, what is in force."""

from __future__ import annotations

from pathlib import Path

from access.files import FILES, POLICY_FOLDER, policy_file, read_text
from access.policy import Policy, load_policy
from contracts.loader import load_catalog
from contracts.versions.in_force import in_force
from hub.catalog import Catalog
from hub.config import Settings

#: What commands call the policy that decides.
IN_FORCE = "in-force"


def catalog_of(settings: Settings) -> Catalog:
    """Return the catalogue that a hub goes by: its contracts in force, built in and its own."""
    return load_catalog(in_force(settings).contracts)


def policy_of_hub(settings: Settings, catalog: Catalog) -> Policy:
    """Return the policy in force.

    Raises:
        PolicyError: when it does not lint.
    """
    return load_policy(catalog, policy_folder_of(settings))


def policy_named(name: str, settings: Settings, catalog: Catalog) -> Policy:
    """Return the policy of a folder, or for "in-force" the one in force.

    Raises:
        PolicyError: when it does not lint or there is no such folder.
    """
    if name == IN_FORCE:
        return policy_of_hub(settings, catalog)
    return load_policy(catalog, Path(name))


def policy_texts_of(settings: Settings) -> dict[str, str]:
    """Return the files of the policy in force by name.

    Raises:
        PolicyError: when one cannot be read.
    """
    folder = policy_folder_of(settings)
    return {name: read_text(policy_file(folder, name)) for name in FILES}


def policy_folder_of(settings: Settings) -> Path:
    """Return the folder the policy of a hub is read from."""
    return settings.policy_folder or POLICY_FOLDER
