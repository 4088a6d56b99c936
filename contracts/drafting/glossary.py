"""What headers mean: the words of the contracts that are there, for a sample that has none.

A header that a contract already uses (its title, its name, or a partner's own) brings the column's
name and meaning with it. Any other Chinese header gets a plain name by its place; no reading of
the characters is guessed.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from contracts.model import Contract, Property, header_form
from contracts.reading import RESERVED
from hub.catalog import Classification

#: Names that belong to no person in particular.
_NEUTRAL = {
    "address": "address",
    "birth_date": "birth_date",
    "person_name": "name",
    "phone": "phone",
    "resident_id": "resident_id",
}
_WORDS = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[0-9]+")


@dataclass(frozen=True, slots=True)
class Known:
    """A header that contracts use.

    Args:
        item: the column it means, as the nearest contract describes it.
        level: the highest level any contract gives a column under this header.
        is_third: whether it is about a person who is no data subject there (a guardian's name).
    """

    item: Property
    level: Classification
    is_third: bool


class Glossary:
    """Every header of some contracts."""

    def __init__(self, contracts: Iterable[Contract], domain: str = "") -> None:
        """Take the headers up.

        Args:
            domain: where contracts differ, those of this domain are believed.
        """
        uses: dict[str, list[_Use]] = {}
        levels: dict[str, Classification] = {}
        for contract in contracts:
            near = contract.name.partition(".")[0] == domain
            accepted: dict[str, str] = {}
            for partner in (None, *(source.partner for source in contract.sources)):
                accepted.update(contract.headers(partner))
            for header, column in accepted.items():
                item = contract.column(column)
                is_title = header_form(item.title) == header
                is_third = item.role is not None and item.role not in contract.subjects
                uses.setdefault(header, []).append(_Use(item, near, is_title, is_third))
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


@dataclass(frozen=True, slots=True)
class _Use:
    """A header in one contract: the column, whether it is its own title, whom it is about."""

    item: Property
    is_near: bool
    is_title: bool
    is_third: bool


def _chosen(found: Sequence[_Use]) -> Known:
    """Return what a header means: as the domain has it, else as most titles have it.

    A header that stands for another person in every contract (身份证号) gets a neutral name.
    """
    near = [use for use in found if use.is_near]
    titles = [use for use in found if use.is_title]
    names = [use.item.name for use in near or titles or found]
    best = max((near or titles or found), key=lambda use: names.count(use.item.name)).item
    neutral = _NEUTRAL.get(best.semantic or "")
    if not near and neutral and len({use.item.name for use in found}) > 1:
        best = replace(best, name=neutral, role=None)
    level = max(use.item.classification for use in found)
    return Known(best, level, all(use.is_third for use in found))


def snake_case(header: str) -> str:
    """Return an ASCII header as a column name, "" when it is none.

    >>> snake_case("Crime ID"), snake_case("alarmPersonId"), snake_case("身份证号"), snake_case("2nd")
    ('crime_id', 'alarm_person_id', '', '')
    """
    if not header.isascii():
        return ""
    name = "_".join(word.lower() for word in _WORDS.findall(header))
    return name if name[:1].isalpha() else ""
