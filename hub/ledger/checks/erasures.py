"""Erased entries and the entries that record their erasure: each needs the other.

An erased entry names who erased it, and that entry is looked up at once; only one that names
nobody fitting waits until the reading comes across who did.
"""

from __future__ import annotations

from collections.abc import Callable

from hub.ledger.checks.columns import body_of, erases
from hub.ledger.checks.findings import FINDINGS_LIMIT, Findings
from hub.ledger.store import Store, StoredEntry

_GONE = ("record and salt", "gone, and no entry records their erasure")


class Erasures:
    """Matches both halves of each erasure in one reading.

    Args:
        reread: checks an entry before `start` that was erased since it was read.
        count: erasures that an earlier reading came across.

    Attributes:
        start: position of the first entry that is read.
        size: of the signed tree.
        count: erasures come across, by the entries that record them.
    """

    def __init__(
        self,
        store: Store,
        findings: Findings,
        reread: Callable[[StoredEntry], None],
        count: int = 0,
    ) -> None:
        self._store = store
        self._findings = findings
        self._reread = reread
        self._waiting: dict[int, StoredEntry] = {}
        self.start = 0
        self.size = 0
        self.count = count

    @property
    def is_settled(self) -> bool:
        """Whether no erased entry waits for the one that erased it."""
        return not self._waiting

    def is_recorded(self, entry: StoredEntry) -> bool:
        """Say whether the entry that an erased one names does record its erasure."""
        by = entry.erased_by
        return (
            isinstance(by, int)
            and entry.position < by < self.size
            and erases(self._store.entry(by), entry)
        )

    def erased(self, entry: StoredEntry) -> None:
        """Take note of an entry that has neither record nor salt."""
        if self.is_recorded(entry):
            return
        if len(self._waiting) < FINDINGS_LIMIT:
            self._waiting[entry.position] = entry
        else:
            self._findings.add(entry.position, *_GONE)

    def recorded(self, erasure: StoredEntry) -> None:
        """Hold the record of an erasure, which is as it was signed, against what it erased."""
        body = body_of(erasure.record) or {}
        at, index = body.get("entry"), erasure.position
        waiting = self._waiting.pop(at, None) if isinstance(at, int) else None
        erased = waiting or self._earlier(at, index)
        if erased is None:
            self._findings.add(
                index, "record", f"records the erasure of entry {at}, which is not erased"
            )
            return
        self.count += 1
        if erased.erased_by != index:
            self._findings.add(erased.position, "erased_by", f"it was entry {index} that erased it")
        stated = body.get("of")
        of = stated if isinstance(stated, dict) else {}
        for field, value in (("event", erased.event), ("time", erased.time)):
            if value != of.get(field):
                problem = f"not what entry {index} says was erased"
                self._findings.add(erased.position, field, problem)
        if erased.position < self.start:
            self._reread(erased)

    def conclude(self) -> None:
        """Name the entries whose erasure nothing records."""
        for index in self._waiting:
            self._findings.add(index, *_GONE)

    def _earlier(self, at: object, index: int) -> StoredEntry | None:
        if not isinstance(at, int) or not 0 <= at < index:
            return None
        entry = self._store.entry(at)
        if entry is None:
            return None
        is_erased = entry.record is None and entry.salt is None
        return entry if is_erased or (entry.content and self.is_recorded(entry)) else None
