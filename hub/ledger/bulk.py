"""Bulk disclosures: one entry commits to everybody in it, and each can be shown their own part.

    bulk key = HMAC-SHA-256(index key, "mingjing/bulk-key/v1\\n" ‖ label), a person's own
    token    = HMAC-SHA-256(bulk key, "mingjing/bulk/v1\\n" ‖ bulk id), theirs in one disclosure
    root     = RFC 9162 root over the sorted tokens, each one the data of a leaf

Without a person's bulk key nobody can tell which token is theirs, nor that tokens of two
disclosures are one person's. The sorted tokens are kept in a file, durable before the entry is
written; they are found nowhere else.

Source: RFC 2104 as the keyed derivation; the layout is this project's own.
"""

from __future__ import annotations

import hmac
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from pathlib import Path

import numpy as np

from hub.errors import RequestError
from hub.events import AuditEvent, EventTag
from hub.ledger.entry import BULK
from hub.ledger.index.file import RowFile, write_rows
from hub.ledger.index.rows import KEY_BYTES, Rows, in_order
from hub.ledger.index.tree import Absence, Place
from hub.ledger.writer import Entry

BULK_ID_BYTES = 16

_BULK_KEY = b"mingjing/bulk-key/v1\n"
_BULK = b"mingjing/bulk/v1\n"
_OPEN_FILES = 64
_REMEDY = "Restore it from a backup: it is found nowhere else"


@dataclass(frozen=True, slots=True)
class Commitment:
    """What the entry of a bulk disclosure says of the persons in it."""

    bulk_id: bytes
    count: int
    root: bytes

    def entry(self, time: datetime) -> Entry:
        """Return the entry that says so, in the chain of bulk disclosures."""
        details = {"bulk": self.bulk_id.hex(), "count": self.count, "root": self.root.hex()}
        event = AuditEvent(EventTag.HUB_BULK_COMMITTED, time, details)
        return Entry(None, event.body(), chain=BULK)


def bulk_key(index_key: bytes, label: bytes) -> bytes:
    """Return a person's 32-byte key, with which they find themselves in any bulk disclosure."""
    return hmac.digest(index_key, _BULK_KEY + label, "sha256")


def token_of(key: bytes, bulk_id: bytes) -> bytes:
    """Return the 32 bytes that stand for a person in one bulk disclosure.

    Args:
        key: the person's bulk key.
    """
    return hmac.digest(key, _BULK + bulk_id, "sha256")


class BulkFolder:
    """The token files of all bulk disclosures, in a private folder.

    Args:
        folder: made with mode 0700 when missing.
        index_key: 32 secret bytes of the keyring, for the life of the log.
    """

    def __init__(self, folder: Path, index_key: bytes) -> None:
        self._folder = folder
        self._index_key = index_key
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._open = lru_cache(maxsize=_OPEN_FILES)(self._opened)

    def commit(self, bulk_id: bytes, labels: Iterable[bytes]) -> Commitment:
        """Make the tokens of a disclosure durable and return what its entry commits to.

        A file without an entry is what a crash leaves; it stands for nothing.

        Args:
            bulk_id: 16 fresh random bytes.
            labels: of each person in it; a person named twice counts once.
        Raises:
            RequestError: when there is nobody in it, or the id was used before.
            OSError: when the file cannot be written.
        """
        if len(bulk_id) != BULK_ID_BYTES:
            raise RequestError(f"a bulk disclosure's id has {BULK_ID_BYTES} bytes")
        if self._path(bulk_id).exists():
            raise RequestError("there is a bulk disclosure of this id already")
        tokens = bytearray()
        for label in labels:
            tokens += token_of(bulk_key(self._index_key, label), bulk_id)
        if not tokens:
            raise RequestError("there is nobody in this bulk disclosure")
        rows = _once(in_order(np.frombuffer(tokens, np.uint8).reshape(-1, KEY_BYTES)))
        write_rows(self._path(bulk_id), 0, KEY_BYTES, (rows,))
        return self.commitment(bulk_id)

    def discard(self, bulk_id: bytes) -> None:
        """Take back the tokens of a disclosure that no entry was asked to be written of."""
        self._path(bulk_id).unlink(missing_ok=True)

    def holds(self, bulk_id: bytes, label: bytes) -> bool:
        """Say whether a person is in a disclosure.

        Raises:
            LedgerError: when the file is missing or damaged.
        """
        return isinstance(self.find(bulk_id, label), Place)

    def commitment(self, bulk_id: bytes) -> Commitment:
        """Return what the entry of a disclosure must say, by its token file.

        Raises:
            LedgerError: when the file is missing or damaged.
        """
        file = self._open(bulk_id)
        return Commitment(bulk_id, file.count, file.root)

    def find(self, bulk_id: bytes, label: bytes) -> Place | Absence:
        """Return the proof that a person is in a disclosure, or that they are not.

        Raises:
            LedgerError: when the file is missing or damaged.
        """
        token = token_of(bulk_key(self._index_key, label), bulk_id)
        file = self._open(bulk_id)
        found = file.presence(token) or file.absence(token)
        assert found is not None  # the file has the token or it has not
        return found

    def key(self, label: bytes) -> bytes:
        """Return a person's bulk key, for themselves."""
        return bulk_key(self._index_key, label)

    def _opened(self, bulk_id: bytes) -> RowFile:
        return RowFile(self._path(bulk_id), 0, KEY_BYTES, _REMEDY)

    def _path(self, bulk_id: bytes) -> Path:
        return self._folder / bulk_id.hex()


def read_tokens(folder: Path, bulk_id: bytes) -> Commitment:
    """Return what the entry of a disclosure must say, once all its tokens were read again.

    Raises:
        LedgerError: when the file is missing or damaged.
    """
    file = RowFile(folder / bulk_id.hex(), 0, KEY_BYTES, _REMEDY)
    file.rows()
    return Commitment(bulk_id, file.count, file.root)


def _once(rows: Rows) -> Rows:
    """Return sorted rows without those that are as the one before."""
    same = (rows[1:] == rows[:-1]).all(axis=1)
    if not same.any():
        return rows
    single: Rows = rows[np.concatenate(([True], ~same))]
    return single
