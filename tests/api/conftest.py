"""One tiny hub for all tests of the doors; tests only ever add to it."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import pytest

from tests.api.hub import Client, TinyHub, make_home


@pytest.fixture(scope="session")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TinyHub]:
    """A hub with a published snapshot, in the demonstration profile."""
    with asyncio.Runner() as runner:
        tiny = TinyHub(make_home(tmp_path_factory.mktemp("hub")), runner)
        yield tiny
        tiny.services.close()


@pytest.fixture
def client(hub: TinyHub) -> Iterator[Client]:
    """A client without cookies."""
    made = hub.client()
    yield made
    made.close()
