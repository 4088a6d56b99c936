"""Files that are private and durable: mode 0600 from the first byte, whole or not there.

What a crash leaves is a draft beside the name, never half a file under it.
"""

from __future__ import annotations

import hashlib
import os
import uuid
from collections.abc import Callable
from io import BufferedRandom
from pathlib import Path
from typing import BinaryIO


def open_private(path: Path) -> BufferedRandom:
    """Open a new file of mode 0600 for writing and reading back.

    Raises:
        FileExistsError: when there is one of that name.
    """
    return os.fdopen(os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600), "w+b")


def sync(file: BinaryIO) -> None:
    """Make what was written to a file durable."""
    file.flush()
    os.fsync(file.fileno())


def sync_folder(folder: Path) -> None:
    """Make the names in a folder durable: those that came, went or were replaced."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def write_new(path: Path, write: Callable[[BinaryIO], None]) -> str:
    """Write a new file of mode 0600, whole or not at all, and return its SHA-256.

    Raises:
        FileExistsError: when there is one of that name, also when somebody was faster.
        OSError: when it cannot be written.
    """
    draft = path.with_name(f".{uuid.uuid4().hex}.part")
    try:
        with open_private(draft) as file:
            write(file)
            sync(file)
            file.seek(0)
            digest = hashlib.file_digest(file, "sha256").hexdigest()
        os.link(draft, path)
        sync_folder(path.parent)
    finally:
        draft.unlink(missing_ok=True)
    return digest


def whole(data: bytes) -> Callable[[BinaryIO], None]:
    """Return what `write_new` writes when it is given bytes."""

    def write(file: BinaryIO) -> None:
        file.write(data)

    return write


def write_over(path: Path, data: bytes) -> None:
    """Make a file of mode 0600 or replace one; what was there stays until all of it is durable.

    Raises:
        OSError: when it cannot be written.
    """
    draft = path.with_name(f".{path.name}.{uuid.uuid4().hex}.draft")
    try:
        with open_private(draft) as file:
            file.write(data)
            sync(file)
        draft.replace(path)
        sync_folder(path.parent)
    finally:
        draft.unlink(missing_ok=True)
