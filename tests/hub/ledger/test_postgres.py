"""The ledger in PostgreSQL: what only a server can do, or have done to it."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path
from threading import Event, Thread
from typing import Any

import psycopg
import pytest

from hub.errors import LedgerError, TamperDetected
from hub.ledger import postgres_connection as database
from hub.ledger.log import Ledger
from hub.ledger.postgres import PostgresStore
from tests.hub.ledger import factories
from tests.hub.ledger.factories import LABEL, entry, filled, in_database, open_ledger
from tests.postgresql import Server

pytestmark = [pytest.mark.xdist_group("postgresql"), pytest.mark.usefixtures("in_server")]


@pytest.fixture
def in_server(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    """Have the factories use the server."""
    monkeypatch.setattr(factories, "KIND", in_database(server.database))


@pytest.fixture
def sql(server: Server, tmp_path: Path) -> Iterator[psycopg.Connection[Any]]:
    """A stranger's connection to the database of a test's ledger."""
    with psycopg.connect(server.database(tmp_path), autocommit=True) as connection:
        yield connection


def test_a_database_without_a_ledger_is_not_filled_unasked(server: Server, tmp_path: Path) -> None:
    url = server.database(tmp_path)
    with pytest.raises(LedgerError, match="holds no ledger"):
        PostgresStore(url).note()
    assert not database.is_there(url)


def test_a_ledger_is_made_once_and_another_schema_of_that_name_left_alone(
    server: Server, tmp_path: Path, sql: psycopg.Connection[Any]
) -> None:
    url = server.database(tmp_path)
    sql.execute("CREATE SCHEMA ledger")
    database.create(url, "a note\n")
    with pytest.raises(LedgerError, match="holds no ledger of this version"):
        PostgresStore(url).note()
    sql.execute("DROP SCHEMA ledger")
    database.create(url, "a note\n")
    database.create(url, "another\n")
    store = PostgresStore(url)
    assert store.note() == "a note\n"
    store.close()


def test_what_cannot_be_reached_is_named_and_nothing_secret_with_it(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PGPASSWORD", "open-sesame")
    for url in (
        server.url("missing"),
        f"postgresql:///ledger?host={tmp_path}",
        "postgresql://127.0.0.1:1/x",
    ):
        with pytest.raises(LedgerError, match=r"database cannot be used: .") as raised:
            PostgresStore(url).note()
        assert "open-sesame" not in f"{raised.value}{raised.value.__cause__}"


def test_a_password_is_taken_from_where_libpq_looks(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, sql: psycopg.Connection[Any]
) -> None:
    filled(tmp_path, 1).close()
    rules = server.data / "pg_hba.conf"
    trusting = rules.read_text()
    sql.execute("CREATE ROLE guarded SUPERUSER LOGIN PASSWORD 'open-sesame'")
    rules.write_text("local all guarded scram-sha-256\n" + trusting)
    sql.execute("SELECT pg_reload_conf()")
    url = server.database(tmp_path).replace("user=hub", "user=guarded")
    try:
        with pytest.raises(LedgerError, match="password"):
            PostgresStore(url).note()
        monkeypatch.setenv("PGPASSWORD", "wrong-word")
        with pytest.raises(LedgerError, match="password") as raised:
            PostgresStore(url).note()
        assert "wrong-word" not in str(raised.value)
        monkeypatch.setenv("PGPASSWORD", "open-sesame")
        store = PostgresStore(url)
        assert store.note()
        store.close()
    finally:
        rules.write_text(trusting)
        sql.execute("SELECT pg_reload_conf()")
        sql.execute("DROP ROLE guarded")


@pytest.mark.parametrize(
    ("where", "environment"),
    [
        ("db.example.org/x", {}),
        ("db.example.org/x?sslmode=require", {}),
        ("db.example.org/x?sslmode=verify-ca", {}),
        ("127.0.0.1,db.example.org/x", {}),
        ("localhost/x?hostaddr=192.0.2.7", {}),
        ("/x", {"PGHOST": "db.example.org"}),
        ("/x", {"PGHOSTADDR": "192.0.2.7"}),
        ("db.example.org/x?sslmode=prefer", {"PGSSLMODE": "verify-full"}),
    ],
)
def test_a_server_elsewhere_must_prove_who_it_is_before_it_hears_a_password(
    where: str, environment: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(LedgerError, match="say sslmode=verify-full"):
        PostgresStore(f"postgresql://{where}").note()


@pytest.mark.parametrize(
    ("hosts", "sslmode", "guarded"),
    [
        ("", "", True),
        ("/run/postgresql", "prefer", True),
        ("@socket", "", True),
        ("localhost,::1,127.0.0.5", "disable", True),
        ("db.example.org", "verify-full", True),
        ("db.example.org", "", False),
    ],
)
def test_what_nobody_can_listen_to(hosts: str, sslmode: str, guarded: bool) -> None:
    assert database.is_guarded(hosts, sslmode) is guarded


def test_a_commit_is_on_the_servers_disk_whatever_the_role_was_set_to(
    tmp_path: Path, sql: psycopg.Connection[Any]
) -> None:
    filled(tmp_path, 1).close()
    sql.execute("ALTER ROLE hub SET synchronous_commit = off")
    sql.execute("ALTER ROLE hub SET default_transaction_isolation = 'serializable'")
    try:
        with open_ledger(tmp_path) as ledger:
            assert ledger.append([entry(1)]).index == 1
    finally:
        sql.execute("ALTER ROLE hub RESET ALL")


def test_a_server_that_confirms_too_early_is_refused(
    tmp_path: Path, sql: psycopg.Connection[Any]
) -> None:
    filled(tmp_path, 1).close()
    sql.execute("ALTER SYSTEM SET fsync = off")
    try:
        _reload(sql, "off")
        with pytest.raises(LedgerError, match="not on its disk"):
            open_ledger(tmp_path)
    finally:
        sql.execute("ALTER SYSTEM RESET fsync")
        _reload(sql, "on")
    with open_ledger(tmp_path) as ledger:
        assert ledger.size == 1


def _reload(sql: psycopg.Connection[Any], fsync: str) -> None:
    sql.execute("SELECT pg_reload_conf()")
    for _ in range(500):
        if sql.execute("SHOW fsync").fetchone() == (fsync,):
            return
        time.sleep(0.01)
    raise AssertionError("the server did not read its settings again")


def test_rows_beyond_the_signed_tree_stop_every_append_and_are_not_quoted(
    tmp_path: Path, sql: psycopg.Connection[Any]
) -> None:
    with filled(tmp_path, 2) as ledger:
        sql.execute(
            "INSERT INTO ledger.entry SELECT 2, tag, link, chain, 7, record, salt, content, event, "
            "time, erased_by FROM ledger.entry WHERE position = 1"
        )
        with pytest.raises(TamperDetected, match="beyond the signed") as raised:
            ledger.append([entry(2)])
        told, cause = str(raised.value), raised.value.__cause__
        assert LABEL.hex() not in f"{told} {cause} {cause and cause.__cause__}"
        assert not ledger.verify_all().intact
        sql.execute("DELETE FROM ledger.entry WHERE position = 2")
        assert ledger.append([entry(2)]).index == 2
        assert ledger.verify_all().intact


def test_a_head_that_is_gone_stops_every_append(
    tmp_path: Path, sql: psycopg.Connection[Any]
) -> None:
    with filled(tmp_path, 2) as ledger:
        sql.execute("DELETE FROM ledger.head")
        with pytest.raises(TamperDetected, match="head is gone"):
            ledger.append([entry(2)])


def test_one_writer_at_a_time(tmp_path: Path, server: Server) -> None:
    """The second waits at the head's row and then sees what the first has written."""
    filled(tmp_path, 1).close()
    first, second = (PostgresStore(server.database(tmp_path)) for _ in range(2))
    seen: list[str] = []
    begun = Event()

    def wait_and_read() -> None:
        begun.set()
        with second.transaction():
            seen.append(second.note())

    waiting = Thread(target=wait_and_read)
    with first.transaction():
        first.write_note("not yet\n")
        waiting.start()
        assert begun.wait(30)
        _until_blocked(server)
        assert seen == []
        first.write_note("by the first\n")
    waiting.join(30)
    assert seen == ["by the first\n"]
    first.close()
    second.close()


