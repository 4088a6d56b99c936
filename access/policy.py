"""The policy in force: Casbin decides, an index hands it only the rules that can matter.

`plain_enforcer` is Casbin with every rule; `Policy.ask` gives the same answer from the rows that
can match (`access.index`), with the matcher walked once (`access.matcher`). The tests compare the
two over generated requests. The only module that imports casbin.

Casbin's traps, and what is done about each: with no rule at all it evaluates the matcher on empty
strings and may allow, so a question without candidates is refused here; `FastEnforcer` skips
wildcard rules, so it is never used; an unknown effect, an `eval()` and a missing attribute fail
open, so `access.lint` refuses them before a policy is loaded.

Source: policies/model.conf; ANSI INCITS 359-2004 (RBAC), roles in agencies as Casbin domains.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Any

import casbin

from access.files import POLICY_FOLDER, Texts, digest_of, read_folder
from access.index import Index, Words, words
from access.lint import Sources, errors_of, lint_sources, sources_of
from access.matcher import Matcher
from access.model import Trait
from access.purposes import PurposeRegister
from access.roles import RoleRegister
from access.rules import ANYBODY, Rule, covers, covers_dataset, serves
from hub.catalog import Catalog
from hub.errors import PolicyError

MODEL_FILE = "model.conf"

_HELD_SIZE = 10_000

Row = tuple[str, ...]
_SUBJECT = 8  # where a row's last four words begin: subject, show, level, effect


@dataclass(frozen=True, slots=True)
class Question:
    """One yes-or-no question to Casbin.

    Args:
        roles: roles the actor holds in the agency, without what they inherit.
        area: "own" or "elsewhere".
        case: "given" or "none".
        show: "clear" or "masked".
        level: 1 to 4.
        subject: a trait of the person asked about, or "none".
    """

    roles: tuple[str, ...]
    agency: str
    owner: str
    action: str
    dataset: str
    sharing: str
    purpose: str
    area: str
    case: str
    show: str
    level: int
    subject: str = "none"

    def values(self) -> tuple[Any, ...]:
        """Return the values in the order of the model's request definition."""
        return (
            self.roles, self.agency, self.owner, self.action, self.dataset, self.sharing,
            self.purpose, self.area, self.case, self.subject, self.show, self.level,
        )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Ruling:
    """Casbin's answer to a question and the ids of the rules that matched."""

    allowed: bool
    rules: tuple[str, ...]


class _Enforcer(casbin.Enforcer):  # type: ignore[misc]
    """Casbin's enforcer with its matcher parsed and walked once instead of at every question."""

    _matcher: Matcher | None = None

    def _get_expression(self, expr: str, functions: Any = None) -> Matcher:
        if self._matcher is None:
            parsed = casbin.Enforcer._get_expression(expr, functions).ast_parsed_value
            self._matcher = Matcher(parsed, functions)
        return self._matcher


class Policy:
    """Rules, roles and purposes of one version, and the enforcer over them.

    Thread safe: Casbin's evaluator keeps the question in itself, so that a lock guards it.
    """

    def __init__(
        self, sources: Sources, model_text: str, rules: tuple[Rule, ...], version: str
    ) -> None:
        self.rules = rules
        self.sources = sources
        self.roles: RoleRegister = sources.roles
        self.purposes: PurposeRegister = sources.purposes
        self.version = version
        self.by_id = {rule.id: rule for rule in rules}
        self.index = Index(rules)
        self._rows = tuple(tuple(dict.fromkeys(casbin_rows(rule))) for rule in rules)
        self._model_text = model_text
        self._lock = threading.Lock()
        self._noted: list[str] = []
        self._holds = _holding(self.roles)
        self._latest: tuple[tuple[Any, ...], list[Row]] = ((), [])
        self._held: dict[tuple[tuple[str, ...], str], frozenset[str]] = {}
        self._enforcer = self._make(_Enforcer, (), self._noted)
        self._candidates = self._enforcer.get_model().model["p"]["p"]

    def ask(self, question: Question) -> Ruling:
        """Return Casbin's answer from the rows that can match the question."""
        rows = [row for row in self._meeting(question) if _applies(row, question)]
        if not rows:
            return Ruling(allowed=False, rules=())
        with self._lock:
            self._noted.clear()
            self._candidates.policy = rows
            allowed = self._enforcer.enforce(*question.values())
            return Ruling(allowed, tuple(dict.fromkeys(self._noted)))

    def traits_of(self, question: Question) -> tuple[Trait, ...]:
        """Return the traits on which the answer may hang: those that a rule about it names."""
        named = {row[_SUBJECT] for row in self._meeting(question)}
        return tuple(trait for trait in Trait if trait in named)

    def plain_enforcer(self) -> tuple[Any, list[str]]:
        """Return unmodified Casbin over every rule, and the list its matches are noted in."""
        noted: list[str] = []
        rows = tuple(row for rows in self._rows for row in rows)
        return self._make(casbin.Enforcer, rows, noted), noted

    def _meeting(self, question: Question) -> list[Row]:
        """Return the rows that a question meets whatever its subject, show and level, in order.

        All others differ in a word. Kept for the next question, which mostly differs in no more.
        """
        kind = (
            question.roles, question.agency, question.owner, question.action, question.dataset,
            question.sharing, question.purpose, question.area, question.case,
        )  # fmt: skip
        latest, rows = self._latest  # one tuple, read and replaced whole: threads need no lock
        if latest != kind:
            rows = self._searched(question)
            self._latest = (kind, rows)
        return rows

    def _searched(self, question: Question) -> list[Row]:
        asked = words(
            held=self._roles_held(question.roles, question.agency),
            agency=question.agency,
            owner=question.owner,
            action=question.action,
            dataset=question.dataset,
            sharing=question.sharing,
            purpose=question.purpose,
            has_case=question.case == "given",
        )
        places = self.index.candidates(asked, question.area)
        return [row for place in places for row in self._rows[place] if _meets(row, asked)]

    def _roles_held(self, roles: tuple[str, ...], agency: str) -> frozenset[str]:
        key = (roles, agency)
        held = self._held.get(key)
        if held is None:
            if len(self._held) >= _HELD_SIZE:
                self._held.clear()
            register = self.roles.roles
            present = (r for r in roles if r in register and agency in register[r].agencies)
            held = frozenset(name for role in present for name in self.roles.held(role))
            self._held[key] = held
        return held

    def _make(self, kind: Callable[[Any], Any], rows: tuple[Row, ...], noted: list[str]) -> Any:
        model = casbin.Enforcer.new_model(text=self._model_text)
        enforcer = kind(model)
        enforcer.enable_auto_save(False)
        links = tuple(dict.fromkeys(role_links(self.roles)))
        enforcer.add_policies([list(row) for row in rows])
        enforcer.add_grouping_policies([list(link) for link in links])
        taken = (len(enforcer.get_policy()), len(enforcer.get_grouping_policy()))
        if taken != (len(rows), len(links)):
            raise PolicyError("Casbin did not take every rule of the policy")
        for name, function in _functions(self._holds(enforcer), noted).items():
            enforcer.add_function(name, function)
        return enforcer


