"""Writing the uses of a period in the form of a standard, one at a time: any number of them fits.

FHIR and OCSF come as one JSON object a line; the Data Tracker's answer is one object, newest first.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, BinaryIO

import orjson

from access.exports import fhir, fhir_r4, find_usage, ocsf
from access.exports.source import Source
from access.history import LedgerReader, logged
from access.usage_record import UsageRecord, is_use, usage_of
from hub.ledger.log import LoggedEntry
from hub.progress import Progress

_AT_ONCE = 1_000


class Format(StrEnum):
    """What uses can be exported as, alphabetical."""

    FHIR = "fhir"
    FHIR_R4 = "fhir-r4"
    FIND_USAGE = "find-usage"
    OCSF = "ocsf"


_LINES: Mapping[Format, Callable[[int, UsageRecord, Source], dict[str, Any]]] = {
    Format.FHIR: fhir.audit_event,
    Format.FHIR_R4: fhir_r4.audit_event,
    Format.OCSF: ocsf.event,
}


@dataclass(frozen=True, slots=True)
class Written:
    """How many uses were written, and how many were not, because they are erased."""

    uses: int
    erased: int


@dataclass(frozen=True, slots=True)
class Period:
    """Positions [start, stop) of a ledger, and what is told how far the reading is."""

    ledger: LedgerReader
    start: int
    stop: int
    progress: Progress = lambda _done, _total: None

    def entries(self, *, newest_first: bool = False) -> Iterator[LoggedEntry]:
        """Yield the entries, in log order or the newest first."""
        total = self.stop - self.start
        found = self._backwards() if newest_first else logged(self.ledger, self.start, self.stop)
        for done, entry in enumerate(found):
            if done % _AT_ONCE == 0:
                self.progress(done, total)
            yield entry
        self.progress(total, total)

    def _backwards(self) -> Iterator[LoggedEntry]:
        for last in range(self.stop, self.start, -_AT_ONCE):
            yield from reversed(self.ledger.entries(max(self.start, last - _AT_ONCE), last))


def write(period: Period, form: Format, source: Source, file: BinaryIO) -> Written:
    """Write the uses of a period.

    Raises:
        LedgerError: when an entry about a use does not say what a use says.
        OSError: when it cannot be written.
    """
    if form is Format.FIND_USAGE:
        return _write_answer(period, source, file)
    make, written, erased = _LINES[form], 0, 0
    for index, use in _uses(period.entries()):
        if use is None:
            erased += 1
            continue
        file.write(orjson.dumps(make(index, use, source), option=orjson.OPT_APPEND_NEWLINE))
        written += 1
    return Written(written, erased)


def _write_answer(period: Period, source: Source, file: BinaryIO) -> Written:
    written = erased = 0
    file.write(b'{"usages":[')
    for _, use in _uses(period.entries(newest_first=True)):
        if use is None:
            erased += 1
        elif find_usage.is_usage(use):
            file.write(b"," if written else b"")
            file.write(orjson.dumps(find_usage.usage(use, source)))
            written += 1
    file.write(b'],"totalUsages":%d}\n' % written)
    return Written(written, erased)


def _uses(entries: Iterator[LoggedEntry]) -> Iterator[tuple[int, UsageRecord | None]]:
    """Yield (position, use) of the entries about a use; None for one that is erased."""
    for entry in entries:
        if is_use(entry):
            yield entry.index, usage_of(entry)
