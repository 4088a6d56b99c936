"""Privacy budgets: charged once, never above what there is, also by several processes."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from hub.store.budgets import Budgets, Charge, Spent
from hub.store.records import Records
from tests.factories import NOW, settings_in

CHARGE = Charge("analyst", "police.case", "2026-03", 500, NOW)
_SPENDER = """
import sys
from datetime import UTC, datetime
from pathlib import Path
from hub.store.budgets import Budgets, Charge
from hub.store.records import Records
from tests.factories import settings_in
with Records.open(settings_in(Path(sys.argv[1]))) as records:
    charge = Charge("analyst", "police.case", "2026-03", 300, datetime(2026, 3, 7, tzinfo=UTC))
    found = [Budgets(records).charge(charge, 5_000) for _ in range(20)]
print(sum(spent is not None for spent in found))
"""


@pytest.fixture
def budgets(tmp_path: Path) -> Iterator[Budgets]:
    """Budgets of a new home."""
    with Records.open(settings_in(tmp_path)) as records:
        yield Budgets(records)


def test_a_budget_pays_until_it_has_run_out(budgets: Budgets) -> None:
    """What it does not pay for whole is not charged at all."""
    assert [budgets.charge(CHARGE, 1_200) for _ in range(4)] == [500, 1_000, None, None]
    assert budgets.charge(replace(CHARGE, epsilon=200), 1_200) == 1_200
    assert budgets.spent() == (Spent("analyst", "police.case", "2026-03", 1_200, 3),)


@pytest.mark.parametrize(
    "other",
    [
        replace(CHARGE, actor="another"),
        replace(CHARGE, dataset="police.incident"),
        replace(CHARGE, period="2026-04"),
    ],
)
def test_every_account_dataset_and_period_has_its_own(budgets: Budgets, other: Charge) -> None:
    assert budgets.charge(CHARGE, 500) == 500
    assert budgets.charge(other, 500) == 500
    assert budgets.charge(CHARGE, 500) is None
    assert len(budgets.spent()) == 2


def test_two_processes_never_spend_more_than_there_is(tmp_path: Path) -> None:
    """Forty charges of 0.3 on 5: sixteen are paid, whoever asks."""
    Records.open(settings_in(tmp_path)).close()
    command = [sys.executable, "-c", _SPENDER, str(tmp_path)]
    root = Path(__file__).parents[3]
    spenders = [
        subprocess.Popen(command, cwd=root, stdout=subprocess.PIPE, text=True) for _ in range(2)
    ]
    paid = [int(spender.communicate(timeout=60)[0]) for spender in spenders]
    assert sum(paid) == 16
    with Records.open(settings_in(tmp_path)) as records:
        assert Budgets(records).spent() == (Spent("analyst", "police.case", "2026-03", 4_800, 16),)
