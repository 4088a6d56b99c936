"""What people can do about a card, what they cannot, and what follows in time."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime

import pytest

from contracts.cards.causes import CardKind, card_id
from contracts.cards.deriving import Card
from contracts.cards.gate import gate, released
from contracts.cards.life import Colour, Side, Standing, State, not_entitled, refusal
from hub.store.attempts import Attempt
from hub.store.batches import BatchStatus
from hub.store.cards import Act, ActKind, Facts
from tests.contracts.cards.card_facts import NORMS, RULES, TENANCY, at, derived, did, sent, told

BAD = sent("a", "06-02", 0.985, 0.99)
RED = sent("a", "06-02", 0.96, 0.99)
CARD = card_id(CardKind.BELOW_MARK, TENANCY, "housing", "a#1")
BUREAU = "bureau.steward"
HOUSING = Side(("housing",), ("listed.elsewhere",))


def one(now: datetime, *acts: Act, bad: object = BAD, good: bool = False) -> Card:
    """Return the one card below the mark, after acts, with or without a later good batch."""
    attempts = (BAD if bad is BAD else RED, *([sent("b", "06-10", 0.999)] if good else []))
    found = derived(now, *attempts, acts=acts)
    return next(card for card in found if card.id == CARD)


def test_acknowledged_then_remedied_then_closed() -> None:
    acts = (
        did(CARD, ActKind.ACKNOWLEDGE, at("06-03"), 1),
        did(CARD, ActKind.CLOSE, at("06-11"), 2, BUREAU),
    )
    assert told(one(at("07-30"), *acts, good=True)) == [
        "06-02 10:01 issued yellow",
        "06-03 10:00 acknowledged yellow",
        "06-10 10:01 remedied yellow batch",
        "06-11 10:00 closed yellow",
    ]


def test_a_granted_appeal_closes_and_no_longer_counts() -> None:
    acts = (
        did(CARD, ActKind.APPEAL, at("06-03"), 1),
        did(CARD, ActKind.DECIDE, at("06-04"), 2, BUREAU, granted=True),
    )
    assert told(one(at("07-01"), *acts))[1:] == [
        "06-03 10:00 appealed yellow",
        "06-04 10:00 appeal_decided yellow",
        "06-04 10:00 closed yellow appeal",
    ]
    second = sent("c", "06-20", 0.985, 0.99, period="2026-06")
    assert derived(at("06-21"), BAD, second, acts=acts)[-1].colour is Colour.YELLOW
    assert derived(at("06-21"), BAD, second)[-1].colour is Colour.RED


def test_an_undecided_appeal_keeps_a_card_from_turning_red_until_it_is_refused() -> None:
    appeal = did(CARD, ActKind.APPEAL, at("06-03"), 1)
    refused = did(CARD, ActKind.DECIDE, at("06-25"), 2, BUREAU, granted=False)
    assert one(at("06-24"), appeal).colour is Colour.YELLOW
    assert told(one(at("06-26"), appeal, refused))[2:] == [
        "06-25 10:00 appeal_decided yellow",
        "06-25 10:00 escalated red unremedied",
    ]


def test_a_waiver_holds_to_its_last_day_and_then_the_card_stands_again() -> None:
    acts = (
        did(CARD, ActKind.WAIVE, at("06-03"), 1, until=date(2026, 6, 30)),
        did(CARD, ActKind.DECIDE, at("06-04"), 2, BUREAU, granted=True),
    )
    assert one(at("06-30", 23.9), *acts).state is State.WAIVED
    assert told(one(at("07-02"), *acts))[1:] == [
        "06-03 10:00 waiver_requested yellow",
        "06-04 10:00 waiver_decided yellow",
        "07-01 00:00 waiver_expired yellow time",
        "07-01 00:00 escalated red unremedied",
    ]
    assert one(at("07-02"), *acts).state is State.ACKNOWLEDGED


def test_a_waiver_lets_that_one_batch_through_the_gate_as_long_as_it_holds() -> None:
    acts = (
        did(CARD, ActKind.WAIVE, at("06-03"), 1, until=date(2026, 6, 30)),
        did(CARD, ActKind.DECIDE, at("06-04"), 2, BUREAU, granted=True),
    )
    facts, other = Facts((RED,), acts), sent("c", "06-05", 0.96)
    assert not gate(facts, NORMS, RED, at("06-03", 12)).allowed
    assert gate(facts, NORMS, RED, at("06-05")).allowed
    assert not gate(facts, NORMS, RED, at("07-01")).allowed
    assert not gate(facts, NORMS, other, at("06-05")).allowed


def test_a_granted_appeal_lets_the_batch_through_for_good() -> None:
    acts = (
        did(CARD, ActKind.APPEAL, at("06-03"), 1),
        did(CARD, ActKind.DECIDE, at("06-04"), 2, BUREAU, granted=True),
    )
    assert gate(Facts((RED,), acts), NORMS, RED, at("09-01")).allowed


@pytest.mark.parametrize(
    ("first", "again", "allowed"),
    [
        (BAD, RED, False),
        (RED, RED, True),
        (RED, sent("a", "06-02", 0.95, 0.99), False),
        (BAD, replace(BAD, meets_contract=False), False),
    ],
)
def test_an_appeal_granted_on_an_earlier_attempt_counts_for_equal_figures_only(
    first: Attempt, again: Attempt, allowed: bool
) -> None:
    acts = (
        did(CARD, ActKind.APPEAL, at("06-03"), 1),
        did(CARD, ActKind.DECIDE, at("06-04"), 2, BUREAU, granted=True),
    )
    second = replace(again, attempt=2, landed_at=at("06-05"), settled_at=None, outcome=None)
    decided = gate(Facts((first,), acts), NORMS, second, at("06-05", 11))
    assert decided.allowed is decided.released is allowed
    settled = replace(second, settled_at=at("06-05", 11), outcome=BatchStatus.STOPPED)
    let_through = released(Facts((first, settled), acts), NORMS, at("06-06"))
    assert let_through == ({("a", 1), ("a", 2)} if allowed else {("a", 1)})


def test_a_remedy_ends_a_waiver_and_what_was_asked_for() -> None:
    ask = did(CARD, ActKind.WAIVE, at("06-03"), 1, until=date(2026, 8, 1))
    card = one(at("06-11"), ask, good=True)
    assert card.state is State.REMEDIED
    late = did(CARD, ActKind.DECIDE, at("06-11"), 2, BUREAU, granted=True)
    assert refusal(card.standing, late, RULES) is not None


def test_a_card_that_was_remedied_during_its_appeal_closes_with_the_refusal() -> None:
    acts = (
        did(CARD, ActKind.APPEAL, at("06-03"), 1),
        did(CARD, ActKind.DECIDE, at("07-20"), 2, BUREAU, granted=False),
    )
    assert one(at("07-19"), *acts, good=True).state is State.APPEALED
    assert told(one(at("07-21"), *acts, good=True))[-2:] == [
        "07-20 10:00 appeal_decided yellow",
        "07-20 10:00 closed yellow time",
    ]


NEW = Standing(Colour.YELLOW)
APPEALED = Standing(Colour.YELLOW, appealed_by="housing.steward", appeal_open=True)
ASKED = Standing(Colour.RED, asked_by="housing.steward", asked_until=date(2026, 6, 30))
OVER = Standing(Colour.RED, appealed_by="housing.steward")
WAIVED = Standing(Colour.RED, waived_until=date(2026, 6, 30))
DONE = Standing(Colour.RED, remedied_at=at("06-10"))
CLOSED = Standing(Colour.RED, closed_at=at("06-10"))
JUNE, WHEN = date(2026, 6, 30), at("06-12")


def act(kind: ActKind, by: str = BUREAU, **more: object) -> Act:
    return did(CARD, kind, WHEN, 1, by, **more)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("standing", "wanted", "why"),
    [
        (NEW, act(ActKind.ACKNOWLEDGE), None),
        (Standing(Colour.RED, acknowledged=True), act(ActKind.ACKNOWLEDGE), "签收"),
        (DONE, act(ActKind.ACKNOWLEDGE), "签收"),
        (NEW, act(ActKind.APPEAL), None),
        (OVER, act(ActKind.APPEAL), "一次"),
        (ASKED, act(ActKind.APPEAL), "申诉"),
        (WAIVED, act(ActKind.APPEAL), "申诉"),
        (DONE, act(ActKind.APPEAL), "申诉"),
        (NEW, act(ActKind.WAIVE, until=JUNE), None),
        (OVER, act(ActKind.WAIVE, until=JUNE), None),
        (APPEALED, act(ActKind.WAIVE, until=JUNE), "豁免"),
        (ASKED, act(ActKind.WAIVE, until=JUNE), "豁免"),
        (NEW, act(ActKind.WAIVE), "截止日"),
        (NEW, act(ActKind.WAIVE, until=date(2026, 6, 11)), "截止日"),
        (NEW, act(ActKind.WAIVE, until=date(2026, 9, 11)), "截止日"),
        (APPEALED, act(ActKind.DECIDE, granted=True), None),
        (ASKED, act(ActKind.DECIDE, granted=False), None),
        (NEW, act(ActKind.DECIDE, granted=True), "没有待决定"),
        (APPEALED, act(ActKind.DECIDE), "同意或不同意"),
        (APPEALED, act(ActKind.DECIDE, "housing.steward", granted=True), "申请人"),
        (ASKED, act(ActKind.DECIDE, "housing.steward", granted=False), "申请人"),
        (APPEALED, act(ActKind.DECIDE, "housing.deputy", granted=True), "本部门"),
        (ASKED, act(ActKind.DECIDE, "housing.made_up", granted=True), "本部门"),
        (ASKED, act(ActKind.DECIDE, "housing", granted=True), "本部门"),
        (ASKED, act(ActKind.DECIDE, "outside.keeper", granted=True), "本部门"),
        (ASKED, act(ActKind.DECIDE, "housing_office.head", granted=True), None),
        (DONE, act(ActKind.CLOSE), None),
        (NEW, act(ActKind.CLOSE), "已整改"),
        (WAIVED, act(ActKind.CLOSE), "已整改"),
        (CLOSED, act(ActKind.APPEAL), "已关闭"),
        (CLOSED, act(ActKind.DECIDE, granted=True), "已关闭"),
    ],
)
def test_what_is_not_possible_is_refused_with_the_reason(
    standing: Standing, wanted: Act, why: str | None
) -> None:
    found = refusal(
        standing, wanted, RULES, Side(("housing",), ("housing.steward", "outside.keeper"))
    )
    assert (found is None) if why is None else (found is not None and why in found)


@pytest.mark.parametrize("by", ["made.up", "bureau.other", "police.steward"])
def test_only_a_named_decider_decides(by: str) -> None:
    found = not_entitled(act(ActKind.DECIDE, by, granted=True), RULES, HOUSING)
    assert found is not None
    assert "life.deciders" in found
    assert not_entitled(act(ActKind.DECIDE, granted=True), RULES, HOUSING) is None


@pytest.mark.parametrize("kind", [ActKind.ACKNOWLEDGE, ActKind.APPEAL, ActKind.WAIVE])
def test_only_the_cards_own_department_acts_for_it(kind: ActKind) -> None:
    for by in ("housing.steward", "housing.partner.housing", "listed.elsewhere"):
        assert not_entitled(act(kind, by), RULES, HOUSING) is None
    for by in (BUREAU, "police.steward", "housings.steward"):
        assert "所属的部门" in (not_entitled(act(kind, by), RULES, HOUSING) or "")


def test_only_the_own_department_or_a_decider_closes() -> None:
    for by in ("housing.steward", BUREAU):
        assert not_entitled(act(ActKind.CLOSE, by), RULES, HOUSING) is None
    for by in ("bureau.other", "police.steward", "made.up"):
        assert "关闭" in (not_entitled(act(ActKind.CLOSE, by), RULES, HOUSING) or "")


def test_what_a_decider_decided_stands_when_they_have_left_the_list() -> None:
    acts = (
        did(CARD, ActKind.APPEAL, at("06-03"), 1),
        did(CARD, ActKind.DECIDE, at("06-04"), 2, "bureau.former", granted=True),
    )
    assert one(at("07-01"), *acts).standing.revoked


def test_a_waiver_is_not_granted_for_days_that_are_over() -> None:
    late = did(CARD, ActKind.DECIDE, at("07-01"), 1, BUREAU, granted=True)
    assert refusal(ASKED, late, RULES) is not None
    assert (
        refusal(ASKED, did(CARD, ActKind.DECIDE, at("07-01"), 1, BUREAU, granted=False), RULES)
        is None
    )
