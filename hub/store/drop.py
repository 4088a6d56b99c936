"""The drop folder's form: drop/PARTNER/DATASET/FILE, with FILE.manifest.json beside it.

Whoever delivers writes it, the landing reads it. A file appears whole or not at all: it is
written under a name with a leading dot, made durable, and only then renamed. The manifest
appears first, so that whoever sees the file also sees what was promised about it.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import re
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, BinaryIO, TypedDict, Unpack

from hub.config import Settings
from hub.errors import RequestError
from hub.files import open_private, sync
from hub.plain import holds_persons_number

MANIFEST_SUFFIX = ".manifest.json"
MANIFEST_BYTES = 64 * 1024
#: Names of files that are still being written.
DRAFT_NAME = re.compile(r"\.[0-9a-f]{32}\.part")

_CODE = re.compile(r"[a-z][a-z0-9_]{0,62}")
_DATASET = re.compile(r"[a-z][a-z0-9_]{0,62}(\.[a-z][a-z0-9_]{0,62})+")
_PERIOD = re.compile(r"\d{4}(-(0[1-9]|1[0-2])(-(0[1-9]|[12]\d|3[01]))?|-?Q[1-4])?")
_SHA256 = re.compile(r"[0-9a-f]{64}")
_ENCODINGS: dict[str, str | None] = {
    "binary": None,
    "utf8": "utf-8",
    "utf-8": "utf-8",
    "utf-8-sig": "utf-8",
    "gb18030": "gb18030",
    "gbk": "gb18030",
    "gb2312": "gb18030",
}
_CHUNK_BYTES = 1 << 20
_NAME_BYTES = 200


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a partner promises about a file; whatever is None is not promised.

    Args:
        period: what the data is about: YYYY, YYYY-MM, YYYY-MM-DD or YYYYQn.
        sha256: digest of the file's bytes, 64 lower-case hexadecimal digits.
        rows: number of data rows.
        encoding: a name of UTF-8 or GB18030 (or of GBK, GB2312, which are parts of it); kept as
            "utf-8" or "gb18030"; "binary" promises nothing.
        format: csv, tsv, xlsx, xls, html, jsonl or parquet.
        mode: "full" or "append".
    """

    dataset: str
    partner: str
    period: str | None = None
    sha256: str | None = None
    rows: int | None = None
    encoding: str | None = None
    format: str | None = None
    mode: str | None = None

    def __post_init__(self) -> None:
        if isinstance(self.encoding, str):
            plain = _ENCODINGS.get(self.encoding.lower(), self.encoding)
            object.__setattr__(self, "encoding", plain)
        findings = tuple(text for text in _findings(self) if text)
        if findings:
            raise RequestError("the manifest does not fit", findings=findings)

    def to_json(self) -> bytes:
        """Return the manifest file's bytes."""
        present = {name: value for name, value in asdict(self).items() if value is not None}
        return json.dumps(present, indent=1, ensure_ascii=False).encode() + b"\n"

    @classmethod
    def parse(cls, data: bytes) -> Manifest:
        """Return the manifest of a file's bytes.

        Raises:
            RequestError: when it is not a JSON object of these members and types.
        """
        try:
            document = json.loads(data.decode("utf-8-sig"))
        except (ValueError, RecursionError):
            raise RequestError("the manifest is not JSON in UTF-8: write it again") from None
        if not isinstance(document, dict):
            raise RequestError("the manifest is not a JSON object: write it again")
        unknown = len(set(document) - set(cls.__dataclass_fields__))
        if unknown or not {"dataset", "partner"} <= set(document):
            allowed = ", ".join(cls.__dataclass_fields__)
            raise RequestError(
                f"the manifest needs dataset and partner and may have nothing beside {allowed}"
            )
        return cls(**document)


def _findings(manifest: Manifest) -> Iterator[str | None]:
    yield _text(manifest.dataset, _DATASET, "dataset: a name like population.resident")
    yield _text(manifest.partner, _CODE, "partner: a code like population")
    yield _text(manifest.period, _PERIOD, "period: YYYY, YYYY-MM, YYYY-MM-DD or YYYYQn")
    yield _text(manifest.sha256, _SHA256, "sha256: 64 lower-case hexadecimal digits")
    yield _one_of(manifest.encoding, "encoding", ("utf-8", "gb18030"))
    yield _one_of(
        manifest.format, "format", ("csv", "tsv", "xlsx", "xls", "html", "jsonl", "parquet")
    )
    yield _one_of(manifest.mode, "mode", ("full", "append"))
    rows: Any = manifest.rows
    if rows is not None and (not isinstance(rows, int) or isinstance(rows, bool) or rows < 0):
        yield "rows: a whole number, 0 or more"


