"""The policy linter: everything that would make a policy say something else than it reads.

What it finds as an error keeps a policy from being activated; the one in force stays. Casbin
itself fails open on an unknown effect, an `eval()`, an empty attribute and an empty policy, so
those are errors here, before Casbin sees them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import zip_longest
from pathlib import Path
from typing import Literal

from access import purposes as purposes_file
from access import roles as roles_file
from access import rules as rules_file
from access.duties import Duty
from access.files import POLICY_FOLDER, Texts, read_folder
from access.model import Action, Actor
from access.purposes import Purpose, PurposeRegister, parse_purposes
from access.roles import RoleRegister, parse_roles
from access.rules import (
    ANY,
    NOT_SHARED,
    OTHERS,
    OWNER,
    Rule,
    RuleFile,
    covers,
    parse_rules,
    rule_covers_dataset,
)
from access.view import mask_of
from hub import agencies
from hub.catalog import Catalog, Column, Dataset

MODEL_FILE = "model.conf"

_MATCHER = (
    "holds(r.roles, p.role, r.agency)",
    "serves(r.agency, p.agency, r.owner)",
    '(p.area == "any" || p.area == r.area)',
    '(p.case == "optional" || r.case == "given")',
    '(p.subject == "any" || p.subject == r.subject)',
    "ranks(r.level, p.level, p.eft)",
    "shows(r.show, p.show, p.eft)",
    "covers(p.action, r.action)",
    "holds_data(p.dataset, r.dataset, r.sharing)",
    "covers(p.purpose, r.purpose)",
    "note(p.rule)",
)
#: What model.conf says, line by line without its comments: the model that the tests prove.
_MODEL = (
    "[request_definition]",
    "r = roles, agency, owner, action, dataset, sharing, purpose, area, case, subject, show, level",
    "[policy_definition]",
    "p = rule, role, agency, action, dataset, purpose, area, case, subject, show, level, eft",
    "[role_definition]",
    "g = _, _, _",
    "[policy_effect]",
    "e = some(where (p.eft == allow)) && !some(where (p.eft == deny))",
    "[matchers]",
    f"m = {' && '.join(_MATCHER)}",
)


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing wrong with a policy.

    Args:
        line: from 1; 1 where the finding is about the file.
        severity: an error keeps the policy from being activated.
        code: stable name of the kind of finding.
    """

    file: str
    line: int
    severity: Literal["error", "warning"]
    code: str
    message: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.code}: {self.message}"


@dataclass(frozen=True, slots=True)
class Sources:
    """A policy folder as read, before anything is compiled."""

    rule_file: RuleFile
    roles: RoleRegister
    purposes: PurposeRegister
    model_text: str
    purposes_text: str
    roles_text: str


def read_sources(folder: Path = POLICY_FOLDER) -> Sources:
    """Read a policy folder.

    Raises:
        PolicyError: as `access.files.read_folder` and `sources_of`.
    """
    return sources_of(read_folder(folder))


def sources_of(texts: Texts) -> Sources:
    """Read a policy's texts.

    Raises:
        PolicyError: when one is so malformed that it cannot be linted.
    """
    return Sources(
        rule_file=parse_rules(texts[rules_file.FILE]),
        roles=parse_roles(texts[roles_file.FILE], texts[agencies.FILE]),
        purposes=parse_purposes(texts[purposes_file.FILE]),
        model_text=texts[MODEL_FILE],
        purposes_text=texts[purposes_file.FILE],
        roles_text=texts[roles_file.FILE],
    )


def lint(catalog: Catalog, folder: Path = POLICY_FOLDER) -> tuple[Finding, ...]:
    """Return everything wrong with a policy folder, in file and line order.

    Raises:
        PolicyError: when a file cannot be read at all.
    """
    return lint_sources(read_sources(folder), catalog)


def lint_sources(sources: Sources, catalog: Catalog) -> tuple[Finding, ...]:
    """Return everything wrong with a policy as read, in file and line order."""
    found = [finding for check in CHECKS for finding in check(sources, catalog)]
    return tuple(sorted(found, key=lambda f: (f.file, f.line, f.code, f.message)))


