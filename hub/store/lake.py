"""The lake: DuckDB as engine, DuckLake as table format. The only module that imports duckdb.

Extensions come from installed Python packages, never from the network. Catalogue and data are
embedded by default (SQLite and local Parquet); a PostgreSQL catalogue and S3-compatible storage
take the same SQL. Parquet files are encrypted with keys that only the catalogue holds.

Tables:
    lake.register."<dataset>": every version of every record (batch_id and valid_from say what
        brought it, ended_by and valid_to what closed it).
    lake.quarantine.row: rows that failed a check, sealed, with the rules they failed.
    lake.identity.map: identifier key -> subject key.
    lake.meta.batch: the batches whose rows are in the lake, written in the same transaction.

Source: DuckLake 1.0 specification.
"""

from __future__ import annotations

import os
import random
import secrets
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol, TypeVar

import duckdb
import duckdb_extensions
from duckdb.func import PythonUDFType

from hub.catalog import Column, Dataset
from hub.config import Settings
from hub.errors import SourceError
from hub.quoting import identifier, literal

Connection = duckdb.DuckDBPyConnection
Result = TypeVar("Result")

_SQL_TYPES = {
    "string": "VARCHAR",
    "integer": "BIGINT",
    "number": "DOUBLE",
    "boolean": "BOOLEAN",
    "date": "DATE",
    "timestamp": "TIMESTAMP",
}
_CLEAR_AS = {
    "year": ("INTEGER", "year({0})"),
    "month": ("VARCHAR", "strftime({0}, '%Y-%m')"),
    "age_band": ("VARCHAR", "printf('%d0s', year({0}) // 10 % 10)"),
}
_COMMIT_TRIES = 8
_EXTENSION_LOCK = threading.Lock()


def register_table(dataset: str) -> str:
    """Return the qualified name of a dataset's register in the lake."""
    return f"lake.register.{identifier(dataset)}"


def clear_columns(dataset: Dataset) -> tuple[tuple[str, str, str], ...]:
    """Return the columns that stay in the clear.

    Returns:
        (name, SQL type, SQL expression over the accepted row), in contract order.
    """
    found: list[tuple[str, str, str]] = []
    for column in dataset.columns:
        if not column.sealed:
            found.append((column.name, _SQL_TYPES[column.logical_type], identifier(column.name)))
        for name, how in column.clear_as.items():
            sql_type, template = _CLEAR_AS[how]
            found.append((name, sql_type, template.format(identifier(column.name))))
    return tuple(found)


def sealed_columns(dataset: Dataset) -> tuple[Column, ...]:
    """Return the columns that leave the clear, in contract order."""
    return tuple(c for c in dataset.columns if c.sealed)


def abandoned_spills(settings: Settings) -> list[Path]:
    """Return the folders of spilled data whose process was killed before it could remove them."""
    return [
        folder
        for folder in settings.work.glob("spill-*")
        if not _is_running(int(folder.name.split("-")[1]))
    ]


