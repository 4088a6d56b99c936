"""Files of persons between making and fetching: sealed, named by number, for a day.

    exports/<number>.sealed   the file; it is sealed as it is made, clear text never touches a disk
    exports/<number>.json     whose it is and until when; there once it may be fetched

A file without its description is what a crash, or a refusal in between, leaves; nobody is given it.

Source: NIST SP 800-38D and STREAM, as `hub.sealing`.
"""

from __future__ import annotations

import hashlib
import json
import re
import time
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import BinaryIO, cast

from hub.errors import NotFound, SourceError
from hub.files import open_private, sync, sync_folder, write_new
from hub.keyring import Keyring
from hub.sealing import opened_chunks, seal_stream

KEPT = timedelta(days=1)

_KEY = "export"
_NUMBER = re.compile(r"[0-9a-f]{32}")
_NONE = "没有这个文件，或已过期 / there is no such file, or it has expired"


@dataclass(frozen=True, slots=True)
class ExportFile:
    """A file that may be fetched.

    Args:
        number: 32 hexadecimal digits: the id of the bulk disclosure.
        account: keyed name of the account that may fetch it.
        sha256: of the clear file, hexadecimal.
        grants: ids of the grants it rests on.
        expires: first instant at which it can no longer be fetched.
    """

    number: str
    account: str
    form: str
    persons: int
    rows: int
    size_bytes: int
    sha256: str
    grants: tuple[str, ...]
    expires: datetime


@dataclass(frozen=True, slots=True)
class Written:
    """What was sealed: size and SHA-256 (hexadecimal) of the clear bytes."""

    size_bytes: int
    sha256: str


class ExportFolder:
    """The files, in a private folder.

    Args:
        folder: made with mode 0700 when the first file is.
    """

    def __init__(self, folder: Path, keyring: Keyring) -> None:
        self._folder = folder
        self._keyring = keyring

    def write(self, number: str, chunks: Iterable[bytes]) -> Written:
        """Seal a file that nobody may fetch yet.

        Raises:
            OSError: when it cannot be written.
            Whatever the chunks raise; nothing is left of it then.
        """
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        clear = _Clear(chunks)
        try:
            with open_private(self._sealed(number)) as file:
                seal_stream(self._keyring, _KEY, cast("BinaryIO", clear), file)
                sync(file)
            sync_folder(self._folder)
        except BaseException:
            self.discard(number)
            raise
        return Written(clear.size, clear.digest.hexdigest())

    def offer(self, file: ExportFile) -> None:
        """Let a file be fetched."""
        said = {**asdict(file), "expires": file.expires.isoformat()}
        write_new(self._described(file.number), lambda out: _put(out, json.dumps(said).encode()))

    def find(self, number: str, account: str, now: datetime) -> ExportFile:
        """Return a file of an account's own.

        Raises:
            NotFound: when there is none, it is another account's, or it has expired.
            SourceError: when its description cannot be read.
        """
        if not _NUMBER.fullmatch(number):
            raise NotFound(_NONE)
        try:
            file = self._read(self._described(number))
        except FileNotFoundError:
            raise NotFound(_NONE) from None
        if file.account != account or now >= file.expires:
            raise NotFound(_NONE)
        return file

    def open(self, file: ExportFile) -> Iterator[bytes]:
        """Return the clear bytes of a file, a piece at a time.

        Raises:
            NotFound: when it has just expired.
            SourceError: when it is damaged or was changed, also after some pieces.
        """
        try:
            sealed = self._sealed(file.number).open("rb")
        except FileNotFoundError:
            raise NotFound(_NONE) from None
        return self._pieces(sealed, file)

    def discard(self, number: str) -> None:
        """Take back a file."""
        self._described(number).unlink(missing_ok=True)
        self._sealed(number).unlink(missing_ok=True)

    def sweep(self, now: datetime) -> None:
        """Remove what has expired, and what was never offered."""
        for path in self._folder.glob("*.json"):
            try:
                expired = now >= self._read(path).expires
            except FileNotFoundError:
                continue  # another process was faster
            except SourceError:
                expired = True  # it can be given to nobody
            if expired:
                self.discard(path.stem)
        for path in self._folder.glob("*.sealed"):
            try:
                left = time.time() - path.stat().st_mtime > KEPT.total_seconds()
            except FileNotFoundError:
                continue
            if left and not self._described(path.stem).exists():
                path.unlink(missing_ok=True)

    def _pieces(self, sealed: BinaryIO, file: ExportFile) -> Iterator[bytes]:
        digest = hashlib.sha256()
        with sealed:
            for piece in opened_chunks(self._keyring, _KEY, sealed):
                digest.update(piece)
                yield piece
        if digest.hexdigest() != file.sha256:
            raise SourceError("a sealed file is not the one that was recorded")

    def _read(self, path: Path) -> ExportFile:
        try:
            said = json.loads(path.read_bytes())
            said["grants"] = tuple(said["grants"])
            return ExportFile(**{**said, "expires": datetime.fromisoformat(said["expires"])})
        except (ValueError, KeyError, TypeError):
            raise SourceError("the description of an export cannot be read") from None

    def _sealed(self, number: str) -> Path:
        return self._folder / f"{number}.sealed"

    def _described(self, number: str) -> Path:
        return self._folder / f"{number}.json"


class _Clear:
    """Pieces of any size as a file to be read, counted and hashed on the way."""

    def __init__(self, chunks: Iterable[bytes]) -> None:
        self._chunks = iter(chunks)
        self._rest = bytearray()
        self.size = 0
        self.digest = hashlib.sha256()

    def read(self, size: int) -> bytes:
        """Return so many bytes, fewer at the end only."""
        while len(self._rest) < size:
            chunk = next(self._chunks, None)
            if chunk is None:
                break
            self._rest += chunk
        taken = bytes(self._rest[:size])
        del self._rest[:size]
        self.size += len(taken)
        self.digest.update(taken)
        return taken


def _put(out: BinaryIO, data: bytes) -> None:
    out.write(data)
