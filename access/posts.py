"""Posts to ask for: made-up actors, one for each role in each of its agencies, and their requests.

Whoever reads a policy as a table asks the decider as the guard would; these are the askers. None of
them is anybody's account.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from access.decision import Decider
from access.model import Action, Actor, CaseStanding, Request
from access.policy import Policy
from access.roles import RoleRegister
from hub.catalog import Catalog, Classification

# Stands for any area: whoever asks with it reports the answer as "own area".
_SOME_AREA = ("990106",)


@dataclass(frozen=True, slots=True, order=True)
class Post:
    """A role in an agency."""

    role: str
    agency: str

    def actor(self) -> Actor:
        """Return somebody in the post, of the highest clearance and with an area of their own."""
        return Actor(
            id="post",
            name="",
            agency=self.agency,
            post="",
            roles=(self.role,),
            area=_SOME_AREA,
            clearance=Classification.L4,
        )


def reading_decider(policy: Policy, catalog: Catalog) -> Decider:
    """Return a decider to read a policy with: it knows where pseudonyms are shown, and makes none."""
    return Decider(policy, catalog, lambda _value: b"")


def posts_of(register: RoleRegister) -> Iterator[Post]:
    """Yield every post there can be, in register order."""
    for role in register.roles.values():
        for agency in role.agencies:
            yield Post(role.code, agency)


def request_of(
    actor: Actor,
    action: Action,
    datasets: tuple[str, ...] | None,
    purpose: str,
    *,
    case: bool,
    at: datetime,
) -> Request:
    """Return a request with some case, taken to be open and for the purpose, or with none."""
    standing = CaseStanding.OPEN if case else CaseStanding.UNKNOWN
    name = "any case" if case else None
    return Request(actor, action, datasets, purpose, name, standing, at=at)
