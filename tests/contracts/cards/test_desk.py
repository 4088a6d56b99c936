"""Cards over records and ledger: every step told exactly once, whoever is killed when."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from contracts.cards.board import listed
from contracts.cards.deriving import Norms
from contracts.cards.desk import CardDesk, Refused, norms_of
from contracts.cards.promises import Promise
from contracts.cards.rules import load_card_rules
from contracts.loader import load_contracts
from hub.calendar import load_calendar
from hub.errors import LedgerError, NotFound, RequestError
from hub.ledger.log import Ledger
from hub.store.batches import Arrival, BatchStatus, Verdict
from hub.store.cards import Act, ActKind, tell
from hub.store.records import Records
from tests.contracts.cards.card_facts import NORMS, TENANCY
from tests.factories import NOW, settings_in
from tests.hub.ledger.factories import Flaky, open_ledger

DAY = timedelta(days=1)
ONE = Norms({TENANCY: NORMS.promises[TENANCY]}, NORMS.rules, NORMS.calendar)


@dataclass
class Clock:
    """A clock that the test moves."""

    time: datetime = NOW

    def now(self) -> datetime:
        return self.time


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    with open_ledger(tmp_path) as opened:
        yield opened


@pytest.fixture
def records(tmp_path: Path) -> Iterator[Records]:
    with Records.open(settings_in(tmp_path / "home")) as opened:
        yield opened


@pytest.fixture
def desk(records: Records) -> CardDesk:
    return CardDesk(records, ONE)


def judged(records: Records, number: int, key: float, when: datetime, **more: str) -> str:
    """Record a batch that was checked, and loaded or stopped; return its id."""
    arrival = Arrival(
        TENANCY,
        more.get("partner", "housing"),
        "tenancy.csv",
        f"{number:064x}",
        10,
        "full",
        more.get("period", "2026-05"),
    )
    batch = records.register_batch(arrival, when).batch
    verdict = Verdict(1000, 990, 10, key, 0.99, passed=key >= 0.97, reason="invented")
    records.save_verdict(batch.id, verdict, when)
    if verdict.passed:
        records.advance(batch.id, BatchStatus.LOADED, when + timedelta(seconds=5))
    return batch.id


def told(ledger: Ledger) -> list[tuple[str, str]]:
    """Return (event, step) of every entry about a card, in log order."""
    bodies = [entry.body for entry in ledger.entries(0, ledger.size)]
    return [
        (str(body["event"]).removeprefix("quality:card:"), str(body["step"]))
        for body in bodies
        if body is not None and str(body["event"]).startswith("quality:card:")
    ]


def act(card: str, kind: ActKind, by: str = "housing.steward", **more: Any) -> Act:
    return Act(card, kind, by, "invented reason", NOW, **more)


def test_what_happened_is_told_once_however_often_it_is_evaluated(
    records: Records, desk: CardDesk, ledger: Ledger
) -> None:
    clock = Clock()
    judged(records, 1, 0.985, NOW)
    for moment in (NOW, NOW + DAY, NOW + 30 * DAY, NOW + 30 * DAY):
        clock.time = moment
        desk.evaluate(ledger, clock)
    assert told(ledger) == [("issued", "issued"), ("escalated", "escalated")]
    judged(records, 2, 0.995, NOW + 31 * DAY, period="2026-06")
    clock.time = NOW + 50 * DAY
    assert desk.evaluate(ledger, clock).told > 0
    assert desk.evaluate(ledger, clock).told == 0
    assert told(ledger) == [
        ("issued", "issued"),
        ("escalated", "escalated"),
        ("remedied", "remedied"),
        ("closed", "closed"),
    ]
    assert ledger.verify_all().intact


def test_an_evaluation_without_news_writes_nothing(
    records: Records, desk: CardDesk, ledger: Ledger
) -> None:
    judged(records, 1, 0.985, NOW)
    desk.evaluate(ledger, Clock())
    flaky = Flaky(ledger, fail_before=True)
    assert desk.evaluate(flaky, Clock(NOW + DAY)).told == 0


@pytest.mark.parametrize("when", ["fail_before", "fail_after"])
def test_a_kill_while_telling_neither_loses_nor_doubles(
    records: Records, desk: CardDesk, ledger: Ledger, when: str
) -> None:
    judged(records, 1, 0.985, NOW)
    flaky = Flaky(ledger, **{when: True})
    for _ in range(2):
        if when == "fail_before":
            with pytest.raises(LedgerError):
                desk.evaluate(flaky, Clock())
    if when == "fail_after":
        with pytest.raises(LedgerError):
            desk.evaluate(flaky, Clock())
    desk.evaluate(Flaky(ledger), Clock())
    desk.evaluate(Flaky(ledger), Clock(NOW + DAY))
    assert told(ledger) == [("issued", "issued")]


def test_an_act_whose_telling_was_cut_short_is_told_later(
    records: Records, desk: CardDesk, ledger: Ledger
) -> None:
    judged(records, 1, 0.96, NOW)
    (card,) = desk.evaluate(ledger, Clock()).cards
    with pytest.raises(LedgerError):
        desk.act(Flaky(ledger, fail_after=True), Clock(), act(card.id, ActKind.APPEAL))
    with pytest.raises(LedgerError):
        desk.act(
            Flaky(ledger, fail_before=True),
            Clock(),
            act(card.id, ActKind.DECIDE, "bureau.steward", granted=True),
        )
    assert tell(records, ledger) == 2
    assert told(ledger) == [
        ("issued", "issued"),
        ("appealed", "act:1"),
        ("appeal_decided", "act:2"),
        ("closed", "closed"),
    ]


def test_the_ledger_has_figures_and_offices_and_no_reason(
    records: Records, desk: CardDesk, ledger: Ledger
) -> None:
    judged(records, 1, 0.96, NOW)
    (card,) = desk.evaluate(ledger, Clock()).cards
    desk.act(ledger, Clock(), act(card.id, ActKind.ACKNOWLEDGE))
    bodies = [entry.body for entry in ledger.entries(0, ledger.size)]
    issued, acknowledged = (body for body in bodies if body and "card" in body)
    assert issued["evidence"]["key_accuracy_percent"] == 96.0
    assert (issued["kind"], issued["colour"]) == ("below_mark", "red")
    assert acknowledged["by"] == "housing.steward"
    assert "invented reason" not in str(bodies)


def test_what_is_not_possible_is_refused_and_leaves_nothing(
    records: Records, desk: CardDesk, ledger: Ledger
) -> None:
    judged(records, 1, 0.96, NOW)
    (card,) = desk.evaluate(ledger, Clock()).cards
    size = ledger.size
    refused = desk.act(ledger, Clock(), act(card.id, ActKind.CLOSE))
    assert isinstance(refused, Refused)
    assert ledger.size == size
    desk.act(ledger, Clock(), act(card.id, ActKind.WAIVE, until=date(2026, 6, 30)))
    own = desk.act(ledger, Clock(), act(card.id, ActKind.DECIDE, granted=True))
    assert isinstance(own, Refused)
    size = ledger.size
    for by in ("housing.made_up", "made.up", "bureau.other", "police.steward"):
        refused = desk.act(ledger, Clock(), act(card.id, ActKind.DECIDE, by, granted=True))
        assert isinstance(refused, Refused)
    assert ledger.size == size
    decided = desk.act(
        ledger, Clock(), act(card.id, ActKind.DECIDE, "bureau.steward", granted=True)
    )
    assert not isinstance(decided, Refused)


def test_who_may_not_is_denied_and_what_is_not_possible_is_not(
    records: Records, desk: CardDesk, ledger: Ledger
) -> None:
    judged(records, 1, 0.96, NOW)
    (card,) = desk.evaluate(ledger, Clock()).cards
    size = ledger.size
    stranger = desk.act(ledger, Clock(), act(card.id, ActKind.ACKNOWLEDGE, "police.steward"))
    assert isinstance(stranger, Refused)
    assert stranger.denied
    early = desk.act(ledger, Clock(), act(card.id, ActKind.CLOSE))
    assert isinstance(early, Refused)
    assert not early.denied
    assert ledger.size == size
    judged(records, 2, 0.999, NOW + DAY, period="2026-06")
    later = Clock(NOW + 2 * DAY)
    assert isinstance(desk.act(ledger, later, act(card.id, ActKind.CLOSE, "made.up")), Refused)
    closed = desk.act(ledger, later, act(card.id, ActKind.CLOSE))
    assert not isinstance(closed, Refused)


def test_what_is_open_to_whom_is_what_they_could_do(
    records: Records, desk: CardDesk, ledger: Ledger
) -> None:
    judged(records, 1, 0.96, NOW)
    (card,) = desk.evaluate(ledger, Clock()).cards
    own, bureau = "housing.steward", "bureau.steward"
    acts = (ActKind.ACKNOWLEDGE, ActKind.APPEAL, ActKind.WAIVE)
    assert desk.open_to(card, own, NOW) == acts
    assert desk.open_to(card, bureau, NOW) == ()
    done = desk.act(ledger, Clock(), act(card.id, ActKind.APPEAL))
    assert not isinstance(done, Refused)
    assert desk.open_to(done, own, NOW) == ()
    assert desk.open_to(done, bureau, NOW) == (ActKind.DECIDE,)


def test_a_decider_does_not_decide_for_their_own_department(
    records: Records, ledger: Ledger
) -> None:
    """Neither that of the dataset nor that of the partner, even when the list names them."""
    rules = replace(ONE.rules, deciders=("housing.head", "police.head", "bureau.steward"))
    desk = CardDesk(records, replace(ONE, rules=rules))
    judged(records, 1, 0.96, NOW, partner="police")
    (card,) = desk.evaluate(ledger, Clock()).cards
    desk.act(ledger, Clock(), act(card.id, ActKind.APPEAL, "police.steward"))
    for by in ("police.head", "housing.head"):
        refused = desk.act(ledger, Clock(), act(card.id, ActKind.DECIDE, by, granted=True))
        assert isinstance(refused, Refused)
        assert "本部门" in refused.reason


def test_a_reason_may_name_a_period_and_figures(
    records: Records, desk: CardDesk, ledger: Ledger
) -> None:
    judged(records, 1, 0.96, NOW)
    (card,) = desk.evaluate(ledger, Clock()).cards
    plain = replace(act(card.id, ActKind.ACKNOWLEDGE), reason="2026-05：the fix X of xx")
    assert not isinstance(desk.act(ledger, Clock(), plain), Refused)


@pytest.mark.parametrize(
    "bad",
    [
        {"by": "张三"},
        {"by": "Zhang San"},
        {"reason": "  "},
        {"reason": "x" * 501},
        {"reason": "核对 990106199003070018 有误"},
        {"reason": "call 138 0000 0000 1"},
        {"reason": "call 138.0013.8000"},
        {"reason": "１３８－００１３－８０００"},
        {"reason": "138x0013x8000"},
        {"reason": "9901/06/1990/0307/001X"},
        {"reason": "电话 6552 号 1234"},
    ],
)
def test_acts_hold_no_person(
    records: Records, desk: CardDesk, ledger: Ledger, bad: dict[str, str]
) -> None:
    judged(records, 1, 0.96, NOW)
    (card,) = desk.evaluate(ledger, Clock()).cards
    wrong = replace(act(card.id, ActKind.ACKNOWLEDGE), **bad)  # type: ignore[arg-type]
    with pytest.raises(RequestError):
        desk.act(ledger, Clock(), wrong)
    with pytest.raises(NotFound):
        desk.act(ledger, Clock(), act("0" * 16, ActKind.ACKNOWLEDGE))


def test_another_threshold_withdraws_a_card_and_brings_it_back(
    records: Records, desk: CardDesk, ledger: Ledger
) -> None:
    judged(records, 1, 0.985, NOW)
    rules = load_card_rules()
    mild = replace(rules, yellow=replace(rules.yellow, key_accuracy_percent=98.0))
    other = CardDesk(records, Norms(ONE.promises, mild, ONE.calendar))
    for evaluated in (desk, other, other, desk, desk, other):
        evaluated.evaluate(ledger, Clock())
    assert told(ledger) == [
        ("issued", "issued"),
        ("withdrawn", "withdrawn:1"),
        ("reinstated", "reinstated:1"),
        ("withdrawn", "withdrawn:2"),
    ]


def test_a_retired_contract_owes_nothing() -> None:
    contract = next(c for c in load_contracts() if c.name == "housing.tenancy")
    promise = Promise.of(contract)
    assert promise.latency is not None
    assert promise.correction is not None
    retired = Promise.of(replace(contract, status="retired"))
    assert retired == replace(promise, latency=None, correction=None)


def test_an_overdue_delivery_is_found_although_nothing_ever_arrived(
    desk: CardDesk, ledger: Ledger
) -> None:
    clock = Clock(datetime(2026, 6, 1, 4, tzinfo=UTC))
    assert desk.evaluate(ledger, clock).cards == ()
    clock.time = datetime(2026, 7, 15, 4, tzinfo=UTC)
    owed = {card.cause.period for card in desk.evaluate(ledger, clock).cards}
    assert "2026-06" in owed


def test_the_attempt_that_failed_is_remembered_when_the_same_bytes_come_again(
    records: Records, desk: CardDesk, ledger: Ledger
) -> None:
    """The batch's row shows the second attempt only; its first has left a fact."""
    batch_id = judged(records, 1, 0.96, NOW)
    again = Arrival(TENANCY, "housing", "tenancy.csv", f"{1:064x}", 10, "full", "2026-05")
    records.register_batch(again, NOW + DAY)
    records.save_verdict(
        batch_id, Verdict(1000, 995, 5, 0.995, 0.995, passed=True, reason=""), NOW + DAY
    )
    records.advance(batch_id, BatchStatus.LOADED, NOW + DAY)
    (card,) = desk.evaluate(ledger, Clock(NOW + 2 * DAY)).cards
    assert card.cause.evidence["key_accuracy_percent"] == 96.0
    assert card.cause.remedied_by == batch_id


