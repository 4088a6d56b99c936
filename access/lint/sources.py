"""A policy folder as read, before anything is compiled: what every check looks at."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from access import purposes as purposes_file
from access import roles as roles_file
from access import rules as rules_file
from access.files import POLICY_FOLDER, Texts, read_folder
from access.purposes import PurposeRegister, parse_purposes
from access.roles import RoleRegister, parse_roles
from access.rules import RuleFile, parse_rules
from hub import agencies

MODEL_FILE = "model.conf"


@dataclass(frozen=True, slots=True)
class Sources:
    """A policy folder as read, before anything is compiled."""

    rule_file: RuleFile
    roles: RoleRegister
    purposes: PurposeRegister
    model_text: str
    purposes_text: str
    roles_text: str


def read_sources(folder: Path = POLICY_FOLDER) -> Sources:
    """Read a policy folder.

    Raises:
        PolicyError: as `access.files.read_folder` and `sources_of`.
    """
    return sources_of(read_folder(folder))


def sources_of(texts: Texts) -> Sources:
    """Read a policy's texts.

    Raises:
        PolicyError: when one is so malformed that it cannot be linted.
    """
    return Sources(
        rule_file=parse_rules(texts[rules_file.FILE]),
        roles=parse_roles(texts[roles_file.FILE], texts[agencies.FILE]),
        purposes=parse_purposes(texts[purposes_file.FILE]),
        model_text=texts[MODEL_FILE],
        purposes_text=texts[purposes_file.FILE],
        roles_text=texts[roles_file.FILE],
    )
