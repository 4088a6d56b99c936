"""What the tree holds of an entry, and what its tags give away."""

from __future__ import annotations

import hmac
from hashlib import sha256

import pytest

from hub.ledger.entry import (
    BULK,
    NO_PREVIOUS,
    SALT_BYTES,
    SEALED,
    SYSTEM,
    Chain,
    ChainKeys,
    ChainKind,
    bulk_chain_key,
    content_of,
    entry_of,
    link_of,
    tag_of,
)

SALT, RECORD, KEY = bytes(range(32)), b'{"event":"invented"}', b"k" * 32
PERSON = Chain(ChainKind.SUBJECT, bytes(16))


def test_an_entry_is_made_as_the_format_says() -> None:
    content = sha256(b"mingjing/record/v1\n" + SALT + RECORD).digest()
    link = sha256(b"mingjing/link/v1\n" + b"p" * 32 + bytes(7) + b"\x05" + content).digest()
    entry = sha256(b"mingjing/entry/v1\n" + b"t" * 32 + link).digest()
    assert content_of(SALT, RECORD) == content
    assert link_of(b"p" * 32, 5, content) == link
    assert entry_of(b"t" * 32, link) == entry
    assert len(SALT) == SALT_BYTES
    assert len(NO_PREVIOUS) == 32


@pytest.mark.parametrize(
    ("previous", "number", "content"),
    [(b"q" * 32, 5, b"c" * 32), (b"p" * 32, 6, b"c" * 32), (b"p" * 32, 5, b"d" * 32)],
)
def test_a_link_depends_on_every_part(previous: bytes, number: int, content: bytes) -> None:
    assert link_of(previous, number, content) != link_of(b"p" * 32, 5, b"c" * 32)


def test_tags_are_a_chains_own_and_no_two_alike() -> None:
    keys = ChainKeys(KEY, "log.example")
    chains = [SYSTEM, SEALED, BULK, PERSON, Chain(ChainKind.SUBJECT, b"\1" * 16)]
    tags = {tag_of(keys.of(chain), number) for chain in chains for number in range(100)}
    assert len(tags) == 500


def test_a_chain_key_follows_from_the_index_key_and_the_chains_name() -> None:
    expected = hmac.new(KEY, b"mingjing/chain/v1\n\x01" + bytes(16), sha256).digest()
    assert ChainKeys(KEY, "log.example").of(PERSON) == expected
    assert ChainKeys(b"j" * 32, "log.example").of(PERSON) != expected


def test_anybody_knows_the_key_of_bulk_disclosures_and_of_nothing_else() -> None:
    keys = ChainKeys(KEY, "log.example")
    assert keys.of(BULK) == bulk_chain_key("log.example")
    assert bulk_chain_key("other.example") != bulk_chain_key("log.example")
    others = ChainKeys(b"j" * 32, "log.example")
    assert all(keys.of(chain) != others.of(chain) for chain in (SYSTEM, SEALED, PERSON))


def test_a_chain_is_known_by_its_name() -> None:
    for chain in (SYSTEM, SEALED, BULK, PERSON):
        assert Chain.parse(chain.name) == chain
    for name in (b"", b"\x09abc"):
        with pytest.raises(ValueError, match="ChainKind"):
            Chain.parse(name)
