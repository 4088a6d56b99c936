"""Archives with one file in them: .zip and .gz, bounded while they unpack.

The sizes an archive states are not believed; the bytes are counted as they come.
"""

from __future__ import annotations

import gzip
import lzma
import re
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from assets.delivery.content import Content
from assets.delivery.limits import Limits
from hub.errors import DeliveryRefused
from hub.files import open_private

#: What reading a damaged, locked or oddly packed zip archive raises.
UNREADABLE = (
    zipfile.BadZipFile, zlib.error, lzma.LZMAError, EOFError, NotImplementedError, RuntimeError,
    OSError, ValueError,
)  # fmt: skip
_CHUNK_BYTES = 1 << 20
_ENCRYPTED = 0x1
_OVERLAP_BYTES = 512
_CELL = re.compile(rb"""<(?:\w+:)?c\s[^>]{0,400}?\br=["']([A-Za-z]{1,3})([0-9]{1,7})["']""")
_MERGED = re.compile(
    rb"""<(?:\w+:)?mergeCell\s+ref=["']([A-Za-z]{1,3})([0-9]{1,7}):([A-Za-z]{1,3})([0-9]{1,7})["']"""
)
_CUT_OFF = "the archive is damaged or cut off: make it again and deliver it again"


def unpack(path: Path, name: str, content: Content, target: Path, limits: Limits) -> str:
    """Write the archive's one file to the target and return the name it claims.

    Raises:
        DeliveryRefused: when the archive is damaged, encrypted, holds no file or several, holds
            another archive, or unpacks to more than the limits allow.
    """
    limit = limits.unpacked(path.stat().st_size)
    try:
        if content is Content.GZIP:
            with gzip.open(path, "rb") as reader:
                _copy(reader, target, limit)
            return name[:-3] if name.lower().endswith(".gz") else name
        with zipfile.ZipFile(path) as archive:
            member = _only_member(archive)
            with archive.open(member) as reader:
                _copy(reader, target, limit)
            return member.filename
    except (zipfile.BadZipFile, gzip.BadGzipFile, EOFError, zlib.error, OSError, ValueError):
        raise DeliveryRefused(_CUT_OFF) from None
    except NotImplementedError:
        raise DeliveryRefused(
            "the zip archive is packed with a method the hub does not know: pack it again (deflate)"
        ) from None


def _only_member(archive: zipfile.ZipFile) -> zipfile.ZipInfo:
    members = [item for item in archive.infolist() if not _is_litter(item)]
    if len(members) != 1:
        raise DeliveryRefused(
            f"the zip archive holds {len(members)} files: deliver one file in each archive"
        )
    if members[0].flag_bits & _ENCRYPTED:
        raise DeliveryRefused(
            "the zip archive wants a password: deliver it without; the hub seals it on arrival"
        )
    return members[0]


def _is_litter(member: zipfile.ZipInfo) -> bool:
    parts = member.filename.split("/")
    return not parts[-1] or "__MACOSX" in parts or parts[-1].startswith(".")


def _copy(reader: IO[bytes] | gzip.GzipFile, target: Path, limit: int) -> None:
    written = 0
    with open_private(target) as writer:
        while chunk := reader.read(_CHUNK_BYTES):
            written += len(chunk)
            if written > limit:
                raise DeliveryRefused(
                    f"the archive unpacks to more than {limit >> 20} MiB: deliver it in parts, "
                    "or unpacked"
                )
            writer.write(chunk)


def check_workbook(path: Path, limits: Limits) -> None:
    """Refuse a workbook (a zip archive, too) that would unpack to more than the limits allow.

    Raises:
        DeliveryRefused: when it would, or is damaged.
    """
    limit = limits.unpacked(path.stat().st_size)
    try:
        with zipfile.ZipFile(path) as archive:
            stated = sum(item.file_size for item in archive.infolist())
            if stated <= limit:
                _check_sheets(archive, limits.cells)
    except UNREADABLE:
        raise DeliveryRefused("the workbook is damaged or cut off: save it again") from None
    if stated > limit:
        raise DeliveryRefused(
            f"the workbook unpacks to more than {limit >> 20} MiB: deliver it as CSV or in parts"
        )


def _check_sheets(archive: zipfile.ZipFile, cells: int) -> None:
    """Refuse a sheet that is wider and longer than anything real: its reader would allocate it.

    Raises:
        DeliveryRefused: when the used area, or the merged cells, exceed the bound.
    """
    for item in archive.infolist():
        if not item.filename.startswith("xl/worksheets/"):
            continue
        columns, rows, merged = 0, 0, 0
        for text in _windows(archive, item):
            for found in _CELL.finditer(text):
                columns = max(columns, column_number(found[1]))
                rows = max(rows, int(found[2]))
            for found in _MERGED.finditer(text):
                width = column_number(found[3]) - column_number(found[1]) + 1
                merged += width * (int(found[4]) - int(found[2]) + 1)
        if columns * rows > cells or merged > cells:
            raise DeliveryRefused(
                f"a sheet spans {columns:,} columns and {rows:,} rows: remove stray cells far from "
                "the table, or deliver it as CSV"
            )


def _windows(archive: zipfile.ZipFile, item: zipfile.ZipInfo) -> Iterator[bytes]:
    """Yield a member's bytes in pieces that overlap, so that no reference is cut in two."""
    tail = b""
    with archive.open(item) as member:
        while chunk := member.read(_CHUNK_BYTES):
            yield tail + chunk
            tail = chunk[-_OVERLAP_BYTES:]


def column_number(letters: bytes) -> int:
    """Return the number of a column, from 1.

    >>> column_number(b"A"), column_number(b"xfd")
    (1, 16384)
    """
    number = 0
    for letter in letters.upper():
        number = number * 26 + letter - 64
    return number
