"""What a file really is, judged by its bytes, against what its name claims.

Spreadsheets ending in .xls are often newer workbooks or web pages saved by an export: those are
read as what they are. Everything else must be what it claims.
"""

from __future__ import annotations

import zipfile
from enum import StrEnum
from pathlib import Path

from hub.errors import DeliveryRefused

_HEAD_BYTES = 8192
_NUL_SHARE = 100  # one NUL in so many bytes may be a slip, more are no text
_UTF16 = (b"\xff\xfe", b"\xfe\xff")


class Content(StrEnum):
    """A kind of file, in the words of a refusal."""

    TEXT = "delimited text"
    JSON_LINES = "JSON Lines"
    PARQUET = "a Parquet file"
    XLSX = "an Excel workbook (xlsx)"
    OLE = "an old Excel workbook (xls) or a password-protected one"
    HTML = "a web page"
    ZIP = "a zip archive"
    DAMAGED_ZIP = "an archive or workbook that is damaged or cut off"
    GZIP = "a gzip archive"
    ENCRYPTED_PARQUET = "an encrypted Parquet file"
    XML = "an XML document"
    JSON_ARRAY = "one JSON array"
    PDF = "a PDF document"
    UTF16 = "text in UTF-16"
    BINARY = "binary data of no known kind"
    EMPTY = "empty"


#: What each file extension may contain. Extensions that are not listed claim nothing.
_CLAIMS: dict[str, frozenset[Content]] = {
    "csv": frozenset({Content.TEXT}),
    "tsv": frozenset({Content.TEXT}),
    "txt": frozenset({Content.TEXT}),
    "json": frozenset({Content.JSON_LINES}),
    "jsonl": frozenset({Content.JSON_LINES}),
    "ndjson": frozenset({Content.JSON_LINES}),
    "xlsx": frozenset({Content.XLSX}),
    "xlsm": frozenset({Content.XLSX}),
    "xls": frozenset({Content.OLE, Content.XLSX, Content.HTML}),
    "htm": frozenset({Content.HTML}),
    "html": frozenset({Content.HTML}),
    "parquet": frozenset({Content.PARQUET}),
    "zip": frozenset({Content.ZIP}),
    "gz": frozenset({Content.GZIP}),
}

_REMEDIES = {
    Content.DAMAGED_ZIP: "make it again and deliver it again",
    Content.ENCRYPTED_PARQUET: "deliver it without encryption; the hub seals it on arrival",
    Content.XML: "save it as xlsx or as CSV",
    Content.JSON_ARRAY: "write one object a line (JSON Lines)",
    Content.PDF: "deliver the data, not its print: CSV, XLSX, JSON Lines or Parquet",
    Content.UTF16: "save it as CSV in UTF-8",
    Content.BINARY: "deliver CSV, XLSX, JSON Lines or Parquet",
    Content.EMPTY: "deliver a file with a header and at least one row",
}


def content_of(path: Path) -> Content:
    """Return what a file is, by its bytes."""
    with path.open("rb") as file:
        head = file.read(_HEAD_BYTES)
    if not head:
        return Content.EMPTY
    for magic, content in (
        (b"PAR1", Content.PARQUET),
        (b"PARE", Content.ENCRYPTED_PARQUET),
        (b"\x1f\x8b", Content.GZIP),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", Content.OLE),
        (b"%PDF", Content.PDF),
    ):
        if head.startswith(magic):
            return content
    if head.startswith((b"PK\x03\x04", b"PK\x05\x06")):
        return _zip_content(path)
    return _text_content(head)


def _zip_content(path: Path) -> Content:
    try:
        with zipfile.ZipFile(path) as archive:
            names = set(archive.namelist())
    except (zipfile.BadZipFile, NotImplementedError, OSError, ValueError):
        return Content.DAMAGED_ZIP
    return Content.XLSX if "xl/workbook.xml" in names else Content.ZIP


def _text_content(head: bytes) -> Content:
    if head.startswith(_UTF16):
        return Content.UTF16
    if head.count(b"\0") * _NUL_SHARE > len(head):
        return Content.BINARY
    start = head.removeprefix(b"\xef\xbb\xbf").lstrip()
    lower = start[:2048].lower()
    if not start:
        return Content.EMPTY if len(head) < _HEAD_BYTES else Content.TEXT
    if lower.startswith((b"<!doctype html", b"<html", b"<table", b"<head", b"<meta")):
        return Content.HTML
    if lower.startswith(b"<?xml"):
        return Content.HTML if b"<html" in lower else Content.XML
    if lower.startswith(b"{"):
        return Content.JSON_LINES
    return Content.JSON_ARRAY if lower.startswith(b"[") else Content.TEXT


def readable_content(path: Path, name: str) -> Content:
    """Return what a file is, when it is what its name claims and can be read.

    Raises:
        DeliveryRefused: when it is something else than it claims, or nothing the hub reads.
    """
    content = content_of(path)
    if content in _REMEDIES:
        raise DeliveryRefused(f"the file is {content.value}: {_REMEDIES[content]}")
    claim = name.rsplit(".", 1)[-1].lower() if "." in name else ""
    if content not in _CLAIMS.get(claim, frozenset(Content)):
        raise DeliveryRefused(
            f"the file claims to be .{claim} and is {content.value}: "
            "give it the extension of what it is, or deliver what it claims to be"
        )
    return content
