"""Quality cards as bodies: a partner's own, or all of them for the data bureau's steward."""

from __future__ import annotations

from dataclasses import asdict

from access.model import Actor
from api.deliveries import partner_of
from api.outcome import Outcome
from api.services import Services
from contracts.cards.board import listed


def listing(services: Services, actor: Actor, *, only_open: bool) -> Outcome:
    """Return the cards an actor sees, red ones first.

    Raises:
        AccessDenied: when the actor is neither a partner's steward nor the bureau's.
    """
    partner = partner_of(actor)
    found = services.cards.cards(services.clock.now())
    views = listed(found, services.cards.norms, department=partner, only_open=only_open)
    return Outcome(200, {"cards": [asdict(view) for view in views]})
