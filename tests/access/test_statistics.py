"""Counts: only clear columns, quoted, with parameters; small cells out."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from access.answers import StatsQuery
from access.decision import Decider
from access.guard import Guard
from access.model import Action, Actor, Decision, Request
from access.rounding import rounded
from access.statistics import (
    MOST_CELLS,
    Dimension,
    StatsPlan,
    plan_statistics,
    tabulate,
    threshold_of,
)
from hub.catalog import Catalog
from hub.config import load_settings
from hub.errors import RequestError
from hub.ledger.log import Ledger
from hub.store import lake
from tests.access.conftest import NOW
from tests.access.people import MemorySnapshot

CASE = "police.case"


@pytest.fixture
def decision(decider: Decider, actors: dict[str, Actor]) -> Callable[[str], Decision]:
    """Return the analyst's decision on a dataset."""

    def decide(name: str) -> Decision:
        request = Request(
            actors["analyst"], Action.AGGREGATE, (name,), "statistics.publish", at=NOW
        )
        return decider.decide(request)

    return decide


def test_a_plan_quotes_names_and_passes_values_as_parameters(
    catalog: Catalog, decision: Callable[[str], Decision]
) -> None:
    """Nothing of the query becomes text of the statement but names of the catalogue."""
    query = StatsQuery(
        CASE, ("community", "category", "month"), first_month="2025-01", last_month="2025-12",
        area="990106001",
    )  # fmt: skip
    plan = plan_statistics(catalog[CASE], query, decision(CASE))
    assert plan.sql == (
        'SELECT left("grid_code", 12) AS d0, "category" AS d1, '
        'strftime("filed_on", \'%Y-%m\') AS d2, count(*) AS n, bit_xor("_mark") AS mark '
        'FROM "police.case" WHERE strftime("filed_on", \'%Y-%m\') >= ? '
        'AND strftime("filed_on", \'%Y-%m\') <= ? AND starts_with("grid_code", ?) '
        f"GROUP BY ALL ORDER BY ALL LIMIT {MOST_CELLS + 1}"
    )
    assert plan.parameters == ("2025-01", "2025-12", "990106001")
    assert plan.listed


def test_a_sealed_date_is_counted_by_its_clear_month(
    catalog: Catalog, decision: Callable[[str], Decision]
) -> None:
    """The day of a death is sealed; its month is not."""
    name = "civil_affairs.death"
    plan = plan_statistics(catalog[name], StatsQuery(name, ("month",)), decision(name))
    assert 'SELECT "death_month" AS d0' in plan.sql


@pytest.mark.parametrize(
    ("dataset", "query"),
    [
        (CASE, {"by": ()}),
        (CASE, {"by": ("category", "category")}),
        (CASE, {"by": ("category", "status", "grid", "month")}),
        (CASE, {"by": ("victim_name",)}),
        (CASE, {"by": ("case_no",)}),
        (CASE, {"by": ("detail",)}),
        (CASE, {"by": ('category" FROM x --',)}),
        (CASE, {"by": ("category",), "first_month": "2025-13"}),
        (CASE, {"by": ("category",), "last_month": "2025"}),
        (CASE, {"by": ("category",), "area": "990106'; --"}),
        (CASE, {"by": ("category",), "area": "9901"}),
        ("population.resident", {"by": ("resident_id",)}),
        ("population.resident", {"by": ("birth_date",)}),
        ("population.resident", {"by": ("marital_status",)}),
        ("population.resident", {"by": ("household_id",)}),
        ("civil_affairs.marriage", {"by": ("grid",)}),
        ("enterprise.unit", {"by": ("legal_representative_name",)}),
    ],
)
def test_what_cannot_be_counted_is_refused(
    dataset: str,
    query: dict[str, object],
    guard: Guard,
    actors: dict[str, Actor],
    snapshot: MemorySnapshot,
) -> None:
    """Before anything is read."""
    with pytest.raises(RequestError) as caught:
        guard.statistics(actors["analyst"], StatsQuery(dataset, **query))  # type: ignore[arg-type]
    assert "--" not in str(caught.value)
    assert snapshot.queries == []


def test_labels_outside_public_lists_are_not_shown_for_small_cells() -> None:
    """The name of a unit counted once would be a person's trace."""
    plan = StatsPlan("", (), (Dimension("name", "", listed=False),))
    table = tabulate([_row("a", 1), _row("b", 9), _row("c", 15)], plan, 5)
    assert table.rows == (("c", 15),)
    assert table.suppressed == 2


