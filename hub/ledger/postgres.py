"""A ledger in a PostgreSQL database, for a hub of several machines.

The tables are those of `hub.ledger.store`, in a schema of their own. Whoever writes first locks the
row of `head` (`SELECT … FOR UPDATE`): one writer at a time, whatever machine it is on. The lock is
part of the transaction, so that a writer that dies, or whose connection does, leaves neither lock
nor entries behind. Every statement after it sees what the writer before has committed.

Durable means that the server has flushed its write-ahead log: `synchronous_commit` is set by every
connection, and a server with `fsync = off` is refused. A driver error closes the connection;
nothing of the transaction is applied, except that a connection that breaks during COMMIT leaves
unknown whether it was. The next call connects anew.

Source: PostgreSQL, "Explicit Locking" (row-level locks), COPY.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from typing import Any, TypeVar

import psycopg
from psycopg import errors

from hub.errors import LedgerError, RequestError, TamperDetected
from hub.ledger.entry import entry_of
from hub.ledger.merkle import Node
from hub.ledger.postgres_connection import Connection, connect, opened, told_without_details
from hub.ledger.store import ChainHead, Row, StoredEntry, StoredPublication, nodes_of

_T = TypeVar("_T")

_ENTRY_TYPES = (
    *("int8", "bytea", "bytea", "bytea", "int8"),
    *("bytea", "bytea", "bytea", "text", "text", "int8"),
)
_WRITING = (
    "BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE; SELECT id FROM head WHERE id = 1 FOR UPDATE"
)
_READING = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"
_HEADS = (
    "SELECT wanted.chain, newest.number, newest.tag, newest.link "
    "FROM unnest(%s::bytea[]) AS wanted (chain) CROSS JOIN LATERAL "
    "(SELECT number, tag, link FROM entry WHERE entry.chain = wanted.chain "
    "ORDER BY number DESC LIMIT 1) AS newest"
)
_COLUMNS = ", ".join(StoredEntry._fields)
_AT = "position >= %s AND position < %s ORDER BY position"


class PostgresStore:
    """One connection to a ledger's database; see `hub.ledger.store.Store`.

    Args:
        url: `postgresql://USER@HOST/DATABASE`, without a password: libpq takes that from
            PGPASSWORD or the file PGPASSFILE names.
    """

    def __init__(self, url: str) -> None:
        self._url = url
        self._connection: Connection | None = None
        self._within = False  # a transaction

    def close(self) -> None:
        """Let go of the connection; the next call opens another."""
        self._disconnect()

    @contextmanager
    def transaction(self, *, write: bool = True) -> Iterator[None]:
        """Run a block as one transaction, the only writing one; durable on leaving."""
        try:
            self._run(lambda c: c.execute(_WRITING if write else _READING, prepare=False))
            self._within = True
            yield
            self.commit()
        except BaseException:
            self._disconnect()  # rolls back; a connection that failed is never trusted again
            raise
        finally:
            self._within = False

    def commit(self) -> None:
        """Make the transaction durable: the server's write-ahead log is flushed on return."""
        self._execute("COMMIT")

    def note(self) -> str:
        """Return the latest signed tree head."""
        notes = [row[0] for row in self._rows("SELECT note FROM head")]
        if len(notes) != 1 or not isinstance(notes[0], str):
            raise TamperDetected("the ledger's signed head is gone: restore the ledger")
        return notes[0]

    def write_note(self, note: str) -> None:
        """Replace the latest signed tree head."""
        self._execute("UPDATE head SET note = %s WHERE id = 1", (note,))

    def published(self) -> StoredPublication | None:
        """Return what was last made public, None before the first time."""
        rows = self._rows("SELECT note, size, time FROM published")
        return StoredPublication(*rows[0]) if rows else None

    def write_published(self, publication: StoredPublication) -> None:
        """Remember what is made public."""
        self._execute(
            "INSERT INTO published (id, note, size, time) VALUES (1, %s, %s, %s) ON CONFLICT (id) "
            "DO UPDATE SET note = EXCLUDED.note, size = EXCLUDED.size, time = EXCLUDED.time",
            publication,
        )

    def append(self, entries: Sequence[StoredEntry], spines: Sequence[bytes]) -> None:
        """Add entries and, for each, the hashes of the subtrees it completed."""
        leaves = [(e.position, spine) for e, spine in zip(entries, spines, strict=True)]

        def copy(connection: Connection) -> None:
            try:
                _copy(connection, f"entry ({_COLUMNS})", _ENTRY_TYPES, entries)
                _copy(connection, "tree (leaf, hashes)", ("int8", "bytea"), leaves)
            except errors.UniqueViolation:
                raise TamperDetected(
                    f"rows stand at entry {entries[0].position} or after, beyond the signed tree, "
                    "or beyond the end of a chain"
                ) from None

        self._run(copy)

    def erase(self, position: int, content: bytes, erased_by: int) -> None:
        """Forget an entry's record and salt; what they committed to stays. See `scrub`."""
        query = (
            "UPDATE entry SET record = NULL, salt = NULL, content = %s, erased_by = %s "
            "WHERE position = %s AND record IS NOT NULL"
        )
        values = (content, erased_by, position)
        if self._run(lambda connection: connection.execute(query, values).rowcount) != 1:
            raise RequestError(f"entry {position} is erased already")

    def scrub(self) -> None:
        """Let go of the row that an erasure left behind, so that no query can reach it again.

        Its bytes lie in the table's file until other rows take their place, or until the table is
        written anew (`VACUUM FULL`); docs/operations.md says what that and the write-ahead log ask
        of whoever runs the server.
        """
        self._execute("VACUUM entry")

    def heads(self, chains: Sequence[bytes]) -> dict[bytes, ChainHead]:
        """Return the newest entry of each chain that has one."""
        rows = self._rows(_HEADS, (list(chains),))
        return {name: ChainHead(number, entry_of(tag, link)) for name, number, tag, link in rows}

    def entry(self, position: int) -> StoredEntry | None:
        """Return one entry, or None."""
        return self._one("position = %s", (position,))

    def entries(self, start: int, stop: int) -> list[StoredEntry]:
        """Return the entries at positions [start, stop), in order."""
        return self._entries(_AT, (start, stop))

    def rows(self, start: int, stop: int) -> Sequence[Row]:
        """Return what `entries` does as plain rows."""
        return self._rows(f"SELECT {_COLUMNS} FROM entry WHERE {_AT}", (start, stop))

    def chain_entry(self, chain: bytes, number: int) -> StoredEntry | None:
        """Return the entry of a number in a chain, or None."""
        return self._one("chain = %s AND number = %s", (chain, number))

    def chain(self, name: bytes, before: int, limit: int) -> list[StoredEntry]:
        """Return the newest entries of a chain at positions below one, newest first."""
        where = "chain = %s AND position < %s ORDER BY number DESC LIMIT %s"
        return self._entries(where, (name, before, limit))

    def tags(self, start: int, stop: int) -> list[bytes]:
        """Return the tags at positions [start, stop), in order."""
        return [row[0] for row in self._rows(f"SELECT tag FROM entry WHERE {_AT}", (start, stop))]

    def links(self, start: int, stop: int) -> list[tuple[bytes, bytes]]:
        """Return tag and link at positions [start, stop), in order."""
        return self._rows(f"SELECT tag, link FROM entry WHERE {_AT}", (start, stop))

    def spines(self, start: int, stop: int) -> dict[int, bytes]:
        """Return the rows of `tree` for leaves [start, stop), by leaf."""
        query = "SELECT leaf, hashes FROM tree WHERE leaf >= %s AND leaf < %s"
        return dict(self._rows(query, (start, stop)))

    def hashes(self, nodes: Iterable[Node]) -> dict[Node, bytes]:
        """Return the hash of each perfect subtree."""
        wanted = list(nodes)
        leaves = list({node.last_leaf for node in wanted})
        query = "SELECT leaf, hashes FROM tree WHERE leaf = ANY(%s::bigint[])"
        return nodes_of(dict(self._rows(query, (leaves,))), wanted)

    def count(self) -> int:
        """Return one more than the highest position of any row, whatever was signed."""
        query = "SELECT greatest((SELECT max(position) FROM entry), (SELECT max(leaf) FROM tree))"
        highest = self._rows(query)[0][0]
        return 0 if highest is None else int(highest) + 1

    def strays(self, size: int, limit: int) -> list[tuple[str, int]]:
        """Return table and position of rows that do not belong to a tree of this size."""
        return self._rows(
            "SELECT 'entry', position FROM entry WHERE position < 0 OR position >= %(size)s "
            "UNION ALL SELECT 'tree', leaf FROM tree WHERE leaf < 0 OR leaf >= %(size)s "
            "LIMIT %(limit)s",
            {"size": size, "limit": limit},
        )

    def damage(self) -> list[str]:
        """Return what the server finds wrong with the indexes, where it has `amcheck`.

        Damage to the tables' own pages is for the server's checksums; it fails the query then.
        """
        found = self._rows(
            "SELECT quote_ident(nspname) FROM pg_extension "
            "JOIN pg_namespace ON pg_namespace.oid = extnamespace WHERE extname = 'amcheck'"
        )
        if not found:
            return []
        check = (
            f"SELECT {found[0][0]}.bt_index_check(i, true) "
            "FROM unnest(ARRAY['entry_pkey', 'entry_chain', 'tree_pkey']::regclass[]) AS i"
        )
        with told_without_details(), closing(connect(self._url)) as connection:
            try:
                connection.execute(check.encode())
            except errors.IndexCorrupted as exc:
                return [exc.diag.message_primary or "an index is damaged"]
        return []

    def _one(self, where: str, values: Sequence[object]) -> StoredEntry | None:
        rows = self._entries(where, values)
        return rows[0] if rows else None

    def _entries(self, where: str, values: Sequence[object]) -> list[StoredEntry]:
        rows = self._rows(f"SELECT {_COLUMNS} FROM entry WHERE {where}", values)
        return [StoredEntry(*row) for row in rows]

    def _disconnect(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()

    def _execute(self, query: str, values: Sequence[object] | None = None) -> None:
        self._run(lambda connection: connection.execute(query.encode(), values))

    def _rows(
        self, query: str, values: Sequence[object] | Mapping[str, object] | None = None
    ) -> list[Any]:
        statement = query.encode()
        return self._run(lambda c: c.execute(statement, values, binary=True).fetchall())

    def _run(self, work: Callable[[Connection], _T]) -> _T:
        """Do something over the connection, which is closed if that fails.

        One that was lost while it was idle, as when the server was started anew, is replaced.
        """
        try:
            with told_without_details():
                if self._connection is not None and not self._within:
                    try:
                        return work(self._connection)
                    except psycopg.OperationalError:
                        if not self._connection.broken:
                            raise
                        self._disconnect()
                if self._connection is None:
                    if self._within:
                        raise LedgerError("the ledger's transaction has ended already")
                    self._connection = opened(self._url)
                return work(self._connection)
        except LedgerError:
            self._disconnect()
            raise


def _copy(
    connection: Connection, into: str, types: Sequence[str], rows: Iterable[Sequence[object]]
) -> None:
    with connection.cursor() as cursor:
        statement = f"COPY {into} FROM STDIN (FORMAT BINARY)"
        with cursor.copy(statement.encode()) as copy:
            copy.set_types(types)
            for row in rows:
                copy.write_row(row)
