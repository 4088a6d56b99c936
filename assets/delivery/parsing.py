"""Parsing: from sealed raw bytes to one relation of text that the check scans.

Nothing is judged here but the file: what it is, whether it is whole, which columns it has. The
clear text lives in a private folder for as long as the relation is in use.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from assets.delivery.archive import check_workbook, unpack
from assets.delivery.columnar import read_columnar
from assets.delivery.content import Content, readable_content
from assets.delivery.delimited import read_delimited
from assets.delivery.headers import HeaderReader, Headers
from assets.delivery.landing import open_raw
from assets.delivery.limits import DEFAULT_LIMITS, Limits
from assets.delivery.lines import read_lines
from assets.delivery.page import read_page
from assets.delivery.table import Table
from assets.delivery.work import work_folder
from assets.delivery.workbook import read_workbook
from contracts.compile import SourceRelation
from contracts.model import Contract
from hub.config import Settings
from hub.errors import DeliveryRefused
from hub.files import open_private
from hub.keyring import Keyring
from hub.store.batches import Batch


@dataclass(frozen=True, slots=True)
class Parsed:
    """A parsed delivery.

    Args:
        source: the relation; readable inside the `with` that made this.
        format: csv, tsv, xlsx, xls, html, jsonl or parquet.
        encoding: utf-8 or gb18030 for text, else None.
        first_line: line or sheet row of data row 1.
        changes: (column or "" for the file, transform, how often), sorted.
        missing: optional columns of the contract that the file lacks.
    """

    source: SourceRelation
    rows: int
    format: str
    encoding: str | None
    first_line: int
    changes: tuple[tuple[str, str, int], ...]
    missing: tuple[str, ...]


@contextmanager
def parse(
    batch: Batch,
    contract: Contract,
    settings: Settings,
    keyring: Keyring,
    limits: Limits = DEFAULT_LIMITS,
) -> Iterator[Parsed]:
    """Yield a landed batch as a relation of text.

    Raises:
        DeliveryRefused: names the file, every finding, line and remedy; the clear files are gone.
        SourceError: when landing does not hold the bytes that arrived.
    """
    with work_folder(settings) as folder:
        raw = folder / "raw"
        open_raw(batch, settings, keyring, raw)
        try:
            headers = Headers.of(contract, batch.partner)
            parsed = _parse(raw, batch.file_name, headers, batch.declared.get("encoding"), limits)
            _keep_promises(parsed, batch.declared)
        except DeliveryRefused as refusal:
            named = f"{batch.file_name}: {refusal.message}"
            raise DeliveryRefused(named, findings=refusal.findings) from None
        yield parsed


@contextmanager
def parse_sample(
    file: Path, headers: HeaderReader, settings: Settings, limits: Limits = DEFAULT_LIMITS
) -> Iterator[Parsed]:
    """Yield a file that was never delivered as a relation of text; nothing of it is kept.

    Raises:
        DeliveryRefused: as `parse` does.
    """
    with work_folder(settings) as folder:
        raw = folder / "raw"
        with file.open("rb") as source, open_private(raw) as target:
            shutil.copyfileobj(source, target)
        parsed = _parse(raw, file.name, headers, None, limits)
        _keep_promises(parsed, {})
        yield parsed


def _parse(
    raw: Path, file_name: str, headers: HeaderReader, declared: str | None, limits: Limits
) -> Parsed:
    path, name = raw, file_name
    content = readable_content(path, name)
    if content in (Content.ZIP, Content.GZIP):
        path = raw.with_name("unpacked")
        name = unpack(raw, name, content, path, limits)
        raw.unlink()
        content = readable_content(path, name)
        if content in (Content.ZIP, Content.GZIP):
            raise DeliveryRefused("an archive is inside the archive: pack the data file itself")
    return _Reading(path, content, headers, declared, limits).parsed()


@dataclass(frozen=True, slots=True)
class _Reading:
    """One clear file and what is known about it."""

    path: Path
    content: Content
    headers: HeaderReader
    declared: str | None
    limits: Limits

    def parsed(self) -> Parsed:
        """Read the file as what it is."""
        return {
            Content.TEXT: self._text,
            Content.JSON_LINES: self._json_lines,
            Content.PARQUET: self._parquet,
            Content.XLSX: self._workbook,
            Content.OLE: self._workbook,
            Content.HTML: self._page,
        }[self.content]()

    @property
    def _target(self) -> Path:
        return self.path.with_name("rows")

    def _text(self) -> Parsed:
        found = read_delimited(self.path, self._target, self.headers, self.declared, self.limits)
        self.path.unlink()
        return Parsed(
            source=SourceRelation(found.sql(), found.columns),
            rows=found.rows,
            format="tsv" if found.delimiter == "\t" else "csv",
            encoding=found.encoding,
            first_line=found.first_line,
            changes=_sorted({("", name): count for name, count in found.changes.items()}),
            missing=self.headers.absent(found.columns),
        )

    def _json_lines(self) -> Parsed:
        table, encoding = read_lines(
            self.path, self._target, self.headers, self.declared, self.limits
        )
        return self._of_table(table, "jsonl", encoding)

    def _page(self) -> Parsed:
        table, encoding = read_page(
            self.path, self._target, self.headers, self.declared, self.limits
        )
        return self._of_table(table, "html", encoding)

    def _workbook(self) -> Parsed:
        if self.content is Content.XLSX:
            check_workbook(self.path, self.limits)
        table = read_workbook(self.path, self._target, self.headers)
        return self._of_table(table, "xlsx" if self.content is Content.XLSX else "xls", None)

    def _of_table(self, table: Table, kind: str, encoding: str | None) -> Parsed:
        self.path.unlink()
        return Parsed(
            source=SourceRelation(table.sql(), table.columns, numbered=True),
            rows=table.rows,
            format=kind,
            encoding=encoding,
            first_line=table.first_line,
            changes=_sorted(table.changes),
            missing=self.headers.absent(table.columns),
        )

    def _parquet(self) -> Parsed:
        return self._of_table(read_columnar(self.path, self._target, self.headers), "parquet", None)


def _sorted(changes: Mapping[tuple[str, str], int]) -> tuple[tuple[str, str, int], ...]:
    return tuple((column, name, count) for (column, name), count in sorted(changes.items()))


#: What a promised format may turn out to be: an .xls is often another thing, text is text.
_ALIKE = {"csv": ("csv", "tsv"), "tsv": ("csv", "tsv"), "xls": ("xls", "xlsx", "html")}


def _keep_promises(parsed: Parsed, declared: Mapping[str, Any]) -> None:
    """See that the file is what its manifest promised.

    Raises:
        DeliveryRefused: when it has no rows, or another number, format or encoding.
    """
    if parsed.rows == 0:
        raise DeliveryRefused(
            "the file has no data rows: deliver rows, or nothing when there is nothing to say"
        )
    findings = [
        f"{name}: the manifest says {declared[name]}, the file has {found}"
        for name, found in (("rows", parsed.rows), ("format", parsed.format))
        if name in declared and found not in _ALIKE.get(declared[name], (declared[name],))
    ]
    if findings:
        raise DeliveryRefused(
            "the file is not what its manifest says: send file and manifest again",
            findings=tuple(findings),
        )
