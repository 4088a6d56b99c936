"""What about a person changes what may be seen of them: known only once the document is open."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

from access.masking import is_minor
from access.model import Trait

_NONE: frozenset[Trait] = frozenset()
_MINOR = frozenset({Trait.MINOR})


def traits_of(document: Mapping[str, Any], today: date) -> frozenset[Trait]:
    """Return the traits of the person of a document on a day."""
    return _MINOR if _is_minor(document, today) else _NONE


def _is_minor(document: Mapping[str, Any], today: date) -> bool:
    """Say whether the person is under fourteen. Who has no readable birth date counts as such."""
    golden = document.get("golden", {})
    birth = golden.get("birth_date", {}).get("value")
    if birth is None:
        number = golden.get("resident_id", {}).get("value")
        birth = f"{number[6:10]}-{number[10:12]}-{number[12:14]}" if number else ""
    try:
        return is_minor(date.fromisoformat(birth[:10]), today)
    except (TypeError, ValueError):
        return True
