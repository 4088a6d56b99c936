"""The catalogue of the tests: the one the shipped contracts make, so that policy and data agree."""

from __future__ import annotations

from contracts.loader import load_catalog, load_contracts
from hub.catalog import Catalog


def district_catalog() -> Catalog:
    """Return the catalogue of the demonstration district."""
    return load_catalog(load_contracts())
