"""The access policy in Rego's words: the rules as data, one module that looks through them.

What is not allowed is undefined.

Source: https://www.openpolicyagent.org/docs/policy-language
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from access.policy import Question
from access.roles import RoleRegister
from access.rules import ANYBODY, Rule

QUERY = "data.access.allow"

MODULE = """
package access

import rego.v1

allow if {
    some rule in data.rules
    meets(rule)
    rule.effect == "allow"
    rule.level >= input.level
    shows_allowed(rule)
    not deny
}

deny if {
    some rule in data.rules
    meets(rule)
    rule.effect == "deny"
    rule.level <= input.level
    shows_denied(rule)
}

shows_allowed(rule) if rule.show == "clear"
shows_allowed(rule) if rule.show == input.show
shows_denied(rule) if rule.show == "masked"
shows_denied(rule) if rule.show == input.show

meets(rule) if {
    some dataset in rule.datasets
    holds_data(dataset)
    some role in rule.roles
    role in held
    some purpose in rule.purposes
    covers(purpose, input.purpose)
    some action in rule.actions
    covers(action, input.action)
    some agency in rule.agencies
    serves(agency)
    in_area(rule)
    has_case(rule)
    is_about(rule)
}

held contains "*"
held contains name if {
    some role in input.roles
    some name in data.holds[input.agency][role]
}

serves("*")
serves(agency) if agency == input.agency
serves("@owner") if input.agency == input.owner
serves("@others") if input.agency != input.owner

covers("*", _)
covers(pattern, name) if pattern == name
covers(pattern, name) if {
    endswith(pattern, ".*")
    startswith(name, trim_suffix(pattern, "*"))
}

holds_data("@not_shared") if input.sharing == "not_shared"
holds_data(dataset) if {
    dataset != "@not_shared"
    covers(dataset, input.dataset)
}

in_area(rule) if rule.area == "any"
in_area(rule) if rule.area == input.area
has_case(rule) if rule.case == "optional"
has_case(_) if input.case == "given"
is_about(rule) if rule.subject == "any"
is_about(rule) if rule.subject == input.subject
"""


def case(
    rules: Iterable[Rule], roles: RoleRegister, questions: Iterable[Question]
) -> dict[str, Any]:
    """Return module, data and inputs as one case of a peer's job."""
    holds = {
        agency: {
            role.code: sorted(roles.held(role.code))
            for role in roles.roles.values()
            if agency in role.agencies
        }
        for agency in roles.agencies
    }
    return {
        "policy": MODULE,
        "query": QUERY,
        "data": {"rules": [_rule(rule) for rule in rules], "holds": holds},
        "requests": [_input(question) for question in questions],
    }


def _rule(rule: Rule) -> dict[str, Any]:
    return {
        "effect": rule.effect,
        "roles": rule.roles,
        "agencies": rule.agencies,
        "actions": rule.actions,
        "datasets": rule.datasets,
        "purposes": rule.purposes,
        "area": rule.area,
        "case": rule.case,
        "subject": rule.subject or ANYBODY,
        "show": rule.show,
        "level": int(rule.level),
    }


def _input(question: Question) -> dict[str, Any]:
    return {
        "roles": question.roles,
        "agency": question.agency,
        "owner": question.owner,
        "action": question.action,
        "dataset": question.dataset,
        "sharing": question.sharing,
        "purpose": question.purpose,
        "area": question.area,
        "case": question.case,
        "subject": question.subject,
        "show": question.show,
        "level": question.level,
    }
