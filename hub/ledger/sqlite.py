"""A ledger in one SQLite file; the default on one machine.

A driver error leaves the connection closed and nothing of the transaction applied; the next call
opens a new one.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, closing, contextmanager, nullcontext
from pathlib import Path
from typing import Any

from hub.errors import LedgerError, RequestError, TamperDetected
from hub.file_lock import FileLock
from hub.ledger.entry import entry_of
from hub.ledger.merkle import Node
from hub.ledger.sqlite_file import connect
from hub.ledger.store import ChainHead, Row, StoredEntry, StoredPublication, nodes_of

_ROWS_AT_ONCE = 64
_CHAINS_AT_ONCE = 500
_HEADS = (
    "WITH wanted (chain) AS (VALUES {}) SELECT entry.chain, entry.number, entry.tag, entry.link "
    "FROM wanted JOIN entry ON entry.chain = wanted.chain AND entry.number = "
    "(SELECT max(number) FROM entry AS other WHERE other.chain = wanted.chain)"
)
_COLUMNS = ", ".join(StoredEntry._fields)


def end(path: Path) -> None:
    """Have a ledger file take no entry any more, also of those who have it open.

    Raises:
        LedgerError: when it cannot be written.
    """
    with closing(SqliteStore(path)) as store:
        with store.transaction():
            store.refuse_writes()
        store.scrub()


class SqliteStore:
    """One connection to a ledger file; see `hub.ledger.store.Store`."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._connection: sqlite3.Connection | None = None
        self._turn = FileLock(path)

    def close(self) -> None:
        """Let go of the file; the next call opens it again."""
        self._disconnect()
        self._turn.close()

    @contextmanager
    def transaction(self, *, write: bool = True) -> Iterator[None]:
        """Run a block as one transaction, the only writing one on the file; durable on leaving.

        Writers of several processes take turns at the file's lock. Who waits there is let in as
        soon as the one before is done; in SQLite's own queue it would oversleep.
        """
        with self._waiting_for_turn() if write else nullcontext():
            try:
                self._execute("BEGIN IMMEDIATE" if write else "BEGIN")
                yield
                self.commit()
            except BaseException:
                self._disconnect()  # rolls back; a connection that failed is never trusted again
                raise

    def commit(self) -> None:
        """Make the transaction durable: the write-ahead log has reached the disk on return."""
        self._execute("COMMIT")

    def note(self) -> str:
        """Return the latest signed tree head."""
        notes = [row[0] for row in self._rows("SELECT note FROM head")]
        if len(notes) != 1 or not isinstance(notes[0], str):
            raise TamperDetected("the ledger's signed head is gone: restore the ledger")
        return notes[0]

    def write_note(self, note: str) -> None:
        """Replace the latest signed tree head."""
        self._execute("UPDATE head SET note = ?", (note,))

    def published(self) -> StoredPublication | None:
        """Return what was last made public, None before the first time."""
        rows = self._rows("SELECT note, size, time FROM published")
        return StoredPublication(*rows[0]) if rows else None

    def write_published(self, publication: StoredPublication) -> None:
        """Remember what is made public."""
        self._execute(
            "INSERT OR REPLACE INTO published (id, note, size, time) VALUES (1, ?, ?, ?)",
            publication,
        )

    def append(self, entries: Sequence[StoredEntry], spines: Sequence[bytes]) -> None:
        """Add entries and, for each, the hashes of the subtrees it completed."""
        leaves = [(e.position, spine) for e, spine in zip(entries, spines, strict=True)]
        with self._wrapped() as connection:
            try:
                _insert(connection, "entry", StoredEntry._fields, entries)
                _insert(connection, "tree", ("leaf", "hashes"), leaves)
            except sqlite3.IntegrityError as exc:
                if "ended" in str(exc):
                    raise LedgerError(str(exc)) from exc
                raise TamperDetected(
                    f"rows stand at entry {entries[0].position} or after, beyond the signed tree, "
                    "or beyond the end of a chain"
                ) from exc

    def erase(self, position: int, content: bytes, erased_by: int) -> None:
        """Overwrite an entry's record and salt with zeros on disk; keep what they committed to."""
        with self._wrapped() as connection:
            connection.execute("PRAGMA secure_delete = ON")
            changed = connection.execute(
                "UPDATE entry SET record = NULL, salt = NULL, content = ?, erased_by = ? "
                "WHERE position = ? AND record IS NOT NULL",
                (content, erased_by, position),
            ).rowcount
        if changed != 1:
            raise RequestError(f"entry {position} is erased already")

    def refuse_writes(self) -> None:
        """Have every later append fail, whoever makes it."""
        self._execute(
            "CREATE TRIGGER IF NOT EXISTS ended BEFORE INSERT ON entry BEGIN "
            "SELECT RAISE(ABORT, 'this ledger has ended: restart, its successor is written to'); "
            "END"
        )

    def scrub(self) -> None:
        """Move the write-ahead log into the file and empty it, with what it still held."""
        self._rows("PRAGMA wal_checkpoint(TRUNCATE)")

    def entry(self, position: int) -> StoredEntry | None:
        """Return one entry, or None."""
        query = f"SELECT {_COLUMNS} FROM entry WHERE position = ?"
        rows = self._rows(query, (position,))
        return StoredEntry(*rows[0]) if rows else None

    def heads(self, chains: Sequence[bytes]) -> dict[bytes, ChainHead]:
        """Return the newest entry of each chain that has one."""
        found: dict[bytes, ChainHead] = {}
        for start in range(0, len(chains), _CHAINS_AT_ONCE):
            some = chains[start : start + _CHAINS_AT_ONCE]
            query = _HEADS.format(", ".join(["(?)"] * len(some)))
            for name, number, tag, link in self._rows(query, some):
                found[name] = ChainHead(number, entry_of(tag, link))
        return found

    def chain_entry(self, chain: bytes, number: int) -> StoredEntry | None:
        """Return the entry of a number in a chain, or None."""
        query = f"SELECT {_COLUMNS} FROM entry WHERE chain = ? AND number = ?"
        rows = self._rows(query, (chain, number))
        return StoredEntry(*rows[0]) if rows else None

    def chain(self, name: bytes, before: int, limit: int) -> list[StoredEntry]:
        """Return the newest entries of a chain at positions below one, newest first."""
        query = (
            f"SELECT {_COLUMNS} FROM entry WHERE chain = ? AND position < ? "
            "ORDER BY number DESC LIMIT ?"
        )
        return [StoredEntry(*row) for row in self._rows(query, (name, before, limit))]

    def tags(self, start: int, stop: int) -> list[bytes]:
        """Return the tags at positions [start, stop), in order."""
        query = "SELECT tag FROM entry WHERE position >= ? AND position < ? ORDER BY position"
        return [row[0] for row in self._rows(query, (start, stop))]

    def links(self, start: int, stop: int) -> list[tuple[bytes, bytes]]:
        """Return tag and link at positions [start, stop), in order."""
        query = "SELECT tag, link FROM entry WHERE position >= ? AND position < ? ORDER BY position"
        return self._rows(query, (start, stop))

    def entries(self, start: int, stop: int) -> list[StoredEntry]:
        """Return the entries at positions [start, stop), in order."""
        return [StoredEntry(*row) for row in self.rows(start, stop)]

    def rows(self, start: int, stop: int) -> Sequence[Row]:
        """Return what `entries` does as plain rows."""
        query = (
            f"SELECT {_COLUMNS} FROM entry WHERE position >= ? AND position < ? ORDER BY position"
        )
        return self._rows(query, (start, stop))

    def spines(self, start: int, stop: int) -> dict[int, bytes]:
        """Return the rows of `tree` for leaves [start, stop), by leaf."""
        query = "SELECT leaf, hashes FROM tree WHERE leaf >= ? AND leaf < ?"
        return dict(self._rows(query, (start, stop)))

    def count(self) -> int:
        """Return one more than the highest position of any row, whatever was signed."""
        query = "SELECT max(position) FROM (SELECT max(position) AS position FROM entry UNION ALL "
        highest = self._rows(query + "SELECT max(leaf) FROM tree)")[0][0]
        return 0 if highest is None else int(highest) + 1

    def strays(self, size: int, limit: int) -> list[tuple[str, int]]:
        """Return table and position of rows that do not belong to a tree of this size."""
        query = (
            "SELECT 'entry', position FROM entry WHERE position < 0 OR position >= :size "
            "UNION ALL SELECT 'tree', leaf FROM tree WHERE leaf < 0 OR leaf >= :size LIMIT :limit"
        )
        return self._rows(query, {"size": size, "limit": limit})

    def hashes(self, nodes: Iterable[Node]) -> dict[Node, bytes]:
        """Return the hash of each perfect subtree."""
        wanted = list(nodes)
        leaves = {node.last_leaf for node in wanted}
        places = ", ".join("?" * len(leaves))
        query = f"SELECT leaf, hashes FROM tree WHERE leaf IN ({places})"
        return nodes_of(dict(self._rows(query, tuple(leaves))), wanted)

    def damage(self) -> list[str]:
        """Return what SQLite itself finds wrong with the file's pages and index; empty if sound."""
        rows = self._rows("PRAGMA integrity_check")
        return [str(row[0]) for row in rows if row[0] != "ok"]

    @contextmanager
    def _waiting_for_turn(self) -> Iterator[None]:
        with ExitStack() as stack:
            try:
                stack.enter_context(self._turn.held())
            except OSError as exc:
                raise LedgerError(f"the ledger's lock cannot be taken: {exc.strerror}") from exc
            yield

    def _disconnect(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()

    def _execute(self, query: str, values: Sequence[object] = ()) -> None:
        with self._wrapped() as connection:
            connection.execute(query, values)

    def _rows(self, query: str, values: Sequence[object] | Mapping[str, object] = ()) -> list[Any]:
        with self._wrapped() as connection:
            return connection.execute(query, values).fetchall()

    @contextmanager
    def _wrapped(self) -> Iterator[sqlite3.Connection]:
        try:
            if self._connection is None:
                self._connection = connect(self._path)
            yield self._connection
        except sqlite3.Error as exc:
            self._disconnect()
            raise LedgerError(f"the ledger file cannot be used: {exc}") from exc


def _insert(
    connection: sqlite3.Connection,
    table: str,
    columns: Sequence[str],
    rows: Sequence[Sequence[object]],
) -> None:
    """Insert rows, many to a statement.

    The driver lets other threads run at every statement, and each time this one, on which all of
    them wait, would have to queue up again. Powers of two keep the statements few enough to cache.
    """
    place = f"({', '.join('?' * len(columns))})"
    start = 0
    while start < len(rows):
        count = min(_ROWS_AT_ONCE, 1 << ((len(rows) - start).bit_length() - 1))
        values = [value for row in rows[start : start + count] for value in row]
        places = ", ".join([place] * count)
        connection.execute(f"INSERT INTO {table} ({', '.join(columns)}) VALUES {places}", values)
        start += count
