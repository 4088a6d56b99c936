"""Cards as every door shows them: one JSON-ready value for command line, API, pages and Dagster."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from contracts.cards.deriving import Card, Norms
from contracts.cards.words import COLOUR_TITLES, KIND_TITLES, STATE_TITLES, what_to_do
from hub.clock import second_of


@dataclass(frozen=True, slots=True)
class CardView:
    """A card as every door shows it; JSON-ready.

    Args:
        remedy_by: the last day to put it right, in Asia/Shanghai.
        evidence: what the card stands on: figures in percent, counts, a reason without values.
    """

    id: str
    kind: str
    kind_title: str
    colour: str
    colour_title: str
    state: str
    state_title: str
    dataset: str
    title: str
    department: str
    period: str
    batch: str | None
    issued_at: str
    due: str
    remedy_by: str
    waived_until: str | None
    what_to_do: str
    evidence: dict[str, Any]


def listed(
    found: Iterable[Card], norms: Norms, *, department: str | None, only_open: bool
) -> tuple[CardView, ...]:
    """Return cards as they are listed: of one department or of all, red first, then by issue."""
    shown = [
        card
        for card in found
        if department in (None, card.cause.partner) and (card.is_open or not only_open)
    ]
    shown.sort(key=lambda card: (card.colour.value, card.cause.at, card.id))
    return tuple(view_of(card, norms) for card in shown)


def view_of(card: Card, norms: Norms) -> CardView:
    """Return a card as the doors show it."""
    cause, until = card.cause, card.standing.waived_until
    return CardView(
        id=card.id,
        kind=cause.kind.value,
        kind_title=KIND_TITLES[cause.kind],
        colour=card.colour.value,
        colour_title=COLOUR_TITLES[card.colour],
        state=card.state.value,
        state_title=STATE_TITLES[card.state],
        dataset=cause.dataset,
        title=norms.promises[cause.dataset].title,
        department=cause.partner,
        period=cause.period,
        batch=cause.batch,
        issued_at=second_of(cause.at),
        due=cause.due.isoformat(),
        remedy_by=cause.remedy_by.isoformat(),
        waived_until=until.isoformat() if until else None,
        what_to_do=what_to_do(card),
        evidence=dict(cause.evidence),
    )
