"""Near misses: what a refused request would have needed, one difference at a time.

Explains only; Casbin has decided already. The rules come from the same index as Casbin's own
candidates, the nearest first, and no more are put into words than are ever shown.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice

from access.index import Index, words
from access.roles import RoleRegister
from access.rules import OTHERS, OWNER, Rule
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


class Nearest:
    """Finds the rules that a request misses by exactly one attribute."""

    def __init__(self, index: Index, roles: RoleRegister) -> None:
        self._index = index
        self._roles = roles

    def of(self, miss: Missed) -> tuple[tuple[int, str], ...]:
        """Return (ease, sentence) of the `MOST` nearest rules, in order; 0 is the easiest."""
        asked = words(
            held=miss.held,
            agency=miss.agency,
            owner=miss.dataset.owner,
            action=miss.action,
            dataset=miss.dataset.name,
            sharing=miss.dataset.sharing.value,
            purpose=miss.purpose,
            has_case=miss.has_case,
        )
        found = (
            (ease, self._sentence(rule, missing))
            for ease, missing in enumerate(EASIEST)
            for rule in self._index.missing(asked, missing)
        )
        return tuple(islice(found, MOST))

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


def _agencies(rule: Rule) -> Iterator[str]:
    words = {OWNER: "the department the data comes from", OTHERS: "another department"}
    for agency in rule.agencies:
        yield words.get(agency, agency)


def _either(words: Iterable[str]) -> str:
    return " or ".join(words)
