"""One difference between two versions of a contract: whom it breaks, and what it asks of the version.

A consumer reads the dataset; the provider delivers it; the data subjects are those it is about. What
any of them could rely on and no longer can is breaking, and a breaking change asks for a new major
version. Data subjects rely on who may see their data, for what, and how it is protected: wider
access breaks them, however little it changes for others.

Source: Semantic Versioning 2.0.0 (clauses 6 to 8).
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Literal

Party = Literal["consumer", "provider", "subject"]
CONSUMER: tuple[Party, ...] = ("consumer",)
PROVIDER: tuple[Party, ...] = ("provider",)
SUBJECTS: tuple[Party, ...] = ("subject",)
BOTH: tuple[Party, ...] = ("consumer", "provider")
NOBODY: tuple[Party, ...] = ()
_VERSION = re.compile(r"(0|[1-9][0-9]{0,8})\.(0|[1-9][0-9]{0,8})\.(0|[1-9][0-9]{0,8})")


class Bump(IntEnum):
    """A step of the version, smallest first."""

    NONE = 0
    PATCH = 1
    MINOR = 2
    MAJOR = 3

    def __str__(self) -> str:
        return self.name.lower()


@dataclass(frozen=True, slots=True)
class Difference:
    """One thing that the new version says otherwise.

    Args:
        kind: what happened, snake_case, stable.
        subject: the column, rule, partner or property that it happened to.
        breaks: who could rely on the old version and cannot on the new one.
        text: a sentence for people, Chinese and English.
        least: the step it asks for where it breaks nobody.
        line: line of the new file that says so.
    """

    kind: str
    subject: str
    breaks: tuple[Party, ...]
    text: str
    least: Bump = Bump.MINOR
    line: int = field(default=1, compare=False)

    @property
    def is_breaking(self) -> bool:
        """Say whether it breaks anybody."""
        return bool(self.breaks)

    @property
    def bump(self) -> Bump:
        """The step of the version it asks for."""
        return Bump.MAJOR if self.breaks else self.least


def parse_version(text: str) -> tuple[int, int, int] | None:
    """Return MAJOR.MINOR.PATCH as numbers, or None when the text is no such version.

    >>> parse_version("1.10.0"), parse_version("1.10"), parse_version("v1")
    ((1, 10, 0), None, None)
    """
    found = _VERSION.fullmatch(text)
    if found is None:
        return None
    major, minor, patch = map(int, found.groups())
    return major, minor, patch


def step(old: str, new: str) -> Bump | None:
    """Return the step from one version to another, None when it is none or leads back.

    >>> step("1.4.2", "1.5.0"), step("1.4.2", "1.4.2"), step("2.0.0", "1.9.9")
    (<Bump.MINOR: 2>, <Bump.NONE: 0>, None)
    """
    before, after = parse_version(old), parse_version(new)
    if old == new:
        return Bump.NONE
    if before is None or after is None or after < before:
        return None
    if after[0] > before[0]:
        return Bump.MAJOR
    return Bump.MINOR if after[1] > before[1] else Bump.PATCH


def next_version(old: str, bump: Bump) -> str | None:
    """Return the version that such a step leads to, None when the old one is no version.

    >>> next_version("1.4.2", Bump.MAJOR), next_version("1.4.2", Bump.PATCH)
    ('2.0.0', '1.4.3')
    """
    before = parse_version(old)
    if before is None:
        return None
    major, minor, patch = before
    return {
        Bump.NONE: old,
        Bump.PATCH: f"{major}.{minor}.{patch + 1}",
        Bump.MINOR: f"{major}.{minor + 1}.0",
        Bump.MAJOR: f"{major + 1}.0.0",
    }[bump]
