"""Whether an actor may ask at all, before any rule is looked at."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from access.model import Actor
from access.roles import RoleRegister
from hub.identifiers import DivisionCode


class Refused(Exception):
    """Carries a refusal out of the steps of a decision, never further.

    Args:
        more: further fields of the decision.
    """

    def __init__(self, reason: str, remedy: str, **more: Any) -> None:
        self.reason, self.remedy, self.more = reason, remedy, more


def check_actor(actor: Actor, roles: RoleRegister) -> None:
    """Raise `Refused` unless the actor is active, known and holds no separate duties together."""
    if not actor.active:
        raise Refused("the account is not active", "ask your administrator")
    unknown = [role for role in actor.roles if role not in roles.roles]
    if unknown or not actor.roles:
        raise Refused("the post has no role of the role register", "ask your administrator")
    if any(DivisionCode.parse(code) is None for code in actor.area):
        raise Refused("the post's area is not a division or grid code", "ask your administrator")
    if actor.agency not in roles.agencies:
        raise Refused("the post's agency is not in the role register", "ask your administrator")
    conflicts = roles.conflicts(actor.roles)
    if conflicts:
        titles = ", ".join(titles_of(roles, conflicts))
        reason = f"the post holds duties that must be separate: {titles}"
        raise Refused(reason, "the security administrator has to take one of them away")


def held_roles(roles: RoleRegister, actor: Actor) -> frozenset[str]:
    """Return the roles an actor holds in the agency, with all they inherit."""
    return frozenset(
        name
        for role in actor.roles
        if actor.agency in roles.roles[role].agencies
        for name in roles.held(role)
    )


def titles_of(roles: RoleRegister, codes: tuple[str, ...]) -> Iterator[str]:
    """Yield what people call each role."""
    for code in codes:
        yield roles.roles[code].title if code in roles.roles else code
