"""The tree against published vectors and against the RFC's definitions, taken literally."""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import sha256
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hub.ledger.merkle import (
    EMPTY_ROOT,
    CompactRange,
    Node,
    consistency_path,
    cover,
    fold,
    inclusion_path,
    leaf_hash,
    root_of_inclusion,
    spine_levels,
    verify_consistency,
    verify_inclusion,
)
from tests.hub.ledger.factories import vector

LARGEST = 130
VECTORS = vector("merkle_rfc6962.json")
DATA = [bytes.fromhex(leaf) for leaf in VECTORS["leaves"]]


def mth(data: Sequence[bytes]) -> bytes:
    """RFC 9162 §2.1.1, word for word."""
    if not data:
        return sha256(b"").digest()
    if len(data) == 1:
        return sha256(b"\x00" + data[0]).digest()
    k = split(len(data))
    return sha256(b"\x01" + mth(data[:k]) + mth(data[k:])).digest()


def path(m: int, data: Sequence[bytes]) -> list[bytes]:
    """RFC 9162 §2.1.3.1, word for word."""
    if len(data) == 1:
        return []
    k = split(len(data))
    if m < k:
        return [*path(m, data[:k]), mth(data[k:])]
    return [*path(m - k, data[k:]), mth(data[:k])]


def subproof(m: int, data: Sequence[bytes], complete: bool) -> list[bytes]:
    """RFC 9162 §2.1.4.1, word for word."""
    if m == len(data):
        return [] if complete else [mth(data)]
    k = split(len(data))
    if m <= k:
        return [*subproof(m, data[:k], complete), mth(data[k:])]
    return [*subproof(m - k, data[k:], False), mth(data[:k])]


def split(n: int) -> int:
    k = 1
    while k * 2 < n:
        k *= 2
    return k


def leaves_of(size: int) -> list[bytes]:
    return [b"leaf %d" % number for number in range(size)]


