"""Who can see what: the policy as a table, made from the same decisions the guard acts on."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from access.decision import Decider
from access.masking import kind
from access.model import Decision, Request
from access.posts import Post, posts_of, request_of
from access.purposes import Purpose


def matrix(decider: Decider, at: datetime) -> list[dict[str, Any]]:
    """Return one row for each role, agency, purpose, action and dataset that is open.

    Asked for an actor of the highest clearance with an open case, so that a row is the most
    anybody in that role can see.

    Returns:
        {role, role_title, agency, agency_title, purpose, purpose_title, action, dataset,
        dataset_title, area ("any" or "own"), case, clear [column], masked {column: mask},
        generalised {column: how}, hidden (number of columns), rules [id]}, in register order.
    """
    return [row for post in posts_of(decider.policy.roles) for row in _post_rows(decider, post, at)]


def summary(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the matrix narrow enough for a terminal: words, and numbers of columns.

    Returns:
        {who, purpose, may, data, where, case, clear, masked, generalised, hidden}, in the order
        of the rows.
    """
    return [
        {
            "who": f"{row['role_title']} · {row['agency_title']}",
            "purpose": row["purpose_title"],
            "may": row["action"],
            "data": row["dataset_title"],
            "where": "own area" if row["area"] == "own" else "any area",
            "case": row["case"],
            "clear": len(row["clear"]),
            "masked": len(row["masked"]),
            "generalised": len(row["generalised"]),
            "hidden": row["hidden"],
        }
        for row in rows
    ]


def _post_rows(decider: Decider, post: Post, at: datetime) -> Iterator[dict[str, Any]]:
    for purpose in decider.policy.purposes.values():
        for action in purpose.actions:
            request = request_of(post.actor(), action, None, purpose.code, case=True, at=at)
            yield from _purpose_rows(decider, request, post, purpose)


def _purpose_rows(
    decider: Decider, request: Request, post: Post, purpose: Purpose
) -> Iterator[dict[str, Any]]:
    register, decision = decider.policy.roles, decider.decide(request)
    if not decision.allowed:
        return
    for name in decision.datasets:
        fields = _of(decision, name)
        shown = {c: t for c, t in fields.items() if kind(t) != "hidden"}
        if not shown:
            continue
        yield {
            "role": post.role,
            "role_title": register.roles[post.role].title,
            "agency": post.agency,
            "agency_title": register.agencies.get(post.agency, post.agency),
            "purpose": purpose.code,
            "purpose_title": purpose.title,
            "action": request.action.value,
            "dataset": name,
            "dataset_title": decider.catalog[name].title,
            "area": "any" if _elsewhere(decision, name) else "own",
            "case": "required" if "case_required" in decision.obligations else "optional",
            "clear": [c for c, t in shown.items() if kind(t) == "clear"],
            "masked": {c: t for c, t in shown.items() if kind(t) == "masked"},
            "generalised": {
                c: t.removeprefix("generalised_")
                for c, t in shown.items()
                if kind(t) == "generalised"
            },
            "hidden": len(fields) - len(shown),
            "rules": list(decision.rules),
        }


def _of(decision: Decision, dataset: str) -> dict[str, str]:
    prefix = f"{dataset}."
    return {
        key.removeprefix(prefix): treatment
        for key, treatment in decision.fields.items()
        if key.rpartition(".")[0] == dataset
    }


def _elsewhere(decision: Decision, dataset: str) -> bool:
    return any(key.rpartition(".")[0] == dataset for key in decision.elsewhere or {})