def test_a_re_check_of_a_settled_attempt_does_not_rewrite_the_past(
    records: Records, desk: CardDesk
) -> None:
    batch_id = judged(records, 1, 0.96, NOW)
    before = desk.cards(NOW + 3 * DAY)
    records.advance(batch_id, BatchStatus.LANDED, NOW + DAY)
    records.save_verdict(
        batch_id,
        Verdict(1000, 960, 40, 0.96, 0.99, passed=True, reason="waived", met=False),
        NOW + DAY,
    )
    records.advance(batch_id, BatchStatus.LOADED, NOW + DAY)
    assert desk.cards(NOW + 3 * DAY) == before


def test_open_cards_are_listed_by_department_red_first(records: Records, tmp_path: Path) -> None:
    judged(records, 1, 0.985, NOW)
    judged(records, 2, 0.96, NOW + timedelta(hours=1))
    norms = norms_of(load_contracts(), load_calendar())
    found = CardDesk(records, norms).cards(NOW + DAY)
    views = listed(found, norms, department=None, only_open=True)
    assert [view.colour for view in views] == ["red", "yellow"]
    assert views[0].title == "房屋租赁"
    assert "红牌" in views[0].colour_title
    assert views[0].remedy_by in views[0].what_to_do
    assert listed(found, norms, department="police", only_open=True) == ()
