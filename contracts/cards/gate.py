"""The gate: whether a checked batch may be published, with the cards of recorded facts; pure.

A red card below the mark stops its batch, unless a waiver holds or an appeal was granted for that
very attempt, or for one of its bytes with equal figures.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from contracts.cards.causes import CardKind, colour_of
from contracts.cards.deriving import Card, Norms, cards
from contracts.cards.life import Colour
from hub.store.attempts import Attempt
from hub.store.batches import BatchStatus
from hub.store.cards import Facts


@dataclass(frozen=True, slots=True)
class Gate:
    """Whether a checked batch may go on to publication, and the card that decided, if any.

    Args:
        released: it may only because of the card's waiver or granted appeal.
    """

    allowed: bool
    card: Card | None = None
    released: bool = False


def gate(facts: Facts, norms: Norms, attempt: Attempt, now: datetime) -> Gate:
    """Decide whether a batch may be published: the one place where that is decided.

    It may not when it has, or with these figures gets, a red card below the mark; unless a waiver
    holds or an appeal was granted for that attempt, or for one of its bytes with equal figures.
    Where no card can be derived the figures decide by themselves, so that neither a clock that
    was set back nor a dataset without a promise opens the gate.

    Args:
        attempt: the attempt with the figures of the verdict that was given at `now`; where the
            facts know it as settled already, what they say stands.
    """
    known = [a for a in facts.attempts if _number(a) == _number(attempt)]
    times = (at for a in (attempt, *known) for at in (a.landed_at, a.settled_at) if at is not None)
    now = max(now, *times)
    judged = replace(attempt, settled_at=now, outcome=BatchStatus.STOPPED)
    if not any(a.settled_at for a in known):
        others = tuple(a for a in facts.attempts if a not in known)
        facts = replace(facts, attempts=(*others, judged))
    found = cards(facts, norms, now)
    card = next((c for c in _below_mark(found, attempt.batch) if _is_about(c, attempt)), None)
    is_red = (card is not None and card.colour is Colour.RED) or (
        colour_of(judged, norms.rules) is Colour.RED
    )
    if not is_red:
        return Gate(True, card)
    releasing = _releasing(facts, found, attempt)
    return Gate(False, card) if releasing is None else Gate(True, releasing, released=True)


def released(facts: Facts, norms: Norms, now: datetime) -> frozenset[tuple[str, int]]:
    """Return the attempts (batch, number) that a waiver or a granted appeal lets through."""
    found = cards(facts, norms, now)
    batches = {card.cause.batch for card in found if is_released(card)}
    return frozenset(
        _number(attempt)
        for attempt in facts.attempts
        if attempt.batch in batches and _releasing(facts, found, attempt) is not None
    )


def is_released(card: Card) -> bool:
    """Say whether a waiver or a granted appeal lets what the card is about through."""
    return card.standing.revoked or card.standing.waived_until is not None


def _releasing(facts: Facts, found: Sequence[Card], attempt: Attempt) -> Card | None:
    """Return the card whose waiver or granted appeal lets an attempt through.

    It is the card of that very attempt, or of another of the same bytes with equal figures: what
    was decided about better figures says nothing about worse ones.
    """
    of_batch = {_number(a): a for a in facts.attempts if a.batch == attempt.batch}
    figures = _figures(of_batch.get(_number(attempt), attempt))
    for card in _below_mark(found, attempt.batch):
        other = of_batch.get((attempt.batch, card.cause.attempt or 0))
        is_same = _is_about(card, attempt) or (other is not None and _figures(other) == figures)
        if is_same and is_released(card):
            return card
    return None


def _below_mark(found: Sequence[Card], batch: str) -> list[Card]:
    return [c for c in found if c.cause.kind is CardKind.BELOW_MARK and c.cause.batch == batch]


def _is_about(card: Card, attempt: Attempt) -> bool:
    return (card.cause.batch, card.cause.attempt) == _number(attempt)


def _number(attempt: Attempt) -> tuple[str, int]:
    return attempt.batch, attempt.attempt


def _figures(attempt: Attempt) -> tuple[object, ...]:
    a = attempt
    return a.rows, a.quarantined, a.key_accuracy, a.overall, a.meets_contract
