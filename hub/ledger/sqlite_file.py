"""The file that a ledger in SQLite is: its tables, how it is made, how it is opened."""

from __future__ import annotations

import os
import sqlite3
from pathlib import Path

from hub.errors import LedgerError
from hub.files import sync_folder

BUSY_SECONDS = 30.0

_APPLICATION_ID = 0x4D4A4C47  # "MJLG"
_VERSION = 2
_SCHEMA = """
CREATE TABLE entry (
    position INTEGER PRIMARY KEY,
    tag BLOB NOT NULL,
    link BLOB NOT NULL,
    chain BLOB NOT NULL,
    number INTEGER NOT NULL,
    record BLOB,
    salt BLOB,
    content BLOB,
    event TEXT NOT NULL,
    time TEXT NOT NULL,
    erased_by INTEGER
);
CREATE UNIQUE INDEX entry_chain ON entry (chain, number);
CREATE TABLE tree (leaf INTEGER PRIMARY KEY, hashes BLOB NOT NULL);
CREATE TABLE head (id INTEGER PRIMARY KEY CHECK (id = 1), note TEXT NOT NULL);
CREATE TABLE published (
    id INTEGER PRIMARY KEY CHECK (id = 1), note TEXT NOT NULL, size INTEGER NOT NULL,
    time TEXT NOT NULL
);
"""


def create(path: Path, note: str) -> None:
    """Make an empty ledger file, mode 0600, whole or not at all; one that exists is left alone.

    Args:
        note: the signed head of the empty tree.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f"{path.name}.{os.getpid()}.{os.urandom(4).hex()}.new")
    os.close(os.open(temporary, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
    try:
        _fill(temporary, note)
        os.link(temporary, path)  # fails where another process was first
        sync_folder(path.parent)
    except FileExistsError:
        pass
    finally:
        temporary.unlink()


def connect(path: Path) -> sqlite3.Connection:
    """Open a ledger file.

    Raises:
        LedgerError: when it is missing or of another kind; it is never made anew here.
        sqlite3.Error: when it cannot be read.
    """
    if not path.exists():
        raise LedgerError(f"there is no ledger file {path.name}: restore it or create a ledger")
    connection = sqlite3.connect(
        path, timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=False
    )
    try:
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("PRAGMA fullfsync = ON")  # macOS: reach the disk, not its cache
        version = connection.execute("PRAGMA user_version").fetchone()[0]
    except BaseException:
        connection.close()
        raise
    if version != _VERSION:
        connection.close()
        raise LedgerError(f"{path.name} is no ledger of version {_VERSION}")
    return connection


def _fill(path: Path, note: str) -> None:
    connection = sqlite3.connect(path, isolation_level=None)
    try:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
        connection.executescript(
            f"BEGIN; PRAGMA application_id = {_APPLICATION_ID}; "
            f"PRAGMA user_version = {_VERSION}; {_SCHEMA}"
        )
        connection.execute("INSERT INTO head (id, note) VALUES (1, ?)", (note,))
        connection.execute("COMMIT")
    except sqlite3.Error as exc:
        raise LedgerError(f"the ledger file cannot be made: {exc}") from exc
    finally:
        connection.close()