def _until_blocked(server: Server) -> None:
    query = "SELECT count(*) FROM pg_stat_activity WHERE cardinality(pg_blocking_pids(pid)) > 0"
    with server.connect("postgres") as connection:
        for _ in range(1000):
            if connection.execute(query).fetchone() == (1,):
                return
            time.sleep(0.01)
    raise AssertionError("nobody waits")


def test_an_index_that_hides_an_entry_is_found(
    tmp_path: Path, sql: psycopg.Connection[Any]
) -> None:
    index = "'ledger.entry_chain'::regclass"
    with filled(tmp_path, 3) as ledger:
        sql.execute("CREATE EXTENSION amcheck")
        assert ledger.verify_all().intact
        sql.execute(f"UPDATE pg_index SET indisready = false WHERE indexrelid = {index}".encode())
        ledger.append([entry(3)])
        sql.execute(f"UPDATE pg_index SET indisready = true WHERE indexrelid = {index}".encode())
        told = " ".join(str(finding) for finding in ledger.verify_all().findings)
        assert 'lacks matching index tuple within index "entry_chain"' in told


def test_an_erased_record_is_beyond_every_query_and_a_rewritten_table_is_without_it(
    tmp_path: Path, server: Server, sql: psycopg.Connection[Any]
) -> None:
    with open_ledger(tmp_path) as ledger:
        ledger.append([entry(0, reason="remember-me-not"), entry(1), entry(2)])
        ledger.append([entry(3, reason="long " * 10_000 + "remember-me-not")])
        for index in (0, 3):
            ledger.erase(index, "oversight", "court order 7")
        sql.execute("CREATE EXTENSION pageinspect")
        pages = "generate_series(0, pg_relation_size('ledger.entry') / 8192 - 1) AS page"
        items = f"{pages}, heap_page_items(get_raw_page('ledger.entry', page::int))"
        rows = sql.execute(f"SELECT t_data FROM {items} WHERE t_data IS NOT NULL".encode())
        assert b"remember-me-not" not in b"".join(row[0] for row in rows.fetchall())
        sql.execute("VACUUM (FULL) ledger.entry")
        sql.execute("CHECKPOINT")
        files = [path for path in (server.data / "base").rglob("*") if path.is_file()]
        assert files
        assert [p for p in files if b"remember-me-not" in p.read_bytes()] == []
        assert ledger.verify_all().intact


