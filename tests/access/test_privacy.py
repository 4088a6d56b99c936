"""Noise: every cell of the public lists, paid before it is drawn, refused with a reason."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from access.answers import NoiseSpent, StatsQuery
from access.decision import Decider
from access.files import POLICY_FOLDER
from access.guard import Guard
from access.model import Actor
from access.policy import Policy, load_policy
from access.ports import GuardKeys
from access.privacy import Draw, Noise, load_draw
from access.purposes import load_purposes
from hub.catalog import Catalog
from hub.clock import FixedClock
from hub.errors import PolicyError, RequestError, SourceError
from hub.ledger.log import Ledger
from hub.store.budgets import Budgets
from hub.store.records import Records
from hub.store.usage import Usage
from tests.access.keeping import keeper_of
from tests.access.people import MemorySnapshot
from tests.access.registers import MemoryRegisters
from tests.factories import settings_in

CASE = "police.case"
CODES = {
    "case_category": ("theft", "fraud", "arson"),
    "incident_category": ("010000",),
    "division": ("990106001", "990106002", "990106001001", "990106001002", "990106002001"),
}
QUERY = StatsQuery(CASE, ("category",), protection="noise")


class Drawer:
    """Draws no noise, but remembers what it was asked."""

    def __init__(self) -> None:
        self.asked: list[tuple[tuple[int, ...], int]] = []

    def __call__(self, counts: Sequence[int], epsilon: int) -> list[int]:
        self.asked.append((tuple(counts), epsilon))
        return [count - 1 for count in counts]


@pytest.fixture
def budgets(tmp_path: Path) -> Iterator[Budgets]:
    """Budgets of a new home."""
    with Records.open(settings_in(tmp_path / "home")) as records:
        yield Budgets(records)


@pytest.fixture
def guard_with(
    policy: Policy,
    catalog: Catalog,
    snapshot: MemorySnapshot,
    ledger: Ledger,
    keys: GuardKeys,
    clock: FixedClock,
    budgets: Budgets,
    registers: MemoryRegisters,
    usage: Usage,
) -> Callable[..., Guard]:
    """Make a guard that draws with a drawer."""

    def make(draw: Draw | None, used: Policy = policy) -> Guard:
        noise = Noise(budgets, CODES, draw)
        return Guard(
            keeper_of(Decider(used, catalog)),
            catalog,
            snapshot,
            ledger,
            keys,
            clock,
            usage,
            registers,
            noise=noise,
        )

    snapshot.rows = [
        {"d0": "theft", "n": 40, "mark": 1},
        {"d0": "fraud", "n": 2, "mark": 2},
        {"d0": None, "n": 3, "mark": 3},
        {"d0": "unheard of", "n": 1, "mark": 4},
    ]
    return make


def test_every_cell_of_the_list_is_there_and_paid_for(
    guard_with: Callable[..., Guard], actors: dict[str, Actor], ledger: Ledger
) -> None:
    """Nobody's too: a label in the answer says nothing. What is on no list is one cell."""
    drawer = Drawer()
    guard = guard_with(drawer)
    answer = guard.statistics(actors["analyst"], QUERY)
    assert answer.rows == (("theft", 39), ("fraud", 1), ("arson", -1), (None, 3))
    assert drawer.asked == [((40, 2, 0, 4), 500)]
    assert (answer.suppressed, answer.threshold, answer.rounded_to) == (0, 0, 1)
    assert answer.noise == NoiseSpent(epsilon=500, spent=500, budget=5_000, period="2026-03")
    body = ledger.entry(answer.receipt.index).body
    assert body is not None
    assert (body["epsilon_thousandths"], body["period"]) == (500, "2026-03")


def test_the_budget_is_shown_and_runs_out(
    guard_with: Callable[..., Guard],
    actors: dict[str, Actor],
    snapshot: MemorySnapshot,
    ledger: Ledger,
) -> None:
    """Ten queries of 0.5 in a month; the eleventh reads nothing. Rounded counts go on."""
    drawer = Drawer()
    guard = guard_with(drawer)
    answers = [guard.statistics(actors["analyst"], QUERY) for _ in range(11)]
    assert [a.noise.spent for a in answers if a.noise] == list(range(500, 5_001, 500))
    refused = answers[-1]
    assert not refused.allowed
    assert "2026-03" in refused.reason
    assert refused.remedy
    assert refused.rows == ()
    assert len(drawer.asked) == len(snapshot.queries) == 10
    body = ledger.entry(refused.receipt.index).body
    assert body is not None
    assert (body["event"], body["decision"]) == ("officer:statistics:refused", "refused")
    assert guard.statistics(actors["analyst"], replace(QUERY, protection="rounding")).allowed
    assert guard.statistics(actors["analyst"], replace(QUERY, dataset="police.incident")).allowed


