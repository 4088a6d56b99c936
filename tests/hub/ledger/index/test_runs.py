"""How an index is cut into runs, and its root, against the definition taken literally."""

from __future__ import annotations

from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.ledger.index.runs import TAIL, Run, index_root, runs_of
from tests.hub.ledger.index.naive import cut


@given(st.one_of(st.integers(0, 20_000), st.integers(0, 10**9)))
def test_every_size_is_cut_greedily(size: int) -> None:
    found = [(run.level, run.number, run.start, run.stop) for run in runs_of(size)]
    assert found == cut(size)


@given(st.integers(0, (1 << 63) - 1))
def test_the_runs_cover_every_entry_once_in_order(size: int) -> None:
    runs = runs_of(size)
    ends = [0, *(run.stop for run in runs)]
    assert [run.start for run in runs] == ends[:-1]
    assert ends[-1] == size
    assert all(0 <= run.level <= 13 for run in runs if run.level != TAIL)


def test_a_full_run_is_made_of_sixteen() -> None:
    run = Run.full(2, 3)
    assert [part.level for part in run.parts] == [1] * 16
    assert run.parts[0].start == run.start
    assert run.parts[-1].stop == run.stop
    assert Run.full(0, 7).parts == ()
    assert runs_of(3)[0].parts == ()


def test_the_root_names_size_and_runs() -> None:
    roots = [b"a" * 32, b"b" * 32]
    text = (
        b"mingjing/index/v1\n" + bytes(6) + b"\x01\x02"
        b"\x00" + bytes(8) + b"a" * 32 + b"\xff" + bytes(6) + b"\x01\x00" + b"b" * 32
    )
    assert index_root(258, roots) == sha256(text).digest()
    assert index_root(0, []) == sha256(b"mingjing/index/v1\n" + bytes(8)).digest()


@pytest.mark.parametrize("roots", [[], [bytes(32)], [bytes(32)] * 3])
def test_a_root_wants_one_hash_for_each_run(roots: list[bytes]) -> None:
    with pytest.raises(ValueError, match="zip"):
        index_root(258, roots)
