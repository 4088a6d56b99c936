"""What the tree holds of an entry: 32 bytes, made of its record, its chain and its place in it.

    content = SHA-256("mingjing/record/v1\\n" ‖ salt32 ‖ record)
    link    = SHA-256("mingjing/link/v1\\n" ‖ previous32 ‖ u64be number ‖ content)
    entry   = SHA-256("mingjing/entry/v1\\n" ‖ tag32 ‖ link)

Only the content needs record and salt. Once both are erased, the content still stands in the link,
and the link in the entry, so that neither chain nor tree breaks. `tag` and `link` of every entry
are published: whoever watches the log sees for themselves that the index names what the tree holds.

Every entry belongs to one chain: a person's, the sealed ones', the bulk disclosures', or the
system's. `previous` is the entry before it in its chain (32 zeros for the first), `number` counts
the chain from 0, and `tag` is what the index finds it by. Tags of one chain cannot be told from
those of others without the chain's key; that of the bulk disclosures is public.

Source: HMAC-SHA-256 (RFC 2104) as the keyed derivation; the layout is this project's own.
"""

from __future__ import annotations

import hmac
from dataclasses import dataclass
from enum import IntEnum
from functools import lru_cache
from hashlib import sha256

from hub.ledger.lines import encode64

SALT_BYTES = 32
NO_PREVIOUS = bytes(32)

RECORD_PREFIX = b"mingjing/record/v1\n"
LINK_PREFIX = b"mingjing/link/v1\n"
ENTRY_PREFIX = b"mingjing/entry/v1\n"
_CHAIN = b"mingjing/chain/v1\n"
_BULK_CHAIN = b"mingjing/bulk-chain/v1\n"
TAG_PREFIX = b"mingjing/tag/v1\n"


class ChainKind(IntEnum):
    """Whose entries a chain holds; the number is the first byte of the chain's name."""

    SYSTEM = 0
    SUBJECT = 1
    SEALED = 2
    BULK = 3


@dataclass(frozen=True, slots=True)
class Chain:
    """A chain of entries: its kind, and for a person's chain the ledger's label of the person."""

    kind: ChainKind
    label: bytes = b""

    @classmethod
    def parse(cls, name: bytes) -> Chain:
        """Return the chain of a stored name.

        Raises:
            ValueError: when there is no such kind.
        """
        return cls(ChainKind(name[0] if name else -1), name[1:])

    @property
    def name(self) -> bytes:
        """What the chain is stored under."""
        return bytes([self.kind]) + self.label


_SUBJECT = bytes([ChainKind.SUBJECT])


def subject_chain(label: bytes) -> bytes:
    """Return the name of a person's chain; what `Chain(SUBJECT, label).name` is, at a fifth."""
    return _SUBJECT + label


SYSTEM = Chain(ChainKind.SYSTEM)
SEALED = Chain(ChainKind.SEALED)
BULK = Chain(ChainKind.BULK)


@dataclass(frozen=True, slots=True)
class Opening:
    """What the 32 bytes of an entry are made of; once erased, with neither salt nor record."""

    position: int
    tag: bytes
    previous: bytes
    number: int
    content: bytes
    salt: bytes | None
    record: bytes | None

    @property
    def entry(self) -> bytes:
        """The 32 bytes that the tree holds."""
        return entry_of(self.tag, link_of(self.previous, self.number, self.content))

    def body(self) -> dict[str, object]:
        """Return it as JSON: bytes in base64; salt and record, or the content in their place."""
        body: dict[str, object] = {
            "position": self.position,
            "tag": encode64(self.tag),
            "previous": encode64(self.previous),
            "number": self.number,
        }
        if self.salt is None or self.record is None:
            return {**body, "content": encode64(self.content)}
        return {**body, "salt": encode64(self.salt), "record": encode64(self.record)}


def content_of(salt: bytes, record: bytes) -> bytes:
    """Return the 32-byte commitment to a record: it says nothing once salt and record are gone."""
    return sha256(RECORD_PREFIX + salt + record).digest()


def link_of(previous: bytes, number: int, content: bytes) -> bytes:
    """Return what ties a content to its place in its chain; 32 bytes."""
    return sha256(LINK_PREFIX + previous + number.to_bytes(8) + content).digest()


def entry_of(tag: bytes, link: bytes) -> bytes:
    """Return the 32 bytes that the tree holds, and that are the log's entry."""
    return sha256(ENTRY_PREFIX + tag + link).digest()


def tag_of(chain_key: bytes, number: int) -> bytes:
    """Return the 32 bytes that the index finds the number-th entry of a chain by."""
    return hmac.digest(chain_key, TAG_PREFIX + number.to_bytes(8), "sha256")


def bulk_chain_key(origin: str) -> bytes:
    """Return the key of the chain of bulk disclosures, which anybody can compute."""
    return sha256(_BULK_CHAIN + origin.encode()).digest()


def fingerprint_of(chain_key: bytes) -> str:
    """Return what people compare a chain's key by: 16 hexadecimal digits of its SHA-256."""
    return sha256(chain_key).hexdigest()[:16]


class ChainKeys:
    """Derives the key of each chain of one log.

    Args:
        index_key: 32 secret bytes of the keyring, for the life of the log.
        origin: the log's public name.
    """

    def __init__(self, index_key: bytes, origin: str) -> None:
        self._mac = hmac.new(index_key, digestmod="sha256")  # keyed once; only ever copied
        self._origin = origin
        self.of_name = lru_cache(maxsize=4096)(self._of_name)

    def of(self, chain: Chain) -> bytes:
        """Return a chain's 32-byte key; whoever has it finds all entries of that chain."""
        return self.of_name(chain.name)

    def _of_name(self, name: bytes) -> bytes:
        if name[0] == ChainKind.BULK:
            return bulk_chain_key(self._origin)
        mac = self._mac.copy()
        mac.update(_CHAIN + name)
        return mac.digest()
