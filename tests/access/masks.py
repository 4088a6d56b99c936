"""The masks one value at a time, as a slow reference for what is compiled."""

from __future__ import annotations

from typing import Any

from access.masking import masks_of
from access.model import CLEAR, HIDDEN
from tests.access.conftest import NOW


def apply(treatment: str, value: Any) -> Any:
    """Return what a treatment leaves of a value on the tests' day; None for a hidden one."""
    if value is None or treatment == HIDDEN:
        return None
    if treatment == CLEAR:
        return value
    mask = masks_of(NOW.date(), "population", "residence.verify").get(treatment)
    return None if mask is None else mask(value if isinstance(value, str) else str(value))
