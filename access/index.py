"""Which rules can matter to a question: a bit for every rule, a bitmap for every word of a column.

Made once, when a policy is loaded. A question's words select bitmaps; what all columns have in
common is what Casbin is asked about, what all but one have in common are the near misses. The
words are compared by the very functions that Casbin's matcher calls, so that the index can neither
drop a rule that Casbin would match nor name a near miss that is none. Decides nothing.

Source: bitmap index (O'Neil, Model 204, 1987).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass

from access.rules import ANY, NOT_SHARED, OTHERS, OWNER, Rule, covers, covers_dataset, serves

#: Column -> the words of a rule in it.
_COLUMNS: Mapping[str, Callable[[Rule], Iterable[str]]] = {
    "role": lambda rule: rule.roles,
    "agency": lambda rule: rule.agencies,
    "action": lambda rule: rule.actions,
    "dataset": lambda rule: rule.datasets,
    "purpose": lambda rule: rule.purposes,
    "area": lambda rule: (rule.area,),
    "case": lambda rule: (rule.case,),
    "effect": lambda rule: (rule.effect,),
}


@dataclass(frozen=True, slots=True)
class Words:
    """The words with which a rule meets a question, column by column."""

    role: frozenset[str]
    agency: frozenset[str]
    action: frozenset[str]
    dataset: frozenset[str]
    purpose: frozenset[str]
    case: frozenset[str]


def words(
    *,
    held: Iterable[str],
    agency: str,
    owner: str,
    action: str,
    dataset: str,
    sharing: str,
    purpose: str,
    has_case: bool,
) -> Words:
    """Return the words that meet a question.

    Args:
        held: roles the actor holds in the agency, with what they inherit.
        owner: agency the dataset comes from.
    """
    datasets = (*_patterns(dataset), NOT_SHARED)
    return Words(
        role=frozenset((ANY, *held)),
        agency=frozenset(w for w in (ANY, agency, OWNER, OTHERS) if serves(w, agency, owner)),
        action=frozenset(w for w in _patterns(action) if covers(w, action)),
        dataset=frozenset(w for w in datasets if covers_dataset(w, dataset, sharing)),
        purpose=frozenset(w for w in _patterns(purpose) if covers(w, purpose)),
        case=frozenset(("optional", "required") if has_case else ("optional",)),
    )


def _patterns(name: str) -> Iterator[str]:
    """Yield every pattern that can cover a name: all, the name itself, and its families."""
    yield ANY
    yield name
    end = name.find(".")
    while end >= 0:
        yield f"{name[:end]}.*"
        end = name.find(".", end + 1)


class Index:
    """The bitmaps of one policy's rules.

    Bits stand in the order of the rules' names as near misses are sorted, so that the nearest are
    the lowest bits. Never changed once made; safe to share between threads.
    """

    def __init__(self, rules: tuple[Rule, ...]) -> None:
        self._rules = rules
        # "）" follows a name in what is said of a near miss, and sorts behind every letter of one.
        self._places = sorted(range(len(rules)), key=lambda place: f"{rules[place].id}）")
        self._bits = {column: self._column(of) for column, of in _COLUMNS.items()}

    def candidates(self, asked: Words, area: str) -> list[int]:
        """Return the places of the rules that can match in an area ("own", "elsewhere"), in order.

        All others differ in a column and cannot match.
        """
        found = self._any("area", ("any", area))
        for column in Words.__slots__:
            found &= self._any(column, getattr(asked, column))
        return sorted(self._places[bit] for bit in _ones(found))

    def missing(self, asked: Words, column: str) -> Iterator[Rule]:
        """Yield the allowing rules that differ in that column and in no other, by name."""
        found = self._bits["effect"].get("allow", 0) & ~self._any(column, getattr(asked, column))
        for other in Words.__slots__:
            if other != column:
                found &= self._any(other, getattr(asked, other))
        for bit in _ones(found):
            yield self._rules[self._places[bit]]

    def _column(self, of: Callable[[Rule], Iterable[str]]) -> dict[str, int]:
        found: dict[str, int] = defaultdict(int)
        for bit, place in enumerate(self._places):
            for word in of(self._rules[place]):
                found[word] |= 1 << bit
        return dict(found)

    def _any(self, column: str, wanted: Iterable[str]) -> int:
        bits = self._bits[column]
        found = 0
        for word in wanted:
            found |= bits.get(word, 0)
        return found


def _ones(bits: int) -> Iterator[int]:
    """Yield the places of the bits that are set, the lowest first."""
    while bits:
        lowest = bits & -bits
        yield lowest.bit_length() - 1
        bits ^= lowest
