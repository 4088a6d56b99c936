"""Whether one signed tree is the beginning of another, told by the log's own tiles.

A fork is only called one when it is proven: the tiles lead to the larger tree's signed root, and
the root over its first entries is not the one that the log signed for so many.

Source: RFC 9162 §2.1.4 (consistency); C2SP tlog-tiles.
"""

from __future__ import annotations

from collections.abc import Callable

from hub.ledger.merkle import verify_consistency
from hub.ledger.tiles import TileReader
from hub.witness.alarms import Kind, Wrong
from hub.witness.files import LogFiles
from hub.witness.state import Head


def compare(files: LogFiles, first: Head, second: Head, pause: Callable[[], None]) -> None:
    """Check that of two trees the smaller is the beginning of the larger.

    Args:
        pause: before a second look at tiles that seem false.

    Raises:
        Wrong: when it is not, or the tiles stay false.
        SourceError: when a tile cannot be read.
    """
    small, big = sorted((first, second), key=lambda tree: tree.size)
    if small.size == 0:
        return
    if small.size == big.size:
        if small.root != big.root:
            what = f"the log signed two trees of {big.size} entries"
            raise Wrong(Kind.FORK, what, first.note, second.note)
        return
    root = _proven_root(files, small.size, big)
    if root is None:
        pause()
        root = _proven_root(files, small.size, big)
    if root is None:
        what = f"the tiles of the tree of {big.size} entries do not lead to its signed root"
        raise Wrong(Kind.WRONG_TILE, what, big.note)
    if root != small.root:
        what = f"the tree of {big.size} entries does not begin with that of {small.size}"
        raise Wrong(Kind.FORK, what, small.note, big.note)


def _proven_root(files: LogFiles, size: int, tree: Head) -> bytes | None:
    """Return the root over the first leaves of a signed tree, None when its tiles are false."""
    tiles = TileReader(files.tile, tree.size)
    root = tiles.root(size)
    proof = tiles.consistency(size)
    return root if verify_consistency(size, tree.size, proof, root, tree.root) else None
