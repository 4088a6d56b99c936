"""Whether a person who was found may be shown at all: by place, by case, by who they are.

Source: XACML 3.0 (attributes of the resource); 公务员法 76 (recusal from matters of one's own).
"""

from __future__ import annotations

from access import rendering
from access.answers import Answer
from access.asking import Asked, Means, refusal_of, traits_about
from access.model import Trait
from access.recording import Prepared
from access.rendering import Document
from access.rules import ANY, covers

_OWN = (Trait.OWN_RECORD, Trait.OWN_HOUSEHOLD)
_OTHER_DOOR = (
    "查阅本人信息请走公众门户；家人的事项请同事办理"
    " / see your own data at the citizen's door; have a colleague handle your household's"
)


def may_show(means: Means, asked: Asked, key: bytes, document: Document) -> bool:
    """Say whether anything of a person may be shown."""
    plan, area = asked.plan, asked.actor.area
    if asked.members is not None and means.keys.protected.of(key) not in asked.members:
        return False
    if not rendering.may_see(document, plan, area):
        return False
    return not rendering.is_closed(document, plan, area, traits_about(means, asked, key, document))


def own_refusal(
    means: Means, asked: Asked, key: bytes, document: Document
) -> Prepared[Answer] | None:
    """Return the refusal of somebody's own record or household, None where that is not the reason.

    It says so, since who asks knows it anyway. Of a protected person nothing is said: the refusal
    would tell that they are.
    """
    plan, area = asked.plan, asked.actor.area
    traits = traits_about(means, asked, key, document)
    mine = next((trait for trait in _OWN if trait in traits), None)
    if mine is None or Trait.PROTECTED in traits or not rendering.may_see(document, plan, area):
        return None
    return refusal_of(means, asked, key, _because(means, asked, mine), _OTHER_DOOR)


def _because(means: Means, asked: Asked, trait: Trait) -> str:
    """Return the reason of the rule that closes what has a trait."""
    action, purpose = asked.decision.action.value, asked.decision.purpose
    return next(
        rule.because
        for rule in means.decider.policy.rules
        if rule.subject is trait
        and {action, ANY} & set(rule.actions)
        and any(covers(pattern, purpose) for pattern in rule.purposes)
    )