def test_too_many_cells_are_refused() -> None:
    """Rather than cut off silently."""
    plan = StatsPlan("", (), (Dimension("x", "", listed=True),))
    with pytest.raises(RequestError):
        tabulate([_row(str(i), 9) for i in range(MOST_CELLS + 1)], plan, 5)


def test_a_range_of_months_is_the_sum_of_its_rounded_months(
    catalog: Catalog, decision: Callable[[str], Decision]
) -> None:
    """Else every pair of ranges around one month would round it anew."""
    plan = plan_statistics(
        catalog[CASE], StatsQuery(CASE, ("category",), first_month="2026-01"), decision(CASE)
    )
    assert plan.by_part
    assert "strftime(\"filed_on\", '%Y-%m') AS part" in plan.sql
    months = [("2026-01", 12, 7), ("2026-02", 3, 11), ("2026-03", 28, 5)]
    rows = [{**_row("theft", n, mark), "part": month} for month, n, mark in months]
    assert tabulate(rows, plan, 10).rows == (
        ("theft", sum(rounded(n, mark, 10) for _, n, mark in months)),
    )


def _row(label: str, n: int, mark: int = 0) -> dict[str, object]:
    return {"d0": label, "n": n, "mark": mark}


def test_the_threshold_is_never_below_five(decision: Callable[[str], Decision]) -> None:
    """Police matters want ten."""
    assert threshold_of(decision(CASE)) == 10
    assert threshold_of(decision("population.resident")) == 5


def test_statistics_through_the_guard(
    guard: Guard, actors: dict[str, Actor], snapshot: MemorySnapshot, ledger: Ledger
) -> None:
    """Counted, suppressed, recorded without a subject."""
    snapshot.rows = [_row("theft", 40), _row("arson", 1), _row("fraud", 15)]
    answer = guard.statistics(actors["analyst"], StatsQuery(CASE, ("category",)))
    assert answer.columns == ("category", "count")
    assert answer.rows == (("theft", 40), ("arson", None), ("fraud", None))
    assert answer.threshold == answer.rounded_to == 10
    assert answer.noise is None
    assert answer.suppressed == 2
    body = ledger.entry(answer.receipt.index).body
    assert body is not None
    assert body["event"] == "officer:statistics:disclosed"
    assert body["by"] == ["category"]
    assert body["suppressed"] == 2
    assert body["rounded_to"] == 10
    assert "subject" not in body


def test_refused_statistics_read_nothing_and_are_recorded(
    guard: Guard, actors: dict[str, Actor], snapshot: MemorySnapshot, ledger: Ledger
) -> None:
    """An administrator asks; an unknown dataset is asked for."""
    for actor, dataset in (("admin.system", CASE), ("analyst", "no.such")):
        answer = guard.statistics(actors[actor], StatsQuery(dataset, ("category",)))
        assert not answer.allowed
        assert answer.rows == ()
        body = ledger.entry(answer.receipt.index).body
        assert body is not None
        assert body["event"] == "officer:statistics:refused"
        assert body["decision"] == "refused"
        assert "no.such" not in str(body)
    assert snapshot.queries == []


def test_a_plan_runs_on_the_real_engine(
    tmp_path: Path, catalog: Catalog, decision: Callable[[str], Decision]
) -> None:
    """Typed columns as publishing writes them: dates, codes, nulls."""
    con = lake.open_workspace(load_settings(home=tmp_path))
    con.execute(
        "CREATE TABLE \"police.case\" AS SELECT DATE '2025-01-31' + CAST(i % 60 AS INTEGER) AS "
        "filed_on, CASE WHEN i % 10 = 0 THEN NULL ELSE 'theft' END AS category, "
        "'9901060010' || (10 + i % 2) || '01' AS grid_code, hash(i) AS _mark FROM range(100) t(i)"
    )
    query = StatsQuery(CASE, ("community", "month"), area="990106001", first_month="2025-02")
    plan = plan_statistics(catalog[CASE], query, decision(CASE))
    rows = lake.analytic_rows(con, plan.sql, plan.parameters)
    assert sum(row["n"] for row in rows) == 98
    assert {row["d1"] for row in rows} == {"2025-02", "2025-03"}
    assert {row["d0"] for row in rows} == {"990106001010", "990106001011"}
    con.close()
