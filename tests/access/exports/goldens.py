"""What each kind of record is in a standard, kept as files to be read and compared."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator

from access.exports.source import Source
from access.policy import load_policy
from access.titles import Titles
from access.usage_record import UsageRecord
from tests.access.district import district_catalog
from tests.access.used import KINDS

VECTORS = Path(__file__).parents[2] / "vectors" / "exports"
_CATALOG = district_catalog()
SOURCE = Source("mingjing.example/ledger", Titles(load_policy(_CATALOG), _CATALOG))


def schema(name: str) -> Any:
    """Return a published schema."""
    return json.loads((VECTORS / f"{name}.json").read_text(encoding="utf-8"))


def validator(name: str) -> Draft202012Validator:
    """Return what holds values against a published schema."""
    found = schema(name)
    Draft202012Validator.check_schema(found)
    return Draft202012Validator(found)


def agrees(name: str, made: Callable[[int, UsageRecord, Source], Any]) -> None:
    """Hold what is made of each kind against the file of a standard."""
    golden = json.loads((VECTORS / f"golden_{name}.json").read_text(encoding="utf-8"))
    now = {kind: made(41 + n, use, SOURCE) for n, (kind, use) in enumerate(KINDS.items())}
    assert now == golden
