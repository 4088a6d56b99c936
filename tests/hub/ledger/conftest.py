"""Tests of what every store must do run over each of them."""

from __future__ import annotations

import pytest

from tests.hub.ledger import factories
from tests.hub.ledger.factories import FILES, Kind, in_database
from tests.postgresql import Server


@pytest.fixture(
    params=[
        "sqlite",
        pytest.param("postgresql", marks=pytest.mark.xdist_group("postgresql")),
    ]
)
def kind(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Kind:
    """The kind of store that the factories use during a test: each of them in turn."""
    found = FILES
    if request.param == "postgresql":
        server: Server = request.getfixturevalue("server")
        found = in_database(server.database)
    monkeypatch.setattr(factories, "KIND", found)
    return found
