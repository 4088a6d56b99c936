"""Landing: the raw bytes as they came, sealed and durable, before anybody parses them.

The order makes a crash harmless: bytes sealed and synced → recorded → in the ledger → gone from
the drop folder. Whoever is killed in between leaves the dropped file, and the next run
recognises its digest. Refused bytes stay in landing, too.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import stat
import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, BinaryIO, cast

from assets.delivery.arrivals import Dropped, scan
from assets.delivery.limits import DEFAULT_LIMITS, Limits
from contracts.model import Contract
from hub.config import Settings
from hub.errors import DeliveryRefused, SourceError
from hub.events import AuditEvent, EventTag
from hub.files import open_private, sync, sync_folder
from hub.keyring import Keyring
from hub.sealing import open_stream, seal_stream
from hub.store.batches import Arrival, Batch, BatchStatus
from hub.store.drop import DRAFT_NAME, manifest_path
from hub.store.records import Records

Emit = Callable[[AuditEvent], None]

_SPARE_BYTES = 64 << 20
_DRAFT_SECONDS = 24 * 3600


@dataclass(frozen=True, slots=True)
class Landed:
    """A delivery that is in landing; `is_new` is False when its bytes were there before."""

    batch: Batch
    is_new: bool
    refusal: DeliveryRefused | None = None


def land_all(
    settings: Settings,
    contracts: Sequence[Contract],
    records: Records,
    keyring: Keyring,
    now: datetime,
    emit: Emit,
    limits: Limits = DEFAULT_LIMITS,
) -> tuple[Landed, ...]:
    """Take every whole file out of the drop folder into landing, oldest first.

    Files that change while they are read stay for the next run.

    Raises:
        SourceError: when the disk cannot take a file; the file stays in the drop folder.
        LedgerError: when the ledger cannot record; the file stays in the drop folder.
    """
    _sweep_drafts(settings.drop, now)
    modes = {contract.name: contract.mode for contract in contracts}
    door = _Door(settings, modes, records, keyring, now, emit)
    landed = (door.land(dropped) for dropped in scan(settings, contracts, now, limits).ready)
    return tuple(item for item in landed if item is not None)


def refuse(
    batch: Batch, refusal: DeliveryRefused, records: Records, now: datetime, emit: Emit
) -> Batch:
    """Refuse a batch whole: the ledger and the records say why, the raw bytes stay."""
    details = {**_about(batch), "reason": refusal.message, "findings": list(refusal.findings)}
    emit(AuditEvent(EventTag.PARTNER_BATCH_REFUSED, now, details))
    return records.advance(batch.id, BatchStatus.REFUSED, now, reason=str(refusal))


def raw_path(settings: Settings, sha256: str) -> Path:
    """Return where the sealed raw bytes with that digest are."""
    return settings.landing / f"{sha256}.sealed"


def open_raw(batch: Batch, settings: Settings, keyring: Keyring, target: Path) -> None:
    """Write the clear raw bytes of a batch to a new file of mode 0600.

    Raises:
        SourceError: when landing lacks them, or holds other bytes than those that arrived.
        KeyMissing: when the keyring lacks the key they were sealed with.
    """
    try:
        with raw_path(settings, batch.sha256).open("rb") as reader, open_private(target) as file:
            writer = _Digesting(file)
            open_stream(keyring, "landing", reader, cast(BinaryIO, writer))
    except FileNotFoundError:
        raise SourceError(f"landing lacks the bytes of batch {batch.id}: restore it") from None
    if writer.hexdigest() != batch.sha256:
        raise SourceError(f"landing holds other bytes than those of batch {batch.id}: restore it")


@dataclass(frozen=True, slots=True)
class _Door:
    """What landing one file needs, beside the file."""

    settings: Settings
    modes: dict[str, str]
    records: Records
    keyring: Keyring
    now: datetime
    emit: Emit

    def land(self, dropped: Dropped) -> Landed | None:
        """Land one file and clear it from the drop folder; None when it is still changing."""
        with _reading(dropped.path) as reader:
            if reader is None:
                return None
            before = os.fstat(reader.fileno())
            sealed = self._seal(reader, before.st_size, dropped)
            if sealed is None or not _same(before, os.fstat(reader.fileno())):
                return None
        landed = self._register(dropped, sealed, before.st_size)
        _clear(dropped.path, before)
        return landed

    def _seal(self, reader: BinaryIO, size_bytes: int, dropped: Dropped) -> str | None:
        """Seal the bytes into landing and return their digest once they are durable.

        None when more bytes are still to come: the size has changed, or a young file is not yet
        the one its manifest promises.
        """
        landing = self.settings.landing
        landing.mkdir(mode=0o700, parents=True, exist_ok=True)
        if shutil.disk_usage(landing).free < size_bytes + _SPARE_BYTES:
            raise SourceError("the disk of landing is full: make room", retryable=True)
        draft = landing / f".{uuid.uuid4().hex}.part"
        try:
            source = _Digesting(reader)
            with open_private(draft) as writer:
                seal_stream(self.keyring, "landing", cast(BinaryIO, source), writer)
                sync(writer)
            sha256 = source.hexdigest()
            arriving = not dropped.settled and not _is_promised(dropped, sha256)
            if source.size_bytes != size_bytes or arriving:
                return None
            draft.replace(raw_path(self.settings, sha256))
            sync_folder(landing)
            return sha256
        finally:
            draft.unlink(missing_ok=True)

    def _register(self, dropped: Dropped, sha256: str, size_bytes: int) -> Landed:
        arrival = self._arrival(dropped, sha256, size_bytes)
        registered = self.records.register_batch(arrival, self.now)
        batch = registered.batch
        if batch.recorded_at is None:
            self.emit(AuditEvent(EventTag.PARTNER_BATCH_LANDED, self.now, _about(batch)))
            self.records.mark_recorded(batch.id, self.now)
        refusal = dropped.refusal or _promise_broken(dropped, sha256, arrival.mode)
        if refusal is None or batch.status is not BatchStatus.LANDED:
            return Landed(batch, registered.is_new)
        named = DeliveryRefused(f"{batch.file_name}: {refusal.message}", findings=refusal.findings)
        refused = refuse(batch, named, self.records, self.now, self.emit)
        return Landed(refused, registered.is_new, named)

    def _arrival(self, dropped: Dropped, sha256: str, size_bytes: int) -> Arrival:
        promised = dropped.manifest
        declared = {
            name: value
            for name in ("rows", "encoding", "format")
            if promised is not None and (value := getattr(promised, name)) is not None
        }
        return Arrival(
            dataset=dropped.dataset,
            partner=dropped.partner,
            file_name=dropped.path.name,
            sha256=sha256,
            size_bytes=size_bytes,
            mode=self.modes.get(dropped.dataset, "full"),
            period=promised.period if promised is not None else None,
            declared=declared,
        )


def _about(batch: Batch) -> dict[str, Any]:
    return {
        "batch": batch.id,
        "partner": batch.partner,
        "dataset": batch.dataset,
        "period": batch.period,
        "sha256": batch.sha256,
        "size_bytes": batch.size_bytes,
        "attempt": batch.attempt,
    }


def _is_promised(dropped: Dropped, sha256: str) -> bool:
    return dropped.manifest is None or dropped.manifest.sha256 in (None, sha256)


def _promise_broken(dropped: Dropped, sha256: str, mode: str) -> DeliveryRefused | None:
    promised = dropped.manifest
    if promised is None:
        return None
    if not _is_promised(dropped, sha256):
        return DeliveryRefused(
            "the file is not the one its manifest's digest promises: send file and manifest again"
        )
    if promised.mode not in (None, mode):
        return DeliveryRefused(
            f"the manifest says mode {promised.mode}, the contract says {mode}: "
            "deliver what the contract says"
        )
    return None


class _Digesting:
    """A binary stream that takes the digest of what passes through it."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self._digest = hashlib.sha256()
        self.size_bytes = 0

    def read(self, size: int = -1) -> bytes:
        """Read and remember."""
        data = self._stream.read(size)
        self._note(data)
        return data

    def write(self, data: bytes) -> int:
        """Write and remember."""
        self._note(data)
        return self._stream.write(data)

    def _note(self, data: bytes) -> None:
        self._digest.update(data)
        self.size_bytes += len(data)

    def hexdigest(self) -> str:
        """Return the SHA-256 of everything so far."""
        return self._digest.hexdigest()


