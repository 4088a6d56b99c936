"""Published serving data: one folder per version, one pointer to the version in service.

    serving/<version>/analytic.duckdb   clear columns only, for scans
    serving/<version>/subjects.sqlite   one sealed document per subject, blind indexes
    serving/<version>/manifest.json     what it was made from, digests of both files
    serving/current                     the version's name

A version is written beside the ones in service and becomes visible when the pointer is replaced,
which is atomic; a crash before that leaves a folder nobody points to. Readers open the new
version before they let go of the old one.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import sqlite3
import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

from hub.config import Settings
from hub.errors import NotFound, SourceError
from hub.files import sync_folder
from hub.store import lake

_KEEP_VERSIONS = 3
_SUBJECTS_SCHEMA = """
CREATE TABLE document (subject_key BLOB NOT NULL, sealed BLOB NOT NULL);
CREATE TABLE blind (kind TEXT NOT NULL, token BLOB NOT NULL, subject_key BLOB NOT NULL);
CREATE TABLE identity (identifier_key BLOB PRIMARY KEY, subject_key BLOB NOT NULL) WITHOUT ROWID;
"""
_MOST_ALIKE = 20
_ALIKE = (
    f"""CREATE TEMP TABLE twin AS SELECT token, subject_key FROM blind
    WHERE kind = 'name_birth' AND token IN (
        SELECT token FROM blind WHERE kind = 'name_birth'
        GROUP BY token HAVING count(*) BETWEEN 2 AND {_MOST_ALIKE})""",
    "CREATE INDEX temp.twin_token ON twin (token, subject_key)",
    """CREATE TEMP TABLE reach AS SELECT kind, token, subject_key FROM blind
    WHERE kind IN ('phone', 'address') AND subject_key IN (SELECT subject_key FROM twin)""",
    "CREATE INDEX temp.reach_subject ON reach (subject_key, kind, token)",
)
_ALIKE_PAIRS = """
SELECT a.subject_key, b.subject_key FROM twin a
JOIN twin b ON b.token = a.token AND b.subject_key > a.subject_key
WHERE EXISTS (
    SELECT 1 FROM reach p JOIN reach q ON q.kind = p.kind AND q.token = p.token
    WHERE p.subject_key = a.subject_key AND q.subject_key = b.subject_key
) ORDER BY a.subject_key, b.subject_key
"""


class SubjectsWriter:
    """Writes `subjects.sqlite` of a version being made, from nothing or from a copy of another."""

    def __init__(self, path: Path, base: Path | None = None) -> None:
        if base is not None:
            shutil.copyfile(base, path)
        # One thread at a time writes, not always the same.
        self._con = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        path.chmod(0o600)
        for pragma in (
            "journal_mode=OFF",
            "synchronous=OFF",
            "page_size=8192",
            "cache_size=-65536",
            "temp_store=MEMORY",
        ):
            self._con.execute(f"PRAGMA {pragma}")
        if base is None:
            self._con.executescript(_SUBJECTS_SCHEMA)
        self._con.execute("BEGIN")

    def forget(self, subject_keys: Iterable[bytes]) -> None:
        """Take documents and tokens of subjects out, before their new ones are added."""
        self._con.execute("CREATE TEMP TABLE gone (subject_key BLOB PRIMARY KEY)")
        self._con.executemany("INSERT INTO gone VALUES (?)", ((key,) for key in subject_keys))
        for table in ("document", "blind"):
            self._con.execute(
                f"DELETE FROM {table} WHERE subject_key IN (SELECT subject_key FROM gone)"
            )

    def documents(self, rows: Iterable[tuple[bytes, bytes]]) -> None:
        """Add (subject key, sealed document) rows."""
        self._con.executemany("INSERT INTO document VALUES (?, ?)", rows)

    def tokens(self, rows: Iterable[tuple[str, bytes, bytes]]) -> None:
        """Add (kind, blind token, subject key) rows."""
        self._con.executemany("INSERT INTO blind VALUES (?, ?, ?)", rows)

    def identities(self, rows: Iterable[tuple[bytes, bytes]]) -> None:
        """Add (identifier key, subject key) rows."""
        self._con.executemany("INSERT OR REPLACE INTO identity VALUES (?, ?)", rows)

    def alike(self) -> list[tuple[bytes, bytes]]:
        """Return the pairs of subjects under one name and birth date, and one phone or address.

        A name and birth date that more than `_MOST_ALIKE` subjects share is a filler, no likeness.
        """
        self._index()
        for statement in _ALIKE:
            self._con.execute(statement)
        pairs: list[tuple[bytes, bytes]] = self._con.execute(_ALIKE_PAIRS).fetchall()
        return pairs

    def close(self) -> int:
        """Index what was written, close the file and return how many subjects it has."""
        self._index()
        (count,) = self._con.execute("SELECT count(*) FROM document").fetchone()
        self._con.execute("COMMIT")
        self._con.close()
        return int(count)

    def _index(self) -> None:
        for index, on in (
            ("UNIQUE INDEX IF NOT EXISTS document_subject", "document (subject_key)"),
            ("INDEX IF NOT EXISTS blind_token", "blind (kind, token, subject_key)"),
        ):
            self._con.execute(f"CREATE {index} ON {on}")


class Snapshot:
    """One published version, open for reading; `lake_snapshot` is what it was made of."""

    def __init__(self, folder: Path, settings: Settings) -> None:
        self.version = folder.name
        self._folder = folder
        self._settings = settings
        self._lock = threading.Lock()
        self._analytic: lake.Connection | None = None
        try:
            self.manifest: Mapping[str, Any] = json.loads((folder / "manifest.json").read_bytes())
            self.lake_snapshot = int(self.manifest["lake_snapshot"])
            self._subjects = _opened(folder / "subjects.sqlite")
            self._subjects.execute("SELECT 1 FROM document LIMIT 1")
        except (OSError, KeyError, TypeError, ValueError, sqlite3.Error) as exc:
            raise SourceError(f"published snapshot {folder.name} cannot be opened") from exc

    def subject(self, subject_key: bytes) -> bytes | None:
        """Return the sealed document of a subject, or None when there is none."""
        row = self._one("SELECT sealed FROM document WHERE subject_key = ?", (subject_key,))
        return row[0] if row else None

    def documents(self) -> Iterator[tuple[bytes, bytes]]:
        """Yield (subject key, sealed document) of every subject, in key order.

        Through a connection of its own, so that look-ups go on meanwhile.

        Raises:
            SourceError: when they cannot be read, also after some of them.
        """
        try:
            with closing(_opened(self._folder / "subjects.sqlite")) as connection:
                yield from connection.execute(
                    "SELECT subject_key, sealed FROM document ORDER BY subject_key"
                )
        except sqlite3.Error as exc:
            raise SourceError(f"published snapshot {self.version} cannot be read") from exc

    def identity(self, identifier_key: bytes) -> bytes | None:
        """Return the subject key that an identifier key stands for, or None."""
        row = self._one(
            "SELECT subject_key FROM identity WHERE identifier_key = ?", (identifier_key,)
        )
        return row[0] if row else None

    def find(self, kind: str, token: bytes, limit: int = 50) -> tuple[bytes, ...]:
        """Return the subject keys under a blind token, at most `limit`, in key order."""
        with self._lock:
            rows = self._subjects.execute(
                "SELECT subject_key FROM blind WHERE kind = ? AND token = ? "
                "ORDER BY subject_key LIMIT ?",
                (kind, token, limit),
            ).fetchall()
        return tuple(row[0] for row in rows)

    def has_counts(self, table: str) -> bool:
        """Say whether this version has a dataset, or `person`, to count.

        Raises:
            SourceError: when the analytic database cannot be read.
        """
        return bool(self.analytic("SELECT 1 FROM duckdb_tables() WHERE table_name = ?", (table,)))

    def analytic(self, sql: str, params: Sequence[object] = ()) -> list[dict[str, Any]]:
        """Return rows of a query over the analytic database (read only, no file access).

        Raises:
            SourceError: when the engine refuses it.
        """
        with self._lock:
            if self._analytic is None:
                self._analytic = lake.open_analytic(
                    self._folder / "analytic.duckdb", self._settings
                )
        return lake.analytic_rows(self._analytic, sql, params)

    def close(self) -> None:
        """Let go of the files."""
        with self._lock:
            self._subjects.close()
            if self._analytic is not None:
                self._analytic.close()

    def _one(self, sql: str, params: tuple[bytes]) -> tuple[Any, ...] | None:
        with self._lock:
            row: tuple[Any, ...] | None = self._subjects.execute(sql, params).fetchone()
        return row


class SnapshotStore:
    """Finds, opens and publishes snapshots."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._pointer = settings.serving / "current"
        self._lock = threading.Lock()
        self._open: Snapshot | None = None
        self._retired: Snapshot | None = None
        self._seen: tuple[int, int] | None = None

    def version(self) -> str | None:
        """Return the name of the version in service, or None before the first publication."""
        try:
            return self._pointer.read_text().strip()
        except FileNotFoundError:
            return None

    def current(self) -> Snapshot:
        """Return the version in service, reopened when the pointer has moved.

        The version before it is closed only when the one after it has been opened, so that a
        request that still reads it can finish.

        Raises:
            NotFound: before the first publication.
            SourceError: when the version cannot be opened; the one open before stays open.
        """
        try:
            stat = self._pointer.stat()
        except FileNotFoundError:
            raise NotFound("nothing is published yet: run `hub run` after a delivery") from None
        seen = (stat.st_ino, stat.st_mtime_ns)
        with self._lock:
            if self._open is None or seen != self._seen:
                self._reopen()
                self._seen = seen
            assert self._open is not None
            return self._open

    def _reopen(self) -> None:
        folder = self._settings.serving / (self.version() or "")
        if self._open is not None and self._open.version == folder.name:
            return
        fresh = Snapshot(folder, self._settings)
        if self._retired is not None:
            self._retired.close()
        self._retired, self._open = self._open, fresh

    def in_service(self) -> tuple[Path, Mapping[str, Any]] | None:
        """Return folder and manifest of the version in service, or None when there is none whole."""
        folder = self._settings.serving / (self.version() or "none")
        try:
            return folder, json.loads((folder / "manifest.json").read_bytes())
        except (OSError, ValueError):
            return None

    def begin(self, version: str) -> Path:
        """Return an empty folder for a version to be made."""
        folder = self._settings.serving / version
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(mode=0o700, parents=True)
        return folder

    def publish(
        self, version: str, lake_snapshot: int, manifest: Mapping[str, Any]
    ) -> dict[str, Any]:
        """Put a finished version in service and drop versions older than the last three.

        Args:
            lake_snapshot: number of the lake snapshot it was made of.
            manifest: what else is to be remembered of it.

        Returns:
            The manifest as written, with the SHA-256 of both files.
        """
        folder = self._settings.serving / version
        whole = {**manifest, "version": version, "lake_snapshot": lake_snapshot}
        whole["sha256"] = {
            name: _sha256(folder / name) for name in ("analytic.duckdb", "subjects.sqlite")
        }
        _write_durably(folder / "manifest.json", json.dumps(whole, indent=1).encode())
        sync_folder(folder)
        _write_durably(self._pointer, version.encode())
        self._prune(version)
        return whole

    def _prune(self, version: str) -> None:
        versions = sorted(
            (p for p in self._settings.serving.iterdir() if p.is_dir()), key=lambda p: p.name
        )
        for folder in versions[:-_KEEP_VERSIONS]:
            if folder.name != version:
                shutil.rmtree(folder, ignore_errors=True)


def _opened(path: Path) -> sqlite3.Connection:
    return sqlite3.connect(
        f"{path.absolute().as_uri()}?mode=ro&immutable=1", uri=True, check_same_thread=False
    )


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        os.fsync(file.fileno())
        return hashlib.file_digest(file, "sha256").hexdigest()


def _write_durably(path: Path, data: bytes) -> None:
    temporary = path.with_name(path.name + ".new")
    with temporary.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(path)
    sync_folder(path.parent)
