"""Rules line by line: every word exists, and no rule is wider than the purpose it serves."""

from __future__ import annotations

from collections.abc import Iterator

from access import rules as rules_file
from access.lint.finding import Finding, rule_error, rule_warning
from access.lint.sources import Sources
from access.model import Action
from access.purposes import Purpose, PurposeRegister
from access.roles import RoleRegister
from access.rules import ANY, NOT_SHARED, OTHERS, OWNER, Rule, covers, rule_covers_dataset
from hub.catalog import Catalog

_KINDS = {"role": "角色", "agency": "部门", "dataset": "数据集", "purpose": "目的"}


def readable_lines(sources: Sources, _catalog: Catalog) -> Iterator[Finding]:
    """Find every line that says nothing readable."""
    for line, code, message in sources.rule_file.findings:
        yield Finding(rules_file.FILE, line, "error", code, message)
    if not sources.rule_file.rules:
        message = "没有任何规则 / there is no rule at all"
        yield Finding(rules_file.FILE, 1, "error", "empty-policy", message)


def known_words(sources: Sources, catalog: Catalog) -> Iterator[Finding]:
    """Find every word of a rule that does not exist."""
    for rule in sources.rule_file.rules:
        for kind, word in unknown_words(rule, sources, catalog):
            message = f"{_KINDS[kind]} {word!r} 不存在 / there is no {kind} {word!r}"
            yield rule_error(rule, f"unknown-{kind}", message)


def unknown_words(rule: Rule, sources: Sources, catalog: Catalog) -> Iterator[tuple[str, str]]:
    """Yield (kind, word) for every word of a rule that the registers do not have."""
    roles, agencies = sources.roles.roles, (*sources.roles.agencies, ANY, OWNER, OTHERS)
    yield from (("role", word) for word in rule.roles if word != ANY and word not in roles)
    yield from (("agency", word) for word in rule.agencies if word not in agencies)
    for pattern in rule.datasets:
        if pattern != NOT_SHARED and not any(covers(pattern, name) for name in catalog):
            yield "dataset", pattern
    for pattern in rule.purposes:
        if not any(covers(pattern, code) for code in sources.purposes):
            yield "purpose", pattern


def no_wider_than_its_purpose(sources: Sources, catalog: Catalog) -> Iterator[Finding]:
    """Find allowing rules that open more than the purposes they serve are for."""
    for rule in sources.rule_file.rules:
        if not rule.allows:
            continue
        if ANY in rule.purposes or ANY in rule.roles or ANY in rule.actions:
            message = "须写明角色、操作和目的，不能用 * / names role, action and purpose, never *"
            yield rule_error(rule, "too-wide", message)
        if rule.lifts and "required" not in rule.case and set(rule.actions) != {Action.OWN}:
            message = "解除保护而不要求事项编号 / lifts a protection without a case"
            yield rule_error(rule, "lift-without-case", message)
        purposes = _purposes_of(rule, sources.purposes)
        for purpose in purposes:
            yield from _wider_than(rule, purpose, sources.roles)
        yield from _beyond(rule, purposes, catalog)


def _purposes_of(rule: Rule, register: PurposeRegister) -> list[Purpose]:
    return [p for p in register.values() if any(covers(x, p.code) for x in rule.purposes)]


def _wider_than(rule: Rule, purpose: Purpose, roles: RoleRegister) -> Iterator[Finding]:
    code = purpose.code
    for role in rule.roles:
        inherited = roles.held(role)
        if role in roles.roles and not inherited & set(purpose.roles):
            message = f"{role} 不得以 {code} 为目的 / {role} may not state {code}"
            yield rule_error(rule, "too-wide", message)
    for action in rule.actions:
        if action != ANY and action not in purpose.actions:
            message = f"{code} 不用于 {action} / {code} is not for {action}"
            yield rule_error(rule, "too-wide", message)
    if purpose.needs_case and rule.case != "required":
        message = f"{code} 须有事项编号，规则未要求 / {code} needs a case, the rule does not"
        yield rule_error(rule, "too-wide", message)
    if purpose.case == "none" and rule.case == "required":
        message = f"{code} 没有事项，规则却要求 / {code} has no case, the rule needs one"
        yield rule_error(rule, "unreachable", message)


def _beyond(rule: Rule, purposes: list[Purpose], catalog: Catalog) -> Iterator[Finding]:
    """Yield what a rule opens by name and none of its purposes needs: it opens nothing there."""
    if not purposes:
        return
    for name in rule.datasets:
        if name in catalog and not any(purpose.covers(name) for purpose in purposes):
            message = f"其目的不需要 {name} / no purpose of it needs {name}"
            yield rule_warning(rule, "beyond-purpose", message)
    needed = [
        int(column.classification)
        for dataset in catalog.values()
        if rule_covers_dataset(rule, dataset)
        for column in dataset.columns
        if any(purpose.need(dataset.name, column.name) for purpose in purposes)
    ]
    if needed and int(rule.level) > max(needed):
        message = (
            f"开放到 {rule.level.name}，其目的所需不超过 L{max(needed)}"
            f" / opens up to {rule.level.name}, its purposes need nothing above L{max(needed)}"
        )
        yield rule_warning(rule, "beyond-purpose", message)