def casbin_rows(rule: Rule) -> Iterator[Row]:
    """Yield a rule as Casbin's rows: one for each combination of its words."""
    for role, agency, action, dataset, purpose in product(
        rule.roles, rule.agencies, rule.actions, rule.datasets, rule.purposes
    ):
        yield (
            rule.id, role, agency, action, dataset, purpose, rule.area, rule.case,
            rule.subject or ANYBODY, rule.show, str(int(rule.level)), rule.effect,
        )  # fmt: skip


def role_links(roles: RoleRegister) -> Iterator[Row]:
    """Yield (role, parent, agency) for each agency in which a role exists."""
    for role in roles.roles.values():
        for parent, agency in product(role.inherits, role.agencies):
            yield (role.code, parent, agency)


def _meets(row: Row, asked: Words) -> bool:
    _, role, agency, action, dataset, purpose, *_ = row
    return (
        role in asked.role
        and agency in asked.agency
        and action in asked.action
        and dataset in asked.dataset
        and purpose in asked.purpose
    )


def _applies(row: Row, question: Question) -> bool:
    subject, show, level, effect = row[_SUBJECT:]
    return (
        subject in (ANYBODY, question.subject)
        and _ranks(question.level, level, effect)
        and _shows(question.show, show, effect)
    )


def _holding(roles: RoleRegister) -> Callable[[Any], Callable[[tuple[str, ...], str, str], bool]]:
    """Return a maker of the matcher's `holds`, which asks Casbin's own role manager once a pair."""
    known: dict[tuple[str, str, str], bool] = {}

    def of(enforcer: Any) -> Callable[[tuple[str, ...], str, str], bool]:
        manager = enforcer.get_role_manager()

        def holds_one(role: str, wanted: str, agency: str) -> bool:
            key = (role, wanted, agency)
            if key not in known:
                exists = role in roles.roles and agency in roles.roles[role].agencies
                known[key] = exists and bool(manager.has_link(role, wanted, agency))
            return known[key]

        def holds(held: tuple[str, ...], wanted: str, agency: str) -> bool:
            return wanted == "*" or any(holds_one(role, wanted, agency) for role in held)

        return holds

    return of


def _ranks(level: int, limit: str, effect: str) -> bool:
    return level <= int(limit) if effect == "allow" else level >= int(limit)


def _shows(asked: str, ruled: str, effect: str) -> bool:
    wider = "clear" if effect == "allow" else "masked"
    return ruled in (asked, wider)


def _functions(holds: Any, noted: list[str]) -> dict[str, Callable[..., bool]]:
    """Return the matcher's functions by name; the model's head says what each compares."""

    def note(rule: str) -> bool:
        noted.append(rule)
        return True

    return {
        "holds": holds,
        "serves": lambda agency, pattern, owner: serves(pattern, agency, owner),
        "covers": covers,
        "holds_data": covers_dataset,
        "ranks": _ranks,
        "shows": _shows,
        "note": note,
    }


def load_policy(catalog: Catalog, folder: Path = POLICY_FOLDER) -> Policy:
    """Return the policy of a folder, ready to decide; what serves is `access.keeper`'s.

    Raises:
        PolicyError: as `policy_of`, or when the folder cannot be read.
    """
    return policy_of(read_folder(folder), catalog)


def policy_of(texts: Texts, catalog: Catalog) -> Policy:
    """Return the policy of texts, ready to decide.

    Raises:
        PolicyError: with every finding as "file:line: message" when it does not lint. Whoever
            reloads keeps the policy that was in force.
    """
    sources = sources_of(texts)
    errors = errors_of(lint_sources(sources, catalog))
    if errors:
        raise PolicyError(
            "the access policy does not lint and is not activated",
            findings=tuple(str(finding) for finding in errors),
        )
    return Policy(sources, sources.model_text, sources.rule_file.rules, version_of(texts))


def version_of(texts: Texts) -> str:
    """Return the version of a policy: the first 16 digits of its digest."""
    return digest_of(texts)[:16]