def _text(value: Any, pattern: re.Pattern[str], wanted: str) -> str | None:
    if value is None or (isinstance(value, str) and pattern.fullmatch(value)):
        return None
    return wanted


def _one_of(value: Any, name: str, allowed: tuple[str, ...]) -> str | None:
    return None if value is None or value in allowed else f"{name}: one of {', '.join(allowed)}"


def is_code(text: str) -> bool:
    """Say whether a text has the form of a partner's code."""
    return _CODE.fullmatch(text) is not None


def is_dataset_name(text: str) -> bool:
    """Say whether a text has the form of a dataset's name."""
    return _DATASET.fullmatch(text) is not None


def manifest_path(path: Path) -> Path:
    """Return where the manifest of a dropped file is."""
    return path.with_name(path.name + MANIFEST_SUFFIX)


class Promises(TypedDict, total=False):
    """What `Manifest` may hold beside dataset and partner."""

    period: str | None
    sha256: str | None
    rows: int | None
    encoding: str | None
    format: str | None
    mode: str | None


def deliver(
    source: Path | BinaryIO,
    *,
    name: str,
    partner: str,
    dataset: str,
    settings: Settings,
    **promises: Unpack[Promises],
) -> Path:
    """Put a file into the drop folder, whole or not at all, and return where it is.

    The digest is taken while copying and stands in the manifest that is written beside it.

    Args:
        source: file, or stream of its bytes (an upload).
        name: file name; only its last part counts.
        promises: what the manifest says; its digest, when there is one, must fit.

    Raises:
        RequestError: when a name, promise or digest does not fit, the source cannot be read, or
            another file of that name waits to be landed. The drop folder is as it was before.
    """
    manifest = Manifest(dataset, partner, **promises)
    folder = settings.drop / manifest.partner / manifest.dataset
    target = folder / _file_name(name)
    folder.mkdir(parents=True, exist_ok=True)
    with _readable(source) as reader, _draft(folder) as draft, _draft(folder) as note:
        digest = _copy(reader, draft)
        if manifest.sha256 not in (None, digest):
            raise RequestError("the file is not the one its digest promises: send it again")
        promised = Manifest(**{**asdict(manifest), "sha256": digest})
        _write(note, promised.to_json())
        with _folder_lock(folder):
            if target.exists():
                raise RequestError("a file of that name waits to be landed: choose another name")
            note.replace(manifest_path(target))
            draft.replace(target)
    return target


def _file_name(name: str) -> str:
    last = name.replace("\\", "/").rsplit("/", 1)[-1].strip()
    unfit = not last or last.startswith(".") or last.endswith(MANIFEST_SUFFIX)
    if unfit or not last.isprintable() or len(last.encode()) > _NAME_BYTES:
        raise RequestError(
            f"the file needs a printable name of at most {_NAME_BYTES} bytes without leading dot"
        )
    if holds_persons_number(last):
        raise RequestError(
            "文件名含身份号码或手机号码，请改名后重新报送。 / "
            "The file's name holds an identity or mobile number: rename it and send it again."
        )
    return last


@contextmanager
def _readable(source: Path | BinaryIO) -> Iterator[BinaryIO]:
    if not isinstance(source, Path):
        yield source
        return
    if not source.is_file():
        raise RequestError("there is no such file to deliver: check the path")
    with source.open("rb") as file:
        yield file


@contextmanager
def _draft(folder: Path) -> Iterator[Path]:
    """Yield a name nobody looks at; whatever is still there afterwards is removed."""
    draft = folder / f".{uuid.uuid4().hex}.part"
    try:
        yield draft
    finally:
        draft.unlink(missing_ok=True)


@contextmanager
def _folder_lock(folder: Path) -> Iterator[None]:
    """Keep two deliveries of one name apart; make the folder durable before letting go."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
        os.fsync(handle)
    finally:
        os.close(handle)


def _copy(reader: BinaryIO, draft: Path) -> str:
    digest = hashlib.sha256()
    with open_private(draft) as writer:
        while chunk := reader.read(_CHUNK_BYTES):
            digest.update(chunk)
            writer.write(chunk)
        sync(writer)
    return digest.hexdigest()


def _write(draft: Path, data: bytes) -> None:
    with open_private(draft) as writer:
        writer.write(data)
        sync(writer)
