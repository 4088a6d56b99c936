"""The index of one log, in a private folder: a file for each run, written by one, read by many.

All of it can be computed from the log's tags. A file is written whole and never changed, so that a
crash leaves either the file or none, building again finds what is there, and readers in other
processes are never in the way. Runs that no size in use needs are removed by `forget`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import lru_cache
from itertools import groupby
from pathlib import Path
from typing import TypeAlias

import numpy as np

from hub.errors import LedgerError, TamperDetected
from hub.files import sync_folder
from hub.ledger.index.file import RowFile, write_rows
from hub.ledger.index.rows import KEY_BYTES, ROW_BYTES, Rows, in_order, row_of, rows_of, twins
from hub.ledger.index.runs import Run, index_root, runs_of
from hub.ledger.index.tree import Absence, Place

Tags: TypeAlias = Callable[[int, int], Sequence[bytes]]  # tags of the entries [start, stop)

_OPEN_FILES = 128
_SORTED_AT_ONCE = 1 << 20  # rows, 42 MB; a larger run is merged a sixteenth at a time
_LOOKED_UP = 1 << 13  # new entries whose tags are looked up; of more, all are sorted together
_CHUNK_TAGS = 1 << 16
_REMEDY = "Remove it: it is built anew from the entries"


class IndexFolder:
    """The runs of one log.

    Args:
        folder: made with mode 0700 when missing.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._open = lru_cache(maxsize=_OPEN_FILES)(self._opened)

    def advance(self, size: int, tags: Tags) -> None:
        """Build what is missing of the index over the first `size` entries.

        Full runs are merged from those of the level below that are there, else made from tags.

        Args:
            tags: asked for the tags of ranges of entries that are not in a run yet.
        Raises:
            LedgerError: when a run to merge is damaged.
            TamperDetected: when two entries of a run carry the same tag.
            OSError: when a file cannot be written; what is there stays as it was.
        """
        there = {path.name for path in self._folder.iterdir()}
        for run in runs_of(size):
            self._build(run, tags, there)

    def root(self, size: int) -> bytes:
        """Return the root of the index over `size` entries.

        Raises:
            LedgerError: when a run is missing or damaged.
        """
        return index_root(size, [self._open(run).root for run in runs_of(size)])

    def roots(self, size: int) -> tuple[tuple[Run, bytes], ...]:
        """Return each run of the index over `size` entries with its root, in log order.

        Raises:
            LedgerError: when a run is missing or damaged.
        """
        return tuple((run, self._open(run).root) for run in runs_of(size))

    def presence(self, tag: bytes, position: int, size: int) -> Place:
        """Return the proof that the entry at a position carries a tag, in the run that covers it.

        Raises:
            LedgerError: when it does not, or a run is missing or damaged.
        """
        for run in runs_of(size):
            if run.start <= position < run.stop:
                place = self._open(run).presence(row_of(tag, position))
                if place is not None:
                    return place
        raise LedgerError(f"the index over {size} entries has no such tag at entry {position}")

    def absence(self, tag: bytes, size: int) -> tuple[Absence, ...]:
        """Return the proof, run by run, that none of the first `size` entries carries a tag.

        Raises:
            LedgerError: when one does, or a run is missing or damaged.
        """
        absences = []
        for run in runs_of(size):
            absence = self._open(run).absence(tag)
            if absence is None:
                raise LedgerError(
                    f"an entry from {run.start} to {run.stop - 1} carries a tag that must not be"
                )
            absences.append(absence)
        return tuple(absences)

    def require_distinct(self, size: int, since: int = 0) -> None:
        """Check that no two of the first `size` entries carry the same tag.

        Whoever writes two could show a person the one and keep the other from them, and prove that
        nothing is missing. For those who watch a log; its own store refuses a second one.

        Args:
            since: the entries before it were checked already, among themselves.
        Raises:
            TamperDetected: when two do.
            LedgerError: when a run is missing or damaged.
        """
        files = [(run, self._open(run)) for run in runs_of(size)]
        new = [_from(file.rows(), since) for run, file in files if run.stop > since]
        if sum(map(len, new)) > _LOOKED_UP:
            parts = -(-size // _SORTED_AT_ONCE)
            for rows in _merged([file.rows() for _, file in files], parts):
                _untwinned(rows)
            return
        for row in (row.tobytes() for rows in new for row in rows):
            same = [one for _, file in files for one in file.rows_of(row[:KEY_BYTES])]
            if len(same) > 1:
                raise _same_tag(same[0], same[1])

    def forget(self, kept: Iterable[int]) -> None:
        """Remove the runs that none of the sizes needs, and what crashes have left.

        For the one that writes, and only while it builds nothing. Readers that have a removed run
        open go on reading it.
        """
        needed = {_name(run) for size in kept for run in runs_of(size)}
        for path in self._folder.iterdir():
            if path.name not in needed:
                path.unlink()
        sync_folder(self._folder)

    def _opened(self, run: Run) -> RowFile:
        file = RowFile(self._path(run), run.start, ROW_BYTES, _REMEDY)
        if file.count != run.count:
            raise LedgerError(f"the file {_name(run)} of the ledger is another run's. {_REMEDY}")
        return file

    def _path(self, run: Run) -> Path:
        return self._folder / _name(run)

    def _build(self, run: Run, tags: Tags, there: set[str]) -> None:
        if _name(run) in there:
            return
        if run.count > _SORTED_AT_ONCE:
            for part in run.parts:
                self._build(part, tags, there)
            merged = _merged([self._open(part).rows() for part in run.parts], len(run.parts))
        else:
            gathered = np.concatenate(list(self._gathered(run, tags, there)))
            merged = iter((in_order(gathered),))
        write_rows(self._path(run), run.start, ROW_BYTES, map(_untwinned, merged))
        there.add(_name(run))

    def _gathered(self, run: Run, tags: Tags, there: set[str]) -> Iterator[Rows]:
        """Yield a run's rows: from the runs below that are there, the others from tags."""
        for known, group in groupby(_pieces(run, there), lambda piece: _name(piece) in there):
            pieces = list(group)
            if known:
                yield from (self._open(piece).rows() for piece in pieces)
                continue
            end = pieces[-1].stop
            for start in range(pieces[0].start, end, _CHUNK_TAGS):
                yield _tagged(start, min(start + _CHUNK_TAGS, end), tags)


def _name(run: Run) -> str:
    return f"{run.start}-{run.stop}"


def _pieces(run: Run, there: set[str]) -> Iterator[Run]:
    """Yield, in log order, the largest runs within a run that are there, and what is between."""
    if _name(run) in there or not run.parts:
        yield run
    else:
        for part in run.parts:
            yield from _pieces(part, there)


def _tagged(start: int, stop: int, tags: Tags) -> Rows:
    given = tags(start, stop)
    if len(given) != stop - start:
        raise LedgerError(f"of the entries from {start} to {stop - 1} not all have a tag")
    return rows_of(start, given)


def _from(rows: Rows, since: int) -> Rows:
    """Return the rows of entries from a position on."""
    positions = rows[:, KEY_BYTES:].view(">u8")[:, 0]
    return rows[positions >= since]


def _merged(runs: Sequence[Rows], parts: int) -> Iterator[Rows]:
    """Yield the rows of sorted runs in one order, a part of them at a time.

    Each time those whose keys begin alike, so that equal keys come together.
    """
    bounds = np.array([(n << 64) // parts for n in range(1, parts)], np.uint64)
    cuts = [
        [0, *np.searchsorted(rows[:, :8].view(">u8")[:, 0], bounds).tolist(), len(rows)]
        for rows in runs
    ]
    for n in range(parts):
        slices = [rows[cut[n] : cut[n + 1]] for rows, cut in zip(runs, cuts, strict=True)]
        yield in_order(np.concatenate(slices))


def _untwinned(rows: Rows) -> Rows:
    """Return sorted rows as they are, when no two have the same tag."""
    twin = twins(rows)
    if twin is not None:
        raise _same_tag(rows[twin].tobytes(), rows[twin + 1].tobytes())
    return rows


def _same_tag(one: bytes, other: bytes) -> TamperDetected:
    first, second = (int.from_bytes(row[KEY_BYTES:]) for row in (one, other))
    return TamperDetected(f"entries {first} and {second} carry the same tag")
