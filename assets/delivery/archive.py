"""Archives with one file in them: .zip and .gz, bounded while they unpack.

The sizes an archive states are not believed; the bytes are counted as they come.
"""

from __future__ import annotations

import gzip
import zipfile
import zlib
from pathlib import Path
from typing import IO

from assets.delivery.content import Content
from assets.delivery.limits import Limits
from assets.delivery.work import open_private
from hub.errors import DeliveryRefused

_CHUNK_BYTES = 1 << 20
_ENCRYPTED = 0x1
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
    except (zipfile.BadZipFile, OSError, ValueError):
        raise DeliveryRefused("the workbook is damaged or cut off: save it again") from None
    if stated > limit:
        raise DeliveryRefused(
            f"the workbook unpacks to more than {limit >> 20} MiB: deliver it as CSV or in parts"
        )
