"""Whether a person who was found may be shown at all: by place, by case, by who they are.

Source: XACML 3.0 (attributes of the resource). That nobody looks up their own is our choice.
"""

from __future__ import annotations

from access import rendering
from access.answers import Answer
from access.asking import Asked, Means, refusal_of, traits_about
from access.model import Trait
from access.recording import Prepared
from access.rendering import Document
from access.rules import ANY, covers

_OWN = frozenset({Trait.OWN_RECORD, Trait.OWN_HOUSEHOLD})
_OTHER_DOOR = (
    "查阅本人信息请走公众门户；家人的事项请同事办理"
    " / see your own data at the citizen's door; have a colleague handle your household's"
)


def may_show(means: Means, asked: Asked, key: bytes, document: Document) -> bool:
    """Say whether anything of a person may be shown."""
    if not _belongs(means, asked, key, document):
        return False
    traits = traits_about(means, asked, key, document)
    return not rendering.is_closed(document, asked.plan, asked.actor.area, traits)


def own_refusal(
    means: Means, asked: Asked, key: bytes, document: Document
) -> Prepared[Answer] | None:
    """Return the refusal of somebody's own record or household, None where that is not the reason.

    It says so, since who asks knows it anyway. Of a protected person nothing is said: the refusal
    would tell that they are.
    """
    if not _belongs(means, asked, key, document):
        return None
    traits = traits_about(means, asked, key, document)
    mine = traits & _OWN
    area = asked.actor.area
    if Trait.PROTECTED in traits or not rendering.is_closed(document, asked.plan, area, mine):
        return None
    return refusal_of(means, asked, key, _because(means, asked, mine), _OTHER_DOOR)


def _belongs(means: Means, asked: Asked, key: bytes, document: Document) -> bool:
    """Say whether a person is of the case and of the area that the request keeps to."""
    if asked.members is not None and means.keys.protected.of(key) not in asked.members:
        return False
    return rendering.may_see(document, asked.plan, asked.actor.area)


def _because(means: Means, asked: Asked, traits: frozenset[Trait]) -> str:
    """Return the reasons of the denials that close what has a trait."""
    action, purpose = asked.decision.action.value, asked.decision.purpose
    return "; ".join(
        rule.because
        for rule in means.decider.policy.rules
        if rule.subject in traits
        and {action, ANY} & set(rule.actions)
        and any(covers(pattern, purpose) for pattern in rule.purposes)
    )
