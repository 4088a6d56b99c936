"""Headers: which column of the contract each column of a file is.

Headers are compared in the form of `contracts.model.header_form`. The header row is the one
among the first rows that names most columns of the contract, so that title rows above it do not
matter. A file without header has a person's data in its first row: no text of a file is repeated
in a message unless its row is beyond doubt the header, and then only when it looks like one.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from contracts.model import Contract, header_form
from hub.errors import DeliveryRefused

SEARCHED_ROWS = 20

_HARMLESS = re.compile(r"[^\W\d][^\d]*\d{0,2}")
_SHOWN_LETTERS = 20


class HeaderReader(Protocol):
    """Finds the header row of a file and says which column each of its cells is."""

    def find(self, rows: Sequence[Sequence[str]]) -> tuple[int, int]:
        """Return which row is the header, and how well it fits; or refuse the file."""
        ...

    def resolve(self, header: Sequence[str]) -> tuple[str, ...]:
        """Return the column of each cell of the header row; or refuse the file."""
        ...

    def absent(self, present: Sequence[str]) -> tuple[str, ...]:
        """Return the columns that a file could have and lacks."""
        ...


@dataclass(frozen=True, slots=True)
class Headers:
    """What a partner's headers may be.

    Args:
        known: compared form of every accepted header -> column.
        titles: column -> what the partner calls it, for messages, in contract order.
        required: columns that must be there.
    """

    known: dict[str, str]
    titles: dict[str, str]
    required: frozenset[str]

    @classmethod
    def of(cls, contract: Contract, partner: str) -> Headers:
        """Return the headers a contract accepts from a partner."""
        own = {column: header for header, column in contract.source(partner).headers.items()}
        titles = {item.name: own.get(item.name, item.title) for item in contract.properties}
        needed = (p.name for p in contract.properties if p.required or p.key_position is not None)
        return cls(contract.headers(partner), titles, frozenset(needed))

    def column(self, header: str) -> str | None:
        """Return the column a header names, or None."""
        return self.known.get(header_form(header))

    def find(self, rows: Sequence[Sequence[str]]) -> tuple[int, int]:
        """Return which row is the header, and how many columns of the contract it names.

        Raises:
            DeliveryRefused: when no row names at least half of its cells.
        """
        scores = [len({c for cell in row if (c := self.column(cell))}) for row in rows]
        best = max(range(len(rows)), key=lambda i: scores[i], default=None)
        if best is None or scores[best] * 2 < sum(bool(cell.strip()) for cell in rows[best]):
            best = None
        if best is None or scores[best] == 0:
            raise DeliveryRefused(
                f"no header row among the first {SEARCHED_ROWS} lines: "
                "put these headers above the data, or have the contract name yours",
                findings=(", ".join(self.titles.values()),),
            )
        return best, scores[best]

    def resolve(self, header: Sequence[str]) -> tuple[str, ...]:
        """Return the column of each cell of the header row.

        Raises:
            DeliveryRefused: with a finding for every unknown, doubled or missing column.
        """
        columns = [self.column(cell) for cell in header]
        findings = [*self._unknown(header, columns), *self._doubled(columns)]
        findings += self._missing(frozenset(filter(None, columns)))
        if findings:
            raise DeliveryRefused(
                "the columns are not those of the contract: mend the header and deliver again",
                findings=tuple(findings),
            )
        return tuple(column for column in columns if column)

    def absent(self, present: Sequence[str]) -> tuple[str, ...]:
        """Return the contract's columns that a file lacks, in contract order."""
        return tuple(column for column in self.titles if column not in present)

    def _unknown(self, header: Sequence[str], columns: Sequence[str | None]) -> list[str]:
        return [
            f"column {number} is unknown to the contract{_shown(cell)}"
            for number, (cell, column) in enumerate(zip(header, columns, strict=True), 1)
            if column is None
        ]

    def _doubled(self, columns: Sequence[str | None]) -> list[str]:
        places: dict[str, list[str]] = {}
        for number, column in enumerate(columns, 1):
            if column is not None:
                places.setdefault(column, []).append(str(number))
        return [
            f"{self._named(column)} is there {len(numbers)} times: columns {', '.join(numbers)}"
            for column, numbers in places.items()
            if len(numbers) > 1
        ]

    def _missing(self, present: frozenset[str]) -> list[str]:
        return [
            f"{self._named(column)} is missing"
            for column in self.titles
            if column in self.required and column not in present
        ]

    def _named(self, column: str) -> str:
        return f"column {column} ({self.titles[column]})"


def _shown(header: str) -> str:
    """Return a header in brackets when it cannot be anybody's data, else nothing."""
    text = " ".join(header.split())
    if not text:
        return " (it has no header)"
    if len(text) > _SHOWN_LETTERS or not _HARMLESS.fullmatch(text):
        return ""
    return f" ({text})"
