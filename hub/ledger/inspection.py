"""Verifies a whole hub's ledger, or what came since: store, bulk disclosures, public files, index.

Both go on where they were killed, and remember the trees they found intact, which the daily one
goes on from. What is remembered also finds a ledger that was rolled back to an older state.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from hub.clock import Clock
from hub.errors import LedgerError
from hub.events import AuditEvent, EventTag
from hub.ledger.audit import Audit, Mark
from hub.ledger.checks.bulk import check_bulk
from hub.ledger.checks.findings import Finding, Findings
from hub.ledger.checks.memory import STALE, Memory, Remembered, Unfinished, Verified
from hub.ledger.checks.public import SPAN_ENTRIES, check_index, check_index_root, check_public
from hub.ledger.checks.tree import is_prefix, stored_edge
from hub.ledger.index.folder import IndexFolder
from hub.ledger.log import Ledger
from hub.ledger.merkle import CompactRange
from hub.ledger.public_files import PublicFiles
from hub.progress import PartProgress

#: Is told what is being read, how much of it was, and how much there is.

_SCRATCH = "verifying-"
_SAVE_SPANS = 8  # of public files, between two notes of how far they were read


@dataclass(frozen=True, slots=True)
class Inspection:
    """What a verification came to.

    Attributes:
        start: the entry it began with; 0 for all.
        size: entries of the ledger's signed tree.
        erased: entries lawfully erased among those read.
        public: entries of the tree whose public files were read; 0 when nothing is public.
        resumed: the entry that a reading which was stopped went on with; None when none was.
        findings: what is wrong; at most `FINDINGS_LIMIT` of `total`.
    """

    start: int
    size: int
    erased: int
    public: int
    resumed: int | None
    findings: tuple[Finding, ...]
    total: int

    @property
    def intact(self) -> bool:
        """Whether nothing is wrong."""
        return self.total == 0

    def event(self, by: str, time: datetime) -> AuditEvent:
        """Return what the ledger is told of it.

        Args:
            by: who asked for it, as a pseudonym or an office.
        """
        details = {
            "from": self.start,
            "size": self.size,
            "public": self.public,
            "findings": self.total,
            "by": by,
        }
        return AuditEvent(EventTag.HUB_LEDGER_VERIFIED, time, details)


@dataclass(frozen=True, slots=True)
class Places:
    """Where a hub keeps what goes with its ledger.

    Args:
        runs: of the index.
        memory: file of what verifications remember.
        bulk: tokens of bulk disclosures.
    """

    public: Path
    runs: Path
    memory: Path
    bulk: Path


class Inspector:
    """Verifies one ledger."""

    def __init__(self, ledger: Ledger, places: Places, clock: Clock) -> None:
        self._ledger = ledger
        self._places = places
        self._clock = clock
        self._memory = Memory(places.memory, ledger.keyed_hash)

    def verify(self, tell: PartProgress = lambda *_: None, *, anew: bool = False) -> Inspection:
        """Read everything again, from where an earlier call was stopped unless `anew`.

        Raises:
            LedgerError: when what is remembered cannot be written.
        """
        return self._inspect(CompactRange(), tell, anew=anew)

    def since(self, time: datetime | None, tell: PartProgress = lambda *_: None) -> Inspection:
        """Read what came since the newest tree found intact, or the newest before a time.

        Where no such tree is remembered, everything is read.

        Raises:
            LedgerError: when what is remembered cannot be written.
        """
        fitting = [one for one in self._memory.load().verified if time is None or one.time <= time]
        return self._inspect(fitting[-1].edge if fitting else CompactRange(), tell)

    def _inspect(self, edge: CompactRange, tell: PartProgress, *, anew: bool = False) -> Inspection:
        remembered, now = self._memory.load(), self._clock.now()
        unfinished = None if anew else _to_resume(remembered.unfinished, edge.size, now)
        begun = now if unfinished is None else unfinished.begun
        mark = Mark(edge) if unfinished is None else unfinished.mark
        read_public = 0 if unfinished is None else unfinished.public
        reached = [mark]

        def save(public: int) -> None:
            stopped = Unfinished(begun, edge.size, reached[0], public)
            self._memory.save(Remembered(remembered.verified, stopped))

        def keep(newer: Mark) -> None:
            reached[0] = newer
            save(0)

        found = self._ledger.verify_all(
            lambda done, total: tell("entries", done, total),
            mark=mark,
            keep=keep,
            engine=edge.size == 0,
        )
        findings = Findings(found.findings, found.total)
        self._rolled_back(remembered.verified, findings)
        self._bulk(findings, edge.size)
        start = max(edge.size, read_public)
        public = self._public(findings, start, save, tell, whole=edge.size == 0)
        if findings.total and self._ledger.is_outdated:
            raise LedgerError("the ledger's key was rotated meanwhile: verify again")
        self._finish(remembered, begun, found, findings)
        return Inspection(
            start=min(edge.size, found.start),
            size=found.size,
            erased=found.erased,
            public=public,
            resumed=None if unfinished is None else found.start,
            findings=tuple(findings.kept),
            total=findings.total,
        )

    def _rolled_back(self, verified: tuple[Verified, ...], findings: Findings) -> None:
        """Name a ledger that does not go on from what was last found intact."""
        if not verified:
            return
        edge = verified[-1].edge
        with closing(self._ledger.connect()) as store, store.transaction(write=False):
            if not is_prefix(store, edge):
                when = verified[-1].time.date().isoformat()
                problem = f"does not begin with the {edge.size} entries found intact on {when}"
                findings.add(None, "tree", f"{problem}: rolled back or replaced")

    def _bulk(self, findings: Findings, start: int) -> None:
        try:
            check_bulk(self._ledger, self._places.bulk, findings, start=start)
        except LedgerError as exc:
            findings.add(None, "bulk disclosures", f"reading stopped: {exc}")

    def _public(
        self,
        findings: Findings,
        start: int,
        save: Callable[[int], None],
        tell: PartProgress,
        *,
        whole: bool,
    ) -> int:
        files = PublicFiles(self._places.public)
        if not files.folder.is_dir():
            return 0

        def progress(done: int, total: int) -> None:
            tell("public files", done, total)
            if done % (_SAVE_SPANS * SPAN_ENTRIES) == 0:
                save(done)

        with closing(self._ledger.connect()) as store:
            try:
                size = check_public(
                    self._ledger,
                    store,
                    files,
                    findings,
                    start=start - start % SPAN_ENTRIES,
                    progress=progress,
                )
                if size:
                    tell("index", 0, 1)
                    self._index(size, findings, whole=whole)
                    tell("index", 1, 1)
            except (LedgerError, OSError) as exc:
                findings.add(None, "public files", f"reading stopped: {exc}")
                return 0
        return size

    def _index(self, size: int, findings: Findings, *, whole: bool) -> None:
        """Check the index; what came since is checked with the index that is there."""
        if not whole:
            check_index_root(self._ledger, size, IndexFolder(self._places.runs), findings)
            return
        parent = self._places.memory.parent
        for left in parent.glob(f"{_SCRATCH}*"):  # by one that was killed
            if self._clock.now().timestamp() - left.stat().st_mtime > STALE.total_seconds():
                shutil.rmtree(left, ignore_errors=True)
        with tempfile.TemporaryDirectory(prefix=_SCRATCH, dir=parent) as scratch:
            check_index(self._ledger, size, (Path(scratch), self._places.runs), findings)

    def _finish(
        self, remembered: Remembered, begun: datetime, found: Audit, findings: Findings
    ) -> None:
        verified = remembered.verified
        if not findings.total and found.root is not None:
            with closing(self._ledger.connect()) as store, store.transaction(write=False):
                edge = stored_edge(store, found.size)
            if edge is not None and edge.root == found.root:
                verified = (*verified, Verified(begun, edge))
        self._memory.save(Remembered(verified))


def _to_resume(stopped: Unfinished | None, start: int, now: datetime) -> Unfinished | None:
    """Return the reading to go on with: of the same start, and not too old."""
    if stopped is None or stopped.start != start or abs(now - stopped.begun) > STALE:
        return None
    return stopped
