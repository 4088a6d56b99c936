"""Sorted rows, their tree, and what it proves of a key; then every part of a proof made wrong."""

from __future__ import annotations

from dataclasses import replace
from hashlib import sha256

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.errors import TamperDetected
from hub.ledger.index.rows import Rows, in_order, row_of, rows_of, twins
from hub.ledger.index.tree import Absence, Place, RowTree, body_of, body_size
from hub.ledger.merkle import EMPTY_ROOT
from tests.hub.ledger.index.naive import absent, rows, tag, tags_of
from tests.hub.ledger.test_merkle import mth, path

LARGEST = 600
TAGS = tags_of(0, LARGEST)


def tree_of(count: int, start: int = 0) -> RowTree:
    ordered = in_order(rows_of(start, TAGS[:count]))
    return RowTree(body_of(ordered), count, 40)


def as_rows(lines: list[bytes], width: int) -> Rows:
    return np.frombuffer(b"".join(lines), np.uint8).reshape(-1, width)


def test_every_size_has_the_root_of_the_definition() -> None:
    for count in range(LARGEST + 1):
        ordered = in_order(rows_of(7, TAGS[:count]))
        naive = rows(7, TAGS[:count])
        assert [row.tobytes() for row in ordered] == naive
        body = body_of(ordered)
        assert len(body) == body_size(count, 40)
        tree = RowTree(body, count, 40)
        assert tree.root == mth(naive)


@given(st.integers(1, LARGEST), st.data())
def test_a_row_is_proven_at_its_place(count: int, data: st.DataObject) -> None:
    number = data.draw(st.integers(0, count - 1))
    tree, naive = tree_of(count), rows(0, TAGS[:count])
    place = tree.presence(row_of(tag(number), number))
    assert place is not None
    assert place.index == naive.index(place.row)
    assert list(place.path) == path(place.index, naive)
    assert place.stands(tree.root, count)
    assert tree.absence(tag(number)) is None
    assert tree.presence(row_of(tag(number), number + 1)) is None


@given(
    st.integers(0, LARGEST),
    st.one_of(st.binary(min_size=32, max_size=32), st.just(bytes(32)), st.just(b"\xff" * 32)),
)
def test_a_key_that_no_row_has_is_proven_absent(count: int, key: bytes) -> None:
    tree, naive = tree_of(count), rows(0, TAGS[:count])
    absence = tree.absence(key)
    assert absence is not None
    assert absence.holds(key, tree.root, count)
    below = [row for row in naive if row[:32] < key]
    before, after = absence.before, absence.after
    assert (before.row if before else None) == (below[-1] if below else None)
    assert (after.row if after else None) == (naive[len(below)] if len(below) < count else None)


@given(st.lists(st.binary(min_size=0, max_size=3), min_size=1, max_size=80), st.binary(max_size=3))
def test_keys_that_are_all_alike_are_found_too(ends: list[bytes], end: bytes) -> None:
    keys = [e.rjust(32, b"k") for e in ends]
    naive = sorted(row_of(key, n) for n, key in enumerate(keys))
    ordered = in_order(as_rows([row_of(key, n) for n, key in enumerate(keys)], 40))
    assert [row.tobytes() for row in ordered] == naive
    tree = RowTree(body_of(ordered), len(naive), 40)
    for index, row in enumerate(naive):
        place = tree.presence(row)
        assert place is not None
        assert place.index == index
    wanted = end.rjust(32, b"k")
    assert (tree.absence(wanted) is None) == (wanted in keys)


def test_rows_may_be_keys_alone() -> None:
    keys = sorted(TAGS[:100])
    tree = RowTree(body_of(as_rows(keys, 32)), 100, 32)
    place = tree.presence(keys[40])
    assert place is not None
    assert (place.index, place.key) == (40, keys[40])
    assert place.stands(mth(keys), 100)


def test_no_rows_prove_every_absence() -> None:
    tree = tree_of(0)
    assert tree.root == EMPTY_ROOT
    assert tree.absence(tag(1)) == Absence(None, None)
    assert Absence(None, None).holds(tag(1), EMPTY_ROOT, 0)
    assert not Absence(None, None).holds(tag(1), EMPTY_ROOT, 1)


COUNT = 37
TREE = tree_of(COUNT)


def flipped(data: bytes, at: int = 0) -> bytes:
    return data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :]


@pytest.mark.parametrize("number", range(COUNT))
def test_a_place_made_wrong_does_not_stand(number: int) -> None:
    place = TREE.presence(row_of(tag(number), number))
    assert place is not None
    wrong = [
        *(replace(place, row=flipped(place.row, at)) for at in range(40)),
        replace(place, row=place.row[:-1]),
        replace(place, row=place.row + b"\x00"),
        *(replace(place, index=index) for index in range(-1, COUNT + 2) if index != place.index),
        replace(place, index=1 << 200),
        replace(place, path=place.path[:-1]),
        replace(place, path=(*place.path, bytes(32))),
        replace(place, path=()),
        *(
            replace(place, path=(*place.path[:n], flipped(h), *place.path[n + 1 :]))
            for n, h in enumerate(place.path)
        ),
    ]
    assert not [w for w in wrong if w.stands(TREE.root, COUNT)]
    assert not place.stands(flipped(TREE.root), COUNT)
    assert not place.stands(TREE.root, COUNT + 100)


@pytest.mark.parametrize("number", range(60))
def test_an_absence_made_wrong_does_not_hold(number: int) -> None:
    key = absent(number)
    absence = TREE.absence(key)
    assert absence is not None
    before, after = absence.before, absence.after
    far = TREE.place((before.index - 1 if before else 5) % COUNT)
    wrong = [
        Absence(after, before),
        Absence(None, after) if before else Absence(TREE.place(0), after),
        Absence(before, None) if after else Absence(before, TREE.place(COUNT - 1)),
        Absence(None, None),
        Absence(far, after),
        Absence(before, far),
        *(Absence(changed, after) for changed in _changed(before)),
        *(Absence(before, changed) for changed in _changed(after)),
    ]
    assert not [w for w in wrong if w.holds(key, TREE.root, COUNT)]
    assert not absence.holds(key, flipped(TREE.root), COUNT)
    for neighbour in (before, after):
        if neighbour is not None:
            assert not absence.holds(neighbour.key, TREE.root, COUNT)


def _changed(place: Place | None) -> list[Place]:
    if place is None:
        return []
    return [
        replace(place, row=flipped(place.row, 39)),
        replace(place, index=place.index + 1),
        replace(place, path=place.path[1:]),
        replace(place, path=(flipped(place.path[0]), *place.path[1:])),
    ]


def test_two_rows_of_one_key_are_twins() -> None:
    keys = [tag(1), tag(2), tag(3), tag(2)]
    ordered = in_order(rows_of(0, keys))
    place = twins(ordered)
    assert place is not None
    pair = [ordered[place].tobytes(), ordered[place + 1].tobytes()]
    assert pair == [row_of(tag(2), 1), row_of(tag(2), 3)]
    assert twins(in_order(rows_of(0, keys[:3]))) is None
    assert twins(rows_of(0, [])) is None


@pytest.mark.parametrize("wrong", [b"", bytes(31), bytes(33)])
def test_a_tag_of_another_length_is_refused(wrong: bytes) -> None:
    with pytest.raises(TamperDetected, match="32 bytes"):
        rows_of(0, [sha256(b"").digest(), wrong])
