"""Facts to cards, by table: kinds, colours, remedies, escalation, backfills, days of Shanghai."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

import pytest

from contracts.cards.causes import CardKind, card_id
from contracts.cards.deriving import Card
from contracts.cards.gate import gate
from contracts.cards.life import Colour, State
from hub.store.attempts import Attempt
from hub.store.cards import Facts
from tests.contracts.cards.card_facts import INCIDENT, NORMS, at, derived, sent, told


def of_kind(cards: tuple[Card, ...], kind: CardKind) -> list[Card]:
    return [card for card in cards if card.cause.kind is kind]


@pytest.mark.parametrize(
    ("key", "overall", "colour"),
    [
        (0.99, 0.95, None),
        (0.98999, 0.99, Colour.YELLOW),
        (0.995, 0.9499, Colour.YELLOW),
        (0.97, 0.90, Colour.YELLOW),
        (0.9699, 0.99, Colour.RED),
        (0.995, 0.8999, Colour.RED),
        (None, None, Colour.RED),
    ],
)
def test_a_batch_below_the_mark_gets_a_card(
    key: float | None, overall: float | None, colour: Colour | None
) -> None:
    found = of_kind(derived(at("06-03"), sent("a", "06-02", key, overall)), CardKind.BELOW_MARK)
    assert [card.colour for card in found] == ([] if colour is None else [colour])


def test_a_batch_that_a_rule_of_the_batch_stopped_is_red_whatever_its_figures() -> None:
    stopped = replace(sent("a", "06-02", 0.999), meets_contract=False)
    assert [card.colour for card in derived(at("06-03"), stopped)] == [Colour.RED]


def test_a_refused_file_breaks_the_contract_until_one_arrives_that_does_not() -> None:
    refused = sent("a", "06-02", refused=True)
    (card,) = derived(at("06-03"), refused)
    assert (card.cause.kind, card.colour) == (CardKind.CONTRACT_BROKEN, Colour.YELLOW)
    assert card.cause.evidence["reason"] == "it is no table"
    later = derived(at("06-05"), refused, sent("b", "06-04", 0.999))
    assert told(later[0]) == [
        "06-02 10:01 issued yellow",
        "06-04 10:01 remedied yellow batch",
    ]


def test_the_same_bytes_sent_again_have_a_card_of_their_own() -> None:
    again = sent("a", "06-04", 0.999, attempt=2)
    (card,) = derived(at("06-05"), sent("a", "06-02", refused=True), again)
    assert card.state is State.REMEDIED
    assert card.cause.remedied_by == "a"


def test_a_good_batch_remedies_and_the_card_closes_by_itself() -> None:
    found = derived(at("07-30"), sent("a", "06-02", 0.96), sent("b", "06-04", 0.995))
    (card,) = of_kind(found, CardKind.BELOW_MARK)
    assert told(card) == [
        "06-02 10:01 issued red",
        "06-04 10:01 remedied red batch",
        "06-19 00:00 closed red time",
    ]


def test_a_batch_that_is_still_below_remedies_nothing() -> None:
    first, _ = of_kind(
        derived(at("06-05"), sent("a", "06-02", 0.96), sent("b", "06-04", 0.98)),
        CardKind.BELOW_MARK,
    )
    assert first.is_open


def test_unremedied_for_ten_working_days_turns_red_at_midnight() -> None:
    bad = sent("a", "06-02", 0.985)
    before, after = (
        of_kind(derived(at("06-16", hour), bad), CardKind.BELOW_MARK)[0] for hour in (23.99, 24)
    )
    assert before.colour is Colour.YELLOW
    assert told(after)[-1] == "06-17 00:00 escalated red unremedied"
    assert before.cause.remedy_by == after.cause.remedy_by


def test_what_the_hub_has_in_hand_does_not_count_as_late() -> None:
    """The correction landed before midnight; the hub judged it after."""
    bad, good = sent("a", "06-02", 0.985), sent("b", "06-16", 0.995, hour=23.995)
    at_midnight = derived(at("06-17", 0), bad, good)
    afterwards = derived(at("06-17", 2), bad, good)
    assert of_kind(at_midnight, CardKind.BELOW_MARK)[0].colour is Colour.YELLOW
    assert told(of_kind(afterwards, CardKind.BELOW_MARK)[0])[-1].endswith("remedied yellow batch")


@pytest.mark.parametrize(
    ("second", "colour"), [("09-02", Colour.RED), ("09-03", Colour.YELLOW), ("07-02", Colour.RED)]
)
def test_yellow_twice_in_three_months_is_red(second: str, colour: Colour) -> None:
    first = sent("a", "06-02", 0.985, 0.99, period="2026-05")
    again = sent("b", second, 0.985, period="2026-08" if second > "09" else "2026-06")
    found = of_kind(derived(at(second, 12), first, again), CardKind.BELOW_MARK)
    assert found[-1].cause.batch == "b"
    assert found[-1].colour is colour
    if colour is Colour.RED:
        assert told(found[-1])[-1].endswith("escalated red twice")


def test_one_failing_under_two_names_is_not_twice() -> None:
    """The batch below the mark and its feedback that nobody answered are one matter."""
    bad = sent("a", "06-02", 0.985)
    (correction,) = of_kind(derived(at("06-17", 1), bad), CardKind.OVERDUE_CORRECTION)
    assert told(correction) == ["06-17 00:00 issued yellow"]


def test_a_red_card_is_no_first_yellow_one() -> None:
    first, second = sent("a", "06-02", 0.96), sent("b", "06-03", 0.985)
    found = of_kind(derived(at("06-04"), first, second), CardKind.BELOW_MARK)
    assert [card.colour for card in found] == [Colour.RED, Colour.YELLOW]


# -- overdue


def test_a_month_that_is_not_delivered_is_yellow_after_a_fifth_of_it() -> None:
    """June has 21 working days less the Dragon Boat holiday; it was due on 7 July."""
    found = derived(at("08-30"), since="06-10")
    (card,) = [card for card in found if card.cause.period == "2026-06"]
    assert card.cause.due.isoformat() == "2026-07-07"
    assert card.cause.evidence == {"cycle_working_days": 21, "yellow_after": 5, "red_after": 22}
    assert told(card)[0] == "07-15 00:00 issued yellow"
    assert told(card)[1] == "07-30 00:00 escalated red unremedied"
    before = derived(at("07-14", 23.9), since="06-10")
    assert "2026-06" not in {card.cause.period for card in before}


def test_what_ended_before_deliveries_were_expected_is_not_overdue() -> None:
    periods = {card.cause.period for card in derived(at("08-30"), since="07-01")}
    assert periods == {"2026-07"} | {p for p in periods if len(p) == 10 and p >= "2026-07-01"}


def test_a_backfill_never_makes_the_present_look_delivered() -> None:
    backfill = sent("a", "07-03", 0.999, period="2025-11")
    months = [c for c in derived(at("07-15", 1), backfill, since="06-10") if c.cause.batch is None]
    assert "2026-06" in {card.cause.period for card in months}


def test_a_later_period_of_a_whole_dataset_makes_up_for_an_earlier_one() -> None:
    may = sent("a", "07-20", 0.999, period="2026-07")
    june = next(c for c in derived(at("07-21"), may, since="06-10") if c.cause.period == "2026-06")
    assert told(june)[-1] == "07-20 10:01 remedied yellow batch"


def test_each_day_of_a_dataset_that_is_added_to_is_owed_for_itself() -> None:
    def day(batch: str, when: str, period: str) -> Attempt:
        return sent(batch, when, 0.999, period=period, dataset=INCIDENT, partner="police")

    monday, wednesday = day("a", "06-09", "2026-06-08"), day("b", "06-11", "2026-06-10")
    owed = [
        card.cause.period
        for card in derived(at("06-13"), monday, wednesday, since="06-08")
        if card.cause.dataset == INCIDENT
    ]
    assert owed == ["2026-06-09"]  # due on the 10th, yellow when the 11th was over


def test_nothing_is_owed_for_a_day_that_is_not_worked() -> None:
    owed = {c.cause.period for c in derived(at("06-30"), since="06-18") if c.cause.batch is None}
    assert not owed & {"2026-06-19", "2026-06-20", "2026-06-21"}
    assert {"2026-06-18", "2026-06-22"} <= owed


def test_a_period_from_the_future_is_not_believed() -> None:
    wild = sent("a", "06-12", 0.999, period="2099")
    owed = {
        c.cause.period for c in derived(at("07-15", 1), wild, since="06-10") if not c.cause.batch
    }
    assert "2026-06" in owed


def test_a_stopped_delivery_is_a_delivery_and_a_refused_one_is_none() -> None:
    stopped = sent("a", "07-03", 0.5, period="2026-06")
    refused = sent("b", "07-03", period="2026-06", refused=True)
    for attempt, owed in ((stopped, False), (refused, True)):
        found = derived(at("07-15", 1), attempt, since="06-10")
        months = {c.cause.period for c in of_kind(found, CardKind.OVERDUE_DELIVERY)}
        assert ("2026-06" in months) is owed


# -- overdue corrections


@pytest.mark.parametrize(
    ("accepted", "answer", "issued"),
    [(0.985, None, True), (0.99, None, False), (0.985, "06-16", False), (0.985, "06-17", True)],
)
def test_feedback_that_is_not_answered_in_time(
    accepted: float, answer: str | None, issued: bool
) -> None:
    sent_back = [sent("a", "06-02", 0.995, accepted)]
    if answer is not None:
        sent_back.append(sent("b", answer, 0.995, 0.985))
    found = of_kind(derived(at("06-17", 20), *sent_back), CardKind.OVERDUE_CORRECTION)
    assert [told(card)[0] for card in found] == ["06-17 00:00 issued yellow"] * issued


# -- the gate


def test_the_gate_stops_what_gets_a_red_card_and_lets_yellow_through() -> None:
    for key, allowed in ((0.995, True), (0.985, True), (0.96, False)):
        judged = sent("a", "06-02", key)
        assert gate(Facts(()), NORMS, judged, at("06-02", 11)).allowed is allowed


@pytest.mark.parametrize("now", [at("06-02", 9), at("05-01"), at("01-02")])
def test_a_clock_that_was_set_back_opens_no_gate(now: datetime) -> None:
    landed = sent("a", "06-02", 0.96, waiting=True)
    bad = replace(sent("a", "06-02", 0.96), settled_at=None, outcome=None)
    for facts in (Facts(()), Facts((landed,)), Facts((sent("a", "06-02", 0.96),))):
        decided = gate(facts, NORMS, bad, now)
        assert not decided.allowed
        assert decided.card is not None
    good = replace(sent("a", "06-02", 0.985), settled_at=None, outcome=None)
    assert gate(Facts(()), NORMS, good, now).allowed


def test_without_a_promise_the_figures_decide_at_the_gate() -> None:
    none = replace(NORMS, promises={})
    for key, met, allowed in (
        (0.995, True, True),
        (0.985, True, True),
        (0.96, True, False),
        (0.995, False, False),
        (0.995, None, False),
        (None, True, False),
    ):
        judged = replace(sent("a", "06-02", key), meets_contract=met)
        decided = gate(Facts(()), none, judged, at("06-02", 11))
        assert (decided.allowed, decided.card, decided.released) == (allowed, None, False)


def test_figures_that_are_red_now_stop_what_settled_as_good() -> None:
    decided = gate(Facts((sent("a", "06-02"),)), NORMS, sent("a", "06-02", 0.96), at("06-03"))
    assert not decided.allowed


def test_the_second_yellow_batch_is_stopped_by_the_gate() -> None:
    first = sent("a", "06-02", 0.985)
    second = sent("b", "06-30", 0.985, period="2026-06")
    decided = gate(Facts((first,)), NORMS, second, at("06-30", 11))
    assert not decided.allowed
    assert decided.card is not None
    assert decided.card.id == card_id(CardKind.BELOW_MARK, "housing.tenancy", "housing", "b#1")


def test_unknown_datasets_have_no_cards() -> None:
    stray = sent("a", "06-02", refused=True, dataset="unrecognised")
    assert derived(at("06-03"), stray) == ()
