"""Cards in a run: red stops that batch and no other, a waiver lets it through, Dagster shows it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from pathlib import Path

import dagster as dg
import pytest

from api.setup import make_hub
from assets import steps
from assets.cards import admitted, evaluate_cards
from assets.definitions import CARDS, build_definitions
from assets.lane import checked_key
from assets.runtime import Promises, Quiet, Runtime, open_runtime
from contracts.cards.desk import CardDesk
from contracts.cards.gate import Gate
from contracts.cards.life import State
from contracts.verdict import BatchVerdict
from hub.config import Settings
from hub.store.batches import BatchStatus
from hub.store.cards import Act, ActKind
from hub.store.drop import deliver
from tests.contracts.small import contract_text
from tests.factories import NOW, settings_in

THING = "test.thing"
FAILED = BatchVerdict(THING, 200, 180, 20, 0, (), (), 0.9, 0.9, passed=False, reason="x")
CODE = """\
- name: code
  logicalType: string
  classification: L1
  criticalDataElement: true
  required: true
"""


@dataclass
class Clock:
    """A clock that goes on by a second whenever it is asked."""

    time: datetime = NOW

    def now(self) -> datetime:
        self.time += timedelta(seconds=1)
        return self.time


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    settings = settings_in(tmp_path / "home")
    make_hub(settings)
    (settings.home / "contracts").mkdir(exist_ok=True)
    (settings.home / "contracts" / f"{THING}.yaml").write_text(contract_text(CODE))
    return settings


@pytest.fixture
def run(settings: Settings, clock: Clock) -> Iterator[Runtime]:
    with open_runtime(settings, clock, Quiet(), Promises.of(settings)) as opened:
        yield opened


def send(run: Runtime, name: str, period: str, bad: int, rows: int = 200) -> str:
    """Deliver rows of which some lack a key field, run, and return what became of the batch."""
    lines = [f"{name}{n},{'' if n < bad else 'x'}" for n in range(rows)]
    file = run.settings.home / f"{name}.csv"
    file.write_text("thing_id,code\n" + "\n".join(lines) + "\n")
    deliver(
        file, name=file.name, partner="housing", dataset=THING, settings=run.settings, period=period
    )
    (batch,) = steps.land(run)
    steps.check_and_load(run, THING)
    return batch.id


def status(run: Runtime, batch: str) -> BatchStatus:
    return run.records.batch(batch).status


def card_of(run: Runtime, batch: str) -> str:
    return next(card.id for card in evaluate_cards(run).cards if card.cause.batch == batch)


def decide(run: Runtime, card: str, clock: Clock) -> None:
    until = date(2026, 6, 30)
    for act in (
        Act(card, ActKind.WAIVE, "housing.steward", "invented", NOW, until),
        Act(card, ActKind.DECIDE, "bureau.steward", "invented", NOW, granted=True),
    ):
        run.cards.act(run.ledger, clock, act)


def test_a_second_yellow_batch_is_stopped_and_what_was_loaded_stays(run: Runtime) -> None:
    first = send(run, "a", "2026-04", bad=3)
    evaluate_cards(run)
    second = send(run, "b", "2026-05", bad=3)
    third = send(run, "c", "2026-05", bad=0)
    assert [status(run, b) for b in (first, second, third)] == [
        BatchStatus.LOADED,
        BatchStatus.STOPPED,
        BatchStatus.LOADED,
    ]
    assert "红牌" in (run.records.batch(second).reason or "")
    found = {card.cause.batch: card for card in evaluate_cards(run).cards}
    assert found[second].colour.value == "red"
    assert {card.state for card in found.values()} == {State.REMEDIED}


def test_a_waiver_lets_the_stopped_batch_through_with_the_next_run(
    run: Runtime, clock: Clock
) -> None:
    batch = send(run, "a", "2026-05", bad=20)
    assert status(run, batch) is BatchStatus.STOPPED
    decide(run, card_of(run, batch), clock)
    other = send(run, "b", "2026-05", bad=20)
    assert status(run, batch) is BatchStatus.LOADED
    assert status(run, other) is BatchStatus.STOPPED
    verdict = run.records.verdict(batch)
    assert verdict is not None
    assert verdict.passed
    assert "放行" in verdict.reason


@pytest.mark.parametrize("back", [timedelta(hours=1), timedelta(days=400)])
def test_a_clock_that_is_set_back_lets_no_red_batch_through(
    run: Runtime, clock: Clock, back: timedelta
) -> None:
    batch = run.records.batch(send(run, "a", "2026-05", bad=20))
    for passed in (False, True):
        said = admitted(run, batch, replace(FAILED, passed=passed), clock.now() - back)
        assert not said.passed


def test_an_open_gate_alone_makes_no_verdict_pass(
    run: Runtime, monkeypatch: pytest.MonkeyPatch
) -> None:
    batch = run.records.batch(send(run, "a", "2026-05", bad=20))
    for is_released in (False, True):
        monkeypatch.setattr(
            CardDesk, "gate", lambda *_, said=is_released: Gate(True, released=said)
        )
        assert admitted(run, batch, FAILED, NOW).passed is is_released


def test_a_waived_batch_that_a_later_one_has_overtaken_stays_stopped(
    run: Runtime, clock: Clock
) -> None:
    batch = send(run, "a", "2026-04", bad=20)
    later = send(run, "b", "2026-05", bad=3)
    decide(run, card_of(run, batch), clock)
    steps.check_and_load(run, THING)
    assert status(run, later) is BatchStatus.LOADED
    assert status(run, batch) is BatchStatus.STOPPED


def test_what_a_killed_run_has_decided_stands(run: Runtime, clock: Clock) -> None:
    """Checked under a waiver, killed before it was loaded, the waiver over: it is loaded still."""
    batch = send(run, "a", "2026-05", bad=20)
    decide(run, card_of(run, batch), clock)
    run.records.advance(batch, BatchStatus.LANDED, clock.now())
    found = run.records.verdict(batch)
    assert found is not None
    run.records.save_verdict(batch, replace(found, passed=True, met=False), clock.now())
    clock.time += timedelta(days=60)
    steps.check_and_load(run, THING)
    assert status(run, batch) is BatchStatus.LOADED


def test_a_job_shows_the_open_cards_on_the_dataset(settings: Settings, clock: Clock) -> None:
    with open_runtime(settings, clock, Quiet(), Promises.of(settings)) as run:
        send(run, "a", "2026-05", bad=20)
    definitions = build_definitions(settings, clock)
    with dg.DagsterInstance.ephemeral() as instance:
        result = definitions.resolve_job_def("cards").execute_in_process(instance=instance)
        checks = {e.asset_key: e for e in result.get_asset_check_evaluations()}
        assert result.success
        assert {e.check_name for e in checks.values()} == {"cards"}
        assert not checks[checked_key(THING)].passed
        assert checks[checked_key("housing.tenancy")].passed
        assert instance.get_latest_materialization_event(CARDS) is not None


def test_every_job_that_delivers_ends_with_the_cards(settings: Settings) -> None:
    definitions = build_definitions(settings)
    for job in ("deliver", "deliver__test__thing", "cards"):
        assert CARDS in definitions.resolve_job_def(job).asset_layer.executable_asset_keys
    schedule = definitions.resolve_schedule_def("daily__cards")
    assert (schedule.cron_schedule, schedule.execution_timezone) == ("30 0 * * *", "Asia/Shanghai")
