"""Bulk disclosures: the tokens that each commits to are there, whole, and it is said what it was.

Nothing but these files tells persons whether they were in one; a lost file shows here, not on the
day on which somebody asks.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from hub.errors import LedgerError
from hub.events import EventTag
from hub.ledger.bulk import read_tokens
from hub.ledger.checks.columns import body_of
from hub.ledger.checks.findings import Findings
from hub.ledger.entry import BULK
from hub.ledger.log import Ledger, LoggedEntry

_PAGE = 200


def check_bulk(ledger: Ledger, folder: Path, findings: Findings, *, start: int = 0) -> None:
    """Name every bulk disclosure, from an entry on, that cannot be shown to whom it is about.

    Args:
        folder: of the tokens.
    """
    before: int | None = None
    while page := ledger.chain(BULK, before=before, limit=_PAGE):
        for committed in page:
            if committed.index < start:
                return
            _check(ledger, folder, committed, findings)
        before = page[-1].index


def _check(ledger: Ledger, folder: Path, committed: LoggedEntry, findings: Findings) -> None:
    body = body_of(committed.record)
    if body is None:
        findings.add(committed.index, "record", "commits to persons, and is gone")
        return
    bulk_id = _id_of(body)
    if bulk_id is None:
        findings.add(committed.index, "record", "commits to no bulk disclosure")
        return
    try:
        kept = read_tokens(folder, bulk_id)
    except LedgerError as exc:
        findings.add(committed.index, "persons", exc.message)
    else:
        if (kept.count, kept.root.hex()) != (body.get("count"), body.get("root")):
            findings.add(committed.index, "persons", "not those that it commits to")
    said = ledger.entry(committed.index - 1) if committed.index else None
    if said is None or not _says(said, body):
        findings.add(committed.index, "entry before", "does not say what it was of")


def _id_of(body: dict[str, Any]) -> bytes | None:
    try:
        return bytes.fromhex(body["bulk"])
    except (KeyError, TypeError, ValueError):
        return None


def _says(said: LoggedEntry, body: dict[str, Any]) -> bool:
    """Say whether an entry says of how many persons a disclosure was that it names."""
    record = body_of(said.record)
    bulk = None if record is None else record.get("bulk")
    return (
        said.event == EventTag.OFFICER_BULK_DISCLOSED
        and isinstance(bulk, dict)
        and (bulk.get("id"), bulk.get("persons")) == (body["bulk"], body.get("count"))
    )
