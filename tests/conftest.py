"""A PostgreSQL server for the tests that want one."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.postgresql import Server, has_programs


@pytest.fixture(scope="session")
def running_server() -> Iterator[Server]:
    """One server, started when first asked for."""
    if not has_programs():
        pytest.skip("no PostgreSQL server programs on the PATH to test against")
    server = Server()
    server.start()
    yield server
    server.remove()


@pytest.fixture
def server(running_server: Server) -> Iterator[Server]:
    """The server, without databases that other tests made."""
    yield running_server
    running_server.drop_databases()
