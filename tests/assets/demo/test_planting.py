from __future__ import annotations

from collections import Counter

import pytest

from assets.demo.errors import damaged, float_damage, seen_as
from assets.demo.recipes import DUPLICATES, RECIPES
from assets.demo.truth import TruthRow, read_truth
from hub.identifiers import ResidentId
from tests.assets.demo.conftest import Generated
from tests.assets.demo.reading import Row, contracts, rows_of
from tests.factories import id_number


@pytest.fixture(scope="module")
def truth(generated: Generated) -> tuple[TruthRow, ...]:
    return read_truth(generated.folder / "truth")


@pytest.fixture(scope="module")
def rows(generated: Generated) -> dict[str, list[Row]]:
    every = (generated.first, generated.second, generated.correction)
    return {d.path.name: rows_of(d) for summary in every for d in summary.deliveries}


def test_errors_come_at_their_rates(
    truth: tuple[TruthRow, ...], rows: dict[str, list[Row]], generated: Generated
) -> None:
    planted = Counter((row.file, row.kind, row.column) for row in truth)
    checked = 0
    for delivery in generated.first.deliveries:
        name = delivery.path.name
        for recipe in RECIPES[delivery.dataset]:
            if recipe.detectable_by != "cross-source":
                expected = recipe.rate * len(rows[name])
                assert abs(planted[name, recipe.kind, recipe.column] - expected) <= 1
                checked += 1
        exact, conflicting = DUPLICATES.get(delivery.dataset, (0.0, 0.0))
        key = contracts()[delivery.dataset].key[0]
        assert abs(planted[name, "duplicate_exact", key] - exact * len(rows[name])) <= 1
        assert (
            abs(planted[name, "duplicate_conflict", key] / 2 - conflicting * len(rows[name])) <= 1
        )
    assert checked > 40


def test_every_kind_of_conflict_is_planted(truth: tuple[TruthRow, ...]) -> None:
    kinds = {row.kind for row in truth if row.detectable_by == "cross-source"}

    assert kinds >= {
        "dead_but_active",
        "marital_conflict",
        "tenant_not_resident",
        "name_conflict",
    }
    crossing = [row for row in truth if row.detectable_by == "cross-source"]
    assert all(ResidentId.parse(row.subject) for row in crossing)
    assert all(row.rule == row.kind for row in crossing)


def test_a_file_has_at_most_one_error_per_row(truth: tuple[TruthRow, ...]) -> None:
    places = Counter((row.file, row.row_number) for row in truth)

    assert max(places.values()) == 1


def test_accuracy_of_first_deliveries_lies_where_a_good_department_is(
    truth: tuple[TruthRow, ...], rows: dict[str, list[Row]], generated: Generated
) -> None:
    wrong = Counter(row.file for row in truth if row.detectable_by == "check")
    for delivery in generated.first.deliveries:
        if delivery.rows > 1_000:
            accuracy = 1 - wrong[delivery.path.name] / len(rows[delivery.path.name])
            assert 0.992 < accuracy < 0.999, delivery.dataset


def test_row_numbers_point_at_the_wrong_cell(
    truth: tuple[TruthRow, ...], rows: dict[str, list[Row]]
) -> None:
    seen = Counter[str]()
    for row in truth:
        cell = rows[row.file][row.row_number - 1][row.column]
        seen[row.kind] += 1
        if row.kind == "wrong_check_digit":
            assert cell is not None
            assert len(cell) == 18
            assert ResidentId.parse(cell) is None
        elif row.kind == "float_damage":
            assert cell is not None
            assert cell.endswith(("000", "E+17"))
            if row.detectable_by == "check" and row.rule.endswith("float_damage"):
                assert ResidentId.parse(cell) is None
        elif row.kind == "missing_required":
            assert cell in (None, "无", "不详")
        elif row.kind == "future_date":
            assert str(cell)[:4] > "2030"
        elif row.kind in ("other_valid_id", "tenant_not_resident"):
            assert ResidentId.parse(str(cell)) is not None
    assert min(seen[k] for k in ("wrong_check_digit", "float_damage", "missing_required")) > 0


def test_conflicts_are_really_there(
    truth: tuple[TruthRow, ...], rows: dict[str, list[Row]]
) -> None:
    first = {
        r.kind: r for r in truth if r.period == "2026-06" and r.detectable_by == "cross-source"
    }
    residents = {row["resident_id"]: row for row in rows["population-resident-2026-06.csv"]}
    deaths = {row["deceased_id"] for row in rows["civil_affairs-death-2026-06.csv"]}

    dead = first["dead_but_active"].subject
    assert residents[dead]["person_status"] == "0"
    assert any(ResidentId.parse(str(d)) == ResidentId.parse(dead) for d in deaths)
    assert first["tenant_not_resident"].subject not in residents
    assert residents[first["marital_conflict"].subject]["marital_status"] == "10"


def test_repeated_rows_follow_their_originals(
    truth: tuple[TruthRow, ...], rows: dict[str, list[Row]]
) -> None:
    exact = [row for row in truth if row.kind == "duplicate_exact"]
    conflicting = [row for row in truth if row.kind == "duplicate_conflict"]

    assert exact
    for row in exact:
        lines = rows[row.file]
        assert lines[row.row_number - 1] == lines[row.row_number - 2]
    for first, second in zip(conflicting[::2], conflicting[1::2], strict=True):
        lines = rows[first.file]
        assert second.row_number == first.row_number + 1
        assert lines[first.row_number - 1] != lines[second.row_number - 1]
        assert (
            lines[first.row_number - 1][first.column] == lines[second.row_number - 1][first.column]
        )


def test_a_damaged_number_that_fits_by_chance_is_a_known_miss() -> None:
    recipe = float_damage("tenant_id", 1.0)
    valid = next(n for n in map(id_number, range(0, 1_000, 100)) if n.endswith("000"))

    assert damaged(valid[:15] + "123") == valid
    assert seen_as(recipe, valid, None).detectable_by == "none"
    assert seen_as(recipe, valid, "1").rule == "tenant_id_matches_sex"
    assert seen_as(recipe, valid, "2").detectable_by == "none"
    assert seen_as(recipe, valid[:-1] + "1", None) is recipe
