"""Small cells cannot be seen, nor found by subtraction from a line's total."""

from __future__ import annotations

from collections import defaultdict

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


@given(TABLES, st.integers(2, 10))
def test_no_line_gives_a_small_cell_back(counts: dict[Cell, int], k: int) -> None:
    """In every line along every dimension: none hidden, all hidden, or two that reach k."""
    hidden = suppress(counts, k)
    assert all(cell in hidden for cell, count in counts.items() if count < k)
    for axis in range(len(next(iter(counts), ()))):
        lines: dict[Cell, list[Cell]] = defaultdict(list)
        for cell in counts:
            lines[cell[:axis] + cell[axis + 1 :]].append(cell)
        for line in lines.values():
            gone = [cell for cell in line if cell in hidden]
            if gone and len(gone) < len(line):
                assert len(gone) >= 2
                assert sum(counts[cell] for cell in gone) >= k
