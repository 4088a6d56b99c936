"""Small cells cannot be seen, nor bounded by subtraction from any total of their table."""

from __future__ import annotations

from collections import defaultdict
from itertools import compress, product

from hypothesis import given
from hypothesis import strategies as st

from access.suppression import Cell, suppress

TABLES = st.integers(1, 3).flatmap(
    lambda n: st.dictionaries(
        st.tuples(*[st.integers(0, 3).map(str)] * n), st.integers(1, 30), max_size=40
    )
)


def test_a_table_without_small_cells_is_shown_whole() -> None:
    """Nothing is hidden for nothing."""
    assert suppress({("a",): 5, ("b",): 9}, 5) == frozenset()
    assert suppress({}, 5) == frozenset()


def test_a_single_small_cell_takes_the_next_smallest_with_it() -> None:
    """Else the total gives it back."""
    assert suppress({("a",): 2, ("b",): 9, ("c",): 7}, 5) == {("a",), ("c",)}


def test_two_small_cells_whose_sum_is_small_take_another() -> None:
    """The total would give back their sum."""
    assert suppress({("a",): 1, ("b",): 1, ("c",): 8, ("d",): 9}, 5) == {("a",), ("b",), ("c",)}


def test_both_directions_of_a_cross_table() -> None:
    """A cell is protected in its row and in its column, and so are its protectors."""
    counts: dict[Cell, int] = {(r, c): 10 for r in "abc" for c in "xyz"}
    counts["a", "x"] = 1
    hidden = suppress(counts, 5)
    assert len(hidden) == 4
    for r, c in hidden:
        assert sum(x == r for x, _ in hidden) >= 2
        assert sum(y == c for _, y in hidden) >= 2


def test_a_line_of_one_cell_is_hidden_alone() -> None:
    """There is nothing to hide it behind; the line's own total is as small."""
    assert suppress({("a", "x"): 2}, 5) == {("a", "x")}


def test_one_cell_in_each_line_is_protected_by_the_grand_total() -> None:
    """No line of a diagonal has two cells, yet the table's own total would give the small back."""
    counts: dict[Cell, int] = {("a", "x"): 2, ("b", "y"): 30, ("c", "z"): 9}
    assert suppress(counts, 5) == {("a", "x"), ("c", "z")}


def test_two_small_cells_that_make_up_the_threshold_are_still_bounded_by_it() -> None:
    """1 + 4 known to be 5, and neither is nothing: both are below five for certain."""
    assert suppress({("a",): 1, ("b",): 4, ("c",): 8}, 5) == {("a",), ("b",), ("c",)}


def test_a_place_is_protected_within_the_wider_place() -> None:
    """Communities of one street, which can be counted as well: the other street is no cover."""
    counts: dict[Cell, int] = {
        ("990106001001",): 3, ("990106001002",): 40,
        ("990106002001",): 4, ("990106002002",): 50,
    }  # fmt: skip
    assert suppress(counts, 5) == {("990106001001",), ("990106002001",)}
    assert suppress(counts, 5, ((9,),)) == set(counts)


def test_bounds_that_follow_from_several_totals_together() -> None:
    """y is 6 + 1, so b's y is at most 6; b is 12, so its x is at least 6; x hides 8: d has 2."""
    counts: dict[Cell, int] = {
        ("a", "x"): 9,
        ("b", "x"): 6, ("b", "y"): 6,
        ("c", "x"): 7,
        ("d", "x"): 2, ("d", "y"): 1,
    }  # fmt: skip
    assert suppress(counts, 5) == counts.keys() - {("a", "x")}


def test_a_small_total_does_not_hide_the_rest_of_the_table() -> None:
    """Column z has three records in all: its own total is as small, and hiding more helps nobody."""
    counts: dict[Cell, int] = {(row, column): 20 for row in "abc" for column in "wxy"}
    counts |= {("a", "z"): 1, ("b", "z"): 2}
    hidden = suppress(counts, 5)
    assert {("a", "z"), ("b", "z")} < hidden
    assert len(hidden) < len(counts) / 2


@given(TABLES, st.integers(2, 10))
def test_no_total_that_is_shown_bounds_a_hidden_cell(counts: dict[Cell, int], k: int) -> None:
    """Every table of fewer dimensions is asked for as well; what it shows is known exactly."""
    hidden = suppress(counts, k)
    assert all(cell in hidden for cell, count in counts.items() if count < k)
    for kept in product((True, False), repeat=len(next(iter(counts), ()))):
        if not counts or all(kept):
            continue
        totals: dict[Cell, list[Cell]] = defaultdict(list)
        for cell in counts:
            totals[tuple(compress(cell, kept))].append(cell)
        sums = {total: sum(counts[c] for c in cells) for total, cells in totals.items()}
        for total in sums.keys() - suppress(sums, k):
            gone = [cell for cell in totals[total] if cell in hidden]
            if gone and len(gone) < len(totals[total]):
                assert len(gone) >= 2
                assert sum(counts[cell] for cell in gone) - (len(gone) - 1) >= k