def _appending(ledger: Ledger, done: list[int], stop: Event) -> Thread:
    """Append in a thread of its own until told to stop, through failures; keep the receipts."""

    def work() -> None:
        while not stop.is_set():
            try:
                done.append(ledger.append([entry(len(done))]).index)
            except LedgerError:
                time.sleep(0.05)

    thread = Thread(target=work)
    thread.start()
    return thread


def _until(done: list[int], more: int) -> None:
    goal = len(done) + more
    for _ in range(3000):
        if len(done) >= goal:
            return
        time.sleep(0.01)
    raise AssertionError("no receipts")


def test_a_backend_that_is_killed_in_mid_commit_loses_no_receipt(
    tmp_path: Path, server: Server
) -> None:
    """kill -9 of the process that serves us: the server ends all others and recovers."""
    done: list[int] = []
    stop = Event()
    with filled(tmp_path, 1) as ledger:
        threads = [_appending(ledger, done, stop) for _ in range(4)]
        try:
            for _ in range(3):
                _until(done, 20)
                os.kill(_busy_backend(server), signal.SIGKILL)
            _until(done, 20)
        finally:
            stop.set()
            for thread in threads:
                thread.join()
        _check(ledger, done)


def _busy_backend(server: Server) -> int:
    """Return the process of a connection that is committing, or about to."""
    query = (
        "SELECT pid FROM pg_stat_activity WHERE application_name = 'mingjing-ledger' "
        "AND backend_xid IS NOT NULL ORDER BY query = 'COMMIT' DESC"
    )
    for _ in range(3000):
        try:
            with server.connect("postgres") as connection:
                row = connection.execute(query.encode()).fetchone()
        except psycopg.OperationalError:  # still recovering
            row = None
        if row is not None:
            assert isinstance(row[0], int)
            return row[0]
        time.sleep(0.001)
    raise AssertionError("nobody writes")


def test_a_server_that_goes_down_and_comes_up_again_has_every_receipt(
    tmp_path: Path, server: Server
) -> None:
    done: list[int] = []
    stop = Event()
    with filled(tmp_path, 1) as ledger:
        threads = [_appending(ledger, done, stop) for _ in range(4)]
        try:
            for mode in ("immediate", "fast"):
                _until(done, 20)
                server.stop(mode)
                server.start()
            _until(done, 20)
        finally:
            stop.set()
            for thread in threads:
                thread.join()
        _check(ledger, done)


def _check(ledger: Ledger, receipts: list[int]) -> None:
    """Check that everything that was confirmed is there once, and all of it sound."""
    assert len(set(receipts)) == len(receipts)
    assert set(receipts) <= set(range(ledger.size))
    audit = ledger.verify_all()
    assert (audit.intact, audit.size) == (True, ledger.size)
    with open_ledger_again(ledger) as again:
        assert again.append([entry()]).index == audit.size


def open_ledger_again(ledger: Ledger) -> Ledger:
    """Return the same ledger as another process would open it."""
    return Ledger(ledger.connect, factories.identity_of(), factories.CLOCK)
