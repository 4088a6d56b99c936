"""Proofs and statements for citizens, against what is public: made of the ledger, index and tokens.

A use is proven as soon as the tree that holds it is public. Reading the index may meet a turn of
the publisher, which removes runs that no public tree needs any more; then it is read once again.
"""

from __future__ import annotations

from collections.abc import Sequence

from hub.errors import LedgerError, NotFound
from hub.ledger.bulk import BulkFolder
from hub.ledger.entry import Chain, ChainKind
from hub.ledger.index.folder import IndexFolder
from hub.ledger.log import Ledger
from hub.ledger.statement import Published, statement
from hub.ledger.store import StoredEntry
from hub.ledger.tlog_proof import TlogProof

_PAGE = 1000


class Prover:
    """Makes what a citizen takes home. Thread safe."""

    def __init__(self, ledger: Ledger, index: IndexFolder, bulk: BulkFolder) -> None:
        self._ledger = ledger
        self.index = index
        self.bulk = bulk

    @property
    def origin(self) -> str:
        """The log's public name."""
        return self._ledger.origin

    def proof(self, index: int) -> TlogProof:
        """Return the proof of one entry, laid open.

        Raises:
            NotFound: when there is no such entry, it was erased, or it is not public yet.
        """
        public = self._ledger.checkpoint()
        if index >= public.size:
            raise NotFound(
                "这次使用几秒后才公开，请稍后再取证明 / this use is made public within seconds: "
                "ask for its proof again"
            )
        opened = self._ledger.opened(index)
        return opened.proof(self._ledger.inclusion(index, public.size), public.note)

    def statement(self, label: bytes) -> bytes:
        """Return everything about a person up to the public checkpoint, and that nothing is missing.

        For that person and no one else.

        Raises:
            NotFound: before anything is public.
            LedgerError: when index or tokens cannot be read.
        """
        chain = Chain(ChainKind.SUBJECT, label)
        public = self._ledger.checkpoint()
        try:
            return statement(self, chain)
        except LedgerError:
            if self._ledger.checkpoint() == public:
                raise
            return statement(self, chain)

    def published(self) -> Published:
        """Return the public checkpoint with the entry it ends with.

        Raises:
            NotFound: before the first.
        """
        public = self._ledger.checkpoint()
        return Published(public.note, self._ledger.opened(public.size - 1))

    def chain_key(self, chain: Chain) -> bytes:
        """Return the 32-byte key of a chain."""
        return self._ledger.chains.of(chain)

    def chain_entries(self, chain: Chain, size: int) -> Sequence[StoredEntry]:
        """Return all entries of a chain at positions below `size`, oldest first."""
        found: list[StoredEntry] = []
        before = size
        while page := self._ledger.stored(chain, before=before, limit=_PAGE):
            found += page
            before = page[-1].position
        return found[::-1]

    def inclusion(self, index: int, size: int) -> Sequence[bytes]:
        """Return the inclusion proof of an entry in the tree of a size, leaf's sibling first."""
        return self._ledger.inclusion(index, size)
