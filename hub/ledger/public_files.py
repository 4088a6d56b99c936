"""The files that are public: checkpoint, tiles, entry bundles, the index's own, keys.

All but the checkpoint follow from the ledger, so that they can be written again at any time; the
checkpoint is replaced last, when everything that it speaks of is on the disk. Any web server or
mirror can serve the folder as it is. It holds hashes and keyed tags, and no record.

Source: C2SP tlog-tiles; `index/` is this project's own (docs/ledger.md).
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from pathlib import Path

from hub.errors import LedgerError
from hub.files import sync_folder
from hub.ledger.entry import entry_of
from hub.ledger.merkle import Node
from hub.ledger.store import Store
from hub.ledger.tiles import (
    HEIGHT,
    WIDTH,
    Tile,
    encode_bundle,
    encode_tile,
    new_bundles,
    new_tiles,
    spell,
)

CHECKPOINT = "checkpoint"
KEYS = "keys"

_SYNCED_SINGLY = 64  # more files than this are made durable by one sync of everything


def index_path(bundle: Tile) -> str:
    """Return the path of the tags and links of the entries of a bundle."""
    return f"index/{spell(bundle.index, bundle.width)}"


def opening_path(position: int) -> str:
    """Return the path of the opening of the entry that says the index root over `position`."""
    return f"index/opening/{spell(position)}"


class PublicFiles:
    """The folder of public files; one process at a time writes it.

    Raises:
        LedgerError: from every method that writes, when the disk does not take it.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def read(self, path: str) -> bytes | None:
        """Return a file, None when there is none.

        Raises:
            LedgerError: when it is there and cannot be read.
        """
        try:
            return (self.folder / path).read_bytes()
        except FileNotFoundError:
            return None
        except OSError as exc:
            raise LedgerError(f"the public file {path} cannot be read: {exc.strerror}") from exc

    def write(self, path: str, data: bytes) -> None:
        """Write or replace a file, whole or not at all, durable on return."""
        try:
            _make_durable([self._place(path, data)])
        except OSError as exc:
            raise LedgerError(f"the public file {path} cannot be written: {exc.strerror}") from exc

    def write_all(self, files: Iterable[tuple[str, bytes]], progress: Callable[[], None]) -> None:
        """Write files that follow from the ledger; durable together, on return."""
        written: list[Path] = []
        try:
            for path, data in files:
                written.append(self._place(path, data))
                progress()
            _make_durable(written)
        except OSError as exc:
            raise LedgerError(f"the public files cannot be written: {exc.strerror}") from exc

    def prune(self, sizes: Iterable[int]) -> None:
        """Remove partial files and openings that no tree of these sizes needs.

        A mirror or witness that still wants a removed partial file finds the full one, or asks
        for a newer checkpoint.
        """
        kept = set(sizes)
        for size in kept:
            for level, index in _edges(size):
                self._prune_partials(level, index, kept)
        openings = {self.folder / opening_path(size - 1) for size in kept if size}
        for path in set(self._files("index/opening")) - openings:
            path.unlink(missing_ok=True)

    def _prune_partials(self, level: int | None, index: int, kept: set[int]) -> None:
        held = {min((size >> (HEIGHT * (level or 0))) - index * WIDTH, WIDTH) for size in kept}
        partials = [Tile(level, index, 1).path]
        if level is None:
            partials.append(index_path(Tile(None, index, 1)))
        for partial in partials:
            folder = (self.folder / partial).parent
            for path in list(folder.iterdir()) if folder.is_dir() else ():
                if path.name not in map(str, held):
                    path.unlink(missing_ok=True)
            with suppress(OSError):  # not empty
                folder.rmdir()

    def _files(self, path: str) -> Iterator[Path]:
        return (found for found in (self.folder / path).rglob("*") if found.is_file())

    def _place(self, path: str, data: bytes) -> Path:
        target = self.folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        draft = target.with_name(f".{target.name}.draft")
        draft.write_bytes(data)
        if path == CHECKPOINT:  # what it speaks of is durable already: it never is half there
            _sync(draft)
        draft.replace(target)
        return target


def files_between(store: Store, old: int, new: int) -> Iterator[tuple[str, bytes]]:
    """Yield path and bytes of each tile and bundle that a log of one size has and a shorter had not.

    Raises:
        TamperDetected: when what the signed tree holds is not in the store.
    """
    for bundle in new_bundles(old, new):
        yield from files_of(store, bundle)
    for tile in new_tiles(old, new):
        yield from files_of(store, tile)


def files_of(store: Store, tile: Tile) -> Iterator[tuple[str, bytes]]:
    """Yield path and bytes of one tile, or of a bundle and of the index's file that goes with it.

    Raises:
        TamperDetected: when what the signed tree holds is not in the store.
    """
    if tile.level is None:
        rows = store.links(tile.start, tile.start + tile.width)
        yield index_path(tile), b"".join(tag + link for tag, link in rows)
        yield tile.path, encode_bundle([entry_of(tag, link) for tag, link in rows])
        return
    nodes = [Node(HEIGHT * tile.level, tile.start + number) for number in range(tile.width)]
    hashes = store.hashes(nodes)
    yield tile.path, encode_tile([hashes[node] for node in nodes])


def _make_durable(paths: list[Path]) -> None:
    if len(paths) > _SYNCED_SINGLY:
        os.sync()
        return
    for path in paths:
        _sync(path)
    for folder in {path.parent for path in paths}:
        sync_folder(folder)


def _sync(path: Path) -> None:
    with path.open("rb") as file:
        os.fsync(file.fileno())


def _edges(size: int) -> Iterator[tuple[int | None, int]]:
    """Yield level and index of the files at the right edge of a tree, and of those before them."""
    for level in (None, *range(HEIGHT)):
        index = (size >> (HEIGHT * (level or 0))) // WIDTH
        yield from ((level, one) for one in (index - 1, index) if one >= 0)
