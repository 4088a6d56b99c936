"""One hub per test."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.assets.delivery.samples import Hub


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[Hub]:
    """A hub in a folder of its own; nothing clear may be left in it afterwards."""
    made = Hub.in_folder(tmp_path)
    yield made
    made.records.close()
    left = list(made.settings.work.rglob("*")) if made.settings.work.exists() else []
    assert left == []