def nodes_of(data: Sequence[bytes]) -> dict[Node, bytes]:
    """Every stored node of a tree, read from what each leaf completed."""
    _, spines = CompactRange().extended(leaf_hash(d) for d in data)
    nodes = {}
    for index, spine in enumerate(spines):
        for level in range(len(spine) // 32):
            nodes[Node(level, index >> level)] = spine[32 * level : 32 * level + 32]
    return nodes


def proof_of(path_nodes: tuple[tuple[Node, ...], ...], nodes: dict[Node, bytes]) -> list[bytes]:
    return [fold([nodes[node] for node in part]) for part in path_nodes]


sizes = st.integers(1, LARGEST)


def test_published_leaf_hashes_and_roots() -> None:
    assert [leaf_hash(data).hex() for data in DATA] == VECTORS["leaf_hashes"]
    for size, root in enumerate(VECTORS["roots"]):
        tree, _ = CompactRange().extended(leaf_hash(d) for d in DATA[:size])
        assert (tree.size, tree.root.hex()) == (size, root)


@pytest.mark.parametrize("case", VECTORS["inclusion"])
def test_published_inclusion_proofs(case: dict[str, Any]) -> None:
    index, size = case["index"], case["size"]
    proof = proof_of(inclusion_path(index, size), nodes_of(DATA[:size]))
    assert [part.hex() for part in proof] == case["proof"]
    root = bytes.fromhex(VECTORS["roots"][size])
    assert verify_inclusion(leaf_hash(DATA[index]), index, size, proof, root)


@pytest.mark.parametrize("case", VECTORS["consistency"])
def test_published_consistency_proofs(case: dict[str, Any]) -> None:
    old, new = case["old"], case["new"]
    proof = proof_of(consistency_path(old, new), nodes_of(DATA[:new]))
    assert [part.hex() for part in proof] == case["proof"]
    roots = [bytes.fromhex(root) for root in VECTORS["roots"]]
    assert verify_consistency(old, new, proof, roots[old], roots[new])


@pytest.mark.parametrize("size", range(LARGEST + 1))
def test_every_size_has_the_defined_root(size: int) -> None:
    data = leaves_of(size)
    nodes = nodes_of(data)
    assert fold([nodes[node] for node in cover(0, size)]) == mth(data)


@settings(deadline=None)
@given(sizes, st.data())
def test_inclusion_is_the_defined_proof_and_verifies(size: int, data: st.DataObject) -> None:
    index = data.draw(st.integers(0, size - 1))
    leaves = leaves_of(size)
    proof = proof_of(inclusion_path(index, size), nodes_of(leaves))
    assert proof == path(index, leaves)
    assert verify_inclusion(leaf_hash(leaves[index]), index, size, proof, mth(leaves))


@settings(deadline=None)
@given(sizes, st.data())
def test_consistency_is_the_defined_proof_and_verifies(new: int, data: st.DataObject) -> None:
    old = data.draw(st.integers(1, new))
    leaves = leaves_of(new)
    proof = proof_of(consistency_path(old, new), nodes_of(leaves))
    assert proof == subproof(old, leaves, True)
    assert verify_consistency(old, new, proof, mth(leaves[:old]), mth(leaves))


@settings(deadline=None)
@given(sizes, st.data())
def test_a_changed_inclusion_proof_fails(size: int, data: st.DataObject) -> None:
    index = data.draw(st.integers(0, size - 1))
    leaves = leaves_of(size)
    proof, root = path(index, leaves), mth(leaves)
    leaf = leaf_hash(leaves[index])
    for at in range(len(proof)):
        flipped = [*proof[:at], bytes([proof[at][0] ^ 1]) + proof[at][1:], *proof[at + 1 :]]
        assert not verify_inclusion(leaf, index, size, flipped, root)
    assert not verify_inclusion(leaf, index, size, [*proof, root], root)
    assert not (proof and verify_inclusion(leaf, index, size, proof[:-1], root))
    other = data.draw(st.integers(0, size - 1).filter(lambda i: i != index)) if size > 1 else None
    assert other is None or not verify_inclusion(leaf, other, size, proof, root)


@settings(deadline=None)
@given(sizes, st.data())
def test_a_changed_consistency_proof_fails(new: int, data: st.DataObject) -> None:
    old = data.draw(st.integers(1, new))
    leaves = leaves_of(new)
    proof, old_root, new_root = subproof(old, leaves, True), mth(leaves[:old]), mth(leaves)
    for at in range(len(proof)):
        flipped = [*proof[:at], bytes([proof[at][0] ^ 1]) + proof[at][1:], *proof[at + 1 :]]
        assert not verify_consistency(old, new, flipped, old_root, new_root)
    assert not verify_consistency(old, new, [*proof, new_root], old_root, new_root)
    assert not (proof and verify_consistency(old, new, proof[:-1], old_root, new_root))
    assert not verify_consistency(old, new, proof, new_root[::-1], new_root)
    assert not verify_consistency(old, new, proof, old_root, new_root[::-1])


@settings(deadline=None)
@given(st.lists(st.binary(max_size=4), max_size=60), st.integers(0, 60))
def test_growing_in_two_steps_is_growing_in_one(data: list[bytes], cut: int) -> None:
    hashes = [leaf_hash(d) for d in data]
    once, spines = CompactRange().extended(hashes)
    half, first = CompactRange().extended(hashes[:cut])
    twice, second = half.extended(hashes[cut:])
    assert (twice, first + second) == (once, spines)
    assert [len(spine) // 32 for spine in spines] == [spine_levels(i) for i in range(len(data))]


def test_the_empty_tree() -> None:
    one = leaf_hash(b"")
    assert CompactRange().root == EMPTY_ROOT == mth([])
    assert consistency_path(0, 5) == ()
    assert verify_consistency(0, 0, [], EMPTY_ROOT, EMPTY_ROOT)
    assert verify_consistency(0, 1, [], EMPTY_ROOT, one)
    assert not verify_consistency(0, 1, [], one, one)
    assert not verify_consistency(0, 0, [], EMPTY_ROOT, one)
    assert not verify_consistency(0, 1, [one], EMPTY_ROOT, one)


def test_sizes_and_places_that_make_no_sense() -> None:
    one = leaf_hash(b"")
    assert root_of_inclusion(one, -1, 1, []) is None
    assert root_of_inclusion(one, 1, 1, []) is None
    assert root_of_inclusion(one, 0, 0, []) is None
    assert not verify_consistency(2, 1, [], one, one)
    assert not verify_consistency(-1, 1, [], one, one)
    assert not verify_consistency(1, 1, [], one, EMPTY_ROOT)
    assert not verify_consistency(3, 4, [], one, one)
