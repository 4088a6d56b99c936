"""Whether an actor may ask at all, before any rule is looked at."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from access.model import Actor
from access.roles import RoleRegister
from hub.identifiers import DivisionCode

_ADMINISTRATOR = "请联系本单位管理员 / ask your administrator"
_SEPARATE = "请安全管理员撤销其中一项 / the security administrator has to take one of them away"


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
        raise Refused("该账号未启用 / the account is not active", _ADMINISTRATOR)
    unknown = [role for role in actor.roles if role not in roles.roles]
    if unknown or not actor.roles:
        raise Refused(
            "岗位没有登记在册的角色 / the post has no role of the role register", _ADMINISTRATOR
        )
    if any(DivisionCode.parse(code) is None for code in actor.area):
        raise Refused(
            "岗位辖区不是区划或网格代码 / the post's area is not a division or grid code",
            _ADMINISTRATOR,
        )
    if actor.agency not in roles.agencies:
        raise Refused(
            "岗位所属部门未登记 / the post's agency is not in the role register", _ADMINISTRATOR
        )
    conflicts = roles.conflicts(actor.roles)
    if conflicts:
        titles = ", ".join(titles_of(roles, conflicts))
        reason = f"岗位兼有须分设的职责：{titles} / the post holds duties that must be separate"
        raise Refused(reason, _SEPARATE)


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