def _is_running(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True  # another user's
    return True


def _spill_folder(settings: Settings) -> Path:
    """Return where a new connection may spill; DuckDB makes and removes the folder."""
    return settings.work / f"spill-{os.getpid()}-{secrets.token_hex(4)}"


def open_workspace(settings: Settings) -> Connection:
    """Return an in-memory DuckDB that may spill, encrypted, to the work folder.

    It cannot load anything from the network. Several cursors of it see the same tables.
    """
    settings.work.mkdir(mode=0o700, parents=True, exist_ok=True)
    con = duckdb.connect(
        config={
            "threads": settings.threads,
            "memory_limit": settings.memory_limit,
            # A folder of its own: DuckDB will not encrypt beside files that a killed process left.
            "temp_directory": str(_spill_folder(settings)),
            "autoinstall_known_extensions": False,
            "autoload_known_extensions": False,
            "allow_community_extensions": False,
        }
    )
    _load(con, "httpfs")  # brings the crypto that encrypted writes need
    con.execute("SET temp_file_encryption = true")
    con.execute("SET TimeZone = 'UTC'")
    return con


@contextmanager
def trial() -> Iterator[Callable[[str], str | None]]:
    """Give what says why the engine refuses a statement, or None; it sees no file and no data."""
    con = duckdb.connect(config={"threads": 1, "enable_external_access": False})

    def refusal(sql: str) -> str | None:
        try:
            con.execute(sql).fetchall()
        except duckdb.Error as exc:
            return str(exc).splitlines()[0]
        return None

    try:
        yield refusal
    finally:
        con.close()


def _load(con: Connection, extension: str) -> None:
    with _EXTENSION_LOCK:  # the import hook copies the extension into place on first use
        duckdb_extensions.import_extension(extension)
    con.execute(f"LOAD {extension}")


def open_lake(settings: Settings) -> Connection:
    """Return a workspace with the lake attached as `lake`, its tables made if they are not."""
    con = open_workspace(settings)
    for extension in ("sqlite_scanner", "ducklake"):
        _load(con, extension)
    settings.lake.mkdir(mode=0o700, parents=True, exist_ok=True)
    catalogue, data = settings.lake / "catalogue.sqlite", settings.lake / "data"
    con.execute(
        f"ATTACH {literal(f'ducklake:sqlite:{catalogue}')} AS lake "
        f"(DATA_PATH {literal(f'{data}/')}, OVERRIDE_DATA_PATH, ENCRYPTED)"  # homes may be moved
    )
    catalogue.chmod(0o600)
    for statement in _FOUNDATION:
        con.execute(statement)
    return con


_FOUNDATION = (
    "CREATE SCHEMA IF NOT EXISTS lake.register",
    "CREATE SCHEMA IF NOT EXISTS lake.quarantine",
    "CREATE SCHEMA IF NOT EXISTS lake.identity",
    "CREATE SCHEMA IF NOT EXISTS lake.integrated",
    "CREATE SCHEMA IF NOT EXISTS lake.meta",
    """CREATE TABLE IF NOT EXISTS lake.quarantine.row (
        dataset VARCHAR, batch_id VARCHAR, row_number BIGINT, failed_rules VARCHAR[],
        record_key BLOB, sealed BLOB)""",
    """CREATE TABLE IF NOT EXISTS lake.identity.map (
        identifier_key BLOB, subject_key BLOB, since TIMESTAMPTZ, reason VARCHAR)""",
    """CREATE TABLE IF NOT EXISTS lake.meta.batch (
        batch_id VARCHAR, what VARCHAR, done_at TIMESTAMPTZ)""",
)


def ensure_register(con: Connection, dataset: Dataset) -> None:
    """Make the register of a dataset, or add the columns that its contract has gained."""
    columns = [
        ("record_key", "BLOB"),
        ("content_mac", "BLOB"),
        ("batch_id", "VARCHAR"),
        ("valid_from", "TIMESTAMPTZ"),
        ("valid_to", "TIMESTAMPTZ"),
        ("ended_by", "VARCHAR"),
        *((f"{role}_key", "BLOB") for role in dataset.subjects),
        *((name, sql_type) for name, sql_type, _ in clear_columns(dataset)),
        ("sealed", "BLOB"),
    ]
    table = register_table(dataset.name)
    body = ", ".join(f"{identifier(name)} {sql_type}" for name, sql_type in columns)
    con.execute(f"CREATE TABLE IF NOT EXISTS {table} ({body})")
    present = {row[0] for row in con.execute(f"DESCRIBE {table}").fetchall()}
    for name, sql_type in columns:
        if name not in present:
            con.execute(f"ALTER TABLE {table} ADD COLUMN {identifier(name)} {sql_type}")


def registers(con: Connection) -> frozenset[str]:
    """Return the names of the datasets that have a register."""
    rows = con.execute(
        "SELECT table_name FROM duckdb_tables() "
        "WHERE database_name = 'lake' AND schema_name = 'register'"
    ).fetchall()
    return frozenset(row[0] for row in rows)


def lake_snapshot(con: Connection) -> int:
    """Return the number of the lake's newest snapshot."""
    row = con.execute("FROM lake.current_snapshot()").fetchone()
    return int(row[0]) if row else 0


def in_transaction(
    con: Connection,
    work: Callable[[Connection], Result],
    *,
    rng: random.Random,
    sleep: Callable[[float], None] = time.sleep,
) -> Result:
    """Run work in one lake transaction, again with jitter when another writer was faster.

    A process killed inside leaves either everything or nothing of it.

    Raises:
        SourceError: retryable, when the catalogue stayed locked.
    """
    for attempt in range(_COMMIT_TRIES):
        try:
            con.execute("BEGIN")
            result = work(con)
            con.execute("COMMIT")
        except duckdb.Error as exc:
            _rollback(con)
            if not _is_contention(exc):
                raise _failed("a transaction", exc) from None
            sleep(rng.uniform(0.05, 0.2) * 2**attempt)
        except BaseException:
            _rollback(con)
            raise
        else:
            return result
    raise SourceError("the lake's catalogue stayed locked; try again", retryable=True)


def _is_contention(exc: duckdb.Error) -> bool:
    text = str(exc).lower()
    return "locked" in text or "conflict" in text


@contextmanager
def guarded(what: str) -> Iterator[None]:
    """Turn an engine's error into ours: its text may hold a value of a row, so it goes no further.

    Raises:
        SourceError: names what was done and the kind of error only.
    """
    try:
        yield
    except duckdb.Error as exc:
        raise _failed(what, exc) from None


def _failed(what: str, exc: duckdb.Error) -> SourceError:
    return SourceError(f"the engine refused {what} ({type(exc).__name__})")


def _rollback(con: Connection) -> None:
    try:
        con.execute("ROLLBACK")
    except duckdb.Error:
        return  # the engine had already rolled it back


def batches(con: Connection, sql: str, size: int = 20_000) -> Iterator[dict[str, list[Any]]]:
    """Stream a query's rows in bounded memory on a cursor of its own.

    Yields:
        column name -> list of values, at most `size` rows at a time.
    """
    cursor = con.cursor()
    try:
        for batch in cursor.execute(sql).to_arrow_reader(size):
            yield {name: batch.column(i).to_pylist() for i, name in enumerate(batch.schema.names)}
    finally:
        cursor.close()


class Interruptible(Protocol):
    """A connection whose statement another thread can stop."""

    def execute(self, query: str, /) -> Any:
        """Run one statement."""
        ...

    def interrupt(self) -> None:
        """Stop the statement that another thread runs."""
        ...


def rows_within(con: Interruptible, sql: str, seconds: float) -> list[Any] | None:
    """Return a query's rows, or None when it was stopped because it took longer than that.

    The connection can be used on at once either way.
    """
    late = threading.Event()

    def stop() -> None:
        late.set()
        con.interrupt()

    timer = threading.Timer(seconds, stop)
    timer.start()
    try:
        rows: list[Any] = con.execute(sql).fetchall()
    except duckdb.InterruptException:
        if not late.is_set():
            raise
        return None
    else:
        return rows
    finally:
        timer.cancel()
        timer.join()  # or it might stop the next statement


@contextmanager
def marking(con: Connection, name: str, marks: Callable[[Sequence[bytes]], Any]) -> Iterator[None]:
    """Let statements turn a key into a mark of 64 bits, by a function of theirs, for a while.

    Args:
        marks: returns an Arrow array of uint64, one for each key.
    """

    def work(keys: Any) -> Any:
        return marks(keys.to_pylist())

    con.create_function(name, work, ["BLOB"], "UBIGINT", type=PythonUDFType.ARROW)
    try:
        yield
    finally:
        con.remove_function(name)


@contextmanager
def arrow_view(con: Connection, name: str, table: object) -> Iterator[None]:
    """Make an Arrow table readable under a name for a while."""
    con.register(name, table)
    try:
        yield
    finally:
        con.unregister(name)


def open_analytic(path: Path, settings: Settings) -> Connection:
    """Open a published analytic database for reading only.

    Raises:
        SourceError: when it cannot be opened.
    """
    try:
        con = duckdb.connect(
            str(path),
            read_only=True,
            config={
                "threads": settings.threads,
                "memory_limit": settings.memory_limit,
                "enable_external_access": False,
                "autoinstall_known_extensions": False,
                "autoload_known_extensions": False,
            },
        )
        con.execute("SET lock_configuration = true")
    except duckdb.Error as exc:
        raise SourceError("the published analytic database cannot be opened") from exc
    return con


def analytic_rows(con: Connection, sql: str, params: Sequence[object]) -> list[dict[str, Any]]:
    """Return a query's rows as dictionaries.

    Raises:
        SourceError: when the engine refuses the query.
    """
    cursor = con.cursor()
    try:
        result = cursor.execute(sql, list(params))
        names = [d[0] for d in result.description or ()]
        return [dict(zip(names, row, strict=True)) for row in result.fetchall()]
    except duckdb.Error as exc:
        raise SourceError("the statistics query failed") from exc
    finally:
        cursor.close()
