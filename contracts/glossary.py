"""What headers mean: the words of the contracts that are there, for a sample that has none.

A header that a contract already uses (its title, its name, or a partner's own) brings the column's
name and meaning with it. Any other Chinese header gets a plain name by its place; no reading of
the characters is guessed.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from contracts.model import Contract, Property, header_form
from contracts.reading import RESERVED
from hub.catalog import Classification

_WORDS = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[0-9]+")


@dataclass(frozen=True, slots=True)
class Known:
    """A header that contracts use.

    Args:
        item: the column it means, as the nearest contract describes it.
        level: the highest level any contract gives a column under this header.
        uses: in how many contracts the header occurs.
    """

    item: Property
    level: Classification
    uses: int


class Glossary:
    """Every header of some contracts."""

    def __init__(self, contracts: Iterable[Contract], domain: str = "") -> None:
        """Take the headers up.

        Args:
            domain: where contracts differ, those of this domain are believed.
        """
        uses: dict[str, list[tuple[bool, Property]]] = {}
        levels: dict[str, Classification] = {}
        for contract in contracts:
            near = contract.name.partition(".")[0] == domain
            accepted: dict[str, str] = {}
            for partner in (None, *(source.partner for source in contract.sources)):
                accepted.update(contract.headers(partner))
            for header, column in accepted.items():
                uses.setdefault(header, []).append((near, contract.column(column)))
            for item in contract.properties:
                if item.code_set:
                    known = levels.get(item.code_set, Classification.L1)
                    levels[item.code_set] = max(known, item.classification)
        self._known = {header: _chosen(found) for header, found in uses.items()}
        self._levels = levels

    def known(self, header: str) -> Known | None:
        """Return what a header means, or None."""
        return self._known.get(header_form(header))

    def level_of(self, code_set: str) -> Classification | None:
        """Return the highest level any contract gives a column of that code set, or None."""
        return self._levels.get(code_set)

    def names(self, headers: Sequence[str]) -> tuple[str, ...]:
        """Return a column name for each header: known, or made of its letters, or by its place."""
        taken: set[str] = set()
        names = []
        for place, header in enumerate(headers, 1):
            known = self.known(header)
            name = known.item.name if known else snake_case(header) or f"column_{place}"
            if name in taken or name in RESERVED:
                name = f"column_{place}"
            taken.add(name)
            names.append(name)
        return tuple(names)


def _chosen(found: Sequence[tuple[bool, Property]]) -> Known:
    """Return the meaning most contracts give, those of the domain first."""
    near = [item for is_near, item in found if is_near] or [item for _, item in found]
    names = [item.name for item in near]
    best = max(near, key=lambda item: names.count(item.name))
    return Known(best, max(item.classification for _, item in found), len(found))


def snake_case(header: str) -> str:
    """Return an ASCII header as a column name, "" when it is none.

    >>> snake_case("Crime ID"), snake_case("alarmPersonId"), snake_case("身份证号"), snake_case("2nd")
    ('crime_id', 'alarm_person_id', '', '')
    """
    if not header.isascii():
        return ""
    name = "_".join(word.lower() for word in _WORDS.findall(header))
    return name if name[:1].isalpha() else ""
