"""The role register: which roles exist, in which agencies, and which exclude each other.

A role inherits what its parents may and may not; roles of one exclusive line are never held by
one person (三员分立: system, security and audit administrators).

Source: policies/roles.yaml and the register of agencies; GB/T 22239-2019 on separate duties.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from access.files import POLICY_FOLDER, parse_yaml, policy_file, read_text, words
from hub import agencies
from hub.agencies import parse_agencies
from hub.errors import PolicyError

FILE = "roles.yaml"


@dataclass(frozen=True, slots=True)
class Role:
    """One role.

    Args:
        title: what people call it, Chinese.
        plain: what it is for, in one plain sentence.
        inherits: parent roles.
        agencies: agencies it exists in.
    """

    code: str
    title: str
    plain: str
    agencies: tuple[str, ...]
    inherits: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class RoleRegister:
    """Every role and agency, the lines of roles that exclude each other, the duties of roles."""

    roles: Mapping[str, Role]
    agencies: Mapping[str, str]
    exclusive: tuple[frozenset[str], ...] = ()
    duties: Mapping[str, frozenset[str]] = field(default_factory=dict)
    _closures: dict[str, frozenset[str]] = field(default_factory=dict, compare=False, repr=False)

    def held(self, role: str) -> frozenset[str]:
        """Return the role and everything it inherits, empty for an unknown role."""
        if role not in self._closures:
            self._closures[role] = frozenset(_climb(self.roles, role))
        return self._closures[role]

    def conflicts(self, roles: tuple[str, ...]) -> tuple[str, ...]:
        """Return the roles that may not be held together, empty when all may.

        Two held roles conflict when they, or what they inherit, are different roles of one line.
        """
        found: set[str] = set()
        for line in self.exclusive:
            lines = {role: self.held(role) & line for role in roles}
            touching = {role for role, hit in lines.items() if hit}
            if len({name for role in touching for name in lines[role]}) > 1:
                found |= touching
        return tuple(sorted(found))


def _climb(roles: Mapping[str, Role], start: str) -> set[str]:
    seen: set[str] = set()
    waiting = [start]
    while waiting:
        code = waiting.pop()
        if code in roles and code not in seen:
            seen.add(code)
            waiting.extend(roles[code].inherits)
    return seen


def load_roles(folder: Path = POLICY_FOLDER) -> RoleRegister:
    """Return the role register of a policy folder.

    Raises:
        PolicyError: when a file is missing, or as `parse_roles`.
    """
    files = (read_text(policy_file(folder, name)) for name in (FILE, agencies.FILE))
    return parse_roles(*files)


def parse_roles(text: str, agencies_text: str) -> RoleRegister:
    """Return the role register of texts.

    Raises:
        PolicyError: when they have not this form; what their words refer to is `access.lint`'s
            business.
    """
    document = parse_yaml(FILE, text)
    known = parse_agencies(agencies_text)
    try:
        roles = {str(code): _role(str(code), entry) for code, entry in document["roles"].items()}
        return RoleRegister(
            roles=roles,
            agencies=known,
            exclusive=tuple(frozenset(words(line)) for line in document.get("exclusive", ())),
            duties={
                str(duty): frozenset(words(roles))
                for duty, roles in document.get("duties", {}).items()
            },
        )
    except (KeyError, TypeError, ValueError, AttributeError) as exc:
        raise PolicyError(f"{FILE}: not a role register: {exc}") from exc


def _role(code: str, entry: Mapping[str, Any]) -> Role:
    return Role(
        code=code,
        title=str(entry["title"]),
        plain=str(entry["plain"]),
        agencies=words(entry["agencies"]),
        inherits=words(entry.get("inherits", ())),
    )
