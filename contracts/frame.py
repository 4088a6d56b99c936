"""What a rule may name inside the one scan: the stages of a column and the world around it.

Column `c` exists there as `text(c)` (cleaned text), `typed(c)` (its value, NULL when the cast
failed), `plain(c)` (whether the raw text already had the column's shape), and for identity
numbers `body(c)` (first 17 digits as BIGINT, NULL when the form is wrong) and `valid(c)`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date

from contracts.codes import DIVISIONS, CodeSets
from contracts.model import Contract
from hub.quoting import identifier

CHECKED = "checked"
"""Table that the scan leaves: typed columns, and the bits of the checks a row fails."""


@dataclass(frozen=True, slots=True)
class Frame:
    """Names and facts for the SQL of one batch.

    Args:
        as_of: the delivery's day; nothing may lie after it.
        references: "dataset.column" -> SQL relation that holds the published values in a column
            of that name; absent when nothing is published yet.
    """

    contract: Contract
    code_sets: CodeSets
    as_of: date
    references: Mapping[str, str] = field(default_factory=dict)

    def raw(self, column: str) -> str:
        """Name of the cell as it was delivered."""
        return identifier(f"raw:{column}")

    def plain(self, column: str) -> str:
        """Name of the flag that the delivered cell already has the column's shape."""
        return identifier(f"plain:{column}")

    def early(self, column: str) -> str:
        """Name of the delivered cell read as a date, leniently."""
        return identifier(f"early:{column}")

    def text(self, column: str) -> str:
        """Name of the cleaned text."""
        return identifier(f"text:{column}")

    def typed(self, column: str) -> str:
        """Name of the typed value."""
        return identifier(column)

    def body(self, column: str) -> str:
        """Name of an identity number's first 17 digits."""
        return identifier(f"body:{column}")

    def valid(self, column: str) -> str:
        """Name of the flag that an identity number is right in form, date and check."""
        return identifier(f"valid:{column}")

    def divisions(self, lengths: Sequence[int] = (), *, ever: bool = False) -> tuple[str, ...]:
        """Return division codes in force on `as_of` (or ever), of these lengths only."""
        known = self.code_sets.get(DIVISIONS)
        if known is None:
            return ()
        codes = (item for item in known.codes if ever or item.is_valid_on(self.as_of))
        return tuple(item.code for item in codes if not lengths or len(item.code) in lengths)

    def division_spans(self) -> dict[tuple[date | None, date | None], tuple[str, ...]]:
        """Return every division code there ever was by its first and last day in force."""
        spans: dict[tuple[date | None, date | None], list[str]] = {}
        known = self.code_sets.get(DIVISIONS)
        for item in known.codes if known else ():
            spans.setdefault((item.valid_from, item.valid_to), []).append(item.code)
        return {span: tuple(codes) for span, codes in spans.items()}

    def relation(self, dataset: str, column: str) -> str | None:
        """Return the relation with another dataset's published column, or None."""
        return self.references.get(f"{dataset}.{column}")
