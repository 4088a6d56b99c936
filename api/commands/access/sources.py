"""What every access command reads: the catalogue of a hub, and where its policy is."""

from __future__ import annotations

from pathlib import Path

from access.files import POLICY_FOLDER
from contracts.codes import load_code_sets
from contracts.loader import load_catalog, load_contracts
from hub.catalog import Catalog
from hub.config import Settings


def catalog_of(settings: Settings) -> Catalog:
    """Return the catalogue of a hub: its contracts, built in and its own."""
    folders = settings.contract_folders
    return load_catalog(load_contracts(folders, code_sets=load_code_sets(folders)))


def policy_folder_of(settings: Settings) -> Path:
    """Return the folder the policy of a hub is read from."""
    return settings.policy_folder or POLICY_FOLDER
