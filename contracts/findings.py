"""Findings of reading contracts as values: which file, which line, what is wrong.

The readers write a finding as `FILE:LINE: MESSAGE`; here it is taken apart again for tables and
programs.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

_FORM = re.compile(r"(.+?):(\d+): (.*)", re.DOTALL)


@dataclass(frozen=True, slots=True, order=True)
class Finding:
    """One thing that is wrong at one place."""

    file: str
    line: int
    message: str

    def to_json(self) -> dict[str, str | int]:
        """Return it as JSON values."""
        return {"file": self.file, "line": self.line, "message": self.message}


def parse_finding(text: str) -> Finding:
    """Return a finding taken apart.

    >>> parse_finding("a.yaml:7: no code set 'x'")
    Finding(file='a.yaml', line=7, message="no code set 'x'")
    """
    found = _FORM.fullmatch(text)
    if found is None:
        return Finding("", 0, text)
    return Finding(found[1], int(found[2]), found[3])


def by_file(findings: Iterable[str]) -> dict[str, list[Finding]]:
    """Return findings by file in name order, each file's by line."""
    grouped: dict[str, list[Finding]] = {}
    for finding in sorted(dict.fromkeys(map(parse_finding, findings))):
        grouped.setdefault(finding.file, []).append(finding)
    return grouped
