"""The public files held against the ledger: every byte of each follows from its entries.

Never a false alarm from a publisher at work: drafts are passed over, the checkpoint may be one
publication behind what the ledger remembers, files newer than the checkpoint only have to be
right, and partial files may be gone when a newer checkpoint has replaced the one they were for.
Whole files are never changed and never removed.
"""

from __future__ import annotations

import filecmp
from collections.abc import Iterator
from pathlib import Path

from hub.canonical import canonical_json
from hub.errors import LedgerError, NotFound, RequestError
from hub.ledger.checks.columns import body_of
from hub.ledger.checks.findings import Findings
from hub.ledger.checks.tree import stored_root
from hub.ledger.index.folder import IndexFolder
from hub.ledger.log import Ledger
from hub.ledger.note import Checkpoint, VerifierKey, open_checkpoint
from hub.ledger.public_files import (
    CHECKPOINT,
    KEYS,
    PublicFiles,
    files_between,
    files_of,
    opening_path,
)
from hub.ledger.store import Store, StoredPublication
from hub.ledger.tiles import HEIGHT, LEVELS, WIDTH, Tile
from hub.progress import Progress

SPAN_ENTRIES = 256 * WIDTH  # read at a time: those of one tile of the level above
_OPENINGS = "index/opening/"
_TRIES = 5  # for the edge, under a publisher that publishes meanwhile


def check_public(
    ledger: Ledger,
    store: Store,
    files: PublicFiles,
    findings: Findings,
    *,
    start: int = 0,
    progress: Progress = lambda _done, _all: None,
) -> int:
    """Name every public file that is not what the ledger's entries make; return the public size.

    Args:
        store: a connection of its own, not in a transaction.
        start: entries whose whole files were read before; a multiple of `SPAN_ENTRIES`.
        progress: called with (entries whose files were read, entries in all) now and then.
    """
    checkpoint = _settled_edge(ledger, store, files, findings)
    if checkpoint is None:
        return 0
    size = checkpoint.size
    whole = size - size % WIDTH
    for first in range(start, whole, SPAN_ENTRIES):
        stop = min(first + SPAN_ENTRIES, whole)
        with store.transaction(write=False):
            for path, data in files_between(store, first, stop):
                if ".p/" not in path:
                    _compare(files, path, data, findings)
        progress(stop, size)
    _Strays(ledger, store, files, size).check(findings)
    return size


def _settled_edge(
    ledger: Ledger, store: Store, files: PublicFiles, findings: Findings
) -> Checkpoint | None:
    """Check what changes with each publication; once more when one came in between."""
    for turn in range(1, _TRIES + 1):
        before, found = files.read(CHECKPOINT), Findings()
        with store.transaction(write=False):
            checkpoint = _Edge(ledger, store, files, found).check(before)
        if not found.total or turn == _TRIES or files.read(CHECKPOINT) == before:
            break
    for finding in found.kept:
        findings.add(finding.index, finding.field, finding.problem)
    return checkpoint


def check_index(ledger: Ledger, size: int, folders: tuple[Path, Path], findings: Findings) -> None:
    """Build the index that a public tree names anew and hold its root against the one recorded.

    Args:
        size: of the public tree; its last entry says the root over the others.
        folders: an empty one to build in, and that of the index which proofs are made from.
    """
    scratch, kept = folders
    built = IndexFolder(scratch)
    try:
        built.advance(size - 1, ledger.tags)
    except (LedgerError, ValueError) as exc:
        findings.add(None, "index", f"cannot be built from the entries' tags: {exc}")
        return
    check_index_root(ledger, size, built, findings)
    if not kept.is_dir():
        return
    for right in sorted(scratch.iterdir()):
        found = kept / right.name
        problem = "missing" if not found.exists() else "not what the entries' tags make"
        if not (found.exists() and filecmp.cmp(right, found, shallow=False)) and (
            found.exists() or _is_newest(ledger, size)
        ):
            findings.add(None, f"index file {right.name}", problem)


