"""Invented facts for the tests of cards: attempts, acts, promises; times of Asia/Shanghai."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta

from contracts.cards.deriving import Card, Norms, cards
from contracts.cards.promises import Promise, Term
from contracts.cards.rules import load_card_rules
from hub.calendar import SHANGHAI, load_calendar
from hub.store.attempts import Attempt
from hub.store.batches import BatchStatus
from hub.store.cards import Act, ActKind, Facts

RULES = load_card_rules()
CALENDAR = load_calendar()
TENANCY, INCIDENT = "housing.tenancy", "police.incident"


def promise(
    dataset: str = TENANCY, owner: str = "housing", cycle: str = "monthly", *, whole: bool = True
) -> Promise:
    """Return a promise: latency 5 working days (daily: 1), correction 10."""
    latency = Term(1 if cycle == "daily" else 5, working=True)
    stewards = (f"{owner}.steward",)
    return Promise(dataset, dataset, owner, cycle, whole, latency, Term(10, working=True), stewards)


NORMS = Norms(
    {
        TENANCY: promise(),
        INCIDENT: promise(INCIDENT, "police", "daily", whole=False),
    },
    RULES,
    CALENDAR,
)


def at(day: str, hour: float = 10) -> datetime:
    """Return an instant of a day in 2026, "06-30", in Shanghai."""
    start = datetime.combine(date.fromisoformat(f"2026-{day}"), time(), SHANGHAI)
    return start + timedelta(hours=hour)


def sent(
    batch: str,
    day: str,
    key: float | None = 0.995,
    overall: float | None = None,
    *,
    period: str | None = "2026-05",
    hour: float = 10,
    attempt: int = 1,
    refused: bool = False,
    waiting: bool = False,
    dataset: str = TENANCY,
    partner: str = "housing",
) -> Attempt:
    """Return an attempt that landed at an hour and was judged a minute later."""
    landed = at(day, hour)
    if waiting:
        return Attempt(batch, attempt, dataset, partner, period, landed)
    judged = landed + timedelta(minutes=1)
    if refused:
        return Attempt(
            batch, attempt, dataset, partner, period, landed, judged, BatchStatus.REFUSED,
            reason="it is no table",
        )  # fmt: skip
    accepted = key if overall is None else overall
    met = key is not None and accepted is not None and key >= 0.97 and accepted >= 0.9
    return Attempt(
        batch,
        attempt,
        dataset,
        partner,
        period,
        landed,
        judged,
        BatchStatus.LOADED if met else BatchStatus.STOPPED,
        rows=1000,
        quarantined=round(1000 * (1 - (accepted or 0))),
        key_accuracy=key,
        overall=accepted,
        meets_contract=met,
    )


def did(
    card: str,
    kind: ActKind,
    when: datetime,
    number: int,
    by: str = "housing.steward",
    *,
    granted: bool | None = None,
    until: date | None = None,
) -> Act:
    """Return an act."""
    return Act(card, kind, by, "invented", when, until, granted, number)


def derived(
    now: datetime, *attempts: Attempt, acts: tuple[Act, ...] = (), since: str | None = None
) -> tuple[Card, ...]:
    """Return the cards of facts; deliveries are expected since a day, or not at all."""
    expected = {d: date.fromisoformat(f"2026-{since}") for d in NORMS.promises} if since else {}
    return cards(Facts(attempts, acts, expected), NORMS, now)


def told(card: Card) -> list[str]:
    """Return a card's steps in short: "06-30 10:01 issued yellow"."""
    return [
        f"{step.at.astimezone(SHANGHAI):%m-%d %H:%M} {step.kind} {step.colour}"
        + (f" {step.cause}" if step.cause else "")
        for step in card.steps
    ]
