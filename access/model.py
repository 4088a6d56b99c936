"""Who asks, for what, and what was decided: the values every part of `access` speaks in.

Words are XACML 3.0's: an actor asks for an action on datasets for a purpose; the decision carries
its reasons and obligations. A refusal is a decision, never an exception.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from typing import Any

from hub.catalog import Classification
from hub.errors import Unauthenticated

#: Column of a dataset ("population.resident.name") -> treatment (see `access.masking`).
Fields = Mapping[str, str]

CLEAR = "clear"
HIDDEN = "hidden"


class Action(StrEnum):
    """What can be asked of the hub, alphabetical."""

    AGGREGATE = "aggregate"
    EXPORT = "export"
    LIST = "list"
    LOOKUP = "lookup"
    OWN = "own"
    RECONCILE = "reconcile"
    SAMPLE = "sample"
    SEARCH = "search"
    UNMASK = "unmask"


class CaseStanding(StrEnum):
    """What the register of cases says of a case towards an agency and a purpose, alphabetical."""

    CLOSED = "closed"
    NOT_YET = "not_yet"
    OPEN = "open"
    OTHER_AGENCY = "other_agency"
    OTHER_PURPOSE = "other_purpose"
    UNKNOWN = "unknown"


class Trait(StrEnum):
    """What about a person may close what is open of others, alphabetical."""

    MINOR = "minor"
    OWN_HOUSEHOLD = "own_household"
    OWN_RECORD = "own_record"
    PROTECTED = "protected"


@dataclass(frozen=True, slots=True)
class Actor:
    """Who asks: a person in a post of an agency, or a citizen.

    Args:
        id: name of the account, unique; the ledger knows only its pseudonym.
        agency: agency code of the role register; "public" for a citizen.
        roles: role codes of the role register.
        area: division or grid codes the post answers for; a code covers all places below it.
        clearance: highest classification the actor may ever see in clear.
        active: False as soon as the employment or the account ends.
        binding: identifier key of the own identity number (16 bytes); every citizen has one, of
            staff it tells which records are their own.
    """

    id: str
    name: str
    agency: str
    post: str
    roles: tuple[str, ...]
    area: tuple[str, ...] = ()
    clearance: Classification = Classification.L2
    active: bool = True
    binding: bytes | None = field(default=None, repr=False)

    def claims(self) -> dict[str, Any]:
        """Return the actor as JSON values for a signed token."""
        return {
            "sub": self.id,
            "name": self.name,
            "agency": self.agency,
            "post": self.post,
            "roles": list(self.roles),
            "area": list(self.area),
            "clearance": int(self.clearance),
            "active": self.active,
            **({"binding": self.binding.hex()} if self.binding is not None else {}),
        }

    @classmethod
    def from_claims(cls, claims: Mapping[str, Any]) -> Actor:
        """Return the actor that a verified token describes.

        Raises:
            Unauthenticated: when a claim is missing or of the wrong kind.
        """
        try:
            binding = claims.get("binding")
            return cls(
                id=_text(claims["sub"]),
                name=_text(claims["name"]),
                agency=_text(claims["agency"]),
                post=_text(claims["post"]),
                roles=tuple(_text(role) for role in claims["roles"]),
                area=tuple(_text(code) for code in claims.get("area", ())),
                clearance=Classification(claims["clearance"]),
                active=claims["active"] is True,
                binding=bytes.fromhex(binding) if binding is not None else None,
            )
        except (KeyError, TypeError, ValueError):
            raise Unauthenticated("the token lacks what names an actor: sign in again") from None


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError
    return value


@dataclass(frozen=True, slots=True)
class Request:
    """One question to the policy.

    Args:
        datasets: datasets by name, or None for all that the purpose covers. A named dataset
            that is refused refuses the request; with None it is left out.
        purpose: code of the purpose register.
        case: case reference of the asking agency, or None.
        standing: what the register of cases says of it, for purposes that go by the register.
        columns: the only columns ("dataset.column") that are wanted, None for all of them.
        at: when it is asked, by the hub's clock, time zone aware.
    """

    actor: Actor
    action: Action
    datasets: tuple[str, ...] | None
    purpose: str
    case: str | None = None
    standing: CaseStanding = CaseStanding.UNKNOWN
    columns: tuple[str, ...] | None = None
    at: datetime = field(kw_only=True)

    def __post_init__(self) -> None:
        """Take a case reference of nothing but blanks for none."""
        object.__setattr__(self, "case", (self.case or "").strip() or None)


@dataclass(frozen=True, slots=True)
class Decision:
    """The answer to a request, with everything needed to act on it and to explain it.

    Args:
        reason: one sentence in plain words.
        reasons: every further sentence: per dataset, per obligation.
        remedy: what the actor can do about a refusal; empty when allowed.
        fields: every column of the allowed datasets -> treatment, inside the actor's area.
        elsewhere: the same outside the actor's area, or None when nothing may be seen there.
        row_filter: area codes rows must lie in, or None when no area restricts them.
        obligations: what must be done along with the release (see `access.rules.OBLIGATIONS`).
        rules: ids of every rule that matched, allowing or denying.
        near_misses: what would have had to be different, a sentence each.
        lifts: dataset -> protections that a rule lifts there ("minors", "police_parties").
        grants: ids of the grants it rests on.
        until: first instant at which it no longer holds; None while the policy is in force.
        since: events of earlier days are not shown; None when no day restricts them.
    """

    allowed: bool
    reason: str
    action: Action
    purpose: str
    datasets: tuple[str, ...]
    policy_version: str
    reasons: tuple[str, ...] = ()
    remedy: str = ""
    fields: Fields = field(default_factory=dict)
    elsewhere: Fields | None = None
    row_filter: tuple[str, ...] | None = ()
    obligations: tuple[str, ...] = ()
    rules: tuple[str, ...] = ()
    near_misses: tuple[str, ...] = ()
    lifts: Mapping[str, frozenset[str]] = field(default_factory=dict)
    grants: tuple[str, ...] = ()
    until: datetime | None = None
    since: date | None = None
