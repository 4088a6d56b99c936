"""The bits of a row: which word of the mask a check sets, and the SQL that reads them back.

A mask is a few BIGINT columns of 62 bits each, named `mask:0`, `mask:1`…; a row is flawless when
all are 0.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from contracts.checks import CheckSpec
from hub.quoting import identifier, literal

WORD_BITS = 62


@dataclass(frozen=True, slots=True)
class Masks:
    """Layout of the mask for one plan of checks."""

    specs: tuple[CheckSpec, ...]

    @property
    def words(self) -> tuple[str, ...]:
        """Names of the mask's columns."""
        highest = max((spec.bit for spec in self.specs if spec.bit is not None), default=0)
        return tuple(identifier(f"mask:{word}") for word in range(highest // WORD_BITS + 1))

    def place(self, spec: CheckSpec) -> tuple[int, int]:
        """Return (word, value of the bit in that word) of a row check."""
        assert spec.bit is not None
        return spec.bit // WORD_BITS, 1 << (spec.bit % WORD_BITS)

    def is_set(self, spec: CheckSpec) -> str:
        """SQL: the row fails this check."""
        word, value = self.place(spec)
        return f"({self.words[word]} & {value}) <> 0"

    def any_of(self, chosen: Callable[[CheckSpec], bool]) -> str:
        """SQL: the row fails any of the chosen checks."""
        sums = [0] * len(self.words)
        for spec in self.specs:
            if spec.bit is not None and chosen(spec):
                word, value = self.place(spec)
                sums[word] |= value
        tests = [
            f"({name} & {bits}) <> 0" for name, bits in zip(self.words, sums, strict=True) if bits
        ]
        return f"({' OR '.join(tests)})" if tests else "false"

    def failed_rules(self) -> str:
        """SQL: VARCHAR[] of the ids of every check the row fails, in bit order."""
        cases = ", ".join(
            f"CASE WHEN {self.is_set(spec)} THEN {literal(spec.id)} END"
            for spec in self.specs
            if spec.bit is not None
        )
        return f"list_filter([{cases}]::VARCHAR[], lambda rule: rule IS NOT NULL)"


def bits(conditions: Iterable[tuple[int, str]]) -> str:
    """SQL of a word from (value, condition) pairs; a condition that is NULL does not fail."""
    return " | ".join(
        f"(CASE WHEN {sql} THEN {value}::BIGINT ELSE 0::BIGINT END)" for value, sql in conditions
    )
