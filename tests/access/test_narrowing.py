"""Cutting lines and columns out of a policy's text leaves everything else as it was."""

from __future__ import annotations

import pytest
import yaml

from access.narrowing import without_columns, without_lines

TEXT = """# head
one:
  title: 一
  needs:
    a.b:
      clear: [x, y,
              z]   # kept?
      masked: [n]
    # between
    c.d:
      clear:
        - p
        - q
      generalised: [r]
  withheld: [a.b.s]
two:
  needs: {a.b: {clear: [x, y]}}
"""


def needs(text: str, purpose: str) -> object:
    """Return the needs a text says."""
    return yaml.safe_load(text)[purpose]["needs"]


@pytest.mark.parametrize(
    ("gone", "left"),
    [
        (("a.b", "y"), {"a.b": {"clear": ["x", "z"], "masked": ["n"]}}),
        (("a.b", "n"), {"a.b": {"clear": ["x", "y", "z"], "masked": []}}),
        (("c.d", "p"), {"c.d": {"clear": ["q"], "generalised": ["r"]}}),
        (("c.d", "q"), {"c.d": {"clear": ["p"], "generalised": ["r"]}}),
    ],
)
def test_a_column_is_taken_out(gone: tuple[str, str], left: dict[str, object]) -> None:
    """Of that dataset of that purpose, and of no other."""
    text = without_columns(TEXT, [("one", *gone)])
    before = needs(TEXT, "one")
    assert isinstance(before, dict)
    assert needs(text, "one") == {**before, **left}
    assert needs(text, "two") == needs(TEXT, "two")
    comments = [li.partition("#")[2] for li in TEXT.splitlines() if "#" in li]
    assert [li.partition("#")[2] for li in text.splitlines() if "#" in li] == comments


def test_nothing_to_take_out_changes_nothing() -> None:
    """Not a character."""
    assert without_columns(TEXT, []) == TEXT
    assert without_columns(TEXT, [("one", "a.b", "none"), ("none", "a.b", "x")]) == TEXT
    assert without_lines("a\nb\nc", ()) == "a\nb\nc"


def test_a_list_in_braces() -> None:
    """As anybody may write it."""
    text = without_columns(TEXT, [("two", "a.b", "x"), ("two", "a.b", "y")])
    assert needs(text, "two") == {"a.b": {"clear": []}}
    assert needs(text, "one") == needs(TEXT, "one")


def test_long_lists_are_wrapped() -> None:
    """At a width a person can read."""
    names = [f"column_number_{n}" for n in range(30)]
    text = f"p:\n  needs:\n    d.e:\n      clear: [{', '.join(names)}]\n"
    cut = without_columns(text, [("p", "d.e", "column_number_3")])
    assert max(map(len, cut.splitlines())) <= 100
    assert needs(cut, "p") == {"d.e": {"clear": [n for n in names if n != "column_number_3"]}}


def test_lines_by_number() -> None:
    """From 1."""
    assert without_lines("a\nb\nc\n", {2}) == "a\nc\n"
