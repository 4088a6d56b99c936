"""What the linter says: one thing wrong, where, and under which name."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from access import rules as rules_file
from access.rules import Rule


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing wrong with a policy.

    Args:
        line: from 1; 1 where the finding is about the file.
        severity: an error keeps the policy from being activated.
        code: stable name of the kind of finding; docs/access.md lists them.
        message: Chinese first, then English.
    """

    file: str
    line: int
    severity: Literal["error", "warning"]
    code: str
    message: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.code}: {self.message}"


def errors_of(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """Return the findings that keep a policy from being activated."""
    return tuple(finding for finding in findings if finding.severity == "error")


def rule_error(rule: Rule, code: str, message: str) -> Finding:
    """Return an error about a line of policy.csv; the message begins with the rule's name."""
    return Finding(rules_file.FILE, rule.line, "error", code, f"{rule.id}: {message}")


def rule_warning(rule: Rule, code: str, message: str) -> Finding:
    """Return a warning about a line of policy.csv; the message begins with the rule's name."""
    return Finding(rules_file.FILE, rule.line, "warning", code, f"{rule.id}: {message}")


def line_of(text: str, key: str) -> int:
    """Return the line on which a YAML text has a key by itself, 1 where it has none."""
    for number, line in enumerate(text.splitlines(), start=1):
        if line.strip() == f"{key}:":
            return number
    return 1