@contextmanager
def _reading(path: Path) -> Iterator[BinaryIO | None]:
    """Open a plain file, or yield None when it is gone or no plain file any more."""
    try:
        handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError:
        yield None
        return
    with os.fdopen(handle, "rb") as reader:
        yield reader if stat.S_ISREG(os.fstat(handle).st_mode) else None


def _same(left: os.stat_result, right: os.stat_result) -> bool:
    return (left.st_ino, left.st_dev, left.st_size, left.st_mtime_ns) == (
        right.st_ino, right.st_dev, right.st_size, right.st_mtime_ns,
    )  # fmt: skip


def _clear(path: Path, read: os.stat_result) -> None:
    """Remove a landed file and its manifest, unless another file has taken its name."""
    try:
        if _same(read, path.lstat()):
            path.unlink()
            manifest_path(path).unlink(missing_ok=True)
    except FileNotFoundError:
        return


def _sweep_drafts(drop: Path, now: datetime) -> None:
    """Remove what deliveries that were killed a day ago or more have left half written."""
    for draft in drop.glob("*/*/.*.part"):
        if DRAFT_NAME.fullmatch(draft.name):
            with suppress(FileNotFoundError):
                if now.timestamp() - draft.lstat().st_ctime > _DRAFT_SECONDS:
                    draft.unlink()