def check_index_root(ledger: Ledger, size: int, index: IndexFolder, findings: Findings) -> None:
    """Hold the root of an index against the one that a public tree's last entry says."""
    try:
        root = index.root(size - 1)
    except LedgerError as exc:
        if _is_newest(ledger, size):
            findings.add(None, "index", exc.message)
        return
    try:
        body = body_of(ledger.opening(size - 1).record) or {}
    except (NotFound, LedgerError):
        return  # missing or damaged, and named
    if body.get("index") != {"size": size - 1, "root": root.hex()}:
        findings.add(size - 1, "index", "its root is not the one that the entries' tags make")


def _is_newest(ledger: Ledger, size: int) -> bool:
    """Say whether a tree is the one last made public; what only older ones need is removed."""
    published = ledger.published()
    return published is not None and published.size == size


class _Edge:
    """The checkpoint, and the files that only it needs, in one read transaction."""

    def __init__(
        self, ledger: Ledger, store: Store, files: PublicFiles, findings: Findings
    ) -> None:
        self._ledger, self._store, self._files = ledger, store, files
        self._findings = findings

    def check(self, note: bytes | None) -> Checkpoint | None:
        """Name what is wrong; return what the public checkpoint says, None when it is no good."""
        row = self._store.published()
        if row is not None and not (isinstance(row.note, str) and isinstance(row.size, int)):
            self._findings.add(None, "published note", "not of the kind the ledger writes")
            return None
        if note is None:
            if row is not None and self._is_later(row.size):
                self._add(CHECKPOINT, f"missing, though {row.size} entries were made public")
            return None
        shown = self._opened(note)
        if shown is None:
            return None
        self._remembered(row, note, shown)
        if not shown.size:
            self._add(CHECKPOINT, "of no entries, which is never made public")
            return None
        if shown.size > self._ledger.size:
            problem = f"of {shown.size} entries, but the ledger has {self._ledger.size}"
            self._add(CHECKPOINT, f"{problem}: an old backup was restored")
            return None
        if stored_root(self._store, shown.size) != shown.root:
            self._add(CHECKPOINT, "of another tree than the ledger's entries make")
            return None
        self._partial(shown.size)
        self._opening(shown.size)
        self._keys()
        return shown

    def _add(self, path: str, problem: str) -> None:
        self._findings.add(None, f"public file {path}", problem)

    def _is_later(self, size: int) -> bool:
        """Say whether a publication came before that of a size: its opening is still there."""
        name = self._files.folder / opening_path(size - 1)
        openings = (self._files.folder / "index" / "opening").rglob("*")
        return any(path != name for path in openings if path.is_file() and not _is_draft(path))

    def _opened(self, note: bytes) -> Checkpoint | None:
        try:
            return open_checkpoint(note.decode(), self._ledger.keys, self._ledger.origin)
        except (RequestError, UnicodeDecodeError) as exc:
            reason = exc.message if isinstance(exc, RequestError) else "it is not UTF-8"
            self._add(CHECKPOINT, f"not one that this ledger signed: {reason}")
            return None

    def _remembered(self, row: StoredPublication | None, note: bytes, shown: Checkpoint) -> None:
        """Hold the checkpoint against the one that the ledger remembers to have made public."""
        if row is None:
            self._add(CHECKPOINT, "the ledger does not remember it: an old backup was restored")
        elif shown.size > row.size:
            problem = f"newer than that of {row.size} entries which the ledger remembers"
            self._add(CHECKPOINT, f"{problem}: an old backup was restored")
        elif shown.size == row.size and note != row.note.encode():
            self._add(CHECKPOINT, "not the one that the ledger remembers of this size")

    def _partial(self, size: int) -> None:
        """Check the partial files of the public tree, which its whole files leave out."""
        for tile in _partials(size):
            for path, data in files_of(self._store, tile):
                _compare(self._files, path, data, self._findings)

    def _opening(self, size: int) -> None:
        path = opening_path(size - 1)
        try:
            opening = self._ledger.opening(size - 1)
        except (NotFound, LedgerError) as exc:
            self._add(path, f"its entry cannot be opened: {exc.message}")
            return
        _compare(self._files, path, canonical_json(opening.body()), self._findings)

    def _keys(self) -> None:
        """Check the keys; right after a rotation they still are those of before it."""
        lines = [f"{key}\n".encode() for key in self._ledger.keys]
        further = [f"{VerifierKey.of(signer)}\n".encode() for signer in self._ledger.further]
        fitting = [b"".join(lines[n:] + further) for n in range(len(lines))]
        if (found := self._files.read(KEYS)) not in fitting:
            self._add(KEYS, "missing" if found is None else "not the keys of this ledger")


