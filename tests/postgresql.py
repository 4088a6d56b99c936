"""A PostgreSQL server of the tests' own, on a socket in a folder of its own, where there is one.

Its programs (initdb, pg_ctl) have to be on the PATH; without them the tests that need a server are
skipped, and pytest's summary says so. It confirms nothing before it is on the disk, as a server
that keeps a ledger must.
"""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import tempfile
from hashlib import sha256
from pathlib import Path

import psycopg

USER = "hub"


def has_programs() -> bool:
    """Say whether a server can be started here."""
    if not all(shutil.which(name) for name in ("initdb", "pg_ctl")):
        return False
    return os.geteuid() != 0 or "postgres" in {account.pw_name for account in pwd.getpwall()}


class Server:
    """A server from `start` to `stop`; a database for each ledger."""

    def __init__(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="hub-pg-"))
        self.data = self.folder / "data"
        self._databases: set[str] = set()
        self._account = _unprivileged()
        if self._account is not None:
            os.chown(self.folder, self._account.pw_uid, self._account.pw_gid)
        how = ["-A", "trust", "-k", "-N", "-E", "UTF8", "--no-locale"]
        self._run("initdb", "-D", str(self.data), "-U", USER, *how)

    def start(self) -> None:
        """Start it, or start it again."""
        options = f"-k {self.folder} -c listen_addresses='' -c max_connections=50"
        log = str(self.folder / "log")
        self._run("pg_ctl", "-D", str(self.data), "-l", log, "-o", options, "-w", "start")

    def stop(self, mode: str = "fast") -> None:
        """Stop it; `immediate` is as if the machine's power went, but for the disk's own cache."""
        self._run("pg_ctl", "-D", str(self.data), "-m", mode, "-w", "stop")

    def remove(self) -> None:
        """Stop it and take its folder away."""
        self.stop("immediate")
        shutil.rmtree(self.folder)

    def url(self, database: str) -> str:
        """Return the URL of a database."""
        return f"postgresql:///{database}?host={self.folder}&user={USER}"

    def database(self, folder: Path) -> str:
        """Return the URL of the database that stands for a folder, made when it is asked for."""
        name = "d" + sha256(str(folder).encode()).hexdigest()[:16]
        if name not in self._databases:
            with self.connect("postgres") as connection:
                connection.execute(f"CREATE DATABASE {name}".encode())
            self._databases.add(name)
        return self.url(name)

    def connect(self, database: str) -> psycopg.Connection[tuple[object, ...]]:
        """Return a connection of the tests' own."""
        return psycopg.connect(self.url(database), autocommit=True)

    def drop_databases(self) -> None:
        """Forget every database that was asked for."""
        with self.connect("postgres") as connection:
            for name in self._databases:
                connection.execute(f"DROP DATABASE {name} WITH (FORCE)".encode())
        self._databases.clear()

    def _run(self, *command: str) -> None:
        user = None if self._account is None else self._account.pw_uid
        said = self.folder / "said"
        with said.open("w") as output:  # a file: the server keeps what it inherits open
            done = subprocess.run(
                command, cwd=self.folder, stdout=output, stderr=output, check=False, user=user
            )
        if done.returncode:
            raise RuntimeError(said.read_text()[-2000:])


def _unprivileged() -> pwd.struct_passwd | None:
    """Return whom to run the server as: it refuses to run as root. None: as whoever we are."""
    return pwd.getpwnam("postgres") if os.geteuid() == 0 else None
