"""The newest entry of each chain, as far as a ledger was read, in bounded memory.

Of a chain is kept, in 72 bytes, what its next entry is made of: the entry before it, the next
number, and the chain's key. Chains beyond a million are let go of, oldest first, and looked up in
the store when their next entry comes: that row stands before it and so was read already.
"""

from __future__ import annotations

from itertools import islice

from hub.ledger.entry import BULK, NO_PREVIOUS, SEALED, SYSTEM, ChainKeys, ChainKind
from hub.ledger.lines import NUMBER_LIMIT
from hub.ledger.merkle import HASH_BYTES
from hub.ledger.store import Store

CHAINS_LIMIT = 1_000_000
NUMBER = slice(HASH_BYTES, HASH_BYTES + 8)
KEY = slice(HASH_BYTES + 8, None)
PLACE = slice(0, HASH_BYTES + 8)  # previous ‖ u64be number, as a link has them


_SUBJECT = bytes([ChainKind.SUBJECT])
_OTHERS = {chain.name for chain in (SYSTEM, SEALED, BULK)}


class Heads:
    """What the next entry of each chain is made of.

    Attributes:
        known: by chain, previous ‖ u64be number ‖ the chain's key.
    """

    def __init__(self, store: Store, keys: ChainKeys, limit: int = CHAINS_LIMIT) -> None:
        self._store = store
        self._keys = keys
        self._limit = limit
        self.known: dict[bytes, bytes] = {}

    def begin(self, chain: object, number: object, position: int) -> bytes | None:
        """Return what the entry of a chain that is not known is made of, None when it cannot be.

        It cannot when no such chain is possible or the entry before it does not stand before it.
        """
        if not is_place(chain, number):
            return None
        assert isinstance(chain, bytes)
        assert isinstance(number, int)
        previous = NO_PREVIOUS
        if number:
            row = self._store.chain_entry(chain, number - 1)
            if row is None or not 0 <= row.position < position:
                return None
            if not (is_hash(row.tag) and is_hash(row.link)):
                return None
            previous = row.entry
        return previous + number.to_bytes(8) + self._keys.of_name(chain)

    def learn(self, newer: dict[bytes, bytes]) -> None:
        """Take over chains as far as they were read since."""
        self.known.update(newer)
        if len(self.known) > self._limit:
            for chain in list(islice(self.known, len(self.known) - self._limit * 9 // 10)):
                del self.known[chain]

    def before(self, chain: bytes, number: int) -> list[bytes]:
        """Return what may be the entry before a place of a chain, the likelier first."""
        if number == 0:
            return [NO_PREVIOUS]
        found = []
        known = self.known.get(chain)
        if known is not None and int.from_bytes(known[NUMBER]) == number:
            found.append(known[:HASH_BYTES])
        row = self._store.chain_entry(chain, number - 1)
        if row is not None and is_hash(row.tag) and is_hash(row.link):
            found.append(row.entry)
        return found

    def place(self, chain: bytes, number: int) -> int | None:
        """Return the position where the store has an entry of a chain, None when it has none."""
        row = self._store.chain_entry(chain, number) if number >= 0 else None
        return None if row is None else row.position

    def expected(self, chain: bytes) -> int:
        """Return the number that the next entry of a chain has, as far as was read."""
        known = self.known.get(chain)
        return 0 if known is None else int.from_bytes(known[NUMBER])

    def set(self, chain: bytes, number: int, entry: bytes) -> None:
        """Remember an entry as the newest of its chain."""
        self.learn({chain: entry + (number + 1).to_bytes(8) + self._keys.of_name(chain)})

    def forget(self, chain: object) -> None:
        """Let go of a chain whose newest entry is not known for sure."""
        if isinstance(chain, bytes):
            self.known.pop(chain, None)


def is_place(chain: object, number: object) -> bool:
    """Say whether chain and number are of the kind the ledger writes."""
    return (
        isinstance(chain, bytes)
        and _is_chain(chain)
        and isinstance(number, int)
        and 0 <= number < NUMBER_LIMIT
    )


def _is_chain(name: bytes) -> bool:
    """Say whether there is a chain of a name: only persons' have more than their kind in it."""
    kind = name[:1]
    return kind == _SUBJECT if len(name) > 1 else kind in _OTHERS


def is_hash(value: object) -> bool:
    """Say whether a value is 32 bytes."""
    return isinstance(value, bytes) and len(value) == HASH_BYTES
