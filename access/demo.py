"""Invented actors for the demonstration's own identity provider. Never used in production."""

from __future__ import annotations

from pathlib import Path

from access.files import POLICY_FOLDER, policy_file, read_yaml, words
from access.model import Actor
from hub.catalog import Classification
from hub.errors import PolicyError

FILE = "demo_actors.yaml"


def load_demo_actors(folder: Path = POLICY_FOLDER) -> dict[str, Actor]:
    """Return the demonstration's actors by account name.

    Raises:
        PolicyError: when the file is missing or an entry is not an actor.
    """
    return read_actors(policy_file(folder, FILE))


def read_actors(path: Path) -> dict[str, Actor]:
    """Return the actors of a file in the form of the demonstration's, by account name.

    Raises:
        PolicyError: when it is missing or an entry is not an actor.
    """
    actors: dict[str, Actor] = {}
    for account, entry in read_yaml(path).items():
        try:
            actors[account] = Actor(
                id=account,
                name=str(entry["name"]),
                agency=str(entry["agency"]),
                post=str(entry["post"]),
                roles=words(entry["roles"]),
                area=words(entry["area"]),
                clearance=Classification[entry["clearance"]],
            )
        except (KeyError, TypeError, ValueError) as exc:
            raise PolicyError(f"{path.name}: {account} is not an actor") from exc
    return actors
