"""Connections to a ledger's PostgreSQL database, and the making of its tables.

Nothing is asked of a server that others could listen to or pretend to be, nor of one that confirms
what is not on its disk. What the driver says of an error is passed on without its details, which
quote keys and values.

Source: PostgreSQL, "Database Connection Control Functions" (libpq), "Write Ahead Log" (settings).
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager
from ipaddress import ip_address
from typing import Any, TypeAlias

import psycopg
from psycopg import errors, pq
from psycopg.conninfo import conninfo_to_dict

from hub.errors import LedgerError

Connection: TypeAlias = psycopg.Connection[Any]

_KIND = "mingjing ledger 2"  # comment of the schema: whose it is, and the version of its tables
_SCHEMA = f"""
CREATE SCHEMA ledger;
COMMENT ON SCHEMA ledger IS '{_KIND}';
CREATE TABLE ledger.entry (
    position bigint PRIMARY KEY,
    tag bytea NOT NULL,
    link bytea NOT NULL,
    chain bytea NOT NULL,
    number bigint NOT NULL,
    record bytea,
    salt bytea,
    content bytea,
    event text NOT NULL,
    time text NOT NULL,
    erased_by bigint
);
CREATE UNIQUE INDEX entry_chain ON ledger.entry (chain, number);
CREATE TABLE ledger.tree (leaf bigint PRIMARY KEY, hashes bytea NOT NULL);
CREATE TABLE ledger.head (id smallint PRIMARY KEY CHECK (id = 1), note text NOT NULL);
CREATE TABLE ledger.published (
    id smallint PRIMARY KEY CHECK (id = 1), note text NOT NULL, size bigint NOT NULL,
    time text NOT NULL
);
"""
_OPTIONS = " ".join(
    f"-c {option}"
    for option in (
        "search_path=ledger,pg_temp",  # nobody else's table or function comes before ours
        "client_encoding=UTF8",
        "synchronous_commit=on",
        "lock_timeout=30s",
        "idle_in_transaction_session_timeout=60s",  # who stops while holding the lock loses it
        "enable_seqscan=off",  # a plan made while a table was small would be kept as it grows
        "jit=off",  # to compile a query costs more than any of ours
    )
)
_STATE = (
    "SELECT obj_description(to_regnamespace('ledger')::oid, 'pg_namespace'), "
    "current_setting('fsync'), current_setting('synchronous_commit')"
)


def is_there(url: str) -> bool:
    """Say whether the database holds a ledger, ours or another's.

    Raises:
        LedgerError: when the database cannot be reached.
    """
    with told_without_details(), closing(connect(url)) as connection:
        row = connection.execute("SELECT to_regnamespace('ledger') IS NOT NULL").fetchone()
    return bool(row and row[0])


def create(url: str, note: str) -> None:
    """Make an empty ledger in the database, whole or not at all; one that exists is left alone.

    Args:
        url: of a database whose owner the hub is, or in which it may create a schema.
        note: the signed head of the empty tree.
    Raises:
        LedgerError: when it cannot be made.
    """
    with told_without_details(), closing(connect(url)) as connection:
        try:
            with connection.transaction():
                connection.execute(_SCHEMA.encode())
                connection.execute("INSERT INTO head (id, note) VALUES (1, %s)", (note,))
        except (errors.DuplicateSchema, errors.UniqueViolation):
            pass  # another process was first


def is_guarded(hosts: str, sslmode: str) -> bool:
    """Say whether nobody on the way can read along or pretend to be the database.

    Args:
        hosts: names, addresses or socket folders, separated by commas, as libpq takes them.
        sslmode: libpq's word for what is asked of TLS.
    """
    return sslmode == "verify-full" or all(map(_is_here, hosts.split(",")))


def _is_here(host: str) -> bool:
    if not host or host == "localhost" or host.startswith(("/", "@")):
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def connect(url: str) -> Connection:
    """Return a connection to a database, whether there is a ledger in it or not.

    Raises:
        LedgerError: when the way to it is not guarded.
        psycopg.Error: when it cannot be reached.
    """
    defaults = {o.keyword.decode(): (o.val or b"").decode() for o in pq.Conninfo.get_defaults()}
    given = {**defaults, **conninfo_to_dict(url)}  # as libpq will take them, before it connects
    if not is_guarded(str(given["hostaddr"] or given["host"]), str(given["sslmode"])):
        raise LedgerError("the database is on another machine: say sslmode=verify-full")
    return psycopg.connect(
        url,
        autocommit=True,  # the transactions are ours
        connect_timeout=10,
        application_name="mingjing-ledger",
        options=_OPTIONS,
    )


def opened(url: str) -> Connection:
    """Return a connection to a database with a ledger, on a server that keeps what it promises.

    Raises:
        LedgerError: when it is no such database or server.
        psycopg.Error: when it cannot be reached.
    """
    connection = connect(url)
    try:
        kind, fsync, commit = connection.execute(_STATE).fetchone() or ("", "", "")
        if kind != _KIND:
            raise LedgerError(
                "the database holds no ledger of this version: restore it or create a ledger"
            )
        if (fsync, commit) != ("on", "on"):
            raise LedgerError(
                "the database server confirms what is not on its disk: set fsync = on there"
            )
    except BaseException:
        connection.close()
        raise
    return connection


@contextmanager
def told_without_details() -> Iterator[None]:
    """Turn an error of the driver into ours; its details, which quote keys and values, are left."""
    try:
        yield
    except psycopg.Error as exc:
        lines = (exc.diag.message_primary or str(exc)).splitlines() or [type(exc).__name__]
        raise LedgerError(f"the ledger's database cannot be used: {lines[0]}") from None