def _partials(size: int) -> Iterator[Tile]:
    """Yield the partial bundle and the partial tiles of a tree."""
    for level in (None, *range(LEVELS)):
        index, width = divmod(size >> (HEIGHT * (level or 0)), WIDTH)
        if width:
            yield Tile(level, index, width)


def _compare(files: PublicFiles, path: str, data: bytes, findings: Findings) -> None:
    """Name a file that is not, byte for byte, what it has to be."""
    found = files.read(path)
    if found == data:
        return
    problem = "missing" if found is None else _difference(found, data)
    findings.add(None, f"public file {path}", problem)


def _difference(found: bytes, right: bytes) -> str:
    """Say where a file begins to be another; empty where it does not."""
    if found == right:
        return ""
    same = min(len(found), len(right))
    at = next((n for n in range(same) if found[n] != right[n]), same)
    if at == same:
        return f"of {len(found)} bytes instead of {len(right)}"
    return f"changed, from byte {at} on"


class _Strays:
    """What lies among the files and is newer than the public tree, or older, or nobody's."""

    def __init__(self, ledger: Ledger, store: Store, files: PublicFiles, size: int) -> None:
        self._ledger, self._store, self._files = ledger, store, files
        self._size = size
        self._read = {tile.path for tile in _partials(size)}

    def check(self, findings: Findings) -> None:
        """Name what is none of the ledger's files, or not what its entries make by now."""
        for path in _tree_paths(self._files.folder):
            problem = self._problem(path)
            if problem and self._files.read(path) is not None:  # not removed meanwhile
                findings.add(None, f"public file {path}", problem)

    def _problem(self, path: str) -> str:
        is_opening = path.startswith(_OPENINGS)
        spelled = path.removeprefix(_OPENINGS).removeprefix("index/").removeprefix("tile/entries/")
        try:
            tile = Tile.parse(path if path.startswith("tile/") else f"tile/entries/{spelled}")
        except RequestError:
            return "no file of the ledger has such a name"
        if is_opening:
            return self._opening_problem(path, tile)
        scale = WIDTH ** (tile.level or 0)
        end = (tile.start + tile.width) * scale
        if tile.path in self._read or (end <= self._size and tile.width == WIDTH):
            return ""  # read already
        if end > self._ledger.size:
            return "of entries that the ledger does not have"
        with self._store.transaction(write=False):
            made = dict(files_of(self._store, tile))
        return _difference(self._files.read(path) or b"", made[path])

    def _opening_problem(self, path: str, tile: Tile) -> str:
        if tile.index == self._size - 1:
            return ""  # read already
        if tile.width != WIDTH or tile.index >= self._ledger.size:
            return "of an entry that the ledger does not have"
        made = canonical_json(self._ledger.opening(tile.index).body())
        return _difference(self._files.read(path) or b"", made)


def _tree_paths(folder: Path) -> Iterator[str]:
    for top in ("tile", "index"):
        for path in sorted((folder / top).rglob("*")):
            name = path.relative_to(folder).as_posix()
            if path.is_file() and not _is_draft(path):
                yield name


def _is_draft(path: Path) -> bool:
    return path.name.startswith(".") and path.name.endswith(".draft")
