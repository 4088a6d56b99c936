"""Whether a stretch of entries is sound, at the speed of hashing; never what is wrong with it.

Everything is computed anew: content from record and salt, tag and link from the chain as far as it
was read, leaf from both, every subtree from the leaves, and the columns against the record. Only
what is equal in every byte is sound; anything else is for `suspect` to name.
"""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import sha256

import orjson

from hub.ledger.checks.chains import KEY, NUMBER, PLACE, Heads, is_hash
from hub.ledger.checks.columns import is_subject_of
from hub.ledger.checks.erasures import Erasures
from hub.ledger.entry import (
    ENTRY_PREFIX,
    LINK_PREFIX,
    RECORD_PREFIX,
    SALT_BYTES,
    TAG_PREFIX,
)
from hub.ledger.merkle import LEAF_PREFIX, CompactRange
from hub.ledger.store import Row, StoredEntry
from hub.ledger.writer import ERASED_EVENT

# HMAC-SHA-256 (RFC 2104) of a 32-byte key, spelled out: half the time of the library's own call.
# Were it ever another than `tag_of`, no entry would be found sound, and each be looked at singly.
_INNER, _OUTER = (bytes(byte ^ pad for byte in range(256)) for pad in (0x36, 0x5C))
_INNER_TAG = b"\x36" * 32 + TAG_PREFIX
_OUTER_PAD = b"\x5c" * 32


def sound_stretch(
    rows: Sequence[Row],
    spines: Sequence[object],
    edge: CompactRange,
    heads: Heads,
    erasures: Erasures,
) -> CompactRange | None:
    """Return the tree's edge after a stretch of entries, or None unless every byte of it is right.

    Args:
        rows: all entries of the stretch, from position `edge.size` on.
        spines: what the stored tree holds for them.
        heads: told of the newest entries of chains when the stretch is sound, else left alone.
        erasures: told likewise.
    """
    erased: list[StoredEntry] = []
    recorded: list[StoredEntry] = []
    newest: dict[bytes, bytes] = {}
    try:
        leaves = _leaves(rows, edge.size, heads, newest, erased, recorded)
    except (TypeError, ValueError, KeyError, AttributeError, IndexError, OverflowError):
        return None  # a value of another kind than the ledger writes
    if leaves is None or not all(map(erasures.is_recorded, erased)):
        return None
    grown, computed = edge.extended(leaves)
    if computed != spines:
        return None
    heads.learn(newest)
    for entry in erased:
        erasures.erased(entry)
    for entry in recorded:
        erasures.recorded(entry)
    return grown


def _leaves(
    rows: Sequence[Row],
    start: int,
    heads: Heads,
    newest: dict[bytes, bytes],
    erased: list[StoredEntry],
    recorded: list[StoredEntry],
) -> list[bytes] | None:
    """Return the leaf hash of each entry, or None when one is not what its chain leads to.

    This loop is run for every entry of the ledger: what can be had without a call is.
    """
    leaves = []
    known, loads = heads.known, orjson.loads
    for position, row in enumerate(rows, start):
        at, tag, link, chain, number, record, salt, kept, event, time, erased_by = row
        if at != position:
            return None
        head = newest.get(chain) or known.get(chain) or heads.begin(chain, number, position)
        if head is None:
            return None
        counted, key = head[NUMBER], head[KEY]
        if number != int.from_bytes(counted):
            return None
        if record is None:
            if salt is not None or not is_hash(kept):
                return None
            erased.append(StoredEntry(*row))
            content = kept
        else:
            if len(salt) != SALT_BYTES or kept is not None or erased_by is not None:
                return None
            content = sha256(RECORD_PREFIX + salt + record).digest()
            body = loads(record)
            if body["event"] != event or body["time"] != time:
                return None
            if not is_subject_of(chain, body.get("subject")):
                return None
            if event == ERASED_EVENT:
                recorded.append(StoredEntry(*row))
        inner = sha256(key.translate(_INNER) + _INNER_TAG + counted).digest()
        if (
            tag != sha256(key.translate(_OUTER) + _OUTER_PAD + inner).digest()
            or link != sha256(LINK_PREFIX + head[PLACE] + content).digest()
        ):
            return None
        entry = sha256(ENTRY_PREFIX + tag + link).digest()
        newest[chain] = entry + (number + 1).to_bytes(8) + key
        leaves.append(sha256(LEAF_PREFIX + entry).digest())
    return leaves