def errors_of(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """Return the findings that keep a policy from being activated."""
    return tuple(finding for finding in findings if finding.severity == "error")


def lint_actors(roles: RoleRegister, actors: Iterable[Actor]) -> tuple[Finding, ...]:
    """Return a finding for every actor with unknown or mutually exclusive roles."""
    found: list[Finding] = []
    for actor in actors:
        conflicts = roles.conflicts(actor.roles)
        if conflicts:
            message = f"{actor.id} holds {', '.join(conflicts)}, which exclude each other"
            found.append(Finding("actors", 1, "error", "separate-duties", message))
        unknown = [role for role in actor.roles if role not in roles.roles]
        if unknown or actor.agency not in roles.agencies:
            message = f"{actor.id} has a role or agency that does not exist"
            found.append(Finding("actors", 1, "error", "unknown-role", message))
    return tuple(found)


def _rule_error(rule: Rule, code: str, message: str) -> Finding:
    return Finding(rules_file.FILE, rule.line, "error", code, f"{rule.id}: {message}")


def _rule_warning(rule: Rule, code: str, message: str) -> Finding:
    return Finding(rules_file.FILE, rule.line, "warning", code, f"{rule.id}: {message}")


def _model(sources: Sources, _catalog: Catalog) -> Iterator[Finding]:
    """The model is the one the code was proven with: only comments and spacing may differ.

    Nothing less would do: Casbin lets a later line take the place of an earlier one, wherever it
    stands, and a matcher can be neutralised inside its innermost parentheses.
    """
    said = [(n, " ".join(line.split())) for n, line in enumerate(sources.model_text.split("\n"), 1)]
    said = [(n, line) for n, line in said if line and not line.startswith("#")]
    for found, wanted in zip_longest(said, _MODEL):
        number, line = found or (1, None)
        if line != wanted:
            message = f"must be: {wanted}" if wanted else "says more than the model that was proven"
            yield Finding(MODEL_FILE, number, "error", "model", message)
            return


def _lines(sources: Sources, _catalog: Catalog) -> Iterator[Finding]:
    for line, code, message in sources.rule_file.findings:
        yield Finding(rules_file.FILE, line, "error", code, message)
    if not sources.rule_file.rules:
        yield Finding(rules_file.FILE, 1, "error", "empty-policy", "there is no rule at all")


def _vocabulary(sources: Sources, catalog: Catalog) -> Iterator[Finding]:
    """Every word of a rule exists."""
    agencies = (*sources.roles.agencies, ANY, OWNER, OTHERS)
    for rule in sources.rule_file.rules:
        for kind, given, known in (
            ("role", rule.roles, (*sources.roles.roles, ANY)),
            ("agency", rule.agencies, agencies),
        ):
            for word in given:
                if word not in known:
                    yield _rule_error(rule, f"unknown-{kind}", f"{kind} {word!r} does not exist")
        for pattern in rule.datasets:
            if pattern != NOT_SHARED and not any(covers(pattern, name) for name in catalog):
                yield _rule_error(rule, "unknown-dataset", f"no dataset is {pattern!r}")
        for pattern in rule.purposes:
            if not any(covers(pattern, code) for code in sources.purposes):
                yield _rule_error(rule, "unknown-purpose", f"no purpose is {pattern!r}")


def _grants(sources: Sources, _catalog: Catalog) -> Iterator[Finding]:
    """An allowing rule is no wider than the purpose it serves."""
    for rule in sources.rule_file.rules:
        if not rule.allows:
            continue
        if ANY in rule.purposes or ANY in rule.roles or ANY in rule.actions:
            yield _rule_error(rule, "too-wide", "names role, action and purpose, never *")
        if rule.lifts and "required" not in rule.case and set(rule.actions) != {Action.OWN}:
            yield _rule_error(rule, "lift-without-case", "lifts a protection without a case")
        for purpose in _purposes_of(rule, sources.purposes):
            yield from _wider_than(rule, purpose, sources.roles)


def _purposes_of(rule: Rule, register: PurposeRegister) -> list[Purpose]:
    return [p for p in register.values() if any(covers(x, p.code) for x in rule.purposes)]


def _wider_than(rule: Rule, purpose: Purpose, roles: RoleRegister) -> Iterator[Finding]:
    for role in rule.roles:
        inherited = roles.held(role)
        if role in roles.roles and not inherited & set(purpose.roles):
            yield _rule_error(rule, "too-wide", f"{role} may not state {purpose.code}")
    for action in rule.actions:
        if action != ANY and action not in purpose.actions:
            yield _rule_error(rule, "too-wide", f"{purpose.code} is not for {action}")
    if purpose.needs_case and rule.case != "required":
        yield _rule_error(rule, "too-wide", f"{purpose.code} needs a case, the rule does not")
    if purpose.case == "none" and rule.case == "required":
        yield _rule_error(rule, "unreachable", f"{purpose.code} has no case, the rule needs one")


def _reach(sources: Sources, catalog: Catalog) -> Iterator[Finding]:
    """Rules that can never matter: denied throughout, or said already by another rule."""
    rules = sources.rule_file.rules
    for rule in rules:
        if not rule.allows:
            continue
        for other in rules:
            if other is rule or not _includes(other, rule, sources.roles, catalog):
                continue
            if not other.allows:
                message = f"{other.id} (line {other.line}) denies all of it"
                yield _rule_error(rule, "unreachable", message)
            elif other.line < rule.line or not _includes(rule, other, sources.roles, catalog):
                message = f"{other.id} (line {other.line}) already allows all of it"
                yield _rule_warning(rule, "shadowed", message)


def _includes(wide: Rule, narrow: Rule, roles: RoleRegister, catalog: Catalog) -> bool:
    """Say whether every request the narrow (allowing) rule matches is matched by the wide one."""
    return (
        _agencies_include(wide.agencies, narrow.agencies)
        and all(
            any(wanted in (ANY, *roles.held(role)) or wanted == role for wanted in wide.roles)
            for role in narrow.roles
        )
        and _all_covered(wide.actions, narrow.actions)
        and _all_covered(wide.purposes, narrow.purposes)
        and all(
            rule_covers_dataset(wide, dataset)
            for dataset in catalog.values()
            if rule_covers_dataset(narrow, dataset)
        )
        and wide.area in ("any", narrow.area)
        and wide.case in ("optional", narrow.case)
        and wide.subject in (None, narrow.subject)
        and _opens_include(wide, narrow)
    )


def _agencies_include(wide: tuple[str, ...], narrow: tuple[str, ...]) -> bool:
    return ANY in wide or {OWNER, OTHERS} <= set(wide) or set(narrow) <= set(wide)


def _all_covered(wide: tuple[str, ...], narrow: tuple[str, ...]) -> bool:
    return all(any(covers(pattern, word) for pattern in wide) for word in narrow)


def _opens_include(wide: Rule, narrow: Rule) -> bool:
    if not wide.allows:
        return wide.show == "masked" and wide.level == 1
    same = wide.level >= narrow.level and wide.show in ("clear", narrow.show)
    return same and wide.lifts >= narrow.lifts and set(wide.obligations) <= set(narrow.obligations)


def _register(sources: Sources, catalog: Catalog) -> Iterator[Finding]:
    """Every word of a purpose exists, and no purpose is left unused."""
    for purpose in sources.purposes.values():
        line = _line(sources.purposes_text, purpose.code)
        for message in _purpose_errors(purpose, sources.roles, catalog):
            yield Finding(purposes_file.FILE, line, "error", "purpose", message)
        for message in _purpose_warnings(purpose, catalog):
            yield Finding(purposes_file.FILE, line, "warning", "purpose", message)
        if not any(
            rule.allows and any(covers(x, purpose.code) for x in rule.purposes)
            for rule in sources.rule_file.rules
        ):
            message = f"{purpose.code}: no rule allows anything for it"
            yield Finding(purposes_file.FILE, line, "warning", "unused-purpose", message)


def _purpose_errors(purpose: Purpose, roles: RoleRegister, catalog: Catalog) -> Iterator[str]:
    code = purpose.code
    for role in purpose.roles:
        if role not in roles.roles:
            yield f"{code}: role {role!r} does not exist"
    for name, columns in purpose.needs.items():
        if name != ANY and name not in catalog:
            yield f"{code}: no dataset is {name!r}"
            continue
        if name == ANY:
            continue
        known = {column.name for column in catalog[name].columns}
        for column in columns:
            if column != ANY and column not in known:
                yield f"{code}: {name} has no column {column!r}"
    for withheld in purpose.withheld:
        name, _, subject = withheld.rpartition(".")
        if name not in catalog or subject not in catalog[name].subjects:
            yield f"{code}: withheld {withheld!r} is no dataset.role"


def _purpose_warnings(purpose: Purpose, catalog: Catalog) -> Iterator[str]:
    for name in purpose.needs:
        if name in catalog:
            yield from _combination_warnings(purpose, catalog[name])


def _combination_warnings(purpose: Purpose, dataset: Dataset) -> Iterator[str]:
    def columns(semantic: str, *needs: str | None) -> list[Column]:
        return [
            column
            for column in dataset.columns
            if column.semantic == semantic and purpose.need(dataset.name, column.name) in needs
        ]

    births = columns("birth_date", None, "masked", "unmask", "generalised", "age_band", "pseudonym")
    if births and columns("resident_id", "clear"):
        yield (
            f"{purpose.code}: {dataset.name} shows the identity number in clear and not the birth "
            "date it contains"
        )
    if columns("resident_id", "masked", "unmask") and columns("birth_date", "clear"):
        yield f"{purpose.code}: {dataset.name}: beside 6+4 the birth date will only be a year"
    for column in dataset.columns:
        need = purpose.need(dataset.name, column.name)
        if need in ("masked", "unmask") and mask_of(column) == "hidden":
            yield f"{purpose.code}: {dataset.name}.{column.name} has no mask and will be hidden"
        if need in ("generalised", "age_band") and column.logical_type not in ("date", "timestamp"):
            yield f"{purpose.code}: {dataset.name}.{column.name} is no date and will be hidden"


def _line(text: str, key: str) -> int:
    for number, line in enumerate(text.splitlines(), start=1):
        if line.strip() == f"{key}:":
            return number
    return 1


def _role_register(sources: Sources, _catalog: Catalog) -> Iterator[Finding]:
    register = sources.roles
    for role in register.roles.values():
        line = _line(sources.roles_text, role.code)
        for parent in role.inherits:
            if parent not in register.roles:
                message = f"{role.code} inherits {parent!r}, which does not exist"
                yield Finding(roles_file.FILE, line, "error", "unknown-role", message)
            elif role.code in register.held(parent):
                message = f"{role.code} inherits itself through {parent}"
                yield Finding(roles_file.FILE, line, "error", "circular-role", message)
        for agency in role.agencies:
            if agency not in register.agencies:
                message = f"{role.code} is in agency {agency!r}, which does not exist"
                yield Finding(roles_file.FILE, line, "error", "unknown-agency", message)
        if _conflicts_alone(register, role.code):
            message = f"{role.code} alone holds roles that exclude each other"
            yield Finding(roles_file.FILE, line, "error", "separate-duties", message)
    for name in sorted({name for line in register.exclusive for name in line}):
        if name not in register.roles:
            message = f"exclusive names {name!r}, which does not exist"
            yield Finding(roles_file.FILE, 1, "error", "unknown-role", message)


def _duties(sources: Sources, _catalog: Catalog) -> Iterator[Finding]:
    """Somebody can change this policy again, and no word of who is misspelt."""
    register = sources.roles
    line = _line(sources.roles_text, "duties")
    for name, roles in register.duties.items():
        if name not in tuple(Duty):
            message = f"duty {name!r} is none of {', '.join(Duty)}"
            yield Finding(roles_file.FILE, line, "error", "unknown-duty", message)
        for role in sorted(roles - register.roles.keys()):
            message = f"{name} names {role!r}, which does not exist"
            yield Finding(roles_file.FILE, line, "error", "unknown-role", message)
    for duty in (Duty.PROPOSE_POLICY, Duty.APPROVE_POLICY):
        if not register.duties.get(duty):
            message = f"nobody could change this policy again: duties lacks {duty}"
            yield Finding(roles_file.FILE, line, "error", "no-duty", message)


def _conflicts_alone(register: RoleRegister, role: str) -> bool:
    return any(len(register.held(role) & line) > 1 for line in register.exclusive)


def _datasets(sources: Sources, catalog: Catalog) -> Iterator[Finding]:
    for dataset in catalog.values():
        if not any(r.allows and rule_covers_dataset(r, dataset) for r in sources.rule_file.rules):
            message = f"no rule opens {dataset.name} to anybody"
            yield Finding(rules_file.FILE, 1, "warning", "unused-dataset", message)


Check = Callable[[Sources, Catalog], Iterable[Finding]]

#: Every check, in the order it runs.
CHECKS: tuple[Check, ...] = (
    _model, _lines, _vocabulary, _grants, _reach, _register, _role_register, _duties,
    _datasets,
)  # fmt: skip
