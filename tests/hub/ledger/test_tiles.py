"""Tiles: the document's examples, and proofs from tiles against those from the tree itself."""

from __future__ import annotations

from hashlib import sha256

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hub.errors import RequestError
from hub.ledger.merkle import (
    Node,
    consistency_path,
    cover,
    fold,
    inclusion_path,
    leaf_hash,
    node_hash,
    verify_consistency,
    verify_inclusion,
)
from hub.ledger.tiles import (
    Tile,
    TileReader,
    decode_tile,
    encode_bundle,
    encode_tile,
    new_bundles,
    new_tiles,
    spell,
    tile_at,
)

LARGE = 66_100


class Tree:
    """All perfect subtrees of a tree, level by level: the slow and simple way."""

    def __init__(self, size: int) -> None:
        leaves = [leaf_hash(n.to_bytes(4)) for n in range(size)]
        self.levels = [leaves]
        while len(self.levels[-1]) > 1:
            below = self.levels[-1]
            self.levels.append([node_hash(*below[n : n + 2]) for n in range(0, len(below) - 1, 2)])
        self.size = size

    def node(self, node: Node) -> bytes:
        return self.levels[node.level][node.position]

    def folded(self, nodes: tuple[Node, ...]) -> bytes:
        return fold([self.node(node) for node in nodes])

    def tile(self, tile: Tile) -> bytes:
        assert tile.level is not None
        assert tile.width <= 256
        level = self.levels[8 * tile.level]
        return encode_tile(level[tile.start : tile.start + tile.width])


TREE = Tree(LARGE)


def served(size: int) -> dict[str, bytes]:
    """Return the files of a tree of a size, and no other."""
    return {tile.path: TREE.tile(tile) for tile in new_tiles(0, size)}


def reader(size: int, files: dict[str, bytes] | None = None) -> TileReader:
    held = served(size) if files is None else files
    return TileReader(lambda tile: held[tile.path], size)


@pytest.mark.parametrize(
    ("index", "spelled"),
    [(0, "000"), (999, "999"), (1000, "x001/000"), (1234067, "x001/x234/067")],
)
def test_numbers_are_spelled_as_the_document_spells_them(index: int, spelled: str) -> None:
    assert spell(index) == spelled
    assert spell(index, 112) == f"{spelled}.p/112"
    for tile in (Tile(3, index), Tile(None, index, 7)):
        assert Tile.parse(tile.path) == tile


def test_the_documents_tree_of_70000() -> None:
    tiles = list(new_tiles(0, 70_000))
    full = [tile for tile in tiles if tile.width == 256]
    assert sum(tile.level == 0 for tile in full) == 273
    assert sum(tile.level == 1 for tile in full) == 1
    assert len(full) == 274
    partial = [(tile.level, tile.width) for tile in tiles if tile.width < 256]
    assert partial == [(0, 112), (1, 17), (2, 1)]


def test_the_documents_tree_of_256() -> None:
    assert list(new_tiles(0, 256)) == [Tile(0, 0), Tile(1, 0, 1)]
    assert list(new_tiles(0, 0)) == []


@pytest.mark.parametrize("size", [*range(301), 65_535, 65_536, 65_537, LARGE])
def test_root_and_every_proof_from_tiles_are_the_trees_own(size: int) -> None:
    from_tiles = reader(size)
    root = TREE.folded(cover(0, size))
    assert from_tiles.root() == root
    step = max(size // 40, 1)
    for index in {*range(0, size, step), *range(max(size - 2, 0), size)}:
        proof = from_tiles.inclusion(index)
        assert proof == tuple(map(TREE.folded, inclusion_path(index, size)))
        assert verify_inclusion(TREE.levels[0][index], index, size, proof, root)
    for old in {*range(0, size + 1, step), size}:
        proof = from_tiles.consistency(old)
        assert proof == tuple(map(TREE.folded, consistency_path(old, size)))
        assert verify_consistency(old, size, proof, TREE.folded(cover(0, old)), root)


@settings(deadline=None, max_examples=200)
@given(st.integers(0, LARGE), st.integers(0, LARGE))
def test_the_new_tiles_are_those_the_smaller_tree_had_not(first: int, second: int) -> None:
    old, new = sorted((first, second))
    assert set(new_tiles(old, new)) == set(new_tiles(0, new)) - set(new_tiles(0, old))
    assert set(new_bundles(old, new)) == set(new_bundles(0, new)) - set(new_bundles(0, old))
    assert sum(tile.width for tile in new_bundles(0, new)) == new


@settings(deadline=None, max_examples=100)
@given(st.integers(2, 700), st.data())
def test_a_changed_tile_leads_to_no_signed_root(size: int, data: st.DataObject) -> None:
    files = served(size)
    index = data.draw(st.integers(0, size - 1))
    path = tile_at(0, index // 256, size).path
    place = (index % 256) * 32 + data.draw(st.integers(0, 31))
    held = files[path]
    files[path] = held[:place] + bytes([held[place] ^ 1]) + held[place + 1 :]
    changed = reader(size, files)
    root = TREE.folded(cover(0, size))
    assert index >= size >> 8 << 8 or changed.root() == root  # level 1 stands for full tiles
    sibling = index ^ 1
    if sibling < size:
        leaf = TREE.levels[0][sibling]
        proof = changed.inclusion(sibling)
        assert not verify_inclusion(leaf, sibling, size, proof, root)


@pytest.mark.parametrize(
    "path",
    [
        "",
        "tile/0/0",
        "tile/0/0000",
        "tile/0/x000/000",
        "tile/0/x001/x234/67",
        "tile/0/x001/x234/x067",
        "tile/0/001/234",
        "tile/00/000",
        "tile/8/000",
        "tile/-1/000",
        "tile/64/000",
        "tile/0/000.p/0",
        "tile/0/000.p/256",
        "tile/0/000.p/01",
        "tile/0/000.p/999",
        "tile/0/000.p",
        "tile/0/000\n",
        "tile/0/../000",
        "tile/entry/000",
        "/tile/0/000",
        "tile/0/" + "x999/" * 6 + "999",
        "tile/0/" + "x999/" * 7 + "999",
        "tile/0/" + "x001/" * 20_000 + "000",
    ],
)
def test_other_paths_are_refused(path: str) -> None:
    with pytest.raises(RequestError, match="path"):
        Tile.parse(path)


@pytest.mark.parametrize(("data", "width"), [(b"", 1), (bytes(31), 1), (bytes(64), 1)])
def test_tiles_of_another_length_are_refused(data: bytes, width: int) -> None:
    with pytest.raises(RequestError, match=f"tile has {len(data)} bytes"):
        decode_tile(data, width)


def test_bundles() -> None:
    entries = (b"", b"a", sha256().digest(), bytes(65_535))
    data = encode_bundle(entries)
    assert data[:5] == b"\0\0\0\1a"
    assert data[5:39] == b"\0\x20" + sha256().digest()
    assert data[39:] == b"\xff\xff" + bytes(65_535)
    with pytest.raises(RequestError, match="longer than 65535"):
        encode_bundle([bytes(65_536)])


def test_what_the_tree_does_not_have_is_refused() -> None:
    for index in (-1, 300, 1 << 70):
        with pytest.raises(RequestError, match=f"no entry {index} among 300"):
            reader(300).inclusion(index)
    for old in (-1, 301):
        with pytest.raises(RequestError, match=f"never had {old}"):
            reader(300).consistency(old)
    for level, index in ((0, 2), (1, 1), (2, 0), (0, -1), (None, 2)):
        with pytest.raises(RequestError, match="no such tile"):
            tile_at(level, index, 300)
