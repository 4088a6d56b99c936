"""Why an actor may or may not see something, as a person reads it."""

from __future__ import annotations

from typing import Any

from access.decision import Decider
from access.masking import kind
from access.model import HIDDEN, Decision, Request
from access.policy import Policy
from access.purposes import Purpose


def explain(decider: Decider, request: Request) -> dict[str, Any]:
    """Return a decision as JSON values a person can read.

    Returns:
        answer, reason, remedy, reasons, rules [{rule, effect, because}], near_misses,
        obligations, area, purpose {...}, and fields per dataset: {column: {title, treatment,
        how, elsewhere}}, hidden ones left out and counted.
    """
    decision = decider.decide(request)
    purpose = decider.policy.purposes.get(request.purpose)
    return {
        "answer": "allowed" if decision.allowed else "refused",
        "reason": decision.reason,
        "remedy": decision.remedy,
        "reasons": list(decision.reasons),
        "rules": [_rule_row(decider.policy, name) for name in decision.rules],
        "near_misses": list(decision.near_misses),
        "obligations": list(decision.obligations),
        "area": "any" if decision.row_filter is None else list(decision.row_filter),
        "purpose": _purpose_row(purpose) if purpose else {"code": request.purpose},
        "fields": {name: _field_rows(decider, decision, name) for name in decision.datasets}
        if decision.allowed
        else {},
        "policy_version": decision.policy_version,
    }


def _rule_row(policy: Policy, name: str) -> dict[str, str]:
    rule = policy.by_id[name]
    return {"rule": rule.id, "effect": rule.effect, "because": rule.because}


def _purpose_row(purpose: Purpose) -> dict[str, Any]:
    return {
        "code": purpose.code,
        "title": purpose.title,
        "plain": purpose.plain,
        "legal_basis": purpose.legal_basis,
        "basis_verified": purpose.basis_verified,
        "case": purpose.case,
    }


def _field_rows(decider: Decider, decision: Decision, name: str) -> dict[str, Any]:
    dataset = decider.catalog[name]
    titles = {c.name: c.title for c in dataset.columns}
    rows: dict[str, Any] = {}
    hidden = 0
    for key, treatment in decision.fields.items():
        owner, _, column = key.rpartition(".")
        if owner != name:
            continue
        if treatment == HIDDEN:
            hidden += 1
            continue
        outside = (decision.elsewhere or {}).get(key, HIDDEN)
        rows[column] = {
            "title": titles.get(column, column),
            "treatment": treatment,
            "how": kind(treatment),
            "elsewhere": outside,
        }
    return {"shown": rows, "hidden": hidden}
