"""Properties: the order of facts, repetition and the moments of evaluation change nothing."""

from __future__ import annotations

import random
from datetime import date, datetime, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from contracts.cards.deriving import Card, cards
from hub.store.attempts import Attempt
from hub.store.batches import BatchStatus
from hub.store.cards import Act, ActKind, Facts
from tests.contracts.cards.card_facts import INCIDENT, NORMS, TENANCY, at

START, END = at("05-01", 0), at("09-01", 0)
INSTANTS = st.integers(0, int((END - START).total_seconds() // 3600)).map(
    lambda hours: START + timedelta(hours=hours)
)
PERIODS = st.sampled_from([None, "2026-04", "2026-05", "2026-06", "2026-09", "2025-11", "2026"])
DAYS = st.sampled_from([None, "2026-06-01", "2026-06-02", "2026-06", "2099-01-01"])
FIGURES = st.sampled_from([0.999, 0.985, 0.96])


@st.composite
def attempts(draw: st.DrawFn) -> Attempt:
    number, landed = draw(st.integers(1, 10**6)), draw(INSTANTS)
    dataset, partner, period = draw(
        st.one_of(
            st.tuples(st.just(TENANCY), st.just("housing"), PERIODS),
            st.tuples(st.just(INCIDENT), st.just("police"), DAYS),
        )
    )
    settled = draw(st.none() | st.integers(1, 200).map(lambda h: landed + timedelta(hours=h)))
    key = draw(FIGURES)
    refused = settled is not None and draw(st.integers(0, 4)) == 0
    outcome = BatchStatus.LOADED if key >= 0.97 else BatchStatus.STOPPED
    return Attempt(
        batch=f"b{number}",
        attempt=1,
        dataset=dataset,
        partner=partner,
        period=period,
        landed_at=landed,
        settled_at=settled,
        outcome=None if settled is None else BatchStatus.REFUSED if refused else outcome,
        rows=1000,
        quarantined=round(1000 * (1 - key)),
        key_accuracy=key,
        overall=key,
        meets_contract=key >= 0.97,
    )


@st.composite
def histories(draw: st.DrawFn) -> Facts:
    """Return facts: attempts, and acts on the cards that these give, at any time."""
    sent = draw(st.lists(attempts(), max_size=8, unique_by=lambda a: a.batch))
    since = {d: date(2026, 5, 20) for d in NORMS.promises} if draw(st.booleans()) else {}
    facts = Facts(tuple(sent), (), since)
    ids = sorted({card.id for card in cards(facts, NORMS, END)})
    if not ids:
        return facts
    times = draw(st.lists(INSTANTS, max_size=12))
    acts = tuple(
        Act(
            card=draw(st.sampled_from(ids)),
            kind=draw(st.sampled_from(ActKind)),
            by=draw(st.sampled_from(["housing.steward", "bureau.steward", "bureau.head"])),
            reason="invented",
            at=time,
            until=(time + timedelta(days=draw(st.integers(0, 40)))).date(),
            granted=draw(st.booleans()),
            id=number,
        )
        for number, time in enumerate(sorted(times), start=1)
    )
    return Facts(facts.attempts, acts, since)


def by_id(found: tuple[Card, ...]) -> dict[str, Card]:
    return {card.id: card for card in found}


@settings(max_examples=30, deadline=None)
@given(histories(), INSTANTS, st.randoms(use_true_random=False))
def test_the_order_of_the_facts_changes_nothing(
    facts: Facts, now: datetime, rng: random.Random
) -> None:
    shuffled = list(facts.attempts)
    rng.shuffle(shuffled)
    acts = list(facts.acts)
    rng.shuffle(acts)
    again = Facts(tuple(shuffled), tuple(acts), facts.since)
    assert cards(again, NORMS, now) == cards(facts, NORMS, now)


@settings(max_examples=30, deadline=None)
@given(histories(), st.lists(INSTANTS, max_size=6))
def test_a_later_look_only_adds_steps(facts: Facts, looks: list[datetime]) -> None:
    """Evaluated at any moments, the steps told are those of one evaluation at the end."""
    told: dict[str, list[str]] = {}
    for now in [*sorted(looks), END]:
        for card in cards(facts, NORMS, now):
            keys = [step.key for step in card.steps]
            known = told.get(card.id, [])
            assert keys[: len(known)] == known
            assert len(set(keys)) == len(keys)
            told[card.id] = keys
    assert told == {c.id: [s.key for s in c.steps] for c in cards(facts, NORMS, END)}


@settings(max_examples=30, deadline=None)
@given(histories(), INSTANTS)
def test_what_is_recorded_later_does_not_change_what_was_known(facts: Facts, now: datetime) -> None:
    """Looking back from the end at an instant gives what an evaluation then gave."""
    known = Facts(
        tuple(a for a in facts.attempts if a.landed_at <= now),
        tuple(a for a in facts.acts if a.at <= now),
        facts.since,
    )
    assert cards(known, NORMS, now) == cards(facts, NORMS, now)


@settings(max_examples=30, deadline=None)
@given(histories(), INSTANTS)
def test_times_run_forward_and_red_is_for_good(facts: Facts, now: datetime) -> None:
    for card in cards(facts, NORMS, now):
        times = [step.at for step in card.steps]
        assert times == sorted(times)
        assert times[-1] <= now
        colours = [step.colour.value for step in card.steps]
        assert colours == sorted(colours, reverse=True)  # yellow, then red


@settings(max_examples=20, deadline=None)
@given(histories(), attempts(), INSTANTS)
def test_a_backfill_of_an_old_period_remedies_nothing_of_the_present(
    facts: Facts, backfill: Attempt, now: datetime
) -> None:
    old = Attempt(
        backfill.batch + "x", 1, TENANCY, "housing", "2024-01", backfill.landed_at,
        backfill.landed_at, BatchStatus.LOADED, 1000, 0, 0.999, 0.999, meets_contract=True,
    )  # fmt: skip
    before = by_id(cards(facts, NORMS, now))
    after = by_id(cards(Facts((*facts.attempts, old), facts.acts, facts.since), NORMS, now))
    assert after == before
