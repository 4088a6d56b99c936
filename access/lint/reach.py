"""Rules that can never matter, because of the others together.

A rule is taken apart into the smallest questions it answers: role, agency, action, dataset,
purpose. It is unreachable when every one of them is denied whatever else is said, or when there is
none; it is shadowed when each is allowed as far by other rules, which lift as much and oblige to as
much. All rules called shadowed can be taken away together, and no decision changes.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import product

from access.index import Index, words
from access.lint.finding import Finding, rule_error, rule_warning
from access.lint.rule_words import unknown_words
from access.lint.sources import Sources
from access.model import Action
from access.rules import ANY, Rule, covers, rule_covers_dataset, serves
from hub.catalog import Catalog, Dataset

_NAMED = 4  # rules that a message names


@dataclass(frozen=True, slots=True)
class _Atom:
    """One smallest question: somebody in a role of an agency, for a purpose, about a dataset."""

    role: str
    agency: str
    action: str
    dataset: str
    purpose: str


def rules_that_matter(sources: Sources, catalog: Catalog) -> Iterator[Finding]:
    """Find allowing rules that are denied throughout, or said already by others together."""
    reach = _Reach(sources, catalog)
    gone: set[str] = set()
    # From the end, so that of two rules that say the same the later one is called shadowed.
    for rule in reversed(sources.rule_file.rules):
        if not rule.allows or any(unknown_words(rule, sources, catalog)):
            continue
        if (denied := reach.denied(rule)) is not None:
            gone.add(rule.id)
            message = (
                f"被 {_names(denied)} 全部禁止 / {_names(denied)} denies all of it"
                if denied
                else "没有岗位、目的或数据集能用到它 / no post, purpose and dataset there are meet it"
            )
            yield rule_error(rule, "unreachable", message)
        elif (others := reach.said_by(rule, gone)) is not None:
            gone.add(rule.id)
            message = f"已由 {_names(others)} 全部允许 / {_names(others)} already allows all of it"
            yield rule_warning(rule, "shadowed", message)


def _names(rules: Iterable[Rule]) -> str:
    found = sorted({rule.id: rule.line for rule in rules}.items(), key=lambda item: item[1])
    more = f", … (+{len(found) - _NAMED})" if len(found) > _NAMED else ""
    return ", ".join(f"{name} (line {line})" for name, line in found[:_NAMED]) + more


class _Reach:
    """What other rules say to the questions of a rule."""

    def __init__(self, sources: Sources, catalog: Catalog) -> None:
        self._rules = sources.rule_file.rules
        self._purposes = sources.purposes
        self._catalog = catalog
        self._held = {code: sources.roles.held(code) for code in sources.roles.roles}
        self._posts = [(r.code, a) for r in sources.roles.roles.values() for a in r.agencies]
        self._index = Index(self._rules)
        self._meeting: dict[tuple[_Atom, bool, str], tuple[Rule, ...]] = {}

    def denied(self, rule: Rule) -> list[Rule] | None:
        """Return the denials that leave nothing of a rule, none for one that nothing meets.

        None when something is left of it.
        """
        found: dict[str, Rule] = {}
        for atom in self._atoms(rule):
            deny = self._denial(atom)
            if deny is None:
                return None
            found[deny.id] = deny
        return list(found.values())

    def said_by(self, rule: Rule, gone: set[str]) -> list[Rule] | None:
        """Return other rules that together allow all of a rule, None when they do not.

        Args:
            gone: rules that are not to be counted on.
        """
        areas = ("own",) if rule.area == "own" else ("own", "elsewhere")
        cases = (True,) if rule.case == "required" else (True, False)
        found: dict[str, Rule] = {}
        for atom in self._atoms(rule):
            for area, case in product(areas, cases):
                others = [
                    other
                    for other in self._met(atom, case, area)
                    if other.allows and other.id != rule.id and other.id not in gone
                ]
                wide = next((other for other in others if _opens_as_far(other, rule)), None)
                if wide is None or not _bind_as_much(others, rule):
                    return None
                found[wide.id] = wide
        return list(found.values())

    def _denial(self, atom: _Atom) -> Rule | None:
        """Return a denial of everything about a question: a denial holds anywhere, for any case."""
        met = self._met(atom, False, "own")
        whole = (r for r in met if not r.allows and r.subject is None)
        return next((r for r in whole if r.show == "masked" and r.level == 1), None)

    def _met(self, atom: _Atom, case: bool, area: str) -> tuple[Rule, ...]:
        key = (atom, case, area)
        if key not in self._meeting:
            dataset = self._catalog[atom.dataset]
            asked = words(
                held=self._held[atom.role],
                agency=atom.agency,
                owner=dataset.owner,
                action=atom.action,
                dataset=dataset.name,
                sharing=dataset.sharing.value,
                purpose=atom.purpose,
                has_case=case,
            )
            places = self._index.candidates(asked, area)
            self._meeting[key] = tuple(self._rules[place] for place in places)
        return self._meeting[key]

    def _atoms(self, rule: Rule) -> Iterator[_Atom]:
        """Yield every question a rule answers, of somebody in one role."""
        questions = list(self._questions(rule))
        for role, agency in self._posts:
            if ANY not in rule.roles and self._held[role].isdisjoint(rule.roles):
                continue
            for dataset, purpose, action in questions:
                if any(serves(pattern, agency, dataset.owner) for pattern in rule.agencies):
                    yield _Atom(role, agency, action, dataset.name, purpose)

    def _questions(self, rule: Rule) -> Iterator[tuple[Dataset, str, Action]]:
        for dataset in self._catalog.values():
            if not rule_covers_dataset(rule, dataset):
                continue
            for purpose in self._purposes.values():
                stated = any(covers(pattern, purpose.code) for pattern in rule.purposes)
                if stated and purpose.covers(dataset.name):
                    for action in purpose.actions:
                        if any(covers(pattern, action) for pattern in rule.actions):
                            yield dataset, purpose.code, action


def _opens_as_far(other: Rule, rule: Rule) -> bool:
    return other.level >= rule.level and other.show in ("clear", rule.show)


def _bind_as_much(others: list[Rule], rule: Rule) -> bool:
    """Say whether other rules lift what a rule lifts, and oblige to what it obliges to."""
    lifted = {lift for other in others for lift in other.lifts}
    if not rule.lifts <= lifted:
        return False
    words_of_others = {word for other in others for word in other.obligations}
    return all(_is_bound(word, words_of_others) for word in rule.obligations)


def _is_bound(word: str, others: set[str]) -> bool:
    name, sign, number = word.partition("=")
    if not sign:
        return word in others
    numbers = [int(o.partition("=")[2]) for o in others if o.startswith(f"{name}=")]
    strict = min(numbers, default=None) if name == "list_cap" else max(numbers, default=None)
    if strict is None:
        return False
    return strict <= int(number) if name == "list_cap" else strict >= int(number)
