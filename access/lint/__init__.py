"""The policy linter: everything that would make a policy say something else than it reads.

What it finds as an error keeps a policy from being activated; the one in force stays. Casbin
itself fails open on an unknown effect, an `eval()`, an empty attribute and an empty policy, so
those are errors here, before Casbin sees them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path

from access.files import POLICY_FOLDER
from access.lint.finding import Finding, errors_of
from access.lint.model_text import model_as_proven
from access.lint.people import Account, account_of, lint_accounts, read_accounts
from access.lint.reach import rules_that_matter
from access.lint.registers import datasets_open, duties_hold, purposes_hold, roles_hold
from access.lint.rule_words import known_words, no_wider_than_its_purpose, readable_lines
from access.lint.sources import MODEL_FILE, Sources, read_sources, sources_of
from hub.catalog import Catalog

__all__ = [
    "CHECKS",
    "MODEL_FILE",
    "Account",
    "Finding",
    "Sources",
    "account_of",
    "errors_of",
    "lint",
    "lint_accounts",
    "lint_sources",
    "read_accounts",
    "read_sources",
    "sources_of",
]

Check = Callable[[Sources, Catalog], Iterable[Finding]]

#: Every check, in the order it runs.
CHECKS: tuple[Check, ...] = (
    model_as_proven, readable_lines, known_words, no_wider_than_its_purpose, rules_that_matter,
    purposes_hold, roles_hold, duties_hold, datasets_open,
)  # fmt: skip


def lint(catalog: Catalog, folder: Path = POLICY_FOLDER) -> tuple[Finding, ...]:
    """Return everything wrong with a policy folder, in file and line order.

    Raises:
        PolicyError: when a file cannot be read at all.
    """
    return lint_sources(read_sources(folder), catalog)


def lint_sources(sources: Sources, catalog: Catalog) -> tuple[Finding, ...]:
    """Return everything wrong with a policy as read, in file and line order."""
    found = [finding for check in CHECKS for finding in check(sources, catalog)]
    return tuple(sorted(found, key=lambda f: (f.file, f.line, f.code, f.message)))
