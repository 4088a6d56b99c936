"""Near misses: what a refused request would have needed, one difference at a time.

Explains only; Casbin has decided already. Each attribute is compared by the very function that
Casbin's matcher calls.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from access.roles import RoleRegister
from access.rules import ANY, OTHERS, OWNER, Rule, covers, rule_covers_dataset, serves
from hub.catalog import Dataset

MOST = 5
#: What a request can lack, the easiest to mend first. The purpose comes last, and is never offered
#: as the remedy: it states what the data is for, not which key fits the lock.
EASIEST = ("case", "dataset", "action", "agency", "role", "purpose")
MENDABLE = 3
_MISSING = {
    "case": "填写事项编号即可",
    "dataset": "只对其他数据集开放",
    "action": "只对其他操作开放",
    "agency": "只对其他部门开放",
    "role": "只对其他角色开放",
    "purpose": "只对其他目的开放",
}


@dataclass(frozen=True, slots=True)
class Missed:
    """A refused request for one dataset.

    Args:
        held: roles the actor holds in the agency, with what they inherit.
    """

    held: frozenset[str]
    agency: str
    action: str
    purpose: str
    has_case: bool
    dataset: Dataset

    def compared(self, rule: Rule) -> Iterator[tuple[str, bool]]:
        """Yield (attribute, whether the rule's is met)."""
        dataset = self.dataset
        yield "action", _any(rule.actions, self.action)
        yield "purpose", _any(rule.purposes, self.purpose)
        yield "dataset", rule_covers_dataset(rule, dataset)
        yield "role", ANY in rule.roles or not self.held.isdisjoint(rule.roles)
        yield "agency", any(serves(p, self.agency, dataset.owner) for p in rule.agencies)
        yield "case", rule.case == "optional" or self.has_case


class Nearest:
    """Finds the rules that a request misses by exactly one attribute."""

    def __init__(self, rules: tuple[Rule, ...], roles: RoleRegister) -> None:
        self._rules = tuple(rule for rule in rules if rule.allows)
        self._roles = roles

    def of(self, miss: Missed) -> set[tuple[int, str]]:
        """Return (ease, sentence) of each rule missed by one attribute; 0 is the easiest."""
        found: set[tuple[int, str]] = set()
        for rule in self._rules:
            missing = [name for name, met in miss.compared(rule) if not met]
            if len(missing) == 1:
                found.add((EASIEST.index(missing[0]), self._sentence(rule, missing[0])))
        return found

    def _sentence(self, rule: Rule, missing: str) -> str:
        chinese = _MISSING[missing]
        return f"{chinese}（规则 {rule.id}） / it would be allowed {self._wanted(rule, missing)}"

    def _wanted(self, rule: Rule, missing: str) -> str:
        if missing == "role":
            return f"in the role {_either(self._titles(rule))}"
        return {
            "action": f"as {_either(rule.actions)}",
            "purpose": f"for the purpose {_either(rule.purposes)}",
            "dataset": f"of {_either(rule.datasets)}",
            "agency": f"from {_either(_agencies(rule))}",
            "case": "with a case reference",
        }[missing]

    def _titles(self, rule: Rule) -> Iterator[str]:
        for code in rule.roles:
            role = self._roles.roles.get(code)
            yield f"{code} {role.title}" if role else code


def _any(patterns: Iterable[str], name: str) -> bool:
    return any(covers(pattern, name) for pattern in patterns)


def _agencies(rule: Rule) -> Iterator[str]:
    words = {OWNER: "the department the data comes from", OTHERS: "another department"}
    for agency in rule.agencies:
        yield words.get(agency, agency)


def _either(words: Iterable[str]) -> str:
    return " or ".join(words)
