"""The columns that an entry is found by, held against its record, which was signed."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import orjson

from hub.ledger.entry import ChainKind
from hub.ledger.store import StoredEntry
from hub.ledger.writer import ERASED_EVENT

_SUBJECT = ChainKind.SUBJECT
_SEALED = ChainKind.SEALED


def body_of(record: object) -> dict[str, Any] | None:
    """Return the JSON object of a record, or None when it is none."""
    try:
        body = orjson.loads(record if isinstance(record, bytes) else b"")
    except ValueError:
        return None
    return body if isinstance(body, dict) else None


def is_subject_of(chain: bytes, subject: object) -> bool:
    """Say whether a record's subject is one that stands in a chain."""
    kind = chain[0]
    if kind == _SUBJECT:
        return chain[1:].hex() == subject
    return isinstance(subject, str) if kind == _SEALED else subject is None


def column_problems(entry: StoredEntry, chain: bytes) -> Iterator[tuple[str, str]]:
    """Yield field and problem of each column that the signed record contradicts.

    Args:
        chain: the one whose tag was signed.
    """
    body = body_of(entry.record)
    if body is None:
        yield "record", "not a JSON object"
        return
    if not is_subject_of(chain, body.get("subject")):
        yield "chain", "not one of the record's subject"
    for field, value in (("event", entry.event), ("time", entry.time)):
        if value != body.get(field):
            yield field, "not the record's"
    if entry.erased_by is not None:
        yield "erased_by", "says it was erased, but the record is here"
    if entry.content is not None:
        yield "content", "stands in for a record that is here"


def erases(entry: StoredEntry | None, erased: StoredEntry) -> bool:
    """Say whether an entry records the erasure of another, as it is marked."""
    body = None if entry is None else body_of(entry.record)
    return (
        body is not None
        and body.get("event") == ERASED_EVENT
        and body.get("entry") == erased.position
        and body.get("of") == {"event": erased.event, "time": erased.time}
    )
