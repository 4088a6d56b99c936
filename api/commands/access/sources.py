"""What every access command reads: the catalogue of a hub, its policy files, what is in force."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path

from access.files import POLICY_FOLDER, read_folder
from access.grants import PREFIX, GrantState, standings
from access.keeper import active_digest, active_policy, approved_policy
from access.policy import Policy, load_policy
from contracts.loader import load_catalog
from contracts.versions.in_force import in_force
from hub.catalog import Catalog
from hub.config import Settings
from hub.errors import PolicyError
from hub.store.access_steps import About, steps
from hub.store.grants import grants as stored_grants
from hub.store.policies import changes, looking, version_texts
from hub.store.records import Records

#: What commands call the policy that decides.
IN_FORCE = "in-force"
_VERSION = re.compile(r"[0-9a-f]{16,64}")


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


def policy_named(name: str, settings: Settings, catalog: Catalog) -> Policy:
    """Return the policy of a folder, the one in force ("in-force"), or a version of the records.

    Args:
        name: for a version, its digest or at least the 16 digits that answers call it by.

    Raises:
        PolicyError: when it does not lint, or there is no such folder or version.
        PolicyUnavailable: when the records cannot be read.
    """
    if name == IN_FORCE:
        return policy_of_hub(settings, catalog)
    if _VERSION.fullmatch(name) and settings.records.exists() and not Path(name).exists():
        with Records.open(settings) as records:
            with looking(records) as session:
                digests = {c.digest for c in changes(session) if c.digest.startswith(name)}
            if len(digests) == 1:
                return approved_policy(records, catalog, digests.pop())
    if not Path(name).is_dir():
        raise PolicyError(
            f"没有此策略文件夹或版本 / no policy folder and no version {Path(name).name!r}: name a folder, "
            f"{IN_FORCE}, or 16 digits or more of a version that `hub access changes` lists"
        )
    return load_policy(catalog, Path(name))


def policy_texts_of(settings: Settings) -> Mapping[str, str]:
    """Return the files of the policy in force by name.

    Raises:
        PolicyError, PolicyUnavailable: when they cannot be read.
    """
    with Records.open(settings) as records:
        digest = active_digest(records)
        if digest is not None:
            with looking(records) as session:
                texts = version_texts(session, digest)
            if texts is not None:
                return texts
    return read_folder(policy_folder_of(settings))


def grants_of(settings: Settings, now: datetime) -> tuple[str, ...]:
    """Return the names of the grants that are given and have not ended.

    Raises:
        PolicyUnavailable: when the records cannot be read.
    """
    with Records.open(settings) as records, looking(records) as session:
        found = standings(stored_grants(session), steps(session, About.GRANT), now)
    return tuple(f"{PREFIX}{s.grant.id}" for s in found if s.state is GrantState.GIVEN)


def policy_folder_of(settings: Settings) -> Path:
    """Return the folder of a hub's policy files: what is proposed next."""
    return settings.policy_folder or POLICY_FOLDER
