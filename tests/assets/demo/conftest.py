"""One small district, generated once: first month, spoilt second month, correction."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest

from assets.demo.deliveries import (
    Summary,
    generate_correction,
    generate_first,
    generate_second,
)
from assets.demo.district import District

DISTRICT = District(residents=6_000, seed=11, month="2026-06")


@dataclass(frozen=True, slots=True)
class Generated:
    """Everything generated for one small district."""

    folder: Path
    first: Summary
    second: Summary
    correction: Summary


@pytest.fixture(scope="session")
def generated(tmp_path_factory: pytest.TempPathFactory) -> Generated:
    folder = tmp_path_factory.mktemp("district")
    return Generated(
        folder,
        generate_first(DISTRICT, folder),
        generate_second(DISTRICT, folder),
        generate_correction(DISTRICT, folder),
    )