def test_without_the_library_noise_is_refused(
    guard_with: Callable[..., Guard],
    actors: dict[str, Actor],
    budgets: Budgets,
    snapshot: MemorySnapshot,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Never unprotected counts, and nothing is charged."""
    monkeypatch.setitem(sys.modules, "opendp", None)
    monkeypatch.delitem(sys.modules, "opendp.prelude", raising=False)
    answer = guard_with(load_draw()).statistics(actors["analyst"], QUERY)
    assert not answer.allowed
    assert "library" in answer.reason
    assert (answer.rows, snapshot.queries, budgets.spent()) == ((), [], ())


def test_a_purpose_without_a_budget_has_no_noise(
    guard_with: Callable[..., Guard],
    actors: dict[str, Actor],
    catalog: Catalog,
    budgets: Budgets,
    tmp_path: Path,
) -> None:
    text = (POLICY_FOLDER / "purposes.yaml").read_text()
    whole = text.replace("  noise: {epsilon: 0.5, budget: 5, period: month}\n", "")
    assert whole != text
    (tmp_path / "purposes.yaml").write_text(whole)
    guard = guard_with(Drawer(), load_policy(catalog, tmp_path))
    answer = guard.statistics(actors["analyst"], QUERY)
    assert not answer.allowed
    assert "no budget" in answer.reason
    assert budgets.spent() == ()


@pytest.mark.parametrize(
    "terms",
    [
        "{epsilon: 0.5, budget: 5}",
        "{epsilon: 0.5, budget: 5, period: week}",
        "{epsilon: 0, budget: 5, period: month}",
        "{epsilon: 0.0005, budget: 5, period: month}",
        "{epsilon: true, budget: 5, period: month}",
        "{epsilon: '1', budget: 5, period: month}",
        "{epsilon: 6, budget: 5, period: month}",
        "{epsilon: .inf, budget: 5, period: month}",
        "{epsilon: .nan, budget: 5, period: month}",
        "0.5",
    ],
)
def test_terms_that_make_no_sense_are_no_purpose(tmp_path: Path, terms: str) -> None:
    text = (POLICY_FOLDER / "purposes.yaml").read_text()
    (tmp_path / "purposes.yaml").write_text(
        text.replace("noise: {epsilon: 0.5, budget: 5, period: month}", f"noise: {terms}")
    )
    with pytest.raises(PolicyError) as caught:
        load_purposes(tmp_path)
    assert "statistics.publish" in caught.value.findings[0]


def test_who_stops_after_the_charge_has_paid(
    guard_with: Callable[..., Guard],
    actors: dict[str, Actor],
    budgets: Budgets,
    snapshot: MemorySnapshot,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Counts that cannot be read: the other order would give noise away for nothing."""

    def broken(sql: str, params: object = ()) -> list[dict[str, object]]:
        raise SourceError("gone")

    monkeypatch.setattr(snapshot, "analytic", broken)
    with pytest.raises(SourceError):
        guard_with(Drawer()).statistics(actors["analyst"], QUERY)
    assert budgets.spent()[0].epsilon == 500


@pytest.mark.parametrize(
    ("query", "message"),
    [
        (replace(QUERY, by=("month",)), "name both"),
        (replace(QUERY, by=("month",), first_month="2026-01"), "name both"),
        (replace(QUERY, by=("month",), first_month="0001-01", last_month="9999-12"), "months"),
        (replace(QUERY, by=("filed_on",)), "public list"),
        (
            replace(QUERY, by=("category", "street", "month"), first_month="0500-01",
                    last_month="1500-01"),
            "more than 20,000 cells",
        ),
    ],
)  # fmt: skip
def test_labels_that_depend_on_the_data_are_refused(
    guard_with: Callable[..., Guard],
    actors: dict[str, Actor],
    budgets: Budgets,
    query: StatsQuery,
    message: str,
) -> None:
    """Before anything is charged."""
    with pytest.raises(RequestError, match=message):
        guard_with(Drawer()).statistics(actors["analyst"], query)
    assert budgets.spent() == ()


def test_places_and_months_are_all_that_the_question_names(
    guard_with: Callable[..., Guard], actors: dict[str, Actor], snapshot: MemorySnapshot
) -> None:
    """Every community of the street asked for, in every month of the range, no other."""
    snapshot.rows = [{"d0": "990106001002", "d1": "2026-01", "n": 6, "mark": 1}]
    query = replace(
        QUERY, by=("community", "month"), area="990106001",
        first_month="2025-12", last_month="2026-01",
    )  # fmt: skip
    answer = guard_with(Drawer()).statistics(actors["analyst"], query)
    assert answer.rows == (
        ("990106001001", "2025-12", -1),
        ("990106001001", "2026-01", -1),
        ("990106001002", "2025-12", -1),
        ("990106001002", "2026-01", 5),
        (None, "2025-12", -1),
        (None, "2026-01", -1),
    )


def test_the_noise_is_of_the_size_that_is_charged() -> None:
    """Discrete Laplace of scale 2: mean absolute deviation 1 / sinh(1 / 2), on average nothing."""
    pytest.importorskip("opendp", reason='the extra "privacy" is not installed')
    draw = load_draw()
    assert draw is not None
    noised = draw([100] * 20_000, 500)
    errors = [count - 100 for count in noised]
    assert abs(sum(errors) / len(errors)) < 0.12
    assert abs(sum(map(abs, errors)) / len(errors) - 1.919) < 0.12
    assert draw([0] * 50, 500) != draw([0] * 50, 500)
