"""What a change of policy opens and closes, found by asking both policies everything.

Two deciders are asked every question of every post; what they answer differently is the difference,
and nothing else is. Only then are cells that changed alike put together into lines, each of which
is true of exactly the cells it was made of.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Literal, NamedTuple, TypeVar

from access.cells import Cell, Circumstance, Opened, Term, opened, shows_no_more
from access.decision import Decider
from access.model import HIDDEN
from access.posts import Post, posts_of
from access.purposes import PurposeRegister

T = TypeVar("T")
Way = Literal["opens", "closes", "changes"]
#: What of a purpose shows in cells or terms anyway, or is but a name.
_SEEN = frozenset({"code", "title", "plain", "roles", "actions", "needs"})
_LAX: Mapping[str, int] = {"list_cap": 1, "min_cell": -1}  # whether more is laxer
_BINDING = frozenset({"case_required", "one_person_per_request"})


class Turn(NamedTuple):
    """How a cell was treated, and how it is; `hidden` where there is none."""

    before: str
    after: str

    @property
    def way(self) -> Way:
        """Whether more is shown, less, or something else."""
        if shows_no_more(self.before, self.after):
            return "opens"
        return "closes" if shows_no_more(self.after, self.before) else "changes"


class TermTurn(NamedTuple):
    """The obligations of an allowed kind of request, before and after."""

    before: frozenset[str]
    after: frozenset[str]

    @property
    def way(self) -> Way:
        """Whether they bind less, more, or otherwise."""
        laxer = {_laxer(word, self.after) for word in self.before - self.after}
        laxer |= {not _laxer(word, self.before) for word in self.after - self.before}
        words = self.before ^ self.after
        if not all(_name(word) in _BINDING or _name(word) in _LAX for word in words):
            return "changes"
        if len(laxer) > 1:
            return "changes"
        return "opens" if laxer == {True} else "closes"


def _name(word: str) -> str:
    return word.partition("=")[0]


def _laxer(word: str, others: frozenset[str]) -> bool:
    """Say whether obligations bind less than a word that is not among them."""
    name, _, number = word.partition("=")
    found = next((w.partition("=")[2] for w in others if _name(w) == name), None)
    if found is None:
        return True
    return (int(found) - int(number)) * _LAX.get(name, 0) > 0


@dataclass(frozen=True, slots=True)
class Difference:
    """How two policies differ.

    Args:
        cells: post -> cell -> how its treatment turned.
        terms: post -> request that both allow -> how its obligations turned.
        purposes: (purpose, entry, before, after) of the register, where no cell can show it.
    """

    cells: Mapping[Post, Mapping[Cell, Turn]]
    terms: Mapping[Post, Mapping[Term, TermTurn]]
    purposes: tuple[tuple[str, str, str, str], ...]

    @property
    def opens(self) -> bool:
        """Whether anything is opened, or bound less."""
        shown = {turn.way for found in self.cells.values() for turn in found.values()}
        bound = {turn.way for found in self.terms.values() for turn in found.values()}
        return bool((shown | bound) - {"closes"})


@dataclass(frozen=True, slots=True)
class Line:
    """Cells that turned alike: the product of all that is listed.

    Args:
        persons: of `access.cells.PERSONS`.
    """

    posts: tuple[Post, ...]
    purpose: str
    action: str
    dataset: str
    columns: tuple[str, ...]
    turn: Turn
    areas: tuple[str, ...]
    cases: tuple[str, ...]
    persons: tuple[str, ...]
    asked: tuple[str, ...]

    @property
    def cells(self) -> int:
        """How many cells it stands for."""
        n = len(self.posts) * len(self.columns) * len(self.areas)
        return n * len(self.cases) * len(self.persons) * len(self.asked)


@dataclass(frozen=True, slots=True)
class TermLine:
    """Requests whose obligations turned alike."""

    posts: tuple[Post, ...]
    purpose: str
    action: str
    datasets: tuple[str, ...]
    turn: TermTurn


def difference(before: Decider, after: Decider, at: datetime) -> Difference:
    """Return how two policies differ, for every post that one of them knows."""
    posts = dict.fromkeys((*posts_of(before.policy.roles), *posts_of(after.policy.roles)))
    cells: dict[Post, Mapping[Cell, Turn]] = {}
    terms: dict[Post, Mapping[Term, TermTurn]] = {}
    for post in posts:
        one, other = opened(before, post.actor(), at), opened(after, post.actor(), at)
        if turned := turns(one, other):
            cells[post] = turned
        if bound := term_turns(one, other):
            terms[post] = bound
    purposes = tuple(_purposes(before.policy.purposes, after.policy.purposes))
    return Difference(cells, terms, purposes)


def turns(before: Opened, after: Opened) -> dict[Cell, Turn]:
    """Return every cell that is treated otherwise."""
    return {
        cell: turn
        for cell in dict.fromkeys((*before.cells, *after.cells))
        if (turn := Turn(before.cells.get(cell, HIDDEN), after.cells.get(cell, HIDDEN))).before
        != turn.after
    }


def term_turns(before: Opened, after: Opened) -> dict[Term, TermTurn]:
    """Return every request allowed by both whose obligations are others."""
    return {
        term: TermTurn(bound, after.terms[term])
        for term, bound in before.terms.items()
        if term in after.terms and after.terms[term] != bound
    }


def _purposes(
    before: PurposeRegister, after: PurposeRegister
) -> Iterator[tuple[str, str, str, str]]:
    for code in dict.fromkeys((*before, *after)):
        one, other = before.get(code), after.get(code)
        if one is None or other is None:
            yield code, "purpose", "" if one is None else code, "" if other is None else code
            continue
        for entry in fields(one):
            old, new = getattr(one, entry.name), getattr(other, entry.name)
            if entry.name not in _SEEN and old != new:
                yield code, entry.name, _text(old), _text(new)


def _text(value: object) -> str:
    return ", ".join(sorted(map(str, value))) if isinstance(value, frozenset) else str(value)


_Box = tuple[tuple[str, ...], tuple[str, ...], tuple[str, ...], tuple[str, ...]]
_Rest = tuple[str, str, str, Turn, _Box]


def lines(difference: Difference) -> tuple[Line, ...]:
    """Return the cells that turned, put together: each stands in exactly one line."""
    where: dict[tuple[Post, str, str, str, str, Turn], set[Circumstance]] = defaultdict(set)
    for post, found in difference.cells.items():
        for cell, turn in found.items():
            key = (post, cell.purpose, cell.action, cell.dataset, cell.column, turn)
            where[key].add(cell.circumstance)
    columns: dict[tuple[Post, _Rest], list[str]] = defaultdict(list)
    for (post, purpose, action, dataset, column, turn), circumstances in where.items():
        for box in _boxes(circumstances):
            columns[post, (purpose, action, dataset, turn, box)].append(column)
    posts: dict[tuple[_Rest, tuple[str, ...]], list[Post]] = defaultdict(list)
    for (post, rest), names in columns.items():
        posts[rest, tuple(names)].append(post)
    made = [
        Line(tuple(held), purpose, action, dataset, names, turn, *box)
        for ((purpose, action, dataset, turn, box), names), held in posts.items()
    ]
    order = ("opens", "closes", "changes")
    return tuple(sorted(made, key=lambda m: (order.index(m.turn.way), m.purpose, m.dataset)))


def _boxes(circumstances: Iterable[Circumstance]) -> Iterator[_Box]:
    """Yield products (areas, cases, persons, asked) that together are the circumstances."""
    for persons, left in _alike((c.person, (c.area, c.case, c.asked)) for c in circumstances):
        for asked, rest in _alike((c[2], (c[0], c[1])) for c in left):
            for areas, cases in _alike((c[0], c[1]) for c in rest):
                yield areas, tuple(sorted(cases)), persons, asked


def _alike(pairs: Iterable[tuple[str, T]]) -> Iterator[tuple[tuple[str, ...], frozenset[T]]]:
    """Yield the words that go with the same things, and those things."""
    found: dict[str, set[T]] = defaultdict(set)
    for word, thing in pairs:
        found[word].add(thing)
    words: dict[frozenset[T], list[str]] = defaultdict(list)
    for word in sorted(found):
        words[frozenset(found[word])].append(word)
    yield from ((tuple(names), things) for things, names in words.items())


def term_lines(difference: Difference) -> tuple[TermLine, ...]:
    """Return the requests whose obligations turned, put together."""
    where: dict[tuple[Post, str, str, TermTurn], dict[str, None]] = defaultdict(dict)
    for post, found in difference.terms.items():
        for term, turn in found.items():
            where[post, term.purpose, term.action, turn][term.dataset] = None
    posts: dict[tuple[str, str, tuple[str, ...], TermTurn], list[Post]] = defaultdict(list)
    for (post, purpose, action, turn), datasets in where.items():
        posts[purpose, action, tuple(datasets), turn].append(post)
    return tuple(
        TermLine(tuple(held), purpose, action, datasets, turn)
        for (purpose, action, datasets, turn), held in posts.items()
    )
