"""The access policy in Cedar's words: a policy for every rule, its words as entities.

What a pattern covers is in it (`Dataset::"police.case" in Dataset::"police.*"`), a role is in the
roles it inherits, and a user is in the roles that exist in the user's agency. Nothing is left
out: every question that Casbin is asked can be put to Cedar.

Source: https://docs.cedarpolicy.com/policies/syntax-policy.html
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from typing import Any

from access.policy import Question
from access.roles import RoleRegister
from access.rules import ANY, NOT_SHARED, OTHERS, OWNER, Rule


def case(
    rules: Iterable[Rule], roles: RoleRegister, questions: Iterable[Question]
) -> dict[str, Any]:
    """Return policies, entities and requests as one case of a peer's job."""
    asked = tuple(questions)
    return {
        "policy": "\n".join(map(policy, rules)),
        "entities": list(_entities(roles, asked)),
        "requests": [request(question) for question in asked],
    }


def policy(rule: Rule) -> str:
    """Return a rule as a policy whose id is the rule's."""
    effect = "permit" if rule.allows else "forbid"
    action = "action"
    if ANY not in rule.actions:
        action += f" in [{', '.join(_entity('Action', word) for word in rule.actions)}]"
    conditions = [
        *_within("principal", "Role", rule.roles),
        *_within("resource", "Dataset", rule.datasets),
        *_within("context.purpose", "Purpose", rule.purposes),
        *_agencies(rule),
        *_limits(rule),
    ]
    when = f" when {{ {' && '.join(conditions)} }}"
    return f"@id({json.dumps(rule.id)}) {effect}(principal, {action}, resource){when};"


def request(question: Question) -> dict[str, Any]:
    """Return a question as a request."""
    return {
        "principal": _entity("User", _user(question)),
        "action": _entity("Action", question.action),
        "resource": _entity("Dataset", question.dataset),
        "context": {
            "purpose": {"__entity": {"type": "Purpose", "id": question.purpose}},
            "area": question.area,
            "case": question.case,
            "subject": question.subject,
            "show": question.show,
            "level": question.level,
        },
    }


def _within(what: str, kind: str, wanted: tuple[str, ...]) -> Iterator[str]:
    if ANY not in wanted:
        yield f"{what} in [{', '.join(_entity(kind, word) for word in wanted)}]"


def _agencies(rule: Rule) -> Iterator[str]:
    tests = {
        OWNER: "principal.agency == resource.owner",
        OTHERS: "principal.agency != resource.owner",
    }
    if ANY not in rule.agencies:
        words = (tests.get(w, f"principal.agency == {json.dumps(w)}") for w in rule.agencies)
        yield f"({' || '.join(words)})"


def _limits(rule: Rule) -> Iterator[str]:
    yield f"context.level {'<=' if rule.allows else '>='} {int(rule.level)}"
    if rule.area == "own":
        yield 'context.area == "own"'
    if rule.case == "required":
        yield 'context.case == "given"'
    if rule.subject is not None:
        yield f'context.subject == "{rule.subject}"'
    if (rule.show == "masked") == rule.allows:
        yield f'context.show == "{rule.show}"'


def _entities(roles: RoleRegister, questions: tuple[Question, ...]) -> Iterator[dict[str, Any]]:
    for role in roles.roles.values():
        for agency in roles.agencies:
            parents = [role.code]
            if agency in role.agencies:
                parents += [_in_agency(parent, agency) for parent in role.inherits]
            yield _row("Role", _in_agency(role.code, agency), parents)
    for question in {_user(question): question for question in questions}.values():
        held = (r for r in question.roles if r in roles.roles)
        present = [r for r in held if question.agency in roles.roles[r].agencies]
        parents = [_in_agency(role, question.agency) for role in present]
        attributes = {"agency": question.agency}
        yield _row("User", _user(question), parents, kind="Role", attributes=attributes)
    for question in {question.dataset: question for question in questions}.values():
        parents = list(_families(question.dataset))
        parents += [NOT_SHARED] if question.sharing == "not_shared" else []
        yield _row("Dataset", question.dataset, parents, attributes={"owner": question.owner})
    for purpose in {question.purpose for question in questions}:
        yield _row("Purpose", purpose, list(_families(purpose)))


def _row(
    of: str,
    name: str,
    parents: list[str],
    kind: str | None = None,
    attributes: dict[str, str] | None = None,
) -> dict[str, Any]:
    return {
        "uid": {"type": of, "id": name},
        "attrs": attributes or {},
        "parents": [{"type": kind or of, "id": parent} for parent in parents],
    }


def _families(name: str) -> Iterator[str]:
    parts = name.split(".")
    for length in range(1, len(parts)):
        yield f"{'.'.join(parts[:length])}.*"


def _in_agency(role: str, agency: str) -> str:
    return f"{role}@{agency}"


def _user(question: Question) -> str:
    return f"{','.join(question.roles)}@{question.agency}"


def _entity(kind: str, name: str) -> str:
    return f"{kind}::{json.dumps(name)}"
