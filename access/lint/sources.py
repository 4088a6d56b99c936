"""A policy folder as read, before anything is compiled: what every check looks at."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from access import purposes as purposes_file
from access import roles as roles_file
from access.files import POLICY_FOLDER, policy_file, read_text, stray_files
from access.purposes import PurposeRegister, load_purposes
from access.roles import RoleRegister, load_roles
from access.rules import RuleFile, load_rules
from hub.errors import PolicyError

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
        PolicyError: when a file is missing or so malformed that it cannot be linted, or when one
            has a name that nothing reads.
    """
    stray = stray_files(folder)
    if stray:
        raise PolicyError(f"{', '.join(stray)}: no policy file has that name; it would be ignored")
    return Sources(
        rule_file=load_rules(folder),
        roles=load_roles(folder),
        purposes=load_purposes(folder),
        model_text=read_text(policy_file(folder, MODEL_FILE)),
        purposes_text=read_text(policy_file(folder, purposes_file.FILE)),
        roles_text=read_text(policy_file(folder, roles_file.FILE)),
    )
